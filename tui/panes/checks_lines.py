"""What the checks said as lines: the attempts, one line a check, the verdict's findings by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent_core.checks.model import CheckResult, Finding, Outcome, Verdict
from agent_core.state import CheckState, ProposalState, State
from tui.widgets.lines import BLANK, Line, Piece, clean

_NAME = 8
_SHOWN = 30
_DETAIL = 10
_OUTPUT = 8
_NOT_JUDGED: Mapping[Outcome, str] = {
    "no_tests": "no tests collected: not judged",
    "missing": "tool not found: not judged",
    "timeout": "out of time: not judged",
    "error": "did not run: not judged",
    "skipped": "skipped: not judged",
}


def seconds_text(seconds: float) -> str:
    """A time as people say it: ``0.4 s``, ``12 s``, ``3:05``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60}:{whole % 60:02}"


def attempts_line(proposals: Sequence[ProposalState], waiting: int) -> Line:
    """One cell for each proposal of a task: red, green, or open."""
    pieces: list[Piece] = [("attempts  ", "dim")]
    for proposal in proposals[-12:]:
        verdict = proposal.verdict
        if verdict is None or not verdict.complete or (proposal.stale and proposal.decision is None):
            sign, style = "◌", "cell-open"
        elif verdict.green:
            sign, style = ("!", "cell-open") if verdict.unable else ("✓", "cell-good")
        else:
            sign, style = "✗", "cell-bad"
        pieces += [(f" {sign}{proposal.attempt} ", style), (" ", "")]
    if waiting:
        pieces.append((" waits for you", "dim"))
    return Line(pieces)


def check_lines(check: CheckState, elapsed: float, *, blameless: bool = False, stale: bool = False) -> list[Line]:
    """One check.

    Args:
        check: The check.
        elapsed: Seconds it has been running, while it does.
        blameless: The verdict is in, and all it found was there before.
        stale: The tree it looked at is no more.
    """
    name = f"{clean(check.check):<{_NAME}} "
    result = check.result
    if check.outcome is None or result is None:
        done = f"{check.done}/{check.total}" if check.total else ("running" if not check.done else str(check.done))
        bar = _bar(check.done, check.total)
        running = Line(
            ((name, "strong"), (done, "accent"), *bar),
            lead=(("◌ ", "accent"),),
            right=(f" {seconds_text(elapsed)}", "faint"),
        )
        return [running, *_staged_lines(check.staged)]
    right = (f" {'cached' if result.cached else seconds_text(result.seconds)}", "faint")
    if result.judged and (stale or result.early):
        # It may have passed, but not what is there now, or not for sure.
        word = ("stale", "warn") if stale else ("early", "accent")
        pieces = ((name, "strong"), word, ("  ", ""), (clean(result.summary), "dim"))
        return [Line(pieces, lead=(("! ", "warn") if stale else ("◌ ", "accent"),), right=right)]
    if result.judged:
        sign, style = ("✓ ", "good") if check.outcome == "passed" else ("✗ ", "faint" if blameless else "bad")
        return [Line(((name, "strong"), (clean(result.summary), "text")), lead=((sign, style),), right=right)]
    lines = [
        Line(((name, "strong"), (_NOT_JUDGED[check.outcome], "warn")), lead=(("? ", "warn"),), right=right),
    ]
    if result.summary:
        lines.append(Line(((clean(result.summary), "dim"),), lead=(("  ", ""),)))
    tail = [line for line in result.output.splitlines() if line.strip()][-_OUTPUT:]
    lines += [Line(((clean(line), "faint"),), lead=(("  ", ""),), words=False) for line in tail]
    return lines


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


def _bar(done: int, total: int) -> list[Piece]:
    if not total:
        return []
    full = min(round(10 * done / total), 10)
    return [("  ", ""), ("━" * full, "accent"), ("━" * (10 - full), "faint")]


def baseline_line(checks: Sequence[CheckState]) -> Line:
    """What was so before any change, in one dim line."""
    words = []
    for check in checks:
        if check.outcome is None:
            words.append(f"{check.check} …")
        elif check.outcome == "passed":
            words.append(f"{check.check} ✓")
        elif check.outcome == "failed":
            words.append(f"{check.check} ✗{len(check.result.findings) if check.result else ''}")
        else:
            words.append(f"{check.check} ?")
    return Line(((clean("   ".join(words)), "faint"),), lead=(("before  ", "faint"),))


def finding_lines(finding: Finding, style: str, *, detail: bool) -> list[Line]:
    """One finding: place, code, message, and where it helps what lies behind it."""
    pieces: list[Piece] = []
    if finding.place:
        pieces += [(clean(finding.place), style), ("  ", "")]
    if finding.code and not finding.code.startswith(finding.path or "\0"):
        pieces += [(clean(finding.code), "accent"), ("  ", "")]
    elif finding.code:
        pieces += [(clean(finding.code.rpartition("::")[2]), "accent"), ("  ", "")]
    pieces.append((clean(finding.message), "text" if detail else "dim"))
    lines = [Line(pieces, lead=(("  ", ""),), hang=(("    ", ""),))]
    if detail and finding.detail:
        shown = finding.detail.rstrip().splitlines()
        if len(shown) > _DETAIL:
            lines.append(Line(((f"⋯ {len(shown) - _DETAIL} lines", "faint"),), lead=(("    ", ""),)))
        lines += [
            Line(((clean(line), "dim"),), lead=(("  │ ", "faint"),), hang=(("  │ ", "faint"),), words=False)
            for line in shown[-_DETAIL:]
        ]
    return lines


def verdict_lines(verdict: Verdict) -> list[Line]:
    """The findings of a verdict by what the patch has to do with them."""
    left = {finding.fingerprint for finding in verdict.targets_left}
    known = tuple(finding for finding in verdict.known if finding.fingerprint not in left)
    lines: list[Line] = []
    groups = (
        ("broken by this patch", "✗ ", "bad", verdict.broken, True),
        ("still to be fixed", "● ", "warn", verdict.targets_left, True),
        ("silenced by this patch", "✗ ", "bad", verdict.silenced, True),
        ("fixed", "✓ " if verdict.complete else "◌ ", "good", verdict.fixed, False),
        ("came and went when run again (flaky)", "~ ", "warn", verdict.flaky, False),
        ("was there before", "· ", "dim", known, False),
    )
    for title, sign, style, findings, detail in groups:
        if not findings:
            continue
        lines += [BLANK, Line(((f"{len(findings)} {title}", style),), lead=((sign, style),))]
        for finding in findings[:_SHOWN]:
            lines += finding_lines(finding, style, detail=detail)
            if finding.fix and detail:
                lines.append(Line(((clean(finding.fix), "dim"),), lead=(("    ", ""), ("x ", "key"))))
        if len(findings) > _SHOWN:
            lines.append(Line(((f"⋯ {len(findings) - _SHOWN} more", "faint"),), lead=(("  ", ""),)))
    return lines


def checks_lines(state: State, elapsed: Mapping[tuple[str, str], float]) -> list[Line]:
    """Everything the pane shows.

    Args:
        state: The session's state.
        elapsed: For each running check, by name and where, how long it has been running.
    """
    proposal = state.proposal
    task = state.tasks[-1].number if state.tasks else 0
    attempts = [one for one in state.proposals if one.task == task]
    current = [check for check in state.checks if check.where == "candidate"]
    # Skipped is what has nothing to look at until there is a patch.
    before = [check for check in state.checks if check.where == "baseline" and check.outcome != "skipped"]
    lines: list[Line] = []
    if attempts:
        lines += [attempts_line(attempts, state.waiting), BLANK]
    verdict = proposal.verdict if proposal is not None and proposal.task == task else None
    blamed = {finding.check for finding in (*verdict.broken, *verdict.targets_left)} if verdict else set()
    for check in current:
        blameless = verdict is not None and verdict.complete and check.check not in blamed
        stale = proposal is not None and proposal.stale and proposal.decision is None
        lines += check_lines(check, elapsed.get((check.check, check.where), 0.0), blameless=blameless, stale=stale)
    if before:
        lines.append(baseline_line(before))
    if proposal is None or verdict is None:
        return lines
    if proposal.stale:
        sign, style = "! ", "dim"
    elif verdict.green and verdict.complete and verdict.unable:
        sign, style = "! ", "warn"
    elif verdict.complete or not verdict.green:
        sign, style = ("✓ ", "good-bold") if verdict.green else ("✗ ", "bad-bold")
    else:
        sign, style = "◌ ", "accent"
    lines += [BLANK, Line(((clean(verdict.summary), style),), lead=((sign, style),))]
    lines += [Line(((clean(note), "warn"),), lead=(("! ", "warn"),)) for note in verdict.notes]
    if proposal.stale:
        text = "You have changed files since: this verdict is about the tree as it was."
        lines.append(Line(((text, "warn"),), lead=(("! ", "warn"),)))
    lines += verdict_lines(verdict)
    return lines
