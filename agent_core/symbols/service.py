"""Maps of a project and searches for names in it, for whoever must not wait long for them."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

import agent_core
from agent_core.file_modes import SYMLINK
from agent_core.process import run
from agent_core.symbols.languages import language_of
from agent_core.symbols.rank import Wish
from agent_core.symbols.work import Answer, Found, Kind, Request, carry_out
from agent_core.text import encodable
from agent_core.workspace.tree import FileState

_IN_THREAD = 250
"""So many source files are read in a thread; more by a process of their own, which holds nobody up."""
_MOST_FILES = 30_000
_FILL_SECONDS = 900.0
_FIND_SECONDS = 30.0
_READ_SECONDS = 1.0
"""So long a map waits for files to be read that nobody has read yet."""
_MAP_SECONDS = 3.0
_CAP = 16_000_000
# Nothing of the project may stand in for what the process imports.
_START = "import sys; sys.path.insert(0, {own!r}); from agent_core.symbols.work import main; main()"
log = logging.getLogger(__name__)

States = Mapping[str, FileState]
"""The files of a tree, by path."""
Drafts = Mapping[str, bytes]
"""Contents that are not on disk, by path."""


class Symbols:
    """What is known of the names in a project.

    Args:
        root: The project's folder.
        state: Where what is known is kept.
    """

    def __init__(self, root: Path, state: Path) -> None:
        self._root = root
        self._state = state

    async def fill(self, states: States) -> None:
        """Read in the background what is not known yet, where that takes so long that a map would wait for it."""
        asked = await asyncio.to_thread(self._request, "fill", states, {}, seconds=_FILL_SECONDS)
        if len(asked.files) > _IN_THREAD:
            await self._carried_out(asked, _FILL_SECONDS)

    async def map(
        self, states: States, drafts: Drafts, wish: Wish, tokens: int, without: Collection[str] = ()
    ) -> tuple[str, int]:
        """The map of a project; see `agent_core.symbols.repo_map.draw`.

        Args:
            states: The tree.
            drafts: What of it is not on disk.
            wish: What the map is for.
            tokens: Its budget.
            without: Files to leave out.

        Returns:
            The map, and how many files are not on it as there was no time to read them. Empty when there is no code,
            no room, or it took too long.
        """
        asked = await asyncio.to_thread(self._request, "map", states, drafts, seconds=_READ_SECONDS)
        if not asked.files or tokens <= 0:
            return "", 0
        asked = msgspec.structs.replace(asked, wish=wish, tokens=tokens, without=frozenset(without))
        answer = await self._carried_out(asked, _MAP_SECONDS)
        return (answer.text, answer.left) if answer is not None else ("", len(asked.files))

    async def find(self, states: States, drafts: Drafts, name: str, folder: str = "") -> Found | None:
        """Where a name is defined and used.

        Args:
            states: The tree.
            drafts: What of it is not on disk.
            name: The name, letter by letter.
            folder: Look only below it, or in this file.

        Returns:
            None when it took too long.
        """
        chosen = {
            path: one for path, one in states.items() if not folder or path == folder or path.startswith(folder + "/")
        }
        asked = await asyncio.to_thread(self._request, "find", chosen, drafts, seconds=_FIND_SECONDS)
        asked = msgspec.structs.replace(asked, name=name)
        answer = await self._carried_out(asked, _FIND_SECONDS)
        return None if answer is None else answer.found

    def _request(self, kind: Kind, states: States, drafts: Drafts, *, seconds: float) -> Request:
        files = tuple(sorted(_sources(states)))[:_MOST_FILES]
        known = {path for path, _ in files}
        return Request(
            kind,
            os.fspath(self._root),
            os.fspath(self._state / "symbols.sqlite"),
            files,
            {path: data for path, data in drafts.items() if path in known},
            seconds,
        )

    async def _carried_out(self, asked: Request, seconds: float) -> Answer | None:
        """The answer; None when it took too long, or could not be had."""
        try:
            return await self._answer(asked, seconds)
        except Exception:
            # Files are whatever they are; a task can be done without knowing the names in them.
            log.exception("symbols: %s failed", asked.kind)
            return None

    async def _answer(self, asked: Request, seconds: float) -> Answer | None:
        if len(asked.files) <= _IN_THREAD:
            return await asyncio.to_thread(carry_out, asked)
        own = str(Path(agent_core.__file__).parent.parent)
        argv = (sys.executable, "-I", "-c", _START.format(own=own))
        given = msgspec.msgpack.encode(asked)
        done = await run(argv, cwd=self._state, timeout=seconds, stdin=given, cap=_CAP)
        if done.code != 0 or done.timed_out:
            log.warning("symbols: %s ended with %s: %s", asked.kind, done.code, done.stderr[-2000:])
            return None
        return msgspec.msgpack.decode(done.stdout, type=Answer)


def _sources(states: States) -> Iterator[tuple[str, str]]:
    for path, state in states.items():
        # Names that are no text could not be written down for anybody.
        if state.mode != SYMLINK and language_of(path) and encodable(path):
            yield path, state.hash
