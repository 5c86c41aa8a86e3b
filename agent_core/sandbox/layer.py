"""What the overlay mechanisms share: the layer of one run, and which folders a private tmp would hide."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from agent_core.protocols import Layer
from agent_core.sandbox.secrets import RUN_NEEDED, Hidden

# Linux takes at most 128 KiB in one argument; names are quoted, which can only make them longer.
_CHUNK = 60_000

# As many links in a row as Linux follows.
_MOST_LINKS = 40

# What of /proc changes the whole system. The kernel lets its root write there from any namespace, without capabilities.
SYSTEM_WIDE = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus")

_REMOVE = 'k=$1; shift; while [ "$k" -gt 0 ]; do eval "rm -rf -- $1"; shift; k=$((k-1)); done; exec "$@"'


class RunLayer(msgspec.Struct, frozen=True):
    """A `Layer` as plain values; see the protocol for what each one means."""

    project: Path
    upper: Path
    removed: tuple[str, ...] = ()
    writable: tuple[Path, ...] = ()
    visible: tuple[Path, ...] = ()
    nice: int = 0


def tmp_folders() -> tuple[Path, ...]:
    """The system's folders for temporary files; a sandbox has its own, empty ones there."""
    found = (Path(os.path.realpath(name)) for name in ("/tmp", "/var/tmp"))  # noqa: S108 - hidden, not written to
    return tuple(dict.fromkeys(path for path in found if path.is_dir()))


def usable_home(home: Path, project: Path) -> Path | None:
    """The home folder where it can be overlaid: it exists, is not the whole system, and is not in the project."""
    if not home.is_absolute() or not home.is_dir():
        return None
    home = Path(os.path.realpath(home))
    return None if home == Path("/") or home.is_relative_to(project) else home


def refuse_home(home: Path, project: Path) -> str:
    """Why a project cannot be overlaid because of where home is; empty when it can."""
    if Path(os.path.realpath(home)).is_relative_to(project):
        return f"{project} is the home folder or holds it; open a folder inside it"
    return ""


def _device(path: Path) -> int | None:
    try:
        return path.stat().st_dev
    except OSError:
        return None


def _in_tmp(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in tmp_folders())


def stations(path: Path) -> Iterator[Path]:
    """The places that a path leads through: itself, then what it is a link to, and so on to the real one.

    Args:
        path: An absolute path.
    """
    yield path
    for _ in range(_MOST_LINKS):
        try:
            target = path.readlink()
        except OSError:
            break
        # A target is relative to where the link really is.
        path = Path(os.path.normpath(Path(os.path.realpath(path.parent)) / target))
        yield path
    yield Path(os.path.realpath(path))


def _holds(place: Path, home: Path | None, hidden: Hidden) -> bool:
    """Whether showing a folder would show what must not be: home as it is, all of a tmp, or secrets in it."""
    kept = (*tmp_folders(), *((home,) if home is not None else ()), *hidden.folders, *hidden.files)
    return any(one.is_relative_to(place) for one in kept)


def hidden_folders(layer: Layer, home: Path | None, hidden: Hidden) -> tuple[Path, ...]:
    """Those visible folders that the private tmp, the overlay over home or the hiding of secrets would take away.

    An overlay shows one file system only, so what is mounted below home is taken away too.

    Args:
        layer: Names the visible folders.
        home: The home folder that is overlaid, if any.
        hidden: What is hidden.

    Returns:
        Existing folders outside the project, none below another; also where links among the visible ones lead, but
        nothing that would uncover what is hidden around it.
    """
    needed = {Path(name) for name in RUN_NEEDED if Path(name) not in hidden.folders}
    named, found = {*layer.visible, *needed}, list[Path]()
    for path in sorted({*named, *(place for folder in layer.visible for place in stations(folder))}):
        # What is in a folder that is shown is shown with it.
        if path.is_relative_to(layer.project) or not path.exists() or any(map(path.is_relative_to, found)):
            continue
        real = Path(os.path.realpath(path))
        in_home = home is not None and real.is_relative_to(home) and _device(real) != _device(home)
        taken_away = in_home or any(_in_tmp(place) or place in hidden for place in (path, real))
        if taken_away and (path in named or not any(_holds(place, home, hidden) for place in (path, real))):
            found.append(path)
    return tuple(found)


def to_hide(home: Path | None, hidden: Hidden) -> Hidden:
    """Those hidden places that are not out of sight anyway, behind the private tmp."""

    def seen(place: Path) -> bool:
        return not _in_tmp(place) or (home is not None and place.is_relative_to(home))

    return Hidden(tuple(filter(seen, hidden.folders)), tuple(filter(seen, hidden.files)))


def empty_file(layer: Layer) -> Path:
    """An empty file beside the layer's upper folder, to be shown in place of files with secrets."""
    file = layer.upper.parent / "nothing"
    # Where the candidate's folder is gone the sandbox itself says so.
    with contextlib.suppress(OSError):
        file.touch(0o444)
    return file


def with_removals(argv: Sequence[str], removed: Sequence[str]) -> tuple[str, ...]:
    """The command that removes paths (relative to its working directory) and then becomes another command."""
    if not removed:
        return tuple(argv)
    chunks: list[str] = []
    size = _CHUNK + 1
    for path in removed:
        quoted = shlex.quote(path)
        if size + len(os.fsencode(quoted)) > _CHUNK:
            chunks.append(quoted)
            size = 0
        else:
            chunks[-1] += f" {quoted}"
        size += len(os.fsencode(quoted)) + 1
    return ("/bin/sh", "-c", _REMOVE, "sh", str(len(chunks)), *chunks, *argv)
