"""The measured table of repairs, as text."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from tests.bench.repair_cases import GOOD, PASSING, Case, Result


def operator_of(case: Case) -> str:
    """What a case is grouped by besides its package: the mutation's operator, or the release the bug was mended in."""
    return case.what.partition("_")[0] if case.table == "mutant" else case.version


def percent(part: int, whole: int) -> str:
    """A share in words."""
    return f"{100 * part / whole:.0f}%" if whole else "-"


def row(title: str, results: Sequence[Result]) -> str:
    """One row: how many there are, are repaired, are repaired as the original, and in what time."""
    passing = [one for one in results if one.verdict in PASSING]
    good = [one for one in passing if one.verdict in GOOD]
    equal = sum(one.verdict == "equal" for one in results)
    listed = sum(bool(one.equal_at) for one in results)
    first = f"{statistics.median(one.first for one in passing):.1f}" if passing else "-"
    offer = f"{statistics.median(one.seconds for one in passing):.1f}" if passing else "-"
    return (
        f"{title:<28}{len(results):>5}{len(passing):>9}{percent(len(passing), len(results)):>6}{equal:>7}"
        f"{len(good) - equal:>7}{percent(len(good), len(passing)):>7}{listed:>8}{first:>9}{offer:>9}"
    )


_HEAD = (
    f"{'':<28}{'cases':>5}{'repaired':>9}{'':>6}{'equal':>7}{'alike':>7}{'of rep.':>8}{'listed':>7}"
    f"{'1st, s':>9}{'offer, s':>9}"
)


def _grouped(
    cases: Iterable[Case], results: dict[str, Result], key: Callable[[Case], str]
) -> list[tuple[str, list[Result]]]:
    groups: dict[str, list[Result]] = defaultdict(list)
    for case in cases:
        if case.name in results:
            groups[key(case)].append(results[case.name])
    return sorted(groups.items())


def report(cases: Sequence[Case], results: dict[str, Result]) -> str:
    """The table: by package, by operator or release, and in all.

    ``repaired``: the first offer passes all of the package's tests. ``equal``: it is the original. ``alike``: it is
    not, but does the same on every fresh input. ``of rep.``: both, as a share of what was repaired. ``listed``: the
    original is among all that was offered. Times are medians, from the start to the first repair, and to the offer.
    """
    lines: list[str] = []
    for table, title in (("mutant", "mutants"), ("bug", "bugs mended in releases")):
        some = [case for case in cases if case.table == table and case.name in results]
        if not some:
            continue
        lines += [f"{title}", _HEAD]
        lines += [row(name, group) for name, group in _grouped(some, results, lambda case: case.package)]
        if table == "mutant":
            lines += ["", *(row(name, group) for name, group in _grouped(some, results, operator_of))]
        lines += ["", row("all", [results[case.name] for case in some]), ""]
        wrong = [case.name for case in some if results[case.name].verdict == "wrong"]
        if wrong:
            lines += [f"offered, but not green: {', '.join(wrong)}", ""]
    return "\n".join(lines)


def one_line(case: Case, result: Result) -> str:
    """A case and what came of it."""
    found = f" {result.template}: {result.says}" if result.template else f" {result.word[:80]}"
    place = f"#{result.suspect}" if result.suspect else "no suspect"
    fresh = f" {result.differs}/{result.compared} differ" if result.compared else ""
    times = f"{result.first:5.1f} {result.seconds:5.1f} s"
    return (
        f"{result.name:<22} {result.verdict:<9} {times} {result.tried:>5} tried {place:>10}{fresh}"
        f" | {case.path}:{case.line} {case.what} |{found}"
    )
