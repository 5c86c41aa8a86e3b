"""A patch over a newer base: a three-way merge by content, block by block.

What stands now is never touched but by blocks that nothing of it collides with (`agent_core.patch.overlap` says what
does); so whatever a human wrote meanwhile stays. Blocks keep their names, and their borders, also where a diff of the
new texts would draw others. A block that is in the newer text already vanishes; one that collides is told with both
sides. Files that came, went or changed their nature are told as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from agent_core.file_modes import SYMLINK
from agent_core.patch import encoding
from agent_core.patch.diff import make_blocks, split_lines
from agent_core.patch.encoding import NotTextError
from agent_core.patch.line_diff import changed_ranges
from agent_core.patch.model import Block, FileKind, FilePatch, Patch
from agent_core.patch.overlap import Edit, drawn_alike, edits_of, overlapping, side
from agent_core.patch.settling import Wishes, settle
from agent_core.patch.splice import Splice, blocks_of, spliced
from agent_core.workspace.tree import FileChange, Reader, content_hash

Content = Callable[[str], bytes]


class StaleBlock(msgspec.Struct, frozen=True):
    """A block that collides with what stands in its place now.

    Attributes:
        path: The file it is in now.
        block: What the patch wants there.
        start: 1-based line of the newer text at which `theirs` begins (where it would, if empty).
        theirs: The lines that stand there now.
        ours: What the whole patch makes of the same place.
    """

    path: str
    block: Block
    start: int
    theirs: tuple[str, ...]
    ours: tuple[str, ...]


class StaleFile(msgspec.Struct, frozen=True):
    """A file of the patch that collides as a whole.

    Attributes:
        path: Where it collides.
        file: What the patch does to it.
        reason: Why that can't be done, with `path` for its subject.
    """

    path: str
    file: FilePatch
    reason: str


class Rebased(msgspec.Struct, frozen=True):
    """A patch over a newer base.

    Attributes:
        patch: What of it goes over the newer base; its blocks have the names they had.
        stale: The blocks that do not.
        stale_files: The files that do not.
        contents: What the patch names, by hash.
    """

    patch: Patch
    stale: tuple[StaleBlock, ...]
    stale_files: tuple[StaleFile, ...]
    contents: Mapping[str, bytes]

    @property
    def clean(self) -> bool:
        """Whether nothing collides."""
        return not self.stale and not self.stale_files


def rebase(patch: Patch, newer: Reader, content: Content, *, over: Wishes | None = None) -> Rebased:
    """Carry a patch over to a newer base.

    Args:
        patch: The patch.
        newer: Gives the file that stands at a path now; None, or one without data, where there is none.
        content: Gives content by hash.
        over: What somebody wants at places where blocks collide, by the ids of these; the whole place becomes that.
    """
    leaving = {file.old_path for file in patch.files if file.moved_from or file.after is None}
    work = _Rebase(newer, content, leaving, over or {})
    for file in patch.files:
        work.carry(file)
    return work.result()


class _Rebase:
    """Carries one file after the other."""

    def __init__(self, newer: Reader, content: Content, leaving: set[str], over: Wishes) -> None:
        self._over = over
        self._newer = newer
        self._content = content
        self._leaving = leaving
        self._files: list[FilePatch] = []
        self._stale: list[StaleBlock] = []
        self._stale_files: list[StaleFile] = []
        self._contents: dict[str, bytes] = {}

    def result(self) -> Rebased:
        files = tuple(sorted(self._files, key=lambda file: file.path))
        return Rebased(Patch(files), tuple(self._stale), tuple(self._stale_files), self._contents)

    def carry(self, file: FilePatch) -> None:
        """Carry one file over, or note why not."""
        if file.kind == "move":
            self._move(file)
        elif file.kind == "add":
            self._add(file)
        elif file.kind == "delete":
            self._delete(file)
        else:
            self._update(file, self._look(file.path))

    def _look(self, path: str) -> FileChange | None:
        found = self._newer(path)
        return None if found is None or found.data is None else found

    def _get(self, digest: str | None) -> bytes:
        return b"" if digest is None else self._content(digest)

    def _collides(self, file: FilePatch, path: str, reason: str) -> None:
        self._stale_files.append(StaleFile(path, file, reason))

    def _is_free(self, file: FilePatch) -> bool:
        """Whether no file stands where the new path needs a folder; notes it where one does."""
        for at, char in enumerate(file.path):
            folder = file.path[:at]
            if char == "/" and folder not in self._leaving and self._look(folder) is not None:
                self._collides(file, file.path, f"the human made {folder} a file, where the draft needs a folder")
                return False
        return True

    def _add(self, file: FilePatch) -> None:
        now = self._look(file.path)
        if now is None:
            if self._is_free(file):
                self._keep(file, None, self._get(file.after), file.after_mode, file.blocks)
        elif _is(now, file.after, file.after_mode):
            # The text is there; what may be left is its mode.
            self._keep(file, now, now.data, file.after_mode, ())
        else:
            self._collides(file, file.path, "the human added it, the draft added it with another text")

    def _delete(self, file: FilePatch) -> None:
        now = self._look(file.path)
        if now is None:
            return
        if _is(now, file.before, file.before_mode):
            self._keep(file, now, None, 0, file.blocks)
        else:
            self._collides(file, file.path, "the human changed it, the draft deleted it")

    def _move(self, file: FilePatch) -> None:
        source, target = self._look(file.old_path), self._look(file.path)
        if target is None:
            if source is None:
                self._collides(file, file.old_path, f"the human deleted or moved it, the draft moved it to {file.path}")
            elif self._is_free(file):
                self._update(file, source)
        elif source is None:
            there = _is(target, file.after, file.after_mode)
            if not there and not _is_kin(self._get(file.before), target.data or b""):
                self._collides(file, file.path, f"the human deleted {file.old_path} and added this with another text")
                return
            # The human made the same move.
            self._update(msgspec.structs.replace(file, kind="update", moved_from=None), target)
        elif _is(target, file.after, file.after_mode) and _is(source, file.before, file.before_mode):
            # The human copied it; what is left is to remove it from where it was.
            gone = msgspec.structs.replace(file, path=file.old_path, moved_from=None)
            self._keep(gone, source, None, 0, make_blocks(gone.path, source.data or b"", b""))
        else:
            self._collides(file, file.path, f"the draft moved {file.old_path} there, but it exists")

    def _update(self, file: FilePatch, now: FileChange | None) -> None:
        """Carry the text of a file over to what stands there now."""
        if now is None or now.data is None:
            self._collides(file, file.path, "the human deleted or moved it, the draft changed it")
            return
        mode = _mode(file, now)
        if _is(now, file.before, file.before_mode):
            self._keep(file, now, self._get(file.after), mode, file.blocks)
        elif _is(now, file.after, file.after_mode):
            self._keep(file, now, now.data, mode, ())
        elif SYMLINK in {now.mode, file.before_mode, file.after_mode}:
            self._collides(
                file, file.old_path, "the human changed it, the draft changed it, and one of them is a symlink"
            )
        elif file.before == file.after:
            self._keep(file, now, now.data, mode, ())
        else:
            self._text(file, now, mode)

    def _text(self, file: FilePatch, now: FileChange, mode: int) -> None:
        old, new = self._get(file.before), self._get(file.after)
        assert now.data is not None
        try:
            alike = encoding.decode_alike(old, new, now.data)
        except NotTextError:
            alike = None
        if alike is None or not file.blocks:
            reason = "the human changed it, the draft changed it, and it can't be merged as text"
            self._collides(file, file.old_path, reason)
            return
        base, current = split_lines(alike[0][0]), split_lines(alike[0][2])
        splices = self._splices(file, base, current)
        text = "".join(spliced(current, splices))
        try:
            data = encoding.rewrite(now.data, text) if splices else now.data
            # Emptied by the patch, and no longer empty: what is left needs its byte order mark.
            lost = "would lose its byte order mark" if encoding.decode(data)[0] != text else ""
        except NotTextError as error:
            data, lost = b"", error.message
        if lost:
            self._collides(file, file.old_path, f"with the human's edits in it, it {lost}")
            return
        self._keep(file, now, data, mode, blocks_of(file.path, splices))

    def _splices(self, file: FilePatch, base: Sequence[str], current: Sequence[str]) -> list[Splice]:
        """The blocks that go over the current text; those that collide are noted."""
        there = changed_ranges(base, current)
        wanted = [Edit(at := one.old_start - 1, at + len(one.removed), one.added, is_ours=True) for one in file.blocks]
        # Edits of one side keep their order in the groups.
        blocks, changes = iter(file.blocks), iter(there)
        splices: list[Splice] = []
        shift = floor = 0
        made = drawn_alike(edits_of(there, current, is_ours=False), wanted, base)
        for group in overlapping([*wanted, *made]):
            mine = [next(blocks) for edit in group if edit.is_ours]
            grown = sum((d - c) - (b - a) for a, b, c, d in (next(changes) for edit in group if not edit.is_ours))
            if len(mine) == len(group):
                for one in mine:
                    if (at := one.old_start - 1 + shift) >= floor:
                        splices.append(Splice(at, one.removed, one.added, one.id))
                    else:
                        self._stale.append(StaleBlock(file.old_path, one, at + 1, one.removed, one.added))
            elif mine:
                start, end = group[0].start, max(edit.end for edit in group)
                theirs = current[start + shift : end + shift + grown]
                ours = side([edit for edit in group if edit.is_ours], base, start, end)
                open_ones = _missing(mine, start, ours, theirs)
                if name := next((one.id for one in open_ones if one.id in self._over), ""):
                    place = settle(self._over[name], name, start + shift, (theirs, ours), current)
                    # A text of somebody's own may go over more than collides here: nothing else may stand in that.
                    if place is not None and (not splices or splices[-1].at + len(splices[-1].old) <= place.at):
                        splices.append(place)
                        open_ones, floor = [], place.at + len(place.old)
                self._stale += [
                    StaleBlock(file.old_path, one, start + shift + 1, tuple(theirs), tuple(ours)) for one in open_ones
                ]
            shift += grown
        return splices

    def _keep(
        self, file: FilePatch, now: FileChange | None, data: bytes | None, mode: int, blocks: tuple[Block, ...]
    ) -> None:
        """Note what a file becomes over what stands now, if there is anything left of it."""
        before = None if now is None else now.data
        before_mode = 0 if now is None else now.mode
        moved_from = None if before is None or data is None else file.moved_from
        if (before, before_mode, moved_from) == (data, mode, None):
            return
        self._contents |= {content_hash(side): side for side in (before, data) if side is not None}
        kind: FileKind = "add" if before is None else "delete" if data is None else "move" if moved_from else "update"
        self._files.append(
            FilePatch(
                path=file.path,
                kind=kind,
                before=None if before is None else content_hash(before),
                after=None if data is None else content_hash(data),
                before_mode=before_mode,
                after_mode=mode,
                blocks=blocks,
                moved_from=moved_from,
            )
        )


def _missing(blocks: Sequence[Block], start: int, ours: Sequence[str], theirs: Sequence[str]) -> list[Block]:
    """Those of some colliding blocks that the newer text does not hold already.

    Args:
        blocks: All blocks of the place, from top to bottom.
        start: 0-based line of the base at which the place begins.
        ours: The place with all of them in it.
        theirs: The place as it stands now.

    Returns:
        The blocks that are not there: between ``ours`` and ``theirs`` something differs in what they bring, or what
        they take away stands beside it.
    """
    differ = changed_ranges(ours, theirs)
    found = []
    shift = -start
    for block in blocks:
        first = block.old_start - 1 + shift
        last = first + len(block.added)
        shift += len(block.added) - len(block.removed)
        touching = [change for change in differ if change[0] <= last and first <= change[1]]
        broken = any(first == last or (a < last and first < b) for a, b, _, _ in touching)
        back = {line for _, _, c, d in touching for line in theirs[c:d]}
        if broken or back & set(block.removed):
            found.append(block)
    return found


def _is(now: FileChange, digest: str | None, mode: int) -> bool:
    """Whether a file is one of some content: links are no files."""
    return now.data is not None and content_hash(now.data) == digest and (now.mode == SYMLINK) == (mode == SYMLINK)


def _is_kin(old: bytes, new: bytes) -> bool:
    """Whether a file has become of another: at least half of its lines are still there."""
    lines = old.split(b"\n")
    gone = sum(b - a for a, b, _, _ in changed_ranges(lines, new.split(b"\n")))
    return 2 * gone <= len(lines)


def _mode(file: FilePatch, now: FileChange) -> int:
    """The three-way merge of modes: the patch's where it changes it, else what is there."""
    return file.after_mode if file.after_mode != file.before_mode else now.mode
