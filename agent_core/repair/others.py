"""The tests that pass as the program is, and are to pass still: which of them a variant is tried on."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from agent_core.repair.model import TestRun, Variant
from agent_core.repair.project import Project

_Places = frozenset[tuple[str, int]]


class Others:
    """Tests that pass.

    Args:
        runs: How they ran.
        project: The project.
        most: How many seconds those may take that do not execute what a variant touches; else these are left out.
    """

    def __init__(self, runs: Sequence[TestRun], project: Project, most: float) -> None:
        self._runs = {run.test: run for run in sorted(runs, key=lambda run: run.seconds)}
        self._project = project
        self._most = most
        self._known: dict[_Places, tuple[tuple[str, ...], bool]] = {}
        self._dropped = False

    def __contains__(self, test: str) -> bool:
        return test in self._runs

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, the quickest first."""
        return tuple(self._runs)

    def drop(self, test: str) -> None:
        """Ask a test no more."""
        self._dropped = self._runs.pop(test, None) is not None or self._dropped
        self._known.clear()

    def of(self, variant: Variant) -> tuple[str, ...]:
        """Those that a variant is tried on: the ones that execute what it touches first, the quickest of them first."""
        return self._of(variant)[0]

    def whole(self, variant: Variant) -> bool:
        """Whether these are all there are."""
        return self._of(variant)[1] and not self._dropped

    def _of(self, variant: Variant) -> tuple[tuple[str, ...], bool]:
        places: _Places = frozenset(
            (edit.path, line) for edit in variant.edits for line in self._lines(edit.path, edit.start)
        )
        if places not in self._known:
            there = {test for test, run in self._runs.items() if _touches(run, places)}
            touching = tuple(test for test in self._runs if test in there)
            rest = tuple(test for test in self._runs if test not in there)
            whole = sum(self._runs[test].seconds for test in rest) <= self._most
            self._known[places] = ((*touching, *rest) if whole else touching), whole
        return self._known[places]

    def _lines(self, path: str, index: int) -> tuple[int, ...]:
        source = self._project.source(path)
        line = source.line_at(index) if source is not None else 0
        # What is put in stands before a line or behind one.
        return (line - 1, line, line + 1)


def _touches(run: TestRun, places: _Places) -> bool:
    """Whether a test executes one of some places; where that is not known it may."""
    return not run.lines or any(_holds(run.lines.get(path, ()), line) for path, line in places)


def _holds(lines: Sequence[int], line: int) -> bool:
    """Whether a line is among others, which are in order: there are many, and this is asked of each test."""
    at = bisect.bisect_left(lines, line)
    return at < len(lines) and lines[at] == line
