"""One request to the partner: what it is told, and its answer as it streams."""

from __future__ import annotations

from contextlib import aclosing

from agent_core import events as ev
from agent_core.compacting import Compactor
from agent_core.conversation import (
    AssistantItem,
    Completed,
    ReasoningDelta,
    Request,
    Retrying,
    TextDelta,
    ToolCallDelta,
    ToolCallItem,
    ToolSpec,
    UserItem,
)
from agent_core.errors import PartnerError
from agent_core.memory.notes import notes_item
from agent_core.pacing import Paced
from agent_core.partners.closing import closing
from agent_core.parts import Parts
from agent_core.patch.stream import PatchText
from agent_core.prompt import replies
from agent_core.prompt.edit_words import edits_item
from agent_core.prompt.forms import form_in
from agent_core.prompt.instructions import instructions
from agent_core.runaway import EndlessError, Runaway
from agent_core.state import State
from agent_core.tools.toolbox import APPLY_PATCH

# Enough for a small model to leave a rut, not so much that it loses the form of a patch.
_VARIETY = 0.6
_MOST_SHORTENED = 2
_MOST_ENDLESS = 2


class _Answer:
    """An answer as far as it has come; turns chunks into events."""

    def __init__(self, parts: Parts, broken: BrokenRequests) -> None:
        self._parts = parts
        self._emit = parts.emit
        self._broken = broken
        self._runaway = Runaway(parts.model.info.window)
        self._voided = ""
        self._retried = False
        self._said = Paced(lambda text: self._emit(ev.TextStreamed(text)))
        self._thought = Paced(lambda text: self._emit(ev.ReasoningStreamed(text)))
        self._patches: dict[str, tuple[PatchText, Paced]] = {}
        self._line_over = True
        self.text = ""
        self.begun = False
        self.completed: Completed | None = None
        self.by = parts.model.info
        """Who answers."""

    @property
    def kept(self) -> str:
        """The words that are worth keeping of an answer that was cut off: of the last try that said any."""
        text = self.text if self.text.strip() else self._voided
        return self._runaway.kept(text) if text.strip() else ""

    def take(self, chunk: TextDelta | ReasoningDelta | ToolCallDelta | Retrying | Completed) -> None:
        """Take the next piece.

        Raises:
            EndlessError: The answer has no end.
            PartnerError: Too many requests of the task broke off.
        """
        if not self.begun and self._retried:
            # Whoever was taken while it waited is the one who was asked again.
            self.by = self._parts.model.info
        self.begun = not isinstance(chunk, Retrying)
        self._retried = not self.begun
        self._parts.waits.over()
        match chunk:
            case TextDelta(text):
                self.text += text
                self._said.feed(text)
            case ReasoningDelta(text):
                self._thought.feed(text)
            case ToolCallDelta(call_id, name, text):
                if name == APPLY_PATCH:
                    self._take_patch(call_id, text)
            case Retrying():
                self._void(chunk)
            case Completed():
                self.completed = chunk
        if why := self._runaway.take(chunk):
            raise EndlessError(why)

    def _void(self, chunk: Retrying) -> None:
        self.flush()
        self._patches.clear()
        self._line_over = True
        self._voided = self.text if self.text.strip() else self._voided
        self.text = ""
        self._runaway = Runaway(self._parts.model.info.window)
        # To find nobody there costs nothing, and has its own limit.
        if chunk.offline is None:
            self._broken.add(chunk.reason)
        self._parts.waits.begin(chunk.hurry)
        offline = chunk.offline is not None
        self._emit(ev.AnswerVoided(chunk.reason, chunk.seconds, chunk.attempt, chunk.most, offline))

    def _take_patch(self, call_id: str, text: str) -> None:
        if call_id not in self._patches:
            # All patches of an answer are shown as one text: what is held back of the one before comes first, and the
            # next begins on a line of its own.
            for _, pace in self._patches.values():
                pace.flush()
            self._patches[call_id] = PatchText(), Paced(lambda new: self._emit(ev.PatchStreamed(call_id, new)))
            if not self._line_over:
                self._patches[call_id][1].feed("\n")
        reader, pace = self._patches[call_id]
        if new := reader.feed(text):
            self._line_over = new.endswith("\n")
            pace.feed(new)

    def flush(self) -> None:
        for pace in (self._said, self._thought, *(pace for _, pace in self._patches.values())):
            pace.flush()


class BrokenRequests:
    """Counts the requests of a task that broke off and are sent again.

    Args:
        most: How many there may be.
    """

    def __init__(self, most: int) -> None:
        self._left = self._most = most

    def add(self, reason: str) -> None:
        """Count one.

        Raises:
            PartnerError: There have been too many.
        """
        self._left -= 1
        if self._left < 0:
            text = f"Stopped: more than {self._most} requests of this task broke off, at last: {reason}"
            hint = "Look at the connection or the server, then ask again; loop.max_broken_requests sets the limit."
            raise PartnerError("unreachable", text, hint)


async def take_turn(
    parts: Parts, tools: tuple[ToolSpec, ...], broken: BrokenRequests, compactor: Compactor
) -> tuple[ToolCallItem, ...]:
    """Tell the partner what is new, and hear it out.

    Lessons that fit, human edits and steering since the last request go to the end of the input; nothing before them
    changes, unless the context is full: then a summary takes the place of what is oldest. When the turn is cut off,
    what was said so far is kept in the conversation.

    Args:
        parts: The session's parts.
        tools: What it is offered.
        broken: Where requests that break off are counted.
        compactor: Makes room where the context is full.

    Returns:
        The tools it calls, in order; none when it only said something.

    Raises:
        PartnerError: It could not be reached, refused, or broke off for good.
    """
    again = replies.said_again(parts.state().items)
    if again:
        parts.append(UserItem(replies.SAME_AGAIN))
    parts.append(*await parts.recall())
    await parts.gate()
    await compactor.make_room(_news(parts.state()))
    shortened = endless = 0
    while True:
        # Room may have been made by a request of its own.
        await parts.gate()
        # What was said while room was made is among the news too: from here to the request nobody else has a word.
        parts.append(*(UserItem(compactor.fitted(text)) for text in _news(parts.state())))
        answer = _Answer(parts, broken)
        try:
            return await _asked(parts, tools, answer, _VARIETY if again or endless else 0.0)
        except EndlessError as error:
            parts.emit(ev.AnswerVoided(f"The partner's answer was cut off, as {error}."))
            parts.append(UserItem(replies.ENDLESS.format(why=error)))
            endless += 1
            if endless > _MOST_ENDLESS:
                text = f"Stopped: the partner does not come to an end. Its last answer was cut off, as {error}."
                hint = "Ask in other words or for less, or take another model."
                raise PartnerError("stream", text, hint) from error
        except PartnerError as error:
            # An answer that was cut off is as long as it may be: only where nothing came of it was there no room.
            if error.kind != "context_too_long" or answer.begun or shortened == _MOST_SHORTENED:
                raise
            if not await compactor.refused(again=bool(shortened)):
                raise
            shortened += 1


def _news(state: State) -> tuple[str, ...]:
    """What the partner has not been told yet."""
    edits = edits_item(state.untold) if state.untold else ""
    return tuple(filter(None, (edits, notes_item(state), *state.repairs.untold, *state.sayings)))


async def _asked(
    parts: Parts, tools: tuple[ToolSpec, ...], answer: _Answer, variety: float
) -> tuple[ToolCallItem, ...]:
    """Send one request; see `take_turn`."""
    state = parts.state()
    parts.emit(ev.PromptSent(state.steps + 1, len(state.items)))
    try:
        request = Request(
            instructions(tools), state.items, tools, parts.session, variety, state.replaced, form_in(state.items) or ""
        )
        async with aclosing(closing(parts.model.stream(request))) as chunks:
            async for chunk in chunks:
                answer.take(chunk)
    except BaseException:
        answer.flush()
        if answer.kept:
            parts.append(AssistantItem(answer.kept))
        raise
    finally:
        parts.waits.over()
    answer.flush()
    done = answer.completed
    if done is None:
        raise PartnerError("stream", "The partner's answer ended before it was complete.", "Ask again to repeat it.")
    words = "\n\n".join(item.text for item in done.items if isinstance(item, AssistantItem))
    info, asked = parts.model.info, answer.by
    if info.entry != asked.entry or asked.model not in {"", info.model}:
        info = asked  # another was chosen while this one answered
    parts.emit(ev.AnswerFinished(words, done.usage, info.model, info.entry))
    parts.append(*done.items)
    parts.tell_partner()
    return tuple(item for item in done.items if isinstance(item, ToolCallItem))
