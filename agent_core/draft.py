"""The partner's work in progress: changes over a base, from which proposals and candidates are made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from agent_core.errors import PatchRefusedError
from agent_core.file_modes import REGULAR
from agent_core.patch.apply import Result, apply_operations
from agent_core.patch.diff import make_patch
from agent_core.patch.model import FilePatch, Patch
from agent_core.patch.nameless import with_name
from agent_core.patch.read import read_patch
from agent_core.patch.rebase import Rebased as RebasedPatch
from agent_core.patch.rebase import StaleBlock
from agent_core.patch.rebase import rebase as rebase_patch
from agent_core.protocols import Workspace
from agent_core.review import Overlap
from agent_core.workspace.tree import FileChange, Reader, Snapshot, content_hash, with_changes

_SHOWN = 60


class Draft(msgspec.Struct, frozen=True):
    """Changes that have not been decided on.

    Attributes:
        base: The working tree they stand on.
        before: What every changed path held in the base; None where there was nothing.
        changes: What it holds in the draft.
        moves: New path to old path of every moved file.
        named: Files by path whose blocks have other names or borders than a fresh diff would give them, since they
            were carried over from another base, or are a part of a patch.
    """

    base: Snapshot
    before: Mapping[str, FileChange | None] = {}
    changes: Mapping[str, FileChange] = {}
    moves: Mapping[str, str] = {}
    named: Mapping[str, FilePatch] = {}

    @property
    def snapshot(self) -> Snapshot:
        """The tree that the draft makes."""
        return with_changes(self.base, self.changes)

    def patch(self) -> Patch:
        """All changes against the base."""
        patch = make_patch(self.changes, self.before.get, self.moves)
        return Patch(tuple(self._named(file) for file in patch.files)) if self.named else patch

    def contents(self) -> dict[str, bytes]:
        """Every content that `patch` names, by hash."""
        files = (*self.before.values(), *self.changes.values())
        return {content_hash(one.data): one.data for one in files if one is not None and one.data is not None}

    def _named(self, file: FilePatch) -> FilePatch:
        known = self.named.get(file.path)
        if known is None or (known.before, known.after, known.moved_from) != (file.before, file.after, file.moved_from):
            return file
        return msgspec.structs.replace(file, blocks=known.blocks)


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
        return FileChange(data, state.mode if state else REGULAR)

    return read


def take(draft: Draft, text: str, workspace: Workspace, *, may_replace: bool = True) -> Applied:
    """Apply a patch as a partner wrote it.

    It is taken to build on the draft as it stands. Where it does not fit there but does fit the working tree, it
    replaces the draft: models often write a revision as a whole new patch.

    Args:
        draft: What is there so far.
        text: The patch, in any of the formats.
        workspace: The project.
        may_replace: Whether it may replace the draft. One of several that belong together must build on the others.

    Raises:
        PatchRefusedError: It does not parse, may not touch what it names, does not fit, or is in the draft or in the
            files already (`PatchRefusedError.already`).
    """
    disk = disk_reader(workspace, draft.base)

    def over(path: str) -> FileChange | None:
        if path in draft.changes:
            change = draft.changes[path]
            return None if change.data is None else change
        return disk(path)

    def data(path: str) -> bytes | None:
        file = over(path)
        return file.data if file is not None else None

    text, named = with_name(text, draft.snapshot.files, data)
    reading = read_patch(text)
    notes = (*filter(None, (named,)), *reading.notes)

    def applied(read: Reader, files: Collection[str]) -> Result:
        return apply_operations(reading.operations, root=workspace.root, read=read, paths=files)

    try:
        result = applied(over, draft.snapshot.files)
    except PatchRefusedError as refusal:
        if refusal.already or not draft.changes or not may_replace:
            raise
        try:
            result = applied(disk, draft.base.files)
        except PatchRefusedError:
            # What is wrong on top of the draft is what the partner has to mend.
            raise refusal from None
        again = _extend(Draft(draft.base), result.changes, result.moves, disk)
        if all(draft.changes.get(path) == change for path, change in again.changes.items()):
            message = "The patch is applied already: what it makes of the files is in the draft."
            raise PatchRefusedError(message, already=True) from None
        note = "It fits the files as they are in the working tree, so it replaces the earlier draft."
        return Applied(again, " ".join((note, *notes, *result.notes)))
    extended = _extend(draft, result.changes, result.moves, disk)
    if not extended.changes:
        raise PatchRefusedError(
            "With this patch the draft is the same as the working tree: nothing is left to propose.",
            "Send a patch that changes something.",
        )
    return Applied(extended, " ".join((*notes, *result.notes)))


def revised(draft: Draft, changes: Mapping[str, FileChange], workspace: Workspace) -> Draft:
    """A draft with more changes over it; what ends up as it was in the base is no change any more.

    Args:
        draft: What is there so far.
        changes: What files of it become.
        workspace: The project.
    """
    return _extend(draft, changes, {}, disk_reader(workspace, draft.base))


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
    # What takes the place of another file is no move: the patch would not say that the other one goes.
    all_moves = {
        new: old
        for new, old in all_moves.items()
        if new in merged and old in gone and new not in gone and _is_nothing(before[new])
    }
    return Draft(draft.base, before, merged, all_moves, draft.named)


def _same(before: FileChange | None, after: FileChange) -> bool:
    if before is None or before.data is None or after.data is None:
        return _is_nothing(before) and after.data is None
    return before.data == after.data and before.mode == after.mode


def _is_nothing(file: FileChange | None) -> bool:
    return file is None or file.data is None


def draft_of(patch: Patch, base: Snapshot, content: Callable[[str], bytes]) -> Draft:
    """The draft that a patch is of.

    Args:
        patch: The patch; its blocks keep their names.
        base: The tree it starts from.
        content: Gives content by hash.
    """
    before, changes, moves = _sides(patch, content)
    plain = Draft(base, before, changes, moves)
    own = {file.path: file.blocks for file in plain.patch().files}
    return msgspec.structs.replace(plain, named={one.path: one for one in patch.files if one.blocks != own[one.path]})


def tree_of(patch: Patch, base: Snapshot, content: Callable[[str], bytes]) -> str:
    """Hash of the tree that a patch makes: that of `draft_of`, in a fraction of the time.

    Args:
        patch: The patch.
        base: The tree it starts from.
        content: Gives content by hash.
    """
    return with_changes(base, _sides(patch, content)[1]).tree


def _sides(
    patch: Patch, content: Callable[[str], bytes]
) -> tuple[dict[str, FileChange | None], dict[str, FileChange], dict[str, str]]:
    """What every path of a patch holds before it and after it, and the moves."""
    before: dict[str, FileChange | None] = {}
    changes: dict[str, FileChange] = {}
    moves: dict[str, str] = {}
    for file in patch.files:
        old = None if file.before is None else FileChange(content(file.before), file.before_mode)
        if file.moved_from:
            before[file.moved_from], changes[file.moved_from] = old, FileChange(None, 0)
            moves[file.path] = file.moved_from
            old = None
        before[file.path] = old
        changes[file.path] = FileChange(None if file.after is None else content(file.after), file.after_mode)
    return before, changes, moves


class Rebased(msgspec.Struct, frozen=True):
    """A draft carried over to a newer working tree.

    Attributes:
        draft: The draft over the newer tree; the old one where that could not be done.
        conflicts: Where the human's edits and the draft overlap, with what each of them has there; empty when they
            do not.
        overlaps: The same places, for whoever decides block by block.
        rest: Where they overlap, what of the draft goes over the newer tree; None where they do not.
    """

    draft: Draft
    conflicts: tuple[str, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    rest: Draft | None = None


async def rebase(draft: Draft, newer: Snapshot, workspace: Workspace) -> Rebased:
    """Carry a draft over to the working tree as it is now.

    Args:
        draft: The draft.
        newer: The working tree now.
        workspace: The project.
    """
    known = draft.contents()
    disk = disk_reader(workspace, newer)
    rebased = await asyncio.to_thread(rebase_patch, draft.patch(), disk, known.__getitem__)
    carried = draft_of(rebased.patch, newer, rebased.contents.__getitem__)
    if rebased.clean:
        return Rebased(carried)
    overlaps = [Overlap("", one.path, reason=one.reason) for one in rebased.stale_files]
    overlaps += [Overlap(one.block.id, one.path, one.start, one.theirs, ours=one.ours) for one in rebased.stale]
    return Rebased(draft, collisions(rebased), tuple(overlaps), carried)


def collisions(rebased: RebasedPatch) -> tuple[str, ...]:
    """Where the human's edits and a patch overlap, with what each of them has there, a line each."""
    return (*(f"{one.path}: {one.reason}" for one in rebased.stale_files), *map(_both_sides, rebased.stale))


def _both_sides(stale: StaleBlock) -> str:
    """Where a block collides, and what either side has there, in a line."""
    last = stale.start + len(stale.theirs) - 1
    lines = f"{stale.start}-{last}" if last > stale.start else f"{stale.start}"
    return f"{stale.path}:{lines}: the file has {_brief(stale.theirs)}, the proposal {_brief(stale.block.added)}"


def _brief(lines: Sequence[str]) -> str:
    """Some lines in a few words: the first that is not blank, and how many more there are."""
    if not lines:
        return "nothing"
    text = next((line.strip() for line in lines if line.strip()), "")
    text = repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}...")
    more = len(lines) - 1
    return f"{text} and {more} more line{'s' if more > 1 else ''}" if more else text
