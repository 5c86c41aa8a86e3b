"""What a human reads where a check could not judge."""

from __future__ import annotations

import io

import pytest

from agent_core.checks.model import CheckResult, Outcome
from agent_core.checks.verdict import judge
from agent_core.events import Entry, VerdictReached
from agent_core.headless import Lines
from agent_core.patch.model import Patch
from agent_core.state import ProposalState, State, TaskState
from tui.panes.checks_rows import checks_lines


def said(check: str, outcome: Outcome) -> CheckResult:
    return CheckResult(check, outcome, "tree", "its summary")


@pytest.mark.parametrize(("outcome", "sign"), [("error", "!"), ("timeout", "!"), ("missing", "!"), ("passed", "✓")])
def test_nothing_that_was_not_judged_has_a_tick(outcome: Outcome, sign: str) -> None:
    results = [said("ruff", "passed"), said("pytest", outcome)]
    verdict = judge(results, results)
    assert verdict.green
    proposal = ProposalState(1, 1, 1, "", Patch(()), "base", "tree", "", verdict=verdict)
    state = State(tasks=(TaskState(1, ""),), proposals=(proposal,), waiting=1)
    attempts, *_, summary = checks_lines(state, {})
    assert attempts.text.split()[1] == f"{sign}1"
    assert [text for text, _ in summary.lead] == [f"{sign} "]
    out = io.StringIO()
    Lines(out)(Entry(1, 0.0, VerdictReached(1, verdict)), state)
    assert out.getvalue().startswith(f"{sign} ")
