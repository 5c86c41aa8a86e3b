"""Tests that waver are told apart from tests that a patch breaks, with real runs and with every way they may go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from agent_core.checks.chosen import default_checks
from agent_core.checks.model import CheckResult, Finding, Wish
from agent_core.checks.wavering import Doubt, recalled, settle
from agent_core.config_tables import ChecksConfig
from agent_core.draft import Draft
from agent_core.judge import Judge
from tests.checks.conftest import THIS_PYTHON, Open, changes


def failing(node: str) -> Finding:
    return Finding("pytest", "AssertionError", "t.py", 1, node)


def said(passed: Sequence[str], failed: Sequence[str] = (), tree: str = "t", seconds: float = 1) -> CheckResult:
    found = tuple(failing(node) for node in failed)
    return CheckResult(
        "pytest", "failed" if found else "passed", tree, "", found, seconds=seconds, passed=tuple(passed)
    )


class Runs:
    """Answers runs one after the other, and remembers what was wanted."""

    def __init__(self, *answers: CheckResult) -> None:
        self._answers = list(answers)
        self.wishes: list[Wish] = []

    async def __call__(self, wish: Wish) -> CheckResult:
        self.wishes.append(wish)
        return self._answers.pop(0)


NOTHING = msgspec.structs.replace(said([]), outcome="error")
DOUBT = Doubt((failing("t.py::a"),))
BASE = said(["t.py::a", "t.py::b"])
NEW = said(["t.py::b"], ["t.py::a"])


async def test_failing_again_where_the_base_passes_again_is_broken() -> None:
    here, there = Runs(said([], ["t.py::a"])), Runs(said(["t.py::a"]))
    settled = await settle(DOUBT, BASE, NEW, {}, on_candidate=here, on_base=there)
    assert (settled.wavers, settled.confirmed) == ({}, {})
    assert [one.only for one in (*here.wishes, *there.wishes)] == [("t.py::a",), ("t.py::a",)]


async def test_passing_alone_and_among_the_others_is_flaky() -> None:
    here = Runs(said(["t.py::a"]), said(["t.py::a", "t.py::b"]))
    settled = await settle(DOUBT, BASE, NEW, {}, on_candidate=here, on_base=Runs(said(["t.py::a"])))
    assert set(settled.wavers) == {"t.py::a"}
    assert here.wishes[1].only is None, "among all the others, in their natural order"


async def test_passing_alone_only_is_the_patchs_doing() -> None:
    here = Runs(said(["t.py::a"]), NEW)
    settled = await settle(DOUBT, BASE, NEW, {}, on_candidate=here, on_base=Runs(said(["t.py::a"])))
    assert not settled.wavers
    assert "depend on what ran before" in settled.confirmed["t.py::a"]


async def test_where_all_tests_take_long_those_of_the_file_are_run() -> None:
    here = Runs(said(["t.py::a"]), NEW)
    slow = msgspec.structs.replace(NEW, seconds=100.0, passed=("t.py::b", "u.py::c"))
    await settle(DOUBT, BASE, slow, {}, on_candidate=here, on_base=Runs(said(["t.py::a"])))
    assert here.wishes[1].only == ("t.py::b", "t.py::a")


async def test_failing_on_the_base_too_is_flaky() -> None:
    here, there = Runs(said([], ["t.py::a"])), Runs(said([], ["t.py::a"]))
    settled = await settle(DOUBT, BASE, NEW, {}, on_candidate=here, on_base=there)
    assert "on the base too" in settled.wavers["t.py::a"].how


async def test_a_run_that_tells_nothing_excuses_nothing() -> None:
    settled = await settle(DOUBT, BASE, NEW, {}, on_candidate=Runs(NOTHING), on_base=Runs(NOTHING))
    assert settled.wavers == {}


async def test_a_new_test_is_not_looked_for_on_the_base_and_a_moved_one_under_its_old_name() -> None:
    there = Runs(said(["old.py::a"]))
    doubt = Doubt((failing("new.py::a"), failing("t.py::fresh")))
    here = Runs(said([], ["new.py::a", "t.py::fresh"]))
    settled = await settle(doubt, said(["old.py::a"]), NEW, {"old.py": "new.py"}, on_candidate=here, on_base=there)
    assert settled.wavers == {}
    assert there.wishes[0].only == ("old.py::a",)


async def test_a_target_has_to_pass_twice() -> None:
    doubt = Doubt((), (failing("t.py::a"),))
    here = Runs(said([], ["t.py::a"]))
    settled = await settle(doubt, NEW, BASE, {}, on_candidate=here, on_base=Runs())
    assert settled.wavers["t.py::a"].failed


async def test_what_is_remembered_of_the_base_is_run_again_where_it_matters() -> None:
    verified: set[str] = set()
    there = Runs(said(["t.py::a"], ["t.py::b"]))
    old = said(["t.py::b", "t.py::c"], ["t.py::a"])
    better = await recalled(old, said(["t.py::a", "t.py::c"], ["t.py::b"]), {}, there, verified)
    assert better is not None
    assert (set(better.passed), [one.code for one in better.findings]) == ({"t.py::a", "t.py::c"}, ["t.py::b"])
    assert there.wishes[0].only == ("t.py::a", "t.py::b")
    again = await recalled(better, said([], ["t.py::b"]), {}, Runs(), verified)
    assert again is better, "once in a session is enough"
    assert await recalled(old, NEW, {}, Runs(NOTHING), set()) is None


# Counts the runs of each tree in the folder that tools' caches have; fails in those that FAILS names.
COUNTING = """
    from pathlib import Path

    FAILS = {fails}

    def test_wavers(request):
        folder = Path(request.config.getini("cache_dir")).parent.parent
        count = len(list(folder.glob("counted-*")))
        (folder / f"counted-{{count}}").touch()
        assert count not in FAILS

    def test_other():
        pass
"""


def judge_of(project: object) -> Judge:
    checks = default_checks(THIS_PYTHON, ChecksConfig(off=("mypy", "ruff")))
    return Judge(project, checks, lambda _event: None)  # type: ignore[arg-type] # any project will do


async def test_a_test_that_wavers_is_shown_and_not_blamed_on_the_patch(opened: Open) -> None:
    # On the candidate it fails the first time only; on the base, which has its own count, never.
    flaky = COUNTING.format(fails="{0} if Path('a.py').exists() else set()")
    project = await opened({"test_a.py": flaky})
    judge = judge_of(project)
    base = await project.snapshot()
    verdict = await judge.verdict(Draft(base, changes=changes({"a.py": "x = 1\n"})), "")
    assert [one.code for one in verdict.flaky] == ["test_a.py::test_wavers"]
    assert "failed once and then passed when run again" in verdict.flaky[0].detail
    assert (verdict.green, verdict.broken) == (True, ())
    assert "1 flaky" in verdict.summary
    await judge.close()


async def test_a_target_that_passes_by_luck_makes_nothing_green(opened: Open) -> None:
    wavers = COUNTING.format(fails="{1} if Path('a.py').exists() else {0, 1, 2}")
    project = await opened({"test_a.py": wavers})
    judge = judge_of(project)
    base = await project.snapshot()
    verdict = await judge.verdict(Draft(base, changes=changes({"a.py": "x = 1\n"})), "mend test_wavers")
    await judge.close()
    assert not verdict.green
    assert not verdict.fixed
    assert [one.code for one in verdict.targets_left] == ["test_a.py::test_wavers"]
    assert [one.code for one in verdict.flaky] == ["test_a.py::test_wavers"]


async def test_a_patch_that_makes_tests_depend_on_their_order_breaks_them(opened: Open) -> None:
    project = await opened(
        {
            "state.py": "seen: list[int] = []\n\ndef add(one: int) -> list[int]:\n    return [one]\n",
            "test_a.py": "import state\n\ndef test_first():\n    assert state.add(1)\n",
            "test_b.py": "import state\n\ndef test_second():\n    assert state.add(2) == [2]\n",
        }
    )
    judge = judge_of(project)
    base = await project.snapshot()
    polluted = "seen: list[int] = []\n\ndef add(one: int) -> list[int]:\n    seen.append(one)\n    return seen\n"
    verdict = await judge.verdict(Draft(base, changes=changes({"state.py": polluted})), "")
    await judge.close()
    assert not verdict.green
    assert [one.code for one in verdict.broken] == ["test_b.py::test_second"]
    assert "depend on what ran before" in verdict.broken[0].detail
    assert not list(Path(project.state / "candidates").glob("*"))
