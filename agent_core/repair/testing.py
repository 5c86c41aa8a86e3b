"""Repairs of failing tests: looked at, searched for, compared, and told."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import time
from collections.abc import Awaitable, Callable, Sequence

from agent_core.protocols import Candidate
from agent_core.repair import words
from agent_core.repair.ahead import Begun, LookAhead
from agent_core.repair.aim import Aim, Outcome
from agent_core.repair.behaviour import Results, differences
from agent_core.repair.hearing import trials_of, unless_enough
from agent_core.repair.hunt import Survivor
from agent_core.repair.lab import Lab, TrialLab
from agent_core.repair.model import Difference, Found, Look, Plan, Progress, Repair, TestRun, Variant, Wanted
from agent_core.repair.named import meant
from agent_core.repair.project import Project
from agent_core.repair.rank import ranked
from agent_core.repair.search import Search
from agent_core.repair.spawned import SpawningLab
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.tree import Changes

_MOST_SHOWN = 6
_LOOK_SHARE = 0.4
# A look that goes on while the test check does takes none of the search's own time.
_AHEAD_SHARE = 0.8
# A test that takes a larger share of the time than this cannot be run often enough.
_SLOW_SHARE = 0.2
# How long what repairs give is compared, beside what it takes to start that.
_COMPARE_SECONDS, _COMPARE_LEAST, _STARTING = 6.0, 2.0, 2.0
_STEADY = 12
_STEADY_SECONDS = 10.0
_MISSING = re.compile(r"No module named '([\w.]+)'")
_NETWORK = frozenset(
    {"gaierror", "ConnectionError", "ConnectTimeout", "ConnectError", "URLError", "NewConnectionError", "MaxRetryError"}
    | {"ClientConnectorError", "ClientConnectorDNSError", "NameResolutionError", "herror"}
)


class TestRepairs:
    """Finds repairs of failing tests in one tree.

    Args:
        candidate: The tree.
        interpreter: The Python that runs the tests.
        make: Makes a candidate of the tree with some more changes.
        project: The project.
        allowed: Whether something may be changed in a file.
        wanted: What is wanted.
        tell: Told how it gets on.
        enough: Set when it is to end with what it has.
        objection: Tells what the checks that read the code have against a variant, if anything.
    """

    __test__ = False

    def __init__(
        self,
        candidate: Candidate,
        interpreter: Interpreter,
        make: Callable[[Changes], Awaitable[Candidate]],
        project: Project,
        *,
        allowed: Callable[[str], bool],
        wanted: Wanted,
        tell: Callable[[Progress], None],
        enough: asyncio.Event,
        objection: Callable[[Variant], Awaitable[str]] | None = None,
    ) -> None:
        self._candidate = candidate
        self._interpreter = interpreter
        self._make = make
        self._project = project
        self._allowed = allowed
        self._wanted = wanted
        self._tell = tell
        self._enough = enough
        self._objection = objection
        self._start = time.monotonic()
        self._until = self._start + wanted.seconds

    def ahead(self) -> LookAhead:
        """The look at the tests, for while it is not known yet which fail."""
        seconds = self._wanted.seconds * _AHEAD_SHARE
        return LookAhead(self._forking, self._named(), seconds=seconds, hear=self._hearing())

    async def find(self, tests: Sequence[str], begun: Begun = (None, None), *, until: float) -> Found:
        """Look for repairs of some tests.

        Args:
            tests: Ids of tests that are known to fail; empty where that is not known, and those wanted are looked for.
            begun: What has come of the look ahead; its lab is closed in the end.
            until: When it is to end, by `time.monotonic`.

        Raises:
            SandboxError: A tree could not be made.
        """
        self._start, self._until = time.monotonic(), until
        lab, look = begun
        lab = lab or await self._forking()
        try:
            look = look or await self._look(lab, tests)
            if look is None:
                return self._not_looked()
            failing = [run for run in look.runs if run.bad and self._is_asked(run.test, tests)]
            if not failing:
                return Found(word=self._none_fails(look, tests))
            if look.safe:
                return await self._found(lab, look, failing)
        finally:
            await lab.close()
        return await self._found(self._spawning(look), look, failing)

    async def _forking(self) -> Lab:
        from agent_core.repair.forking import ForkingLab  # noqa: PLC0415 - not before something is to be tried

        # It closes its tree, and this one is read from to the end.
        return ForkingLab(await self._make({}), self._interpreter, workers=_workers(), spare=self._wanted.spare)

    def _spawning(self, look: Look) -> TrialLab:
        return SpawningLab(
            self._candidate, self._make, self._interpreter, look, workers=_workers(), spare=self._wanted.spare
        )

    def _is_asked(self, test: str, tests: Sequence[str]) -> bool:
        if tests:
            return meant(test, tests)
        # Without it no test can be run.
        return not self._wanted.tests or meant(test, self._wanted.tests) or words.is_conftest(test)

    # -- before the search

    async def _look(self, lab: Lab, tests: Sequence[str]) -> Look | None:
        """What the tests say of the tree as it is; None where somebody had enough, or the time is up."""
        self._tell(self._progress(0, "the tests as they are"))
        looking = lab.look(tests or self._named(), seconds=self._left() * _LOOK_SHARE, hear=self._hearing())
        return await unless_enough(looking, self._enough, self._left())

    def _not_looked(self) -> Found:
        if self._enough.is_set():
            return Found(ended="stopped")
        spent = time.monotonic() - self._start
        return Found(word=words.not_run(f"they did not come to their end within {spent:.0f} s"), ended="out of time")

    def _named(self) -> list[str]:
        """Those of the wanted tests that are named by their ids, or beginnings of these."""
        return [one for one in self._wanted.tests if "::" in one or "/" in one]

    def _hearing(self) -> Callable[[TestRun], None]:
        seen = itertools.count(1)
        return lambda run: self._tell(self._progress(next(seen), run.test))

    def _progress(self, done: int, trying: str) -> Progress:
        return Progress("looking", done, trying=words.plain(trying))

    def _left(self) -> float:
        return max(self._until - time.monotonic(), 0.0)

    def _none_fails(self, look: Look, tests: Sequence[str]) -> str:
        if not look.runs and look.fault:
            return words.not_run(look.fault)
        ran = [run.test for run in look.runs if self._is_asked(run.test, tests)]
        if tests and ran:
            return words.wavering(ran)
        if self._wanted.tests:
            return words.passing_now(ran) if ran else words.unknown_tests(self._wanted.tests)
        return words.not_run(look.fault) if look.fault else words.NO_TEST_FAILS

    def _hopeless(self, failing: Sequence[TestRun]) -> str:
        """Why nothing can be sought; empty where something can."""
        if all(run.error in _NETWORK for run in failing):
            return words.network(failing)
        quick = [run for run in failing if run.outcome == "hung" or run.seconds <= _SLOW_SHARE * self._wanted.seconds]
        return "" if quick else words.slow(failing, self._wanted.seconds)

    def _lacks(self, run: TestRun) -> bool:
        """Whether a test fails as something is not installed, which no change of the project mends."""
        if run.error == "FixtureLookupError":
            return True
        match = _MISSING.search(run.message) if run.error == "ModuleNotFoundError" else None
        if match is None:
            return False
        top = match[1].partition(".")[0]
        own = (f"{top}/", f"{top}.py", f"src/{top}/", f"src/{top}.py")
        return not any(path.startswith(own) for path in self._project.paths)

    async def _steady(self, lab: TrialLab, failing: Sequence[TestRun], look: Look) -> list[TestRun]:
        """Those of the failing tests that fail again."""
        if look.safe:
            # Whoever forks has run them twice.
            return [run for run in failing if not run.wavers]
        some = [run for run in failing if run.outcome in {"failed", "error"} and "::" in run.test][:_STEADY]
        plans = [Plan(number, (), (run.test,)) for number, run in enumerate(some)]
        seconds = min(_STEADY_SECONDS, self._left())
        passed = {
            some[trial.number].test
            async for trial in trials_of(lab, plans, self._enough, seconds)
            if trial.outcome == "passed"
        }
        return [run for run in failing if run.test not in passed]

    # -- the search and what comes after it

    async def _found(self, lab: TrialLab, look: Look, failing: Sequence[TestRun]) -> Found:
        if hopeless := self._hopeless(failing):
            return Found(word=hopeless, failing=tuple(failing))
        within = [run for run in failing if not self._lacks(run)]
        if not within:
            return Found(word=words.lacking(failing), failing=tuple(failing))
        steady = await self._steady(lab, within, look)
        if not steady:
            return Found(word=words.wavering([run.test for run in failing]), failing=tuple(failing))
        near = dict.fromkeys(frame.path for run in steady for frame in reversed(run.frames))
        near.update(dict.fromkeys(path for run in steady for path in run.lines))
        paths = self._project.paths
        project = Project(paths, self._candidate.read, tuple(steady), tuple(path for path in near if path in paths))
        passing = tuple(run for run in look.runs if run.outcome == "passed")
        # Of what fails and is not to be mended, nobody can say that it passes.
        whole = look.whole and sum(run.bad for run in look.runs) == len(steady)
        aim = Aim(tuple(steady), passing, whole, look.safe, self._allowed, self._until, self._wanted.seconds)
        outcome = await Search(lab, project, aim, self._tell, self._enough, objection=self._objection).run()
        repairs, told = await self._compared(lab, outcome, project)
        word = await asyncio.to_thread(self._word, outcome, repairs, told, project)
        if look.fault:
            word = f"{word} {words.not_all(look.fault)}"
        done = repairs or outcome.exhausted
        return Found(
            repairs,
            word,
            told,
            tuple(steady),
            outcome.suspects,
            outcome.tried,
            time.monotonic() - self._start,
            "stopped" if self._enough.is_set() else "finished" if done or outcome.fault else "out of time",
            partial=outcome.partial,
        )

    async def _compared(
        self, lab: TrialLab, outcome: Outcome, project: Project
    ) -> tuple[tuple[Repair, ...], tuple[Difference, ...]]:
        """What survived, ranked, each once that behaves alike, and in what they differ."""
        survivors = outcome.survivors
        nothing: tuple[Results, ...] = tuple(() for _ in range(len(survivors) + 1))
        results: Sequence[Results] | None = nothing
        if len(survivors) > 1:
            seconds = min(max(self._left() - _STARTING, _COMPARE_LEAST), _COMPARE_SECONDS)
            self._tell(Progress("comparing", outcome.tried, 0, len(survivors), "what they give"))
            results = await unless_enough(
                lab.behaviour(self._behaving(survivors, project), seconds=seconds),
                self._enough,
                seconds + _STARTING,
            )
        if results is None or len(results) != len(nothing):
            results = nothing
        return await asyncio.to_thread(_ordered, survivors, results, project)

    @staticmethod
    def _behaving(survivors: Sequence[Survivor], project: Project) -> list[Plan]:
        """The program as it is, and each repair; with the tests that one of them is about, for what they call."""
        tests = tuple(dict.fromkeys(test for one in survivors for test in one.mends))
        paths = {edit.path for one in survivors for edit in one.variant.edits}
        more = tuple(run.test for run in project.failing if paths & set(run.lines))
        every = tuple(dict.fromkeys((*tests, *more)))
        return [
            Plan(0, (), every),
            *(Plan(number, one.variant.edits, every) for number, one in enumerate(survivors, 1)),
        ]

    def _word(self, outcome: Outcome, repairs: Sequence[Repair], told: Sequence[Difference], project: Project) -> str:
        if repairs:
            against = {one.variant.edits: one.objection for one in outcome.survivors}
            objection = against.get(repairs[0].variant.edits, "")
            return words.found_words(repairs, told, project, outcome.left, objection)
        if outcome.fault:
            return words.untried(outcome.fault, outcome.tried)
        return words.nothing_words(
            seconds=time.monotonic() - self._start,
            tried=outcome.tried,
            lines=outcome.lines,
            suspects=outcome.suspects,
            exhausted=outcome.exhausted,
            stopped=self._enough.is_set(),
        )


def _ordered(
    survivors: Sequence[Survivor], results: Sequence[Results], project: Project
) -> tuple[tuple[Repair, ...], tuple[Difference, ...]]:
    """The best of what survived, and in what it differs, by what the program as it is and each of it gives."""
    ordered = ranked(survivors, results[1:], results[0], project)[:_MOST_SHOWN]
    return tuple(one for one, _ in ordered), differences([said for _, said in ordered], project)


def _workers() -> int:
    """How many variants are tried at a time: one for each core."""
    return max(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 1)
