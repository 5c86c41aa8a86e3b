"""What waits for the human: as a request for permission in the editor, and what they choose there as a command."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from acp.schema import ContentToolCallContent, FileEditToolCallContent, PermissionOption, PermissionOptionKind, ToolKind

from agent_core import commands
from agent_core.acp.telling import Teller, proposal_id
from agent_core.acp.words import content, fenced, plain, title
from agent_core.spending import BudgetState
from agent_core.state import ApprovalState, ProposalState, QuestionState, State
from agent_core.why import UNDER_WAY

WORDS = "words"
"""The option not to choose here, but to answer with the next prompt."""
_BY_WORDS = "Answer in words: my next message"
_NOT_BUT = "No, and what to do instead: my next message"
_ACCEPT = "accept"


class Question(msgspec.Struct, frozen=True):
    """A request for permission.

    Attributes:
        about: What waits; a question about the same is the same.
        tool: Id of the tool call that it is shown with.
        title: What there is to decide, in a line.
        shown: What it is about.
        options: What can be chosen.
        tree: For a proposal: the tree that is shown.
        broken: For a proposal: how much is known to be broken by it.
        kind: What kind of thing it is, for the editor.
    """

    about: tuple[str, str]
    tool: str
    title: str
    shown: Sequence[ContentToolCallContent | FileEditToolCallContent]
    options: tuple[PermissionOption, ...]
    tree: str = ""
    broken: int = 0
    kind: ToolKind = "other"


def waits_for(state: State) -> tuple[str, str] | None:
    """What waits for the human, by kind and name; None where nothing does."""
    if state.approval is not None:
        return "approval", state.approval.call_id
    if state.question is not None:
        return "question", state.question.call_id
    if state.budget is not None:
        return "budget", state.budget.scope
    return ("proposal", str(state.waiting)) if state.waiting else None


def question(state: State, teller: Teller) -> Question | None:
    """What to ask now; None where nothing waits, or the checks are still at work on it."""
    if state.approval is not None:
        return _approval(state.approval, teller)
    if state.question is not None:
        return _question(state.question, teller)
    if state.budget is not None:
        return _budget(state.budget)
    proposal = state.proposal
    if not state.waiting or proposal is None or proposal.number != state.waiting or _is_checked(proposal, state):
        return None
    return _proposal(proposal, state.why, teller)


def command(asked: Question, chosen: str, state: State) -> commands.AnyCommand | None:
    """What to do by what was chosen; None where that is to be asked anew, as something else is there by now.

    Args:
        asked: What was asked.
        chosen: The option.
        state: The state now, in which the same thing still waits.
    """
    if state.approval is not None:
        rule = {"always": state.approval.rule, "wider": state.approval.wider}.get(chosen, "")
        return commands.Approve(state.approval.call_id, allowed=chosen != "reject", always=rule)
    if state.question is not None:
        options = {str(place): words for place, words in enumerate(state.question.options)}
        return commands.Answer(state.question.call_id, options.get(chosen, ""))
    if state.budget is not None:
        return commands.RaiseBudget({"again": 1.0, "always": 0.0}.get(chosen, -1.0))
    return _decision(asked, chosen, state)


def _decision(asked: Question, chosen: str, state: State) -> commands.AnyCommand | None:
    if chosen == "reject":
        return commands.Reject(state.waiting)
    if chosen == "go":
        return commands.Steer()
    proposal = state.proposal
    if proposal is None or proposal.tree != asked.tree or _broken(proposal) > asked.broken:
        # They said yes to something else.
        return None
    return commands.Accept(state.waiting)


def _is_checked(proposal: ProposalState, state: State) -> bool:
    """Whether the checks go on; when they are through it is said again that a decision is awaited."""
    if state.why.startswith(UNDER_WAY):
        return True
    if proposal.verdict is None or proposal.stale or proposal.refused or proposal.overlaps:
        return False
    return not proposal.verdict.complete


def _broken(proposal: ProposalState) -> int:
    verdict = proposal.verdict
    return len(verdict.broken) + len(verdict.silenced) if verdict is not None else 0


def _option(name: str, words: str, kind: PermissionOptionKind) -> PermissionOption:
    return PermissionOption(option_id=name, name=words, kind=kind)


def _proposal(proposal: ProposalState, why: str, teller: Teller) -> Question:
    name = f"Proposal {proposal.number}"
    return Question(
        ("proposal", str(proposal.number)),
        proposal_id(proposal.number),
        title(f"{name}: {why}"),
        teller.proposal(proposal),
        (
            _option(_ACCEPT, "Accept: it is written to your files", "allow_once"),
            _option("go", "Go on: the partner goes on from it", "reject_once"),
            _option("reject", "Reject: the partner begins anew", "reject_once"),
            _option(WORDS, _BY_WORDS, "reject_once"),
        ),
        proposal.tree,
        _broken(proposal),
        "edit",
    )


_APPROVED: dict[str, ToolKind] = {"run": "execute", "fetch": "fetch", "mcp": "other"}
_ASKED: dict[str, Callable[[str], str]] = {
    "run": lambda what: f"Run {what}",
    "fetch": lambda what: f"Fetch {what}",
    "mcp": lambda what: f"Call {what}",
}


def _approval(approval: ApprovalState, teller: Teller) -> Question:
    options = [_option("allow", "Allow once", "allow_once")]
    for name, rules in (("always", approval.rule), ("wider", approval.wider)):
        words = f"Always allow in this project: {rules.replace(chr(10), ' and ')}"
        # What is not seen as a whole is not allowed for good.
        if rules and len(title(words)) >= len(words):
            options.append(_option(name, title(words), "allow_always"))
    options += [_option("reject", "Do not allow", "reject_once"), _option(WORDS, _NOT_BUT, "reject_once")]
    return Question(
        ("approval", approval.call_id),
        teller.tool(approval.call_id),
        title(_ASKED[approval.action](approval.command)),
        [content(fenced(approval.command))],
        tuple(options),
        kind=_APPROVED[approval.action],
    )


def _question(asked: QuestionState, teller: Teller) -> Question:
    options = [_option(str(place), title(words), "allow_once") for place, words in enumerate(asked.options)]
    options += [_option(WORDS, _BY_WORDS, "reject_once"), _option("none", "No answer", "reject_once")]
    shown = [content(plain(asked.text))]
    return Question(("question", asked.call_id), teller.tool(asked.call_id), title(asked.text), shown, tuple(options))


def _budget(budget: BudgetState) -> Question:
    used = f"{budget.spent:.2f} of {budget.limit:.2f} dollars" if budget.limit else f"{budget.tokens:,} tokens"
    return Question(
        ("budget", budget.scope),
        f"budget-{budget.scope}-{budget.tokens}",
        f"The budget of this {budget.scope} is used up: {used}",
        [content("Nothing is sent to the partner until you say so.")],
        (
            _option("again", "Allow as much again", "allow_once"),
            _option("always", "No limit from now on", "allow_always"),
            _option("stop", "Spend no more: end the task", "reject_once"),
        ),
    )
