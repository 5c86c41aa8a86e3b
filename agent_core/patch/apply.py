"""Applying a parsed patch to contents: all files or none, and every byte that is not the patch's own stays.

Nothing here touches the disk. Files come from a function and the result is a set of changes, so the
same code serves a candidate, a test and the working tree.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from agent_core.errors import PatchRefusedError
from agent_core.patch.locate import Place, Unplaced, locate
from agent_core.patch.operations import AddFile, DeleteFile, Hunk, Operation, UpdateFile
from agent_core.patch.rebuild import rebuild, split
from agent_core.workspace.paths import check_path
from agent_core.workspace.tree import FileChange

MAX_BYTES = 8_000_000
_REGULAR = 0o100644
_SYMLINK = 0o120000

Reader = Callable[[str], FileChange | None]


class Result(msgspec.Struct, frozen=True):
    """What a patch makes of a tree.

    Attributes:
        changes: Every path that differs afterwards.
        moves: New path to old path, for files that were moved.
    """

    changes: dict[str, FileChange]
    moves: dict[str, str]


class _Failure(msgspec.Struct, frozen=True):
    """A part of the patch that cannot be done."""

    where: str
    reason: str


def apply_operations(operations: Sequence[Operation], read: Reader, paths: Iterable[str], root: Path) -> Result:
    """Apply a patch to a tree.

    Args:
        operations: The patch.
        read: Gives a file of the tree the patch is for, None when it is not there.
        paths: Names of the tree's files, from which close ones are offered for a missing one.
        root: The project's folder, against which paths are checked.

    Returns:
        The changes; only what really differs.

    Raises:
        PatchRefusedError: Some part cannot be done; then nothing is. The message lists every part that failed,
            why, and which parts were fine.
    """
    if not operations:
        raise PatchRefusedError("The patch is empty.", "Name at least one file in it.")
    applier = _Applier(root, read, paths)
    for operation in operations:
        applier.apply(operation)
    return applier.result()


class _Applier:
    """Works through the operations one after the other; later ones see what earlier ones made."""

    def __init__(self, root: Path, read: Reader, paths: Iterable[str]) -> None:
        self._root = root
        self._original = read
        self._known = frozenset(paths)
        self._made: dict[str, FileChange] = {}
        self._moves: dict[str, str] = {}
        self._failures: list[_Failure] = []
        self._fine: list[str] = []

    def apply(self, operation: Operation) -> None:
        """Do one operation, or note why not."""
        try:
            path = check_path(self._root, operation.path)
            if isinstance(operation, AddFile):
                self._add(path, operation)
            elif isinstance(operation, DeleteFile):
                self._delete(path)
            else:
                self._update(path, operation)
        except PatchRefusedError as error:
            where = f" (line {operation.number} of the patch)" if operation.number else ""
            self._failures.append(_Failure(f"{operation.path}{where}", str(error).removeprefix(f"{operation.path}: ")))

    def result(self) -> Result:
        """The changes, or the refusal."""
        if self._failures:
            raise PatchRefusedError(self._report())
        changes = {}
        for path, change in sorted(self._made.items()):
            before = self._before(path)
            if (before is None and change.data is not None) or (before is not None and before != change):
                changes[path] = change
        if not changes:
            raise PatchRefusedError(
                "The patch changes nothing: every file already is as the patch would make it.",
                "Read the files again before the next patch.",
            )
        moves: dict[str, str] = {}
        for new, old in self._moves.items():
            there = new in changes and changes[new].data is not None
            if there and old in changes and changes[old].data is None and old not in moves.values():
                moves[new] = old
        return Result(changes, moves)

    def _before(self, path: str) -> FileChange | None:
        found = self._original(path)
        return None if found is None or found.data is None else found

    def _read(self, path: str) -> FileChange | None:
        """A file as the operations so far have left it."""
        if path not in self._made:
            return self._before(path)
        change = self._made[path]
        return None if change.data is None else change

    def _existing(self, path: str) -> tuple[bytes, int]:
        found = self._read(path)
        if found is None or found.data is None:
            raise PatchRefusedError(f"{path}: there is no such file.", self._close_names(path))
        if found.mode == _SYMLINK:
            raise PatchRefusedError(f"{path}: is a symlink.", "Name the file it points to.")
        return found.data, found.mode

    def _close_names(self, path: str) -> str:
        """Names much like a missing one; a file of the same name in another folder comes first."""
        known = sorted(name for name in self._known | self._made.keys() if self._stands(name))
        name = path.rpartition("/")[2]
        same = [other for other in known if other.rpartition("/")[2] == name and other != path]
        close = dict.fromkeys([*same[:3], *difflib.get_close_matches(path, known, n=3)])
        return f"Did you mean {' or '.join(list(close)[:3])}?" if close else "To make a new file, write '*** Add File'."

    def _stands(self, path: str) -> bool:
        """Whether a file of that name is there after the operations so far, by its name alone."""
        return self._made[path].data is not None if path in self._made else path in self._known

    def _check_room(self, path: str) -> None:
        """Refuse a new file below another file, or in the place of a folder."""
        parent = path.rpartition("/")[0]
        while parent:
            if self._stands(parent):
                raise PatchRefusedError(f"{path}: {parent} is a file, not a folder.")
            parent = parent.rpartition("/")[0]
        if any(name.startswith(f"{path}/") and self._stands(name) for name in self._known | self._made.keys()):
            raise PatchRefusedError(f"{path}: is a folder; a patch names files.")

    def _add(self, path: str, operation: AddFile) -> None:
        data = operation.text.encode("utf-8")
        _check_size(path, data)
        self._check_room(path)
        there = self._read(path)
        if there is not None and there.data != data:
            raise PatchRefusedError(
                f"{path}: exists already, and adding it again would lose its text.",
                "Change it with '*** Update File', or delete it first with '*** Delete File' in the same patch.",
            )
        self._made[path] = there or FileChange(data, self._mode_of_deleted(path))
        self._fine.append(path)

    def _mode_of_deleted(self, path: str) -> int:
        """The mode of a new file: that of the one it replaces, where the same patch deleted it."""
        before = self._before(path) if path in self._made else None
        return before.mode if before is not None and before.mode != _SYMLINK else _REGULAR

    def _delete(self, path: str) -> None:
        self._existing(path)
        self._made[path] = FileChange(None, 0)
        self._moves.pop(path, None)
        self._fine.append(path)

    def _update(self, path: str, operation: UpdateFile) -> None:
        data, mode = self._existing(path)
        target = path
        if operation.move_to is not None:
            target = check_path(self._root, operation.move_to)
            if target != path and self._read(target) is not None:
                raise PatchRefusedError(
                    f"{path}: cannot be moved to {target}, which exists.",
                    f"Delete {target} first with '*** Delete File' in the same patch, or choose another name.",
                )
            self._check_room(target)
        if operation.hunks:
            changed = self._hunks(path, data, operation.hunks)
            if changed is None:
                return
            data = changed
        self._made[target] = FileChange(data, mode)
        if target != path:
            self._made[path] = FileChange(None, 0)
            self._moves[target] = self._moves.pop(path, path)
        if not operation.hunks:
            self._fine.append(path)

    def _hunks(self, path: str, data: bytes, hunks: Sequence[Hunk]) -> bytes | None:
        """The content with all hunks in it; None, with the failures noted, when one has no place."""
        text = _decode(path, data)
        answers = locate([line for line, _ in split(text)], hunks)
        places: list[Place] = []
        for number, (hunk, answer) in enumerate(zip(hunks, answers, strict=True), 1):
            name = f"{path}, hunk {number}"
            if isinstance(answer, Unplaced):
                self._failures.append(_Failure(f"{name} (line {hunk.number} of the patch)", answer.reason))
            else:
                self._fine.append(name)
                places.append(answer)
        if len(places) < len(hunks):
            return None
        changed = rebuild(text, places).encode("utf-8")
        _check_size(path, changed)
        return changed

    def _report(self) -> str:
        """Everything that failed and everything that did not."""
        failed = [f"- {failure.where}: {failure.reason}" for failure in self._failures]
        count = f"{len(failed)} part{'s' if len(failed) > 1 else ''} of it failed"
        lines = [f"The patch was refused and no file was changed: {count}.", *failed]
        if self._fine:
            lines.append(f"These were fine: {'; '.join(dict.fromkeys(self._fine))}.")
        lines.append("Mend what failed and send the whole patch again, with the parts that were fine.")
        return "\n".join(lines)


def _check_size(path: str, data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise PatchRefusedError(f"{path}: is larger than {MAX_BYTES // 1_000_000} MB, which patches may not be.")


def _decode(path: str, data: bytes) -> str:
    _check_size(path, data)
    if b"\0" in data:
        raise PatchRefusedError(f"{path}: is a binary file, which a patch cannot change.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PatchRefusedError(f"{path}: is not UTF-8 (line {line}), so a patch cannot change it safely.") from error
