"""The shape of a patch: files, blocks of changes, lines, with stable ids.

A patch is kept by content: every file names the hash of the text it was made from and of the text
it makes, and its blocks are derived from these two. That is what lets a part of it be selected, and
all of it be rebased, without trusting line numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

FileKind = Literal["add", "update", "delete", "move"]


class Block(msgspec.Struct, frozen=True):
    """One run of changed lines.

    Attributes:
        id: Stable name of the block inside its proposal: a hash of path and changed text.
        old_start: 1-based first line of ``removed`` in the old text (where it would stand, if empty).
        new_start: 1-based first line of ``added`` in the new text (where it would stand, if empty).
        removed: Old lines, each with its own line ending if it has one.
        added: New lines, each with its own line ending if it has one.
    """

    id: str
    old_start: int
    new_start: int
    removed: tuple[str, ...]
    added: tuple[str, ...]


class BlockNames:
    """Names the blocks of one file by what they do: the same change has the same name, wherever it stands.

    Args:
        path: Path of the file after the patch.
        taken: Names that others of its blocks have already.
    """

    def __init__(self, path: str, taken: Iterable[str] = ()) -> None:
        self._path = path
        self._taken = set(taken)
        self._seen: Counter[str] = Counter()

    def name(self, removed: Sequence[str], added: Sequence[str]) -> str:
        """The name of the next block; equal blocks are told apart by their order."""
        # The first paint needs what a patch is, and no hash, which is not free to import.
        import hashlib  # noqa: PLC0415

        text = "\0".join((self._path, "".join(removed), "".join(added)))
        while True:
            self._seen[text] += 1
            name = hashlib.sha256(f"{text}\0{self._seen[text]}".encode()).hexdigest()[:12]
            if name not in self._taken:
                self._taken.add(name)
                return name


class FilePatch(msgspec.Struct, frozen=True):
    """What a patch does to one file.

    Attributes:
        path: Path of the file after the patch, relative to the project, with ``/``.
        kind: ``add``, ``update``, ``delete`` or ``move`` (a move may change text too).
        moved_from: The path before a move, else None.
        before: Content hash before (key of a journal blob), None when the file is new.
        after: Content hash after, None when the file is deleted.
        before_mode: Git-style mode before (0o100644, 0o100755, 0o120000), 0 when new.
        after_mode: Git-style mode after, 0 when deleted.
        blocks: The changed runs, from top to bottom.
    """

    path: str
    kind: FileKind
    before: str | None
    after: str | None
    before_mode: int
    after_mode: int
    blocks: tuple[Block, ...]
    moved_from: str | None = None

    @property
    def old_path(self) -> str:
        """The path the file has before the patch."""
        return self.moved_from or self.path

    @property
    def added(self) -> int:
        """How many lines are added."""
        return sum(len(block.added) for block in self.blocks)

    @property
    def removed(self) -> int:
        """How many lines are removed."""
        return sum(len(block.removed) for block in self.blocks)


class Patch(msgspec.Struct, frozen=True):
    """A set of file changes that stand or fall together.

    Attributes:
        files: One entry a file, ordered by path.
    """

    files: tuple[FilePatch, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path the patch touches, old and new, sorted."""
        return tuple(sorted({name for file in self.files for name in (file.path, file.old_path)}))
