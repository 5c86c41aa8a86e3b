"""A lab that starts pytest anew for each variant: slow, and right for every project whose tests can be run at all."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from agent_core.checks.pytest_report import some_names
from agent_core.checks.pytest_run import ABSENT, REPORT, TOO_OLD, run_pytest
from agent_core.checks.tool import ending, last_line
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.repair.edited import edited
from agent_core.repair.model import Look, Plan, TestRun, Trial, TrialOutcome
from agent_core.repair.spawned_report import RunsReport
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.leftovers import run_folder
from agent_core.workspace.tree import Changes

_FOLDER = "repair"
# A variant may take this many times as long as the program as it is, and as long again as pytest takes to start.
_SLOWER = 3.0
_LEAST_SECONDS = 5.0


class SpawningLab:
    """Runs a project's tests, each variant in a process of its own; see `agent_core.repair.lab.Lab`.

    Args:
        make: Makes a candidate of the tree with some more changes.
        interpreter: The Python whose pytest is run.
        workers: How many variants are tried at a time.
        spare: Let everything else on the machine go first. That is for `make` to see to; with it one worker does.
    """

    def __init__(
        self,
        make: Callable[[Changes], Awaitable[Candidate]],
        interpreter: Interpreter,
        *,
        workers: int,
        spare: bool,
    ) -> None:
        self._make = make
        self._interpreter = interpreter
        self._workers = 1 if spare else max(workers, 1)
        self._base: Candidate | None = None
        self._seconds = 0.0

    async def _tree(self) -> Candidate:
        """The tree as it is."""
        if self._base is None:
            self._base = await self._make({})
        return self._base

    async def look(
        self, tests: Sequence[str], *, seconds: float, hear: Callable[[TestRun], None] = lambda _: None
    ) -> Look:
        """Run all tests, those named in the files that come first; which lines they execute stays unknown."""
        tree = await self._tree()
        async with _folder(tree) as folder:
            report = RunsReport(folder / REPORT, hear)
            done = await run_pytest(
                tree, self._interpreter, folder, report, timeout=seconds, on_progress=_unheard, first=tests
            )
        self._seconds = max(self._seconds, done.seconds)
        runs = tuple(report.runs)
        if done.timed_out:
            hung = tuple(report.hung())
            left = report.total - report.done
            fault = f"the tests did not come to their end within {seconds:.0f} s: {left} of {report.total} are left"
            if hung:
                fault += f", {some_names([run.test for run in hung])} among them"
            return Look((*runs, *hung), fault, safe=False, whole=False)
        fault = self._fault(report, done)
        return Look(runs, fault, safe=False, whole=not fault)

    def _fault(self, report: RunsReport, done: Completed) -> str:
        if not report.started:
            match done.code:
                case 127:
                    return f"{self._interpreter.python} cannot be started: {last_line(done)}"
                case code if code == ABSENT:
                    return f"pytest is not installed in {self._interpreter.found}"
                case code if code == TOO_OLD:
                    return last_line(done)
        if report.internal or not report.finished:
            return f"pytest {ending(done.code)}: {report.internal or last_line(done)}"
        return ""

    async def trials(self, plans: Sequence[Plan], *, seconds: float) -> AsyncGenerator[Trial, None]:
        """Try variants, each in a candidate and a process of its own."""
        tree = await self._tree()
        until = time.monotonic() + seconds
        waiting = list(reversed(plans))
        ended: asyncio.Queue[Trial | None] = asyncio.Queue()

        async def work() -> None:
            try:
                while waiting and (left := until - time.monotonic()) > 0:
                    trial = await self._trial(tree, waiting.pop(), left)
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

    async def _trial(self, tree: Candidate, plan: Plan, left: float) -> Trial | None:
        """What came of one variant; None where its time was up before it could be known."""
        start = time.monotonic()
        try:
            changes = edited(plan.edits, tree.read, tree.snapshot)
        except ValueError as error:
            return Trial(plan.number, "unusable", why=str(error))
        most = max(_LEAST_SECONDS, _SLOWER * self._seconds)
        candidate = await self._make(changes)
        try:
            async with _folder(candidate) as folder:
                report = RunsReport(folder / REPORT)
                done = await self._until_one_fails(candidate, folder, report, plan.tests, min(most, left))
        finally:
            await candidate.close()
        if done is not None and done.timed_out and left < most:
            return None
        outcome, test, why = _came_of(report, done, len(plan.tests))
        passed = report.outcomes["passed"]
        return Trial(plan.number, outcome, passed, test, why, time.monotonic() - start)

    async def _until_one_fails(
        self, candidate: Candidate, folder: Path, report: RunsReport, tests: Sequence[str], timeout: float
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
        """Give back the tree."""
        if self._base is not None:
            await self._base.close()
            self._base = None


def _came_of(report: RunsReport, done: Completed | None, wanted: int) -> tuple[TrialOutcome, str, str]:
    """The outcome of a trial, the test it ended at, and why."""
    bad = next((run for run in report.runs if run.bad), None)
    if bad is not None:
        why = f"{bad.error}: {bad.message}" if bad.message else bad.error
        unusable = bool(report.uncollected) and bad.error in {"SyntaxError", "IndentationError", "TabError"}
        return ("unusable" if unusable else "failed"), bad.test, why
    if done is None:
        return "failed", "", "a test failed"
    running = next(iter(report.running), "")
    if done.timed_out:
        return "hung", running, "did not come to its end"
    if not report.finished or report.damaged:
        return "crashed", running, f"pytest {ending(done.code)}"
    if report.unmatched or report.outcomes["passed"] < min(wanted, report.done) or not report.done:
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


def _unheard(_done: int, _total: int) -> None:
    pass
