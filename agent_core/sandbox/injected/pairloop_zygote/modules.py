"""What may be imported ahead, and whether it is still what is installed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Container, Iterable, Iterator

# Modules name their files by strings, and there are hundreds to look at before each run.
# ruff: noqa: PTH100, PTH112, PTH116, PTH118, PTH119, PTH123, PTH208


def stamp(path: str) -> list[int] | None:
    """What changes when a file or folder does; None when it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_size, found.st_ino]


def _site_folders() -> list[str]:
    return [path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")]


def below(path: str, folder: str) -> bool:
    """Whether a path is a folder, or in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def installed() -> list[str]:
    """The folders of the environment's own packages, wherever the environment is."""
    return [folder for folder in _site_folders() if below(folder, sys.prefix)]


def _module_files(known: Container[str] = ()) -> Iterator[tuple[str, str]]:
    for name, module in list(sys.modules.items()):
        if name in known or name == "__main__":
            continue
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            yield name, os.path.abspath(file)


def _objection(project: str, known: Container[str] = ()) -> str:
    """Why no run may begin with what is imported now; empty when it may.

    Args:
        project: The folder from which nothing may have been imported.
        known: Names of modules that have been looked at.
    """
    if len(os.listdir("/proc/self/task")) > 1:
        return "it starts threads"
    monitoring = getattr(sys, "monitoring", None)
    if sys.gettrace() or sys.getprofile() or (monitoring and any(map(monitoring.get_tool, range(6)))):
        return "it traces"
    packages = [os.path.realpath(folder) for folder in installed()]
    for name, file in _module_files(known):
        real = os.path.realpath(file)
        if below(real, project) and not any(below(real, folder) for folder in packages):
            return f"{name} is the project's own ({file})"
    return ""


def warm(modules: list[str], project: str) -> tuple[str, str]:
    """Import modules; gives the first one that can't be imported ahead, and why."""
    reason = _objection(project)
    if reason:
        return "", reason
    for name in modules:
        # There are many, and each brings others: looked at is what is new.
        known = frozenset(sys.modules)
        if name in known:
            continue
        try:
            # A command that needs one that can't be imported meets the same and says so.
            with contextlib.suppress(Exception):
                __import__(name)
        except BaseException as error:  # noqa: BLE001 - a module that ends the process while it is imported
            return name, f"it ends with {type(error).__name__}"
        reason = _objection(project, known)
        if reason:
            return name, reason
    # Some put others in the place of what was there.
    return "", _objection(project)


def import_folders(project: str) -> list[tuple[str, bool]]:
    """Folders in the project that were, or would have been, put on the path when Python started."""
    found = {path for path in sys.path if path}
    for folder in _site_folders():
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            if name.endswith(".pth"):
                with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as file:
                    lines = [line.strip() for line in file]
                # What isn't a line of code is a folder.
                lines = [line for line in lines if line and not line.startswith(("#", "import ", "import\t"))]
                found.update(os.path.abspath(os.path.join(folder, line)) for line in lines if "\0" not in line)
    found = {path for path in found if below(os.path.realpath(path), project) or below(path, project)}
    inside = [path for path in found if not any(below(path, folder) for folder in installed())]
    return [(path, os.path.isdir(path)) for path in sorted(inside)]


def stamps() -> dict[str, list[int] | None]:
    """What every run relies on: the files that were loaded, and the folders of what is installed."""
    paths: set[str] = {file for _, file in _module_files()}
    for folder in _site_folders():
        paths.add(folder)
        if os.path.isdir(folder):
            paths.update(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".pth"))
    paths.update((sys.executable, os.path.join(sys.prefix, "pyvenv.cfg")))
    return {path: stamp(path) for path in paths}


def touched(paths: Iterable[str], since: int) -> str:
    """The first of some files and folders that was written, replaced or renamed since a moment; empty when none was.

    Args:
        paths: The files and folders.
        since: Nanoseconds since the epoch.
    """
    for path in paths:
        with contextlib.suppress(OSError):
            if os.stat(path).st_ctime_ns >= since:
                return path
    return ""
