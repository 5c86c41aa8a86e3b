"""Why a proposal failed: the evidence for the partner, most telling first, and a line or two for the human. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent_core.checks.model import Finding, Verdict
from agent_core.checks.verdict import LOST
from agent_core.diagnosis.stall import Attempted, stalled
from agent_core.patch.model import Patch
from agent_core.text import cap_text, estimate_tokens

_NAMES_SHOWN = 8
_LINES_SHOWN = 40
_FIXED_SHOWN = 12
# The share of the budget that the details of the first cause may take; the next ones share what is left.
_SHARE = 0.5


class _Group:
    """Findings with one cause: same message at the same place."""

    def __init__(self, first: Finding) -> None:
        self.first = first
        self.findings = [first]

    @property
    def title(self) -> str:
        """Such as ``3 tests fail with KeyError: 'name' at users.py:41``."""
        at = f" at {self.first.place}" if self.first.place else ""
        if len(self.findings) == 1:
            collected = "fails" if "::" in self.first.code else "cannot be collected"
            subject = f"{self.first.code} {collected} with" if self.first.code else "pytest:"
            return f"{subject} {self.first.message}{at}"
        return f"{len(self.findings)} tests fail with {self.first.message}{at}"

    @property
    def names(self) -> str:
        """The tests of it, bounded."""
        shown = [f"  {finding.code}" for finding in self.findings[:_NAMES_SHOWN]]
        if len(self.findings) > _NAMES_SHOWN:
            shown.append(f"  ... and {len(self.findings) - _NAMES_SHOWN} more")
        return "\n".join(shown)


def grouped(findings: Iterable[Finding]) -> list[_Group]:
    """Failing tests by their cause, the one with most tests first."""
    groups: dict[tuple[str, str], _Group] = {}
    for finding in findings:
        key = (finding.message, finding.place)
        if key in groups:
            groups[key].findings.append(finding)
        else:
            groups[key] = _Group(finding)
    return sorted(groups.values(), key=lambda group: -len(group.findings))


def diagnose(
    verdict: Verdict, proposal: Attempted, earlier: Sequence[Attempted] = (), tokens: int = 6000
) -> tuple[str, str]:
    """Explain a verdict that is not green.

    Args:
        verdict: What came of the proposal.
        proposal: The attempt it is about.
        earlier: The attempts at the same task before it, oldest first.
        tokens: Most tokens of the evidence.

    Returns:
        A summary of one or two lines for the human, and the evidence for the partner.
    """
    stall = stalled(verdict, proposal.patch, earlier)
    written = _written_lines(proposal.patch)
    parts = [f"Checks: {verdict.summary}."]
    if stall:
        parts.append(stall)
    lost = [finding for finding in verdict.broken if finding.code == LOST]
    tests = [finding for finding in verdict.broken if finding.check == "pytest" and finding.code != LOST]
    others = [finding for finding in verdict.broken if finding.check != "pytest" and finding.code != LOST]
    budget = tokens
    for finding in lost:
        parts.append(f"BROKEN: {finding.message}")
        if finding.detail:
            parts.append(_indented(cap_text(finding.detail[-3000:], max(budget // 4, 50))))
    parts += _causes("BROKEN by this patch", grouped(tests), written, budget)
    parts += _listed("BROKEN by this patch, said by", others, written)
    left_tests = [finding for finding in verdict.targets_left if finding.check == "pytest"]
    parts += _causes("STILL FAILING, and the task is about it", grouped(left_tests), written, budget)
    silent = [one for one in verdict.results if not one.judged and one.outcome != "skipped"]
    said = {finding.check for finding in lost}
    parts += [f"{one.check} did not judge: {one.summary}" for one in silent if one.check not in said]
    parts += _fixed(verdict)
    others_known = len(verdict.known) - len(verdict.targets_left)
    if others_known > 0:
        parts.append(f"{others_known} more were there before this patch and are not about it.")
    return _summary(verdict, stall, tests, others, left_tests), cap_text("\n\n".join(parts), tokens)


def _written_lines(patch: Patch) -> dict[str, set[int]]:
    """The lines a patch wrote, by path."""
    return {
        file.path: {
            line for block in file.blocks for line in range(block.new_start, block.new_start + len(block.added))
        }
        for file in patch.files
    }


def _by_patch(finding: Finding, written: dict[str, set[int]]) -> str:
    """A mark for what stands on a line that the patch wrote."""
    if finding.path is None or finding.line is None or finding.line not in written.get(finding.path, ()):
        return ""
    return "  <- a line of this patch"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())


def _causes(heading: str, groups: Sequence[_Group], written: dict[str, set[int]], budget: int) -> list[str]:
    """Failing tests cause by cause; the details of one test stand for all of its cause."""
    parts = []
    told: set[str] = set()
    left = budget
    for group in groups:
        text = f"{heading}: {group.title}{_by_patch(group.first, written)}"
        if len(group.findings) > 1:
            text += f"\n{group.names}"
        detail = group.first.detail
        if detail and detail not in told and left > 0:
            told.add(detail)
            capped = cap_text(detail, max(int(left * _SHARE), 60))
            left -= estimate_tokens(capped)
            example = f"\n{group.first.code}:" if len(group.findings) > 1 else ""
            text += f"{example}\n{_indented(capped)}"
        parts.append(text)
    return parts


def _listed(heading: str, findings: Sequence[Finding], written: dict[str, set[int]]) -> list[str]:
    """Findings of tools that read the code, tool by tool, each with its line."""
    parts = []
    for check in dict.fromkeys(finding.check for finding in findings):
        lines: dict[str, None] = {}
        for finding in (one for one in findings if one.check == check):
            code = f" [{finding.code}]" if finding.code else ""
            place = f"{finding.place}: " if finding.place else ""
            text = f"  {place}{finding.message}{code}{_by_patch(finding, written)}"
            text += f"\n      {finding.text}" if finding.text else ""
            text += f"\n{_indented(_indented(finding.detail[:600]))}" if finding.detail else ""
            lines[text] = None
        shown = list(lines)[:_LINES_SHOWN]
        if len(lines) > _LINES_SHOWN:
            shown.append(f"  ... and {len(lines) - _LINES_SHOWN} more")
        parts.append(f"{heading} {check}:\n" + "\n".join(shown))
    return parts


def _fixed(verdict: Verdict) -> list[str]:
    if not verdict.fixed:
        return []
    names = [finding.code if finding.check == "pytest" else finding.message for finding in verdict.fixed]
    more = f", and {len(names) - _FIXED_SHOWN} more" if len(names) > _FIXED_SHOWN else ""
    return [f"Fixed by this patch: {', '.join(names[:_FIXED_SHOWN])}{more}."]


def _summary(
    verdict: Verdict, stall: str, tests: Sequence[Finding], others: Sequence[Finding], left: Sequence[Finding]
) -> str:
    """One or two lines for the human: the first cause, and what repeats."""
    lost = [finding for finding in verdict.broken if finding.code == LOST]
    groups = grouped(tests) or grouped(left)
    if lost:
        first = lost[0].message
    elif groups:
        more = f" (and {len(groups) - 1} other causes)" if len(groups) > 2 else ""
        first = groups[0].title + (" (and one other cause)" if len(groups) == 2 else more)
    elif others:
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        place = f" at {others[0].place}" if others[0].place else ""
        first = f"{others[0].check}: {others[0].message}{place}{more}"
    else:
        first = verdict.summary
    return f"{first}\n{stall}" if stall else first
