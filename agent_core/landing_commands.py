"""``pairloop undo``, ``redo`` and ``log``: the landings of a project, whichever session or command made them.

``pairloop log --json`` prints one `LandingLine` a line; its field names, and those of
`agent_core.landing_report.FileReport` under ``files``, are stable.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.errors import LandingConflictError, LandingUnknownError
from agent_core.landing_desk import LandingDesk, has_journal, open_desk
from agent_core.landing_log import LandingRecord
from agent_core.landing_report import FileReport, diff_lines, heading, landing_patch, report, summary, wants_colour
from agent_core.output import JsonWriter, complain, complain_of_conflict, reader, write_out
from agent_core.patch.diff import unified
from agent_core.text import printable
from agent_core.workspace.git import project_root

DONE, NOTHING, CONFLICT = 0, 1, 3
_NO_LANDINGS = "Nothing has landed here yet."


class LandingLine(msgspec.Struct, frozen=True):
    """One landing; the JSON object of ``pairloop log --json``.

    Attributes:
        landing: Its number in the project, from 1.
        at: When it was begun, in seconds since the epoch.
        kind: ``landing``, ``undo`` or ``redo``.
        about: The landing that an undo or a redo is about; null for a landing.
        title: What it was for: the first line of the task, or ``pairloop patch apply``; may be empty.
        proposal: Number of the proposal in its session; null where it was none.
        session: Id of the session that made it.
        stands: ``landed``, ``undone``, ``abandoned`` (nothing of it was written) or ``started`` (it was cut short and
            could not be mended yet).
        by: Number of the last undo or redo of it; null when there was none.
        commit: Hash of the commit it was committed in last; null when it was not.
        files: What it did to each file.
        diff: The unified diff, with ``--patch``; else null.
    """

    landing: int
    at: float
    kind: Literal["landing", "undo", "redo"]
    about: int | None
    title: str
    proposal: int | None
    session: str
    stands: Literal["landed", "undone", "abandoned", "started"]
    by: int | None
    commit: str | None
    files: tuple[FileReport, ...]
    diff: str | None


def _line(desk: LandingDesk, record: LandingRecord, *, diff: bool) -> LandingLine:
    patch = landing_patch(record.files, desk.journal.get)
    return LandingLine(
        landing=record.number,
        at=record.at,
        kind=_kind(record),
        about=record.about or None,
        title=record.title,
        proposal=record.proposal or None,
        session=record.session,
        stands=record.stands,
        by=record.by or None,
        commit=record.commit or None,
        files=report(patch),
        diff=unified(patch, desk.journal.get) if diff else None,
    )


def _kind(record: LandingRecord) -> Literal["landing", "undo", "redo"]:
    if not record.undoes:
        return "landing"
    return "redo" if record.again else "undo"


def _what(line: LandingLine) -> str:
    title = line.title or (f"proposal {line.proposal}" if line.proposal else "")
    return title if line.about is None else f"{line.kind} of {line.about}" + (f": {title}" if title else "")


def _stands(line: LandingLine) -> str:
    match line.stands:
        case "landed":
            return f"landed, again by {line.by}" if line.by else "landed"
        case "undone":
            return f"undone by {line.by}" if line.by else "undone"
        case "abandoned":
            return "abandoned, nothing of it was written"
        case "started":
            return "cut short, not mended yet"


def _told(line: LandingLine, *, colour: bool) -> Iterator[str]:
    """A landing as a human reads it."""
    at = time.strftime("%Y-%m-%d %H:%M", time.localtime(line.at))
    commit = f", committed as {line.commit[:8]}" if line.commit else ""
    head = printable(f"{line.landing}  {at}  {_what(line)}  ({_stands(line)}{commit})")
    yield heading(head, colour=colour)
    for file in line.files:
        yield printable(f"    {summary(file)}")
    if not line.files:
        yield "    there was nothing left to write"
    if line.diff:
        yield ""
        yield from diff_lines(line.diff, colour=colour)
        yield ""


async def log(project: Path | None, *, number: int, count: int, diff: bool, json: bool) -> int:
    """List what has landed in a project, newest first.

    Args:
        project: The project's folder; None for the one that this process stands in.
        number: Only this landing; 0 for all.
        count: Only the last so many; 0 for all.
        diff: With the diffs.
        json: As JSON lines.

    Returns:
        The exit code: 0 told, 1 there is no landing of that number.

    Raises:
        PairloopError: There is no such folder, or the journal cannot be used.
    """
    root = project_root(project)
    if not has_journal(root):
        return _tell_none(number, json=json)
    async with open_desk(root) as desk:
        complain(*desk.recovered, str(desk.trouble or ""))
        records = [record for record in reversed(desk.journal.landings()) if number in {0, record.number}]
        if not records:
            return _tell_none(number, json=json)
        return _write_log((_line(desk, record, diff=diff) for record in records[: count or None]), json=json)


def _tell_none(number: int, *, json: bool) -> int:
    if number:
        complain(f"There is no landing {number} in this project.", "`pairloop log` lists those there are.")
        return NOTHING
    return DONE if json else _tell([f"{_NO_LANDINGS}\n"])


def _write_log(lines: Iterable[LandingLine], *, json: bool) -> int:
    out = sys.stdout
    if json:
        writer = JsonWriter(out)
        return _tell(map(writer.line, lines))
    colour = wants_colour(out)
    return _tell("".join(f"{text}\n" for text in _told(line, colour=colour)) for line in lines)


def _tell(texts: Iterable[str]) -> int:
    # Where the telling is all there is to do, it has failed when nobody could be told.
    return DONE if write_out(texts) else NOTHING


async def turn(project: Path | None, number: int, *, again: bool) -> int:
    """Take back a landing of the project, or land again what was taken back.

    Args:
        project: The project's folder; None for the one that this process stands in.
        number: The landing's number; 0 for the one landed (or taken back) last.
        again: Land it again.

    Returns:
        The exit code: 0 done, 1 there is nothing such, 3 newer changes are in the way and nothing was written.

    Raises:
        PairloopError: There is no such folder, or the journal cannot be used.
    """
    root = project_root(project)
    if not has_journal(root):
        complain(_NO_LANDINGS)
        return NOTHING
    async with open_desk(root) as desk:
        complain(*desk.recovered)
        try:
            if desk.trouble is not None:
                raise desk.trouble
            done = await (desk.service.redo(number) if again else desk.service.undo(number))
        except LandingUnknownError as error:
            complain(error.message, error.hint)
            return NOTHING
        except LandingConflictError as error:
            complain_of_conflict(error.message, error.conflicts, error.hint)
            return CONFLICT
        records = {one.number: one for one in desk.journal.landings()}
        line = _line(desk, records[done.landing], diff=False)
        commit = records[done.undoes].commit
    with reader(sys.stdout):
        sys.stdout.writelines(f"{text}\n" for text in _turned(line))
        if commit:
            sys.stdout.write(
                f"commit {commit[:8]} stays in git: `pairloop commit {line.landing}` commits this as well\n"
            )
    return DONE


def _turned(line: LandingLine) -> Iterator[str]:
    did = f"landed landing {line.about} again" if line.kind == "redo" else f"took back landing {line.about}"
    back, does = ("undo", "takes it back") if line.kind == "redo" else ("redo", "lands it again")
    title = f" ({line.title})" if line.title else ""
    yield printable(f"{did}{title}")
    for file in line.files:
        yield printable(f"  {summary(file)}")
    if not line.files:
        yield "  there was nothing left to write"
    yield f"landing {line.landing}; `pairloop {back} {line.about}` {does}"
