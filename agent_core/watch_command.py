"""``pairloop check --watch``: the verdict again after every save, and never one for files that are no more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

from agent_core.check_command import Teller, guarded
from agent_core.check_report import UNJUDGED, Report
from agent_core.checker import Checker, CheckWish, open_checker
from agent_core.output import complain
from agent_core.workspace.tree import Snapshot
from agent_core.workspace.watcher import Watcher


class _Watch:
    """Judges whenever the working tree is another one; what is under way about an older one is given up at once."""

    def __init__(self, checker: Checker, teller: Teller) -> None:
        self._checker = checker
        self._teller = teller
        self._running: asyncio.Task[Report] | None = None
        self._about = ""
        self.code = UNJUDGED

    async def run(self) -> None:
        """Go on until cancelled."""
        project = self._checker.project
        watcher = Watcher(project.root, project.state, complain)
        batches = watcher.batches()
        saved = asyncio.ensure_future(anext(batches))
        # Heard before the first look, no save falls in between.
        hearing = asyncio.ensure_future(watcher.watching.wait())
        try:
            await asyncio.wait((saved, hearing), return_when=asyncio.FIRST_COMPLETED)
            await self._begin(await project.snapshot())
            while True:
                waiting = {saved} if self._running is None else {saved, self._running}
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if saved.done():
                    saved.result()
                    saved = asyncio.ensure_future(anext(batches))
                    now = await project.snapshot()
                    if now.tree != self._about:
                        await self._give_up()
                        await self._begin(now)
                if self._running is not None and self._running.done():
                    self._tell(self._running.result())
        finally:
            hearing.cancel()
            saved.cancel()
            await asyncio.wait([saved, hearing])
            await self._give_up()
            await batches.aclose()  # type: ignore[attr-defined]  # an async generator has it

    async def _begin(self, now: Snapshot) -> None:
        self._about = now.tree
        self._running = asyncio.create_task(self._checker.report(now))

    def _tell(self, report: Report) -> None:
        self._running = None
        self._about = report.tree or self._about
        self.code = report.exit
        self._teller.tell(report)

    async def _give_up(self) -> None:
        """End what is under way; what it has found out about the base may be about a mixture, and goes too."""
        task, self._running = self._running, None
        if task is None:
            return
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([task])
        self._teller.board.give_up()
        await self._checker.forget()


async def watch(project: Path | None, wish: CheckWish, environ: Mapping[str, str]) -> int:
    """Judge the working tree again after every save, until interrupted.

    Args:
        project: The project's folder; None for the one that this process stands in.
        wish: What is asked for.
        environ: The environment.

    Returns:
        The exit code of the last verdict; 5 when there was none.

    Raises:
        ConfigError: Something cannot be used.
    """
    teller = Teller(wish, environ)
    code = UNJUDGED

    async def work() -> int:
        nonlocal code
        async with open_checker(project, wish, environ, teller.board) as checker:
            watching = _Watch(checker, teller)
            try:
                await watching.run()
            finally:
                code = watching.code
        return code

    return await guarded(work(), lambda: code)
