"""A stamp of everything outside of a project's tree that its checks' answers depend on and that can be seen."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import agent_core
from agent_core import __version__
from agent_core.protocols import Workspace

_MOST_FILES = 200_000
_PTH = (".pth", ".egg-link")


@runtime_checkable
class Furnished(Protocol):
    """A workspace that tells in which environment its commands run."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of commands."""

    @property
    def state(self) -> Path:
        """The folder outside the project where pairloop keeps what belongs to it."""


def environment_stamp(workspace: Workspace) -> str:
    """What has to be the same for a check to say the same about the same tree again.

    The interpreter, all files installed in its environment and in pairloop's own (by size and modification time),
    variables, isolation, and pairloop itself. What cannot be seen from here is left out: files that git ignores, the
    time of day, the network. So an answer found by this stamp is believed only as far as `agent_core.judge` says.

    Returns:
        The stamp; empty where too much of what the checks use lies where it is not seen: there is no virtual
        environment, it takes in the system's packages, or it has editable installs from outside of the project.
    """
    prefix = workspace.interpreter.prefix
    if prefix is None or not isinstance(workspace, Furnished) or _takes_in_more(prefix):
        return ""
    digest = hashlib.sha256()
    said = (__version__, sys.version, platform.platform(), workspace.isolation, workspace.note)
    where = (str(workspace.root), os.path.realpath(workspace.interpreter.python), str(workspace.interpreter.python))
    for part in (*said, *where, *(f"{name}={value}" for name, value in sorted(workspace.environment.items()))):
        digest.update(f"{part}\0".encode("utf-8", "surrogateescape"))
    own = Path(agent_core.__file__).parent / "checks"
    places = {*_packages(prefix), *_packages(Path(sys.prefix)), own}
    count = 0
    for folder in sorted(places):
        for line in _files(folder):
            count += 1
            digest.update(line.encode("utf-8", "surrogateescape"))
            if count > _MOST_FILES:
                return ""
    allowed = (workspace.root, Path(os.path.realpath(workspace.root)), prefix)
    if any(_leads_out(folder, allowed) for folder in _packages(prefix)):
        return ""
    return digest.hexdigest()


def quick_stamp(workspace: Workspace) -> str:
    """What changes when a package is installed, updated or removed; cheap enough to look at each time."""
    prefix = workspace.interpreter.prefix
    said = []
    for folder in _packages(prefix) if prefix is not None else ():
        try:
            said.append(f"{folder}={folder.stat().st_mtime_ns}")
        except OSError:
            said.append(f"{folder} is gone")
    return "\n".join(said)


def _takes_in_more(prefix: Path) -> bool:
    """Whether an environment is no virtual one, or uses the packages of the system too."""
    try:
        text = (prefix / "pyvenv.cfg").read_text("utf-8", "replace")
    except OSError:
        return True
    lines = (line.partition("=") for line in text.lower().splitlines())
    return any(name.strip() == "include-system-site-packages" and value.strip() == "true" for name, _, value in lines)


def _packages(prefix: Path) -> list[Path]:
    """The folders in which an environment has its packages, and its programs."""
    found = [*prefix.glob("lib*/python*/site-packages"), prefix / "bin"]
    return [Path(path) for path in sorted({os.path.realpath(one) for one in found if one.is_dir()})]


def _files(folder: Path) -> Iterator[str]:
    """A line for each file below a folder; compiled code is left out, as it follows from the rest."""
    waiting = [str(folder)]
    while waiting:
        place = waiting.pop()
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError:
            # What cannot be read, or is gone by now, is nothing that a check goes by.
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    waiting.append(entry.path)
                continue
            try:
                info = entry.stat()
            except OSError:
                continue
            yield f"{entry.path}\0{info.st_size}\0{info.st_mtime_ns}\n"


def _leads_out(packages: Path, allowed: tuple[Path, ...]) -> bool:
    """Whether an editable install, or another file that extends the path, names a folder outside of some."""
    try:
        files = [one for one in packages.iterdir() if one.name.endswith(_PTH) or one.name.startswith("__editable__")]
        texts = [one.read_text("utf-8", "replace") for one in files if one.is_file()]
    except OSError:
        return True
    for text in texts:
        for word in text.replace('"', "'").replace("\n", "'").split("'"):
            path = word.strip()
            if path.startswith("/") and not any(Path(path).is_relative_to(one) for one in allowed):
                return True
    return False
