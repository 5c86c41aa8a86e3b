"""Compaction: when the partner's context fills up, a summary takes the place of the oldest of the conversation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Literal

from agent_core import commands
from agent_core import events as ev
from agent_core.aside import Asker
from agent_core.conversation import Item, ToolSpec
from agent_core.errors import JournalError, PairloopError, PartnerError
from agent_core.item_text import item_text, items_tokens, overhead_tokens
from agent_core.memory.recollection import memory_of, memory_text
from agent_core.parts import Parts
from agent_core.prompt.compaction import (
    INSTRUCTIONS,
    Plan,
    Room,
    is_summary,
    plain_summary,
    planned,
    summary_item,
    transcript,
)
from agent_core.prompt.instructions import instructions
from agent_core.state import State
from agent_core.text import cap_text, estimate_tokens

Why = Literal["full", "refused", "asked"]
By = Literal["partner", "pairloop"]

_LATE = 0.95
"""How full the context may get once the human has taken a compaction back."""
_WORTH = 0.1
"""What has to be gained, as a share of the conversation, where it could be sent as it is."""
_MOST_READ = 60_000
_LONGEST = 6
"""Most characters of a summary for each token it was to have: a weak model that goes on and on is not waited for."""
_PATIENCE = 2.0
"""Times the seconds that the server may be silent: a summary by a slow model takes its time, but is not worth more."""
_LEAST_ROOM = 400
_NEWS_SHARE = 0.3
_MEMORY_PART, _LEAST_MEMORY = 6, 4000
"""What is remembered gets so much of the context in any case: a part of it, but no more tokens than these."""
log = logging.getLogger(__name__)


class Compactor:
    """Keeps the conversation of one session within the partner's context.

    Args:
        parts: The session's parts.
        tools: Gives what the partner is offered.
    """

    def __init__(self, parts: Parts, tools: Callable[[], Sequence[ToolSpec]]) -> None:
        self._parts = parts
        self._asker = Asker(parts.model, parts.other, parts.emit)
        self._tools = tools
        self._lock = asyncio.Lock()
        self._asked: asyncio.Task[None] | None = None

    # -- commands

    def obey(self, command: commands.Compact | commands.Uncompact, group: asyncio.TaskGroup) -> None:
        """Compact now, in the background; or take the last compaction back, at once."""
        if isinstance(command, commands.Uncompact):
            if self._parts.state().compactions:
                self._parts.emit(ev.CompactionUndone(), durable=True)
            else:
                self._note("There is no summary in the conversation that could be taken back.")
        elif self._asked is not None and not self._asked.done():
            self._note("The conversation is being summed up already.")
        else:
            self._asked = group.create_task(self._as_asked())

    async def stop(self) -> None:
        """End what was asked for by hand and is under way."""
        if self._asked is not None and not self._asked.done():
            self._asked.cancel()
            await asyncio.wait([self._asked])

    async def _as_asked(self) -> None:
        try:
            async with self._lock:
                size, window, fixed = self._tokens(), self._window, self._overhead
                # What stands before every conversation stays as long as it is.
                target = fixed + max(size - fixed, 0) // 3
                target = min(target, window // 2) if window else target
                if not await self._compact("asked", target):
                    self._note("A summary would not make the conversation much shorter by now.")
        except JournalError:
            raise
        except PairloopError as error:
            self._parts.emit(ev.Noted("error", error.message, error.hint))
        except Exception as error:
            log.exception("the conversation could not be summed up")
            text = f"The conversation could not be summed up: {type(error).__name__}: {error}."
            self._parts.emit(ev.Noted("error", text, "The log has the details."))

    def _note(self, text: str) -> None:
        self._parts.emit(ev.Noted("info", text))

    # -- before and after a request

    def fitted(self, news: str) -> str:
        """News for the partner, without its middle where that alone would fill its context."""
        return cap_text(news, int(self._window * _NEWS_SHARE)) if self._window else news

    async def make_room(self, news: Sequence[str]) -> None:
        """Compact the conversation if the next request would fill the context too much.

        Args:
            news: What is about to be said beside it.
        """
        async with self._lock:
            more = sum(map(estimate_tokens, news))
            share = self._parts.config.memory.compact_at
            if self._parts.state().uncompacted and share < _LATE:
                share = _LATE
            if share < 1 and self._window and self._tokens() + more > self._window * share:
                await self._compact("full", int(self._window * share) // 2 - more)

    async def refused(self, *, again: bool) -> bool:
        """Make the conversation shorter, as the partner had no room for it.

        Args:
            again: It was made shorter before, and that was not enough.

        Returns:
            Whether it is shorter now, so that it can be sent again.
        """
        async with self._lock:
            # The refusal may have said how much it can read.
            self._parts.tell_partner()
            size = self._tokens()
            known = min(size, self._window) if self._window else size
            return await self._compact("refused", known // (6 if again else 2))

    @property
    def _window(self) -> int:
        return self._parts.model.info.window

    @property
    def _overhead(self) -> int:
        tools = self._tools()
        return overhead_tokens(instructions(tools), tools)

    def _tokens(self) -> int:
        """How large a request with the conversation as it is would be."""
        size = self._parts.state().size
        return size.tokens if size.counted else size.tokens + self._overhead

    # -- the work

    async def _compact(self, why: Why, target: int) -> bool:
        """Replace what is oldest; whether there was anything to be gained.

        Args:
            why: What for.
            target: How large a request is to be at most, afterwards.
        """
        state, before = self._parts.state(), self._tokens()
        estimated = max(items_tokens(state.items), 1)
        # How the provider counts, as against our estimate.
        scale = before / (estimated + self._overhead)
        all_items = max(int(target / scale) - self._overhead, int(target / scale * 0.4), _LEAST_ROOM)
        least = min(self._window // _MEMORY_PART, _LEAST_MEMORY) if self._window else _LEAST_MEMORY
        room = Room(all_items, int(least / scale))
        memory = memory_text(memory_of(state), room.memory)
        plan = planned(state.items, room, estimate_tokens(memory))
        if not self._gains(plan, estimated, room, memory, least=0.0 if why == "refused" else _WORTH):
            return False
        summary: tuple[Item, ...] = ()
        by: By = "pairloop"
        if plan.replaced:
            if why == "asked":
                self._note("The oldest of the conversation is being summed up ...")
            text, by = await self._summary(plan.replaced, room, scale)
            summary = (summary_item(text, memory, _task_words(state, plan, room)),)
        now = self._parts.state()
        if len(now.compactions) != len(state.compactions):
            return False  # meanwhile the human has taken the one before back
        items = plan.items(summary)
        same = _alike(items, state.items)
        grown = now.items[len(state.items) :]
        after = int((items_tokens((*items, *grown)) + self._overhead) * scale)
        self._parts.emit(
            ev.Compacted(
                items[: len(items) - same],
                len(state.items) - same,
                self._tokens(),
                after,
                why,
                summed=len(plan.replaced),
                cut=plan.cut,
                by=by,
            ),
            durable=True,
        )
        return True

    def _gains(self, plan: Plan, estimated: int, room: Room, memory: str, *, least: float) -> bool:
        """Whether a plan makes the conversation shorter, by more than some share of it."""
        if not plan.cut and all(map(is_summary, plan.replaced)):
            return False
        new = estimate_tokens(memory) + min(room.summary, items_tokens(plan.replaced) // 2) if plan.replaced else 0
        gained = estimated - items_tokens(plan.items(())) - new
        return gained > estimated * least

    async def _summary(self, items: Sequence[Item], room: Room, scale: float) -> tuple[str, By]:
        """A summary by the partner, or else one without a model."""
        size = self._window or self._tokens()
        text = transcript(items, int(min(size * 0.5, _MOST_READ) / scale))
        try:
            aside = await self._asker.ask(
                "summary",
                INSTRUCTIONS.format(words=room.summary // 2),
                text,
                cache_key=f"{self._parts.session}/summary",
                most=room.summary * _LONGEST,
                seconds=self._parts.config.partner.timeout * _PATIENCE,
            )
        except PartnerError as error:
            log.warning("the partner wrote no summary: %s", error)
        else:
            if aside.text:
                return aside.text, "partner"
        return plain_summary(items, room.summary), "pairloop"


def _task_words(state: State, plan: Plan, room: Room) -> str:
    """The words of the newest task, where they are among what is replaced and nowhere else."""
    text = state.tasks[-1].text if state.tasks else ""
    if not text or any(text in item_text(item) for item in (*plan.head, *plan.tail)):
        return ""
    return cap_text(text, room.task)


def _alike(new: Sequence[Item], old: Sequence[Item]) -> int:
    """How many items at the end are the same."""
    count = 0
    while count < min(len(new), len(old)) and new[-1 - count] is old[-1 - count]:
        count += 1
    return count
