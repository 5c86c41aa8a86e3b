"""``pairloop commit``: commit what a landing wrote, and nothing else."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec

from agent_core import events as ev
from agent_core.aside import Asker
from agent_core.committing import CommitService, Drafter, task_of
from agent_core.config import load
from agent_core.config_tables import Config
from agent_core.errors import CommitError, LandingConflictError, LandingUnknownError, PairloopError
from agent_core.landing_desk import LandingDesk, has_journal, open_desk
from agent_core.landing_log import LandingRecord
from agent_core.output import complain, reader
from agent_core.text import printable
from agent_core.workspace.git import project_root
from agent_core.workspace.git_commit import Made

DONE, NOTHING, REFUSED = 0, 1, 3
_ABOUT = """
# What landing {numbers} wrote is committed, and nothing else:
#   {paths}
# Lines that begin with # are left out; an empty message commits nothing.
"""


class CommitWish(msgspec.Struct, frozen=True):
    """What is asked of the command.

    Attributes:
        landing: Number of the landing; 0 for the last one that waits to be committed.
        message: What the commit says; empty to have one written.
        show: Only write the message out, and commit nothing.
    """

    landing: int = 0
    message: str = ""
    show: bool = False


async def commit(project: Path | None, wish: CommitWish, edit: Callable[[str], Awaitable[str]] | None) -> int:
    """Commit a landing of the project.

    Args:
        project: The project's folder; None for the one that this process stands in.
        wish: What is asked.
        edit: Has the human go over the message; None where there is nobody to do so.

    Returns:
        The exit code: 0 committed (or shown), 1 there is nothing to commit, 3 it cannot be committed or was refused.

    Raises:
        PairloopError: There is no such folder, the settings are wrong, or the journal cannot be used.
    """
    root = project_root(project)
    if not has_journal(root):
        complain("Nothing has landed here yet.")
        return NOTHING
    config = load(root, {}, os.environ)
    async with open_desk(root) as desk:
        complain(*desk.recovered, str(desk.trouble or ""))
        teller = _Teller(desk)
        service = CommitService(root, desk.journal, desk.lander, teller, terminal=sys.stdin.isatty())
        try:
            landings = await service.meant(wish.landing)
            message = wish.message.strip()
            if not message:
                async with _asker(config, teller) as asker:
                    message = await Drafter(service, asker, config).draft(landings, task_of(landings[-1]))
                if wish.show:
                    return _tell(f"{message}\n")
                if edit is not None:
                    message = _without_comments(await edit(f"{message}\n{_about(landings)}"))
            if not message:
                complain("The message is empty: nothing was committed.")
                return NOTHING
            made = await service.commit(landings, message)
        except LandingUnknownError as error:
            complain(error.message, error.hint)
            return NOTHING
        except (CommitError, LandingConflictError) as error:
            said = error.output if isinstance(error, CommitError) else ""
            complain(error.message, "\n".join(part for part in (error.hint, printable(said)) if part))
            return REFUSED
    return _tell(_done(landings, made))


class _Teller:
    """Writes what happens into the journal, and says to the human what is for them."""

    def __init__(self, desk: LandingDesk) -> None:
        self._desk = desk

    def __call__(self, event: ev.AnyEvent, *, durable: bool = False) -> None:
        self._desk.emit(event, durable=durable)
        if isinstance(event, ev.Noted):
            complain(printable(event.text), printable(event.hint))


@contextlib.asynccontextmanager
async def _asker(config: Config, emit: Callable[[ev.AnyEvent], None]) -> AsyncIterator[Asker | None]:
    """Who asks the partner that is configured; None where there is none, as a message can be had without."""
    # Who gives the message needs no partner.
    from agent_core.keys.finding import KeyFinder  # noqa: PLC0415
    from agent_core.partners.abilities import AbilityBook  # noqa: PLC0415
    from agent_core.partners.beginning import begin  # noqa: PLC0415
    from agent_core.partners.several import Partners  # noqa: PLC0415

    try:
        partners = Partners(config, os.environ, KeyFinder(os.environ), AbilityBook())
        model = (await begin(partners)).model
    except PairloopError:
        yield None
        return
    try:
        yield Asker(model, model.aside, emit)
    finally:
        await model.close()


def _paths(landings: tuple[LandingRecord, ...]) -> list[str]:
    return list(dict.fromkeys(printable(file.path) for one in landings for file in one.files))


def _numbers(landings: tuple[LandingRecord, ...]) -> str:
    return " and ".join(str(one.number) for one in landings)


def _about(landings: tuple[LandingRecord, ...]) -> str:
    return _ABOUT.format(numbers=_numbers(landings), paths="\n#   ".join(_paths(landings)))


def _without_comments(text: str) -> str:
    # Of a message that begins with one, such as "#12: ...", it would be lost; nothing else is told here by its place.
    return "\n".join(line for line in text.splitlines() if not line.startswith("#")).strip()


def _done(landings: tuple[LandingRecord, ...], made: Made) -> str:
    subject = printable(made.message).partition("\n")[0]
    where = f"on {printable(made.branch)}" if made.branch else "on no branch"
    lines = [f"committed landing {_numbers(landings)} as {made.commit[:8]} {where}: {subject}"]
    return "".join(f"{line}\n" for line in (*lines, *(f"  {path}" for path in _paths(landings))))


def _tell(text: str) -> int:
    with reader(sys.stdout):
        sys.stdout.write(text)
    return DONE
