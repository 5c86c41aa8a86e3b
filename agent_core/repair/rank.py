"""Which of several repairs that all pass is offered first."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent_core.repair.behaviour import Results, alike, changed_share
from agent_core.repair.hunt import Survivor
from agent_core.repair.model import Edit, Repair, Variant, with_edits
from agent_core.repair.project import Project
from agent_core.repair.source import Source
from agent_core.repair.templates.all import least

_AROUND_THE_MISTAKE = 4.0
# What each character that is other than it was costs, what behaving otherwise costs, and what is taken off.
_A_CHARACTER = 0.01
_BEHAVES = 1.0
_LIKE_NEIGHBOURS = 0.15
_SUSPICIOUS = 0.4
_NEIGHBOURS = 6
# Plus or minus nothing, times or by one; neither exponents nor numbers that only begin so.
_IDLE = re.compile(r"(?<=[\w)\]])\s*(?<!\d[eE])(?:(?:[-+|^]|<<|>>)\s*0(?:\.0*)?|(?:\*{1,2}|//?)\s*1(?:\.0*)?)(?![\w.])")
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+|[^\w\s]+")
_TRIVIAL = frozenset({"(", ")", ",", ":", ".", "[", "]", ""})


def ranked(
    survivors: Sequence[Survivor], results: Sequence[Results], before: Results, project: Project
) -> list[tuple[Repair, Results]]:
    """Repairs, the best first, of those that behave alike only the best; of these none that leaves idle arithmetic.

    Before all: what the checks that read the code are content with, then what does the work before what goes around it,
    and what has passed all tests before what has not.
    Then: ordinary slips, small changes, lines that are suspicious; what does the same as before for most inputs; and
    what reads like the lines around it.

    Args:
        survivors: What passes.
        results: What each does on some inputs; empty ones where that is not known.
        before: What the program does on them as it is.
        project: The project.

    Returns:
        Each with its results.
    """
    weighed = [
        (_key(one, changed_share(before, said), project), number)
        for number, (one, said) in enumerate(zip(survivors, results, strict=True))
    ]
    order = [number for _, number in sorted(weighed)]
    found = []
    for group in alike([results[number] for number in order]):
        first = survivors[order[min(group, key=lambda at: (_idles(survivors[order[at]].variant, project), at))]]
        repair = Repair(first.variant, passed=first.passed, whole=first.whole, alike=len(group) - 1, mends=first.mends)
        found.append((repair, results[order[group[0]]]))
    return found


def goes_around(variant: Variant) -> bool:
    """Whether a variant is rather a way around the mistake than its repair; of a pair each of the two counts."""
    parts = variant.template.count("+") + 1
    worst: float = variant.cost ** (1 / parts)
    return worst >= _AROUND_THE_MISTAKE


def _key(one: Survivor, changed: float, project: Project) -> tuple[bool, bool, bool, float]:
    variant = one.variant
    source = project.source(variant.path)
    edits = variant.edits if source is None else least(source, variant)
    cost = variant.cost * (1 + _BEHAVES * changed)
    cost += _A_CHARACTER * sum(len(edit.text) + edit.end - edit.start for edit in edits)
    cost -= _SUSPICIOUS * one.weight
    if source is not None and _like_neighbours(source, edits):
        cost -= _LIKE_NEIGHBOURS
    return not one.clean, goes_around(variant), not one.whole, cost


def _idles(variant: Variant, project: Project) -> bool:
    """Whether a variant leaves arithmetic that does nothing, such as ``- 0``, where there was none."""
    source = project.source(variant.path)
    if source is None:
        return False
    after = with_edits(source.text, [edit for edit in variant.edits if edit.path == source.path])
    return len(_IDLE.findall(after)) > len(_IDLE.findall(source.text))


def _like_neighbours(source: Source, edits: Sequence[Edit]) -> bool:
    """Whether all that is put in is found in the lines around, too."""
    here = [edit for edit in edits if edit.path == source.path]
    put = {token for edit in here for token in _TOKEN.findall(edit.text)} - _TRIVIAL
    if not put:
        return False
    lines = source.text.split("\n")
    at = source.line_at(here[0].start) - 1
    near = "\n".join((*lines[max(at - _NEIGHBOURS, 0) : at], *lines[at + 1 : at + 1 + _NEIGHBOURS]))
    return put <= set(_TOKEN.findall(near))
