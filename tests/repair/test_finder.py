"""Repairs found in real projects, with real tests in real candidates; and why none can be."""

from __future__ import annotations

import asyncio
import os
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent_core.checks.base_tree import Heard
from agent_core.checks.model import CheckResult, Finding, Outcome
from agent_core.checks.pytest import PytestCheck
from agent_core.config_tables import Config
from agent_core.repair import search as searching
from agent_core.repair.ahead import Begun
from agent_core.repair.edited import edited
from agent_core.repair.finder import Finder
from agent_core.repair.forking import ForkingLab
from agent_core.repair.model import Found, Look, Progress, TestRun, Wanted
from agent_core.repair.named import meant
from agent_core.repair.standing import Ask
from agent_core.repair.testing import TestRepairs
from agent_core.workspace.project import Project, open_project
from agent_core.workspace.tree import Changes, FileChange, Snapshot
from tests.projects import make_project

SHOP = """
    LIMIT = 100

    def clamp(value, low, high):
        if value < low:
            return low
        if value < high:
            return high
        return value
"""
TEST = """
    from shop import clamp

    def test_low(): assert clamp(-1, 0, 9) == 0
    def test_high(): assert clamp(11, 0, 9) == 9
    def test_between(): assert clamp(4, 0, 9) == 4
"""
FILES = {
    "shop.py": SHOP,
    "test_shop.py": TEST,
    "pytest.ini": "[pytest]\naddopts = -p no:cacheprovider\npythonpath = .\n",
}
FAILING = ("test_shop.py::test_high", "test_shop.py::test_between")


def said(outcome: Outcome = "failed", failing: tuple[str, ...] = FAILING, summary: str = "") -> CheckResult:
    findings = tuple(Finding("pytest", "AssertionError", code=test) for test in failing)
    passed = ("test_shop.py::test_low",) if outcome in {"passed", "failed"} else ()
    return CheckResult("pytest", outcome, "tree", summary, findings, passed=passed)


class Bench:
    """A project, and somebody who finds repairs in it."""

    def __init__(self, project: Project, result: CheckResult | None, changes: Changes) -> None:
        self.project = project
        self.told: list[Progress] = []
        self.enough = asyncio.Event()
        results = () if result is None else (result,)

        async def at_once(_heard: Heard) -> tuple[CheckResult, ...]:
            return results

        # Says what the checks say; a test may have them take their time.
        self.ask: Ask = at_once

        async def tree() -> tuple[Snapshot, Changes]:
            return await project.snapshot(), changes

        self.finder = Finder(project, lambda: (PytestCheck(project.interpreter),), self._asked, tree)

    async def _asked(self, heard: Heard) -> tuple[CheckResult, ...]:
        return await self.ask(heard)

    async def find(self, *tests: str, seconds: float = 30.0, paths: tuple[str, ...] = ()) -> Found:
        wanted = Wanted(tests=tests, kinds=("tests",), paths=paths, seconds=seconds)
        return await asyncio.wait_for(self.finder.find(wanted, self.told.append, self.enough), 60)

    def texts(self, found: Found) -> list[str]:
        read = self.project.read
        return [(edited(one.variant.edits, read)["shop.py"].data or b"").decode() for one in found.repairs]


Opened = Callable[..., Awaitable[Bench]]


@pytest.fixture
async def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Opened]:
    monkeypatch.setattr(searching, "_GO_ON", (0.2, 0.4))
    benches: list[Bench] = []

    async def make(
        files: Mapping[str, str] | None = None,
        result: CheckResult | None = None,
        changes: Changes | None = None,
        *,
        only: bool = False,
    ) -> Bench:
        root = await asyncio.to_thread(make_project, tmp_path / "project", {**({} if only else FILES), **(files or {})})
        project = await open_project(root, Config(), {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
        benches.append(Bench(project, said() if result is None else result, changes or {}))
        return benches[-1]

    yield make
    for bench in benches:
        await bench.project.close()


@asynccontextmanager
async def untouched(bench: Bench) -> AsyncIterator[None]:
    """Nothing of it reaches the working tree."""
    before = await bench.project.snapshot()
    yield
    assert (await bench.project.snapshot()).tree == before.tree


async def test_a_wrong_comparison_is_found_compared_and_told(opened: Opened) -> None:
    bench = await opened()
    async with untouched(bench):
        found = await bench.find()
    right = bench.project.read("shop.py") or b""
    assert right.decode().replace("value < high", "value > high") in bench.texts(found)
    assert found.repairs[0].passed == 3
    assert found.repairs[0].whole
    assert set(found.repairs[0].mends) == set(FAILING)
    assert {run.test for run in found.failing} == set(FAILING)
    assert found.suspects[0].path == "shop.py"
    assert "in `clamp` (shop.py:6): all 3 tests pass with it." in found.word
    assert found.tried > 0
    assert {"looking", "trying"} <= {one.stage for one in bench.told}
    assert bench.told[-1].found > 0
    shares = [(one.limit, one.seconds) for one in bench.told if one.limit]
    assert shares == sorted(shares), "its time never goes back"
    assert {limit for limit, _ in shares} == {30.0}
    assert all(one.limit or one.stage == "looking" for one in bench.told), "only while the tests have not spoken"


async def test_where_tests_start_a_python_of_their_own_each_change_is_tried_in_processes_of_its_own(
    opened: Opened,
) -> None:
    test = """
        import subprocess, sys
        from shop import clamp

        def given(*given):
            code = f"import shop; print(shop.clamp{given})"
            assert int(subprocess.check_output([sys.executable, "-c", code])) == clamp(*given)
            return clamp(*given)

        def test_low(): assert given(-1, 0, 9) == 0
        def test_high(): assert given(11, 0, 9) == 9
        def test_between(): assert given(4, 0, 9) == 4
    """
    bench = await opened({"test_shop.py": textwrap.dedent(test)})
    found = await bench.find()
    right = bench.project.read("shop.py") or b""
    assert right.decode().replace("value < high", "value > high") in bench.texts(found)
    assert (found.repairs[0].passed, found.repairs[0].whole) == (3, True)


async def test_a_look_for_which_there_is_no_time_is_not_said_to_be_stopped(opened: Opened) -> None:
    bench = await opened()
    found = await bench.find(seconds=0.05)
    assert (found.repairs, found.ended) == ((), "out of time")
    assert "cannot be run, so no repair can be tried: they did not come to their end within 0 s" in found.word


async def test_of_tests_that_fail_and_are_not_asked_for_nobody_says_that_they_pass(opened: Opened) -> None:
    bench = await opened({"test_other.py": "def test_other():\n    assert 0\n"})
    found = await bench.find("test_high", "test_between")
    assert "in `clamp` (shop.py:6): the 3 tests run pass with it." in found.word
    assert not found.repairs[0].whole


async def test_what_is_in_the_draft_is_what_is_mended(opened: Opened) -> None:
    bad = (SHOP.replace("value < high", "value > high").replace("value < low", "value < value")).replace("\n    ", "\n")
    bench = await opened(
        result=said(failing=("test_shop.py::test_low",)), changes={"shop.py": FileChange(bad.lstrip().encode())}
    )
    found = await bench.find("test_low")
    assert found.repairs
    assert found.repairs[0].variant.line == 4
    text = edited(found.repairs[0].variant.edits, lambda _: bad.lstrip().encode())["shop.py"].data or b""
    assert b"value > high" in text


async def test_tests_generated_files_and_those_of_others_are_never_changed(opened: Opened) -> None:
    bench = await opened({"shop.py": "# Generated by a tool. DO NOT EDIT.\n" + SHOP.replace("\n    ", "\n")})
    found = await bench.find(seconds=10)
    assert found.repairs == ()
    assert found.tried == 0
    assert "no line of the project that may be changed" in found.word


async def test_only_the_files_that_are_asked_for_are_changed(opened: Opened) -> None:
    bench = await opened()
    found = await bench.find(seconds=10, paths=("other.py", "package"))
    assert found.repairs == ()
    assert found.tried == 0


async def test_enough_before_it_begins(opened: Opened) -> None:
    bench = await opened()
    bench.enough.set()
    found = await bench.find()
    assert (found.repairs, found.ended) == ((), "stopped")


async def test_it_does_not_wait_for_checks_that_take_long(opened: Opened) -> None:
    bench = await opened()
    gone: list[bool] = []

    async def ask(heard: Heard) -> tuple[CheckResult, ...]:
        heard(said())
        try:
            await asyncio.Event().wait()
        finally:
            gone.append(True)
        return ()

    bench.ask = ask
    found = await bench.find()
    assert found.repairs
    assert found.seconds < 25
    assert gone == [True], "nobody asks any more when it is over"


async def test_where_tests_are_not_to_be_run_none_is_run(opened: Opened) -> None:
    bench = await opened()

    async def tree() -> tuple[Snapshot, Changes]:
        return await bench.project.snapshot(), {}

    async def ask(_heard: Heard) -> tuple[CheckResult, ...]:
        return ()

    found = await Finder(bench.project, lambda: (), ask, tree).find(Wanted(), bench.told.append, bench.enough)
    assert (found.repairs, found.tried) == ((), 0)
    assert "The project has no tests." in found.word


async def test_the_tests_are_looked_at_once_while_the_check_runs_them(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = await opened()
    looks, over = 0, asyncio.Event()
    real = ForkingLab.look

    async def look(
        self: ForkingLab, tests: Sequence[str], *, seconds: float, hear: Callable[[TestRun], None] = lambda _: None
    ) -> Look:
        nonlocal looks
        looks += 1
        try:
            return await real(self, tests, seconds=seconds, hear=hear)
        finally:
            over.set()

    async def ask(_heard: Heard) -> tuple[CheckResult, ...]:
        await over.wait()
        return (said(),)

    monkeypatch.setattr(ForkingLab, "look", look)
    bench.ask = ask
    found = await bench.find()
    assert found.repairs
    assert found.repairs[0].whole
    assert looks == 1


async def test_where_a_test_hangs_nobody_waits_for_the_check_to_end(opened: Opened) -> None:
    hanging = "import time\n\ndef test_hangs():\n    time.sleep(600)\n"
    bench = await opened({"test_hanging.py": hanging})

    async def ask(_heard: Heard) -> tuple[CheckResult, ...]:
        await asyncio.Event().wait()
        return ()

    bench.ask = ask
    # What somebody names is to be mended, the test that hangs is not.
    found = await bench.find("test_shop.py", seconds=45)
    assert found.repairs
    assert found.seconds < 40


async def test_a_slow_test_is_not_said_to_fail_when_the_check_says_that_it_passes(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "import time\n\ndef test_slow():\n    time.sleep(30)\n"
    bench = await opened({"test_slow.py": slow, "shop.py": ""}, only=True)
    over = asyncio.Event()
    real = TestRepairs.find

    async def find(self: TestRepairs, failing: Sequence[str], begun: Begun, *, until: float) -> Found:
        found = await real(self, failing, begun, until=until)
        over.set()
        return found

    async def ask(_heard: Heard) -> tuple[CheckResult, ...]:
        await over.wait()
        return (said("passed", ()),)

    monkeypatch.setattr(TestRepairs, "find", find)
    bench.ask = ask
    found = await bench.find()
    assert found.word.startswith("No test fails")


async def test_what_was_stopped_early_says_how_far_it_was(opened: Opened) -> None:
    bench = await opened()

    async def ask(_heard: Heard) -> tuple[CheckResult, ...]:
        bench.enough.set()
        await asyncio.Event().wait()
        return ()

    bench.ask = ask
    found = await bench.find()
    assert (found.repairs, found.ended) == ((), "stopped")
    assert found.word.startswith("It was stopped after ")
    assert "before a repair was found: what the tests and the other checks say was not known yet" in found.word


async def test_cancelling_leaves_nothing_behind(opened: Opened) -> None:
    bench = await opened()
    seen = asyncio.Event()

    def tell(progress: Progress) -> None:
        if progress.tried:
            seen.set()

    task = asyncio.create_task(bench.finder.find(Wanted(kinds=("tests",)), tell, bench.enough))
    await asyncio.wait_for(seen.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 30)
    left = [path for path in (bench.project.state / "candidates").glob("*") if path.is_dir()]
    assert left == []


@pytest.mark.parametrize(
    ("result", "tests", "word"),
    [
        (said("passed", ()), (), "No test fails"),
        (said("no_tests", ()), (), "The project has no tests"),
        (
            said("missing", (), "pytest is not installed in .venv"),
            (),
            "cannot be run, so no repair can be tried: pytest",
        ),
        (said("passed", ()), ("test_low",), "Nothing is to be mended: test_shop.py::test_low passes."),
        (said("passed", ()), ("test_hihg",), "There is no test `test_hihg`."),
    ],
)
async def test_why_nothing_is_looked_for(
    opened: Opened, result: CheckResult, tests: tuple[str, ...], word: str
) -> None:
    found = await (await opened(result=result)).find(*tests)
    assert word in found.word
    assert (found.repairs, found.tried) == ((), 0)


CONFTEST = {
    "shop/__init__.py": "",
    "shop/names.py": "NAMES = ['a', 'b', 'c']\n\n\ndef third(items):\n    return items[3]\n\n\nTHIRD = third(NAMES)\n",
    "tests/conftest.py": "import pytest\nfrom shop.names import THIRD\n\n@pytest.fixture\ndef last(): return THIRD\n",
    "tests/test_names.py": "def test_last(last):\n    assert last == 'c'\n\n\ndef test_other():\n    pass\n",
    "pytest.ini": FILES["pytest.ini"],
}


@pytest.mark.parametrize("tests", [(), ("test_last",)])
async def test_what_fails_while_conftest_imports_it_is_mended(opened: Opened, tests: tuple[str, ...]) -> None:
    result = said("error", (), "pytest could not run the tests: IndexError: list index out of range")
    bench = await opened(CONFTEST, result, only=True)
    found = await bench.find(*tests)
    assert [run.test for run in found.failing] == ["tests/conftest.py"]
    assert (found.suspects[0].path, found.suspects[0].line) == ("shop/names.py", 5)
    texts = [
        (edited(one.variant.edits, bench.project.read)["shop/names.py"].data or b"").decode() for one in found.repairs
    ]
    assert any("items[2]" in text or "items[-1]" in text for text in texts)
    assert "(shop/names.py:5): the tests can be run again, and pass with it." in found.word


async def test_what_fails_while_the_conftest_of_a_folder_imports_it_is_mended(opened: Opened) -> None:
    files = {path.replace("tests/", "tests/deep/"): text for path, text in CONFTEST.items()}
    files["tests/test_top.py"] = "def test_top():\n    assert False\n"
    why = "ConftestImportFailure: IndexError: list index out of range (from tests/deep/conftest.py)"
    findings = (
        Finding("pytest", why, code="tests/deep"),
        Finding("pytest", "assert False", code="tests/test_top.py::test_top"),
    )
    bench = await opened(files, CheckResult("pytest", "failed", "tree", "", findings), only=True)
    found = await bench.find("tests/deep/test_names.py::test_last")
    assert [run.test for run in found.failing] == ["tests/deep"]
    assert found.repairs[0].mends == ("tests/deep",)


async def test_why_tests_cannot_be_run_that_no_change_of_the_program_mends(opened: Opened) -> None:
    ini = "[pytest]\naddopts = --no-such-option\n"
    summary = "pytest could not run the tests: unrecognized arguments: --no-such-option"
    bench = await opened({"pytest.ini": ini}, said("error", (), summary))
    found = await bench.find()
    assert found.word == f"The tests cannot be run, so no repair can be tried: {summary}."
    assert (found.repairs, found.tried) == ((), 0)


async def test_a_test_that_only_failed_before_is_said_to_come_and_go(opened: Opened) -> None:
    bench = await opened(result=said(failing=("test_shop.py::test_low",)))
    found = await bench.find()
    assert found.word.startswith("test_shop.py::test_low fails at one time and passes at another")
    assert found.tried == 0


@pytest.mark.parametrize(
    ("wanted", "yes"),
    [
        ("tests/test_a.py", True),
        ("tests/test_a.py::TestA", True),
        ("tests/test_a.py::TestA::test_b", True),
        ("tests/test_a.py::TestA::test_b[1-x]", True),
        ("./tests", True),
        ("test_a.py", True),
        ("test_b", True),
        ("TestA", True),
        ("TestA::test_b", True),
        ("TestA::test_b[1-x]", True),
        ("tests/test", False),
        ("test_", False),
        ("TestA::test", False),
        ("a.py", False),
    ],
)
def test_which_tests_are_meant(wanted: str, yes: bool) -> None:
    assert meant("tests/test_a.py::TestA::test_b[1-x]", [wanted]) is yes


@pytest.mark.parametrize(
    ("failed", "yes"), [("tests/a", True), ("tests/a/b.py", True), ("tests", True), ("tests/a/b", False), ("te", False)]
)
def test_what_cannot_be_collected_is_meant_with_the_tests_in_it(failed: str, yes: bool) -> None:
    assert meant(failed, ["tests/a/b.py::test_c"]) is yes
