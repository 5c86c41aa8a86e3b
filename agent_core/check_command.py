"""``pairloop check``: the verdict of the loop, about the working tree and without a model.

The working tree is the candidate, and a revision (HEAD unless another is named) is the base: the same checks, run in
the same isolated candidates, compared by the same `agent_core.judge.Judge`. The base is put up as a candidate, too, so
nothing is checked out. Where there is no commit to compare with, everything that is found is told.

What ``--json`` prints is a `agent_core.check_report.Report`; with ``--list`` it is a `Listing`. Exit codes: 0 nothing
broken, 1 something broken, 2 usage or configuration, 5 nothing known to be broken but a check could not run.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TextIO

import msgspec

from agent_core.check_progress import Board, is_terminal, painter
from agent_core.check_report import UNJUDGED, Lines, Report
from agent_core.checker import CheckWish, open_checker, opened
from agent_core.errors import SandboxError
from agent_core.output import JsonWriter, complain, reader, write_out
from agent_core.text import printable
from agent_core.workspace.git import current_folder

INTERRUPTED = 130


class ListedCheck(msgspec.Struct, frozen=True):
    """A check as ``--list --json`` has it; see `agent_core.checks.chosen.Listed`."""

    name: str
    on: bool
    source: str
    runs: str
    why: str


class Listing(msgspec.Struct, frozen=True):
    """All checks of a project, those that are off included."""

    project: str
    checks: tuple[ListedCheck, ...]


class Teller:
    """Writes reports to standard output.

    Args:
        wish: What is asked for.
        environ: The environment.
        out: Where to; standard output by default.
    """

    def __init__(self, wish: CheckWish, environ: Mapping[str, str], out: TextIO | None = None) -> None:
        self._wish = wish
        self._environ = environ
        self.out = out or sys.stdout
        # JSON stays alone on standard output.
        shown = (sys.stderr if is_terminal(sys.stderr, environ) else None) if wish.json else self.out
        self.board = Board(shown, environ)

    def tell(self, report: Report) -> None:
        """Tell a verdict."""
        with reader(self.out):
            if self._wish.json:
                JsonWriter(self.out).write(report)
                return
            paint = painter(self.out, self._environ)
            lines = Lines(Path(report.project), current_folder(), every=self._wish.every, paint=paint)
            self.out.writelines(f"{line}\n" for line in lines.of(report))


async def check(project: Path | None, wish: CheckWish, environ: Mapping[str, str]) -> int:
    """Judge the working tree once, and tell it.

    Args:
        project: The project's folder; None for the one that this process stands in.
        wish: What is asked for.
        environ: The environment.

    Returns:
        The exit code.

    Raises:
        ConfigError: Something cannot be used.
    """
    teller = Teller(wish, environ)

    async def once() -> int:
        async with open_checker(project, wish, environ, teller.board) as checker:
            report = await checker.report()
        teller.tell(report)
        return report.exit

    return await guarded(once(), lambda: INTERRUPTED)


async def guarded(work: Coroutine[Any, Any, int], interrupted: Callable[[], int]) -> int:
    """Do the work of the command; ended by a signal it ends in an orderly way.

    Args:
        work: Gives the exit code.
        interrupted: Gives the exit code after a signal.

    Raises:
        ConfigError: Something cannot be used.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            # As under nohup: whoever started it wants it to go on.
            continue
        # Not every loop can: off the main thread there is nobody to press ctrl+c either.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return interrupted()
    except SandboxError as error:
        complain(str(error))
        return UNJUDGED


async def list_checks(project: Path | None, environ: Mapping[str, str], *, json: bool) -> int:
    """Say which checks there are, which are on, and why.

    Args:
        project: The project's folder; None for the one that this process stands in.
        environ: The environment.
        json: As one JSON object, a `Listing`.

    Raises:
        ConfigError: The configuration cannot be used.
    """
    try:
        workspace, listed = await opened(project, environ)
    except SandboxError as error:
        complain(str(error))
        return UNJUDGED
    await workspace.close()
    if json:
        checks = tuple(ListedCheck(one.name, one.on, one.source, one.runs, one.why) for one in listed)
        with reader(sys.stdout):
            JsonWriter(sys.stdout).write(Listing(str(workspace.root), checks))
        return 0
    names = max((len(one.name) for one in listed), default=0)
    runs = max((len(one.runs) for one in listed), default=0)
    lines = []
    for one in listed:
        line = (
            f"{'on ' if one.on else 'off'}  {one.name:<{names}}  {one.runs:<{min(runs, 40)}}  {one.source}: {one.why}"
        )
        lines.append(" ".join(printable(line).split("\n")).rstrip() + "\n")
    write_out(lines)
    return 0
