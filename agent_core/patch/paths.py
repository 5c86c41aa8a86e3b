"""Which paths a patch may name."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Container
from pathlib import Path

from agent_core.errors import PatchRefusedError, PatchUnwantedError

_OWN = re.compile(r"\.pairloop/(?:\.gitignore|[^/]+\.md)", re.IGNORECASE)
_HINT = "Name files relative to the project's root, such as src/app.py."

# What HFS+ leaves out when it compares names: the list of next_hfs_char in git's utf8.c, and two more that are unseen.
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\u206a-\u206f\ufeff]")
# What NTFS takes for .git: is_ntfs_dotgit in git's path.c. It drops dots and blanks at the end, and after a colon
# comes the name of a stream of the same file.
_GIT = re.compile(r"(?:\.git|git~1)[. ]*(?::.*)?", re.IGNORECASE | re.DOTALL)


def is_own(path: str) -> bool:
    """Whether a path is that of a file which pairloop keeps for itself in a project, no part of what is judged."""
    return _OWN.fullmatch(path) is not None


def plain_path(path: str) -> str:
    """Normalise a path a patch names, without a look at the disk.

    Args:
        path: As the patch writes it.

    Returns:
        The path relative to the project, with ``/``, without ``.`` and ``..``.

    Raises:
        PatchRefusedError: It is empty, absolute, names a folder, or has characters that are not taken.
        PatchUnwantedError: It leads out of the project or into ``.git`` (under any of the names file systems know that
            by).
    """
    if not path.strip():
        raise PatchRefusedError("The patch names an empty path.", _HINT)
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in path):
        raise PatchRefusedError(f"The path {path!r} has a control character in it.", _HINT)
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PatchRefusedError(f"The path {path!r} is not valid Unicode.", _HINT) from error
    if path.startswith(("/", "~/")) or path == "~" or (len(path) > 2 and path[1] == ":" and path[2] in "/\\"):
        raise PatchRefusedError(f"{path}: absolute paths are not allowed.", _HINT)
    if "\\" in path:
        raise PatchRefusedError(f"{path}: backslashes are not allowed in paths.", "Write / between folders.")
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                raise PatchUnwantedError(f"{path}: leads out of the project.", _HINT)
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    if not parts or path.endswith(("/", "/.", "/..")):
        raise PatchRefusedError(f"{path}: is a folder; a patch names files.", _HINT)
    name = "/".join(parts)
    if whose := _not_the_projects(parts):
        raise PatchUnwantedError(f"{name}: {whose} own files are not to be touched.")
    return name


def _not_the_projects(parts: list[str]) -> str:
    """Whose a file is, if it is not the project's; empty otherwise."""
    if any(_GIT.fullmatch(_UNSEEN.sub("", part)) for part in parts):
        return "git's"
    return "pairloop's" if is_own("/".join(parts)) else ""


def check_path(root: Path, path: str, gone: Container[str] = ()) -> str:
    """Normalise a path a patch names, and refuse what must not be written.

    Refused are paths that `plain_path` refuses, paths through a symlink, folders, files below files, and
    symlinks themselves. A symlinked folder is refused even where it stays inside the project: the
    same file would have two names.

    Args:
        root: The project's folder.
        path: As the patch writes it.
        gone: Files that are removed before this one is written: a folder of nothing but these is no obstacle, and
            neither is one of these in the place of a folder.

    Returns:
        The path relative to `root`, with ``/``, without ``.`` and ``..``.

    Raises:
        PatchRefusedError: It must not be written; the message names the path and the reason.
    """
    try:
        name = plain_path(path)
    except PatchRefusedError as error:
        if path.startswith("/") and Path(os.path.normpath(path)).is_relative_to(root):
            inside = Path(os.path.normpath(path)).relative_to(root).as_posix()
            raise PatchRefusedError(error.message, f"Name files relative to the project's root: {inside}.") from error
        raise
    parts = name.split("/")
    here = root
    for index, part in enumerate(parts):
        here = here / part
        place = "/".join(parts[: index + 1])
        last = place == name
        try:
            mode = here.lstat().st_mode
        except FileNotFoundError:
            break
        except OSError as error:
            raise PatchRefusedError(f"{name}: cannot be looked at: {error.strerror}.") from error
        if stat.S_ISLNK(mode):
            raise _symlink(root, name, place, here)
        if last and stat.S_ISDIR(mode) and (holds := _inside(root, here, gone)) is not None:
            raise PatchRefusedError(f"{name}: is a folder{holds}; a patch names files.")
        if last and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise PatchRefusedError(f"{name}: is not a regular file.")
        if not last and not stat.S_ISDIR(mode):
            if place in gone and stat.S_ISREG(mode):
                break
            raise PatchRefusedError(f"{name}: {place} is a file, not a folder.")
    return name


def _inside(root: Path, folder: Path, gone: Container[str]) -> str | None:
    """What is in a folder besides what is gone, in words; None if it has files and all of them go: then it goes too."""
    empty = True
    for here, folders, files in os.walk(folder):
        # A link to a folder is listed among the folders, but it is an entry that stays.
        for name in (*files, *(name for name in folders if (Path(here) / name).is_symlink())):
            empty = False
            inside = (Path(here) / name).relative_to(root).as_posix()
            if inside not in gone:
                return f" with {inside} in it"
    return "" if empty else None


def _symlink(root: Path, name: str, place: str, link: Path) -> PatchRefusedError:
    """The refusal of a path that meets a symlink; tells the real path where that is in the project."""
    real = Path(os.path.realpath(link))
    inside = real.is_relative_to(os.path.realpath(root))
    if not inside:
        return PatchUnwantedError(f"{name}: {place} is a symlink that leads out of the project.", _HINT)
    target = real.relative_to(os.path.realpath(root)).as_posix() + name[len(place) :]
    what = "is a symlink" if place == name else f"goes through the symlink {place}"
    return PatchRefusedError(f"{name}: {what}.", f"Name the file itself: {target}.")
