"""What is said of a search for repairs, to a human: plain sentences, bounded, code in backticks."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.checks.model import Finding
from agent_core.repair.model import Difference, Progress, Repair, Suspect, TestRun, Variant
from agent_core.repair.project import Project
from agent_core.text import counted, one_line

_LONG = 160
_NAMED = 3


def is_conftest(test: str) -> bool:
    """Whether the id of what failed is that of a ``conftest.py``, without which no test can be run."""
    return test.rpartition("/")[2] == "conftest.py"


def plain(text: str, most: int = _LONG) -> str:
    """The project's own text as part of one line."""
    return one_line(text, most)


def code(text: str) -> str:
    """Code of the project in backticks; where it has some itself, without."""
    said = plain(text)
    return f"`{said}`" if said and "`" not in said else said


def says_of(variant: Variant) -> str:
    """What a variant does, with its code in backticks."""
    said = plain(variant.says)
    if "`" in said:
        return said
    return ", and ".join(_says(part) for part in said.split(", and ")) if "+" in variant.template else _says(said)


def _says(said: str) -> str:
    new, word, old = said.partition(" for ")
    if word and " for " not in old and new and old:
        return f"`{new}` for `{old}`"
    for ending in (" added", " removed", " left out"):
        if said.endswith(ending) and len(said) > len(ending):
            return f"`{said.removesuffix(ending)}`{ending}"
    return said


def place_of(variant: Variant, project: Project) -> str:
    """Where a variant is: ``in `clamp` (shop/prices.py:12)``, or the place alone where that is in no function."""
    source = project.source(variant.path)
    nodes = () if source is None else source.by_line.get(variant.line, ())
    function = source.function(nodes[-1]) if source is not None and nodes else None
    files = len({edit.path for edit in variant.edits})
    more = f" and {counted(files - 1, 'more file')}" if files > 1 else ""
    place = f"{plain(variant.path)}:{variant.line}{more}"
    return f"at {place}" if function is None else f"in {code(function.name)} ({place})"


def repair_words(repair: Repair, project: Project) -> str:
    """What a repair is: ```<=` for `<` in `clamp` (shop/prices.py:12): all 34 tests pass with it``.

    Args:
        repair: It.
        project: The project.
    """
    said = f"{says_of(repair.variant)} {place_of(repair.variant, project)}"
    if not repair.passed:
        return f"{said}."
    return f"{said}: {passing_words(repair)} with it."


def passing_words(repair: Repair) -> str:
    """Which tests pass with a repair: ``all 34 tests pass``."""
    if any(is_conftest(one) for one in repair.mends):
        return "the tests can be run again, and pass"
    if repair.whole:
        return {1: "the only test passes", 2: "both tests pass"}.get(repair.passed, f"all {repair.passed:,} tests pass")
    return "the one test that was run passes" if repair.passed == 1 else f"the {repair.passed:,} tests run pass"


def found_words(
    repairs: Sequence[Repair],
    differences: Sequence[Difference],
    project: Project,
    left: Sequence[str] = (),
    objection: str = "",
) -> str:
    """What was found.

    Args:
        repairs: The repairs, the best first; there is one at least.
        differences: Inputs for which they do not give the same.
        project: The project.
        left: Failing tests that they do not mend.
        objection: What a check has against the first.
    """
    words = [repair_words(repairs[0], project)]
    if len(repairs) > 1:
        whole = all(one.whole for one in repairs)
        every = "each passes all tests" if whole else "each makes the same tests pass"
        words.append(f"{len(repairs)} different repairs are known, and {every}{_differ(differences)}.")
    if objection:
        words.append(f"But {objection}.")
    if left:
        words.append(f"Nothing was found for {names(left)}.")
    return " ".join(words)


def objection(finding: Finding) -> str:
    """What a check finds newly: ``mypy says of it: Incompatible types (shop/prices.py:12)``."""
    place = f" ({plain(finding.place)})" if finding.place else ""
    return f"{plain(finding.check)} says of it: {plain(finding.message.rstrip('.'))}{place}"


def mended_words(repairs: Sequence[Repair]) -> str:
    """What was mended of what checks say."""
    first = repairs[0]
    said = plain(first.variant.says, 400)
    mends = f" It mends {names(tuple(dict.fromkeys(first.mends)))}." if first.mends else ""
    more = f" {counted(len(repairs) - 1, 'other repair is', 'other repairs are')} known." if len(repairs) > 1 else ""
    return f"Repair: {said.rstrip('.')}.{mends}{more}"


def _differ(differences: Sequence[Difference]) -> str:
    if not differences:
        return ""
    cases = list(dict.fromkeys(one.when for one in differences if one.when))[:2]
    if cases:
        return f"; they differ when {' or when '.join(plain(case) for case in cases)}"
    return f"; they differ for {code(differences[0].call)}"


def nothing_words(
    *,
    seconds: float,
    tried: int,
    lines: int,
    suspects: Sequence[Suspect],
    exhausted: bool,
    stopped: bool,
) -> str:
    """That nothing was found.

    Args:
        seconds: How long it was looked for.
        tried: How many changes were tried.
        lines: At how many lines.
        suspects: The lines that may be wrong, the most suspicious first.
        exhausted: There was nothing left to try.
        stopped: Somebody had enough.
    """
    if not suspects:
        return NOTHING_RUN
    most = f"the most suspicious is {plain(suspects[0].path)}:{suspects[0].line}"
    work = f"{counted(tried, 'change')} {'was' if tried == 1 else 'were'} tried at {counted(lines, 'line')}, {most}"
    if stopped:
        return f"No repair was found before it was stopped, after {seconds:.0f} s: {work}."
    if exhausted:
        return f"No repair was found, and there is nothing left to try: {work}."
    return f"No repair was found within {seconds:.0f} s: {work}."


def stopped_words(progress: Progress, seconds: float) -> str:
    """That it was stopped before anything could be tried, or said of it.

    Args:
        progress: How far it was.
        seconds: How long it took.
    """
    at = {"looking": "what the tests execute was not known yet", "mending": "what the checks find was being mended"}
    looking = progress.stage == "looking"
    if looking and not progress.tried:
        at["looking"] = "what the tests and the other checks say was not known yet"
    tests = f", {counted(progress.tried, 'test')} had been run" if looking and progress.tried else ""
    tried = "" if looking else f", {counted(progress.tried, 'change')} had been tried"
    where = at.get(progress.stage, "changes were being tried")
    return f"It was stopped after {seconds:.0f} s, before a repair was found: {where}{tests}{tried}."


def names(tests: Sequence[str]) -> str:
    """A few tests by their ids, and how many more there are."""
    told = ", ".join(plain(test) for test in tests[:_NAMED])
    more = len(tests) - _NAMED
    return f"{told} and {counted(more, 'more test')}" if more > 0 else told


# -- why none can be sought

NO_TEST_FAILS = "No test fails."
NO_TESTS = "The project has no tests."
NOTHING_RUN = "No repair was looked for: the failing tests run no line of the project that may be changed."


def found_by_checks(findings: Sequence[Finding]) -> str:
    """What the checks find, where no edit is known that mends it."""
    if not findings:
        return "The checks find nothing to mend."
    told = names([f"{one.place} {one.message.rstrip('.')} ({one.check})".strip() for one in findings])
    return f"I know no edit that mends what the checks find: {told}."


def unknown_tests(wanted: Sequence[str]) -> str:
    """No test is meant by what was named."""
    return f"There is no test {' or '.join(code(one) for one in wanted[:_NAMED])}."


def passing_now(tests: Sequence[str]) -> str:
    """What was named passes."""
    return f"Nothing is to be mended: {names(tests)} {'passes' if len(tests) == 1 else 'pass'}."


def not_run(fault: str) -> str:
    """The tests cannot be run."""
    return f"The tests cannot be run, so no repair can be tried: {plain(fault.rstrip('.'), 400)}."


def untried(fault: str, tried: int) -> str:
    """Changes could not be tried.

    Args:
        fault: What went wrong.
        tried: How many were tried.
    """
    what = f"No repair was found, {counted(tried, 'change')} tried" if tried else "No repair could be tried"
    return f"{what}: what runs the tests with a change in them fails: {plain(fault.rstrip('.'), 400)}."


def not_all(fault: str) -> str:
    """Not all tests could be run."""
    return f"Not all tests could be run: {plain(fault.rstrip('.'), 400)}."


def wavering(tests: Sequence[str]) -> str:
    """Tests fail and pass without any change."""
    verb = "fails at one time and passes" if len(tests) == 1 else "fail at one time and pass"
    return f"{names(tests)} {verb} at another without any change, so nothing shows whether a repair mends it."


def slow(tests: Sequence[TestRun], seconds: float) -> str:
    """Tests take too long to be run again and again."""
    each = min(run.seconds for run in tests)
    return (
        f"{names([run.test for run in tests])} {'takes' if len(tests) == 1 else 'take'} {each:.0f} s"
        f"{'' if len(tests) == 1 else ' each'}, too long to try changes within {seconds:.0f} s."
    )


def lacking(tests: Sequence[TestRun]) -> str:
    """Tests want what is not installed."""
    run = tests[0]
    return (
        f"{names([one.test for one in tests])} cannot be mended by a change of the code: "
        f"{plain(f'{run.error}: {run.message}')}."
    )


def network(tests: Sequence[TestRun]) -> str:
    """Tests want to reach others."""
    run = tests[0]
    verb = "needs" if len(tests) == 1 else "need"
    why = plain(f"{run.error}: {run.message}")
    return f"{names([one.test for one in tests])} {verb} the network, which tests cannot reach here: {why}."
