"""Files that cannot be parsed, mended: which of the ways to read them is best, the other checks say."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence

from agent_core.checks.model import Finding
from agent_core.repair.beyond.judging import Judged, Judges
from agent_core.repair.beyond.syntax import syntax_variants
from agent_core.repair.model import Edit, Repair, Variant
from agent_core.repair.project import Project

_MOST_FILES = 8
_MOST_VARIANTS = 6
_OFFERED = 3
_QUICK = frozenset({"syntax", "ruff"})
# What ruff says of a file whose names do not fit together any more, and of one that cannot be parsed.
_TELLING = ("F821", "F822", "F823", "F811", "F706", "F704", "E9", "invalid-syntax", "F401", "F841", "B018")


async def mended_syntax(
    judges: Judges, project: Project, findings: Sequence[Finding], say: Callable[..., None]
) -> list[Repair]:
    """Mend the files that cannot be parsed.

    Args:
        judges: The checks.
        project: The project.
        findings: What they say of the syntax; of data files nothing is known here.
        say: Told what is being tried.

    Returns:
        All files mended in one repair; where it is a single one, also other readings of it that are as good.

    Raises:
        SandboxError: A candidate could not be made.
    """
    paths = dict.fromkeys(one.path for one in findings if one.path is not None and one.path.endswith((".py", ".pyi")))
    ranked: list[list[tuple[float, Variant]]] = []
    for path in itertools.islice(paths, _MOST_FILES):
        text = project.text(path)
        if text is None:
            continue
        variants = await judges.unless_over(asyncio.to_thread(_variants, path, text))
        if variants is None:
            break
        if ordered := await _ordered(judges, path, variants, say):
            ranked.append(ordered)
    if not ranked:
        return []
    mends = tuple(dict.fromkeys(f"{one.place} {one.message}".strip() for one in findings))
    if len(ranked) == 1:
        return await _single(judges, ranked[0], mends, say)
    best = [ordered[0][1] for ordered in ranked]
    edits = tuple(sorted(edit for variant in best for edit in variant.edits))
    says = "; ".join(f"{variant.path}: {variant.says}" for variant in best)
    first = min(best, key=lambda one: one.edits)
    variant = Variant(edits, "syntax", max(one.cost for one in best), says, first.line)
    judged = await _judged(judges, edits, judges.able)
    passed, whole = _tests(judged)
    return [Repair(variant, "syntax", passed, whole, 0, mends)]


def _variants(path: str, text: str) -> list[Variant]:
    return list(itertools.islice(syntax_variants(path, text), _MOST_VARIANTS))


async def _ordered(
    judges: Judges, path: str, variants: Sequence[Variant], say: Callable[..., None]
) -> list[tuple[float, Variant]]:
    """The variants of a file that the project's own Python can compile, the best first by what ruff says of them."""
    ordered: list[tuple[float, Variant]] = []
    for variant in variants:
        say(variant.says, len(variants))
        judged = await _judged(judges, variant.edits, _QUICK)
        if judged is None:
            # In what time is left nothing more is known of the others; the search's own order holds.
            ordered += [(1000.0 + variant.cost, variant)]
            continue
        own = [one for result in judged.results for one in result.findings if one.path == path]
        if any(one.check == "syntax" or one.code in {"invalid-syntax", "E999"} for one in own):
            continue
        odd = sum(1.0 for one in own if one.code.startswith(_TELLING))
        ordered.append((variant.cost + odd, variant))
    return sorted(ordered, key=lambda one: one[0])


async def _single(
    judges: Judges, ranked: Sequence[tuple[float, Variant]], mends: tuple[str, ...], say: Callable[..., None]
) -> list[Repair]:
    """The repairs of one file: those with which most tests pass, then the most ordinary ones."""
    found: list[tuple[int, float, Repair]] = []
    most = ranked[0][0] + 2.0
    for cost, variant in ranked[:_OFFERED]:
        if cost > most:
            break
        say(variant.says, min(len(ranked), _OFFERED))
        judged = await _judged(judges, variant.edits, judges.able)
        passed, whole = _tests(judged)
        found.append((-passed, cost, Repair(variant, "syntax", passed, whole, 0, mends)))
        if judges.over:
            break
    found.sort(key=lambda one: one[:2])
    # With fewer tests than another one it is no other reading but a wrong one.
    return [repair for fewer, _, repair in found if fewer == found[0][0]]


async def _judged(judges: Judges, edits: Sequence[Edit], names: frozenset[str]) -> Judged | None:
    try:
        changes = judges.changed(edits)
    except ValueError:
        return None
    return await judges.judge(changes, names)


def _tests(judged: Judged | None) -> tuple[int, bool]:
    return (judged.passed, judged.whole) if judged is not None else (0, False)
