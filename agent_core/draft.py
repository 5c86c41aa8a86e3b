"""The partner's work in progress: changes over a base, from which proposals and candidates are made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import msgspec

from agent_core.errors import PatchRefusedError
from agent_core.patch.apply import apply_operations
from agent_core.patch.diff import make_patch
from agent_core.patch.model import Patch
from agent_core.patch.parse_envelope import parse_envelope
from agent_core.protocols import Workspace
from agent_core.workspace.merge import merge
from agent_core.workspace.tree import FileChange, Snapshot, with_changes

Reader = Callable[[str], FileChange | None]

_LINK = 0o120000


class Draft(msgspec.Struct, frozen=True):
    """Changes that have not been decided on.

    Attributes:
        base: The working tree they stand on.
        before: What every changed path held in the base; None where there was nothing.
        changes: What it holds in the draft.
        moves: New path to old path of every moved file.
    """

    base: Snapshot
    before: Mapping[str, FileChange | None] = {}
    changes: Mapping[str, FileChange] = {}
    moves: Mapping[str, str] = {}

    @property
    def snapshot(self) -> Snapshot:
        """The tree that the draft makes."""
        return with_changes(self.base, self.changes)

    def patch(self) -> Patch:
        """All changes against the base."""
        return make_patch(self.changes, self.before.get, self.moves)


class Applied(msgspec.Struct, frozen=True):
    """A patch taken into a draft.

    Attributes:
        draft: The draft with it.
        note: How it was read, where that is not plain; empty otherwise.
    """

    draft: Draft
    note: str = ""


def disk_reader(workspace: Workspace, base: Snapshot) -> Reader:
    """Reads files of the working tree with the modes they have in a snapshot."""

    def read(path: str) -> FileChange | None:
        state = base.files.get(path)
        data = workspace.read(path)
        if data is None:
            return None
        return FileChange(data, state.mode if state else 0o100644)

    return read


def take(draft: Draft, text: str, workspace: Workspace) -> Applied:
    """Apply a patch as a partner wrote it.

    It is taken to build on the draft as it stands. Where it does not fit there but does fit the working tree, it
    replaces the draft: models often write a revision as a whole new patch.

    Args:
        draft: What is there so far.
        text: The patch in the envelope format.
        workspace: The project.

    Raises:
        PatchRefusedError: It does not parse, may not touch what it names, or does not fit.
    """
    operations = parse_envelope(text)
    disk = disk_reader(workspace, draft.base)

    def over(path: str) -> FileChange | None:
        if path in draft.changes:
            change = draft.changes[path]
            return None if change.data is None else change
        return disk(path)

    try:
        result = apply_operations(operations, root=workspace.root, read=over, paths=draft.snapshot.files)
    except PatchRefusedError as refusal:
        if not draft.changes:
            raise
        try:
            result = apply_operations(operations, root=workspace.root, read=disk, paths=draft.base.files)
        except PatchRefusedError:
            # What is wrong on top of the draft is what the partner has to mend.
            raise refusal from None
        note = "It fits the files as they are in the working tree, so it replaces the earlier draft."
        return Applied(_extend(Draft(draft.base), result.changes, result.moves, disk), note)
    extended = _extend(draft, result.changes, result.moves, disk)
    if not extended.changes:
        raise PatchRefusedError(
            "With this patch the draft is the same as the working tree: nothing is left to propose.",
            "Send a patch that changes something.",
        )
    return Applied(extended)


def _extend(draft: Draft, changes: Mapping[str, FileChange], moves: Mapping[str, str], disk: Reader) -> Draft:
    """Put more changes over a draft; what ends up as it was in the base is no change any more."""
    before = dict(draft.before)
    merged = dict(draft.changes)
    for path, change in changes.items():
        if path not in before:
            before[path] = disk(path)
        merged[path] = change
    # A file moved twice has come from where it was first.
    all_moves = {**draft.moves, **{new: draft.moves.get(old, old) for new, old in moves.items()}}
    for path in [path for path, change in merged.items() if _same(before[path], change)]:
        del merged[path], before[path]
    gone = {path for path, change in merged.items() if change.data is None}
    all_moves = {new: old for new, old in all_moves.items() if new in merged and old in gone and new not in gone}
    return Draft(draft.base, before, merged, all_moves)


def _same(before: FileChange | None, after: FileChange) -> bool:
    if before is None or before.data is None or after.data is None:
        return (before is None or before.data is None) and after.data is None
    return before.data == after.data and before.mode == after.mode


class Rebased(msgspec.Struct, frozen=True):
    """A draft carried over to a newer working tree.

    Attributes:
        draft: The draft over the newer tree; the old one where that could not be done.
        conflicts: Where the human's edits and the draft overlap; empty when they do not.
    """

    draft: Draft
    conflicts: tuple[str, ...] = ()


async def rebase(draft: Draft, newer: Snapshot, workspace: Workspace) -> Rebased:
    """Carry a draft over to the working tree as it is now, by a three-way merge of contents.

    Args:
        draft: The draft.
        newer: The working tree now.
        workspace: The project.
    """
    disk = disk_reader(workspace, newer)
    sources = {old: new for new, old in draft.moves.items()}
    before: dict[str, FileChange | None] = {}
    changes: dict[str, FileChange] = {}
    conflicts: list[str] = []
    for path, change in draft.changes.items():
        before[path] = await asyncio.to_thread(disk, path)
        if path in sources:
            # What the human changed in it goes with it to its new name, if that is free.
            changes[path] = change
            taken = await asyncio.to_thread(disk, sources[path]) is not None
            if taken and not _same_content(before[path], draft.before[path]):
                conflicts.append(f"{path}: the human changed it, the draft moved it to {sources[path]}, which exists")
            continue
        name, old, now = path, draft.before[path], before[path]
        if path in draft.moves and now is None:
            name = draft.moves[path]
            old, now = draft.before[name], await asyncio.to_thread(disk, name)
        carried = await _carried(old, now, change)
        if isinstance(carried, FileChange):
            changes[path] = carried
        else:
            conflicts += [f"{name}{place}" for place in carried]
    if conflicts:
        return Rebased(draft, tuple(conflicts))
    kept = {path: change for path, change in changes.items() if not _same(before[path], change)}
    moves = {new: old for new, old in draft.moves.items() if new in kept and old in kept}
    return Rebased(Draft(newer, {path: before[path] for path in kept}, kept, moves))


async def _carried(old: FileChange | None, now: FileChange | None, change: FileChange) -> FileChange | tuple[str, ...]:
    """What becomes of one file's change when the human has made `now` of `old`; else the places where it collides."""
    mode = now.mode if now is not None and old is not None and old.mode == change.mode else change.mode
    if _same_content(now, old) or _same_content(now, change):
        return FileChange(change.data, mode)
    texts = [side.data for side in (old, now, change) if side is not None and side.mode != _LINK]
    if len(texts) < 3 or texts[0] is None or texts[1] is None or texts[2] is None:
        return (f": the human {_what(old, now)} it, the draft {_what(old, change)} it",)
    merged = await merge(texts[0], texts[1], texts[2])
    if merged.data is None:
        places = (f"{first}-{last}" if last > first else f"{first}" for first, last in merged.conflicts)
        return tuple(f":{place}: was changed here too" for place in places)
    return FileChange(merged.data, mode)


def _same_content(one: FileChange | None, other: FileChange | None) -> bool:
    """Whether two are the same file apart from its mode: links are no files, and nothing is the same as nothing."""
    first, second = (None if side is None or side.data is None else side for side in (one, other))
    if first is None or second is None:
        return first is second
    return first.data == second.data and (first.mode == _LINK) == (second.mode == _LINK)


def _what(old: FileChange | None, new: FileChange | None) -> str:
    if old is None or old.data is None:
        return "added"
    return "deleted" if new is None or new.data is None else "changed"
