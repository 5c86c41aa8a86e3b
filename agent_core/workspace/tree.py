"""Trees of files by content: what a snapshot is, and how its hash is made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import msgspec

REGULAR, EXECUTABLE, SYMLINK = 0o100644, 0o100755, 0o120000
"""The modes a file can have, in git's notation."""


class FileState(msgspec.Struct, frozen=True):
    """One file of a tree.

    Attributes:
        hash: SHA-256 of its bytes in hex (of the target's text for a symlink).
        mode: `REGULAR`, `EXECUTABLE` or `SYMLINK`.
    """

    hash: str
    mode: int


class Snapshot(msgspec.Struct, frozen=True):
    """The files of a project that are not ignored, at one moment.

    Attributes:
        tree: Hash over all of it, see `tree_hash`.
        files: Path (relative, with ``/``) to state.
    """

    tree: str
    files: Mapping[str, FileState]


class FileChange(msgspec.Struct, frozen=True):
    """What a file becomes in a candidate.

    Attributes:
        data: The bytes it holds afterwards, None when it is deleted.
        mode: Git-style mode afterwards; ignored when deleted.
    """

    data: bytes | None
    mode: int = REGULAR


Changes = Mapping[str, FileChange]

Reader = Callable[[str], FileChange | None]
"""Gives a file of a tree, None when it is not there."""


def content_hash(data: bytes) -> str:
    """SHA-256 of some content, in hex: the one name contents have everywhere in pairloop."""
    return hashlib.sha256(data).hexdigest()


def tree_hash(files: Mapping[str, FileState]) -> str:
    """Hash of a whole tree: SHA-256 over path, mode and content hash of every file, sorted by path."""
    digest = hashlib.sha256()
    for path in sorted(files):
        state = files[path]
        digest.update(f"{path}\0{state.mode:o}\0{state.hash}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def with_changes(base: Snapshot, changes: Changes) -> Snapshot:
    """The snapshot that results from putting changes over a base."""
    files = dict(base.files)
    for path, change in changes.items():
        if change.data is None:
            files.pop(path, None)
        else:
            files[path] = FileState(content_hash(change.data), change.mode)
    return Snapshot(tree_hash(files), files)
