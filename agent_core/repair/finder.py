"""Finds repairs of a project: of what the checks say first, then of failing tests, then of the rest they say."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from agent_core.checks.affected import TEST_FILE
from agent_core.checks.model import UNABLE, CheckResult, Finding
from agent_core.file_modes import SYMLINK
from agent_core.protocols import Candidate, Check, Workspace
from agent_core.repair import words
from agent_core.repair.beyond.kinds import kind_of
from agent_core.repair.hearing import unless_enough
from agent_core.repair.model import Found, Kind, Progress, Variant, Wanted
from agent_core.repair.project import Project
from agent_core.repair.testing import TestRepairs, meant
from agent_core.workspace.tree import Changes, FileChange, Snapshot

KINDS: tuple[Kind, ...] = ("syntax", "tests", "names", "lint", "types")
_CACHE = "repair"
# Tests that take so many times as long as a search may, or hang, are not waited for: the search runs them itself.
_PATIENCE = 1.0
# What is of no interest when something else has been found.
_ASIDE = frozenset({words.NO_TEST_FAILS, words.NO_TESTS, words.NOTHING_RUN})
_GENERATED = re.compile(rb"@generated|(?i:\bdo not (?:edit|modify)\b|\b(?:auto(?:matically)?[- ]?)generated\b)")
_HEAD = 600
_READING = frozenset({"ruff", "mypy"})
_QUICK = 15.0


class Finder:
    """Finds repairs of a tree of a project; a `agent_core.repair.desk.Repairs`.

    Args:
        workspace: The project.
        checks: Gives who judges.
        standing: Gives what they say of the tree.
        tree: Gives the tree: the working tree and what is changed in it.
    """

    def __init__(
        self,
        workspace: Workspace,
        checks: Callable[[], Sequence[Check]],
        standing: Callable[[], Awaitable[tuple[CheckResult, ...]]],
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
        start = time.monotonic()
        tell(Progress("looking", trying="what the checks say", limit=wanted.seconds))
        base, changes = await self._tree()
        results = await unless_enough(self._standing(), enough, wanted.seconds * _PATIENCE)
        if results is None and enough.is_set():
            return Found(ended="stopped", seconds=time.monotonic() - start)
        candidate = await self._workspace.candidate(base, changes, cache=_CACHE, patient=wanted.spare)
        try:
            search = _Search(
                self._workspace,
                self._checks(),
                base,
                changes,
                candidate=candidate,
                wanted=wanted,
                tell=tell,
                enough=enough,
                start=start,
            )
            return await search.run(results or (), waited=results is not None)
        finally:
            await candidate.close()


class _Search:
    """One search, in one tree."""

    def __init__(
        self,
        workspace: Workspace,
        checks: Sequence[Check],
        base: Snapshot,
        changes: Changes,
        *,
        candidate: Candidate,
        wanted: Wanted,
        tell: Callable[[Progress], None],
        enough: asyncio.Event,
        start: float,
    ) -> None:
        self._workspace = workspace
        self._checks = checks
        self._base = base
        self._changes = changes
        self._candidate = candidate
        self._wanted = wanted
        self._tell = tell
        self._enough = enough
        self._start = start
        # What the checks say may have taken a while; the search has its whole time yet.
        self._until = time.monotonic() + wanted.seconds
        self._changeable: dict[str, bool] = {}
        self._project = Project([path for path in candidate.snapshot.files if path.endswith(".py")], candidate.read)

    async def run(self, results: Sequence[CheckResult], *, waited: bool = True) -> Found:
        """What is found, of the first kind that there is something of and that can be mended.

        Args:
            results: What the checks say.
            waited: They have said it; else they take too long.
        """
        said: list[str] = []
        last = Found()
        for kind in self._kinds():
            if kind != "tests":
                last = await self._by_checks(kind, results)
            else:
                last = await (self._by_tests(results) if waited else self._tests((), results))
            if last.word:
                said.append(last.word)
            if last.repairs or self._enough.is_set() or time.monotonic() >= self._until:
                break
        ended = "stopped" if self._enough.is_set() and not last.repairs else last.ended
        if last.repairs:
            said = [one for one in said if one not in _ASIDE]
        elif last.word in {"", *_ASIDE} and waited:
            said.append(words.found_by_checks(self._by_others(results)))
        word = " ".join(dict.fromkeys(said))
        seconds, texts = time.monotonic() - self._start, self._texts(last)
        return msgspec.structs.replace(last, word=word, seconds=seconds, ended=ended, texts=texts)

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

    def _by_others(self, results: Sequence[CheckResult]) -> list[Finding]:
        """What was to be mended of what checks other than tests find."""
        kinds = self._kinds()
        return [
            one for result in results if result.check != "pytest" for one in result.findings if kind_of(one) in kinds
        ]

    def _allowed(self, path: str) -> bool:
        """Whether something may be changed in a file."""
        if path not in self._changeable:
            self._changeable[path] = self._may_change(path)
        return self._changeable[path]

    def _may_change(self, path: str) -> bool:
        state = self._candidate.snapshot.files.get(path)
        if state is None or state.mode == SYMLINK or not path.endswith(".py"):
            return False
        if TEST_FILE.search(path) or path.rpartition("/")[2] == "conftest.py":
            return False
        if self._wanted.paths and not any(path == one or path.startswith(f"{one}/") for one in self._wanted.paths):
            return False
        return not _GENERATED.search((self._candidate.read(path) or b"")[:_HEAD])

    # -- by what the checks say

    async def _by_checks(self, kind: Kind, results: Sequence[CheckResult]) -> Found:
        from agent_core.repair.beyond.mending import Mending  # noqa: PLC0415 - most searches end with the tests

        mending = Mending(
            self._workspace,
            self._checks,
            self._base,
            self._changes,
            self._project,
            self._tell,
            self._enough,
            self._until,
        )
        repairs = await mending.repairs((kind,), results)
        kept = tuple(one for one in repairs if all(self._allowed_by_checks(edit.path) for edit in one.variant.edits))
        if not kept:
            return Found()
        return Found(kept, words.mended_words(kept))

    def _allowed_by_checks(self, path: str) -> bool:
        """Of what tools say tests may be mended, too: the finding is gone or it is not."""
        state = self._candidate.snapshot.files.get(path)
        return state is not None and state.mode != SYMLINK

    # -- by tests

    async def _by_tests(self, results: Sequence[CheckResult]) -> Found:
        tests = next((one for one in results if one.check == "pytest"), None)
        if tests is None or tests.outcome == "no_tests":
            return Found(word=words.NO_TESTS)
        if tests.outcome in UNABLE and not tests.findings and tests.outcome != "timeout":
            return Found(word=words.not_run(tests.summary))
        failing = [one.code for one in tests.findings if "::" in one.code or one.code.endswith(".py")]
        wanted = self._wanted
        asked = [test for test in failing if not wanted.tests or meant(test, wanted.tests)]
        if not asked and not wanted.tests and tests.outcome == "passed":
            return Found(word=words.NO_TEST_FAILS)
        if not asked and wanted.tests:
            passing = [test for test in tests.passed if meant(test, wanted.tests)]
            if passing:
                return Found(word=words.passing_now(passing))
            if tests.outcome == "passed":
                return Found(word=words.unknown_tests(wanted.tests))
        return await self._tests(asked, results)

    async def _tests(self, failing: Sequence[str], results: Sequence[CheckResult]) -> Found:
        repairs = TestRepairs(
            self._candidate,
            self._workspace.interpreter,
            self._make,
            self._project,
            allowed=self._allowed,
            wanted=self._wanted,
            until=self._until,
            tell=self._tell,
            enough=self._enough,
            objection=self._judged(results),
        )
        return await repairs.find(failing)

    def _judged(self, results: Sequence[CheckResult]) -> Callable[[Variant], Awaitable[str]] | None:
        """What the checks that read the code have against a variant; those that take long are not asked."""
        from agent_core.repair.beyond.judging import Judges  # noqa: PLC0415 - brings what runs checks

        names = {one.check for one in results if one.judged and one.check in _READING and one.seconds <= _QUICK}
        if not names:
            return None
        judges = Judges(
            self._workspace,
            self._checks,
            self._base,
            self._changes,
            before=results,
            enough=self._enough,
            deadline=self._until,
        )

        async def objection(variant: Variant) -> str:
            judged = await judges.judge(judges.changed(variant.edits), names)
            return words.objection(judged.broken[0]) if judged is not None and judged.broken else ""

        return objection

    async def _make(self, changes: Changes) -> Candidate:
        """A candidate of the tree with more changes."""
        every: dict[str, FileChange] = {**self._changes, **changes}
        return await self._workspace.candidate(self._base, every, cache=_CACHE, patient=self._wanted.spare)
