"""A lab that starts pytest anew for each variant: slow, and right for every project whose tests can be run at all."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from agent_core.checks.pytest_report import PytestReport
from agent_core.checks.pytest_run import REPORT, run_pytest
from agent_core.checks.tool import ending
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.repair.edited import edited
from agent_core.repair.model import Look, Plan, Trial, TrialOutcome
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.leftovers import run_folder
from agent_core.workspace.tree import Changes

_FOLDER = "repair"
# A variant may take this many times as long as the program as it is, and so long at least.
_SLOWER = 3.0
_LEAST_SECONDS = 5.0
_UNUSABLE = ("SyntaxError", "IndentationError", "TabError")


class SpawningLab:
    """Runs a project's tests, each variant in a process of its own; see `agent_core.repair.lab.TrialLab`.

    Args:
        tree: The tree as it is, for its files alone; not closed with the lab.
        make: Makes a candidate of the tree with some more changes.
        interpreter: The Python whose pytest is run.
        look: How the tests run as the program is: what tells how long they may take.
        workers: How many variants are tried at a time.
        spare: Let everything else on the machine go first. That is for `make` to see to; with it one worker does.
    """

    def __init__(
        self,
        tree: Candidate,
        make: Callable[[Changes], Awaitable[Candidate]],
        interpreter: Interpreter,
        look: Look,
        *,
        workers: int,
        spare: bool,
    ) -> None:
        self._tree = tree
        self._make = make
        self._interpreter = interpreter
        self._workers = 1 if spare else max(workers, 1)
        self._starting = look.starting
        # What hung was given its time already.
        self._seconds = {run.test: run.seconds / (_SLOWER if run.outcome == "hung" else 1) for run in look.runs}

    @property
    def fault(self) -> str:
        """Nothing: what goes wrong is what came of a variant; see `agent_core.repair.lab.TrialLab`."""
        return ""

    async def trials(self, plans: Sequence[Plan], *, seconds: float) -> AsyncGenerator[Trial, None]:
        """Try variants, each in a candidate and a process of its own."""
        until = time.monotonic() + seconds
        waiting = list(reversed(plans))
        ended: asyncio.Queue[Trial | None] = asyncio.Queue()

        async def work() -> None:
            try:
                while waiting and (left := until - time.monotonic()) > 0:
                    trial = await self._trial(waiting.pop(), left)
                    if trial is not None:
                        ended.put_nowait(trial)
            finally:
                ended.put_nowait(None)

        workers = [asyncio.create_task(work()) for _ in range(min(self._workers, len(plans)))]
        try:
            for _ in workers:
                while (trial := await ended.get()) is not None:
                    yield trial
            for worker in workers:
                # What it raises is told.
                await worker
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _trial(self, plan: Plan, left: float) -> Trial | None:
        """What came of one variant; None where its time was up before it could be known."""
        start = time.monotonic()
        try:
            changes = edited(plan.edits, self._tree.read, self._tree.snapshot)
        except ValueError as error:
            return Trial(plan.number, "unusable", why=str(error))
        seconds = sum(self._seconds.get(test, 0.0) for test in plan.tests)
        most = max(_LEAST_SECONDS, _SLOWER * (self._starting + seconds))
        candidate = await self._make(changes)
        try:
            async with _folder(candidate) as folder:
                report = PytestReport(folder / REPORT)
                done = await self._until_one_fails(candidate, folder, report, plan.tests, min(most, left))
        finally:
            await candidate.close()
        if done is not None and done.timed_out and left < most:
            return None
        outcome, test, why = _came_of(report, done, len(plan.tests))
        passed = report.outcomes["passed"]
        return Trial(plan.number, outcome, passed, test, why, time.monotonic() - start)

    async def _until_one_fails(
        self, candidate: Candidate, folder: Path, report: PytestReport, tests: Sequence[str], timeout: float
    ) -> Completed | None:
        """Run tests; None where one failed, and the rest were left out."""
        failed = asyncio.Event()

        def told(_done: int, _total: int) -> None:
            if report.findings:
                failed.set()

        running = asyncio.create_task(
            run_pytest(candidate, self._interpreter, folder, report, timeout=timeout, on_progress=told, only=tests)
        )
        failing = asyncio.create_task(failed.wait())
        try:
            await asyncio.wait([running, failing], return_when=asyncio.FIRST_COMPLETED)
            return running.result() if running.done() else None
        finally:
            running.cancel()
            failing.cancel()
            await asyncio.gather(running, failing, return_exceptions=True)

    async def behaviour(self, plans: Sequence[Plan], *, seconds: float) -> tuple[tuple[tuple[str, str], ...], ...]:
        """Nothing: what functions give is looked at in the process that runs the tests, which here is gone."""
        del seconds
        return tuple(() for _ in plans)

    async def close(self) -> None:
        """Nothing is left to do: each trial gives back its own tree."""


def _came_of(report: PytestReport, done: Completed | None, wanted: int) -> tuple[TrialOutcome, str, str]:
    """The outcome of a trial, the test it ended at, and why."""
    bad = next(iter(report.findings), None)
    if bad is not None:
        unusable = bool(report.uncollected) and bad.message.startswith(_UNUSABLE)
        return ("unusable" if unusable else "failed"), bad.code, bad.message
    if done is None:
        return "failed", "", "a test failed"
    running = next(iter(report.running), "")
    if done.timed_out:
        return "hung", running, "did not come to its end"
    if not report.finished or report.damaged:
        return "crashed", running, f"pytest {ending(done.code)}"
    every = not report.unmatched and report.done >= max(report.total, 1)
    if not every or report.outcomes["passed"] < min(wanted, report.done):
        return "failed", next(iter(report.unmatched), ""), "not every test was run"
    return "passed", "", ""


@contextlib.asynccontextmanager
async def _folder(candidate: Candidate) -> AsyncIterator[Path]:
    """A new folder in a candidate's cache, for one run."""
    folder = await asyncio.to_thread(run_folder, candidate.cache, _FOLDER)
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
