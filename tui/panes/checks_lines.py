"""The checks as lines: each with how far it is, what it said, and how sure that is; a task's attempts as a strip."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from agent_core.checks.model import UNABLE, CheckResult, Outcome, Stage, Verdict
from agent_core.state import CheckState, ProposalState
from tui.widgets.lines import Line, Piece, clean
from tui.widgets.progress import bar, share_of

NAME = 8
_BAR = 10
_OUTPUT = 5
_NOT_JUDGED: Mapping[Outcome, str] = {
    "no_tests": "no tests collected: not judged",
    "missing": "tool not found: not judged",
    "timeout": "out of time: not judged",
    "error": "did not run: not judged",
    "skipped": "skipped: not judged",
}
_NOW: Mapping[Stage, str] = {"first": "now those the change can reach", "affected": "now all the others", "all": ""}
"""What a check is doing after a stage."""


class Standing(NamedTuple):
    """How the tree stands that the checks looked at.

    Attributes:
        blamed: Names of the checks that found what the patch broke or was to mend; None while that is not known.
        stale: The tree is no more.
    """

    blamed: Collection[str] | None = None
    stale: bool = False


def seconds_text(seconds: float) -> str:
    """A time as people say it: ``0.4 s``, ``12 s``, ``3:05``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60}:{whole % 60:02}"


def blamed_by(verdict: Verdict | None) -> Collection[str] | None:
    """Names of the checks that keep a patch from being green, None while not all have spoken."""
    if verdict is None or not verdict.complete:
        return None
    return {finding.check for finding in (*verdict.broken, *verdict.targets_left, *verdict.silenced)}


# -- The strip


def attempt_cell(proposal: ProposalState) -> tuple[str, str]:
    """The sign of an attempt as a whole, and its style."""
    verdict = proposal.verdict
    if verdict is None or not _is_settled(proposal, verdict):
        return "◌", "cell-open"
    if verdict.green:
        return ("!", "cell-open") if verdict.unable else ("✓", "cell-good")
    return "✗", "cell-bad"


def _is_settled(proposal: ProposalState, verdict: Verdict) -> bool:
    """Whether a verdict is the last word, and about a tree that is there still or has been decided on."""
    return verdict.complete and not (proposal.stale and proposal.decision is None)


def check_cell(result: CheckResult, verdict: Verdict, *, settled: bool) -> tuple[str, str]:
    """The sign of one check in an attempt, and its style.

    Args:
        result: What it said.
        verdict: The verdict it is of.
        settled: It will say nothing else.
    """
    if result.early or not settled:
        return "◌", "accent"
    if result.outcome in UNABLE:
        return "?", "warn"
    if not result.judged:
        return "-", "faint"
    if result.outcome == "passed":
        return "✓", "good"
    # What was red before is nothing that this attempt did.
    return ("✗", "bad") if result.check in (blamed_by(verdict) or ()) else ("·", "dim")


def attempts_line(proposals: Sequence[ProposalState], waiting: int, shown: int = 0) -> Line:
    """The attempts at a task: each with its sign, and a sign for each check; a click looks at it.

    Args:
        proposals: The attempts, oldest first.
        waiting: Number of the proposal that waits for the human, 0 when none does.
        shown: Number of the one whose checks are shown below, where it is not the last; else 0.
    """
    pieces: list[Piece] = [("attempts  ", "dim")]
    if len(proposals) > 12:
        pieces.append((f"⋯{len(proposals) - 12} ", "faint"))
    for proposal in proposals[-12:]:
        action = f"@look_at({proposal.number})"
        sign, style = attempt_cell(proposal)
        # A no-break space keeps the cell of an attempt and its checks in one row.
        mark = "▸" if proposal.number == shown else "\u00a0"
        pieces.append((f"{mark}{sign}{proposal.attempt}\u00a0", f"{style}{action}"))
        verdict = proposal.verdict
        if verdict is not None and verdict.results:
            pieces.append(("\u00a0", ""))
            settled = _is_settled(proposal, verdict)
            cells = (check_cell(result, verdict, settled=settled) for result in verdict.results)
            pieces += [(one, f"{look}{action}") for one, look in cells]
        pieces.append(("  ", ""))
    if waiting and not shown:
        pieces.append((" waits for you", "dim"))
    return Line(pieces)


# -- One check


def check_lines(check: CheckState, elapsed: float, standing: Standing, *, open_: bool = False) -> list[Line]:
    """One check.

    Args:
        check: The check.
        elapsed: Seconds it has been running, while it does.
        standing: How the tree stands that it looked at.
        open_: All it printed is shown, where it could not judge.
    """
    name = f"{clean(check.check):<{NAME}} "
    result = check.result
    if check.outcome is None or result is None:
        return [_running(check, name, elapsed), *_staged_lines(check.staged)]
    right = (f" {'cached' if result.cached else seconds_text(result.seconds)}", "faint")
    if result.judged and (standing.stale or result.early):
        # It may have passed, but not what is there now, or not for sure.
        word = ("stale", "warn") if standing.stale else ("early", "accent")
        pieces = ((name, "strong"), word, ("  ", ""), (clean(result.summary), "dim"))
        return [Line(pieces, lead=(("! ", "warn") if standing.stale else ("◌ ", "accent"),), right=right)]
    if result.judged:
        blameless = standing.blamed is not None and check.check not in standing.blamed
        sign, style = ("✓ ", "good") if check.outcome == "passed" else ("✗ ", "faint" if blameless else "bad")
        return [Line(((name, "strong"), (clean(result.summary), "text")), lead=((sign, style),), right=right)]
    lines = [
        Line(((name, "strong"), (_NOT_JUDGED[check.outcome], "warn")), lead=(("? ", "warn"),), right=right),
    ]
    if result.summary:
        lines.append(Line(((clean(result.summary), "dim"),), lead=(("  ", ""),)))
    return [*lines, *_output_lines(result.output, open_=open_)]


def _running(check: CheckState, name: str, elapsed: float) -> Line:
    done = f"{check.done}/{check.total}" if check.total else ("running" if not check.done else str(check.done))
    share = share_of(check.done, check.total)
    pieces: list[Piece] = [(name, "strong"), (done, "accent")]
    if share is not None:
        pieces += [("  ", ""), *bar(share, _BAR)]
    if check.staged is not None and not check.staged.early and _NOW[check.staged.stage]:
        pieces.append((f"  {_NOW[check.staged.stage]}", "dim"))
    return Line(pieces, lead=(("◌ ", "accent"),), right=(f" {seconds_text(elapsed)}", "faint"))


def _staged_lines(staged: CheckResult | None) -> list[Line]:
    """What a check that goes on has said so far: no tick, however well it looks."""
    if staged is None:
        return []
    failed = staged.outcome == "failed"
    sign, style = ("✗ ", "bad") if failed and not staged.early else ("◌ ", "accent")
    label = "early" if staged.early else ("so far" if staged.stage == "all" else "")
    pieces: list[Piece] = [(f"{label}  ", "accent")] if label else []
    pieces.append((clean(staged.summary), "text" if failed else "dim"))
    return [Line(pieces, lead=(("  ", ""), (sign, style)))]


def _output_lines(output: str, *, open_: bool) -> list[Line]:
    """What a tool printed that could not judge, in its own colours; its end, or all of it."""
    from tui.widgets.ansi import ansi_lines  # noqa: PLC0415 - not needed to paint

    rows = [row for row in ansi_lines(output.strip(), "faint") if open_ or any(text.strip() for text, _ in row)]
    shown = rows if open_ else rows[-_OUTPUT:]
    lines = [Line(row, lead=(("  │ ", "faint"),), hang=(("  │ ", "faint"),), words=False) for row in shown]
    if len(shown) < len(rows):
        lines.insert(0, Line(((f"⋯ {len(rows) - len(shown):,} more lines", "faint"),), lead=(("  ", ""),)))
    return lines


def baseline_line(checks: Sequence[CheckState], *, folds: bool = False, open_: bool = False) -> Line:
    """What was so before any change, in one dim line.

    Args:
        checks: The checks of the tree before it.
        folds: What they found can be unfolded below it.
        open_: It is.
    """
    words = []
    for check in checks:
        name = clean(check.check)
        if check.outcome is None:
            words.append(f"{name} {f'{check.done}/{check.total}' if check.total else '…'}")
        elif check.outcome == "passed":
            words.append(f"{name} ✓")
        elif check.outcome == "failed":
            words.append(f"{name} ✗{len(check.result.findings) if check.result else ''}")
        else:
            words.append(f"{name} ?")
    lead: list[Piece] = [("before  ", "faint")]
    if folds:
        lead.insert(0, ("▾ " if open_ else "▸ ", "faint"))
    return Line((("   ".join(words), "faint"),), lead=lead)


# -- The verdict


def verdict_lines(verdict: Verdict, *, stale: bool) -> list[Line]:
    """A verdict in a line, and what else is worth knowing before trusting it.

    Args:
        verdict: The verdict.
        stale: The tree it is about is no more.
    """
    if stale:
        sign, style = "! ", "dim"
    elif verdict.green and verdict.complete and verdict.unable:
        sign, style = "! ", "warn"
    elif verdict.complete or not verdict.green:
        sign, style = ("✓ ", "good-bold") if verdict.green else ("✗ ", "bad-bold")
    else:
        sign, style = "◌ ", "accent"
    lines = [Line(((clean(verdict.summary), style),), lead=((sign, style),))]
    lines += [Line(((clean(note), "warn"),), lead=(("! ", "warn"),)) for note in verdict.notes]
    if stale:
        text = "Files have changed since: this verdict is about the tree as it was."
        lines.append(Line(((text, "warn"),), lead=(("! ", "warn"),)))
    return lines
