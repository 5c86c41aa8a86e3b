"""Which blocks of a patch its failures come from, found by running the failing checks with blocks left out."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec

from agent_core.checks.model import SYNTAX_CODES, Blame, CheckResult, Finding, Verdict, Wish, without_numbers
from agent_core.checks.verdict import LOST
from agent_core.diagnosis.isolate import Answer, OutOfBudgetError, Parts, idle_parts, isolate
from agent_core.draft import Draft, draft_of
from agent_core.errors import SandboxError, SelectionError
from agent_core.patch.choices import BlockChoice, Choices
from agent_core.patch.model import Patch
from agent_core.patch.select import select
from agent_core.protocols import Check, Workspace

_MOST_RUNS = 12
_MOST_SECONDS = 30.0
_MOST_SUSPECTS = 20
_CACHE = "blame"

_EXCEPTION = re.compile(r"((?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt|Warning|Timeout|Failed))\b")
# Errors of code that does not fit together: what they name is what they are about.
_FITTING = {"NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError", "AttributeError", "SyntaxError"}
_FITTING |= {"TypeError", "IndentationError", "TabError"}


class Found(msgspec.Struct, frozen=True):
    """What was found out.

    Attributes:
        blames: Failures with the blocks they come from.
        unneeded: Ids of blocks that no check needs: without them the verdict is as good.
    """

    blames: tuple[Blame, ...] = ()
    unneeded: tuple[str, ...] = ()


class Blamer:
    """Tries patches with blocks left out, one at a time, as nobody waits for it.

    Args:
        workspace: Where candidates are made.
        checks: Who judges; those that are in it when the work begins.
        most_runs: How many selections of blocks are tried at most.
        most_seconds: How long it may take.
    """

    def __init__(
        self,
        workspace: Workspace,
        checks: Sequence[Check],
        *,
        most_runs: int = _MOST_RUNS,
        most_seconds: float = _MOST_SECONDS,
    ) -> None:
        self._workspace = workspace
        self._checks = checks
        self._most_runs = most_runs
        self._most_seconds = most_seconds

    async def blame(self, draft: Draft, verdict: Verdict, content: Callable[[str], bytes]) -> Found:
        """Find out which blocks of a draft its failures come from.

        Args:
            draft: What was judged.
            verdict: What came of it.
            content: Gives the patch's contents by hash.

        Returns:
            What is sure: each blamed set was seen to fail, and without it there was no failure. Nothing of it is sure
            when the working tree changed meanwhile, so then it is nothing.
        """
        patch = draft.patch()
        blocks = [block.id for file in patch.files for block in file.blocks]
        suspects = _suspects(verdict)
        if verdict.green or not verdict.complete or len(blocks) < 2 or not suspects:
            return Found()
        deadline = time.monotonic() + self._most_seconds
        checks = tuple(self._checks)
        bench = _Bench(self._workspace, checks, draft, patch, content, runs=self._most_runs, deadline=deadline)
        trials = _Trials(bench, suspects, blocks)
        blames = await self._blames(trials, suspects, blocks, whole=_is_of_blocks(patch))
        blamed = {block for blame in blames for block in blame.blocks}
        others = [block for block in blocks if block not in blamed]
        unneeded = await self._unneeded(bench, checks, verdict, others, blocks) if blamed else frozenset[str]()
        if (await self._workspace.snapshot()).tree != draft.base.tree:
            return Found()
        return Found(blames, tuple(block for block in blocks if block in unneeded))

    async def _blames(
        self, trials: _Trials, suspects: Sequence[Finding], blocks: Sequence[str], *, whole: bool
    ) -> tuple[Blame, ...]:
        blames = []
        for finding in suspects:

            async def attempt(chosen: Parts, finding: Finding = finding) -> Answer:
                return await trials.answer(chosen, finding)

            try:
                # What a patch does that is in no block, such as moving a file, may do it alone.
                if not whole and await attempt(frozenset()) != "passes":
                    continue
                found = await isolate(blocks, attempt)
            except OutOfBudgetError:
                # What the trials so far tell of the other failures is still to be had.
                continue
            if len(found) < len(blocks):
                blames.append(Blame(finding.check, finding.fingerprint, found))
        return tuple(blames)

    async def _unneeded(
        self, bench: _Bench, checks: Sequence[Check], verdict: Verdict, others: Sequence[str], blocks: Sequence[str]
    ) -> Collection[str]:
        """Blocks without which every check says the same."""
        slowest = max((result.seconds for result in verdict.results), default=0.0)

        async def good(chosen: Parts) -> bool:
            if bench.left < slowest:
                raise OutOfBudgetError
            results = await bench.run(chosen, checks, None)
            return results is not None and as_good(results, verdict.results)

        return await idle_parts(others, blocks, good)


def as_good(results: Sequence[CheckResult], than: Sequence[CheckResult]) -> bool:
    """Whether results say nothing worse than others: each check judges as before, finds no more, and sees no less.

    Args:
        results: Those in question, one a check.
        than: Those they are compared with.
    """
    by_check = {result.check: result for result in results}
    for old in than:
        new = by_check.get(old.check)
        if new is None or new.outcome not in {old.outcome, "passed", "skipped"}:
            return False
        if Counter(map(_said, new.findings)) - Counter(map(_said, old.findings)):
            return False
        if new.outcome != "skipped" and new.total < old.total and old.check not in {"syntax", "ruff"}:
            return False
    return True


def _said(finding: Finding) -> tuple[str, str]:
    """What a finding says: a test that fails in another way says something else."""
    return finding.fingerprint, kind_of(finding.message) if finding.check == "pytest" else ""


def _suspects(verdict: Verdict) -> list[Finding]:
    """The failures that are looked into: those that a check says of the candidate and did not say of the base."""
    said = {(result.check, one.fingerprint) for result in verdict.results for one in result.findings}
    hung = {result.check for result in verdict.results if result.outcome == "timeout"}
    found: dict[str, Finding] = {}
    for finding in verdict.broken:
        lost = finding.code == LOST and finding.check not in hung
        if lost or (finding.check, finding.fingerprint) in said:
            found.setdefault(finding.fingerprint, finding)
    # Tests first: they are what most is asked about.
    return sorted(found.values(), key=lambda one: one.check != "pytest")[:_MOST_SUSPECTS]


def _is_of_blocks(patch: Patch) -> bool:
    """Whether a patch without its blocks does nothing."""
    return all(
        file.blocks and not file.moved_from and (file.kind != "update" or file.before_mode == file.after_mode)
        for file in patch.files
    )


class _Bench:
    """Makes candidates of some of the blocks and runs checks in them, as long as the budget lasts."""

    def __init__(
        self,
        workspace: Workspace,
        checks: Sequence[Check],
        draft: Draft,
        patch: Patch,
        content: Callable[[str], bytes],
        *,
        runs: int,
        deadline: float,
    ) -> None:
        self.checks = {check.name: check for check in checks}
        self._workspace = workspace
        self._draft = draft
        self._patch = patch
        self._content = content
        self._runs = runs
        self._deadline = deadline

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self._deadline - time.monotonic()

    async def run(
        self, chosen: Parts, checks: Sequence[Check], tests: Sequence[str] | None
    ) -> tuple[CheckResult, ...] | None:
        """What checks say of a part of the patch.

        Args:
            chosen: Ids of the blocks it is made of.
            checks: Who judges.
            tests: The only tests to run; None for all.

        Returns:
            One result a check; None when there is no such part.

        Raises:
            OutOfBudgetError: Too many runs, or out of time.
        """
        picks = {block.id: BlockChoice(block.id in chosen) for file in self._patch.files for block in file.blocks}
        try:
            part = select(self._patch, Choices(default=True, blocks=picks), self._content)
        except SelectionError:
            return None
        if self._runs <= 0 or self.left <= 0:
            raise OutOfBudgetError
        self._runs -= 1
        changes = draft_of(part.patch, self._draft.base, part.contents.__getitem__).changes
        try:
            async with asyncio.timeout(self.left):
                candidate = await self._workspace.candidate(self._draft.base, changes, cache=_CACHE, patient=True)
                try:
                    wish = Wish(only=None if tests is None else _there(tests, candidate.snapshot.files))
                    return tuple([await check.run(candidate, wish) for check in checks])
                finally:
                    await candidate.close()
        except TimeoutError as error:
            raise OutOfBudgetError from error
        except (SandboxError, OSError):
            return None


def _there(tests: Sequence[str], files: Collection[str]) -> tuple[str, ...]:
    """The tests whose file is there; a test that comes with the patch is not there without its block."""
    return tuple(test for test in tests if test.partition("::")[0] in files)


class _Trials:
    """What became of the failures with some of the blocks; each selection is tried once for all failures."""

    def __init__(self, bench: _Bench, suspects: Sequence[Finding], blocks: Sequence[str]) -> None:
        self._bench = bench
        self._suspects = suspects
        self._known: dict[Parts, tuple[CheckResult, ...] | None] = {}
        names = dict.fromkeys(finding.check for finding in suspects)
        self._checks = [bench.checks[name] for name in names if name in bench.checks]
        tests = [finding.code for finding in suspects if finding.check == "pytest"]
        # Where pytest itself breaks, or fails as a whole, it is to be run as a whole.
        self._tests = tests if all(test and test != LOST and ".py" in test for test in tests) else None
        self._every = frozenset(blocks)

    async def answer(self, chosen: Parts, finding: Finding) -> Answer:
        """Whether a failure is there with these blocks; see `isolate`.

        Raises:
            OutOfBudgetError: No more can be tried.
        """
        if chosen == self._every:
            return "fails"
        if chosen not in self._known:
            self._known[chosen] = await self._bench.run(chosen, self._checks, self._tests)
        for result in self._known[chosen] or ():
            if result.check == finding.check:
                return _answer(finding, result)
        return "open"


def _answer(finding: Finding, result: CheckResult) -> Answer:
    """What a check's result says of a failure: there, not there, or nothing."""
    if finding.code == LOST:
        return "passes" if result.judged else "open" if result.outcome in {"no_tests", "skipped"} else "fails"
    if finding.check == "pytest" and finding.code:
        return _test_answer(finding, result)
    if any(one.fingerprint == finding.fingerprint for one in result.findings):
        return "fails"
    # A file that does not parse hides what else is wrong.
    hidden = any(one.code in SYNTAX_CODES and one.code != finding.code for one in result.findings)
    return "open" if hidden or not (result.judged or result.outcome == "skipped") else "passes"


def _test_answer(finding: Finding, result: CheckResult) -> Answer:
    for one in result.findings:
        if one.fingerprint == finding.fingerprint:
            return "fails" if kind_of(one.message) == kind_of(finding.message) else "open"
    if "::" in finding.code:
        return "passes" if finding.code in result.passed else "open"
    # A file that could not be collected: it could, if tests of it ran.
    ran = (*result.passed, *(one.code for one in result.findings))
    return "passes" if any(test.startswith(f"{finding.code}::") for test in ran) else "open"


def kind_of(message: str) -> str:
    """What sort of failure a test's message tells of: the same cause gives the same sort, if with other values.

    The exception's name; for those that say that code does not fit together (a name that is not there, arguments that
    nobody takes) with all they say but numbers. A bare assertion is a sort of its own.
    """
    found = _EXCEPTION.match(message.strip())
    if found is None:
        return "AssertionError"
    name = found[1].rpartition(".")[2]
    return without_numbers(message.strip()) if name in _FITTING else name
