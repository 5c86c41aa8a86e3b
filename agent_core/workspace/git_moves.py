"""What git did to a working tree between two looks: in what words, and which of the files that changed it wrote."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import msgspec

from agent_core.errors import PairloopError
from agent_core.text import counted
from agent_core.workspace.git import folder_of
from agent_core.workspace.git_changes import Asked, Change, Whose
from agent_core.workspace.git_operation import GitFolder, Operation
from agent_core.workspace.git_state import (
    GitState,
    LogLine,
    Stamp,
    new_lines,
    read_state,
    rests,
    stamp,
    writes_files,
)
from agent_core.workspace.revision import commit_of, open_revision
from agent_core.workspace.tree import content_hash

_LONGEST_WAIT = 30.0
_STEP = 0.02
_WORDS = 200
_SAYS = 3
_MOST_VISITED = 6
_OTHER_SIDE = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD")
_STEPPED = re.compile(r"(?P<what>(?:pull|rebase)[^:(]*?) \((?P<step>[^)]*)\): ?(?P<rest>.*)")


class Move(msgspec.Struct, frozen=True):
    """What git did between two looks.

    Attributes:
        what: In words; empty where it did nothing that anybody has to know of.
        before: Where it stood before.
        after: Where it stands now.
        whose: The files that are git's, and those that may be; what is not in it is not git's.
        commits: Where it has been on the way, the last first.
        seen: Its files from outside, when it had rested.
    """

    what: str
    before: GitState
    after: GitState
    whose: Mapping[str, Whose]
    commits: tuple[str, ...] = ()
    seen: Stamp = ()


class GitMoves:
    """Follows git in one project.

    Args:
        root: The project's folder.
        mask: Takes secrets out of what it is said to have done: an address that was pulled from may hold a password.
    """

    def __init__(self, root: Path, mask: Callable[[str], str] = str) -> None:
        self._root = root
        self._mask = mask
        self._folder: GitFolder | None = None
        self._state: GitState | None = None
        self._known: Stamp = ()
        self._rested: Stamp = ()

    @property
    def state(self) -> GitState | None:
        """Where git stood when it was last explained; None where there is no repository."""
        return self._state

    async def start(self, before: GitState | None = None) -> None:
        """Take where git stands now for the starting point.

        Args:
            before: Another starting point: where it stood when the session was last open.
        """
        folder = await asyncio.to_thread(folder_of, self._root)
        if folder is None:
            return
        rested = await asyncio.to_thread(stamp, folder)
        now = await self._read(folder)
        # Nothing is awaited from here on: it is followed or it is not.
        self._folder, self._state, self._known, self._rested = folder, now, rested, rested
        if before is not None and msgspec.structs.replace(before, logged=0) != msgspec.structs.replace(now, logged=0):
            self._state, self._known = before, ()

    @property
    def has_moved(self) -> bool:
        """Whether git had been at work when it last rested, and it has not been explained yet."""
        return self._rested != self._known

    async def rest(self) -> bool:
        """Wait, at most half a minute, until git has done what it is doing.

        Returns:
            Whether anything of it is another since this was last asked.
        """
        folder = self._folder
        if folder is None:
            if not (self._root / ".git").exists():
                return False
            # A repository has been made here since; it is followed from now on.
            await self.start()
            return self._folder is not None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LONGEST_WAIT
        while True:
            now = await asyncio.to_thread(stamp, folder)
            if await asyncio.to_thread(rests, folder, now, self._known) or loop.time() > deadline:
                break
            await asyncio.sleep(_STEP)
        moved, self._rested = now != self._rested, now
        return moved

    async def explain(self, changes: Collection[Change]) -> Move | None:
        """Say what git did since what was last told of it, and which files it wrote; see `told`.

        Args:
            changes: The files that changed since.

        Returns:
            None where git did nothing.
        """
        folder, before, seen = self._folder, self._state, self._rested
        if folder is None or before is None:
            return None
        if seen == self._known:
            cut_off = bool(changes) and await asyncio.to_thread(writes_files, folder)
            unknown: dict[str, Whose] = {one.path: "unknown" for one in changes}
            return Move("", before, before, unknown, seen=seen) if cut_off else None
        after = await self._read(folder)
        lines = await asyncio.to_thread(new_lines, folder, before, after)
        whose = await Asked(self._root, before, after, lines).whose(changes) if changes else {}
        files = any(owner == "git" for owner in whose.values())
        # Before it is shortened: of half a secret nothing tells what it is.
        shown = tuple(msgspec.structs.replace(line, text=self._mask(line.text)) for line in lines)
        commits = [after.commit, *(line.new for line in reversed(lines)), before.commit]
        # What is being merged, and stands in no log yet.
        commits[1:1] = _OTHER_SIDE if after.operation is not None else ()
        visited = tuple(dict.fromkeys(commit for commit in commits if commit))[:_MOST_VISITED]
        return Move(_what(before, after, shown, files=files), before, after, whose, visited, seen)

    def told(self, move: Move) -> None:
        """Take a move for known: the next one begins where it ended."""
        self._state, self._known = move.after, move.seen

    async def wrote(self, move: Move, path: str, digest: str | None) -> bool:
        """Whether a file has that content, or None for no file, in a commit at which git has been.

        Args:
            move: What git did.
            path: The file.
            digest: Hash of the content.
        """
        for commit in move.commits:
            try:
                file = await (await open_revision(self._root, commit)).file(path)
            except PairloopError:
                # It may be gone already: a rebase leaves commits behind.
                continue
            if (content_hash(file.data) if file is not None and file.data is not None else None) == digest:
                return True
        return False

    async def _read(self, folder: GitFolder) -> GitState:
        state = await asyncio.to_thread(read_state, folder)
        if state.commit:
            return state
        return msgspec.structs.replace(state, commit=await commit_of(self._root, "HEAD") or "")


def _what(before: GitState, after: GitState, lines: tuple[LogLine, ...], *, files: bool) -> str:
    """What git did, in words; empty where it changed no file, stands where it stood, or only committed."""
    said = [line.text for line in lines if not line.commits]
    led = before.commit != after.commit and (said or not lines)
    if not files and not led and (before.branch, before.operation) == (after.branch, after.operation):
        return ""
    words = ""
    if after.stashes > before.stashes:
        words = "stash push"
    elif after.stashes < before.stashes and files:
        words = "stash pop"
    elif said:
        words = _shortened(_of_log(said, after.operation))
    elif after.operation is not None and before.operation != after.operation:
        words = f"{after.operation}: not done yet"
    elif before.branch != after.branch or led:
        words = "checkout"
    return words or ("restore" if files else "")


def _of_log(said: list[str], under_way: Operation | None) -> str:
    """The words of a reflog, those of a rebase as one."""
    stepped = [match for text in said if (match := _STEPPED.match(text)) is not None]
    if not stepped or len(stepped) < len(said):
        plain = list(dict.fromkeys(text for text in said if not _STEPPED.match(text)))
        shown = plain[-_SAYS:] + (["a rebase"] if stepped else [])
        return ("... " if len(plain) > _SAYS else "") + "; ".join(shown)
    first, last = stepped[0], stepped[-1]
    onto = first["rest"].removeprefix("checkout ") if first["step"] == "start" else ""
    words = f"{last['what'].strip()}{f' onto {onto}' if onto else ''}"
    picked = sum(match["step"] not in {"start", "finish", "abort"} for match in stepped)
    if last["step"] == "abort":
        return f"{words}, aborted"
    commits = f", {counted(picked, 'commit')}" if picked else ""
    return f"{words}{commits}{', not done yet' if under_way is not None else ''}"


def _shortened(text: str) -> str:
    return text if len(text) <= _WORDS else f"{text[: _WORDS - 1]}…"
