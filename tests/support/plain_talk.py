"""A talk in plain lines about a real session: what is told, a pipe to type into, and a clock that stands still."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from agent_core.commands import AnyCommand
from tests.support.running import Running, flags, running
from tests.support.shop import QUICK
from tui.plain.asking import Asking
from tui.plain.console import Console
from tui.plain.talk import Talk

PATIENCE = 30.0
# C0 controls but tab and newline, DEL, and C1: nothing that a terminal would obey.
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
TWO_PARTS = """*** Begin Patch
*** Add File: shop/notes.py
+\"\"\"Notes.\"\"\"
*** Update File: shop/prices.py
@@ def total(prices: list[int], discount: int = 0) -> int:
-    for price in prices[1:]:
+    for price in prices:
*** End Patch"""


class Paper(io.StringIO):
    """What was told, and word of more."""

    def __init__(self) -> None:
        super().__init__()
        self.news = asyncio.Event()

    def write(self, text: str) -> int:
        self.news.set()
        return super().write(text)


class Sends:
    """A session as far as words that wait are concerned."""

    def __init__(self, session: Any, sent: list[AnyCommand], queued: tuple[str, ...]) -> None:
        self.state = msgspec.structs.replace(session.state, queued=queued)
        self.submit = sent.append


class Talking:
    """A talk about a real session: what was told, a pipe to type into, and a clock that stands still."""

    def __init__(self, here: Running, out: Paper, keys: int) -> None:
        self.here = here
        self.talk: Talk
        self.now = 0.0
        self._out = out
        self._keys = keys
        self._seen = 0

    @property
    def all(self) -> str:
        return self._out.getvalue()

    async def told(self, text: str) -> str:
        """Wait until something is told after what was waited for before; gives what was told up to there."""
        async with asyncio.timeout(PATIENCE):
            while (found := self.all.find(text, self._seen)) < 0:
                self._out.news.clear()
                await self._out.news.wait()
        before, self._seen = self._seen, found + len(text)
        return self.all[before : self._seen]

    def type(self, text: str) -> None:
        os.write(self._keys, text.encode())

    def answer(self, text: str) -> None:
        """Type a line after the question has been there for a while."""
        self.now += 1
        self.type(f"{text}\n")


def settings(script: Path, mode: str = "step") -> dict[str, Any]:
    return flags(mode, off=QUICK, partner={"script": str(script)})


@asynccontextmanager
async def talking(project: Path, script: Path, *, watch: bool = False) -> AsyncIterator[Talking]:
    reads, writes = os.pipe()
    out = Paper()
    async with running(project, settings(script), watch=watch) as here:
        talking = Talking(here, out, writes)
        console = Console(reads, out, lambda: None, lambda: talking.now)
        talk = Talk(here.session, console, Asking(console), leave=lambda: None, interrupt=lambda: None)
        talking.talk = talk
        here.session.subscribe(talk.told)

        async def hear() -> None:
            while (typed := await console.line()) is not None:
                talk.hear(typed)

        console.start()
        hearing = asyncio.create_task(hear())
        try:
            yield talking
        finally:
            hearing.cancel()
            console.stop()
            talk.close()
            os.close(writes)
            os.close(reads)
    assert not OBEYED.search(out.getvalue())


def script_of(path: Path, *turns: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"name": "test", "turns": turns}))
    return path


def patch_turn(patch: str, text: str = "Like this.") -> dict[str, Any]:
    return {"text": text, "calls": [{"name": "apply_patch", "arguments": {"patch": patch}}]}
