"""What others did to the project, in words for a human: the same on the screen, in plain lines and in exports."""

from __future__ import annotations

from agent_core.chat_entries import Edits, GitMove
from agent_core.events import BranchChanged, EditedBy, FilesEdited

_WHO: dict[EditedBy, str] = {
    "human": "you",
    "formatter": "a formatter",
    "pairloop": "another pairloop",
    "unknown": "someone",
}
_NAMED = 3


def who(by: EditedBy) -> str:
    """Who edited, as the beginning of a sentence."""
    return _WHO[by]


def edits_words(edits: Edits | FilesEdited) -> str:
    """Many edits at once in a line: how many, and the first of them by name."""
    kinds = (("added", edits.added), ("changed", edits.changed), ("deleted", edits.deleted))
    did = ", ".join(f"{kind} {_files(count)}" for kind, count in kinds if count)
    return f"{who(edits.by)} {did}: {_named(edits.paths, sum(count for _, count in kinds))}"


def move_words(move: GitMove | BranchChanged) -> str:
    """What git did, in a line: what, from where to where, and how many files changed by it."""
    where = f" ({move.was} -> {move.branch})" if move.was != move.branch else f" (on {move.branch})"
    if move.was != move.branch and f"from {move.was} to {move.branch}" in move.what:
        where = ""
    return f"git {move.what}{where}, {_files(move.count) if move.count else 'no file'} changed"


def capitalized(text: str) -> str:
    """A text whose first letter is large."""
    return f"{text[:1].upper()}{text[1:]}"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _named(paths: tuple[str, ...], count: int) -> str:
    named = ", ".join(paths[:_NAMED])
    left = count - min(len(paths), _NAMED)
    return f"{named} and {left:,} more" if left else named
