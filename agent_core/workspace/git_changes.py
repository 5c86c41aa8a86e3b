"""Which of the files that changed git wrote.

A file is git's when git has been at work and the file is as git says it should be: as the index has it, or as the stash
that was taken out. What git writes into the index while a human saves (``git add``, a commit) leaves the same traces as
its writing the file; such files are told apart by the commit that was there before, and where that does not tell,
nothing is claimed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.errors import PairloopError
from agent_core.process import Completed, run
from agent_core.workspace.git import without_filters
from agent_core.workspace.git_state import GitState, LogLine
from agent_core.workspace.ignore import git_environment
from agent_core.workspace.revision import commit_of, open_revision
from agent_core.workspace.tree import content_hash

Whose = Literal["git", "unknown"]
"""Git's, or nobody's who could be named."""

_NAMES = ("-z", "--name-only", "--no-renames", "--relative", "--ignore-submodules=all")
_PLAIN = ("--no-ext-diff", "--no-textconv")
_SECONDS = 60.0
_MOST_NAMES = 400_000_000
_MOST_ASKED = 40
"""So many files that nothing else explains are compared with the commit that was there before."""
log = logging.getLogger(__name__)


class Change(msgspec.Struct, frozen=True):
    """A file that changed: content hashes before and after, None where there was none, or is none any more."""

    path: str
    before: str | None
    after: str | None


class _Names(msgspec.Struct, frozen=True):
    """What git says of files by their names.

    Attributes:
        indexed: What the index has.
        differs: What is not as the index has it.
        unmerged: What has conflicts in it.
        staged: What the index has otherwise than the commit that was there before.
        touched: What the commit there is now has otherwise than that one.
        stashed: What the stash is about that was made, taken out, or is there and may have been applied.
        taken: What of it is as git leaves it then.
    """

    indexed: Collection[str]
    differs: Collection[str]
    unmerged: Collection[str]
    staged: Collection[str]
    touched: Collection[str]
    stashed: Collection[str]
    taken: Collection[str]


class Asked:
    """What git is asked about one move.

    Args:
        root: The project's folder.
        before: Where git stood before.
        after: Where it stands now.
        lines: What its reflog says of the way.
    """

    def __init__(self, root: Path, before: GitState, after: GitState, lines: tuple[LogLine, ...]) -> None:
        self._root = root
        self._before = before
        self._after = after
        self._settings: tuple[tuple[str, str], ...] = ()
        self._stash = before.stash if after.stashes < before.stashes else after.stash
        self._resets = any(line.text.startswith("reset:") for line in lines)
        self._writes = (
            any(not line.commits for line in lines)
            or before.operation != after.operation
            or before.stashes != after.stashes
            or (before.commit != after.commit and not lines)
        )

    async def whose(self, changes: Collection[Change]) -> dict[str, Whose]:
        """Which files are git's, and which may be."""
        try:
            return await self._whose(changes)
        except (OSError, PairloopError, _GitError) as error:
            # What git did not tell is not known; it must not keep a save from being heard.
            log.warning("git could not be asked what it changed: %s", error)
            return {one.path: "unknown" for one in changes}

    async def _whose(self, changes: Collection[Change]) -> dict[str, Whose]:
        # Those that a repository itself configures, and the human's own: nobody asked for a look to run anything.
        self._settings = await asyncio.to_thread(without_filters, self._root, everywhere=True)
        names = await self._named(changes)
        found: dict[str, Whose] = {}
        left = 0
        for one in changes:
            path, owner = one.path, self._owner(one, names)
            if owner is None and self._writes and path in names.touched and one.after is not None:
                left += 1
                if await self._as_written(path):
                    owner = "git"
                elif left > _MOST_ASKED or not await self._was_clean(one):
                    owner = "unknown"
            if owner is not None:
                found[path] = owner
        return found

    async def _named(self, changes: Collection[Change]) -> _Names:
        differs = await self._list("diff", *_PLAIN, *_NAMES)
        unmerged = {name.partition("\t")[2] for name in await self._list("ls-files", "-z", "-u")}
        indexed = await self._list("ls-files", "-z", "-c")
        touched = staged = frozenset[str]()
        old, new = self._before.commit, self._after.commit
        if old:
            staged = await self._list("diff", *_PLAIN, "--cached", *_NAMES, old)
        if old and new and old != new:
            touched = await self._list("diff-tree", "-r", *_NAMES, old, new)
        stashed, taken = await self._of_stash(changes)
        return _Names(indexed, differs, unmerged, staged, touched, stashed, taken)

    def _owner(self, one: Change, names: _Names) -> Whose | None:
        """Whose a file is by what git says of it; None where that says that it is not git's, or nothing."""
        path, there = one.path, one.after is not None
        if path in names.unmerged or path in names.taken:
            return "git"
        if path in names.indexed and path not in names.differs if there else path not in names.indexed:
            known = path in names.touched or path in names.staged
            # Where only the index is another and it is what it was in the commit, it was restored.
            if (there or known) if self._writes else (there and path not in names.staged):
                return "git"
            # Written by git, or saved and added to the index in the same moment.
            return "unknown" if path in names.staged or (self._resets and not there) else None
        return "unknown" if self._writes and path in names.stashed else None

    async def _of_stash(self, changes: Collection[Change]) -> tuple[frozenset[str], set[str]]:
        """What the stash is about that was made, taken out, or is there and may have been applied.

        Returns:
            Its files, and those of them that are as git leaves them.
        """
        stash = self._stash
        if not stash:
            return frozenset(), set()
        mine = await self._list("diff-tree", "-r", *_NAMES, f"{stash}^1", stash)
        differs = await self._list("diff", *_PLAIN, *_NAMES, stash)
        pushed = self._after.stashes > self._before.stashes
        taken = {
            one.path
            for one in changes
            if one.path in mine and (one.after is None if pushed else one.path not in differs)
        }
        if await commit_of(self._root, f"{stash}^3") is not None:
            untracked = await open_revision(self._root, f"{stash}^3")
            for one in changes:
                if one.path not in untracked.paths or (one.after is None) == (one.before is None):
                    continue
                kept = await untracked.file(one.path)
                if kept is not None and kept.data is not None and content_hash(kept.data) in {one.after, one.before}:
                    taken.add(one.path)
        return mine, taken

    async def _was_clean(self, one: Change) -> bool:
        """Whether a file that git has not left as it is was the commit's own before: then somebody has edited it since.

        One that had been edited may have been merged by git (``checkout -m``, an autostash), which cannot be told from
        a save.
        """
        if not self._before.commit:
            return False
        try:
            old = await (await open_revision(self._root, self._before.commit)).file(one.path)
        except PairloopError:
            return False
        return (content_hash(old.data) if old is not None and old.data is not None else None) == one.before

    async def _as_written(self, path: str) -> bool:
        """Whether a file has the very times that git noted for it when it wrote it: contents behind filters differ."""
        said = (await self._git("ls-files", "--debug", "--", f":(literal){path}")).decode("utf-8", "replace")
        noted = re.search(r"mtime: (\d+):(\d+)\n.*?size: (\d+)", said, re.DOTALL)
        try:
            info = (self._root / path).lstat()
        except OSError:
            return False
        if noted is None:
            return False
        seconds, nanoseconds, size = map(int, noted.groups())
        return (seconds * 10**9 + nanoseconds, size) == (info.st_mtime_ns, info.st_size)

    async def _list(self, *arguments: str) -> frozenset[str]:
        said = await self._git(*arguments)
        return frozenset(os.fsdecode(name) for name in said.split(b"\0") if name)

    async def _git(self, *arguments: str) -> bytes:
        environment = git_environment(os.environ, self._settings)
        done = await run(("git", *arguments), cwd=self._root, timeout=_SECONDS, env=environment, cap=_MOST_NAMES)
        if done.code != 0 or done.timed_out:
            raise _GitError(_reason(arguments[0], done))
        return done.stdout


class _GitError(Exception):
    """Git did not tell."""


def _reason(name: str, done: Completed) -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return f"git {name}: {lines[0] if lines else f'exit status {done.code}'}"
