"""The tests that a change can affect, run by themselves ahead of the whole run, so that their word comes early.

Before its first test pytest collects all of them, which takes longer than running those few. So where that costs little
they are run a second time, a little before the whole run and beside it, with everything collected as ever but for the
other test files. What they say is a word on the way, never the last one: that is the whole run's, in which nothing is
left out.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from agent_core.checks.affected import TEST_FILE, Affected, Touches
from agent_core.checks.model import CheckResult, Stage, Wish
from agent_core.checks.pytest_report import PytestReport
from agent_core.checks.pytest_run import REPORT, prepare
from agent_core.errors import SandboxError
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.workspace.interpreter import Interpreter

_FEWEST_FILES = 8
_MOST_FILES = 40
_LARGEST_PART = 0.25
# Tests that take longer than this gain little from a start without the others, and should not run twice.
_SECONDS = 5.0
_STAGES: tuple[Stage, ...] = ("first", "affected", "all")


@runtime_checkable
class Forking(Protocol):
    """A candidate that can run a command beside others at little cost."""

    async def fork(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        env: Mapping[str, str] | None = None,
        warm: Sequence[str] = (),
    ) -> Completed | None:
        """Run a command in a warm process; None where that can't be, or might get in another run's way."""


def worth_running_ahead(candidate: Candidate, wish: Wish, affected: Affected, touches: Touches) -> bool:
    """Whether a run of the first tests alone would tell something early, at little cost.

    Args:
        candidate: The tree.
        wish: What is wanted of the whole run.
        affected: What the change can affect.
        touches: What the last whole run touched.
    """
    if wish.only is not None or touches.bound or not isinstance(candidate, Forking):
        return False
    wanted = _test_files((*(affected.files or ()), *(name.partition("::")[0] for name in wish.first)))
    there = _test_files(candidate.snapshot.files)
    return (
        len(there) >= _FEWEST_FILES
        and 0 < len(wanted & there) <= _MOST_FILES
        and len(wanted & there) <= _LARGEST_PART * len(there)
    )


def _test_files(paths: Iterable[str]) -> set[str]:
    return {path for path in paths if TEST_FILE.search(path)}


async def run_ahead(
    candidate: Candidate, interpreter: Interpreter, folder: Path, wish: Wish, affected: Affected
) -> tuple[PytestReport, Stage] | None:
    """Run the tests of the first two stages by themselves.

    Args:
        candidate: The tree.
        interpreter: Whose pytest is run.
        folder: A new folder in the candidate's cache, for this run only.
        wish: What is wanted of the whole run.
        affected: What the change can affect.

    Returns:
        What is known of exactly these tests, and how far that goes; None when it is not certain, for whatever reason.
    """
    if not isinstance(candidate, Forking):
        return None
    plan = {"first": sorted(wish.first), "affected": sorted(affected.files or ()), "ahead": True}
    report = PytestReport(folder / REPORT)
    # What the whole run meets as well, it tells.
    with contextlib.suppress(SandboxError, OSError):
        prepared = await asyncio.to_thread(prepare, candidate, interpreter, folder, plan)
        done = await candidate.fork(prepared.argv, timeout=_SECONDS, env=prepared.env, warm=prepared.warm)
        while report.read():
            pass
        if done is not None and _conclusive(report, done):
            return report, "affected" if _test_files(affected.files or ()) else "first"
    return None


def _conclusive(report: PytestReport, done: Completed) -> bool:
    """Whether the run came to its end in order, and every test in it to a result.

    Its exit status says more than how the tests went, such as that too little was covered, which is no news of a part.
    """
    return (
        not done.timed_out
        and done.code in {0, 1}
        and report.finished
        and report.exit == done.code
        and not (report.damaged or report.bound or report.running)
        and report.done == report.total
        and not report.outcomes["unknown"]
        and bool(report.total or report.findings)
    )


class Told:
    """What is told on the way, of two runs of the same tree of which the whole one has the last word.

    Args:
        partial: Takes it.
    """

    def __init__(self, partial: Callable[[CheckResult], None]) -> None:
        self._partial = partial
        self._ahead: CheckResult | None = None
        self._reached = -1

    def ahead(self, said: CheckResult) -> None:
        """The run ahead has ended: told unless the whole one has been quicker."""
        if _STAGES.index(said.stage) > self._reached:
            self._ahead = said
            self._partial(said)

    def whole(self, said: CheckResult) -> None:
        """The whole run has ended a stage: told unless it is nothing new."""
        self._reached = _STAGES.index(said.stage)
        before = self._ahead
        if before is None or self._reached > _STAGES.index(before.stage) or not _agree(before, said):
            self._partial(said)

    def unlike(self, last: CheckResult) -> tuple[str, ...]:
        """The tests that came out otherwise in the run ahead than in the last word."""
        if self._ahead is None or not last.judged:
            return ()
        failing, passed = {finding.code for finding in last.findings}, set(last.passed)
        before = self._ahead
        turned = [finding.code for finding in before.findings if finding.code in passed]
        return (*turned, *(name for name in before.passed if name in failing))


def _agree(ahead: CheckResult, whole: CheckResult) -> bool:
    """Whether the whole run's word on a stage is part of what was said before."""
    failing = {finding.code for finding in ahead.findings}
    return set(whole.passed) <= set(ahead.passed) and {finding.code for finding in whole.findings} <= failing
