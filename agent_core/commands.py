"""What somebody wants: typed, clicked, or caused by a saved file. Frozen; carried out by the session."""

from __future__ import annotations

from typing import Literal

import msgspec

from agent_core.events import Mode
from agent_core.review import Side


class Command(msgspec.Struct, frozen=True):
    """Base of all commands."""


class Ask(Command, frozen=True):
    """Give the partner a task."""

    text: str


class Steer(Command, frozen=True):
    """Say something to the partner about the running task.

    On a waiting proposal it is the decision to go on from there with these words (empty words: just
    go on with the verdict). While the partner works it is told at the next step.
    """

    text: str = ""


class Accept(Command, frozen=True):
    """Land the waiting proposal."""

    proposal: int


class Reject(Command, frozen=True):
    """Drop the waiting proposal; the partner tries again from the working tree.

    Attributes:
        reason: Told to the partner; may be empty.
    """

    proposal: int
    reason: str = ""


class Take(Command, frozen=True):
    """Say of parts of the waiting proposal whether they are to land; nothing lands before `Land`.

    Attributes:
        proposal: Its number.
        blocks: Ids of blocks.
        files: Paths of files as a whole: what has no blocks, such as a binary file or a mode.
        taken: What is said; None takes back what was said.
        lines: Which lines of the blocks, numbered as in `agent_core.patch.choices.BlockChoice`; None for all.
    """

    proposal: int
    blocks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    taken: bool | None = True
    lines: tuple[int, ...] | None = None


class Comment(Command, frozen=True):
    """Say something about a block of the waiting proposal; the partner hears it with the decision.

    Attributes:
        proposal: Its number.
        block: Id of the block.
        text: The words; empty takes back what was said.
    """

    proposal: int
    block: str
    text: str


class Unmark(Command, frozen=True):
    """Take back the last `Take`, `Comment`, `Rewrite` or `Settle` on the waiting proposal."""

    proposal: int


class Rewrite(Command, frozen=True):
    """Put the human's own text in the place of what is proposed; it counts as taken, and is checked again.

    Attributes:
        proposal: Its number.
        path: The file, by its path after the patch.
        block: Id of the block whose new side is written anew; empty for the whole new text of the file.
        text: The new side: whole lines.
    """

    proposal: int
    path: str
    block: str
    text: str


class Settle(Command, frozen=True):
    """Say what is to stand at a place of the waiting proposal at which the human's own edits meet a block.

    To leave the block, so that theirs stays, is `Take`; so is to have it go over what they wrote there. Nothing lands
    before `Land`. To have it done anew is told the partner at once where nothing else is taken, and nothing else is
    open at such places; else with the decision.

    Attributes:
        proposal: Its number.
        block: Id of the block.
        side: What is to stand there.
        text: For the human's own side: whole lines in the place of both.
    """

    proposal: int
    block: str
    side: Side
    text: str = ""


class Land(Command, frozen=True):
    """Land what was taken of the waiting proposal, and send the rest back with what was said of it.

    Where nothing was taken it is all sent back.

    Attributes:
        proposal: Its number.
        reason: Words to the partner about all of it; may be empty.
    """

    proposal: int
    reason: str = ""


class Withdraw(Command, frozen=True):
    """Take back words that the partner has not been told yet.

    Attributes:
        index: Which of `State.queued`.
        text: The words; where they are another's by now, as the partner was told some meanwhile, those are meant that
            are these. Empty for whatever is there.
    """

    index: int
    text: str = ""


class Shell(Command, frozen=True):
    """Run a command of the human's own in the sandbox, on the working tree as it is; nothing of it stays.

    Attributes:
        id: Names the run in the events.
        line: The command line.
    """

    id: str
    line: str


class Fix(Command, frozen=True):
    """Have the checks' tools mend what they safely can in the waiting proposal; it is checked again.

    Attributes:
        proposal: Its number.
    """

    proposal: int


class Undo(Command, frozen=True):
    """Take back a landing.

    Attributes:
        landing: Its number; 0 for the last one that stands.
    """

    landing: int = 0


class Redo(Command, frozen=True):
    """Land again what an undo took back.

    Attributes:
        landing: Number of the landing that was taken back; 0 for the one taken back last.
    """

    landing: int = 0


class DraftCommit(Command, frozen=True):
    """Have a message made for the commit of a landing; nothing is committed before `Commit`.

    Attributes:
        landing: Its number; 0 for the last one of this session that stands and is not committed.
    """

    landing: int = 0


class Commit(Command, frozen=True):
    """Commit exactly what a landing wrote; the human's other changes, staged or not, stay as they are.

    Attributes:
        landing: Its number.
        message: What the commit says; empty takes the draft back, and commits nothing.
    """

    landing: int
    message: str


class Memorize(Command, frozen=True):
    """Write an entry of the session's memory.

    Attributes:
        text: What it is to say; empty to have it forgotten.
        id: The entry; empty for a new one of the human's own.
        back: Take back what was written of it last; the text counts for nothing.
    """

    text: str
    id: str = ""
    back: bool = False


class Compact(Command, frozen=True):
    """Replace the oldest of the conversation by a summary now."""


class Uncompact(Command, frozen=True):
    """Take the last compaction back."""


class Teach(Command, frozen=True):
    """Keep a lesson in the human's own words for later sessions of this project."""

    text: str


class KeepLesson(Command, frozen=True):
    """Agree to a lesson.

    Attributes:
        id: The lesson.
        text: It in other words; empty for as it is.
    """

    id: str
    text: str = ""


class DropLesson(Command, frozen=True):
    """Do not keep a lesson, or forget one that was kept."""

    id: str


class Approve(Command, frozen=True):
    """Answer the partner's wish to do something that needs the human's word.

    Attributes:
        call_id: The tool call.
        allowed: Whether it may.
        always: A rule to keep from now on for this project, as in ``[permissions]``, or several, a line each; empty for
            this once.
        reason: Why not, or what to do instead; the partner is told.
    """

    call_id: str
    allowed: bool
    always: str = ""
    reason: str = ""


class ForgetRule(Command, frozen=True):
    """Ask again before what a rule allows that was kept for this project.

    Attributes:
        rule: The rule, as it was kept.
    """

    rule: str


class EndTool(Command, frozen=True):
    """End what a tool call runs; the task goes on with what it has printed.

    Attributes:
        call_id: The tool call; empty for whatever runs.
    """

    call_id: str = ""


class Answer(Command, frozen=True):
    """Answer the partner's question.

    Attributes:
        call_id: The tool call.
        text: One of the options, or other words; empty to give no answer.
    """

    call_id: str
    text: str


class UsePartner(Command, frozen=True):
    """Have another partner propose from its next request on; the conversation goes on.

    Attributes:
        name: As in the configuration: ``[partners.NAME]``, a preset, or empty for ``[partner]``.
        model: The model's id there; empty for what is configured, or the server's first.
    """

    name: str
    model: str = ""


class RetryNow(Command, frozen=True):
    """Send the request that failed again now, without waiting."""


class RaiseBudget(Command, frozen=True):
    """Answer that a budget is used up.

    Attributes:
        times: By how much of what it was it is raised: 1 allows as much again. 0: for no limit from now on.
            Negative: spend no more, end the task.
    """

    times: float = 1.0


class Interrupt(Command, frozen=True):
    """Stop what is running and hand the prompt back."""


class SetMode(Command, frozen=True):
    """Choose when to be asked."""

    mode: Mode


TellOf = Literal["mcp", "skills", "commands"]
"""What the human can have told: MCP servers, skills, commands of their own."""


class Tell(Command, frozen=True):
    """Tell the human what there is of something, and how it stands."""

    of: TellOf


class Quit(Command, frozen=True):
    """End the session in an orderly way."""


AnyCommand = (
    Ask
    | Steer
    | Withdraw
    | Shell
    | Accept
    | Reject
    | Take
    | Comment
    | Unmark
    | Rewrite
    | Settle
    | Land
    | Fix
    | Undo
    | Redo
    | DraftCommit
    | Commit
    | Memorize
    | Compact
    | Uncompact
    | Teach
    | KeepLesson
    | DropLesson
    | Approve
    | ForgetRule
    | EndTool
    | Answer
    | UsePartner
    | RetryNow
    | RaiseBudget
    | Interrupt
    | SetMode
    | Tell
    | Quit
)
