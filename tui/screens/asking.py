"""What waits for the human's word, in a sentence, and which answers there are."""

from __future__ import annotations

import msgspec

from agent_core.events import Action
from agent_core.review import ANYWAY, LANDS
from agent_core.spent import budget_words
from agent_core.state import ApprovalState, ProposalState, QuestionState, State
from tui.actions import BY_ID, applies, key_for
from tui.actions.model import Situation

OFFER_LETTERS = {"resume": "y", "start_anew": "n"}
"""What the offer of an earlier session is answered by from within the prompt, each sent like a word."""


_MAY_IT: dict[Action, str] = {
    "run": "Run this command?",
    "fetch": "Fetch this address?",
    "mcp": "Use this tool of a server?",
}


class Asked(msgspec.Struct, frozen=True):
    """A question.

    Attributes:
        kind: ``good``, ``bad`` or empty, while what is known may still change.
        text: What is asked.
        answers: The actions that answer it; each with what it is called here, empty for its own label.
        body: Verbatim text the question is about.
        options: Answers that are sentences, a row each, like `answers`.
    """

    kind: str
    text: str
    answers: tuple[tuple[str, str], ...]
    body: str = ""
    options: tuple[tuple[str, str], ...] = ()

    def answers_in(self, situation: Situation, *, letters: bool) -> list[tuple[str, str, str]]:
        """Key, label and action of each answer that can be given now.

        Args:
            situation: What there is, and where the keys go.
            letters: An offer is answered by letters, sent like a word.
        """
        return [
            (f"{OFFER_LETTERS[name]}↵" if letters else key, label or BY_ID[name].label_in(situation), name)
            for name, label in self.answers
            if (key := key_for(BY_ID[name], situation.focus)) and applies(name, situation)
        ]

    def options_in(self, situation: Situation) -> list[tuple[str, str, str]]:
        """The same of each option: from within the prompt its number, sent like a word: typing alone decides nothing.

        Args:
            situation: What there is, and where the keys go.
        """
        return [
            (key_for(BY_ID[name], situation.focus) or f"{number}↵", label, name)
            for number, (name, label) in enumerate(self.options, 1)
            if applies(name, situation)
        ]


def mood(proposal: ProposalState | None) -> str:
    """How a proposal looks as a whole: ``good``, ``bad``, or empty while what is known is not all, or may change."""
    if proposal is None:
        return "bad"
    verdict = proposal.verdict
    if proposal.green:
        return "" if verdict is not None and verdict.unable else "good"
    open_ = verdict is not None and verdict.green and not verdict.complete and not proposal.stale
    return "" if open_ and not proposal.refused else "bad"


def landing_mood(proposal: ProposalState | None) -> str:
    """How that looks which would land: what is taken of a proposal, or all of it where nothing was marked."""
    if proposal is not None and proposal.waits:
        # It has been decided, and waits for something else.
        return ""
    if proposal is None or not proposal.review.decides:
        return mood(proposal)
    if proposal.part_trouble:
        return "bad"
    if not proposal.part_tree:
        # Nothing is taken, so nothing lands; or all of it is.
        return mood(proposal) if _taken(proposal) else ""
    verdict = proposal.part
    if verdict is None or (verdict.green and (not verdict.complete or verdict.unable)):
        return ""
    return "good" if verdict.green and not proposal.part_stale and not proposal.refused else "bad"


def _marked(proposal: ProposalState) -> list[bool | None]:
    """What was said of each part that can be taken or left: of every block, and of every file without blocks."""
    review = proposal.review
    marks: list[bool | None] = []
    for file in proposal.patch.files:
        for block in file.blocks:
            mark = review.blocks.get(block.id)
            marks.append(mark.taken if mark is not None else None)
        if not file.blocks:
            marks.append(review.files.get(file.path))
    return marks


def _taken(proposal: ProposalState) -> int:
    return _marked(proposal).count(True)


def _left(proposal: ProposalState) -> int:
    return _marked(proposal).count(False)


def _part_words(proposal: ProposalState, why: str) -> str:
    """What is taken, and what is known of it; where it is to land, what came of that."""
    taken, left = _taken(proposal), _left(proposal)
    counts = f"{taken} of {len(_marked(proposal))} taken" + (f", {left} left out" if left else "")
    if not taken:
        return f"Proposal {proposal.number}: {counts}; nothing of it would land."
    if proposal.part_trouble:
        return f"{counts} · cannot land by itself: {proposal.part_trouble}"
    if why.endswith((ANYWAY, LANDS)):
        return f"{counts} · {why}"
    verdict = proposal.part if proposal.part_tree else proposal.verdict
    return f"{counts} · {verdict.summary if verdict is not None and verdict.summary else 'being checked'}"


def _wish(approval: ApprovalState) -> Asked:
    """Whether the partner may do something, and which rules could be kept."""
    exact = ", ".join(approval.rule.split("\n"))
    options = (("allow_always", f"always: {exact}"), ("allow_wider", f"always: {approval.wider}"))
    once = ("allow", "allow once" if approval.rule else "")
    return Asked("", _MAY_IT[approval.action], (once, ("deny", "")), approval.command, options)


def _question(question: QuestionState) -> Asked:
    """What the partner asks: its first line is the question, the rest what it is about."""
    first, _, rest = question.text.partition("\n")
    options = tuple((f"answer_{number}", option) for number, option in enumerate(question.options, 1))
    return Asked("", first, (("leave_open", ""),), rest.strip("\n"), options)


def asked(situation: Situation, offer: str) -> Asked | None:  # noqa: PLR0911 - one return a question
    """What is asked now, None where nothing is.

    Args:
        situation: What there is.
        offer: What is said of an earlier session that is offered for resuming.
    """
    state: State = situation.state
    if state.approval is not None:
        return _wish(state.approval)
    if state.question is not None:
        return _question(state.question)
    if state.budget is not None:
        answers = (("spend_more", ""), ("stop_spending", ""), ("no_limit", ""))
        return Asked("", budget_words(state.budget), answers)
    if offer:
        return Asked("", offer, (("resume", ""), ("start_anew", "")))
    if situation.reason:
        return Asked("bad", f"Rejecting proposal {state.waiting}: say why below.", (("leave_reason", ""),))
    if not state.waiting:
        return None
    proposal = state.proposal
    if proposal is None or not proposal.review.decides:
        text = state.why or f"Proposal {state.waiting} waits for you."
        parts = proposal is not None and len(_marked(proposal)) > 1 and situation.focus != "diff"
        more = (("diff", "block by block"),) if parts else ()
        return Asked(landing_mood(proposal), text, (("accept", ""), ("reject", ""), ("go_on", ""), *more))
    land = ("land", "")
    if situation.focus != "diff":
        land = ("diff", "to the diff")  # where the key to land it is
    marks = _marked(proposal)
    takes_more = None in marks or (land[0] == "diff" and True in marks)
    rest = (("accept", ""),) if takes_more else ()
    return Asked(
        landing_mood(proposal), proposal.waits or _part_words(proposal, state.why), (land, *rest, ("reject", ""))
    )
