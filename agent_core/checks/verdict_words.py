"""A verdict in one line for a human: what it says, how far it goes, and who said nothing. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from agent_core.checks.model import Finding, Verdict

_RUNNING = "still running"
_STOPPED = "not finished"
_AGAIN = "; what is in doubt is looked at again"


def summary_of(verdict: Verdict, lost: Collection[str], waiting: Collection[str]) -> str:
    """Such as ``green: fixes 1, breaks nothing; 2 known; 1 flaky``.

    Args:
        verdict: All of it but its summary.
        lost: Checks that no longer judge, which are told as broken.
        waiting: Checks that go on.
    """
    silent = _silent(verdict, lost)
    judged = any(result.judged for result in verdict.results)
    tail = _asides(verdict) + silent + _under_way(verdict, waiting)
    if not judged and not verdict.broken:
        nobody = "no check could judge this" if verdict.complete else "no check has judged this yet"
        return nobody + tail
    left, known = len(verdict.targets_left), len(verdict.known)
    breaks = f"breaks {_counted(verdict.broken)}" if verdict.broken else "breaks nothing"
    silences = f"silences {_counted(verdict.silenced)}" if verdict.silenced else ""
    fixes = f"fixes {len(verdict.fixed)}" if verdict.fixed else ""
    still = f"{left} of the task's own {'failure is' if left == 1 else 'failures are'} left" if left else ""
    rest = f"{known} known" if known else ""
    if verdict.broken or verdict.silenced or left or not verdict.green:
        said = ", ".join(part for part in (breaks, silences, fixes, still, rest) if part)
        return ("" if verdict.complete else "so far ") + said + tail
    told = ", ".join(part for part in (fixes, breaks) if part)
    head = "as far as could be judged" if verdict.unable else "green"
    so_far = "" if verdict.complete else " so far"
    return f"{head}{so_far}: {told}{f'; {rest}' if rest else ''}{tail}"


def stopped(summary: str) -> str:
    """The line of a verdict whose checks were stopped before all of them had spoken."""
    return summary.replace(_AGAIN, "").replace(_RUNNING, _STOPPED)


def _counted(findings: Sequence[Finding]) -> str:
    """How many findings of which check, such as ``3 (pytest 2, mypy 1)``."""
    counts = Counter(finding.check for finding in findings)
    return f"{len(findings)} ({', '.join(f'{check} {count}' for check, count in counts.items())})"


def _asides(verdict: Verdict) -> str:
    """What is neither broken nor mended."""
    gone = len(verdict.gone)
    parts = [
        f"{len(verdict.flaky)} flaky" if verdict.flaky else "",
        f"{gone} test{' is' if gone == 1 else 's are'} gone" if gone else "",
        *verdict.notes,
    ]
    return "".join(f"; {part}" for part in parts if part)


def _silent(verdict: Verdict, lost: Collection[str]) -> str:
    """The checks that did not judge."""
    silent = [result for result in verdict.results if not result.judged and result.outcome != "skipped"]
    return "".join(
        f"; no tests ran ({result.summary})" if result.outcome == "no_tests" else f"; {result.check} could not run"
        for result in silent
        if result.check not in lost
    )


def _under_way(verdict: Verdict, waiting: Collection[str]) -> str:
    """How far those got that go on."""
    if verdict.complete:
        return ""
    parts = []
    told = {result.check: result for result in verdict.results}
    for result in verdict.results:
        if result.early:
            parts.append(f"{result.check} by a quick look")
        elif result.stage != "all":
            parts.append(f"{result.check} {result.summary}")
    if not waiting:
        return _AGAIN
    rest = [name for name in waiting if name not in told]
    base = [name for name in waiting if name in told and told[name].stage == "all" and not told[name].early]
    parts += [f"{_RUNNING}: {', '.join(rest)}"] if rest else []
    parts += [f"{_RUNNING} on the base: {', '.join(base)}"] if base else []
    return "".join(f"; {part}" for part in parts)
