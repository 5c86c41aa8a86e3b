"""What the chat shows of a session: entries, as the state holds them."""

from __future__ import annotations

from typing import Literal

import msgspec

from agent_core import events as ev

About = Literal[
    "note", "proposal", "verdict", "diagnosis", "decision", "landing", "patch", "task", "memory", "lesson", "repair"
]


class Said(msgspec.Struct, frozen=True):
    """A message in the chat.

    Attributes:
        who: ``human`` or ``partner``.
        partial: The partner was cut off here.
        reasoning: The summary of what the partner thought before it; where that is all there is, the text is empty.
    """

    who: Literal["human", "partner"]
    text: str
    partial: bool = False
    reasoning: str = ""


class ToolUse(msgspec.Struct, frozen=True):
    """A tool call in the chat; `ok` is None while it runs.

    Attributes:
        printed: The last of what it has printed, while it runs.
        looks: It only looks, which is over at once.
    """

    call_id: str
    title: str
    ok: bool | None = None
    summary: str = ""
    printed: str = ""
    looks: bool = False


class Planned(msgspec.Struct, frozen=True):
    """The partner's plan in the chat: one entry a task, which changes where it stands."""

    task: int
    steps: tuple[ev.PlanStep, ...]


class Edit(msgspec.Struct, frozen=True):
    """An edit in the chat that was not ours; `by` says whose."""

    path: str
    kind: str
    diff: str
    by: ev.EditedBy = "human"


class Edits(msgspec.Struct, frozen=True):
    """Many files that changed at once, in the chat, and not by us; see `agent_core.events.FilesEdited`."""

    paths: tuple[str, ...]
    added: int
    changed: int
    deleted: int
    by: ev.EditedBy = "human"

    @property
    def count(self) -> int:
        """How many there are."""
        return self.added + self.changed + self.deleted


class GitMove(msgspec.Struct, frozen=True):
    """Git changed the working tree, in the chat; see `agent_core.events.BranchChanged`."""

    what: str
    was: str
    branch: str
    paths: tuple[str, ...]
    count: int


class Notice(msgspec.Struct, frozen=True):
    """A line of pairloop's own in the chat.

    Attributes:
        about: What it tells of; the screen chooses sign and colour by it.
        proposal: For a verdict and its diagnosis: the proposal. There is one of each for a proposal, the newest. For a
            repair that can be taken: the find's number.
        doubt: Why a verdict is not the last word on what is there now; empty when it is.
    """

    level: ev.Level
    text: str
    hint: str = ""
    about: About = "note"
    proposal: int = 0
    doubt: Literal["", "so far", "stale"] = ""


class Ran(msgspec.Struct, frozen=True):
    """A command of the human's own in the chat; `code` is None while it runs."""

    id: str
    line: str
    code: int | None = None
    output: str = ""
    seconds: float = 0.0
    killed: str = ""


ChatEntry = Said | ToolUse | Planned | Edit | Edits | GitMove | Ran | Notice
