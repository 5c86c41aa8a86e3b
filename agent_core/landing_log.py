"""The landings of a project, over all its sessions, and which of them stand.

A landing stands unless an undo of it stands, and an undo is a landing too: a redo is the undo of an undo. So what
belongs together is a chain: the landing, its undo, the undo of that, and so on. Only the last link can be turned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from agent_core.errors import LandingUnknownError
from agent_core.events import FileLanding, LandingStarted

Stands = Literal["landed", "undone", "abandoned", "started"]
_HINT = "`pairloop log` lists the landings of this project and where they stand."


class LandingRecord(msgspec.Struct, frozen=True):
    """One landing, undo or redo of a project.

    Attributes:
        number: Its number in the project, from 1.
        session: The session it was made in.
        at: When it was begun, in seconds since the epoch.
        proposal: The proposal it landed; 0 for an undo, a redo and a patch that came by the command line.
        undoes: The landing it takes back; 0 for a landing of its own.
        title: What it is for: the task's first line, or what a command line said. Empty where that is not known.
        files: What it wrote.
        stands: ``undone`` when an undo of it stands; ``started`` when it was cut short and is not mended yet.
        about: For an undo or a redo the landing that started it all; 0 for that one itself.
        again: It is a redo.
        by: Number of the last undo or redo of it; 0 when there was none.
        commit: Hash of the commit it was committed in last; empty when it was not.
    """

    number: int
    session: str
    at: float
    proposal: int
    undoes: int
    title: str
    files: tuple[FileLanding, ...]
    stands: Stands
    about: int = 0
    again: bool = False
    by: int = 0
    commit: str = ""


def landing_records(
    started: Iterable[tuple[str, float, LandingStarted]],
    ended: Mapping[int, Literal["landed", "abandoned"]],
    commits: Mapping[int, str] | None = None,
) -> tuple[LandingRecord, ...]:
    """Work out where every landing stands.

    Args:
        started: Session, time and intent of every landing, in any order.
        ended: How those ended that have ended.
        commits: The commits of those that were committed; None for none.

    Returns:
        All of them, oldest first.
    """
    rows = sorted(started, key=lambda row: row[2].landing)
    turned: dict[int, int] = {}
    undone: set[int] = set()
    records = []
    # From the newest to the oldest: whether an undo stands is known before what it undoes is looked at.
    for session, at, event in reversed(rows):
        number = event.landing
        end = ended.get(number)
        stands: Stands = "undone" if end == "landed" and number in undone else end or "started"
        about = event.about or event.undoes
        if end == "landed" and event.undoes:
            for one in (event.undoes, about):
                turned.setdefault(one, number)
            if stands == "landed":
                undone.add(event.undoes)
        records.append(
            LandingRecord(
                number,
                session,
                at,
                event.proposal,
                event.undoes,
                event.title,
                event.files,
                stands,
                about=about,
                again=event.again,
                by=turned.get(number, 0),
                commit=(commits or {}).get(number, ""),
            )
        )
    return tuple(reversed(records))


class LandingLog:
    """Finds what an undo or a redo is about.

    Args:
        records: The project's landings, oldest first.
    """

    def __init__(self, records: Sequence[LandingRecord]) -> None:
        self._records = records
        self._by_number = {record.number: record for record in records}

    def to_turn(self, number: int, *, again: bool, session: str | None = None) -> tuple[LandingRecord, bool]:
        """Which landing is meant by an undo or a redo, and which way it has to be turned.

        Args:
            number: Its number; 0 for the last one that can be undone or redone. The number of an undo or a redo stands
                for the landing it is about, the other way round where it has to be.
            again: A redo is wanted, not an undo.
            session: With the number 0: look only at landings of that session.

        Returns:
            The landing, never an undo or a redo itself; and whether it has to be landed again.

        Raises:
            LandingUnknownError: There is none, or it stands already as it should.
        """
        if not number:
            return self._last(session, again=again), again
        record = self._by_number.get(number)
        if record is None:
            raise LandingUnknownError(f"There is no landing {number} in this project.", _HINT)
        self._check(record, again=again)
        if not record.undoes:
            return record, again
        # An undo does the opposite of its landing: to undo it is to land again, and the other way round.
        return self._by_number[record.about], again if record.again else not again

    def to_commit(self, number: int, session: str | None = None) -> LandingRecord:
        """Which landing is meant by a commit.

        Args:
            number: Its number, that of an undo or a redo included; 0 for the last one that waits to be committed.
            session: With the number 0: look only at what was written by that session.

        Raises:
            LandingUnknownError: There is none, or it does not stand.
        """
        if not number:
            found = [one for one in self.uncommitted() if session in {None, one.session}]
            if not found:
                raise LandingUnknownError("There is no landing to commit.", _HINT)
            return found[-1]
        record = self._by_number.get(number)
        if record is None:
            raise LandingUnknownError(f"There is no landing {number} in this project.", _HINT)
        if record.stands != "landed":
            raise LandingUnknownError(f"Landing {number} does not stand in the files: it is {record.stands}.", _HINT)
        return record

    def uncommitted(self) -> list[LandingRecord]:
        """What stands and is in no commit, oldest first: landings, and what turned such as are committed."""
        return [
            one
            for one in self._records
            if one.stands == "landed" and not one.commit and (not one.undoes or self._by_number[one.undoes].commit)
        ]

    def last_link(self, record: LandingRecord) -> LandingRecord:
        """The end of a landing's chain: the undo or redo that made it stand as it does, or the landing itself."""
        return self._by_number[record.by or record.number]

    def _last(self, session: str | None, *, again: bool) -> LandingRecord:
        wanted = "undone" if again else "landed"
        found = [
            record
            for record in self._records
            if record.stands == wanted and not record.undoes and session in {None, record.session}
        ]
        if not found:
            raise LandingUnknownError(f"There is no landing to {'redo' if again else 'undo'}.", _HINT)
        return max(found, key=lambda record: max(record.number, record.by))

    def _check(self, record: LandingRecord, *, again: bool) -> None:
        number = record.number
        if record.stands == ("undone" if again else "landed"):
            return
        if record.stands == "started":
            raise LandingUnknownError(f"Landing {number} was cut short and could not be mended yet.", _HINT)
        if record.stands == "abandoned":
            raise LandingUnknownError(f"Landing {number} was never completed: nothing of it was written.", _HINT)
        if again:
            raise LandingUnknownError(f"Landing {number} stands: it is not undone.", _HINT)
        raise LandingUnknownError(f"Landing {number} is undone already (by {record.by}).", _HINT)
