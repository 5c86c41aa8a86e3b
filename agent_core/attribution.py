"""Who did it: whose the edits are that a look has found. Never guessed; what cannot be known is said to be unknown."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Literal

import msgspec

from agent_core import events as ev
from agent_core.errors import JournalError
from agent_core.journal import SqliteJournal
from agent_core.mcp.wording import BETWEEN
from agent_core.protocols import Workspace
from agent_core.state import State
from agent_core.workspace.edits import edit_between
from agent_core.workspace.git_changes import Change
from agent_core.workspace.git_moves import GitMoves, Move
from agent_core.workspace.layering import read_small
from agent_core.workspace.tree import content_hash

MOST_EDITS = 40
"""More edits than that at once are told by their names alone."""
_MOST_MOVED = 40
_MOST_SHOWN = 256 * 1024
_MOST_NAMED = 200
_BROUGHT_BACK = 5.0
"""Seconds in which git, or whoever it was, may bring back what they took away, as stashing and popping does."""
_RIGHT_AFTER = 10.0
"""Seconds after a landing in which a formatter goes over what has landed."""


class Attribution:
    """Says whose edits are.

    Args:
        session: The session's id.
        workspace: The project.
        journal: Its journal, which knows what others landed.
        mask: Takes secrets out of what is shown.
        isolated: Commands are shut in: they cannot have edited anything.
    """

    def __init__(
        self,
        session: str,
        workspace: Workspace,
        journal: SqliteJournal,
        mask: Callable[[str], str] = str,
        *,
        isolated: bool = True,
    ) -> None:
        self._session = session
        self._workspace = workspace
        self._journal = journal
        self._mask = mask
        self._isolated = isolated
        self.moves = GitMoves(workspace.root, mask)
        """Follows git."""
        self._next_landing = 0
        self._changes = -1
        self._others: dict[tuple[str, str | None], float] = {}
        self._begun: dict[int, ev.LandingStarted] = {}
        self._landed: dict[str, tuple[ev.FileLanding, float]] = {}  # what of ours was just put where, and when
        self._taken_away: dict[tuple[str, str | None], float] = {}  # not by a human, as far as is known, and when
        self._at_work: set[tuple[str, str]] = set()  # what runs and could write anywhere, by kind and name
        self._wished: set[str] = set()  # calls of servers' tools, which are not shut in, that may still be refused
        self._was_at_work = False

    def listen(self, entry: ev.Entry, state: State) -> None:  # noqa: ARG002 - the session's listener signature
        """Take an event: what has just landed, and whether commands are at work that could write anywhere."""
        match entry.event:
            case ev.LandingStarted() as started:
                self._begun[started.landing] = started
            case ev.Landed(number) if number in self._begun:
                now = time.monotonic()
                self._landed |= {file.path: (file, now) for file in self._begun.pop(number).files}
            case ev.ToolStarted() | ev.ApprovalGiven() | ev.ToolFinished() | ev.TaskFinished() as event:
                self._take_tool(event)
            case ev.ShellStarted(name) if not self._isolated:
                self._works("shell", name)
            case ev.ShellFinished(name):
                self._at_work.discard(("shell", name))
            case ev.CheckStarted(name, where) if not self._isolated:
                self._works("check", f"{where} {name}")
            case ev.CheckFinished(where, result):
                self._at_work.discard(("check", f"{where} {result.check}"))

    def _take_tool(self, event: ev.ToolStarted | ev.ApprovalGiven | ev.ToolFinished | ev.TaskFinished) -> None:
        match event:
            case ev.TaskFinished():
                # What was interrupted has ended without a word.
                self._at_work = {work for work in self._at_work if work[0] == "shell"}
                self._wished.clear()
            case ev.ToolStarted(call_id, name) if BETWEEN in name:
                self._wished.add(call_id)
            case ev.ApprovalGiven(call_id, True) if call_id in self._wished:
                self._works("tool", call_id)
            case ev.ToolFinished(call_id):
                self._at_work.discard(("tool", call_id))
            case ev.ToolStarted(call_id) if not self._isolated:
                self._works("tool", call_id)

    def _works(self, kind: str, name: str) -> None:
        self._at_work.add((kind, name))
        self._was_at_work = True

    async def start(self, landing: int = 0) -> None:
        """Take what others have landed so far as known.

        Args:
            landing: The number of the first landing that is not known; 0 for the project's next one.
        """
        self._next_landing = landing or self._journal.next_landing()

    @property
    def next_landing(self) -> int:
        """The number of the first landing of others that is not known yet."""
        return self._next_landing

    def edit(self, path: str, before: str | None, after: str | None, *, shown: bool) -> ev.HumanEdited:
        """A change of a file that nobody saw happen, nobody's yet.

        Args:
            path: The file.
            before: Hash of its content before; None where there was none.
            after: Hash of its content now.
            shown: With a diff, if the content before is known.
        """
        kind: Literal["added", "changed", "deleted"] = (
            "added" if before is None else "deleted" if after is None else "changed"
        )
        edit = ev.HumanEdited(path, kind, "", before, after)
        if not shown:
            return edit
        try:
            old = self._journal.get(before) if before is not None else None
            new = read_small(self._workspace.root, path, _MOST_SHOWN)
        except (JournalError, OSError, ValueError):
            return edit
        same = (content_hash(new) if new is not None else None) == after
        return edit_between(path, old, new, self._mask) if same else edit

    async def events(self, edits: Sequence[ev.HumanEdited], *, watched: bool) -> list[ev.AnyEvent]:
        """What is to be told of edits: git's as one event, the others with who did them.

        Nothing is taken for known when it is cancelled; it is asked again then.

        Args:
            edits: What a look has found, oldest first, nobody's yet.
            watched: Somebody was watching while they happened.
        """
        self._read_landings(edits)
        by = await self._by_hand(edits, "human" if watched and not self._was_at_work else "unknown")
        move = await self.moves.explain(_changes(edits))
        passed = await self._passed(by, move) if move is not None else set()
        # Nothing is awaited from here on: all of it is known, or none if this was cancelled.
        if move is not None:
            self.moves.told(move)
        self._was_at_work = bool(self._at_work)
        told = list(_told(by, move, passed))
        own = {(one.path, one.after) for one in told if isinstance(one, ev.HumanEdited) and one.by != "unknown"}
        now = time.monotonic()
        self._taken_away |= {(one.path, one.before): now for one in edits if (one.path, one.after) not in own}
        return told

    async def _passed(self, edits: Sequence[ev.HumanEdited], move: Move) -> set[int]:
        """Which of the edits may be git's, of files that are not as git has them: they may be saved since."""
        over = [at for at, edit in enumerate(edits) if edit.path not in move.whose][:_MOST_MOVED]
        return {at for at in over if await self.moves.wrote(move, edits[at].path, edits[at].after)}

    def _read_landings(self, edits: Sequence[ev.HumanEdited]) -> None:
        """Note what other pairloops of this project have landed since this was last asked."""
        if not edits or (changes := self._journal.changes()) == self._changes:
            return
        self._changes = changes
        now = time.monotonic()
        for record in self._journal.landings():
            if record.number >= self._next_landing and record.session != self._session:
                self._others |= {(file.path, file.after): now for file in record.files}
        self._next_landing = self._journal.next_landing()

    async def _by_hand(self, edits: Sequence[ev.HumanEdited], else_by: ev.EditedBy) -> list[ev.HumanEdited]:
        """The edits with whose they are where git did nothing."""
        now = time.monotonic()
        self._others = {what: at for what, at in self._others.items() if now - at < _RIGHT_AFTER}
        self._taken_away = {what: at for what, at in self._taken_away.items() if now - at < _BROUGHT_BACK}
        self._landed = {path: what for path, what in self._landed.items() if now - what[1] < _RIGHT_AFTER}
        found = []
        for edit in edits:
            if (edit.path, edit.after) in self._others:
                found.append(msgspec.structs.replace(edit, by="pairloop"))
            elif edit.path in self._landed:
                found.append(await asyncio.to_thread(self._over_landing, edit, else_by))
            else:
                # Git may have done both before anybody looked at where it stands, and then it stands where it stood.
                back = (edit.path, edit.after) in self._taken_away
                found.append(msgspec.structs.replace(edit, by="unknown" if back else else_by))
        return found

    def _over_landing(self, edit: ev.HumanEdited, else_by: ev.EditedBy) -> ev.HumanEdited:
        """An edit of a file that has just landed, as one of what landed; a formatter's if it is shown to be one."""
        # Only where it is used: nothing of it is needed before there is a landing.
        from agent_core.layout_only import only_layout  # noqa: PLC0415

        file, plain = self._landed[edit.path][0], msgspec.structs.replace(edit, by=else_by)
        # What was there before it landed may have been seen last, but not that it was there when it was edited.
        if file.after in {None, edit.after} or edit.before not in {file.before, file.after}:
            return plain
        try:
            old, new = self._journal.get(file.after or ""), self._workspace.read(edit.path)
        except (JournalError, OSError, ValueError):
            return plain
        if (content_hash(new) if new is not None else None) != edit.after:
            # Saved again since: what it did to what had landed cannot be shown, but that it was over that is known.
            unseen = edit.before == file.before
            return msgspec.structs.replace(plain, before=file.after, diff="") if unseen else plain
        by: ev.EditedBy = "formatter" if new is not None and only_layout(edit.path, old, new) else else_by
        return msgspec.structs.replace(edit_between(edit.path, old, new, self._mask), by=by)


def _changes(edits: Iterable[ev.HumanEdited]) -> list[Change]:
    """What became of each file, over several looks."""
    found: dict[str, Change] = {}
    for edit in edits:
        before = found[edit.path].before if edit.path in found else edit.before
        found[edit.path] = Change(edit.path, before, edit.after)
    return list(found.values())


def _told(edits: Sequence[ev.HumanEdited], move: Move | None, passed: Collection[int]) -> Iterable[ev.AnyEvent]:
    whose = move.whose if move is not None else {}
    what = move.what if move is not None else ""
    gits = {at for at, edit in enumerate(edits) if whose.get(edit.path) == "git" or (what and at in passed)}
    moved = sorted({edits[at].path for at in gits})
    last = {edit.path: at for at, edit in enumerate(edits)}
    left = [
        msgspec.structs.replace(edit, by="unknown") if whose.get(edit.path) == "unknown" or at in passed else edit
        for at, edit in enumerate(edits)
        if at not in gits
    ]
    # What git has gone over since came before it.
    yield from _shown([edit for edit in left if last[edit.path] in gits])
    if move is not None and what:
        yield ev.BranchChanged(
            what, move.before.name, move.after.name, move.after.commit, tuple(moved[:_MOST_MOVED]), len(moved)
        )
    yield from _shown([edit for edit in left if last[edit.path] not in gits])


def _shown(edits: Sequence[ev.HumanEdited]) -> Iterable[ev.AnyEvent]:
    if len(edits) <= MOST_EDITS:
        yield from edits
        return
    for by in dict.fromkeys(edit.by for edit in edits):
        yield many([edit for edit in edits if edit.by == by], by)


def many(edits: Sequence[ev.HumanEdited], by: ev.EditedBy) -> ev.FilesEdited:
    """Many edits at once by the same hand as one event."""
    kinds = {edit.path: edit.kind for edit in edits}
    count = Counter(kinds.values())
    return ev.FilesEdited(tuple(sorted(kinds)[:_MOST_NAMED]), count["added"], count["changed"], count["deleted"], by)
