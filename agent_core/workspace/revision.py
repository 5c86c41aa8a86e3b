"""The files of a project as a revision has them, read from git without a checkout."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from agent_core.errors import ConfigError
from agent_core.process import Completed, run
from agent_core.workspace.git import without_filters
from agent_core.workspace.ignore import git_environment
from agent_core.workspace.tree import FileChange

_SECONDS = 60.0
_MOST_NAMES = 400_000_000
_MOST_BYTES = 64_000_000
_AT_ONCE = 8
_FILE_MODES = frozenset({0o100644, 0o100755, 0o120000})


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
    """

    def __init__(self, root: Path, name: str, objects: dict[str, _Object]) -> None:
        self._root = root
        self._name = name
        self._objects = objects

    @property
    def paths(self) -> tuple[str, ...]:
        """The names of its files."""
        return tuple(self._objects)

    async def files(self, paths: Iterable[str]) -> dict[str, FileChange]:
        """Some files of it, as a checkout would write them (line endings, encodings); those it has not are left out.

        Programs that the repository wants to be run on a checkout are not run.

        Raises:
            ConfigError: git cannot give one of them.
        """
        wanted = [path for path in dict.fromkeys(paths) if path in self._objects]
        if not wanted:
            return {}
        environment = git_environment(os.environ, await asyncio.to_thread(without_filters, self._root))
        # Attributes go by the path from the top of the repository.
        said = await run(("git", "rev-parse", "--show-prefix"), cwd=self._root, timeout=_SECONDS, env=environment)
        top = os.fsdecode(said.stdout.removesuffix(b"\n"))
        few = asyncio.Semaphore(_AT_ONCE)

        async def read(path: str) -> FileChange:
            async with few:
                return await self._read(path, top, environment)

        return dict(zip(wanted, await asyncio.gather(*(read(path) for path in wanted)), strict=True))

    async def _read(self, path: str, top: str, environment: dict[str, str]) -> FileChange:
        found = self._objects[path]
        # A link's target is no text to be converted.
        how = ("blob",) if found.mode == 0o120000 else ("--filters", f"--path={top}{path}")
        command = ("git", "cat-file", *how, found.name)
        done = await run(command, cwd=self._root, timeout=_SECONDS, env=environment, cap=_MOST_BYTES)
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
    command = ("git", "ls-tree", "-r", "-z", name)
    try:
        done = await run(command, cwd=root, timeout=_SECONDS, env=git_environment(os.environ), cap=_MOST_NAMES)
    except FileNotFoundError as error:
        raise ConfigError(f"{refused}git is not installed.", "Without --base no git is needed.") from error
    if done.code != 0 or done.timed_out:
        raise ConfigError(f"{refused}{_reason(done)}.", "Name a commit, a branch or a tag of this repository.")
    if len(done.stdout) >= _MOST_NAMES:
        raise ConfigError(f"{refused}has too many files to be listed.")
    return Revision(root, name, dict(_entries(done.stdout)))


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
