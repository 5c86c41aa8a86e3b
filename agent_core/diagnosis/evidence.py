"""Why a proposal failed: the evidence for the partner, most telling first, and a line or two for the human. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from agent_core.checks.model import Finding, Verdict
from agent_core.checks.verdict import LOST
from agent_core.diagnosis.cause import Cause, grouped
from agent_core.diagnosis.stall import Attempted, stalled
from agent_core.patch.model import Patch
from agent_core.text import cap_text, estimate_tokens

_LINES_SHOWN = 40
_FIXED_SHOWN = 12
_NAMED = 6
# The share of the budget that the details of the first cause may take; the next ones share what is left.
_SHARE = 0.5


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
    lost = [finding for finding in verdict.broken if finding.code == LOST]
    tests = [finding for finding in verdict.broken if finding.check == "pytest" and finding.code != LOST]
    others = [finding for finding in verdict.broken if finding.check != "pytest" and finding.code != LOST]
    left_tests = [finding for finding in verdict.targets_left if finding.check == "pytest"]
    left_others = [finding for finding in verdict.targets_left if finding.check != "pytest"]
    known = dict.fromkeys(finding for finding in verdict.known if finding.check != "pytest")
    read = [*dict.fromkeys((*others, *left_others, *known))]
    broken, targets = grouped(tests, read), grouped(left_tests, read)
    told = {one.finding for cause in (*broken, *targets) for one in cause.beside}
    head = [f"Checks: {verdict.summary}."]
    if stall:
        head.append(stall)
    parts = []
    for finding in lost:
        output = _indented(cap_text(finding.detail[-3000:], max(tokens // 4, 50))) if finding.detail else ""
        parts.append("\n".join(part for part in (f"BROKEN: {finding.message}", output) if part))
    parts += _causes("BROKEN by this patch", broken, written, known, tokens)
    parts += _listed("BROKEN by this patch, said by", _without(others, told), written)
    parts += _listed("SILENCED by this patch, which counts as broken, said by", verdict.silenced, written)
    parts += _causes("STILL FAILING, and the task is about it", targets, written, known, tokens)
    parts += _listed("STILL THERE, and the task is about it, said by", _without(left_others, told), written)
    silent = [one for one in verdict.results if not one.judged and one.outcome != "skipped"]
    said = {finding.check for finding in lost}
    parts += [f"{one.check} did not judge: {one.summary}" for one in silent if one.check not in said]
    parts += _asides(verdict)
    parts += _fixed(verdict)
    others_known = len(verdict.known) - len(verdict.targets_left)
    if others_known > 0:
        parts.append(f"{others_known} more were there before this patch and are not about it.")
    if tests or left_tests:
        parts.append(_more((*broken, *targets)))
    return _summary(verdict, stall, broken or targets, others), _fitted(head, parts, tokens)


def _without(findings: Sequence[Finding], told: Collection[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding not in told]


def _fitted(head: Sequence[str], parts: Sequence[str], tokens: int) -> str:
    """All of it where it fits. Else the first cause keeps its beginning, and what comes after it is cut."""
    text = "\n\n".join((*head, *parts))
    if estimate_tokens(text) <= tokens or not parts:
        return cap_text(text, tokens)
    sixth = max(tokens // 6, 1)
    start = [*(cap_text(part, sixth) for part in head), cap_text(parts[0], tokens // 2)]
    left = tokens - estimate_tokens("\n\n".join(start)) - 1
    return cap_text("\n\n".join([*start, cap_text("\n\n".join(parts[1:]), left)]), tokens)


def _asides(verdict: Verdict) -> list[str]:
    """What is no fault of the patch, or may be none."""
    parts = []
    if verdict.flaky:
        parts.append(f"Flaky, it comes and goes by itself; do not mend it: {_some(one.code for one in verdict.flaky)}.")
    if verdict.gone:
        parts.append(f"Ran before this patch and does not run any more: {_some(verdict.gone)}.")
    return [*parts, *(f"Note: {note}" for note in verdict.notes)]


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more


def _more(causes: Sequence[Cause]) -> str:
    """Which tools show more."""
    test = next((cause.first.code for cause in causes if "::" in cause.first.code), "")
    debug = f"debug with test {test!r} shows values at lines of your choice; " if test else ""
    return f"More: {debug}run_checks lists everything."


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


def _causes(
    heading: str, groups: Sequence[Cause], written: dict[str, set[int]], known: Collection[Finding], budget: int
) -> list[str]:
    """Failing tests cause by cause; the details of one test stand for all of its cause."""
    parts = []
    told: set[str] = set()
    left = budget
    for group in groups:
        text = f"{heading}: {group.title}{_by_patch(group.first, written)}"
        if len(group.findings) > 1:
            text += f"\n{group.names}"
        for one in group.beside:
            old = "  (was there before)" if one.finding in known else ""
            text += f"\n  {one.told}{old}{_by_patch(one.finding, written)}"
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


def _summary(verdict: Verdict, stall: str, causes: Sequence[Cause], others: Sequence[Finding]) -> str:
    """One or two lines for the human: the first cause, and what repeats."""
    lost = [finding for finding in verdict.broken if finding.code == LOST]
    if lost:
        first = lost[0].message
    elif causes:
        more = f" (and {len(causes) - 1} other causes)" if len(causes) > 2 else ""
        first = causes[0].title + (" (and one other cause)" if len(causes) == 2 else more)
    elif others:
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        place = f" at {others[0].place}" if others[0].place else ""
        first = f"{others[0].check}: {others[0].message}{place}{more}"
    else:
        first = verdict.summary
    return f"{first}\n{stall}" if stall else first
