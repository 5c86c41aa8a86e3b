"""The pure fold from events to state: ``fold(state, event) -> state``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from agent_core import events as ev
from agent_core.folding import judging, landing, memory, outside, partner, repairing, review, running, talking
from agent_core.folding.remembering import remembered
from agent_core.state import State

_FOLDS: dict[type[ev.Event], Callable[[State, Any], State]] = {
    ev.SessionStarted: talking.session_started,
    ev.SessionResumed: talking.session_resumed,
    ev.Forked: talking.forked,
    ev.SettingsTold: talking.settings_told,
    ev.ModeChanged: talking.mode_changed,
    ev.Asked: talking.asked,
    ev.Steered: talking.steered,
    ev.Withdrawn: review.withdrawn,
    ev.ShellStarted: review.shell_started,
    ev.ShellFinished: review.shell_finished,
    ev.ItemsAppended: talking.items_appended,
    ev.PromptSent: talking.prompt_sent,
    ev.TextStreamed: talking.text_streamed,
    ev.ReasoningStreamed: talking.reasoning_streamed,
    ev.PatchStreamed: talking.patch_streamed,
    ev.AnswerVoided: talking.answer_voided,
    ev.AnswerFinished: talking.answer_finished,
    ev.ToolStarted: running.tool_started,
    ev.ToolPrinted: running.tool_printed,
    ev.ToolFinished: running.tool_finished,
    ev.ApprovalAsked: running.approval_asked,
    ev.ApprovalGiven: running.approval_given,
    ev.PatchRejected: running.patch_rejected,
    ev.ProposalMade: judging.proposal_made,
    ev.CheckStarted: judging.check_started,
    ev.CheckProgressed: judging.check_progressed,
    ev.CheckStaged: judging.check_staged,
    ev.CheckFinished: judging.check_finished,
    ev.VerdictReached: judging.verdict_reached,
    ev.Blamed: judging.blamed,
    ev.Reviewed: review.reviewed,
    ev.Overlapped: review.overlapped,
    ev.Diagnosed: judging.diagnosed,
    ev.DecisionAwaited: judging.decision_awaited,
    ev.Decided: judging.decided,
    ev.LandingStarted: landing.landing_started,
    ev.Landed: landing.landed,
    ev.LandingAbandoned: landing.landing_abandoned,
    ev.LandingTurned: landing.landing_turned,
    ev.LandingConflicted: landing.landing_conflicted,
    ev.LandingWaits: landing.landing_waits,
    ev.CommitDrafted: landing.commit_drafted,
    ev.Committed: landing.committed,
    ev.HumanEdited: outside.human_edited,
    ev.FilesEdited: outside.files_edited,
    ev.BranchChanged: outside.branch_changed,
    ev.MemoryKept: memory.memory_kept,
    ev.Compacted: memory.compacted,
    ev.CompactionUndone: memory.compaction_undone,
    ev.LessonProposed: memory.lesson_proposed,
    ev.LessonSettled: memory.lesson_settled,
    ev.LessonsRecalled: memory.lessons_recalled,
    ev.PartnerChosen: partner.partner_chosen,
    ev.RetryHurried: partner.retry_hurried,
    ev.AsideFinished: partner.aside_finished,
    ev.BudgetReached: partner.budget_reached,
    ev.BudgetRaised: partner.budget_raised,
    ev.QuestionAsked: running.question_asked,
    ev.QuestionAnswered: running.question_answered,
    ev.PlanUpdated: running.plan_updated,
    ev.HookFinished: running.hook_finished,
    ev.RepairSought: repairing.repair_sought,
    ev.RepairProgressed: repairing.repair_progressed,
    ev.RepairFound: repairing.repair_found,
    ev.RepairHurried: repairing.repair_hurried,
    ev.RepairEnded: repairing.repair_ended,
    ev.RepairsSwitched: repairing.repairs_switched,
    ev.Noted: talking.noted,
    ev.TaskFinished: talking.task_finished,
}


def fold(state: State, event: ev.AnyEvent) -> State:
    """What is true after an event; pure."""
    return remembered(state, _FOLDS[type(event)](state, event), event)


def replay(entries: Iterable[ev.Entry]) -> State:
    """What is true after all of a session's events."""
    state = State()
    for entry in entries:
        state = fold(state, entry.event)
    return state
