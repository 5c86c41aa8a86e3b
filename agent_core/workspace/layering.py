"""Writing a candidate to disk: the layer an overlay puts over the project, or the copy that stands in for it."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from agent_core.errors import SandboxError
from agent_core.file_modes import SYMLINK
from agent_core.sandbox.choose import Mechanism
from agent_core.sandbox.layer import RunLayer
from agent_core.sandbox.warm import WarmRuns
from agent_core.workspace.copy import copy_project, copy_repository
from agent_core.workspace.ignore import DEPENDENCIES
from agent_core.workspace.shadows import Shadows
from agent_core.workspace.snapshot import Scanner
from agent_core.workspace.stamps import Stamps
from agent_core.workspace.tree import Changes, FileChange, Snapshot, content_hash

_MOST_REMOVED = 1_000_000


class Ground(msgspec.Struct, frozen=True):
    """What all candidates of a project share.

    Attributes:
        root: The project.
        state: Its state folder.
        mechanism: How candidates are isolated.
        prefix: The environment of the interpreter, None for a plain one.
        environment: The environment of commands.
        visible: Folders outside the project that commands must be able to read.
        scanner: Takes the project's snapshots.
        stamps: Gives modification times.
        shadows: Tells which trees have files that would be imported in place of what is installed.
        warm: The warm processes in which commands can begin; None where there can be none.
    """

    root: Path
    state: Path
    mechanism: Mechanism
    prefix: Path | None
    environment: Mapping[str, str]
    visible: tuple[Path, ...]
    scanner: Scanner
    stamps: Stamps
    shadows: Shadows
    warm: WarmRuns | None


def read_below(root: Path, path: str) -> bytes | None:
    """The bytes of a file below a folder, a link's target text; None when there is none.

    Folders that are links are not followed: what lies behind them is no part of the tree.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts:
        return None
    place = root
    try:
        for part in parts[:-1]:
            place /= part
            if not stat.S_ISDIR(place.lstat().st_mode):
                return None
        place /= parts[-1]
        kind = place.lstat().st_mode
        if stat.S_ISLNK(kind):
            return os.fsencode(place.readlink())
        return place.read_bytes() if stat.S_ISREG(kind) else None
    except (OSError, ValueError):
        return None


def read_small(root: Path, path: str, most: int) -> bytes | None:
    """As `read_below`; None also for what has more bytes than that, which is not even read."""
    try:
        if (root / path).lstat().st_size > most:
            return None
    except (OSError, ValueError):
        return None
    return read_below(root, path)


def _check(path: str) -> None:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path or ".git" in path.lower().split("/"):
        raise SandboxError(f"{path!r} is not a path in the project; the candidate cannot be made.")


def _write(place: Path, change: FileChange, time_ns: int) -> None:
    """Write a file or link with its mode and modification time, in place of what is there."""
    assert change.data is not None
    if place.is_symlink() or place.exists():
        place.unlink()
    if change.mode == SYMLINK:
        place.symlink_to(os.fsdecode(change.data))
    else:
        place.write_bytes(change.data)
        place.chmod(0o755 if change.mode & 0o100 else 0o644)
    os.utime(place, ns=(time_ns, time_ns), follow_symlinks=False)


def _make_folders(project: Path, upper: Path, path: str) -> None:
    """Make the folders above a file in the upper layer, with the modes the project's have.

    In an overlay the topmost layer's folder gives the mode of the merged one.
    """
    parts = PurePosixPath(path).parts[:-1]
    for depth in range(1, len(parts) + 1):
        folder = upper.joinpath(*parts[:depth])
        if folder.is_dir():
            continue
        folder.mkdir()
        with contextlib.suppress(OSError):
            kind = project.joinpath(*parts[:depth]).lstat().st_mode
            if stat.S_ISDIR(kind):
                folder.chmod(stat.S_IMODE(kind) | 0o700)


def _compiled(project: Path, paths: Iterable[str]) -> list[str]:
    """Compiled files beside Python sources that may belong to their old content."""
    stems: dict[PurePosixPath, set[str]] = {}
    for pure in map(PurePosixPath, paths):
        if pure.suffix == ".py":
            stems.setdefault(pure.parent / "__pycache__", set()).add(pure.stem)
    found: list[str] = []
    for folder, names in stems.items():
        with contextlib.suppress(OSError):
            compiled = [entry.name for entry in (project / folder).iterdir() if entry.suffix == ".pyc"]
            found.extend(str(folder / name) for name in compiled if name.partition(".")[0] in names)
    return found


def _is_in(tree: Snapshot, name: str) -> bool:
    """Whether a tree has a file of this name, or a folder with files."""
    return name in tree.files or any(path.startswith(f"{name}/") for path in tree.files)


def _emptied(project: Path, gone: Sequence[str], after: Snapshot) -> list[str]:
    """Folders of which nothing but compiled files is left once some files are gone."""
    removed = set(gone)
    found: list[str] = []
    for parent in sorted({p for path in gone for p in PurePosixPath(path).parents}, key=lambda p: -len(p.parts)):
        name = str(parent)
        if name == ".":
            continue
        with contextlib.suppress(OSError):
            rest = [entry for entry in (project / name).iterdir() if entry.name != "__pycache__"]
            # All names of the tree are looked through for those few folders only in which nothing else is left.
            if all(f"{name}/{entry.name}" in removed for entry in rest) and not _is_in(after, name):
                found.append(name)
                removed.add(name)
    return found


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours with all that is in it, also where commands have taken away the rights to."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
        for place, below, _ in os.walk(folder):
            for child in (Path(place) / name for name in below):
                if not child.is_symlink():
                    child.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def differing(base: Snapshot, changes: Changes) -> dict[str, FileChange]:
    """The changes that change something."""
    found: dict[str, FileChange] = {}
    for path, change in sorted(changes.items()):
        _check(path)
        old = base.files.get(path)
        if change.data is None:
            if old is not None:
                found[path] = change
        elif old is None or old.mode != change.mode or old.hash != content_hash(change.data):
            found[path] = change
    return found


def _contents(ground: Ground, base: Snapshot, changes: Mapping[str, FileChange]) -> dict[str, tuple[FileChange, int]]:
    """Every file that the candidate has to write itself, with its modification time."""
    written = {path: content_hash(change.data) for path, change in changes.items() if change.data is not None}
    times = ground.stamps.assign(written, base.files, ground.scanner.recent, ground.scanner.modified_at)
    found: dict[str, tuple[FileChange, int]] = {}
    for path, time_ns in times.items():
        change = changes.get(path)
        if change is not None and change.data is None:
            continue
        if change is None:
            state = base.files[path]
            data = read_below(ground.root, path)
            if data is None or content_hash(data) != state.hash:
                continue
            change = FileChange(data, state.mode)
        found[path] = (change, time_ns)
    return found


def _linked_dependencies(project: Path, base: Snapshot) -> Iterator[Path]:
    """The links that stand for the project's installed dependencies, where these are kept elsewhere.

    A link that is part of the tree may come from anybody: it has to lead to a folder of such a name.
    """
    for name in sorted(DEPENDENCIES):
        link = project / name
        if not link.is_symlink():
            continue
        real = Path(os.path.realpath(link))
        if real.is_dir() and (name not in base.files or real.name in DEPENDENCIES or (real / "pyvenv.cfg").is_file()):
            yield link


def build_layer(
    ground: Ground, folder: Path, cache: Path, *, base: Snapshot, after: Snapshot, changes: Mapping[str, FileChange]
) -> RunLayer:
    """Write the layer that an overlay puts over the project.

    Args:
        ground: What candidates share.
        folder: The candidate's own folder, which does not exist yet.
        cache: The folder for tools' caches.
        base: What it stands on.
        after: What it comes to.
        changes: What differs, see `differing`.

    Raises:
        SandboxError: It removes more than a command line can name.
    """
    upper = folder / "upper"
    upper.mkdir(parents=True)
    contents = _contents(ground, base, changes)
    for path, (change, time_ns) in contents.items():
        _make_folders(ground.root, upper, path)
        _write(upper / path, change, time_ns)
    gone = [path for path, change in changes.items() if change.data is None]
    replaced = {str(parent) for path in contents for parent in PurePosixPath(path).parents}
    removed = [path for path in gone if path not in replaced]
    if gone:
        removed += _emptied(ground.root, gone, after)
    removed += _compiled(ground.root, (*contents, *gone))
    if sum(len(os.fsencode(path)) + 3 for path in removed) > _MOST_REMOVED:
        raise SandboxError(f"A change that removes {len(gone)} files at once is too large for a candidate.")
    visible = (*ground.visible, *_linked_dependencies(ground.root, base))
    return RunLayer(ground.root, upper, tuple(sorted(removed)), (cache,), visible)


def build_copy(
    ground: Ground,
    folder: Path,
    cache: Path,
    *,
    base: Snapshot,
    changes: Mapping[str, FileChange],
    ignored: Iterable[str],
) -> RunLayer:
    """Write the copy that stands in for an overlay.

    Args:
        ground: What candidates share.
        folder: The candidate's own folder, which does not exist yet.
        cache: The folder for tools' caches.
        base: What it stands on.
        changes: What differs, see `differing`.
        ignored: What git ignores, see `Lister.ignored`.
    """
    tree = folder / "tree"
    contents = _contents(ground, base, changes)
    copy_project(ground.root, tree, (path for path in base.files if path not in changes), ignored)
    copy_repository(ground.root, tree)
    for path, (change, time_ns) in contents.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        _write(tree / path, change, time_ns)
    return RunLayer(tree, tree, (), (cache,), ground.visible)
