"""Verdicts of real drafts in real projects: told as they come, about the right trees, and not to be talked round."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from agent_core.checks.bench import Trees
from agent_core.checks.chosen import default_checks
from agent_core.checks.model import CheckResult, Verdict
from agent_core.config_tables import ChecksConfig
from agent_core.draft import Draft
from agent_core.events import AnyEvent, CheckFinished, CheckStarted
from agent_core.judge import Judge
from agent_core.workspace.project import Project
from tests.checks.conftest import THIS_PYTHON, Open, changes, opened
from tests.projects import write_files

__all__ = ["opened"]

SHOP = {
    "shop.py": "def total(prices):\n    return sum(prices) + 1\n",
    "test_shop.py": """
        from shop import total

        def test_total():
            assert total([1, 2]) == 3

        def test_type():
            assert isinstance(total([]), int)
        """,
}
MENDED = "def total(prices):\n    return sum(prices)\n"


class Bench:
    """A judge of a project, and what it says."""

    def __init__(self, project: Project, *off: str) -> None:
        self.project = project
        self.events: list[AnyEvent] = []
        self.so_far: list[Verdict] = []
        self._news = asyncio.Event()
        self.judge = Judge(project, default_checks(THIS_PYTHON, ChecksConfig(off=off)), self._emit)

    async def verdict(
        self, files: Mapping[str, str | None], task: str = "", *, moves: Mapping[str, str] | None = None
    ) -> Verdict:
        base = await self.project.snapshot()
        draft = Draft(base, changes=changes(files), moves=moves or {})
        self.so_far.clear()
        return await self.judge.verdict(draft, task, self.so_far.append)

    def _emit(self, event: AnyEvent) -> None:
        self.events.append(event)
        self._news.set()

    async def begins(self, check: str, count: int = 1) -> None:
        """Wait until a check of the candidate begins (the count-th time)."""
        async with asyncio.timeout(30):
            while self.started(check, "candidate") < count:
                self._news.clear()
                await self._news.wait()

    def started(self, check: str, where: str) -> int:
        return sum(isinstance(one, CheckStarted) and (one.check, one.where) == (check, where) for one in self.events)


async def test_a_verdict_is_told_as_it_comes_and_only_the_last_one_is_complete(opened: Open) -> None:
    bench = Bench(await opened(SHOP))
    verdict = await bench.verdict({"shop.py": MENDED}, "fix test_total")
    await bench.judge.close()
    assert (verdict.green, verdict.complete, verdict.stage) == (True, True, "all")
    assert verdict.summary.startswith("green: fixes 1, breaks nothing")
    assert bench.so_far
    assert not any(one.complete for one in bench.so_far)
    first = bench.so_far[0]
    assert {one.check for one in first.results} >= {"syntax", "ruff"}
    assert (first.green, first.stage) == (True, "first") if not first.targets_left else True
    assert "so far" in first.summary
    assert all(one.tree == verdict.tree != verdict.base_tree for one in bench.so_far if one.results)
    told = [(one.summary, one.stage) for one in bench.so_far]
    assert len(told) == len(set(told)), "the same is not told twice"


async def test_a_target_that_has_not_run_yet_makes_nothing_green(opened: Open) -> None:
    bench = Bench(await opened(SHOP), "mypy")
    verdict = await bench.verdict({"shop.py": "def total(prices):\n    return sum(prices) + 0 + 2\n"}, "fix test_total")
    await bench.judge.close()
    assert not verdict.green
    assert [one.code for one in verdict.targets_left] == ["test_shop.py::test_total"]
    with_base = [one for one in bench.so_far if any(said.check == "pytest" for said in one.results)]
    assert not any(one.green for one in with_base)


async def test_failing_tests_that_are_removed_skipped_or_renamed_are_not_mended(opened: Open) -> None:
    bench = Bench(await opened(SHOP), "mypy", "ruff")
    passing = "def test_type():\n    assert True\n\ndef test_new():\n    assert True\n"
    ways = {
        "removed": passing,
        "skipped": f"import pytest\n\n@pytest.mark.skip\ndef test_total():\n    assert False\n\n{passing}",
        "expected to fail": f"import pytest\n\n@pytest.mark.xfail\ndef test_total():\n    assert False\n\n{passing}",
        "renamed": f"{passing}\ndef test_other():\n    assert 3 == 3\n",
    }
    for way, text in ways.items():
        verdict = await bench.verdict({"test_shop.py": text})
        assert not verdict.green, way
        assert not verdict.fixed, way
        assert verdict.gone == ("test_shop.py::test_total",), way
        assert "1 test is gone" in verdict.summary, way
    # What passed may go: with its feature, say. It is told.
    verdict = await bench.verdict(
        {"shop.py": MENDED, "test_shop.py": SHOP["test_shop.py"].split("        def test_ty")[0]}
    )
    await bench.judge.close()
    assert verdict.green
    assert (len(verdict.fixed), verdict.gone) == (1, ("test_shop.py::test_type",))


async def test_what_moves_along_with_its_file_is_the_same(opened: Open) -> None:
    files = {**SHOP, "shop.py": f"import os\n\n{SHOP['shop.py']}"}
    bench = Bench(await opened(files), "mypy")
    test = changes({"t": SHOP["test_shop.py"]})["t"].data
    assert test is not None
    moved = {"test_shop.py": None, "tests/test_shop.py": test.decode()}
    plain = await bench.verdict({**moved, "conftest.py": ""})
    assert [one.code for one in plain.known if one.check == "pytest"] == ["tests/test_shop.py::test_total"]
    assert not plain.broken
    assert not plain.gone
    # Changed too, so that only the patch knows that it is the same file.
    changed = {
        "shop.py": None,
        "store.py": f"import os\n\n\n{SHOP['shop.py']}",
        "test_shop.py": test.decode().replace("shop", "store"),
    }
    said = await bench.verdict(changed, moves={"store.py": "shop.py"})
    await bench.judge.close()
    assert [(one.code, one.path) for one in said.known if one.check == "ruff"] == [("F401", "store.py")]
    assert not [one for one in said.broken if one.check == "ruff"]


async def test_comments_that_silence_mend_nothing_and_are_told(opened: Open) -> None:
    files = {"a.py": "import os\n\nx = 1\n", "pyproject.toml": "[tool.ruff.lint]\nselect = ['F']\n"}
    bench = Bench(await opened(files), "mypy", "pytest")
    old = await bench.verdict({"a.py": "import os  # noqa: F401\n\nx = 1\n"})
    assert (old.fixed, [one.code for one in old.known]) == ((), ["F401"])
    assert "1 comment that silences ruff, 1 finding is hidden by that, not mended" in old.summary
    new = await bench.verdict({"a.py": "import os\nimport re  # noqa\n\nx = 1\n"})
    assert not new.green
    assert [(one.code, one.line) for one in new.silenced] == [("F401", 2)]
    assert "silences 1 (ruff 1)" in new.summary
    mended = await bench.verdict({"a.py": 'x = "# noqa"\n'})
    await bench.judge.close()
    assert mended.green
    assert (len(mended.fixed), mended.notes) == (1, ())


async def test_settings_that_look_away_mend_nothing_and_are_told(opened: Open) -> None:
    files = {
        "a.py": "import os\n\ndef f() -> int:\n    return 1\n",
        "pyproject.toml": "[tool.ruff.lint]\nselect = ['F']\n\n[tool.mypy]\nstrict = true\n",
    }
    bench = Bench(await opened(files), "pytest")
    loose = {
        "pyproject.toml": "[tool.ruff.lint]\nselect = ['E9']\n\n[tool.mypy]\nignore_errors = true\n",
        "a.py": "import os\n\ndef f() -> int:\n    return ''\n",
    }
    verdict = await bench.verdict(loose)
    assert not verdict.green
    assert not verdict.fixed
    assert [one.code for one in verdict.known] == ["F401"]
    assert [(one.check, one.code) for one in verdict.silenced] == [("mypy", "return-value")]
    assert "the change also touches what ruff looks at (pyproject.toml), 1 finding is hidden" in verdict.summary
    other = await bench.verdict(
        {"pyproject.toml": files["pyproject.toml"] + "\n[project]\nname = 'x'\nversion = '1'\n"}
    )
    await bench.judge.close()
    assert other.green
    assert other.notes == ()


async def test_settings_of_pytest_that_look_away_mend_nothing(opened: Open) -> None:
    files = {
        "pytest.ini": "[pytest]\nfilterwarnings = error\n",
        "test_a.py": """
            import warnings

            def test_a():
                warnings.warn("old", stacklevel=1)

            def test_b():
                pass
            """,
    }
    bench = Bench(await opened(files), "mypy")
    verdict = await bench.verdict({"pytest.ini": "[pytest]\n"}, "fix test_a")
    await bench.judge.close()
    assert not verdict.green
    assert [one.code for one in verdict.targets_left] == ["test_a.py::test_a"]
    assert "the change also touches what pytest looks at (pytest.ini), 1 finding is hidden by that" in verdict.summary


async def test_files_changed_while_they_are_checked_make_no_verdict(opened: Open) -> None:
    project = await opened(SHOP)
    bench = Bench(project, "mypy")
    task = asyncio.create_task(bench.verdict({"shop.py": MENDED}))
    await bench.begins("pytest")
    write_files(project.root, {"other.py": "x = 1\n"})
    verdict = await asyncio.wait_for(task, 60)
    await bench.judge.close()
    assert (verdict.green, verdict.complete) == (False, False)
    assert "the files were changed while they were checked" in verdict.summary


async def test_a_file_saved_and_put_back_while_it_is_checked_voids_the_verdict(opened: Open) -> None:
    project = await opened(SHOP)
    bench = Bench(project, "mypy", "ruff")
    path = project.root / "test_shop.py"
    text, times = path.read_bytes(), path.stat()
    completes = []
    for number in range(1, 4):
        task = asyncio.create_task(bench.verdict({"shop.py": MENDED}))
        await bench.begins("pytest", number)
        path.write_text("def test_nothing():\n    assert False\n")
        path.write_bytes(text)
        # Not even its times tell.
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        verdict = await asyncio.wait_for(task, 60)
        completes.append((verdict.complete, verdict.green))
        assert any("saved" in note for note in verdict.notes)
    # Where something does so all the time there is a verdict in the end, which says so.
    assert completes == [(False, False), (False, False), (True, True)]
    verdict = await bench.verdict({"shop.py": MENDED})
    await bench.judge.close()
    assert (verdict.complete, verdict.notes) == (True, ())


async def test_any_two_trees_made_of_the_working_tree_are_compared(opened: Open) -> None:
    project = await opened({**SHOP, "shop.py": MENDED})
    bench = Bench(project, "mypy")
    base = await project.snapshot()
    before = changes({"shop.py": "def total(prices)\n    return 0\n"})
    verdict = await bench.judge.compare(Trees(base, {}, before))
    await bench.judge.close()
    assert verdict.tree == base.tree
    assert verdict.green
    assert {one.check for one in verdict.fixed} == {"syntax", "ruff", "pytest"}


async def test_a_superseded_judgement_leaves_nothing_behind(opened: Open) -> None:
    files = {"test_slow.py": "import time\n\ndef test_slow():\n    time.sleep(60)\n"}
    project = await opened(files)
    bench = Bench(project, "mypy")
    task = asyncio.create_task(bench.verdict({"a.py": "x = 1\n"}))
    await bench.begins("pytest")
    task.cancel()
    await asyncio.wait([task], timeout=20)
    assert task.cancelled()
    await asyncio.wait_for(bench.judge.close(), 20)
    folder: Path = project.state / "candidates"
    assert not list(folder.glob("*"))
    assert not any(isinstance(one, CheckFinished) and one.result.check == "pytest" for one in bench.events)


async def test_what_the_checks_say_of_a_tree_is_heard_one_by_one_and_with_a_draft_by_nobody_else(opened: Open) -> None:
    bench = Bench(await opened(SHOP), "mypy")
    base = await bench.project.snapshot()
    heard: list[CheckResult] = []
    results = await bench.judge.standing(base, anew=False, heard=heard.append)
    assert {one.check for one in heard} == {one.check for one in results}
    assert [one.outcome for one in heard if one.check == "pytest"] == ["failed"]
    again: list[CheckResult] = []
    await bench.judge.standing(base, anew=False, heard=again.append)
    assert [one.check for one in again] == [one.check for one in heard], "what is known is told at once"
    told = len(bench.events)
    heard.clear()
    drafted = await bench.judge.standing_with(base, changes({"shop.py": MENDED}), heard.append)
    await bench.judge.close()
    assert {one.check: one.outcome for one in drafted}["pytest"] == "passed"
    assert {one.tree for one in drafted} != {base.tree}
    assert {one.check for one in heard} == {one.check for one in drafted}
    assert len(bench.events) == told
