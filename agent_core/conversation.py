"""The items of a conversation with a partner, in a form that belongs to no provider.

A request's input is the list of all items so far. Items are only ever appended, so every request starts
with the exact items of the one before: that is what prompt caches need, and a test proves it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec


class UserItem(msgspec.Struct, frozen=True, tag=True):
    """Words for the partner: the task, steering, or a fact pairloop reports (then in brackets)."""

    text: str


class AssistantItem(msgspec.Struct, frozen=True, tag=True):
    """Words of the partner.

    Attributes:
        text: What it said.
        phase: The provider's label for the message (``commentary``, ``final_answer``), replayed as it
            came: OpenAI's models get worse without it. Empty when there is none.
    """

    text: str
    phase: str = ""


class ReasoningItem(msgspec.Struct, frozen=True, tag=True):
    """A reasoning item, replayed to the provider exactly as it came.

    Attributes:
        raw: The item's JSON text, encrypted content included.
    """

    raw: str


class ToolCallItem(msgspec.Struct, frozen=True, tag=True):
    """The partner called a tool.

    Attributes:
        call_id: Name of the call, chosen by the provider (or by us for calls found in text).
        name: Tool name.
        arguments: The arguments' JSON text, as the model wrote it.
        raw: The provider's own item, as JSON text, where it was no function call (such as an ``apply_patch_call`` of
            the Responses API): it is replayed as it came. Empty otherwise.
    """

    call_id: str
    name: str
    arguments: str
    raw: str = ""


class ToolResultItem(msgspec.Struct, frozen=True, tag=True):
    """What a tool answered.

    Attributes:
        call_id: The call it answers.
        output: Text for the partner.
        ok: Whether the call did what was asked; some APIs want to know.
    """

    call_id: str
    output: str
    ok: bool = True


Item = UserItem | AssistantItem | ReasoningItem | ToolCallItem | ToolResultItem


def turns_so_far(items: Sequence[Item]) -> tuple[int, int]:
    """How many answers a conversation holds, and where the last one ends.

    An answer is a run of the partner's own items.
    """
    turns, end, inside = 0, 0, False
    for index, item in enumerate(items):
        own = isinstance(item, AssistantItem | ReasoningItem | ToolCallItem)
        if own:
            turns += not inside
            end = index + 1
        inside = own
    return turns, end


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool as the partner sees it.

    Attributes:
        name: Function name.
        description: What it does and when to use it.
        parameters: JSON schema of its arguments, as JSON text (so that the spec stays hashable).
    """

    name: str
    description: str
    parameters: str


class Replaced(msgspec.Struct, frozen=True):
    """What a compaction has taken out of a conversation.

    Attributes:
        items: How many items more there have been; it never shrinks, also where they have come back, so that names made
            of an item's place stay unique.
        answers: How many answers of the partner are no longer there.
    """

    items: int = 0
    answers: int = 0


class Request(msgspec.Struct, frozen=True):
    """One request to a partner.

    Attributes:
        instructions: The system text; the same for the whole session.
        items: Every item so far, oldest first.
        tools: The tools on offer, in a stable order.
        cache_key: Stable per session; sent as ``prompt_cache_key`` where the provider has it.
        variety: Added to the temperature where one is sent: a partner that said the same thing again is to say
            something else.
        replaced: What came before and is not among the items any more.
        form: The form of patches that was asked for in place of the one in the instructions; empty for that.
    """

    instructions: str
    items: tuple[Item, ...]
    tools: tuple[ToolSpec, ...]
    cache_key: str
    variety: float = 0.0
    replaced: Replaced = Replaced()
    form: str = ""

    @property
    def turn(self) -> int:
        """How many items the conversation has had so far: of two requests with new items never the same."""
        return len(self.items) + self.replaced.items


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one request as the provider counts them; zeros where it does not say.

    Attributes:
        input: All that was sent.
        cached: How much of it came from the provider's cache.
        output: All that was answered, reasoning included.
        reasoning: How much of it was reasoning.
        cost: What it costs in US dollars; None where that is not known.
    """

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    cost: float | None = None

    def __add__(self, other: Usage) -> Usage:
        """Both together; a cost that is not known counts as nothing beside one that is."""
        known = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Usage(
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.reasoning + other.reasoning,
            sum(known) if known else None,
        )


class PartnerInfo(msgspec.Struct, frozen=True):
    """Who proposes.

    Attributes:
        kind: ``responses``, ``chat``, ``scripted`` or ``offline`` (the built-in one).
        name: What the human reads, such as ``gpt-x via api.openai.com`` or ``script demo.json``.
        model: The model's id; empty for a script.
        window: How many tokens fit into its context; 0 where that is not known.
        entry: Name of its entry in the configuration: ``[partners.NAME]`` or a preset; empty for ``[partner]``.
        form: In which form it is to write patches, where that is set or was found; empty otherwise.
        pinned: That form is set, and stays whatever becomes of its patches.
    """

    kind: str
    name: str
    model: str = ""
    window: int = 0
    entry: str = ""
    form: str = ""
    pinned: bool = False

    @property
    def reads_little(self) -> bool:
        """Whether it is known that little fits into its context, as with small models on one's own machine."""
        return 0 < self.window <= _LITTLE

    @property
    def looks_itself(self) -> bool:
        """Whether it is no model, and has the project before it without being told of it."""
        return self.kind == "offline"


_LITTLE = 16_384


class TextDelta(msgspec.Struct, frozen=True):
    """Some more of the partner's answer."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True):
    """Some more of the partner's reasoning summary."""

    text: str


class ToolCallDelta(msgspec.Struct, frozen=True):
    """Some more of the arguments of a tool call that is being written."""

    call_id: str
    name: str
    text: str


def _nobody() -> None:
    """Nobody waits."""


class Retrying(msgspec.Struct, frozen=True):
    """The request failed and is sent again; what was streamed of it so far is void.

    Attributes:
        seconds: How long is waited before.
        reason: Why, for a human.
        attempt: Which repetition this is, from 1.
        most: How many there will be; 0 where time is what limits them.
        offline: For how many seconds the server cannot even be connected to; None where it can.
        hurry: Ends the wait.
    """

    seconds: float
    reason: str
    attempt: int
    most: int = 0
    offline: float | None = None
    hurry: Callable[[], None] = _nobody


class Completed(msgspec.Struct, frozen=True):
    """The answer is whole. Always the last chunk of a stream.

    Attributes:
        items: What the partner said, in order, to be appended to the conversation.
        usage: Tokens used.
    """

    items: tuple[Item, ...]
    usage: Usage


Chunk = TextDelta | ReasoningDelta | ToolCallDelta | Retrying | Completed
