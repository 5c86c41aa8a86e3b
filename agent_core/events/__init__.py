"""What happened: the journal's vocabulary, and the JSON lines of ``pairloop exec --json``.

Every event is a frozen struct; in JSON its class name stands under ``type``. Contents of files are not
in the events but in the journal's blobs, named by hash.
"""

from __future__ import annotations

import msgspec

from agent_core.events.base import DECIDED, DecisionKind, Event, Level, Mode, TaskOutcome
from agent_core.events.deciding import Decided, DecisionAwaited, LandingWaits, Overlapped, Reviewed
from agent_core.events.judging import (
    Blamed,
    CheckFinished,
    CheckProgressed,
    CheckStaged,
    CheckStarted,
    Diagnosed,
    ProposalMade,
    VerdictReached,
)
from agent_core.events.landing import (
    CommitDrafted,
    Committed,
    FileLanding,
    Landed,
    LandingAbandoned,
    LandingConflicted,
    LandingStarted,
    LandingTurned,
)
from agent_core.events.memory import (
    Compacted,
    CompactionUndone,
    Lesson,
    LessonBy,
    LessonProposed,
    LessonSettled,
    LessonsRecalled,
    MemoryKept,
)
from agent_core.events.opening import Forked, ModeChanged, SessionResumed, SessionStarted, SettingsTold
from agent_core.events.outside import BranchChanged, EditedBy, FilesEdited, HumanEdited, Marker
from agent_core.events.partner import (
    AsideFinished,
    BudgetRaised,
    BudgetReached,
    BudgetScope,
    PartnerChosen,
    RetryHurried,
)
from agent_core.events.repairing import (
    RepairEnded,
    RepairFound,
    RepairHurried,
    RepairProgressed,
    RepairSought,
    RepairsSwitched,
)
from agent_core.events.running import (
    Action,
    ApprovalAsked,
    ApprovalGiven,
    HookFinished,
    PatchRejected,
    PlanStep,
    PlanUpdated,
    QuestionAnswered,
    QuestionAsked,
    ShellFinished,
    ShellStarted,
    ToolFinished,
    ToolPrinted,
    ToolStarted,
)
from agent_core.events.talking import (
    AnswerFinished,
    AnswerVoided,
    Asked,
    ItemsAppended,
    Noted,
    PatchStreamed,
    PromptSent,
    ReasoningStreamed,
    Steered,
    TaskFinished,
    TextStreamed,
    Withdrawn,
)

AnyEvent = (
    SessionStarted
    | SessionResumed
    | Forked
    | SettingsTold
    | ModeChanged
    | Asked
    | Steered
    | Withdrawn
    | ItemsAppended
    | PromptSent
    | TextStreamed
    | ReasoningStreamed
    | PatchStreamed
    | AnswerVoided
    | AnswerFinished
    | TaskFinished
    | Noted
    | ShellStarted
    | ShellFinished
    | ToolStarted
    | ToolPrinted
    | ToolFinished
    | ApprovalAsked
    | ApprovalGiven
    | PatchRejected
    | ProposalMade
    | CheckStarted
    | CheckProgressed
    | CheckFinished
    | CheckStaged
    | VerdictReached
    | Blamed
    | Diagnosed
    | Reviewed
    | Overlapped
    | DecisionAwaited
    | Decided
    | LandingWaits
    | LandingStarted
    | Landed
    | LandingAbandoned
    | LandingTurned
    | LandingConflicted
    | CommitDrafted
    | Committed
    | HumanEdited
    | FilesEdited
    | BranchChanged
    | MemoryKept
    | Compacted
    | CompactionUndone
    | LessonProposed
    | LessonSettled
    | LessonsRecalled
    | PartnerChosen
    | RetryHurried
    | AsideFinished
    | BudgetReached
    | BudgetRaised
    | QuestionAsked
    | QuestionAnswered
    | PlanUpdated
    | HookFinished
    | RepairSought
    | RepairProgressed
    | RepairFound
    | RepairHurried
    | RepairEnded
    | RepairsSwitched
)

MOVES = (HumanEdited, FilesEdited, BranchChanged, Landed, LandingTurned)
"""Events after which the working tree is another one."""


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


__all__ = [
    "DECIDED",
    "MOVES",
    "Action",
    "AnswerFinished",
    "AnswerVoided",
    "AnyEvent",
    "ApprovalAsked",
    "ApprovalGiven",
    "AsideFinished",
    "Asked",
    "Blamed",
    "BranchChanged",
    "BudgetRaised",
    "BudgetReached",
    "BudgetScope",
    "CheckFinished",
    "CheckProgressed",
    "CheckStaged",
    "CheckStarted",
    "CommitDrafted",
    "Committed",
    "Compacted",
    "CompactionUndone",
    "Decided",
    "DecisionAwaited",
    "DecisionKind",
    "Diagnosed",
    "EditedBy",
    "Entry",
    "Event",
    "FileLanding",
    "FilesEdited",
    "Forked",
    "HookFinished",
    "HumanEdited",
    "ItemsAppended",
    "Landed",
    "LandingAbandoned",
    "LandingConflicted",
    "LandingStarted",
    "LandingTurned",
    "LandingWaits",
    "Lesson",
    "LessonBy",
    "LessonProposed",
    "LessonSettled",
    "LessonsRecalled",
    "Level",
    "Marker",
    "MemoryKept",
    "Mode",
    "ModeChanged",
    "Noted",
    "Overlapped",
    "PartnerChosen",
    "PatchRejected",
    "PatchStreamed",
    "PlanStep",
    "PlanUpdated",
    "PromptSent",
    "ProposalMade",
    "QuestionAnswered",
    "QuestionAsked",
    "ReasoningStreamed",
    "RepairEnded",
    "RepairFound",
    "RepairHurried",
    "RepairProgressed",
    "RepairSought",
    "RepairsSwitched",
    "RetryHurried",
    "Reviewed",
    "SessionResumed",
    "SessionStarted",
    "SettingsTold",
    "ShellFinished",
    "ShellStarted",
    "Steered",
    "TaskFinished",
    "TaskOutcome",
    "TextStreamed",
    "ToolFinished",
    "ToolPrinted",
    "ToolStarted",
    "VerdictReached",
    "Withdrawn",
]
