"""What a session waits for, and how the human is asked. Pure."""

from __future__ import annotations

from agent_core.partner_words import WISHES
from agent_core.spending import BudgetState
from agent_core.spent import budget_words
from agent_core.state import ApprovalState, ProposalState, QuestionState, State
from tui.plain.orders import choices
from tui.plain.words import sentence

Key = tuple[object, ...]
"""What is asked, first ``approve``, ``answer``, ``budget``, ``decide`` or ``idle``. Another question has another."""


def waits_for(state: State, awaited: int) -> Key | None:
    """What the human is asked.

    Args:
        state: What is true now.
        awaited: The proposal that the engine asks about: one that waited when pairloop ended is checked anew first.

    Returns:
        None while there is nothing to be answered.
    """
    if state.approval is not None:
        return ("approve", state.approval.call_id)
    if state.question is not None:
        return ("answer", state.question.call_id)
    if state.budget is not None:
        return ("budget", state.budget.scope, state.budget.spent, state.budget.tokens)
    if state.waiting:
        if state.waiting != awaited:
            return None
        proposal = proposal_of(state, state.waiting)
        return ("decide", state.waiting, proposal.tree, proposal.refused, bool(proposal.overlaps))
    return ("idle", len(state.tasks)) if state.task is None else None


def proposal_of(state: State, number: int) -> ProposalState:
    """The proposal of a number."""
    return next(one for one in state.proposals if one.number == number)


def approval_lines(approval: ApprovalState) -> list[str]:
    """The question whether the partner may do something, which is told to the letter."""
    command = approval.command.splitlines() or [""]
    what = "It is" if approval.action != "run" else "The command"
    told = [f"{what}: {command[0]}"] if len(command) == 1 else [f"{what}, {len(command)} lines:", *command]
    exact = ", ".join(approval.rule.splitlines())
    return [
        f"The partner wants to {WISHES[approval.action]}.",
        *told,
        f"1 allow it{' to run' if approval.action == 'run' else ''}{', this once' if exact else ''}",
        "2 do not allow it",
        *([f"3 allow it, and from now on in this project: {exact}"] if exact else []),
        *([f"4 allow it, and from now on in this project: {approval.wider}"] if approval.wider else []),
        "Type a number, or words to the partner, which deny it and say what to do instead.",
    ]


def question_lines(question: QuestionState) -> list[str]:
    """A question of the partner's."""
    first, *more = question.text.splitlines() or [""]
    options = [f"{number} {option}" for number, option in enumerate(question.options, 1)]
    return [
        f"The partner asks: {first}",
        *more,
        *options,
        "0 leave it to the partner",
        "Type a number, or other words.",
    ]


def budget_lines(budget: BudgetState) -> list[str]:
    """The question whether more may be spent."""
    return [
        budget_words(budget),
        "1 allow as much again",
        "2 spend no more, which ends the task",
        "3 go on without a limit",
    ]


def decision_lines(state: State) -> list[str]:
    """The question what is to become of the waiting proposal."""
    return [f"Proposal {state.waiting} waits for your decision: {sentence(state.why)}", *choices(state)]


def idle_lines(state: State, draft: str) -> list[str]:
    """What is said when there is nothing to do."""
    landing = state.undoable
    undo = f" Type undo to take landing {landing.number} back." if landing is not None and state.tasks else ""
    offer = ["", f"1 gives this task: {draft}"] if draft else []
    return [*offer, f"Type a task, or help for what else there is.{undo}"]
