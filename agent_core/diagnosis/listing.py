"""What checks found, listed for a partner that asks, without comparing it with anything."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.checks.model import CheckResult
from agent_core.diagnosis.cause import grouped
from agent_core.text import cap_text

_DETAIL_TOKENS = 400
_LINES = 30


EARLIER = "judged by an earlier run: the same files, tools and settings"
"""What is said of what was found again."""


def _line(result: CheckResult) -> str:
    return f"{result.check}: {result.outcome}, {result.summary}" + (f" ({EARLIER})" if result.cached else "")


def listing(results: Sequence[CheckResult], tokens: int) -> str:
    """One line a check; then failing tests by cause, each with the evidence of one of them; then the other findings.

    Args:
        results: What the checks said.
        tokens: Most tokens of all of it.
    """
    parts = ["\n".join(map(_line, results))]
    tests = [finding for result in results if result.check == "pytest" for finding in result.findings]
    others = [finding for result in results if result.check != "pytest" for finding in result.findings]
    for group in grouped(tests, others):
        beside = "\n".join(f"  {one.told}" for one in group.beside)
        detail = cap_text(group.first.detail, _DETAIL_TOKENS)
        parts.append("\n".join(part for part in (group.title, group.names, beside, detail) if part))
    lines = [
        f"{finding.check}: {finding.place}: {finding.message}" + (f" [{finding.code}]" if finding.code else "")
        for finding in others
    ]
    if len(lines) > _LINES:
        lines[_LINES:] = [f"... and {len(lines) - _LINES} more"]
    if lines:
        parts.append("\n".join(lines))
    return cap_text("\n\n".join(parts), tokens)
