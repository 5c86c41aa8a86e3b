"""Trees of files by content: what a snapshot is, and how its hash is made."""

from __future__ import annotations

import functools
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from agent_core.file_modes import REGULAR

_BUCKETS = 1024


class FileState(msgspec.Struct, frozen=True, gc=False):
    """One file of a tree.

    Attributes:
        hash: SHA-256 of its bytes in hex (of the target's text for a symlink).
        mode: `REGULAR`, `EXECUTABLE` or `SYMLINK`.
    """

    hash: str
    mode: int


class Snapshot(msgspec.Struct, frozen=True, dict=True):
    """The files of a project that are not ignored, at one moment.

    Attributes:
        tree: Hash over all of it, see `tree_hash`.
        files: Path (relative, with ``/``) to state.
    """

    tree: str
    files: Mapping[str, FileState]

    @functools.cached_property
    def buckets(self) -> Buckets:
        """What the hash is made of."""
        return Buckets.of(self.files)


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


def _bucket_of(path: str) -> int:
    return zlib.crc32(path.encode("utf-8", "surrogateescape")) % _BUCKETS


def _bucket_hash(paths: Iterable[str], files: Mapping[str, FileState]) -> bytes:
    digest = hashlib.sha256()
    for path in sorted(paths):
        state = files[path]
        digest.update(f"{path}\0{state.mode:o}\0{state.hash}\n".encode("utf-8", "surrogateescape"))
    return digest.digest()


class Buckets:
    """The files of a tree in buckets by their names, each with a hash of its own.

    A tree that differs in a few files shares the rest with the one it is made of: what it costs to name it does not
    grow with the project.
    """

    def __init__(self, paths: list[tuple[str, ...]], hashes: list[bytes]) -> None:
        self._paths = paths
        self._hashes = hashes

    @classmethod
    def of(cls, files: Mapping[str, FileState]) -> Buckets:
        """The buckets of a whole tree."""
        found: list[list[str]] = [[] for _ in range(_BUCKETS)]
        for path in files:
            found[_bucket_of(path)].append(path)
        return cls([tuple(paths) for paths in found], [_bucket_hash(paths, files) for paths in found])

    def over(self, changed: Iterable[str], files: Mapping[str, FileState]) -> Buckets:
        """The buckets of a tree that differs in some paths.

        Args:
            changed: The paths.
            files: All files of that tree.
        """
        paths, hashes = list(self._paths), list(self._hashes)
        touched: dict[int, set[str]] = {}
        for path in changed:
            touched.setdefault(_bucket_of(path), set()).add(path)
        for number, some in touched.items():
            paths[number] = tuple(path for path in {*paths[number], *some} if path in files)
            hashes[number] = _bucket_hash(paths[number], files)
        return Buckets(paths, hashes)

    def differing(self, other: Buckets) -> Iterator[str]:
        """Paths that may have another state in another tree: those in buckets whose hashes differ."""
        for number, digest in enumerate(self._hashes):
            if digest != other._hashes[number]:
                yield from {*self._paths[number], *other._paths[number]}

    @property
    def tree(self) -> str:
        """The hash of all of it."""
        return hashlib.sha256(b"".join(self._hashes)).hexdigest()


def tree_hash(files: Mapping[str, FileState]) -> str:
    """Hash of a whole tree: SHA-256 over the hashes of its buckets, each over path, mode and content hash of its files.

    A file's bucket goes by the CRC-32 of its path.
    """
    return Buckets.of(files).tree


def snapshot_of(files: Mapping[str, FileState]) -> Snapshot:
    """The snapshot that has these files."""
    return _with_buckets(files, Buckets.of(files))


def _with_buckets(files: Mapping[str, FileState], buckets: Buckets) -> Snapshot:
    found = Snapshot(buckets.tree, files)
    # Known already, so that nobody makes them once more.
    found.__dict__["buckets"] = buckets
    return found


def with_changes(base: Snapshot, changes: Changes) -> Snapshot:
    """The snapshot that results from putting changes over a base."""
    return with_states(
        base,
        {
            path: None if change.data is None else FileState(content_hash(change.data), change.mode)
            for path, change in changes.items()
        },
    )


def with_states(base: Snapshot, states: Mapping[str, FileState | None]) -> Snapshot:
    """The snapshot in which some files of a base are others; None for those that are not there."""
    files = dict(base.files)
    for path, state in states.items():
        if state is None:
            files.pop(path, None)
        else:
            files[path] = state
    return _with_buckets(files, base.buckets.over(states, files))


def differing(before: Snapshot, after: Snapshot) -> list[str]:
    """The paths that two snapshots differ in, sorted; what it costs does not grow with what they share."""
    if before is after or before.tree == after.tree:
        return []
    paths = before.buckets.differing(after.buckets)
    return sorted(path for path in paths if before.files.get(path) != after.files.get(path))
