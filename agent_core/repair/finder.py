"""Finds repairs of a project: of what the checks say first, then of failing tests, then of the rest they say."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Collection, Sequence

import msgspec

from agent_core.checks.model import CheckResult, Finding
from agent_core.checks.runner import QUICK
from agent_core.protocols import Candidate, Check, Workspace
from agent_core.repair import words
from agent_core.repair.ahead import Begun, LookAhead
from agent_core.repair.asked import asked, nothing_asked, unable
from agent_core.repair.beyond.kinds import kind_of
from agent_core.repair.changeable import Changeable
from agent_core.repair.clock import Clock
from agent_core.repair.ground import Ground
from agent_core.repair.hearing import unless_enough
from agent_core.repair.model import Found, Kind, Progress, Wanted
from agent_core.repair.objecting import Objecting
from agent_core.repair.project import Project
from agent_core.repair.standing import Ask, Standing
from agent_core.repair.testing import TestRepairs
from agent_core.workspace.tree import Changes, Snapshot

KINDS: tuple[Kind, ...] = ("syntax", "tests", "names", "lint", "types")
# What the checks say is waited for so many times as long as a search may take; of tests that take longer, or hang, the
# search finds out itself what fails.
_PATIENCE = 1.0
# What has been known before is there so soon.
_AT_ONCE = 0.3
# What is of no interest when something else has been found.
_ASIDE = frozenset({words.NO_TEST_FAILS, words.NO_TESTS, words.NOTHING_RUN})


class Finder:
    """Finds repairs of a tree of a project; a `agent_core.repair.desk.Repairs`.

    Args:
        workspace: The project.
        checks: Gives who judges.
        standing: Gives what they say of the tree, and tells each of it before where it is there.
        tree: Gives the tree: the working tree and what is changed in it.
    """

    def __init__(
        self,
        workspace: Workspace,
        checks: Callable[[], Sequence[Check]],
        standing: Ask,
        tree: Callable[[], Awaitable[tuple[Snapshot, Changes]]],
    ) -> None:
        self._workspace = workspace
        self._checks = checks
        self._standing = standing
        self._tree = tree

    async def find(self, wanted: Wanted, tell: Callable[[Progress], None], enough: asyncio.Event) -> Found:
        """Look for repairs; see `agent_core.repair.desk.Repairs`.

        Tests, their ``conftest.py``, generated files and links are never changed, nor is what git ignores.
        """
        clock = Clock(wanted.seconds)
        tell(Progress("looking", trying="what the checks say"))
        base, changes = await self._tree()
        ground = Ground(self._workspace, tuple(self._checks()), base, changes, spare=wanted.spare)
        candidate = await ground.candidate()
        try:
            async with Standing(self._standing) as standing:
                search = _Search(
                    ground,
                    candidate=candidate,
                    standing=standing,
                    wanted=wanted,
                    tell=tell,
                    enough=enough,
                    clock=clock,
                )
                return await search.run()
        finally:
            await candidate.close()


class _Search:
    """One search, in one tree."""

    def __init__(
        self,
        ground: Ground,
        *,
        candidate: Candidate,
        standing: Standing,
        wanted: Wanted,
        tell: Callable[[Progress], None],
        enough: asyncio.Event,
        clock: Clock,
    ) -> None:
        self._ground = ground
        self._candidate = candidate
        self._standing = standing
        self._wanted = wanted
        self._say = tell
        self._enough = enough
        self._clock = clock
        clock.put_off(clock.spent)
        self._patience = wanted.seconds * _PATIENCE
        self._told = Progress("looking")
        self._said: list[str] = []
        self._last = Found()
        self._changeable = Changeable(candidate, wanted.paths)
        self._project = Project([path for path in candidate.snapshot.files if path.endswith(".py")], candidate.read)

    async def run(self) -> Found:
        """What is found, of the first kind that there is something of and that can be mended."""
        kinds = self._kinds()
        begun = "tests" in kinds and any(one.name == "pytest" for one in self._ground.checks)
        if begun:
            await self._as_far_as_tests(kinds)
        elif "tests" in kinds:
            self._took(Found(word=words.NO_TESTS))
        known = {one.fingerprint for one in self._findings("syntax")} if begun else set()
        left = [kind for kind in kinds if kind != "tests"]
        if self._goes_on() and not (begun and set(left) <= {"syntax"}):
            self._tell_waiting()
            await self._spoken()
            self._clock.run()
            for kind in left:
                if kind == "syntax" and {one.fingerprint for one in self._findings(kind)} <= known:
                    continue
                self._took(await self._by_checks(kind))
                if not self._goes_on():
                    break
        return self._found(kinds)

    def _goes_on(self) -> bool:
        return not (self._last.repairs or self._enough.is_set() or self._clock.over)

    def _took(self, found: Found) -> None:
        self._last = found
        if found.word:
            self._said.append(found.word)

    def _found(self, kinds: Sequence[Kind]) -> Found:
        """All that was found, with what is to be said of it."""
        last, said = self._last, self._said
        seconds = self._clock.spent
        stopped = self._enough.is_set() and not last.repairs
        if last.repairs:
            said = [one for one in said if one not in _ASIDE]
        elif stopped and not said:
            said = [words.stopped_words(self._told, seconds)]
        elif last.word in {"", *_ASIDE} and self._standing.whole:
            said = [*said, words.found_by_checks(self._by_others(kinds))]
        ended = "stopped" if stopped else last.ended
        word = " ".join(dict.fromkeys(said))
        return msgspec.structs.replace(last, word=word, seconds=seconds, ended=ended, texts=self._texts(last))

    def _tell(self, progress: Progress) -> None:
        self._told = self._clock.stamped(progress)
        self._say(self._told)

    def _tell_waiting(self, checks: Collection[str] | None = None) -> None:
        silent = [one.name for one in self._ground.checks if self._standing.of(one.name) is None]
        named = [one for one in silent if checks is None or one in checks]
        if named:
            self._tell(Progress("looking", trying=f"waiting for {', '.join(named)}"))

    async def _spoken(self, checks: Collection[str] | None = None, *, most: float = math.inf) -> None:
        """Wait until checks have spoken, or it is no use to wait longer; it is not taken from the search's own time.

        Args:
            checks: Their names; None for all.
            most: How long to wait at most.

        Raises:
            SandboxError: They could not be asked.
        """
        await self._patiently(self._standing.wait(checks), most)

    async def _patiently(self, waiting: Awaitable[object], most: float = math.inf) -> None:
        begun = time.monotonic()
        await unless_enough(waiting, self._enough, min(self._patience, most))
        took = time.monotonic() - begun
        self._patience -= took
        self._clock.put_off(took)

    def _texts(self, found: Found) -> dict[str, str]:
        """The files that repairs touch, as they were looked at."""
        paths = {edit.path for one in found.repairs for edit in one.variant.edits}
        texts = {path: self._project.text(path) for path in sorted(paths)}
        return {path: text for path, text in texts.items() if text is not None}

    def _kinds(self) -> tuple[Kind, ...]:
        """Which kinds are looked for, in their order."""
        if self._wanted.kinds:
            return tuple(kind for kind in KINDS if kind in self._wanted.kinds)
        # Tests cannot be run while what they import cannot be parsed.
        return ("syntax", "tests") if self._wanted.tests else KINDS

    def _findings(self, kind: Kind) -> list[Finding]:
        """What the checks have found of a kind."""
        return [one for result in self._standing.results for one in result.findings if kind_of(one) == kind]

    def _by_others(self, kinds: Sequence[Kind]) -> list[Finding]:
        """What was to be mended of what checks other than tests find."""
        results = self._standing.results
        return [
            one for result in results if result.check != "pytest" for one in result.findings if kind_of(one) in kinds
        ]

    # -- by what the checks say

    async def _by_checks(self, kind: Kind) -> Found:
        if not self._findings(kind):
            return Found()
        from agent_core.repair.beyond.mending import Mending  # noqa: PLC0415 - most searches end with the tests

        mending = Mending(
            self._ground,
            self._project,
            self._tell,
            self._enough,
            self._clock.until,
        )
        repairs = await mending.repairs((kind,), self._standing.results)
        kept = tuple(one for one in repairs if all(self._changeable.by_checks(edit.path) for edit in one.variant.edits))
        if not kept:
            return Found()
        return Found(kept, words.mended_words(kept))

    # -- by tests

    async def _as_far_as_tests(self, kinds: Sequence[Kind]) -> None:
        """Mend what cannot be parsed, where that is wanted, and what makes tests fail."""
        repairs = TestRepairs(
            self._candidate,
            self._ground.workspace.interpreter,
            self._ground.candidate,
            self._project,
            allowed=self._changeable.by_tests,
            wanted=self._wanted,
            tell=self._tell,
            enough=self._enough,
            objection=Objecting(
                self._ground,
                standing=self._standing,
                enough=self._enough,
                clock=self._clock,
            ),
        )
        async with contextlib.AsyncExitStack() as stack:
            await self._spoken(("pytest",), most=_AT_ONCE)
            ahead = None
            if not self._have_spoken() and not self._enough.is_set():
                ahead = await stack.enter_async_context(repairs.ahead())
            self._tell_waiting({*QUICK, "pytest"})
            await self._patiently(self._tests_known(ahead))
            self._clock.run()
            if "syntax" in kinds and self._findings("syntax"):
                # Tests cannot be run while what they import cannot be parsed.
                await stack.aclose()
                ahead = None
                self._took(await self._by_checks("syntax"))
            if self._goes_on():
                self._took(await self._by_tests(repairs, ahead))

    def _have_spoken(self) -> bool:
        """Whether it is known what the tests say."""
        return self._standing.whole or self._standing.of("pytest") is not None

    async def _tests_known(self, ahead: LookAhead | None) -> None:
        """Wait for what the tests say, and the quick checks; no longer where the look shows that a test hangs."""
        checks = {one.name for one in self._ground.checks if one.name in {*QUICK, "pytest"}}
        waits: list[asyncio.Future[object]] = [asyncio.ensure_future(self._standing.wait(checks))]
        if ahead is not None:
            waits.append(asyncio.ensure_future(ahead.hangs()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if waits[0].done():
                # What it raises is told.
                waits[0].result()
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _by_tests(self, repairs: TestRepairs, ahead: LookAhead | None) -> Found:
        """Repairs of what the tests say; where they have not said it, of what the search finds out itself."""
        tests = self._standing.of("pytest")
        if not self._have_spoken():
            found = await self._searched(repairs, ahead, (), None)
            if found.word != words.NOTHING_RUN:
                return found
            # What the look took for a test that hangs may only be slow: the check knows.
            await self._spoken(("pytest",))
            tests = self._standing.of("pytest")
            word = nothing_asked(tests, self._wanted) if self._have_spoken() else ""
            return Found(word=word) if word else found
        if word := nothing_asked(tests, self._wanted):
            return Found(word=word)
        assert tests is not None
        found = await self._searched(repairs, ahead, asked(tests, self._wanted), tests)
        if unable(tests) and not (found.failing or self._enough.is_set()):
            # The check knows best why.
            return Found(word=words.not_run(tests.summary))
        return found

    async def _searched(
        self, repairs: TestRepairs, ahead: LookAhead | None, failing: Sequence[str], said: CheckResult | None
    ) -> Found:
        begun: Begun = (None, None)
        if ahead is not None:
            expected = len(said.passed) + len(said.findings) if said is not None else 0
            begun = await ahead.taken(failing, expected, said.seconds if said is not None else 0.0, self._enough)
        return await repairs.find(failing, begun, until=self._clock.until)
