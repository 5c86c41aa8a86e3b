"""What is said of repairs that were found without a model: to the human of a find, to the model as evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent_core.checks.model import Verdict
from agent_core.repair.model import Found, Partial, Repair, Suspect, TestRun
from agent_core.repair.project import Project
from agent_core.repair.words import place_of, says_of
from agent_core.text import estimate_tokens, shortened

_TOKENS = 200
_SUSPECTS = 4
_PARTIAL = 2
_VALUES = 4
_VALUE = 40
_CODE = 100
_BROKEN = 2
_HEAD = "[A search by the tests, without a model, has found out this; it may help you or not:]"


def find_says(repair: Repair, verdict: Verdict, project: Project) -> str:
    """A find in a sentence: what it does, where, and what passes with it.

    Args:
        repair: The repair.
        verdict: What all checks say of it.
        project: The files it is of.
    """
    return f"{says_of(repair.variant)} {place_of(repair.variant, project)}, {tests_words(verdict)}."


def change_words(repair: Repair) -> str:
    """What a repair does, and where."""
    variant = repair.variant
    return f"{says_of(variant)} ({variant.path}:{variant.line})"


def tests_words(verdict: Verdict) -> str:
    """What the tests say of a repair that is green."""
    result = next((one for one in verdict.results if one.check == "pytest"), None)
    if result is not None and result.outcome == "passed" and result.total:
        return "its test passes" if result.total == 1 else f"all {result.total:,} tests pass"
    mended = sum(one.check == "pytest" for one in verdict.fixed)
    return f"{mended} more test{'s pass' if mended > 1 else ' passes'}, and nothing that passed fails"


def evidence(
    found: Found,
    green: Repair | None,
    others: Sequence[tuple[Repair, Verdict]],
    line_of: Callable[[str, int], str],
) -> str:
    """What a search has learnt, for a model; empty where that is nothing.

    Args:
        found: What it came to.
        green: The repair with which all checks are green.
        others: Repairs that pass their tests and break something else.
        line_of: Gives a line of a file.
    """
    said: list[str] = []
    if green is not None:
        mends = _tests(green.mends)
        said.append(f"- Changing {change_words(green)} makes {mends} pass, and all checks are green with it.")
    for repair, verdict in others:
        broken = "; ".join(f"{one.check}: {_brief(one.message, _CODE)}" for one in verdict.broken[:_BROKEN])
        but = f" but breaks: {broken}" if broken else " but not every check could judge"
        said.append(f"- Changing {change_words(repair)} makes {_tests(repair.mends)} pass,{but}.")
    if found.word and not found.repairs:
        said.append(f"- {_brief(found.word, 2 * _CODE)}")
    said += [_partial_words(one, len(found.failing)) for one in found.partial[:_PARTIAL]]
    said += [_suspect_words(one, found.failing, line_of) for one in found.suspects[:_SUSPECTS]]
    text = _HEAD
    for one in said:
        longer = f"{text}\n{one}"
        if estimate_tokens(longer) > _TOKENS:
            break
        text = longer
    return text if text is not _HEAD else ""


def _partial_words(partial: Partial, failing: int) -> str:
    """What a change mends that is no repair, and what then fails."""
    variant, mends = partial.variant, len(partial.mends)
    some = f"{mends} of the {failing} failing tests pass ({_tests(partial.mends)})"
    all_of_them = "all failing tests pass" if failing > 1 else "the failing test passes"
    how = "breaks" if partial.breaks else "does not mend"
    return (
        f"- No repair: changing {says_of(variant)} ({variant.path}:{variant.line}) makes "
        f"{some if mends < failing else all_of_them}, but {how} {_brief(partial.fails, _CODE)}."
    )


def _tests(names: Sequence[str]) -> str:
    if not names:
        return "what failed"
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{_brief(names[0], _CODE)}{more}"


def _suspect_words(suspect: Suspect, failing: Sequence[TestRun], line_of: Callable[[str, int], str]) -> str:
    values = _values(suspect, failing)
    held = f", where {values}" if values else ""
    code = _brief(line_of(suspect.path, suspect.line), _CODE)
    return f"- Suspicious: {suspect.path}:{suspect.line} `{code}`{held}."


def _values(suspect: Suspect, failing: Sequence[TestRun]) -> str:
    """What names held at a line when a test failed."""
    for run in failing:
        for frame in reversed(run.frames):
            if (frame.path, frame.line) == (suspect.path, suspect.line) and frame.values:
                return ", ".join(f"{one.name} = {_brief(one.text, _VALUE)}" for one in frame.values[:_VALUES])
    return ""


def _brief(text: str, most: int) -> str:
    return shortened(" ".join(text.split()), most)
