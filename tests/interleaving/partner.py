"""A partner who proposes anything, over the files as they are when it is asked."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from agent_core.conversation import (
    AssistantItem,
    Chunk,
    Completed,
    Item,
    PartnerInfo,
    Request,
    TextDelta,
    ToolCallDelta,
    ToolCallItem,
    Usage,
)
from agent_core.partners.call_ids import make_call_id

Files = Mapping[str, list[str]]
_PIECE = 40


class Partner:
    """Proposes patches, reads, or just talks, as the dice say.

    Args:
        dice: Say what it does.
        files: Gives the lines of every file as it is now.
    """

    def __init__(self, dice: random.Random, files: Callable[[], Files]) -> None:
        self._dice = dice
        self._files = files
        self._made = 0

    @property
    def info(self) -> PartnerInfo:
        return PartnerInfo("scripted", "dice (not a model)")

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        call = self._call() if request.tools and self._dice.random() < 0.85 else None
        for piece in ("Let me ", "see what ", "can be done."):
            yield TextDelta(piece)
            await self._breathe()
        items: list[Item] = [AssistantItem("Let me see what can be done.")]
        if call is not None:
            name, arguments = call
            text = json.dumps(arguments)
            call_id = make_call_id(request.turn, 0, name, text)
            for at in range(0, len(text), _PIECE):
                yield ToolCallDelta(call_id, name, text[at : at + _PIECE])
                await self._breathe()
            items.append(ToolCallItem(call_id, name, text))
        yield Completed(tuple(items), Usage(input=100, output=10))

    async def close(self) -> None:
        """There is nothing to give back."""

    async def _breathe(self) -> None:
        await asyncio.sleep(self._dice.choice((0, 0, 0.002, 0.01)))

    def _call(self) -> tuple[str, dict[str, Any]]:
        files = self._files()
        if files and self._dice.random() < 0.15:
            return "read_file", {"path": self._dice.choice(sorted(files))}
        return "apply_patch", {"patch": self._patch(files)}

    def _new(self) -> str:
        self._made += 1
        return f"p{self._made} = {self._made}"

    def _patch(self, files: Files) -> str:
        dice = self._dice
        lines = ["*** Begin Patch"]
        for path in dice.sample(sorted(files), min(len(files), dice.choice((1, 1, 2, 3)))):
            lines += self._of(path, files[path])
        if not files or dice.random() < 0.12:
            lines += [f"*** Add File: made/new{self._made}.py", f"+{self._new()}", f"+{self._new()}"]
        return "\n".join([*lines, "*** End Patch"])

    def _of(self, path: str, lines: list[str]) -> list[str]:
        dice, what = self._dice, self._dice.random()
        if what < 0.06:
            return [f"*** Delete File: {path}"]
        if not lines:
            return [f"*** Delete File: {path}"]
        moved = [f"*** Move to: moved/{self._made}_{path.rpartition('/')[2]}"] if what > 0.94 else []
        at = dice.randrange(len(lines))
        hunk = ["@@"]
        if dice.random() < 0.5 and at + 8 < len(lines):
            # A second block further down.
            hunk += self._hunk(lines, at, at + 4)
            hunk += ["@@", *self._hunk(lines, at + 6, len(lines))]
        else:
            hunk += self._hunk(lines, at, len(lines))
        return [f"*** Update File: {path}", *moved, *hunk]

    def _hunk(self, lines: list[str], at: int, end: int) -> list[str]:
        dice = self._dice
        before = [f" {line}" for line in lines[max(at - 1, 0) : at]]
        out = dice.choice((0, 0, 0, 1, 1, 2))
        after = lines[at + out : min(at + out + 2, end)]
        added = [f"+{self._new()}" for _ in range(dice.choice((1, 1, 2)))]
        return [
            *before,
            *(f"-{line}" for line in lines[at : min(at + out, end)]),
            *added,
            *(f" {one}" for one in after),
        ]
