"""Which paths a patch may name."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from agent_core.errors import PatchRefusedError

_HINT = "Name files relative to the project's root, such as src/app.py."


def _normalise(path: str) -> list[str]:
    """The parts of a relative path; refuses what cannot be one."""
    if not path.strip():
        raise PatchRefusedError("The patch names an empty path.", _HINT)
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in path):
        raise PatchRefusedError(f"The path {path!r} has a control character in it.", _HINT)
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PatchRefusedError(f"The path {path!r} is not valid Unicode.", _HINT) from error
    if path.startswith(("/", "~/")) or (len(path) > 2 and path[1] == ":" and path[2] in "/\\"):
        raise PatchRefusedError(f"{path}: absolute paths are not allowed.", _HINT)
    if "\\" in path:
        raise PatchRefusedError(f"{path}: backslashes are not allowed in paths.", "Write / between folders.")
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                raise PatchRefusedError(f"{path}: leads out of the project.", _HINT)
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    if not parts or path.endswith(("/", "/.", "/..")):
        raise PatchRefusedError(f"{path}: is a folder; a patch names files.", _HINT)
    return parts


def _is_git(part: str) -> bool:
    """Whether a name reaches git's own folder on any file system.

    HFS+ ignores zero-width characters; NTFS knows ``git~1`` and drops trailing dots and spaces.
    """
    bare = "".join(char for char in part if char not in "\u200b\u200c\u200d\u200e\u200f\ufeff\u2060")
    name = bare.rstrip(". ").casefold()
    return name in {".git", "git~1"} or name.startswith(".git:")


def check_path(root: Path, path: str) -> str:
    """Normalise a path a patch names, and refuse what must not be written.

    Refused are absolute paths, paths out of the project, anything in ``.git``, paths through a symlink, folders, and
    symlinks themselves. A symlinked folder is refused even where it stays inside the project: the
    same file would have two names.

    Args:
        root: The project's folder.
        path: As the patch writes it.

    Returns:
        The path relative to `root`, with ``/``, without ``.`` and ``..``.

    Raises:
        PatchRefusedError: It must not be written; the message names the path and the reason.
    """
    parts = _normalise(path)
    name = "/".join(parts)
    if any(_is_git(part) for part in parts):
        raise PatchRefusedError(f"{name}: git's own files are not to be touched.")
    here = root
    for index, part in enumerate(parts):
        here = here / part
        last = index == len(parts) - 1
        try:
            mode = here.lstat().st_mode
        except FileNotFoundError:
            break
        except OSError as error:
            raise PatchRefusedError(f"{name}: cannot be looked at: {error.strerror}.") from error
        place = "/".join(parts[: index + 1])
        if stat.S_ISLNK(mode):
            raise _symlink(root, name, place, here)
        if last and stat.S_ISDIR(mode):
            raise PatchRefusedError(f"{name}: is a folder; a patch names files.")
        if last and not stat.S_ISREG(mode):
            raise PatchRefusedError(f"{name}: is not a regular file.")
        if not last and not stat.S_ISDIR(mode):
            raise PatchRefusedError(f"{name}: {place} is a file, not a folder.")
    return name


def _symlink(root: Path, name: str, place: str, link: Path) -> PatchRefusedError:
    """The refusal of a path that meets a symlink; tells the real path where that is in the project."""
    real = Path(os.path.realpath(link))
    inside = real.is_relative_to(os.path.realpath(root))
    if not inside:
        return PatchRefusedError(f"{name}: {place} is a symlink that leads out of the project.", _HINT)
    target = real.relative_to(os.path.realpath(root)).as_posix() + name[len(place) :]
    what = "is a symlink" if place == name else f"goes through the symlink {place}"
    return PatchRefusedError(f"{name}: {what}.", f"Name the file itself: {target}.")
