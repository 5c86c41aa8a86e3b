"""Taking in a patch that comes from outside: its text, its place in a project, the files it is written against."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from pathlib import Path

import msgspec

from agent_core.errors import PatchRefusedError
from agent_core.patch.apply import apply_operations
from agent_core.patch.choices import BlockChoice, Choices
from agent_core.patch.diff import make_patch
from agent_core.patch.formats import Reading
from agent_core.patch.model import Patch
from agent_core.patch.operations import Operation, UpdateFile
from agent_core.patch.select import select
from agent_core.places import make_private, project_state
from agent_core.workspace.disk import look
from agent_core.workspace.git import current_folder, find_root, project_root
from agent_core.workspace.ignore import Lister
from agent_core.workspace.revision import open_revision
from agent_core.workspace.tree import FileChange, Reader, content_hash


class Target(msgspec.Struct, frozen=True):
    """Where a patch is applied.

    Attributes:
        root: The project's folder.
        folder: The folder that the patch's paths are relative to, as the project names it; empty for its top.
    """

    root: Path
    folder: str = ""


def find_target(project: Path | None) -> Target:
    """Where a patch is applied.

    Args:
        project: The project's folder, as the human named it; None for the project that this process stands in.

    Raises:
        ConfigError: The folder named is none, or the one this process stands in has been removed.
    """
    if project is not None:
        return Target(project_root(project))
    here = current_folder()
    root = find_root(here)
    folder = here.relative_to(root).as_posix()
    return Target(root, "" if folder == "." else folder)


def patch_text(data: bytes) -> str:
    """The text of a patch.

    Raises:
        PatchRefusedError: It is not UTF-8, or there is nothing in it.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PatchRefusedError(
            f"The patch is not UTF-8 (line {line}).", "Save it as UTF-8 and apply it again."
        ) from None
    if not text.strip():
        raise PatchRefusedError("The patch is empty.", "Give it on standard input.")
    return text


def _from_folder(folder: str, operation: Operation) -> Operation:
    """An operation with its paths as the project names them."""
    changes = {"path": _below(folder, operation.path)}
    if isinstance(operation, UpdateFile) and operation.move_to is not None:
        changes["move_to"] = _below(folder, operation.move_to)
    return msgspec.structs.replace(operation, **changes)


def _below(folder: str, path: str) -> str:
    # What is no relative path is left as it is, to be refused under its own name.
    if not folder or not path.strip() or path.startswith(("/", "~/")) or path[1:2] == ":":
        return path
    return f"{folder}/{path}"


class _Before:
    """Gives files as the patch takes them to be, each read once: what it is applied to is what it is compared with."""

    def __init__(self, read: Reader) -> None:
        self._read = read
        self._files: dict[str, FileChange | None] = {}

    def __call__(self, path: str) -> FileChange | None:
        if path not in self._files:
            self._files[path] = self._read(path)
        return self._files[path]

    @property
    def contents(self) -> list[bytes]:
        """Everything that was read."""
        return [file.data for file in self._files.values() if file is not None and file.data is not None]


def _on_disk(root: Path, path: str) -> FileChange | None:
    now = look(root, path)
    if now.obstacle:
        raise PatchRefusedError(f"{path}: {now.obstacle.rstrip('.')}.")
    return None if now.data is None else FileChange(now.data, now.mode)


async def _ground(root: Path, base: str | None) -> tuple[_Before, Collection[str]]:
    """The files that a patch is to be applied to, and their names."""
    if base is None:
        listing = await Lister(root, make_private(project_state(root))).files()
        return _Before(partial(_on_disk, root)), listing.paths
    revision = await open_revision(root, base)
    loop = asyncio.get_running_loop()

    def read(path: str) -> FileChange | None:
        # The patch is applied in a thread; git is waited for on the loop.
        return asyncio.run_coroutine_threadsafe(revision.file(path), loop).result()

    return _Before(read), revision.paths


class Made(msgspec.Struct, frozen=True):
    """A patch in the engine's own form.

    Attributes:
        patch: The patch.
        contents: All contents that it names.
        notes: How it was read and placed.
    """

    patch: Patch
    contents: Mapping[str, bytes]
    notes: tuple[str, ...]


async def make(target: Target, reading: Reading, *, base: str | None, only: Iterable[str]) -> Made:
    """Apply a patch to what it is written against, in memory.

    Args:
        target: Where its paths lead.
        reading: What it asks for.
        base: The git revision it was written against; None for the files as they are.
        only: Ids of blocks and paths of files that are to be taken of it; all of it when empty.

    Raises:
        ConfigError: There is no such revision.
        PatchRefusedError: It does not apply.
        SelectionError: What is chosen of it is not in it.
    """
    before, paths = await _ground(target.root, base)
    operations = [_from_folder(target.folder, operation) for operation in reading.operations]
    result = await asyncio.to_thread(apply_operations, operations, before, paths, target.root)
    patch = make_patch(result.changes, before, result.moves)
    after = [change.data for change in result.changes.values() if change.data is not None]
    contents = {content_hash(data): data for data in (*before.contents, *after)}
    notes = (*reading.notes, *result.notes)
    if wanted := tuple(only):
        selected = select(patch, _choices(patch, wanted), contents.__getitem__)
        return Made(selected.patch, {**contents, **selected.contents}, notes)
    return Made(patch, contents, notes)


def _choices(patch: Patch, wanted: Iterable[str]) -> Choices:
    """What ``--only`` asks for: files by either of their paths, blocks by their ids."""
    files = {name: file.path for file in patch.files for name in (file.old_path, file.path)}
    return Choices(
        default=False,
        files={files[name]: True for name in wanted if name in files},
        blocks={name: BlockChoice(accepted=True) for name in wanted if name not in files},
    )
