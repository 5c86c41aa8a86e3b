"""All that the check log shows, as rows: the attempts, which tree is spoken of, its checks, verdict and findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent_core.events import DECIDED
from agent_core.review import parts_taken, takes_all
from agent_core.state import CheckState, ProposalState, State
from tui.panes.checks_line import Opened, Row
from tui.panes.checks_lines import (
    Standing,
    attempts_line,
    baseline_line,
    blamed_by,
    check_lines,
    verdict_lines,
)
from tui.widgets.lines import BLANK, Line, clean

Elapsed = Mapping[tuple[str, str], float]
"""For each running check, by name and where, how many seconds it has been running."""


def by_default(key: str, *, default: bool = False) -> bool:
    """For where nothing can be folded."""
    del key
    return default


def attempts_of(state: State) -> list[ProposalState]:
    """The attempts at the last task, oldest first."""
    task = state.tasks[-1].number if state.tasks else 0
    return [one for one in state.proposals if one.task == task]


def _whole_or_part(proposal: ProposalState) -> list[Line]:
    """Which tree the checks below speak of, where that could be taken for another one."""
    if not proposal.review.decides:
        return []
    taken, of = parts_taken(proposal.patch, proposal.review)
    if proposal.part_trouble:
        text = f"What you took cannot land by itself: {clean(proposal.part_trouble)}"
        return [Line(((text, "warn"),), lead=(("! ", "warn"),)), _about("the whole proposal")]
    if not proposal.part_tree:
        all_ = taken and takes_all(proposal.patch, proposal.review)
        return [_about("the whole proposal, which you took" if all_ else "the whole proposal")]
    parts = f"the {taken} of {of} parts you took" if of > 1 else "the lines you took"
    lines = [_about(parts)]
    if proposal.verdict is not None:
        said = f"the whole proposal: {clean(proposal.verdict.summary)}"
        lines.append(Line(((said, "faint"),), lead=(("  ", ""),)))
    return lines


def _about(what: str) -> Line:
    return Line((("of ", "dim"), (what, "strong"), (":", "dim")), lead=(("▸ ", "accent"),))


def is_stale(proposal: ProposalState) -> bool:
    """Whether the tree that the log speaks of is no more."""
    return proposal.part_stale if proposal.part_tree else proposal.stale


def _check_rows(check: CheckState, elapsed: float, standing: Standing, opened: Opened) -> list[Row]:
    key = f"check:{check.check}"
    result = check.result
    folds = result is not None and not result.judged and bool(result.output.strip())
    lines = check_lines(check, elapsed, standing, open_=opened(key))
    rows = [Row(line, key, parent=key) for line in lines]
    rows[0] = Row(lines[0], key, folds)
    return rows


def head_rows(state: State, elapsed: Elapsed, opened: Opened, shown: ProposalState | None = None) -> list[Row]:
    """All that goes on changing while checks run: attempts and checks.

    Args:
        state: The session's state.
        elapsed: How long the running checks have been running.
        opened: What is unfolded.
        shown: The attempt that is looked at, where it is not the newest.
    """
    attempts = attempts_of(state)
    rows: list[Row] = []
    if attempts:
        number = shown.number if shown is not None else 0
        rows += [Row(attempts_line(attempts, state.waiting, number)), Row(BLANK)]
    if shown is not None:
        return [*rows, *earlier_rows(shown)]
    proposal = attempts[-1] if attempts else None
    if proposal is not None:
        rows += [Row(line, "about") for line in _whole_or_part(proposal)]
    verdict = proposal.verdict_now if proposal is not None else None
    standing = Standing(blamed_by(verdict), proposal is not None and proposal.decision is None and is_stale(proposal))
    for check in state.checks:
        if check.where == "candidate":
            rows += _check_rows(check, elapsed.get((check.check, check.where), 0.0), standing, opened)
    return [*rows, *_before(state, opened)]


def _before(state: State, opened: Opened) -> list[Row]:
    """The checks of the tree before any change; what they found can be unfolded."""
    # Skipped is what has nothing to look at until there is a patch.
    checks = [check for check in state.checks if check.where == "baseline" and check.outcome != "skipped"]
    if not checks:
        return []
    findings = [one for check in checks if check.result is not None for one in check.result.findings]
    open_ = bool(findings) and opened("before")
    rows = [Row(baseline_line(checks, folds=bool(findings), open_=open_), "before", folds=bool(findings))]
    if not open_:
        return rows
    from tui.panes.checks_tree import findings_rows  # noqa: PLC0415 - not needed to paint

    return [*rows, *findings_rows(findings, opened, "before", "dim")]


def tail_rows(proposal: ProposalState | None, opened: Opened, *, stale: bool) -> list[Row]:
    """What changes with the verdict only: its words and its findings.

    Args:
        proposal: The attempt it is of.
        opened: What is unfolded.
        stale: The tree it is about is no more.
    """
    verdict = proposal.verdict_now if proposal is not None else None
    if proposal is None or verdict is None:
        return []
    lines = verdict_lines(verdict, stale=stale)
    from tui.panes.checks_tree import verdict_rows  # noqa: PLC0415 - not needed to paint

    return [Row(BLANK), *(Row(line, "verdict") for line in lines), *verdict_rows(verdict, opened)]


def earlier_rows(proposal: ProposalState) -> list[Row]:
    """The checks of an attempt that is not the newest, as its verdict has them.

    Args:
        proposal: The attempt.
    """
    verdict = proposal.verdict
    became = "given up" if proposal.decision is None else DECIDED[proposal.decision]
    words = f"attempt {proposal.attempt}, {became}"
    said = f": {clean(proposal.reason)}" if proposal.reason else ""
    rows = [Row(Line(((words, "strong"), (said, "dim")), lead=(("▸ ", "accent"),)), "about")]
    if verdict is None:
        return [*rows, Row(Line((("It was not checked.", "dim"),), lead=(("  ", ""),)), "about")]
    standing = Standing(blamed_by(verdict))
    for result in verdict.results:
        check = CheckState(result.check, "candidate", result.tree, result.outcome, result.total, result.total, result)
        rows += [Row(line, f"check:{result.check}") for line in check_lines(check, 0.0, standing)]
    return rows


def checks_lines(state: State, elapsed: Elapsed) -> list[Line]:
    """Everything the pane shows of a state as long as nobody folds or looks back."""
    attempts: Sequence[ProposalState] = attempts_of(state)
    newest = attempts[-1] if attempts else None
    stale = newest is not None and is_stale(newest)
    return [row.line for row in (*head_rows(state, elapsed, by_default), *tail_rows(newest, by_default, stale=stale))]
