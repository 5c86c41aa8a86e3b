"""Answers to what the partner wants to do, or asks; and the rules that answer for the human. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core import events as ev
from agent_core.commands import Answer, AnyCommand, Approve
from agent_core.partner_words import plan_words
from agent_core.permission_book import KnownRule
from agent_core.state import State

_WORDS = {"allow": "Allowed without asking", "ask": "Always asked", "deny": "Never allowed"}


def chosen(state: State, number: int) -> AnyCommand | None:
    """What a number answers; None where it is no choice."""
    approval, question = state.approval, state.question
    if approval is not None:
        ways = {
            1: Approve(approval.call_id, allowed=True),
            2: Approve(approval.call_id, allowed=False),
            3: Approve(approval.call_id, allowed=True, always=approval.rule) if approval.rule else None,
            4: Approve(approval.call_id, allowed=True, always=approval.wider) if approval.wider else None,
        }
        return ways.get(number)
    if question is not None and 0 <= number <= len(question.options):
        return Answer(question.call_id, question.options[number - 1] if number else "")
    return None


def spoken(state: State, text: str) -> AnyCommand | None:
    """What words answer: a question, or a wish, which they deny; None where nothing is asked."""
    if state.approval is not None:
        return Approve(state.approval.call_id, allowed=False, reason=text)
    return Answer(state.question.call_id, text) if state.question is not None else None


def wish_words(event: ev.ApprovalGiven | ev.QuestionAnswered | ev.PlanUpdated) -> list[str]:
    """What became of what the partner wanted, asked, or plans."""
    match event:
        case ev.ApprovalGiven(_, allowed, rule, "rule", _, command):
            return [f"By your rule {rule} this is {'allowed' if allowed else 'not allowed'}: {command}"]
        case ev.ApprovalGiven(_, allowed, rule):
            kept = f" From now on you are not asked before: {', '.join(rule.splitlines())}." if rule else ""
            return [f"{'It is allowed.' if allowed else 'It is not allowed.'}{kept}"]
        case ev.QuestionAnswered(_, answer):
            return ["The partner has your answer." if answer else "It is left to the partner."]
        case ev.PlanUpdated(steps):
            stands = {"open": "", "doing": ", being done", "done": ", done"}
            return [f"The plan: {plan_words(steps)}.", *(f"  {step.text}{stands[step.stands]}" for step in steps)]


def rule_lines(rules: Sequence[KnownRule]) -> list[str]:
    """The rules on what the partner may do."""
    told = [f"{_WORDS[one.answer]}: {one.rule}{', kept for this project' if one.kept else ''}." for one in rules]
    kept = any(one.kept for one in rules)
    more = ["pairloop permissions rm and a rule forgets one that is kept."] if kept else []
    return [*told, *more] or ["There are no rules: you are asked before the partner runs anything."]
