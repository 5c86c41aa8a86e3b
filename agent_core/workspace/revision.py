"""The files of a project as a revision has them, read from git without a checkout."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from agent_core.errors import ConfigError
from agent_core.file_modes import EXECUTABLE, REGULAR, SYMLINK
from agent_core.process import Completed, run
from agent_core.workspace.git import find_root, without_filters
from agent_core.workspace.ignore import git_environment
from agent_core.workspace.tree import FileChange

_SECONDS = 60.0
_MOST_NAMES = 400_000_000
_MOST_BYTES = 64_000_000
_FILE_MODES = frozenset({REGULAR, EXECUTABLE, SYMLINK})


class _Object(msgspec.Struct, frozen=True):
    """One file of a tree: where git keeps its content, and its mode."""

    name: str
    mode: int


class Revision:
    """The tree of one revision below a project's folder; made by `open_revision`.

    Args:
        root: The project's folder; paths are relative to it.
        name: The revision as the human wrote it.
        objects: Its files.
        top: The project's folder as the repository names it: empty, or with a ``/`` at the end.
        settings: What git is told of filters.
    """

    def __init__(
        self, root: Path, name: str, objects: dict[str, _Object], top: str, settings: tuple[tuple[str, str], ...]
    ) -> None:
        self._root = root
        self._name = name
        self._objects = objects
        self._top = top
        self._settings = settings

    @property
    def paths(self) -> tuple[str, ...]:
        """The names of its files."""
        return tuple(self._objects)

    def blob(self, path: str) -> str:
        """The name under which git keeps the content of one of its files."""
        return self._objects[path].name

    def mode(self, path: str) -> int:
        """The mode of one of its files."""
        return self._objects[path].mode

    def holds(self, path: str, data: bytes) -> bool:
        """Whether git keeps these very bytes for one of its files; what filters make of them is another question."""
        name = self.blob(path)
        # A repository names objects by SHA-1 or by SHA-256 of a short head and the content (git's hash-object).
        digest = hashlib.sha256() if len(name) == 64 else hashlib.sha1(usedforsecurity=False)
        digest.update(b"blob %d\0" % len(data))
        digest.update(data)
        return digest.hexdigest() == name

    async def file(self, path: str) -> FileChange | None:
        """One file as a checkout would write it (line endings, encodings); None where the revision has none.

        Programs that the repository wants to be run on a checkout are not run.

        Raises:
            ConfigError: git cannot give it.
        """
        found = self._objects.get(path)
        if found is None:
            return None
        # A link's target is no text to be converted. Attributes go by the path from the top of the repository.
        how = ("blob",) if found.mode == SYMLINK else ("--filters", f"--path={self._top}{path}")
        done = await _git(self._root, "cat-file", *how, found.name, cap=_MOST_BYTES, settings=self._settings)
        if done.code != 0 or done.timed_out:
            raise ConfigError(f"git cannot give {path} as it is in {self._name}: {_reason(done)}.")
        if len(done.stdout) >= _MOST_BYTES:
            # What is longer than the cap comes with its middle cut out.
            raise ConfigError(f"{path}: is too large in {self._name} to be read.")
        return FileChange(done.stdout, found.mode)


async def open_revision(root: Path, name: str) -> Revision:
    """Look up a revision of the repository that a folder is in.

    Args:
        root: The project's folder.
        name: The revision, in any way that git understands.

    Raises:
        ConfigError: There is no such revision, no repository, or no git; the message has git's reason.
    """
    refused = f"--base {name}: "
    if name.startswith("-") or not name.strip() or "\0" in name:
        raise ConfigError(f"{refused}is not the name of a revision.", "Name a commit, a branch or a tag.")
    try:
        listed = await _git(root, "ls-tree", "-r", "-z", name, cap=_MOST_NAMES)
    except FileNotFoundError as error:
        raise ConfigError(f"{refused}git is not installed.", "Without --base no git is needed.") from error
    if listed.code != 0 or listed.timed_out:
        raise ConfigError(f"{refused}{_reason(listed)}.", "Name a commit, a branch or a tag of this repository.")
    if len(listed.stdout) >= _MOST_NAMES:
        raise ConfigError(f"{refused}has too many files to be listed.")
    top = await _git(root, "rev-parse", "--show-prefix", cap=_MOST_NAMES)
    settings = await asyncio.to_thread(without_filters, root)
    objects = dict(_entries(listed.stdout))
    return Revision(root, name, objects, os.fsdecode(top.stdout.removesuffix(b"\n")), settings)


async def _git(root: Path, *arguments: str, cap: int, settings: Iterable[tuple[str, str]] = ()) -> Completed:
    environment = git_environment(os.environ, settings)
    return await run(("git", *arguments), cwd=root, timeout=_SECONDS, env=environment, cap=cap)


async def head_of(root: Path) -> str | None:
    """The commit that a project's folder has checked out; None outside of a repository, and before the first commit.

    A repository that ignores the folder does not count.
    """
    return await commit_of(root, "HEAD") if await asyncio.to_thread(_in_repository, root) else None


async def commit_of(root: Path, name: str) -> str | None:
    """The full name of the commit that a revision is; None when it is none."""
    if name.startswith("-") or "\0" in name:
        return None
    try:
        said = await _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", cap=_MOST_NAMES)
    except FileNotFoundError:
        return None
    return said.stdout.decode("ascii", "replace").strip() or None if said.code == 0 else None


def _in_repository(root: Path) -> bool:
    return (root / ".git").exists() or find_root(root) != root


def _entries(listing: bytes) -> Iterable[tuple[str, _Object]]:
    """The files of ``git ls-tree -z``: mode, type and name of the object, a tab, the path; submodules are no files."""
    for record in listing.split(b"\0"):
        head, tab, path = record.partition(b"\t")
        if not tab:
            continue
        mode, _, name = head.decode("ascii").split(" ")
        if int(mode, 8) in _FILE_MODES:
            yield os.fsdecode(path), _Object(name, int(mode, 8))


def _reason(done: Completed) -> str:
    if done.timed_out:
        return "git took too long"
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ").rstrip(".") if lines else f"git ended with status {done.code}"
