"""What the checks say, in words for an editor."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.acp.words import fenced, plain
from agent_core.checks.model import CheckResult, Finding, Verdict

_NAMED = 10


def told_result(result: CheckResult) -> str:
    """What one check said: its summary, and the first of what it found."""
    parts = [plain(result.summary)]
    for finding in result.findings[:_NAMED]:
        parts.append(plain(_line(finding)))
        if finding.detail:
            parts.append(fenced(finding.detail))
    if len(result.findings) > _NAMED:
        parts.append(f"... and {len(result.findings) - _NAMED} more")
    if not result.judged and result.output:
        parts.append(fenced(result.output))
    return "\n\n".join(parts)


def told_verdict(verdict: Verdict) -> str:
    """A verdict: in a line, and what it is made of."""
    sign = "✓" if verdict.green and not verdict.unable else "!" if verdict.green else "✗"
    parts = [f"{sign if verdict.complete else '◌'} {plain(verdict.summary)}"]
    groups: tuple[tuple[str, Sequence[Finding]], ...] = (
        ("broken", verdict.broken),
        ("not mended", verdict.targets_left),
        ("silenced", verdict.silenced),
        ("fixed", verdict.fixed),
    )
    for name, findings in groups:
        lines = [f"- {name}: {plain(_line(finding))}" for finding in findings[:_NAMED]]
        if len(findings) > _NAMED:
            lines.append(f"- ... and {len(findings) - _NAMED} more {name}")
        parts += ["\n".join(lines)] if lines else []
    return "\n\n".join([*parts, *map(plain, verdict.notes)])


def _line(finding: Finding) -> str:
    what = finding.code or finding.check
    where = f"{finding.place}: " if finding.place and finding.place not in what else ""
    return f"{where}{what}: {finding.message}"
