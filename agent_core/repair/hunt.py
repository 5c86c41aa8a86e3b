"""Tests that fail for one reason, as far as one can tell, and what is tried to mend them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from agent_core.repair.localise import localise
from agent_core.repair.model import Edit, Suspect, TestRun, Trial, Variant
from agent_core.repair.ordering import Line, Ordering
from agent_core.repair.pairs import Tried, pairs_of
from agent_core.repair.project import Project

_MOST_HUNTS = 5
_COMMON = 0.5
# Below so many seconds no test is quicker than another.
_QUICK = 0.1
# What is gained by a variant that mends some, fails otherwise than before, breaks something else; and by its line.
_BETTER, _OTHERWISE, _BREAKS = 2.0, 1.2, 3.0
# What an ordinary slip costs at most, and how near to the most suspicious line is as suspicious as that.
_ORDINARY, _AT_THE_TOP = 1.25, 0.9
_PROMISING, _MENDS_SOME = 1.3, 1.1

Try = tuple[Line | None, Variant]
"""A variant that is tried, and the line it is of; of a pair there is none."""


class Survivor(msgspec.Struct, frozen=True):
    """A variant that passes.

    Attributes:
        variant: The variant.
        weight: How suspicious its line was.
        passed: How many tests pass with it.
        whole: All tests of the project were run with it.
        mends: Ids of the tests it mends.
        objection: What the checks that read the code find in it that they did not find before, as far as it is known.
    """

    variant: Variant
    weight: float
    passed: int
    whole: bool
    mends: tuple[str, ...]
    objection: str = ""

    @property
    def clean(self) -> bool:
        """Whether nobody is known to object."""
        return not self.objection


@dataclass
class Hunt:
    """Failing tests that are to be mended together.

    Attributes:
        failing: The tests, quick ones first.
        suspects: The lines that may be wrong.
        ordering: What is to be tried yet.
        project: The project.
        tried: What was tried and mends not all of them.
        survivors: What mends them and breaks nothing.
        ended: The test at which each variant that was tried ended.
        rejected: What mends them and breaks another test, by that test.
        paired: Pairs that were tried.
        by_pairs: Whose turn it is, where singles and pairs take turns.
        done: Nothing is left to be tried.
        spread: How many of the survivors have been tried on the tests of others.
        looked_over: How many of the survivors have been asked about whether they are clean.
    """

    failing: tuple[TestRun, ...]
    suspects: tuple[Suspect, ...]
    ordering: Ordering
    project: Project
    tried: list[Tried] = field(default_factory=list)
    survivors: list[Survivor] = field(default_factory=list)
    ended: dict[tuple[Edit, ...], str] = field(default_factory=dict)
    rejected: dict[str, list[Try]] = field(default_factory=dict)
    paired: set[tuple[Edit, ...]] = field(default_factory=set)
    by_pairs: bool = False
    done: bool = False
    spread: int = 0
    looked_over: int = 0
    _pairs: Iterator[Variant] | None = None
    _pairs_of: int = 0

    @property
    def tests(self) -> tuple[str, ...]:
        """The tests' ids."""
        return tuple(run.test for run in self.failing)

    @property
    def is_sure(self) -> bool:
        """Whether an ordinary slip at a line that nothing is more suspicious than is a repair nobody objects to."""
        least = _AT_THE_TOP * self.suspects[0].score if self.suspects else 0.0
        return any(one.clean and one.variant.cost <= _ORDINARY and one.weight >= least for one in self.survivors)

    def function_of(self, variant: Variant) -> object:
        """What the function is known by that a variant changes."""
        source = self.project.source(variant.path)
        nodes = () if source is None else source.by_line.get(variant.line, ())
        return (variant.path, source.scope(nodes[-1]) if source is not None and nodes else None)

    def failed(self, variant: Variant, line: Line | None, *, at: str, gain: float, mends: Sequence[str]) -> None:
        """Take down that a variant does not mend all.

        Args:
            variant: The variant.
            line: Its line; None for a pair.
            at: The test it ended at.
            gain: See `Tried`.
            mends: See `Tried`.
        """
        self.ended[variant.edits] = at
        if line is not None:
            weight = line.weight / variant.cost
            self.tried.append(Tried(variant, weight, gain, self.function_of(variant), frozenset(mends)))

    def breaks(self, tried: Try, test: str) -> None:
        """Take down that a variant mends all, but another test fails with it."""
        line, variant = tried
        self.rejected.setdefault(test, []).append(tried)
        self.failed(variant, line, at=test, gain=_BREAKS, mends=self.tests)
        if line is not None:
            line.learn(_PROMISING)

    def learn(self, tried: Try, trial: Trial, *, before: str) -> None:
        """Take down what a variant that does not do tells of its line.

        Args:
            tried: It.
            trial: What came of it.
            before: Why its test fails otherwise.
        """
        line, variant = tried
        mends = self.tests[: trial.passed] if trial.outcome == "failed" else ()
        gain = _BETTER if mends else _OTHERWISE if trial.outcome == "failed" and trial.why != before else 1.0
        self.failed(variant, line, at=trial.test, gain=gain, mends=mends)
        if line is not None:
            if mends:
                line.learn(_MENDS_SOME)
            elif gain > 1:
                line.had_effect()
            else:
                line.had_no_effect()

    def pairs(self, count: int) -> list[Variant]:
        """The next pairs; none when there are no more."""
        found: list[Variant] = []
        while len(found) < count:
            if self._pairs is None:
                if len(self.tried) == self._pairs_of:
                    break
                self._pairs, self._pairs_of = pairs_of(self.tried), len(self.tried)
            pair = next(self._pairs, None)
            if pair is None:
                self._pairs = None
            elif pair.edits not in self.paired:
                self.paired.add(pair.edits)
                found.append(pair)
        return found


def hunt_for(
    failing: Sequence[TestRun], passing: Sequence[TestRun], project: Project, allowed: Callable[[str], bool]
) -> Hunt:
    """What is to be tried for some failing tests."""
    suspects = localise(failing, passing, project, allowed)
    return Hunt(tuple(sorted(failing, key=_slowness)), suspects, Ordering(suspects, project), project)


def _slowness(run: TestRun) -> tuple[bool, int]:
    """Quick tests tell sooner; those that are about as quick keep their order, as one may need what another left."""
    return run.outcome == "hung", max(math.ceil(math.log2(max(run.seconds, 0.001) / _QUICK)), 0)


def plainly_apart(failing: Sequence[TestRun], suspects: Sequence[Suspect]) -> bool:
    """Whether tests fail for several reasons: they have no line in common that is suspicious."""
    changeable = {one.path for one in suspects}
    executed = [run.lines for run in failing if not changeable.isdisjoint(run.lines)]
    if len(executed) < 2:
        return False
    least = _COMMON * suspects[0].score
    return not any(
        all(one.line in lines.get(one.path, ()) for lines in executed) for one in suspects if one.score >= least
    )


def split(
    failing: Sequence[TestRun], passing: Sequence[TestRun], project: Project, allowed: Callable[[str], bool]
) -> list[tuple[TestRun, ...]]:
    """Failing tests by what they may fail for.

    By the function that is the most suspicious one for each, else by the function of the test, else each by itself but
    for cases of one test that go the same way through the program. What is more than a few groups stays together in
    the last.
    """
    if len(failing) < 2:
        return [tuple(failing)]
    few = math.ceil(len(failing) / 60)

    def suspicious(run: TestRun) -> object:
        suspects = localise((run,), passing[::few], project, allowed)
        source = project.source(suspects[0].path) if suspects else None
        nodes = source.by_line.get(suspects[0].line, ()) if source is not None else ()
        return source.scope(nodes[-1]) if source is not None and nodes else None

    keys: tuple[Callable[[TestRun], object], ...] = (suspicious, _function, _way)
    for key in keys:
        groups: dict[object, list[TestRun]] = {}
        for run in failing:
            groups.setdefault(key(run), []).append(run)
        if len(groups) > 1:
            ordered = sorted(groups.values(), key=len, reverse=True)
            rest = [run for group in ordered[_MOST_HUNTS - 1 :] for run in group]
            return [tuple(group) for group in (*ordered[: _MOST_HUNTS - 1], rest) if group]
    return [tuple(failing)]


def _function(run: TestRun) -> object:
    return run.test.partition("[")[0]


def _way(run: TestRun) -> object:
    return (_function(run), tuple(sorted(run.lines.items()))) if run.lines else run.test
