"""Copying a project, for systems where it cannot be overlaid: its files, and what they need that git does not know."""

from __future__ import annotations

import ast
import contextlib
import ctypes
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent_core.workspace.ignore import CACHES, DEPENDENCIES

# FICLONE of linux/fs.h: share the data of a file until one of the two is written to.
_FICLONE = 0x40049409

# Made from the sources, and made again where they are needed; writing through a link would reach the human's.
_OUTPUTS = frozenset({"build", "dist", "target", "site", "_build"})
_SMALL = 1_000_000
_LIBRARIES = (".so", ".pyd", ".dylib")
_LIBRARY = 100_000_000
_MOST_FILES = 5_000


def _clone(source: Path, target: Path) -> None:
    """Copy a file's bytes, sharing them on disk where the file system can."""
    if os.uname().sysname == "Darwin":
        with contextlib.suppress(AttributeError):
            if ctypes.CDLL(None).clonefile(os.fsencode(source), os.fsencode(target), 1) == 0:
                return
    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
        except OSError:
            shutil.copyfileobj(old, new, 1 << 20)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or link with its times and mode; what is gone or unreadable is left out."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError, PermissionError):
        if source.is_symlink():
            target.symlink_to(source.readlink())
            return
        _clone(source, target)
        shutil.copystat(source, target)


def _copy_ignored(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """What of an ignored file or folder is to be copied: local configuration and generated code, not bulk."""
    if source.name in CACHES or source.name in _OUTPUTS:
        return
    if source.is_symlink() or not source.is_dir():
        with contextlib.suppress(OSError):
            size = source.lstat().st_size
            if size <= _SMALL or (source.suffix in _LIBRARIES and size <= _LIBRARY):
                yield source, target
        return
    if source.name in DEPENDENCIES or (source / "pyvenv.cfg").is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source)
        return
    with contextlib.suppress(OSError):
        for entry in sorted(source.iterdir()):
            yield from _copy_ignored(entry, target / entry.name)


def copy_project(project: Path, target: Path, files: Iterable[str], ignored: Iterable[str]) -> None:
    """Copy a project.

    Args:
        project: The project's folder.
        target: A folder that does not exist yet.
        files: Relative paths of the files to copy.
        ignored: Relative paths git ignores: installed dependencies are linked, caches and build outputs left out, the
            rest is copied where it is small.
    """
    target.mkdir(parents=True)
    for path in files:
        _copy(project / path, target / path)
    copied = 0
    for path in ignored:
        for source, place in _copy_ignored(project / path.rstrip("/"), target / path.rstrip("/")):
            _copy(source, place)
            copied += 1
            if copied >= _MOST_FILES:
                return


def copy_repository(project: Path, target: Path) -> None:
    """Give a copy a repository of its own that borrows the project's objects, so that git commands work in it."""
    marker = project / ".git"
    try:
        own = marker
        if marker.is_file():
            own = project / marker.read_text().removeprefix("gitdir:").strip()
        common = own / (own / "commondir").read_text().strip() if (own / "commondir").is_file() else own
        if not (own / "HEAD").is_file():
            return
        new = target / ".git"
        (new / "objects" / "info").mkdir(parents=True)
        (new / "objects" / "info" / "alternates").write_text(f"{(common / 'objects').resolve()}\n")
        for folder, name in ((own, "HEAD"), (own, "index"), (common, "config"), (common, "packed-refs")):
            if (folder / name).is_file():
                shutil.copyfile(folder / name, new / name)
        (new / "refs").mkdir()
        if (common / "refs").is_dir():
            shutil.copytree(common / "refs", new / "refs", dirs_exist_ok=True)
        if (common / "info" / "exclude").is_file():
            (new / "info").mkdir()
            shutil.copyfile(common / "info" / "exclude", new / "info" / "exclude")
    except OSError:
        # Without it the checks still work; those that ask git say so themselves.
        shutil.rmtree(target / ".git", ignore_errors=True)


def _mapping(finder: Path) -> Iterator[tuple[str, Path]]:
    """Names and places in the finder module that setuptools writes for an editable install."""
    try:
        tree = ast.parse(finder.read_text("utf-8"))
    except (OSError, SyntaxError, ValueError):
        return
    for node in tree.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id="MAPPING"), value=ast.Dict() as value):
                pass
            case ast.Assign(targets=[ast.Name(id="MAPPING")], value=ast.Dict() as value):
                pass
            case _:
                continue
        for name, place in ast.literal_eval(value).items():
            yield str(name), Path(str(place))


def editable_paths(prefix: Path, project: Path, target: Path, shims: Path) -> tuple[Path, ...]:
    """Folders to put first on a copy's PYTHONPATH so that editable installs import the copy's code.

    Args:
        prefix: The environment whose installs are looked at.
        project: The project they may point into.
        target: The copy of the project.
        shims: A folder in which links are made for packages that have another name than their folder.

    Returns:
        Folders of the copy in the order of the environment's own entries.
    """
    found: dict[Path, None] = {}
    for site in sorted(prefix.glob("lib/python*/site-packages")):
        for entry in sorted(site.glob("*.pth")):
            for line in entry.read_text("utf-8", "replace").splitlines():
                place = Path(os.path.realpath(site / line.strip()))
                if line.strip() and not line.startswith(("import ", "import\t", "#")) and _inside(place, project):
                    found[target / place.relative_to(project)] = None
        for finder in sorted(site.glob("__editable___*_finder.py")):
            for name, origin in _mapping(finder):
                place = Path(os.path.realpath(origin))
                if not _inside(place, project):
                    continue
                mirrored = target / place.relative_to(project)
                if mirrored.name == name.rpartition(".")[2] and "." not in name:
                    found[mirrored.parent] = None
                elif "." not in name:
                    shims.mkdir(exist_ok=True)
                    with contextlib.suppress(FileExistsError):
                        (shims / name).symlink_to(mirrored)
                    found[shims] = None
    return tuple(found)


def _inside(place: Path, project: Path) -> bool:
    return place.is_relative_to(project) and not place.is_relative_to(project / ".venv")
