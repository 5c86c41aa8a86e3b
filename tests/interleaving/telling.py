"""What the journal tells, held against what really happened."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from agent_core import events as ev
from agent_core.workspace.tree import content_hash
from tests.interleaving.ledger import Tree

_ANY = "?"
"""A content that the journal does not name: one of git's."""
_BESIDE = 2.0
"""Seconds around git's work in which it may not be known who wrote a file."""


def hashes(tree: Tree) -> dict[str, str]:
    return {path: content_hash(data) for path, data in tree.items()}


class Save(msgspec.Struct, frozen=True):
    """The human put a content there: when, and with what hash."""

    at: float
    path: str
    digest: str | None


class Telling:
    """Follows the events of a session over its whole life, and says where they are not true.

    Args:
        tree: The files there were at first.
    """

    def __init__(self, tree: Tree) -> None:
        self._known: dict[str, str | None] = dict(hashes(tree))
        self._loose = False
        self._begun: dict[int, ev.LandingStarted] = {}
        self.saves: list[Save] = []
        self.git: list[tuple[float, float]] = []
        self.closed: list[tuple[float, float]] = []
        self.moves = 0
        self.wrong: list[str] = []
        self._edits: list[tuple[float, ev.HumanEdited]] = []

    def hear(self, event: ev.AnyEvent, at: float) -> None:
        """Take an event, heard at a moment."""
        match event:
            case ev.HumanEdited():
                self._follows(f"the edit of {event.path}", event.path, event.before)
                self._known[event.path] = event.after
                self._edits.append((at, event))
            case ev.FilesEdited():
                self.wrong.append(f"{event.added + event.changed + event.deleted} edits are told as one")
                self._known |= dict.fromkeys(event.paths, _ANY)
            case ev.BranchChanged():
                self.moves += 1
                self._known |= dict.fromkeys(event.paths, _ANY)
                if event.count > len(event.paths):
                    self._known = dict.fromkeys(self._known, _ANY)
            case ev.LandingStarted():
                self._begun[event.landing] = event
            case ev.Landed() if event.landing in self._begun:
                for file in self._begun.pop(event.landing).files:
                    self._follows(f"landing {event.landing} of {file.path}", file.path, file.before)
                    self._known[file.path] = file.after
            case _:
                pass

    def _follows(self, what: str, path: str, before: str | None) -> None:
        known = self._known.get(path)
        if known not in {before, _ANY}:
            self.wrong.append(f"{what} is told to be over {_short(before)}, but it was {_short(known)}")

    def missing(self, tree: Tree) -> list[str]:
        """Files that are not as the journal tells."""
        now = hashes(tree)
        return [
            f"{path} is {_short(now.get(path))}, and told to be {_short(self._known.get(path))}"
            for path in sorted(now.keys() | self._known.keys())
            if self._known.get(path) not in {now.get(path), _ANY}
        ]

    def who(self, *, beside_git: bool) -> Iterator[str]:
        """Edits that are told to be somebody's whose they are not.

        Args:
            beside_git: Also in the moments in which git was at work.
        """
        for at, edit in self._edits:
            theirs = [one.at for one in self.saves if (one.path, one.digest) == (edit.path, edit.after)]
            what = f"{edit.path} {edit.kind} to {_short(edit.after)}"
            apart = beside_git or not any(start - _BESIDE < at < end + _BESIDE for start, end in self.git)
            if not theirs and edit.by in {"human", "formatter"} and apart:
                yield f"{what} is told to be by {edit.by}, who never wrote that"
            if edit.by == "pairloop":
                yield f"{what} is told to be by another pairloop, and there is none"
            if edit.by == "unknown" and not any(self._unclear(one, at) for one in [*theirs, at]):
                yield f"{what} is told to be by nobody known, though nothing else was at work"

    def _unclear(self, since: float, until: float) -> bool:
        times: list[tuple[float, float]] = [*self.git, *self.closed]
        return any(start - _BESIDE < until and since < end + _BESIDE for start, end in times)


def _short(digest: str | None) -> str:
    return "gone" if digest is None else digest[:8]
