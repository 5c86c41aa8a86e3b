"""``pairloop patch apply``: a patch from anywhere, applied to the project by the engine's own rules.

It is a landing like any other: merged into what is there, all or nothing, journalled before the first byte, so that
it survives a sudden end and can be undone.

With ``--json`` exactly one object is printed on standard output, whatever the outcome: an `Outcome`. Its field names,
and those of `agent_core.landing_report.FileReport` under ``files``, are stable. What keeps the command from being
tried at all (usage, a revision that is not there, a journal that cannot be opened) has exit code 2 and is told on
standard error only.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.errors import LandingConflictError, PatchRefusedError, SelectionError
from agent_core.journal import SqliteJournal
from agent_core.landing_desk import LandingDesk, open_desk
from agent_core.landing_report import FileReport, report, summary
from agent_core.output import JsonWriter, complain, complain_of_conflict, reader
from agent_core.patch.formats import Format
from agent_core.patch.read import read_patch
from agent_core.patch_intake import Made, Target, find_target, make, patch_text
from agent_core.text import printable
from agent_core.workspace.landing import Lander

TITLE = "pairloop patch apply"
Status = Literal["applied", "checked", "refused", "conflict"]
EXIT_CODES: dict[Status, int] = {"applied": 0, "checked": 0, "refused": 1, "conflict": 3}


class Wish(msgspec.Struct, frozen=True):
    """What is asked of ``pairloop patch apply``.

    Attributes:
        form: The format the patch is in; None to find out.
        base: The git revision it was written against; None for the files as they are.
        only: Ids of blocks and paths of files that are to be applied; all of it when empty.
        check: Write nothing.
    """

    form: Format | None = None
    base: str | None = None
    only: tuple[str, ...] = ()
    check: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a patch; the JSON object of ``--json``.

    Attributes:
        status: ``applied``; ``checked`` (with ``--check``: it would apply); ``refused`` or ``conflict``: nothing was
            written.
        format: ``envelope``, ``blocks`` or ``unified``; null when it could not be read.
        landing: The landing's number, which ``pairloop undo`` takes; null when nothing landed.
        files: What the patch does to each file; ids and lines are those of the text it was applied to.
        notes: What a human should know of how it was read and placed.
        message: The outcome in words; of a refusal all of it, written so that the patch can be mended from it.
        hint: What to do next; may be empty.
        failures: Of a refusal: each part that failed, and why.
        fine: Of a refusal: the parts that had their place.
        already: Of a refusal: everything that the patch asks for is there already.
        conflicts: Of a conflict: each place (``path:lines: what``) that is in the way.
    """

    status: Status
    format: Format | None = None
    landing: int | None = None
    files: tuple[FileReport, ...] = ()
    notes: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""
    failures: tuple[str, ...] = ()
    fine: tuple[str, ...] = ()
    already: bool = False
    conflicts: tuple[str, ...] = ()


async def apply_patch(data: bytes, project: Path | None, wish: Wish) -> tuple[Outcome, tuple[str, ...]]:
    """Apply a patch to a project, or find out what it would do.

    Args:
        data: The patch.
        project: The project's folder; None for the one that this process stands in.
        wish: How it is to be applied.

    Returns:
        What became of it, and what was done first about landings that had been cut short.

    Raises:
        PairloopError: It could not be tried: there is no such folder or revision, or the journal cannot be used.
    """
    target = find_target(project)
    form: Format | None = wish.form
    async with open_desk(target.root) as desk:
        try:
            reading = read_patch(patch_text(data), wish.form)
            form = reading.format
            made = await make(target, reading, base=wish.base, only=wish.only)
            if desk.trouble is not None:
                raise desk.trouble
            outcome = await _check(target.root, made) if wish.check else await _land(desk, made)
        except (PatchRefusedError, SelectionError) as error:
            outcome = _refused(error, target)
        except LandingConflictError as error:
            outcome = Outcome(status="conflict", message=error.message, hint=error.hint, conflicts=error.conflicts)
        return msgspec.structs.replace(outcome, format=form), desk.recovered


async def _check(root: Path, made: Made) -> Outcome:
    """What landing it would come to; nothing is kept of it."""
    with tempfile.TemporaryDirectory(prefix="pairloop-check-") as folder:
        journal = SqliteJournal(Path(folder) / "journal.db")
        try:
            for content in made.contents.values():
                journal.put(content)
            planned = await Lander(root, journal, Path(folder) / "lock").plan(made.patch)
        finally:
            journal.close()
    if not planned:
        raise _already()
    return Outcome(status="checked", files=report(made.patch), notes=made.notes, message="The patch would apply.")


async def _land(desk: LandingDesk, made: Made) -> Outcome:
    for content in made.contents.values():
        desk.journal.put(content)
    if not await desk.lander.plan(made.patch):
        raise _already()
    landing = await desk.service.land(made.patch, title=TITLE)
    return Outcome(
        status="applied",
        landing=landing.landing,
        files=report(made.patch),
        notes=made.notes,
        message=f"landing {landing.landing}; `pairloop undo {landing.landing}` takes it back",
    )


def _already() -> PatchRefusedError:
    return PatchRefusedError(
        "The patch is already applied: every file is as it would make it.", "There is nothing to do.", already=True
    )


def _refused(error: PatchRefusedError | SelectionError, target: Target) -> Outcome:
    hint = error.hint
    if target.folder:
        hint = f"{hint} Paths in the patch are taken relative to {target.folder}/.".strip()
    if isinstance(error, SelectionError):
        return Outcome(status="refused", message=error.message, hint=hint)
    return Outcome(
        status="refused",
        message=error.message,
        hint=hint,
        failures=error.failures,
        fine=error.fine,
        already=error.already,
    )


def tell(outcome: Outcome, recovered: tuple[str, ...], *, json: bool) -> int:
    """Say what became of a patch, on standard output or standard error.

    Args:
        outcome: What became of it.
        recovered: What was done first about landings that had been cut short.
        json: As one JSON object.

    Returns:
        The exit code: 0 applied or checked, 1 refused, 3 conflict.
    """
    complain(*recovered)
    with reader(sys.stdout):
        if json:
            JsonWriter(sys.stdout).write(outcome)
        elif outcome.status in {"applied", "checked"}:
            sys.stdout.writelines(f"{printable(line)}\n" for line in _lines(outcome))
        else:
            complain_of_conflict(outcome.message, outcome.conflicts, outcome.hint)
    return EXIT_CODES[outcome.status]


def _lines(outcome: Outcome) -> Iterator[str]:
    yield from (summary(file) for file in outcome.files)
    yield from (f"note: {note}" for note in outcome.notes)
    yield outcome.message
