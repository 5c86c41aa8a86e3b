"""The tests that a change can affect speak ahead of the whole run, which has the last word."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent_core.checks.affected import Affected, Touches, keep_touches, load_touches, warm_modules
from agent_core.checks.model import CheckResult, Wish
from agent_core.checks.pytest import PytestCheck
from agent_core.checks.pytest_ahead import Forking, worth_running_ahead
from agent_core.workspace.project import Project
from tests.checks.conftest import THIS_PYTHON, Open, candidate_of, run_one
from tests.projects import make_project, write_files
from tests.workspace.opening import Kind, open_with
from tests.workspace.warming import forks, needs_kernel, warmed

FILES = 12
# Whoever collects this waits for the host, so that the order in which things happen is certain.
GATE = """
    import os, time
    end = time.monotonic() + 20
    while not os.path.exists({path!r}) and time.monotonic() < end: time.sleep(0.005)
    def test_gate(): assert os.path.exists({path!r})
"""
TOWN = {
    "pytest.ini": "[pytest]\naddopts = -p no:cacheprovider\npythonpath = .\ntestpaths = tests\n",
    "conftest.py": "",
    "town/__init__.py": "",
    **{f"town/part{number}.py": f"def value(): return {number}\n" for number in range(FILES)},
    **{
        f"tests/test_{number:02}.py": f"""
            from town.part{number} import value
            def test_value(): assert value() == {number}
            def test_other(): pass
        """
        for number in range(FILES)
    },
}
BROKEN = {"town/part3.py": "def value(): return -1\n"}
CHANGED = {"town/part3.py": "def value(): return 1 + 2\n"}
ONE, OTHER = "tests/test_03.py::test_value", "tests/test_03.py::test_other"


@asynccontextmanager
async def town(
    tmp_path: Path, files: Mapping[str, str] | None = None, kind: Kind = "bubblewrap", *, network: bool = False
) -> AsyncIterator[Project]:
    """A project whose tests have been run once, so that it is known what they touch, with a warm process for them."""
    root = make_project(tmp_path / "town", {**TOWN, **(files or {})})
    async with warmed(root, kind, ("pytest", "_pytest"), network=network) as project:
        gate(project).parent.mkdir(parents=True)
        write_files(root, {"tests/test_zz.py": GATE.format(path=str(gate(project)))})
        gate(project).touch()
        candidate = await candidate_of(project)
        said = await PytestCheck(project.interpreter, timeout=60).run(candidate, Wish())
        assert said.judged
        await candidate.close()
        project.warm(("pytest", "_pytest", *warm_modules(candidate.cache)))
        assert await project.warmed() == ()
        yield project


@pytest.fixture(autouse=True)
def _nothing_else_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def gate(project: Project) -> Path:
    """The file that opens the gate, where all runs see it."""
    return project.state / "cache" / "candidate" / "gate"


async def judge(
    project: Project,
    files: Mapping[str, str | None],
    *,
    wait: bool = True,
    first: Sequence[str] = (),
    only: Sequence[str] | None = None,
) -> tuple[CheckResult, list[CheckResult], int]:
    """The last word on some changes, what was said before it, and how many runs began in a fork.

    With `wait` the whole run waits for a first word.
    """
    if wait:
        gate(project).unlink()
    before, told = forks(project), list[CheckResult]()

    def heard(said: CheckResult) -> None:
        told.append(said)
        gate(project).touch()

    candidate = await candidate_of(project, files)
    try:
        wish = Wish(
            partial=heard, first=tuple(first), only=None if only is None else tuple(only), changed=candidate.changed
        )
        last = await PytestCheck(project.interpreter, timeout=60).run(candidate, wish)
    finally:
        await candidate.close()
    return last, told, forks(project) - before


def words(told: Sequence[CheckResult]) -> list[tuple[str, str, str]]:
    return [(said.stage, said.outcome, said.summary) for said in told]


@needs_kernel
@pytest.mark.parametrize("kind", ["bubblewrap", "unshare"])
async def test_what_is_affected_is_told_while_the_rest_is_being_collected(tmp_path: Path, kind: Kind) -> None:
    async with town(tmp_path, kind=kind) as project:
        last, told, runs = await judge(project, BROKEN)
        assert words(told) == [("affected", "failed", "affected: 1 failed, 1 passed")]
        assert ([one.code for one in told[0].findings], told[0].passed, told[0].tree) == ([ONE], (OTHER,), last.tree)
        assert (last.stage, last.outcome, last.summary) == ("all", "failed", "1 failed, 24 passed")
        assert (last.findings, len(last.passed), runs) == (told[0].findings, 24, 2)
        assert "assert -1 == 3" in told[0].findings[0].detail
        # What failed before comes with what is affected, a file that can't be collected too.
        last, told, _ = await judge(project, {"town/part3.py": "1 +\n"}, first=["tests/test_05.py::test_value"])
        assert words(told) == [("affected", "failed", "affected: 1 file cannot be collected, 2 passed")]
        assert last.summary == "1 file cannot be collected, 23 passed"
        # The next run is told of what the whole one has touched.
        assert load_touches(gate(project).parent).complete


@needs_kernel
async def test_what_comes_out_otherwise_alone_is_corrected_and_named(tmp_path: Path) -> None:
    lonely = """
        import sys
        from town.part3 import value
        def test_value(): assert "test_00" in sys.modules
        def test_other(): assert "test_01" not in sys.modules
    """
    async with town(tmp_path, {"tests/test_03.py": lonely}) as project:
        last, told, _ = await judge(project, CHANGED)
        assert words(told) == [
            ("affected", "failed", "affected: 1 failed, 1 passed"),
            ("affected", "failed", "affected: 1 failed, 1 passed of 25"),
        ]
        assert [[one.code for one in said.findings] for said in (*told, last)] == [[ONE], [OTHER], [OTHER]]
        assert last.summary == f"1 failed, 24 passed; otherwise when run without the rest: {ONE}, {OTHER}"


# What some conftest.py does with a run of a part only, and whether that run is believed.
ODD = {
    # What comes after the last test says nothing about tests.
    "pytest_terminal_summary(config): 1 / 0": True,
    "pytest_sessionfinish(session): session.exitstatus = 1": True,
    # These are no ends of a run.
    "pytest_sessionfinish(session): os._exit(0)": False,
    "pytest_sessionstart(session): os._exit(1)": False,
    "pytest_collection_finish(session): pytest.exit('stop', 0)": False,
    "pytest_collection_modifyitems(items): items.clear()": False,
    "pytest_runtestloop(session): return True": False,
    "pytest_runtest_setup(item): os.kill(os.getpid(), 9)": False,
}


@needs_kernel
async def test_who_behaves_otherwise_with_a_part_of_the_tests(tmp_path: Path) -> None:
    async with town(tmp_path, {"conftest.py": "import os, pytest, pairloop_pytest\n"}) as project:
        odd = gate(project).with_name("odd")
        with (project.root / "conftest.py").open("a") as file:
            file.write(f"if pairloop_pytest._PLAN.ahead: exec(open({str(odd)!r}).read())\n")
        for hook, early in ODD.items():
            odd.write_text(f"def {hook}\n")
            last, told, runs = await judge(project, BROKEN, wait=early)
            assert (last.outcome, last.summary, runs) == ("failed", "1 failed, 24 passed", 2), hook
            ahead = "affected: 1 failed, 1 passed" if early else "affected: 1 failed, 1 passed of 25"
            assert words(told) == [("affected", "failed", ahead)], hook


@needs_kernel
async def test_where_it_could_do_harm_there_is_one_run(tmp_path: Path) -> None:
    async with town(tmp_path) as project:
        for changes, only in (
            (BROKEN, [ONE]),
            # Everything may be affected, then a large part.
            ({"conftest.py": "x = 1\n"}, None),
            ({f"town/part{number}.py": "def value(): return 3\n" for number in range(5)}, None),
            ({"README.md": "x\n"}, None),
        ):
            last, told, runs = await judge(project, changes, wait=False, only=only)
            assert (last.judged, runs) == (True, 1)
            assert not [said for said in told if "of 25" not in said.summary]


@needs_kernel
async def test_runs_that_share_a_network_are_not_two_at_a_time(tmp_path: Path) -> None:
    async with town(tmp_path, network=True) as project:
        last, told, runs = await judge(project, BROKEN, wait=False)
        assert (last.summary, runs) == ("1 failed, 24 passed", 1)
        assert words(told) == [("affected", "failed", "affected: 1 failed, 1 passed of 25")]


@needs_kernel
async def test_tests_that_keep_their_order_are_not_run_apart(tmp_path: Path) -> None:
    marked = "import pytest\n@pytest.mark.order(1)\ndef test_a(): pass\n"
    ini = TOWN["pytest.ini"] + "markers = order\n"
    async with town(tmp_path, {"tests/test_00.py": marked, "pytest.ini": ini}) as project:
        assert load_touches(gate(project).parent).bound
        last, told, runs = await judge(project, BROKEN, wait=False)
        assert (last.summary, told, runs) == (
            "1 failed, 23 passed, in one stage: its tests have to keep their order",
            [],
            1,
        )


@needs_kernel
async def test_both_runs_end_with_who_wanted_them(tmp_path: Path) -> None:
    async with town(tmp_path) as project:
        held = gate(project).with_name("held")
        # A lock is held as long as anybody who has it open lives.
        hang = """
            import fcntl, time
            file = open({held!r}, "a")
            fcntl.flock(file, fcntl.LOCK_SH)
            file.write("x")
            file.flush()
            while True: time.sleep(1)
        """
        candidate = await candidate_of(project, {"tests/test_03.py": hang.format(held=str(held))})
        task = asyncio.create_task(
            PytestCheck(project.interpreter, timeout=60).run(candidate, Wish(changed=candidate.changed))
        )
        async with asyncio.timeout(20):
            while not held.exists() or held.read_text() != "xx":  # noqa: ASYNC110 - other processes write it
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with held.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert not list((candidate.cache / "pytest").glob("run-*"))
        await candidate.close()


@needs_kernel
async def test_what_is_worth_a_run_of_its_own(tmp_path: Path) -> None:
    async with town(tmp_path) as project:
        candidate = await candidate_of(project)

        def worth(*files: str, first: tuple[str, ...] = (), bound: bool = False) -> bool:
            wish = Wish(first=first, changed=("a.py",))
            return worth_running_ahead(candidate, wish, Affected(frozenset(files)), Touches(bound=bound))

        assert worth("tests/test_00.py", "town/part0.py")
        assert worth(first=(ONE,))
        assert worth(*(f"tests/test_{number:02}.py" for number in range(3)))
        assert not worth(*(f"tests/test_{number:02}.py" for number in range(3)), first=(ONE,))
        assert not worth("town/part0.py")
        assert not worth(first=("tests/gone.py::test_a",))
        assert not worth("tests/test_00.py", bound=True)
        await candidate.close()


async def test_the_same_modules_are_warmed_in_the_same_order_whatever_came_first(tmp_path: Path) -> None:
    async with warmed(make_project(tmp_path / "town", TOWN)) as project:
        candidate = await candidate_of(project)
        folder = candidate.cache / "pytest"
        folder.mkdir()
        for modules, kept in (
            (("a", "b", "town", "c"), ("a", "b", "c")),
            (("c", "b", "a"), ("a", "b", "c")),
            (("d", "c", "a"), ("a", "c", "d")),
        ):
            keep_touches(folder, candidate, Touches(modules=modules))
            assert warm_modules(candidate.cache) == kept
        many = tuple(f"library.{'x' * 40}{number}" for number in range(5000))
        keep_touches(folder, candidate, Touches(modules=many))
        first = warm_modules(candidate.cache)
        assert 1000 < len(first) < 2000
        keep_touches(folder, candidate, Touches(modules=tuple(reversed(many))))
        assert warm_modules(candidate.cache) == first
        await candidate.close()


async def test_a_copy_has_nothing_to_run_beside(tmp_path: Path) -> None:
    project = await open_with(make_project(tmp_path / "town", TOWN), "copy")
    candidate = await candidate_of(project, BROKEN)
    argv = (str(project.interpreter.python), "-c", "print(1)")
    assert isinstance(candidate, Forking)
    assert await candidate.fork(argv, timeout=20, warm=("decimal",)) is None
    await candidate.close()
    await project.close()


@pytest.mark.parametrize("extra", ["run_ahead", "keep_imports"])
async def test_an_extra_that_fails_costs_no_verdict(
    opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, extra: str
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("an extra")

    monkeypatch.setattr(f"agent_core.checks.pytest.{extra}", fail)
    monkeypatch.setattr("agent_core.checks.pytest.worth_running_ahead", lambda *_arguments: True)
    project = await opened({"test_fine.py": "def test_fine() -> None: pass\n"})
    result = await run_one(PytestCheck(THIS_PYTHON, timeout=60), project)
    assert (result.outcome, result.summary) == ("passed", "1 passed")
    assert "an extra" in caplog.text
