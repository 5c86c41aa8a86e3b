"""What happened: the journal's vocabulary, and the JSON lines of ``pairloop exec --json``.

Every event is a frozen struct; in JSON its class name stands under ``type``. Contents of files are not
in the events but in the journal's blobs, named by hash.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from agent_core.checks.model import Blame, CheckResult, Verdict, Where
from agent_core.conversation import Item, PartnerInfo, Usage
from agent_core.patch.model import Patch
from agent_core.review import Overlap, Remarked

Mode = Literal["step", "until-green", "auto"]
DecisionKind = Literal["accept", "reject", "steer"]
TaskOutcome = Literal["answered", "landed", "green", "not_green", "interrupted", "failed", "conflict"]
Level = Literal["info", "warning", "error"]


class Event(msgspec.Struct, frozen=True, tag=True):
    """Base of all events."""


class SessionStarted(Event, frozen=True):
    """A session was opened on a project.

    Attributes:
        session: Its id.
        project: Absolute path of the project.
        version: Version of pairloop.
    """

    session: str
    project: str
    version: str


class SessionResumed(Event, frozen=True):
    """A session goes on in a new process."""

    version: str


class Forked(Event, frozen=True):
    """The session began as a copy: everything before this event happened in another one, and was landed there.

    Attributes:
        session: Id of the session it was copied from.
        step: The last event that was copied.
        title: What that session was about; may be empty.
    """

    session: str
    step: int
    title: str = ""


class SettingsTold(Event, frozen=True):
    """What is in force: said at every opening and when it changes.

    Attributes:
        partner: Who proposes.
        mode: When the human is asked.
        candidate: How candidates are isolated, for a human.
        interpreter: Which Python runs the checks and where it was found, for a human.
    """

    partner: PartnerInfo
    mode: Mode
    candidate: str
    interpreter: str


class ModeChanged(Event, frozen=True):
    """The human chose another mode."""

    mode: Mode


class Asked(Event, frozen=True):
    """The human gave a task.

    Attributes:
        task: Its number in the session, from 1.
        text: What was asked.
    """

    task: int
    text: str


class Steered(Event, frozen=True):
    """The human said something while the loop was running."""

    text: str


class Withdrawn(Event, frozen=True):
    """The human took back words that the partner had not been told yet.

    Attributes:
        index: Which of `State.queued` they were.
        text: The words.
    """

    index: int
    text: str


class ShellStarted(Event, frozen=True):
    """A command of the human's own runs in the sandbox."""

    id: str
    line: str


class ShellFinished(Event, frozen=True):
    """A command of the human's own ended.

    Attributes:
        id: As in `ShellStarted`.
        code: Its exit status.
        output: What it printed, head and tail; control characters are in it as they came.
        seconds: How long it ran.
        killed: Why it was ended; empty when it ended by itself.
    """

    id: str
    code: int
    output: str
    seconds: float
    killed: str = ""


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
    """What was streamed of the current answer is void: the request is sent again, or was interrupted."""

    reason: str
    retry_in: float | None = None


class AnswerFinished(Event, frozen=True):
    """The partner's answer is whole (or was cut by an interrupt).

    Attributes:
        text: The words of it, tool calls apart.
        usage: Tokens the provider counted.
    """

    text: str
    usage: Usage


class ToolStarted(Event, frozen=True):
    """A tool call is carried out.

    Attributes:
        title: For a human, such as ``read shop/pricing.py:1-80``.
    """

    call_id: str
    name: str
    title: str


class ToolFinished(Event, frozen=True):
    """A tool call ended.

    Attributes:
        summary: One line for a human.
    """

    call_id: str
    ok: bool
    summary: str


class ApprovalAsked(Event, frozen=True):
    """The partner wants to run a command; the human has to allow it."""

    call_id: str
    command: str


class ApprovalGiven(Event, frozen=True):
    """The human answered."""

    call_id: str
    allowed: bool


class PatchRejected(Event, frozen=True):
    """A patch was not taken: it did not parse or apply, or there was nothing to do. The partner has been told why.

    Attributes:
        call_id: The tool call that carried it.
        message: The reason, as told.
        already: Everything that it asks for is there already.
    """

    call_id: str
    message: str
    already: bool = False


class ProposalMade(Event, frozen=True):
    """The partner proposed a patch and it has been built in a candidate.

    Attributes:
        number: Number of the proposal in the session, from 1. The same number again: the proposal was
            carried over to a working tree that changed meanwhile, and is checked anew.
        attempt: Which attempt at the task this is, from 1.
        call_id: The tool call to be answered with the verdict and the decision.
        patch: All changes against the base (not only those of the last tool call).
        base_tree: Hash of the working tree it was made against.
        tree: Hash of the candidate.
        diff: The patch as unified diff, for humans and scripts.
        note: What the human should know of how it was read, such as that it replaces the last one.
    """

    number: int
    attempt: int
    call_id: str
    patch: Patch
    base_tree: str
    tree: str
    diff: str
    note: str = ""


class CheckStarted(Event, frozen=True):
    """A check began."""

    check: str
    where: Where
    tree: str


class CheckProgressed(Event, frozen=True):
    """A check got on. Not more often than a few times a second.

    Attributes:
        done: Things looked at so far.
        total: Out of how many; 0 when not known.
    """

    check: str
    where: Where
    done: int
    total: int


class CheckFinished(Event, frozen=True):
    """A check ended."""

    where: Where
    result: CheckResult


class CheckStaged(Event, frozen=True):
    """A check that goes on has got through a stage, or has an early answer; `CheckFinished` follows."""

    where: Where
    result: CheckResult


class VerdictReached(Event, frozen=True):
    """The checks of a proposal compared with the baseline, as far as they got.

    A proposal may have several, each of a later stage; the last one is complete.
    """

    proposal: int
    verdict: Verdict


class Blamed(Event, frozen=True):
    """Which blocks of a proposal its failures come from, found by leaving blocks out.

    Attributes:
        proposal: The proposal.
        tree: Hash of the candidate it is about.
        blames: Failures with the blocks they come from.
        unneeded: Ids of blocks that no check needs: without them the verdict is as good.
    """

    proposal: int
    tree: str
    blames: tuple[Blame, ...]
    unneeded: tuple[str, ...] = ()


class Reviewed(Event, frozen=True):
    """The human marked something in the waiting proposal, or what the same marks come to is known or another now.

    Attributes:
        proposal: The proposal.
        changes: What is marked otherwise than before.
        part_tree: Hash of the tree that what is taken makes: verdicts of that tree are about exactly the part. Empty
            where nothing is taken, or all of it.
        trouble: Why what is taken cannot land by itself; empty when it can.
        back: The last mark was taken back.
    """

    proposal: int
    changes: Remarked = Remarked()
    part_tree: str = ""
    trouble: str = ""
    back: bool = False


class Overlapped(Event, frozen=True):
    """The human's own edits meet a proposal at some places, which are stale now.

    Attributes:
        proposal: The proposal.
        overlaps: The places; empty when there are none any more.
    """

    proposal: int
    overlaps: tuple[Overlap, ...]


class Diagnosed(Event, frozen=True):
    """Why a proposal failed, as far as the evidence goes.

    Attributes:
        summary: One or two lines for a human.
        evidence: What goes to the partner.
    """

    proposal: int
    summary: str
    evidence: str


class DecisionAwaited(Event, frozen=True):
    """The loop waits for the human.

    Attributes:
        why: What there is to decide, in one line.
    """

    proposal: int
    why: str


class Decided(Event, frozen=True):
    """A proposal was decided on.

    Attributes:
        by: ``human``, or ``mode`` when until-green or auto decided.
        reason: The human's words; may be empty.
        taken: Of how many blocks (and files without any) something lands, where it is not the whole.
        of: How many there are; 0 where the whole was decided on.
    """

    proposal: int
    decision: DecisionKind
    by: Literal["human", "mode"]
    reason: str = ""
    taken: int = 0
    of: int = 0


class FileLanding(msgspec.Struct, frozen=True):
    """What a landing does to one path; hashes name journal blobs, None means no file.

    Modes are Git-style; 0 where there is no file.

    Attributes:
        moved_from: For the new path of a moved file the path it came from, which has an entry of its own. Undoing the
            landing takes along to the old path what a human changed in the file since.
        before_bits: All permission bits (0o7777) of the file that was there, 0 where there was none or they are not
            known: a file that comes back gets them back.
        after_bits: The permission bits it gets; 0 where the process's umask decides.
    """

    path: str
    before: str | None
    after: str | None
    before_mode: int
    after_mode: int
    moved_from: str = ""
    before_bits: int = 0
    after_bits: int = 0


class LandingStarted(Event, frozen=True):
    """The intent of a landing, durable before the first byte is written.

    Attributes:
        landing: Its number in the project, from 1.
        proposal: The proposal it lands; 0 for an undo.
        undoes: The landing it takes back; 0 for a landing. An undo is a landing too: a redo is the undo of an undo.
        files: Exactly what will be written.
        about: For an undo or a redo: the landing that started it all, however many undos and redos lie between.
        again: It is a redo: the landing it is about stands again by it.
        title: What it is for: the first line of the task, or of what a command line said.
    """

    landing: int
    proposal: int
    undoes: int
    files: tuple[FileLanding, ...]
    about: int = 0
    again: bool = False
    title: str = ""


class Landed(Event, frozen=True):
    """A landing is complete on disk."""

    landing: int


class LandingAbandoned(Event, frozen=True):
    """A landing was taken back before it was complete; the tree is as before."""

    landing: int
    reason: str


class LandingTurned(Event, frozen=True):
    """A landing of this session was taken back, or landed again, from another session of the project.

    Attributes:
        landing: Its number.
        stands: Where it stands now.
        by: Number of the undo or redo that brought it there.
    """

    landing: int
    stands: Literal["landed", "undone"]
    by: int


class LandingConflicted(Event, frozen=True):
    """A landing, undo or redo met other changes; nothing was written.

    Attributes:
        proposal: The proposal that could not land; 0 for an undo or a redo.
        undoes: The landing that could not be taken back or landed again; 0 otherwise.
        conflicts: One entry a place.
        hint: What to do about it; may be empty.
    """

    proposal: int
    undoes: int
    message: str
    conflicts: tuple[str, ...]
    hint: str = ""


class HumanEdited(Event, frozen=True):
    """A file of the working tree changed, and not by us.

    Attributes:
        path: Relative path.
        kind: What happened to it.
        diff: Compact unified diff, bounded; empty for binary files.
        before: Content hash before, None when it was new.
        after: Content hash now, None when it is gone.
    """

    path: str
    kind: Literal["added", "changed", "deleted"]
    diff: str
    before: str | None
    after: str | None


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


class TaskFinished(Event, frozen=True):
    """The loop is done with a task.

    Attributes:
        outcome: ``green`` means green but not landed; ``not_green`` that the attempts ran out.
        text: Where it stands, for a human.
        kind: For ``failed``: the kind of the partner's error, else empty.
    """

    task: int
    outcome: TaskOutcome
    text: str
    kind: str = ""


AnyEvent = (
    SessionStarted
    | SessionResumed
    | Forked
    | SettingsTold
    | ModeChanged
    | Asked
    | Steered
    | Withdrawn
    | ShellStarted
    | ShellFinished
    | ItemsAppended
    | PromptSent
    | TextStreamed
    | ReasoningStreamed
    | PatchStreamed
    | AnswerVoided
    | AnswerFinished
    | ToolStarted
    | ToolFinished
    | ApprovalAsked
    | ApprovalGiven
    | PatchRejected
    | ProposalMade
    | CheckStarted
    | CheckProgressed
    | CheckStaged
    | CheckFinished
    | VerdictReached
    | Blamed
    | Reviewed
    | Overlapped
    | Diagnosed
    | DecisionAwaited
    | Decided
    | LandingStarted
    | Landed
    | LandingAbandoned
    | LandingTurned
    | LandingConflicted
    | HumanEdited
    | Noted
    | TaskFinished
)


class Entry(msgspec.Struct, frozen=True):
    """An event with its place in the journal.

    Attributes:
        seq: Number in the session, from 1, without gaps.
        at: Seconds since the epoch.
        event: What happened.
    """

    seq: int
    at: float
    event: AnyEvent
