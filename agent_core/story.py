"""What happened in a session, as somebody would tell it: what was said, proposed, judged, decided and landed.

The JSON that ``pairloop export --format json`` writes is a `Story`; its field names, and the ``type`` of each of its
parts, are stable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from agent_core import events as ev
from agent_core.text import printable


class Part(msgspec.Struct, frozen=True, tag=str.lower):
    """Base of all parts of a story.

    Attributes:
        at: When it happened, in seconds since the epoch.
        step: Number of the event in the session.
    """

    at: float
    step: int


class Task(Part, frozen=True):
    """The human gave a task."""

    number: int
    text: str


class Ended(Part, frozen=True):
    """A task came to its end."""

    task: int
    outcome: ev.TaskOutcome
    text: str


class Words(Part, frozen=True):
    """Somebody said something.

    Attributes:
        who: Of whom it is.
        cut: It was cut off here.
    """

    who: Literal["human", "partner"]
    text: str
    cut: bool = False


class Tool(Part, frozen=True):
    """The partner used a tool; `ok` is null where that did not end."""

    title: str
    ok: bool | None
    summary: str


class Told(msgspec.Struct, frozen=True):
    """A finding of a check."""

    check: str
    place: str
    code: str
    message: str
    detail: str


class Checked(msgspec.Struct, frozen=True):
    """What a check said as a whole."""

    check: str
    outcome: str
    summary: str


class Judged(msgspec.Struct, frozen=True):
    """A verdict; `known` is how many findings were there before, `left` what was to be mended and is not."""

    summary: str
    green: bool
    complete: bool
    checks: tuple[Checked, ...]
    broken: tuple[Told, ...]
    left: tuple[Told, ...]
    silenced: tuple[Told, ...]
    fixed: tuple[Told, ...]
    flaky: tuple[Told, ...]
    known: int
    notes: tuple[str, ...]


class Remark(msgspec.Struct, frozen=True):
    """What the human said of a place in a proposal."""

    place: str
    text: str


class Decision(msgspec.Struct, frozen=True):
    """What became of a proposal; `taken` of `of` parts of it where that is not all or nothing.

    Attributes:
        verdict: What the checks said of the parts that were taken, by themselves; null where that is not known, and
            where it is all of the proposal, whose verdict is its own.
    """

    at: float
    decision: ev.DecisionKind
    by: Literal["human", "mode"]
    reason: str
    taken: int
    of: int
    verdict: Judged | None = None


class Proposal(Part, frozen=True):
    """A proposal with all that was said of it and decided on it, in order; ``repair``: found without a model."""

    number: int
    attempt: int
    note: str
    diff: str
    verdict: Judged | None = None
    diagnosis: str = ""
    remarks: tuple[Remark, ...] = ()
    decisions: tuple[Decision, ...] = ()
    by: Literal["partner", "repair"] = "partner"


class Landing(Part, frozen=True):
    """Something landed, was taken back, or was landed again."""

    landing: int
    kind: Literal["landing", "undo", "redo"]
    about: int
    proposal: int
    outcome: Literal["landed", "abandoned", "open"]
    files: tuple[str, ...]


class Edit(Part, frozen=True):
    """A file changed, and not by us; `by` says whose edit it was."""

    path: str
    kind: str
    diff: str
    by: ev.EditedBy = "human"


class Shell(Part, frozen=True):
    """A command of the human's own; `code` is null where it did not end."""

    line: str
    code: int | None
    output: str


class Note(Part, frozen=True):
    """Something pairloop said."""

    level: ev.Level
    text: str
    hint: str


AnyPart = Task | Ended | Words | Tool | Proposal | Landing | Edit | Shell | Note


class Story(msgspec.Struct, frozen=True):
    """A session.

    Attributes:
        format: What this is.
        version: Of the format.
        session: Its id.
        title: The first task's first line.
        started: When it began, in seconds since the epoch.
        last: When its last event happened.
        partner: Who proposed.
        parts: What happened, in order.
    """

    format: str
    version: int
    session: str
    title: str
    started: float
    last: float
    partner: str
    parts: tuple[AnyPart, ...]


def fit_to_show(story: Story, mask: Callable[[str], str]) -> Story:
    """A story that anybody may read on any terminal: without secrets, controls made visible.

    Args:
        story: The story.
        mask: Takes secrets out of a text.
    """

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return printable(mask(value))
        if isinstance(value, dict):
            return {key: item if key == "type" else clean(item) for key, item in value.items()}
        return [clean(item) for item in value] if isinstance(value, list | tuple) else value

    return msgspec.convert(clean(msgspec.to_builtins(story)), Story)
