"""Which files of a folder count: git's own ignore rules, inside a repository or not."""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.errors import SandboxError
from agent_core.keys.known import KNOWN
from agent_core.patch.paths import is_own
from agent_core.process import Completed, run
from agent_core.sandbox.environment import is_secret
from agent_core.workspace.disk import is_temp
from agent_core.workspace.own_repository import Mark, mark_of

# Folders of installed dependencies: many files, needed by the checks, changed by nobody's editor.
DEPENDENCIES = frozenset({".venv", "venv", "node_modules"})

# Folders that tools make and can make again.
CACHES = frozenset(
    {
        "__pycache__",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        ".tox",
        ".nox",
        ".eggs",
        "htmlcov",
        ".import_linter_cache",
    }
)

# What is left out where no git rules say anything.
DEFAULT_IGNORED = DEPENDENCIES | CACHES | {".git", ".hg", ".svn", ".jj"}

_DEFAULT_PATTERNS = (*sorted(DEFAULT_IGNORED), "*.pyc", "*.pyo", "*.egg-info", ".DS_Store", "*.swp", "*.swo")

# Of these nobody writes a file by hand, whatever git was told of them: where a repository has no rule for them, a
# thousand files of a virtual environment are not what changed since the last commit. Tracked files stay. A folder
# `venv` may be a package: it is told by what is in it.
_NOBODYS = (*sorted(CACHES), ".venv", "node_modules")

# What editors put beside a file while they write it, or to say that they have it open. Tracked files stay.
_EDITORS = (
    *(".*.sw[a-p]", "4913", "*~"),  # vim, and most others
    *(".#*", "#*#"),  # Emacs
    *("*___jb_tmp___", "*___jb_old___"),  # JetBrains
    *("*.vsctmp", ".goutputstream-*", ".*.kate-swp", ".~lock.*#"),  # VS Code, GLib, Kate, LibreOffice
)
_EDITORS_FILE = re.compile("|".join(fnmatch.translate(pattern) for pattern in _EDITORS))
_SPECIAL = re.compile(r"[\\*?\[\] ]")
_GIT_SECONDS = 60.0
_CAP = 400_000_000

Kind = Literal["repository", "folder", "plain"]


class Listing(msgspec.Struct, frozen=True):
    """The files of a project by name.

    Attributes:
        paths: Relative paths with ``/`` that are not ignored; a few may be gone, or be folders.
        kind: A git ``repository``, a ``folder`` listed with git's rules, or ``plain`` where git is missing.
        note: What the human should know of how it was made; empty when nothing.
    """

    paths: tuple[str, ...]
    kind: Kind
    note: str = ""


# What a repository's own configuration must not make git run: the files of an untrusted project are listed before
# anybody has looked at them. The index alone can ask for the file-system monitor, at every command that reads it; to
# show signatures is to start whatever tells whether they are good.
_HARMLESS = (("core.fsmonitor", "false"), ("core.hooksPath", os.devnull), ("log.showSignature", "false"))


def git_environment(environ: Mapping[str, str], settings: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    """The environment for git commands, in which a repository's configuration starts no programs.

    Nothing of an outer git command is in it, and no secret, as none of these commands talks to a server. Optional locks
    are not taken, messages are in English, and objects that are missing are not fetched (the address may be a command).

    Args:
        environ: The environment variables to start from.
        settings: More settings that win over the repository's own.
    """
    kept = {name: value for name, value in KNOWN.without(environ).items() if not is_secret(name)}
    env = {name: value for name, value in kept.items() if not name.startswith("GIT_") or "CONFIG" in name}
    env |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    env |= {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
    count = int(given) if (given := env.get("GIT_CONFIG_COUNT", "")).isdecimal() else 0
    for number, (name, value) in enumerate((*_HARMLESS, *settings), count):
        env |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        env["GIT_CONFIG_COUNT"] = str(number + 1)
    return env


async def _git(root: Path, *arguments: str, given: bytes = b"") -> Completed:
    environment = git_environment(os.environ)
    return await run(("git", *arguments), cwd=root, timeout=_GIT_SECONDS, env=environment, cap=_CAP, stdin=given)


def _names(output: bytes) -> tuple[str, ...]:
    return tuple(dict.fromkeys(os.fsdecode(name) for name in output.split(b"\0") if name))


def _first_line(done: Completed) -> str:
    if done.timed_out:
        return "it took too long"
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else f"exit status {done.code}"


def walk(root: Path, top: str = "") -> Iterable[str]:
    """Relative paths of the files below a folder, default-ignored folders left out, links not followed."""
    for folder, folders, files in os.walk(root / top):
        folders[:] = [name for name in folders if name not in DEFAULT_IGNORED]
        prefix = os.path.relpath(folder, root)
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*files, *linked):
            yield name if prefix == "." else f"{prefix}/{name}"


def _environments(root: Path) -> Iterator[str]:
    """Virtual environments right below a folder, as git's patterns."""
    with contextlib.suppress(OSError), os.scandir(root) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False) and (Path(entry) / "pyvenv.cfg").is_file():
                    yield _SPECIAL.sub(r"\\\g<0>", entry.name)


def _is_ours(path: str) -> bool:
    """Whether a path is a file that a landing is just writing, or that pairloop keeps: never part of the project."""
    return is_temp(path.rsplit("/", 1)[-1]) or is_own(path)


def is_editors(path: str) -> bool:
    """Whether a path is by its name what an editor makes for itself: unless git tracks it, it is never a file."""
    return _EDITORS_FILE.match(path.rsplit("/", 1)[-1]) is not None


class Lister:
    """Lists a project's files.

    Args:
        root: The project's folder.
        state: The project's state folder; an empty repository is kept there for folders outside git.
    """

    def __init__(self, root: Path, state: Path) -> None:
        self._root = root
        self._empty = state / "empty-repository"
        self._repository: Mark | None = None
        self._note = ""

    async def _determine(self) -> Kind:
        """Whether git knows the folder. Looked at every time: a ``git init`` may come any moment."""
        self._note = ""
        mark = mark_of(self._root)
        if mark is not None and mark == self._repository:
            return "repository"
        self._repository = None
        try:
            done = await _git(self._root, "rev-parse", "--is-inside-work-tree", "--show-prefix")
        except FileNotFoundError:
            self._note = "git is not installed: only the usual folders (.venv, caches) are left out."
            return "plain"
        inside, _, below = done.stdout.partition(b"\n")
        if done.code != 0 or inside != b"true":
            said = _first_line(done)
            if "not a git repository" not in said and said != "exit status 0":
                self._note = f"git refuses this repository ({said}); it is treated as a plain folder."
            return "folder"
        if not below.strip(b"\n"):
            # Of its own top a repository always has something to tell: under a rule `*`, which files are tracked.
            self._repository = mark
            return "repository"
        # A repository around it that ignores the folder (dotfiles in the home folder, say) has nothing to tell.
        ignored = await _git(self._root, "check-ignore", "-q", ".")
        return "folder" if ignored.code == 0 else "repository"

    async def _arguments(self, kind: Kind) -> tuple[str, ...]:
        if kind == "repository":
            return ()
        if not (self._empty / ".git").is_dir():
            self._empty.mkdir(parents=True, exist_ok=True)
            made = await _git(self._empty, "init", "-q", str(self._empty))
            if made.code != 0:
                raise SandboxError(f"{self._empty}: git init failed: {_first_line(made)}.")
        return (f"--git-dir={self._empty / '.git'}", f"--work-tree={self._root}")

    def _patterns(self, kind: Kind) -> Iterator[str]:
        """What is left out beyond git's own rules; never what is tracked."""
        if kind != "repository":
            yield from _DEFAULT_PATTERNS
        # A line of git's that begins with this sign is a comment.
        yield from (f"\\{pattern}" if pattern[0] == "#" else pattern for pattern in _EDITORS)
        if kind != "repository":
            return
        yield from (f"{name}/" for name in _NOBODYS)
        yield from (f"/{environment}/" for environment in _environments(self._root))

    async def _list(self, kind: Kind, *options: str) -> tuple[str, ...]:
        where = await self._arguments(kind)
        patterns = tuple(f"--exclude={pattern}" for pattern in self._patterns(kind))
        done = await _git(
            self._root, "--literal-pathspecs", *where, "ls-files", "-z", "--exclude-standard", *patterns, *options
        )
        if done.code != 0:
            raise SandboxError(f"{self._root}: git cannot list the files: {_first_line(done)}.")
        return _names(done.stdout)

    async def files(self) -> Listing:
        """Everything that is not ignored: tracked files and new ones.

        Raises:
            SandboxError: git cannot list them.
        """
        kind = await self._determine()
        try:
            listed = await self._all(kind)
        except (SandboxError, FileNotFoundError):
            # What was known of the repository may not be so any more, and git may have gone.
            self._repository = None
            now = await self._determine()
            if now == kind:
                raise
            kind, listed = now, await self._all(now)
        return Listing(listed, kind, self._note)

    async def _all(self, kind: Kind) -> tuple[str, ...]:
        if kind == "plain":
            return tuple(_plain(walk(self._root)))
        listed = await self._list(kind, "-c", "-o") if kind == "repository" else await self._list(kind, "-o")
        return tuple(path for path in listed if not path.endswith("/") and not _is_ours(path))

    async def counting(self, kind: Kind, names: Iterable[str]) -> tuple[str, ...]:
        """Which files count of some that have just come, by the rules of this moment.

        Args:
            kind: What the project is, as `files` has found out.
            names: Relative paths; of a folder all that is below counts. Those that are not there do not.

        Raises:
            SandboxError: git cannot tell.
        """
        there = await asyncio.to_thread(_there, self._root, names)
        if not there:
            return ()
        if kind == "plain":
            return await asyncio.to_thread(_plain_below, self._root, there)
        options = ("-c", "-o") if kind == "repository" else ("-o",)
        listed = await self._list(kind, *options, "--", *there)
        return tuple(path for path in listed if not path.endswith("/") and not _is_ours(path))

    async def new_folders(self, kind: Kind) -> tuple[str, ...]:
        """The outermost folders without a tracked file that are not ignored, empty ones too.

        Raises:
            SandboxError: git cannot list them.
        """
        if kind == "plain":
            return tuple(await asyncio.to_thread(_top_folders, self._root))
        listed = await self._list(kind, "-o", "--directory")
        return tuple(path[:-1] for path in listed if path.endswith("/") and path != "./")

    async def ignored_folders(self, kind: Kind, names: Iterable[str]) -> frozenset[str]:
        """Which of some folders git ignores."""
        wanted = [f"{name}/" for name in names]
        if kind == "plain" or not wanted:
            return frozenset()
        where = await self._arguments(kind)
        given = b"\0".join(os.fsencode(name) for name in wanted)
        done = await _git(self._root, *where, "check-ignore", "-z", "--stdin", given=given)
        return frozenset(name.rstrip("/") for name in _names(done.stdout))

    async def git_folders(self) -> tuple[Path, Path]:
        """Where git keeps what it knows of the work tree the project is in, and what it shares with others.

        Raises:
            SandboxError: git does not say.
        """
        own, common = "--absolute-git-dir", "--git-common-dir"
        done = await _git(self._root, "rev-parse", "--path-format=absolute", own, common)
        if done.code != 0:
            raise SandboxError(f"{self._root}: git does not say where it keeps things: {_first_line(done)}.")
        own, common = (os.fsdecode(line) for line in done.stdout.split(b"\n")[:2])
        return Path(own), Path(common)

    async def ignored(self) -> tuple[str, ...]:
        """What is ignored, whole folders as one entry with a ``/`` at the end.

        Raises:
            SandboxError: git cannot list it.
        """
        kind = await self._determine()
        if kind == "plain":
            return await asyncio.to_thread(_default_ignored, self._root)
        outermost: list[str] = []
        for path in sorted(await self._list(kind, "-o", "-i", "--directory")):
            if not (outermost and outermost[-1].endswith("/") and path.startswith(outermost[-1])):
                outermost.append(path)
        return tuple(outermost)


def _plain(paths: Iterable[str]) -> Iterator[str]:
    """The files that count where no git rules say anything."""
    return (path for path in paths if not _is_ours(path) and not is_editors(path))


def _there(root: Path, names: Iterable[str]) -> list[str]:
    return [name for name in names if not is_editors(name) and os.path.lexists(root / name)]


def _plain_below(root: Path, names: Iterable[str]) -> tuple[str, ...]:
    found: list[str] = []
    for name in names:
        if DEFAULT_IGNORED.isdisjoint(name.split("/")):
            place = root / name
            found.extend(_plain(walk(root, name) if place.is_dir() and not place.is_symlink() else [name]))
    return tuple(found)


def _top_folders(root: Path) -> list[str]:
    with contextlib.suppress(OSError), os.scandir(root) as entries:
        return [
            entry.name for entry in entries if entry.name not in DEFAULT_IGNORED and entry.is_dir(follow_symlinks=False)
        ]
    return []


def _default_ignored(root: Path) -> tuple[str, ...]:
    """Folders below a folder that are ignored by their names, the outermost of each branch."""
    found: list[str] = []
    for folder, folders, _ in os.walk(root):
        prefix = "" if folder == str(root) else f"{os.path.relpath(folder, root)}/"
        found.extend(f"{prefix}{name}/" for name in sorted(DEFAULT_IGNORED.intersection(folders)))
        folders[:] = [name for name in folders if name not in DEFAULT_IGNORED]
    return tuple(found)
