"""Applying a parsed patch to contents: all files or none, and every byte that is not the patch's own stays.

Nothing here writes. Files come from a function and the result is a set of changes, so the same code serves a candidate,
a test and the working tree; the disk is only asked what stands in a path's way.

Operations build on each other from top to bottom. What needs the whole patch is judged at its end: whether a name is
free for a file or a folder, since a later part may make room for an earlier one. A file moved onto one that the same
patch moves away further down takes its place, and the other one goes on from there: so names can be swapped.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence
from pathlib import Path

import msgspec

from agent_core.errors import PatchRefusedError, PatchUnwantedError
from agent_core.file_modes import REGULAR, SYMLINK
from agent_core.patch.closest import already_there
from agent_core.patch.document import Document
from agent_core.patch.encoding import NotTextError, decode, rewrite
from agent_core.patch.fit import fit
from agent_core.patch.limits import check_patch, check_size
from agent_core.patch.operations import AddFile, DeleteFile, HunkLine, Operation, UpdateFile, WriteFile
from agent_core.patch.paths import check_path, plain_path
from agent_core.patch.place import Place
from agent_core.patch.report import Report
from agent_core.patch.stage import File, Stage
from agent_core.patch.whole import as_before, check_whole
from agent_core.workspace.tree import FileChange, Reader


class Result(msgspec.Struct, frozen=True):
    """What a patch makes of a tree.

    Attributes:
        changes: Every path that differs afterwards.
        moves: New path to old path, for files that were moved to a name that was free and left their own one free.
        notes: One sentence for whatever was not exactly as the patch has it.
    """

    changes: dict[str, FileChange]
    moves: dict[str, str]
    notes: tuple[str, ...] = ()


def apply_operations(operations: Sequence[Operation], read: Reader, paths: Collection[str], root: Path) -> Result:
    """Apply a patch to a tree.

    Args:
        operations: The patch.
        read: Gives a file of the tree the patch is for, None when it is not there.
        paths: Names of the tree's files (a set, or a mapping by name, is used as it is): by them names that are
            missing or new are judged.
        root: The project's folder, against which paths are checked.

    Returns:
        The changes; only what really differs.

    Raises:
        PatchRefusedError: Some part cannot be done; then nothing is. It lists every part that failed,
            why, and which parts were fine; it says so when the patch is applied already.
    """
    check_patch(operations)
    applier = _Applier(root, read, paths, operations)
    for number, operation in enumerate(operations):
        applier.apply(number, operation)
    return applier.result()


class _Applier:
    """Works through the operations one after the other; later ones see what earlier ones made."""

    def __init__(self, root: Path, read: Reader, paths: Collection[str], operations: Sequence[Operation]) -> None:
        self._root = root
        self._stage = Stage(root, read, paths)
        self._names = self._stage.names
        # Files in whose place another one was moved, until they are moved on.
        self._displaced: dict[str, File] = {}
        self._report = Report()
        # Nothing is asked for but to replace lines by the same lines.
        self._idle = all(
            isinstance(one, UpdateFile) and one.hunks and all(hunk.idle for hunk in one.hunks) for one in operations
        )
        self._moved_at: dict[str, int] = {}
        self._leaving: set[str] = set()
        for number, operation in enumerate(operations):
            self._note_leaving(number, operation)

    def _note_leaving(self, number: int, operation: Operation) -> None:
        """Note a name that the patch makes free; one it must not write is refused when its turn comes."""
        moves = isinstance(operation, UpdateFile) and operation.move_to is not None
        if not moves and not isinstance(operation, DeleteFile):
            return
        try:
            path = plain_path(operation.path)
        except PatchRefusedError:
            return
        self._leaving.add(path)
        if moves:
            self._moved_at[path] = number

    def apply(self, number: int, operation: Operation) -> None:
        """Do one operation, or note why not."""
        line = f" (line {operation.number} of the patch)" if operation.number else ""
        where = f"{operation.path}{line}"
        try:
            path = self._checked(operation.path, deletes=isinstance(operation, DeleteFile))
            if isinstance(operation, AddFile):
                self._add(number, path, operation)
            elif isinstance(operation, WriteFile):
                self._write(number, path, operation)
            elif isinstance(operation, DeleteFile):
                self._delete(where, number, path, operation)
            else:
                self._update(where, number, path, operation)
        except (PatchRefusedError, NotTextError) as error:
            unwanted = isinstance(error, PatchUnwantedError)
            self._report.fail(where, str(error).removeprefix(f"{operation.path}: "), number, unwanted=unwanted)

    def result(self) -> Result:
        """The changes, or the refusal."""
        changes = self._stage.changes()
        for path, change in changes.items():
            if change.data is not None and self._stage.before(path) is None:
                self._check_room(path)
        if self._report.failed:
            raise self._report.refusal(changes=bool(changes))
        if not changes and self._idle:
            raise PatchRefusedError(
                "The patch changes nothing: its '+' lines are there already, as they are the same as its '-' lines.",
                "Write in the '+' lines what is to stand there instead.",
                already=True,
            )
        if not changes:
            raise PatchRefusedError(
                "The patch changes nothing: every file already is as the patch would make it.",
                "Read the files again before the next patch.",
                already=True,
            )
        return Result(changes, self._stage.moves(changes), tuple(self._report.notes))

    def _checked(self, path: str, *, deletes: bool = False) -> str:
        """A path that may be written, in its normal form."""
        if deletes:
            name = plain_path(path)
            if name not in self._names and self._names.is_folder(name):
                raise self._folder(name)
        return check_path(self._root, path, _Gone(self._leaving, self._stage))

    def _folder(self, path: str) -> PatchRefusedError:
        files = [name for name, _ in zip(self._names.below(path), range(4), strict=False)]
        listed = ", ".join(files[:3]) + (", ..." if len(files) > 3 else "")
        return PatchRefusedError(f"{path}: is a folder; a patch names files.", f"Name each of them: {listed}.")

    def _existing(self, path: str) -> File:
        """The file an operation is about."""
        found = self._displaced.get(path) or self._stage.get(path)
        if found is None:
            raise self._missing(path)
        if found.mode == SYMLINK:
            raise PatchRefusedError(f"{path}: is a symlink.", "Name the file it points to.")
        return found

    def _missing(self, path: str) -> PatchRefusedError:
        if self._stage.touched(path):
            return PatchRefusedError(f"{path}: is deleted or moved away further up in the same patch.")
        if self._names.is_folder(path):
            return self._folder(path)
        close = self._names.close(path)
        new = "A new file has to be added: '*** Add File', or in a block nothing between SEARCH and =======."
        hint = f"Did you mean {' or '.join(close)}?" if close else new
        return PatchRefusedError(f"{path}: there is no such file.", hint)

    def _make_room(self, number: int, target: str, reason: PatchRefusedError) -> None:
        """Let a file that stands in the way be moved on further down in the patch; refuse where it is not."""
        there = self._stage.get(target)
        if there is None:
            return
        if target in self._displaced or self._moved_at.get(target, -1) <= number:
            raise reason
        self._displaced[target] = there

    def _check_room(self, path: str) -> None:
        """Note a new file below another file, in the place of a folder, or with a name too much like another one."""
        above = self._names.file_above(path)
        if above:
            self._report.fail_file(path, f"{above} is a file, not a folder.")
        elif self._names.is_folder(path):
            self._report.fail_file(path, "is a folder; a patch names files.")
        else:
            collision = self._names.collision(path)
            if collision is not None:
                new, old = collision
                self._report.fail_file(
                    path,
                    f"{new} is the same name as {old} where upper and lower case or the form of accents do not count. "
                    f"Write {old}, or choose another name.",
                )

    def _add(self, number: int, path: str, operation: AddFile) -> None:
        data = rewrite(b"", operation.text)
        check_size(path, data)
        there = self._stage.get(path)
        stays = self._moved_at.get(path, -1) <= number
        if there is not None and stays and there.data == data and there.mode != SYMLINK:
            mode = operation.mode or there.mode
            if mode == there.mode:
                self._report.is_there()
            self._stage.put(path, File(data, mode, there.origin))
        else:
            self._make_room(
                number,
                path,
                PatchRefusedError(
                    f"{path}: exists already, and adding it again would lose its text.",
                    "Change it with '*** Update File', or delete it first with '*** Delete File' in the same patch.",
                ),
            )
            self._stage.put(path, File(data, operation.mode or self._mode_of_deleted(path), ""))
        self._report.fine(path, path, number)

    def _write(self, number: int, path: str, operation: WriteFile) -> None:
        there = self._displaced.get(path) or self._stage.get(path)
        if there is None:
            name = path.rpartition("/")[2]
            if close := [one for one in self._names.close(path) if one.rpartition("/")[2] == name]:
                raise PatchRefusedError(
                    f"{path}: there is no such file.",
                    f"Did you mean {' or '.join(close)}? A new file of this name is made with '*** Add File'.",
                )
            self._add(number, path, AddFile(path, operation.text, operation.number))
            return
        file = self._existing(path)
        old, _ = decode(file.data)
        check_whole(path, old, operation.text)
        data = rewrite(file.data, as_before(old, operation.text))
        check_size(path, data)
        if data == file.data:
            self._report.is_there()
        self._stage.put(path, File(data, file.mode, file.origin))
        self._report.fine(path, path, number)

    def _mode_of_deleted(self, path: str) -> int:
        """The mode of a new file: that of the one it replaces, where the same patch deleted it."""
        before = self._stage.before(path) if self._stage.touched(path) else None
        return before.mode if before is not None and before.mode != SYMLINK else REGULAR

    def _delete(self, where: str, number: int, path: str, operation: DeleteFile) -> None:
        if path in self._displaced:
            raise _ambiguous(path)
        if self._stage.get(path) is None and not self._stage.touched(path) and not self._names.close(path):
            self._report.moot(where, "there is no such file.")
            return
        file = self._existing(path)
        if operation.lines is not None:
            _check_lines(path, file.data, operation.lines)
        self._stage.put(path, None)
        self._report.fine(path, path, number)

    def _update(self, where: str, number: int, path: str, operation: UpdateFile) -> None:
        target = path if operation.move_to is None else self._checked(operation.move_to)
        if target == path and path in self._displaced:
            raise _ambiguous(path)
        if target != path and self._moved_already(path, target, operation):
            self._report.stands(where, f"was moved to {target} already, and is there as the patch would make it.")
            return
        if (text := self._only_new(path, operation)) is not None:
            self._report.notes.append(f"{path}: there was no such file, so it is a new one.")
            self._add(number, path, AddFile(path, text, operation.number, operation.mode))
            return
        file = self._existing(path)
        if target != path:
            self._make_room(
                number,
                target,
                PatchRefusedError(
                    f"{path}: cannot be moved to {target}, which exists.",
                    f"Delete {target} first with '*** Delete File' in the same patch, or choose another name.",
                ),
            )
        data = self._hunks(number, path, target, file.data, operation) if operation.hunks else file.data
        self._stage.put(target, File(data, operation.mode or file.mode, file.origin))
        if target != path and self._displaced.pop(path, None) is None:
            self._stage.put(path, None)
        if not operation.hunks:
            self._report.fine(path, target, number)

    def _only_new(self, path: str, operation: UpdateFile) -> str | None:
        """The text of a file that is not there, nor one with a name like it, where an update does nothing but add."""
        lines = [line for hunk in operation.hunks for line in hunk.lines]
        if operation.move_to is not None or not lines or any(line.sign != "+" for line in lines):
            return None
        known = path in self._displaced or self._stage.get(path) is not None or self._stage.touched(path)
        if known or self._names.is_folder(path) or self._names.close(path):
            return None
        return "".join(f"{line.text}\n" for line in lines)

    def _moved_already(self, path: str, target: str, operation: UpdateFile) -> bool:
        """Whether a move with changes has been made before: only the new name is there, with the new lines."""
        there = self._stage.get(target)
        if not operation.hunks or there is None or path in self._displaced or self._stage.get(path) is not None:
            return False
        try:
            document = Document(decode(there.data)[0])
        except NotTextError:
            return False
        return all(already_there(document, hunk.lines) is not None for hunk in operation.hunks)

    def _hunks(self, number: int, path: str, target: str, data: bytes, operation: UpdateFile) -> bytes:
        """The content with all hunks in it; the same content, with the failures noted, when one has no place."""
        check_size(path, data)
        text, _ = decode(data)
        fitted = fit(text, operation.hunks, ordered=operation.ordered)
        for count, (hunk, answer) in enumerate(zip(operation.hunks, fitted.answers, strict=True), 1):
            name = f"{path}, hunk {count}"
            if isinstance(answer, Place):
                self._report.fine(name, target, number)
                if answer.note:
                    self._report.notes.append(f"{name}: {answer.note}.")
                if hunk.idle:
                    self._report.notes.append(f"{name}: its '-' and '+' lines are the same, so it changes nothing.")
            elif answer.already:
                self._report.stands(f"{name} (line {hunk.number} of the patch)", answer.reason)
            else:
                self._report.fail(f"{name} (line {hunk.number} of the patch)", answer.reason)
        if fitted.text is None:
            if any(isinstance(answer, Place) and answer.edits for answer in fitted.answers):
                self._report.is_half()
            return data
        changed = rewrite(data, fitted.text)
        check_size(path, changed)
        return changed


class _Gone:
    """What is on disk but not in the tree the patch makes: the patch removes it, or the tree is a draft without it."""

    def __init__(self, leaving: Container[str], stage: Stage) -> None:
        self._leaving = leaving
        self._stage = stage

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and (path in self._leaving or self._stage.get(path) is None)


def _ambiguous(path: str) -> PatchRefusedError:
    return PatchRefusedError(
        f"{path}: another file is moved here further up, and the one that was here is moved away further down, so it "
        "is not clear which of the two is meant.",
        "Change a moved file in the section that moves it.",
    )


def _check_lines(path: str, data: bytes, shown: Sequence[HunkLine]) -> None:
    """Refuse to delete a file that does not hold the lines the patch shows of it; line endings do not count."""
    check_size(path, data)
    lines = Document(decode(data)[0]).lines
    wanted = [line.text for line in shown]
    if lines == wanted:
        return
    at = next(
        (at for at, (a, b) in enumerate(zip(lines, wanted, strict=False)) if a != b), min(len(lines), len(wanted))
    )
    there = repr(lines[at]) if at < len(lines) else "nothing"
    meant = repr(wanted[at]) if at < len(wanted) else "nothing"
    raise PatchRefusedError(
        f"{path}: is not what the patch would delete: line {at + 1} is {there} in the file and {meant} in the patch.",
        "Read the file again; if it is to go all the same, delete it without showing its lines.",
    )
