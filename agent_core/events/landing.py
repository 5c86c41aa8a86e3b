"""Events of what is written into the working tree, taken back, landed again, committed."""

from __future__ import annotations

from typing import Literal

import msgspec

from agent_core.conversation import Usage
from agent_core.events.base import Event


class FileLanding(msgspec.Struct, frozen=True):
    """What a landing does to one path; hashes name journal blobs, None means no file.

    Modes are Git-style; 0 where there is no file.

    Attributes:
        moved_from: For the new path of a moved file the path it came from, which has an entry of its own. Undoing the
            landing takes along to the old path what a human changed in the file since.
        before_bits: All permission bits (0o7777) of the file that was there, 0 where there was none or they are not
            known: a file that comes back gets them back.
        after_bits: The permission bits it gets; 0 where the process's umask decides.
    """

    path: str
    before: str | None
    after: str | None
    before_mode: int
    after_mode: int
    moved_from: str = ""
    before_bits: int = 0
    after_bits: int = 0


class LandingStarted(Event, frozen=True):
    """The intent of a landing, durable before the first byte is written.

    Attributes:
        landing: Its number in the project, from 1.
        proposal: The proposal it lands; 0 for an undo.
        undoes: The landing it takes back; 0 for a landing. An undo is a landing too: a redo is the undo of an undo.
        files: Exactly what will be written.
        about: For an undo or a redo: the landing that started it all, however many undos and redos lie between.
        again: It is a redo: the landing it is about stands again by it.
        title: What it is for: the first line of the task, or of what a command line said.
    """

    landing: int
    proposal: int
    undoes: int
    files: tuple[FileLanding, ...]
    about: int = 0
    again: bool = False
    title: str = ""


class Landed(Event, frozen=True):
    """A landing is complete on disk."""

    landing: int


class LandingAbandoned(Event, frozen=True):
    """A landing was taken back before it was complete; the tree is as before."""

    landing: int
    reason: str


class LandingTurned(Event, frozen=True):
    """A landing of this session was taken back, or landed again, from another session of the project.

    Attributes:
        landing: Its number.
        stands: Where it stands now.
        by: Number of the undo or redo that brought it there.
    """

    landing: int
    stands: Literal["landed", "undone"]
    by: int


class LandingConflicted(Event, frozen=True):
    """A landing, undo or redo met other changes; nothing was written.

    Attributes:
        proposal: The proposal that could not land; 0 for an undo or a redo.
        undoes: The landing that could not be taken back or landed again; 0 otherwise.
        conflicts: One entry a place.
        hint: What to do about it; may be empty.
    """

    proposal: int
    undoes: int
    message: str
    conflicts: tuple[str, ...]
    hint: str = ""


class CommitDrafted(Event, frozen=True):
    """There is a message for the commit of a landing; the human may change it before they commit.

    Attributes:
        landing: The landing; 0 where none is to be committed any more.
        message: Subject, and after a blank line the body if there is one; as it was where it could not be committed.
        also: Earlier landings that it builds on and that go into the same commit, oldest first.
        trouble: Why it cannot be committed, or could not when that was tried; empty when it can.
        hint: What to do about that, and what hooks printed; may be empty.
        usage: Tokens it took to have the message written, in journals that have no `AsideFinished`.
    """

    landing: int
    message: str
    also: tuple[int, ...] = ()
    trouble: str = ""
    hint: str = ""
    usage: Usage = Usage()


class Committed(Event, frozen=True):
    """A landing was committed: exactly the lines that it landed.

    Attributes:
        landing: The landing.
        commit: Hash of the commit.
        message: What it says, trailers included.
        branch: The branch it is on; empty where HEAD is none.
    """

    landing: int
    commit: str
    message: str
    branch: str

    @property
    def told(self) -> str:
        """It in a sentence, for the human."""
        where = f"on {self.branch}" if self.branch else "on no branch"
        return f"Committed landing {self.landing} as {self.commit[:8]} {where}: {self.message.partition(chr(10))[0]}"
