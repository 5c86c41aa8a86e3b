"""What a verdict found, numbered by cause. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from agent_core.checks.model import Finding, Verdict
from agent_core.diagnosis.cause import grouped, is_of_tests
from agent_core.state import ProposalState
from agent_core.text import cap_text, counted
from tui.plain.diff import parts_of
from tui.plain.words import numbers, sentence

_DETAIL_TOKENS = 600
_MOST = 40
_GROUPS = (
    ("broken", "This proposal breaks"),
    ("silenced", "This proposal hides, by what it changes of the checks' settings or by comments"),
    ("targets_left", "What the task is about and is still there"),
    ("flaky", "Came and went when it was run again, so no fault of the proposal"),
    ("fixed", "This proposal mends"),
)


class Entry(msgspec.Struct, frozen=True):
    """Findings with one cause.

    Attributes:
        group: What the proposal has to do with them.
        title: In one line.
        findings: The findings; never empty.
        notes: What else is known of them, a line each.
    """

    group: str
    title: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()


def entries_of(verdict: Verdict) -> list[Entry]:
    """All findings that a human wants to know of, by cause."""
    entries: list[Entry] = []
    for name, title in _GROUPS:
        found: Sequence[Finding] = getattr(verdict, name)
        others = [one for one in found if not is_of_tests(one)]
        for cause in grouped([one for one in found if is_of_tests(one)], others):
            names = tuple(line.strip() for line in cause.names.splitlines()) if len(cause.findings) > 1 else ()
            beside = tuple(one.told for one in cause.beside)
            entries.append(Entry(title, cause.title, cause.findings, (*names, *beside)))
        for one in others:
            code = f" ({one.check} {one.code})" if one.code else f" ({one.check})"
            place = f"{one.place}: " if one.place else ""
            entries.append(Entry(title, f"{place}{one.message}{code}", (one,)))
    return entries


def listed(proposal: ProposalState) -> Iterator[str]:
    """The findings of a proposal, a line each; those of one cause share a number."""
    verdict = proposal.verdict_now
    if verdict is None:
        yield "No check has said anything yet."
        return
    entries = entries_of(verdict)
    group = ""
    for number, entry in enumerate(entries[:_MOST], 1):
        if entry.group != group:
            group = entry.group
            yield f"{group}:"
        yield f"{number}. {sentence(entry.title)}{_blamed(proposal, entry)}"
    if len(entries) > _MOST:
        yield f"{len(entries) - _MOST} more are not listed."
    for result in verdict.results:
        if not result.judged and result.outcome not in {"skipped", "no_tests"}:
            yield f"Check {result.check} could not run: {sentence(result.summary)}"
    if before := len(verdict.known) - len(verdict.targets_left):
        yield f"{counted(before, 'other finding')} {'was' if before == 1 else 'were'} there before."
    if proposal.diagnosis and verdict is proposal.verdict:
        yield f"Diagnosis: {sentence(proposal.diagnosis)}"
    if not entries:
        yield f"There are no findings. The verdict: {sentence(verdict.summary)}"
    elif any(entry.findings[0].detail or entry.notes for entry in entries):
        yield "Type findings and a number for all that is known of one, such as: findings 1"


def detailed(proposal: ProposalState, number: int) -> Iterator[str]:
    """All that is known of the findings of one number."""
    verdict = proposal.verdict_now
    entries = entries_of(verdict) if verdict is not None else []
    if not 1 <= number <= len(entries):
        yield f"There is no finding {number}: there are {len(entries)}."
        return
    entry = entries[number - 1]
    yield f"{number}. {sentence(entry.title)}{_blamed(proposal, entry)}"
    yield from entry.notes
    first = entry.findings[0]
    if first.text:
        yield f"The line: {first.text}"
    if first.fix:
        yield f"The tool can mend it: {sentence(first.fix)}"
    if first.detail:
        yield from cap_text(first.detail, _DETAIL_TOKENS).splitlines()


def _blamed(proposal: ProposalState, entry: Entry) -> str:
    """Which blocks it comes from, by their numbers."""
    marks = {one.fingerprint for one in entry.findings}
    names = {name for blame in proposal.blames if blame.finding in marks for name in blame.blocks}
    found = [part.number for part in parts_of(proposal.patch) if part.block is not None and part.block.id in names]
    if not found:
        return ""
    return f" It comes from block{'' if len(found) == 1 else 's'} {numbers(found)}."
