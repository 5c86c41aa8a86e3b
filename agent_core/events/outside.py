"""Events of what others than pairloop do to the project."""

from __future__ import annotations

from typing import Literal

import msgspec

from agent_core.events.base import Event

EditedBy = Literal["human", "formatter", "pairloop", "unknown"]
"""A human in an editor, a formatter that went over what had just landed, another pairloop that landed something or took
it back, or someone who cannot be known."""


class Marker(msgspec.Struct, frozen=True):
    """A comment in the code that is a word to the partner: it begins or ends with ``AI!`` or ``AI?``.

    Attributes:
        path: The file.
        line: 1-based line of its first line, when it was read.
        count: How many lines it has: comments that follow each other are one.
        text: The words, without the comment's signs and the marker.
        kind: ``do`` for ``AI!``, ``answer`` for ``AI?``.
        file: Hash of the content in which it was read.
    """

    path: str
    line: int
    count: int
    text: str
    kind: Literal["do", "answer"]
    file: str = ""


class HumanEdited(Event, frozen=True):
    """A file of the working tree changed, and not by us.

    Attributes:
        path: Relative path.
        kind: What happened to it.
        diff: Compact unified diff, bounded, secrets masked; empty for binary files.
        before: Content hash before, None when it was new.
        after: Content hash now, None when it is gone.
        by: Who did it, as far as it can be known.
    """

    path: str
    kind: Literal["added", "changed", "deleted"]
    diff: str
    before: str | None
    after: str | None
    by: EditedBy = "human"


class FilesEdited(Event, frozen=True):
    """Many files of the working tree changed at once, and not by us; each alone would be a `HumanEdited`.

    Attributes:
        paths: Their relative paths, sorted; at most the first 200.
        added: How many of all of them are new.
        changed: How many were changed.
        deleted: How many are gone.
        by: Who did it, as far as it can be known.
    """

    paths: tuple[str, ...]
    added: int
    changed: int
    deleted: int
    by: EditedBy = "human"


class BranchChanged(Event, frozen=True):
    """Git changed the working tree: a checkout, a pull, a rebase, a stash, a reset. One event, however many files.

    Attributes:
        what: What git did, in the words of its reflog where it has them, such as
            ``checkout: moving from main to topic``.
        was: The branch before, or the abbreviated commit of a HEAD that was none.
        branch: The branch now, likewise.
        commit: The commit that HEAD is at now; empty when there is none yet.
        paths: Files whose content changed, sorted; at most the first 40.
        count: How many there are in all.
    """

    what: str
    was: str
    branch: str
    commit: str
    paths: tuple[str, ...]
    count: int
