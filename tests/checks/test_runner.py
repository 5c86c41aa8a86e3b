"""Running checks side by side, and the baseline that is judged once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent_core.checks.baseline import Baseline
from agent_core.checks.chosen import default_checks
from agent_core.checks.model import CheckResult, Wish
from agent_core.checks.runner import run_checks
from agent_core.checks.tool import result
from agent_core.checks.verdict import judge
from agent_core.config_tables import ChecksConfig, Config, SandboxConfig
from agent_core.errors import SandboxError
from agent_core.events import AnyEvent, CheckFinished, CheckProgressed, CheckStarted
from agent_core.protocols import Candidate, Check
from agent_core.workspace.project import open_project
from tests.checks.conftest import THIS_PYTHON, Open, candidate_of, changes
from tests.projects import make_project, write_files


@dataclass(frozen=True)
class ShellCheck:
    """Judges by a shell command's exit status."""

    name: str
    script: str

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        for number in range(100):
            wish.progress(number, 100)
        done = await candidate.run(["sh", "-c", self.script], timeout=60)
        outcome = "failed" if done.code else "passed"
        return result(self.name, candidate, "failed" if outcome == "failed" else "passed", self.script, done=done)


@dataclass(frozen=True)
class BoundCheck(ShellCheck):
    """Looks at some paths only."""

    paths: tuple[str, ...] = ()

    def bound(self, candidate: Candidate, paths: Sequence[str]) -> Check:
        kept = tuple(path for path in paths if path in candidate.snapshot.files)
        return BoundCheck(self.name, self.script, kept)


@dataclass(frozen=True)
class NoTree:
    name: str = "no-tree"

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        raise SandboxError("The tree cannot be mounted.")


@dataclass(frozen=True)
class Held:
    """Ends when it is let go."""

    started: asyncio.Event = field(default_factory=asyncio.Event, hash=False, compare=False)
    gate: asyncio.Event = field(default_factory=asyncio.Event, hash=False, compare=False)
    trees: list[str] = field(default_factory=list, hash=False, compare=False)
    name: str = "held"

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        self.trees.append(candidate.tree)
        self.started.set()
        await self.gate.wait()
        return result(self.name, candidate, "passed", "let go")


def nothing(_event: AnyEvent) -> None:
    """Takes events and drops them."""


def test_default_checks_leave_out_what_is_off() -> None:
    checks = default_checks(THIS_PYTHON, ChecksConfig(off=("mypy", "syntax"), timeout=7))
    assert [check.name for check in checks] == ["ruff", "pytest"]
    assert len(set(checks)) == 2
    assert [check.name for check in default_checks(THIS_PYTHON, ChecksConfig())] == [
        "syntax",
        "ruff",
        "mypy",
        "pytest",
    ]


async def test_checks_run_at_once_and_tell_how_they_get_on(opened: Open) -> None:
    project = await opened({"a.txt": "x\n"})
    candidate = await candidate_of(project)
    events: list[AnyEvent] = []
    checks: list[Check] = [ShellCheck("one", "test -f a.txt"), NoTree(), ShellCheck("two", "exit 3")]
    results = await run_checks(checks, candidate, "candidate", events.append)
    await candidate.close()
    assert [(one.check, one.outcome) for one in results] == [("one", "passed"), ("no-tree", "error"), ("two", "failed")]
    assert results[1].summary == "The tree cannot be mounted."
    assert all(one.tree == candidate.tree for one in results)
    assert {one.check for one in events if isinstance(one, CheckStarted)} == {"one", "no-tree", "two"}
    assert {one.result for one in events if isinstance(one, CheckFinished)} == set(results)
    progress = [one for one in events if isinstance(one, CheckProgressed) and one.check == "one"]
    assert 1 <= len(progress) < 5, "progress is told a few times a second, not a hundred"
    assert isinstance(events[0], CheckStarted)


async def test_cancelling_ends_all_checks(opened: Open) -> None:
    candidate = await candidate_of(await opened({"a.txt": "x\n"}))
    held, other = Held(), Held(name="other")
    task = asyncio.create_task(run_checks([held, other], candidate, "candidate", nothing))
    await held.started.wait()
    await other.started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await candidate.close()


async def test_the_baseline_is_judged_once_for_each_tree_and_set_of_paths(opened: Open) -> None:
    project = await opened({"a.py": "x = 1\n", "b.py": "x = 1\n"})
    base = await project.snapshot()
    events: list[AnyEvent] = []
    checks: list[Check] = [ShellCheck("whole", "test -f a.py"), BoundCheck("some", "true")]
    baseline = Baseline(project, checks, events.append)

    def runs(name: str) -> int:
        return sum(isinstance(one, CheckStarted) and one.check == name and one.where == "baseline" for one in events)

    both = await asyncio.gather(*(baseline.of(base, ("a.py",)) for _ in range(3)))
    assert both[0] == both[1] == both[2]
    assert [(one.check, one.outcome) for one in both[0]] == [("whole", "passed"), ("some", "passed")]
    assert both[0][0].tree == base.tree
    await baseline.of(base, ("a.py", "new.py"))
    assert (runs("whole"), runs("some")) == (1, 1), "a path that the base does not have is no other work"
    await baseline.of(base, ("b.py",))
    assert (runs("whole"), runs("some")) == (1, 2)
    write_files(project.root, {"a.py": "x = 2\n"})
    other = await project.snapshot()
    assert (await baseline.of(other, ("a.py",)))[0].tree == other.tree
    assert (runs("whole"), runs("some")) == (2, 3)
    await baseline.close()
    assert not list((project.state / "candidates").glob("*"))


async def test_a_warmed_baseline_is_shared_and_a_caller_that_leaves_does_not_end_it(opened: Open) -> None:
    project = await opened({"a.py": "x = 1\n"})
    base = await project.snapshot()
    held = Held()
    baseline = Baseline(project, [held], nothing)
    baseline.warm(base)
    await held.started.wait()
    assert baseline.known(base.tree) == ()
    leaver = asyncio.create_task(baseline.of(base))
    stayer = asyncio.create_task(baseline.of(base, ("a.py",)))
    await asyncio.sleep(0)
    leaver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaver
    held.gate.set()
    [said] = await stayer
    assert (said.outcome, held.trees) == ("passed", [base.tree])
    assert baseline.known(base.tree) == (said,)
    await baseline.close()


async def test_a_newer_tree_ends_the_run_of_an_older_one_that_nobody_waits_for(opened: Open) -> None:
    project = await opened({"a.py": "x = 1\n"})
    held = Held()
    baseline = Baseline(project, [held], nothing)
    old = await project.snapshot()
    baseline.warm(old)
    await held.started.wait()
    write_files(project.root, {"a.py": "x = 2\n"})
    new = await project.snapshot()
    held.started.clear()
    baseline.warm(new)
    # The old run has to end before the new one gets its turn: the cache is one.
    await held.started.wait()
    assert held.trees == [old.tree, new.tree]
    held.gate.set()
    assert (await baseline.of(new))[0].tree == new.tree
    assert (await baseline.of(old))[0].tree == old.tree, "it can be asked for again"
    await baseline.close()


async def test_closing_ends_what_runs(opened: Open) -> None:
    project = await opened({"a.py": "x = 1\n"})
    held = Held()
    baseline = Baseline(project, [held], nothing)
    base = await project.snapshot()
    waiting = asyncio.create_task(baseline.of(base))
    await held.started.wait()
    await baseline.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not list((project.state / "candidates").glob("*"))
    with pytest.raises(SandboxError):
        await baseline.of(base)


async def test_all_checks_together_judge_a_change_against_its_base(opened: Open) -> None:

    project = await opened(
        {
            "shop.py": "def total(prices: list[int]) -> int:\n    return sum(prices) + 1\n",
            "test_shop.py": "from shop import total\n\ndef test_total() -> None:\n    assert total([1, 2]) == 3\n",
            "pyproject.toml": "[tool.mypy]\nstrict = true\n",
        }
    )
    base = await project.snapshot()
    checks = default_checks(THIS_PYTHON, ChecksConfig())
    baseline = Baseline(project, checks, nothing)
    texts = [
        "def total(prices: list[int]) -> int:\n    return sum(prices) + 0\n",
        "def total(prices: list[int]) -> str:\n    return sum(prices) + 9\n",
    ]
    verdicts = []
    for text in texts:
        candidate = await project.candidate(base, changes({"shop.py": text}), cache="candidate")
        before, after = await asyncio.gather(
            baseline.of(base, candidate.changed), run_checks(checks, candidate, "candidate", nothing)
        )
        await candidate.close()
        verdicts.append(judge(before, after))
    await baseline.close()
    right, wrong = verdicts
    assert right.green
    assert right.summary == "green: fixes 1, breaks nothing"
    assert not wrong.green
    assert [(one.check, one.code) for one in wrong.broken] == [("mypy", "return-value"), ("mypy", "comparison-overlap")]
    assert [one.code for one in wrong.known] == ["test_shop.py::test_total"]
    assert (project.root / "shop.py").read_text().endswith("+ 1\n")
    assert sorted(path.name for path in project.root.iterdir()) == [".git", "pyproject.toml", "shop.py", "test_shop.py"]


async def test_checks_judge_a_copy_where_overlays_are_forbidden(tmp_path: Path) -> None:
    files = {
        "shop.py": "def total(prices):\n    return sum(prices)\n",
        "test_shop.py": "from shop import total\n\ndef test_total():\n    assert total([1, 2]) == 3\n",
    }
    root = await asyncio.to_thread(make_project, tmp_path / "project", files)
    config = Config(sandbox=SandboxConfig(candidate="copy"))
    project = await open_project(root, config, {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    changed = changes({"shop.py": "import os\n\ndef total(prices):\n    return sum(prices) + nothing\n"})
    candidate = await project.candidate(await project.snapshot(), changed, cache="candidate")
    assert candidate.root != root
    checks = default_checks(THIS_PYTHON, ChecksConfig(off=("mypy",)))
    syntax, ruff, tests = await run_checks(checks, candidate, "candidate", nothing)
    await candidate.close()
    assert syntax.outcome == "passed"
    assert [(one.place, one.code) for one in ruff.findings] == [("shop.py:1", "F401"), ("shop.py:4", "F821")]
    assert [(one.place, one.message) for one in tests.findings] == [
        ("shop.py:4", "NameError: name 'nothing' is not defined")
    ]
