"""A tool call while it is carried out: what it prints, and how it is ended by itself."""

from __future__ import annotations

import asyncio
import time

from agent_core.events import ToolPrinted
from agent_core.keys.known import KNOWN
from agent_core.pacing import Paced
from agent_core.parts import Emit
from agent_core.process import Capture
from agent_core.tools.base import ToolOutput

_KEPT = 64_000  # bytes of output, head and tail, of what is ended
_MOMENT = 0.4  # seconds between two tellings of what is printed
_MOST_TOLD = 4_000  # characters of it that are told at once


class Run:
    """A tool call under way.

    Args:
        call_id: Its id.
        work: What it does.
        emit: Adds an event to the session.
    """

    def __init__(self, call_id: str, work: asyncio.Future[ToolOutput], emit: Emit) -> None:
        self._call_id = call_id
        self._work = work
        self._emit = emit
        self._begun = time.monotonic()
        self._kept = Capture(_KEPT, None)
        self._pace = Paced(self._tell, _MOMENT)
        self._ended = False

    def printed(self, line: str) -> None:
        """It has printed a line."""
        self._kept.feed(f"{line}\n".encode("utf-8", "replace"))
        self._pace.feed(f"{line}\n")

    def end(self) -> None:
        """End it; it comes to what it has printed so far."""
        self._ended = True
        self._work.cancel()

    async def outcome(self) -> ToolOutput:
        """Wait until it is over.

        Whoever waits and is cancelled ends it too, and waits until it is gone.
        """
        task = asyncio.current_task()
        try:
            return await self._work
        except asyncio.CancelledError:
            if not self._ended or (task is not None and task.cancelling()):
                raise
            how = f"ended by the human after {time.monotonic() - self._begun:.0f} s"
            output = self._kept.result().decode("utf-8", "replace")
            return ToolOutput(f"{how}\n{output}".rstrip(), how, ok=False)
        finally:
            self._pace.drop()

    def _tell(self, text: str) -> None:
        text = KNOWN.redact(text)
        if len(text) > _MOST_TOLD:
            text = text[-_MOST_TOLD:].partition("\n")[2] or text[-_MOST_TOLD:]
        self._emit(ToolPrinted(self._call_id, text))
