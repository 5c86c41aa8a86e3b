"""Replays of a repository's history: each commit is written as a patch in each format and applied to its parent."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from agent_core.errors import PatchRefusedError
from agent_core.patch.apply import apply_operations
from agent_core.patch.formats import Format
from agent_core.patch.read import read_patch
from agent_core.workspace.tree import FileChange
from tests.support.patch_writers import CannotSayError, FileEdit, write_blocks, write_envelope, write_unified

WRITERS: dict[Format, Callable[[Iterable[FileEdit]], str]] = {
    "envelope": write_envelope,
    "blocks": write_blocks,
    "unified": write_unified,
}
OUTCOMES = ("exact", "newline", "endings", "refused", "wrong")


class Commit(NamedTuple):
    """One commit against its parent.

    Attributes:
        name: Its hash.
        edits: What it does to text files; binary ones and symlinks are left out.
        paths: Every path of the parent's tree.
    """

    name: str
    edits: tuple[FileEdit, ...]
    paths: tuple[str, ...]


class Replayed(NamedTuple):
    """What came of one commit in one format.

    Attributes:
        outcome: ``exact``; ``newline`` when only final newlines differ; ``endings`` when only line endings do;
            ``refused``; ``wrong``; ``unsaid`` when the format has no way to say it.
        detail: The refusal, or the files that are wrong.
    """

    outcome: str
    detail: str = ""


class _Blobs:
    """Contents by their names, from one running ``git cat-file``."""

    def __init__(self, root: Path) -> None:
        self._process = subprocess.Popen(
            ["git", "-C", str(root), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def get(self, name: str) -> bytes:
        asked, told = self._process.stdin, self._process.stdout
        assert asked is not None
        assert told is not None
        asked.write(f"{name}\n".encode())
        asked.flush()
        return _read_blob(told)

    def close(self) -> None:
        self._process.communicate(timeout=10)


def _read_blob(told: IO[bytes]) -> bytes:
    size = int(told.readline().split()[2])
    data = told.read(size)
    told.read(1)
    return data


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, timeout=120)
    return done.stdout.decode("utf-8", "replace")


def commits(root: Path, most: int = 0) -> Iterator[Commit]:
    """The commits of a repository that have one parent and change text, newest first.

    Args:
        root: The repository.
        most: At most so many; 0 for all.
    """
    blobs = _Blobs(root)
    found = 0
    try:
        for line in _git(root, "rev-list", "--parents", "--no-merges", "HEAD").splitlines():
            names = line.split()
            if len(names) != 2 or (most and found >= most):
                continue
            edits = tuple(_edits(root, blobs, names[1], names[0]))
            if edits:
                found += 1
                paths = _git(root, "ls-tree", "-r", "--name-only", "-z", names[1]).split("\0")
                yield Commit(names[0], edits, tuple(path for path in paths if path))
    finally:
        blobs.close()


def _edits(root: Path, blobs: _Blobs, parent: str, commit: str) -> Iterator[FileEdit]:
    fields = iter(_git(root, "diff-tree", "-r", "-z", "--raw", "-M", "--no-abbrev", parent, commit).split("\0"))
    for field in fields:
        if not field.startswith(":"):
            continue
        old_mode, mode, old, new, status = field[1:].split()
        path = next(fields)
        move_to = next(fields) if status[0] == "R" else None
        modes = int(old_mode, 8), int(mode, 8)
        if not {*modes} <= {0, 0o100644, 0o100755}:
            continue
        try:
            before = blobs.get(old).decode() if modes[0] else None
            after = blobs.get(new).decode() if modes[1] else None
        except UnicodeDecodeError:
            continue
        if "\0" in f"{before}{after}":
            continue
        yield FileEdit(path, before, after, move_to, modes[0] or 0o100644, modes[1] or 0o100644)


def replay(commit: Commit, form: Format, root: Path) -> Replayed:
    """Write a commit as a patch, read that, and apply it to the parent.

    Args:
        commit: The commit.
        form: The format to write.
        root: Any folder without the commit's files: paths are checked against it.
    """
    if form == "blocks" and any(_ends(edit.before) != _ends(edit.after) for edit in commit.edits):
        return Replayed("unsaid", "final newlines")
    if form != "unified" and any(_endings(edit.before) != _endings(edit.after) for edit in commit.edits):
        return Replayed("unsaid", "line endings")
    try:
        text = WRITERS[form](commit.edits)
    except CannotSayError as error:
        return Replayed("unsaid", str(error))
    tree = {
        edit.path: FileChange(edit.before.encode(), edit.old_mode) for edit in commit.edits if edit.before is not None
    }
    try:
        reading = read_patch(text)
        result = apply_operations(reading.operations, tree.get, commit.paths, root)
    except PatchRefusedError as error:
        return Replayed("refused", str(error))
    if reading.format != form:
        return Replayed("wrong", f"read as {reading.format}")
    wanted: dict[str, FileChange] = {}
    for edit in commit.edits:
        if edit.after is None or edit.move_to is not None:
            wanted.setdefault(edit.path, FileChange(None, 0))
        if edit.after is not None:
            wanted[edit.move_to or edit.path] = FileChange(edit.after.encode(), edit.mode)
    return _compared(wanted, {**tree, **result.changes})


def _ends(text: str | None) -> bool:
    """Whether a text ends with a newline, as files do unless something is said of it."""
    return not text or text.endswith("\n")


def _endings(text: str | None) -> bool:
    """Whether a text has lines that end with CRLF."""
    return text is not None and "\r\n" in text


def _compared(wanted: dict[str, FileChange], got: dict[str, FileChange]) -> Replayed:
    differ = [
        path
        for path in sorted(wanted.keys() | got.keys())
        if _state(wanted.get(path)) != _state(got.get(path)) and (path in wanted or got[path].data is None)
    ]
    if not differ:
        return Replayed("exact")
    for outcome, alike in (("newline", _without_end), ("endings", _without_endings)):
        if all(path in wanted and path in got and alike(wanted[path]) == alike(got[path]) for path in differ):
            return Replayed(outcome, ", ".join(differ))
    return Replayed("wrong", ", ".join(differ))


def _state(change: FileChange | None) -> tuple[bytes, int] | None:
    return None if change is None or change.data is None else (change.data, change.mode)


def _without_end(change: FileChange) -> tuple[bytes, int] | None:
    return None if change.data is None else (change.data.rstrip(b"\r\n"), change.mode)


def _without_endings(change: FileChange) -> tuple[bytes, int] | None:
    return None if change.data is None else (change.data.replace(b"\r\n", b"\n").rstrip(b"\n"), change.mode)


def tally(results: Sequence[Replayed]) -> Counter[str]:
    """How often each outcome came."""
    return Counter(result.outcome for result in results)
