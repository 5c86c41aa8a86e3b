"""Where git stands, read from its own files: cheap enough to be asked at every save."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from agent_core.text import without_surrogates
from agent_core.workspace.git_operation import MARKS, GitFolder, Operation, operation_in, rebased_branch

Stamp = tuple[tuple[int, int, int] | None, ...]
"""The outside of the files in which git keeps where it stands: time, size and inode of each that is there."""

# Written when HEAD, the index, the stash or what is under way changes; the names after the bar are all work trees'.
_OWN = ("HEAD", "index", "logs/HEAD", "ORIG_HEAD", "reftable/tables.list", *(name for name, _ in MARKS))
_STEPS = ("rebase-merge/msgnum", "rebase-merge/done", "rebase-apply/next")
_COMMON = ("refs/stash", "logs/refs/stash")

_REST = 0.1
"""Seconds after which git has done what it does in several steps."""
_REST_BETWEEN = 0.5
"""Likewise between two commits that are picked."""
_LOCK_AT_WORK = 30.0
"""Seconds for which an index that is being written means that files are; a lock older than that was left behind."""
_LOCK_WRITTEN = 1.0
_TAIL = 256 * 1024
_ENTRY = re.compile(rb"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) [^\t\n]*\t?([^\n]*)")


class LogLine(msgspec.Struct, frozen=True):
    """A line of a reflog: what it pointed to before and after, and why."""

    old: str
    new: str
    text: str

    @property
    def commits(self) -> bool:
        """Whether it tells of a commit of what is in the index, which writes no file."""
        return self.text.startswith("commit")


class GitState(msgspec.Struct, frozen=True):
    """Where git stands.

    Attributes:
        head: What HEAD says: ``ref: refs/heads/main``, or a commit.
        branch: Name of the branch, also of one that is being rebased; empty where HEAD is none.
        commit: The commit HEAD is at; empty where there is none yet, or it is not known.
        stash: The newest stash; empty where there is none.
        stashes: How many there are.
        operation: What is under way.
        logged: Size of the reflog of HEAD.
    """

    head: str
    branch: str
    commit: str
    stash: str = ""
    stashes: int = 0
    operation: Operation | None = None
    logged: int = 0

    @property
    def name(self) -> str:
        """The branch, or the commit in short."""
        return self.branch or self.commit[:8]


def stamp(folder: GitFolder) -> Stamp:
    """The outside of git's files as they are now."""
    names = [folder.own / name for name in (*_OWN, *_STEPS)] + [folder.common / name for name in _COMMON]
    return tuple(_outside(str(name)) for name in names)


def rests(folder: GitFolder, now: Stamp, known: Stamp) -> bool:
    """Whether git has done what it was doing.

    Args:
        folder: Its folder.
        now: Its files as they are.
        known: Its files when it was last known to rest.
    """
    at = time.time_ns()
    lock = _outside(str(folder.own / "index.lock"))
    if lock is not None:
        # It stays empty while files are written, and is filled at the end; `git commit -a` keeps a full one while
        # the human thinks of a message.
        held = (at - lock[0]) / 1e9
        # One whose time is yet to come says nothing of how long it is held.
        if 0 <= held < (_LOCK_WRITTEN if lock[1] else _LOCK_AT_WORK):
            return False
    if now == known:
        return True
    newest = max((one[0] for one in now if one is not None), default=0)
    moving = operation_in(folder) in {"rebase", "am", "cherry-pick", "revert"}
    return (at - newest) / 1e9 >= (_REST_BETWEEN if moving else _REST) or newest > at


def writes_files(folder: GitFolder) -> bool:
    """Whether a git command holds the index without having written it: it may be in the middle of writing files."""
    lock = _outside(str(folder.own / "index.lock"))
    return lock is not None and not lock[1]


def read_state(folder: GitFolder) -> GitState:
    """Read where git stands; with no commit where there is no reflog, and only git itself can say which."""
    # Names of branches need be no text; nothing is looked up by them here.
    head = _text(folder.own / "HEAD").strip()
    branch = head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else rebased_branch(folder)
    head, branch = without_surrogates(head), without_surrogates(branch)
    log = folder.own / "logs" / "HEAD"
    last = log_since(log, -1)
    commit = last[-1].new if last else ""
    if re.fullmatch(r"[0-9a-f]{40,64}", head):
        commit = head
    stashes = log_since(folder.common / "logs" / "refs" / "stash", 0)
    return GitState(
        head=head,
        branch=branch,
        commit="" if set(commit) == {"0"} else commit,
        stash=stashes[-1].new if stashes else "",
        stashes=len(stashes),
        operation=operation_in(folder),
        logged=_size(log),
    )


def log_since(log: Path, size: int) -> tuple[LogLine, ...]:
    """The lines of a reflog that have come since it was of a size, as far as they are in its last quarter megabyte.

    Args:
        log: The file.
        size: Its size then; negative for just the last line.
    """
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            start = size if 0 <= size <= end else 0
            start = max(start, end - (4096 if size < 0 else _TAIL))
            file.seek(start)
            data = file.read(end - start)
    except OSError:
        return ()
    lines = tuple(_log_lines(data))
    return lines[-1:] if size < 0 else lines


def new_lines(folder: GitFolder, before: GitState, after: GitState) -> tuple[LogLine, ...]:
    """What HEAD's reflog says of the way from one state to another."""
    log = folder.own / "logs" / "HEAD"
    if after.logged >= before.logged:
        return log_since(log, before.logged)
    # It was made shorter meanwhile: what comes after the commit we knew.
    lines = log_since(log, 0)
    known = max((at for at, line in enumerate(lines) if line.new == before.commit), default=len(lines) - 1)
    return lines[known + 1 :]


def _log_lines(data: bytes) -> Sequence[LogLine]:
    found = (_ENTRY.fullmatch(line) for line in data.split(b"\n"))
    return [
        LogLine(match[1].decode(), match[2].decode(), match[3].decode("utf-8", "replace").strip())
        for match in found
        if match is not None
    ]


def _outside(path: str) -> tuple[int, int, int] | None:
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return max(info.st_mtime_ns, info.st_ctime_ns), info.st_size, info.st_ino


def _size(path: Path) -> int:
    seen = _outside(str(path))
    return seen[1] if seen is not None else 0


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return os.fsdecode(path.read_bytes()[:4096])
    return ""
