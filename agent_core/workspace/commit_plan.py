"""What a commit of landings has to hold, and what becomes of the human's index by it.

A landing knows each file before and after, the human's uncommitted lines included. What it did is merged onto the file
as the last commit has it, by the same three-way merge that lands (`agent_core.workspace.merge`), and once more onto the
file as the index has it. All of it takes place on contents as git keeps them, after line endings and filters.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from agent_core.errors import CommitError
from agent_core.events import FileLanding
from agent_core.file_modes import EXECUTABLE, SYMLINK
from agent_core.landing_log import LandingRecord
from agent_core.workspace.merge import merge
from agent_core.workspace.repository import SUBMODULE, Repository, Stored

_OWN_CHANGES = (
    "Commit your own changes of {files} first (git add -p), or commit the whole files yourself: git commit {files}"
)
_STAGED = "Unstage or commit what you have staged there first: git restore --staged {files}"
_EMPTY = frozenset(
    {"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"}
)
"""The names of empty content."""


class Change(msgspec.Struct, frozen=True):
    """One path of a commit, from the top of the repository.

    Attributes:
        path: The path.
        was: What the last commit has there; None for nothing.
        now: What the commit has there.
    """

    path: str
    was: Stored | None
    now: Stored | None


class Bench:
    """A place for the work on one commit: copies of the index, and files as a landing had them.

    Args:
        repository: The repository.
        folder: An empty folder, removed by whoever made it.
    """

    def __init__(self, repository: Repository, folder: Path) -> None:
        self.repository = repository
        self.folder = folder
        self.head = folder / "head.index"
        """An index with the last commit in it; `prepare` makes it."""
        self._sides = 0

    async def prepare(self) -> None:
        """Make the index of the last commit.

        It begins as a copy of the human's, so that git need not read every file of the project to know it unchanged.
        """
        repository = self.repository
        has_commit = bool(await asyncio.to_thread(repository.head))
        if repository.index.exists():
            await asyncio.to_thread(shutil.copyfile, repository.index, self.head)
        await repository.git("read-tree", *(("--reset", "HEAD") if has_commit else ("--empty",)), index=self.head)

    async def side(self, files: Mapping[str, tuple[bytes, int]]) -> dict[str, Stored]:
        """Put files into the repository as ``git add`` would, filters and line endings included.

        Args:
            files: Content and mode by path from the top.

        Returns:
            How git keeps each.
        """
        if not files:
            return {}
        self._sides += 1
        tree, index = self.folder / f"side{self._sides}", self.folder / f"side{self._sides}.index"
        await asyncio.to_thread(self._lay_out, tree, files)
        await asyncio.to_thread(shutil.copyfile, self.head, index)
        names = b"".join(os.fsencode(path) + b"\0" for path in files)
        add = ("update-index", "--add", "--replace", "-z", "--stdin")
        await self.repository.git(*add, index=index, tree=tree, own=True, stdin=names)
        found = await self.repository.stored(files, index)
        await asyncio.to_thread(shutil.rmtree, tree)
        return {path: Stored(files[path][1], entry.blob) for path, entry in found.items()}

    def _lay_out(self, tree: Path, files: Mapping[str, tuple[bytes, int]]) -> None:
        tree.mkdir()
        # Which filters there are says the work tree, as it is now; git looks into the index where it has none.
        folders = {str(folder) for path in files for folder in PurePosixPath(path).parents}
        for folder in sorted(folders):
            (tree / folder).mkdir(parents=True, exist_ok=True)
            said = self.repository.top / folder / ".gitattributes"
            if said.is_file() and not said.is_symlink():
                shutil.copyfile(said, tree / folder / ".gitattributes")
        for path, (data, mode) in files.items():
            target = tree / path
            # Never a link: those do not land.
            target.write_bytes(data)
            if mode == EXECUTABLE:
                target.chmod(0o755)


async def plan_commit(
    bench: Bench, landings: Sequence[LandingRecord], content: Callable[[str], bytes]
) -> tuple[Change, ...]:
    """Work out what a commit of landings changes.

    Args:
        bench: Where to work; it is prepared.
        landings: What is to be committed, oldest first.
        content: Gives content by its hash in the journal.

    Returns:
        What the commit changes, by path; nothing where the last commit has it all.

    Raises:
        CommitError: Something landed cannot be told from what is not committed yet; `paths` names where.
    """
    repository = bench.repository
    paths = {f"{repository.prefix}{file.path}" for one in landings for file in one.files}
    await asyncio.to_thread(_refuse_other_repositories, repository, paths)
    was = await repository.stored(paths, bench.head)
    now: dict[str, Stored | None] = {path: was.get(path) for path in paths}
    for landing in landings:
        now |= await _Step(bench, landing.files, now).taken(content)
    return tuple(Change(path, was.get(path), now[path]) for path in sorted(paths) if was.get(path) != now[path])


class _Step:
    """One landing, taken onto what the commit has so far."""

    def __init__(self, bench: Bench, files: Sequence[FileLanding], now: Mapping[str, Stored | None]) -> None:
        self._bench = bench
        self._files = files
        self._now = now
        self._stuck: dict[str, str] = {}

    async def taken(self, content: Callable[[str], bytes]) -> dict[str, Stored | None]:
        prefix = self._bench.repository.prefix
        before = await self._bench.side(
            {prefix + one.path: (content(one.before), one.before_mode) for one in self._files if one.before is not None}
        )
        after = await self._bench.side(
            {prefix + one.path: (content(one.after), one.after_mode) for one in self._files if one.after is not None}
        )
        result: dict[str, Stored | None] = {}
        for one in self._files:
            path = prefix + one.path
            source = prefix + one.moved_from if one.moved_from and one.before is None else path
            goal = after.get(path)
            if goal is None:
                result[path] = None
            else:
                result[path] = await self._file(path, source, before.get(source), goal)
        if self._stuck:
            raise _refusal("what landed cannot be told from changes that are not committed", self._stuck, _OWN_CHANGES)
        return result

    async def _file(self, path: str, source: str, base: Stored | None, goal: Stored) -> Stored | None:
        ours = self._now.get(source)
        if source != path and (there := self._now.get(path)) is not None and there.blob != goal.blob:
            self._stuck[path] = "the last commit has another file there"
        elif base is None:
            if ours is not None and ours.blob != goal.blob:
                self._stuck[path] = "it was new when it landed, and the last commit has it with other content"
        elif ours is None:
            self._stuck[path] = "it was there before it was changed, and is not in the last commit"
        else:
            merged = await merged_entry(self._bench.repository, base, ours, goal)
            if isinstance(merged, str):
                self._stuck[path] = merged
                return ours
            return merged
        return goal


async def merged_entry(repository: Repository, base: Stored, ours: Stored, theirs: Stored) -> Stored | str:
    """Merge what two sides made of a file, as git keeps it.

    Returns:
        The file; or why it cannot be merged, for the human.
    """
    if {SYMLINK, SUBMODULE} & {base.mode, ours.mode, theirs.mode}:
        return "it is a link, which cannot be merged"
    mode = theirs.mode if theirs.mode != base.mode else ours.mode
    if theirs.blob in {base.blob, ours.blob}:
        return Stored(mode, ours.blob)
    if ours.blob == base.blob:
        return Stored(mode, theirs.blob)
    contents = [await repository.blob(one.blob) for one in (base, ours, theirs)]
    merged = await merge(*contents)
    if merged.data is None:
        if any(b"\0" in data for data in contents):
            return "it is a binary file, which cannot be merged"
        first, last = merged.conflicts[0]
        at = f"line {first}" if last <= first else f"lines {first} to {last}"
        return f"around {at}, as the last commit has it"
    return Stored(mode, await repository.keep(merged.data))


async def plan_index(repository: Repository, changes: Sequence[Change]) -> dict[str, Stored | None]:
    """What has to be put into the human's index, so that it has what is committed and all else as it was.

    Raises:
        CommitError: What is staged cannot be told from what is to be committed.
    """
    staged = await repository.stored([change.path for change in changes])
    wanted: dict[str, Stored | None] = {}
    stuck: dict[str, str] = {}
    for change in changes:
        path, was, now, here = change.path, change.was, change.now, staged.get(change.path)
        if here in (was, now) or (was is None and here is not None and here.blob in _EMPTY):
            # The last of them is what `git add -N` leaves: a file that is there, and nothing of it staged.
            wanted[path] = now
        elif here is None or was is None:
            # It is staged to go, or was staged as it is now by whoever looked at it after it landed.
            continue
        elif now is None:
            stuck[path] = "you have staged changes of it, and it is deleted"
        else:
            merged = await merged_entry(repository, was, here, now)
            if isinstance(merged, Stored):
                wanted[path] = merged
            elif not await _staged_as_it_is(repository, path):
                stuck[path] = merged
    if stuck:
        raise _refusal("what landed cannot be told from what you have staged", stuck, _STAGED)
    return {path: entry for path, entry in wanted.items() if staged.get(path) != entry}


async def _staged_as_it_is(repository: Repository, path: str) -> bool:
    """Whether the index has a file as it is in the work tree: who staged it so has seen what had landed in it."""
    compare = ("--literal-pathspecs", "diff", "--quiet", "--no-ext-diff", "--", path)
    return await _differs_not(repository, compare)


async def _differs_not(repository: Repository, compare: Sequence[str]) -> bool:
    try:
        await repository.git(*compare, own=True)
    except CommitError:
        return False
    return True


def _refuse_other_repositories(repository: Repository, paths: Iterable[str]) -> None:
    """What lies in a submodule, or in a repository of its own, is not committed from outside of it."""
    folders = {folder for path in paths for folder in PurePosixPath(path).parents if folder.parts}
    inner = sorted(str(folder) for folder in folders if (repository.top / folder / ".git").exists())
    if inner:
        raise CommitError(
            f"{inner[0]} is a repository of its own (a submodule): what landed in it is not committed from here.",
            "Commit it there.",
            paths=tuple(inner),
        )


def _refusal(what: str, stuck: Mapping[str, str], hint: str) -> CommitError:
    places = "; ".join(f"{path}: {why}" for path, why in stuck.items())
    files = " ".join(stuck)
    return CommitError(f"Nothing was committed: {what} ({places}).", hint.format(files=files), paths=tuple(stuck))
