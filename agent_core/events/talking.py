"""Events of what the human and the partner say to each other."""

from __future__ import annotations

from agent_core.conversation import Item, Usage
from agent_core.events.base import Event, Level, TaskOutcome
from agent_core.events.outside import Marker


class Asked(Event, frozen=True):
    """The human gave a task.

    Attributes:
        task: Its number in the session, from 1.
        text: What was asked.
        markers: The comments in the code by which it was asked; none where it was typed.
        told: What the partner is told in its place: with the code around the comments. Empty where that is `text`.
        covers: Files in which nothing but these comments is new: the partner need not be told of them once more.
    """

    task: int
    text: str
    markers: tuple[Marker, ...] = ()
    told: str = ""
    covers: tuple[str, ...] = ()


class Steered(Event, frozen=True):
    """The human said something while the loop was running.

    Attributes:
        text: The words.
        markers: The comments in the code by which it was said; none where it was typed.
        told: See `Asked`.
        proposal: The proposal that waited when they wrote the comments, which the partner is to go on from; 0 when
            none did.
        covers: See `Asked`.
    """

    text: str
    markers: tuple[Marker, ...] = ()
    told: str = ""
    proposal: int = 0
    covers: tuple[str, ...] = ()


class Withdrawn(Event, frozen=True):
    """The human took back words that the partner had not been told yet.

    Attributes:
        index: Which of `State.queued` they were.
        text: The words.
    """

    index: int
    text: str


class ItemsAppended(Event, frozen=True):
    """The conversation grew; together these make up the next request's input."""

    items: tuple[Item, ...]


class PromptSent(Event, frozen=True):
    """A request went to the partner.

    Attributes:
        step: Number of the request in the session, from 1.
        items: How many items its input has: the first so many of all appended.
    """

    step: int
    items: int


class TextStreamed(Event, frozen=True):
    """The partner said some more."""

    text: str


class ReasoningStreamed(Event, frozen=True):
    """The partner's reasoning summary went on."""

    text: str


class PatchStreamed(Event, frozen=True):
    """The partner wrote some more of a patch; only what is new."""

    call_id: str
    text: str


class AnswerVoided(Event, frozen=True):
    """What was streamed of the current answer is void: the request is sent again, or was interrupted.

    Attributes:
        reason: Why, for a human.
        retry_in: Seconds until the request is sent again; None where there is no wait.
        attempt: Which repetition that will be, from 1; 0 where it is none.
        most: How many there will be at most; 0 where time is what limits them.
        offline: The server cannot even be connected to.
    """

    reason: str
    retry_in: float | None = None
    attempt: int = 0
    most: int = 0
    offline: bool = False


class AnswerFinished(Event, frozen=True):
    """The partner's answer is whole (or was cut by an interrupt).

    Attributes:
        text: The words of it, tool calls apart.
        usage: Tokens the provider counted.
        model: Id of the model that answered; empty where that is not known.
        partner: Name of its entry in the configuration, as in `agent_core.events.PartnerChosen`.
    """

    text: str
    usage: Usage
    model: str = ""
    partner: str = ""


class TaskFinished(Event, frozen=True):
    """The loop is done with a task.

    Attributes:
        outcome: ``green`` means green but not landed; ``not_green`` that the attempts ran out.
        text: Where it stands, for a human.
        kind: For ``failed``: the kind of the partner's error; ``budget`` where the human did not want to spend more;
            else empty.
    """

    task: int
    outcome: TaskOutcome
    text: str
    kind: str = ""


class Noted(Event, frozen=True):
    """Something the human should know.

    Attributes:
        level: How bad.
        text: What happened.
        hint: What to do about it.
    """

    level: Level
    text: str
    hint: str = ""
