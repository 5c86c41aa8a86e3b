"""What turns the working tree into a revision: found by content, without a checkout and without git's index."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent_core.workspace.revision import Revision
from agent_core.workspace.tree import FileChange, Snapshot, content_hash

_AT_A_TIME = 8

Same = set[tuple[str, str]]
"""Pairs of a content's hash and git's name for it that are the same: true for ever, so worth keeping between calls."""


async def back_to(
    revision: Revision, now: Snapshot, read: Callable[[str], bytes | None], same: Same | None = None
) -> dict[str, FileChange]:
    """What has to change in the working tree for it to be a revision.

    Every file is compared by its content: times and sizes, and files that git was told not to look at, hide nothing.

    Args:
        revision: The revision.
        now: The working tree.
        read: Reads a file of the working tree.
        same: What earlier calls found out; added to.

    Raises:
        ConfigError: git cannot give a file.
    """
    same = set() if same is None else same
    known = set(revision.paths)
    changes = {path: FileChange(None) for path in now.files if path not in known}
    doubtful = await asyncio.to_thread(_differing, revision, now, read, same)
    turns = asyncio.Semaphore(_AT_A_TIME)

    async def fetch(path: str) -> None:
        async with turns:
            file = await revision.file(path)
        state = now.files.get(path)
        # Filters may turn other stored bytes into the same file.
        if file is None or file.data is None:
            return
        if state is None or state.mode != file.mode or state.hash != content_hash(file.data):
            changes[path] = file

    await asyncio.gather(*(fetch(path) for path in doubtful))
    return changes


def _differing(revision: Revision, now: Snapshot, read: Callable[[str], bytes | None], same: Same) -> list[str]:
    """The files of the revision that are not, byte by byte, what the working tree has."""
    found = []
    for path in revision.paths:
        state = now.files.get(path)
        name = revision.blob(path)
        if state is None or revision.mode(path) != state.mode:
            found.append(path)
        elif (state.hash, name) not in same:
            data = read(path)
            # Saved just now, it is another content than the one the pair would name.
            if data is not None and revision.holds(path, data) and content_hash(data) == state.hash:
                same.add((state.hash, name))
            else:
                found.append(path)
    return found
