"""Trees with variants in them, judged by the project's own checks and compared with what they said before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from agent_core.checks.matching import compare
from agent_core.checks.model import CheckResult, Finding, Wish, unheard
from agent_core.checks.runner import run_checks
from agent_core.draft import Draft, revised
from agent_core.mending import mended
from agent_core.repair.edited import edited
from agent_core.repair.ground import Ground
from agent_core.repair.hearing import unless_enough
from agent_core.repair.model import Edit
from agent_core.workspace.tree import Changes

T = TypeVar("T")


class Judged(msgspec.Struct, frozen=True):
    """What the checks say of a tree, next to what they said before.

    Attributes:
        fixed: Findings that are gone.
        broken: Findings that were not there before, also on a line that reads otherwise now.
        passed: How many tests passed; 0 where none were run.
        whole: All tests of the project were run.
        results: What each check said.
    """

    fixed: tuple[Finding, ...]
    broken: tuple[Finding, ...]
    passed: int = 0
    whole: bool = False
    results: tuple[CheckResult, ...] = ()


class Judges:
    """The checks of a project over one tree of it.

    Args:
        ground: The tree.
        before: What the checks said of the tree.
        enough: Set from outside to have it end.
        deadline: When it ends, by `time.monotonic`.
    """

    def __init__(
        self,
        ground: Ground,
        *,
        before: Sequence[CheckResult],
        enough: asyncio.Event,
        deadline: float,
    ) -> None:
        self._ground = ground
        self._before = {result.check: result for result in before}
        self._enough = enough
        self._deadline = deadline
        self.tried = 0

    @property
    def over(self) -> bool:
        """Whether somebody has had enough, or the time is up."""
        return self._enough.is_set() or time.monotonic() >= self._deadline

    @property
    def able(self) -> frozenset[str]:
        """The checks that judged the tree."""
        return frozenset(name for name, result in self._before.items() if result.judged)

    def before(self, check: str) -> CheckResult | None:
        """What a check said of the tree."""
        return self._before.get(check)

    def seconds(self, check: str) -> float:
        """How long a check took for the tree; 0 where it has not judged it."""
        before = self._before.get(check)
        return before.seconds if before is not None else 0.0

    def read(self, path: str) -> bytes | None:
        """The bytes of a file of the tree; None where it is not there."""
        return self._ground.read(path)

    def changed(self, edits: Iterable[Edit]) -> Changes:
        """What files of the tree become by edits.

        Raises:
            ValueError: The edits do not fit the files, which somebody may have changed meanwhile.
        """
        return edited(edits, self.read, self._ground.snapshot)

    async def judge(self, changes: Changes, names: Collection[str]) -> Judged | None:
        """Judge the tree with more changes in it.

        Args:
            changes: What is changed in it.
            names: The checks that are asked; those of them that did not judge the tree before are passed over, but
                for that of the syntax, which looks at changed files alone.

        Returns:
            What they say; None when somebody had enough or the time was up before.

        Raises:
            SandboxError: A candidate could not be made.
        """
        if self.over:
            return None
        self.tried += 1
        return await self.unless_over(self._judge(changes, names))

    async def unless_over(self, work: Awaitable[T]) -> T | None:
        """What comes of some work; None when somebody has had enough, or the time is up, before."""
        return await unless_enough(work, self._enough, self._deadline - time.monotonic())

    async def _judge(self, changes: Changes, names: Collection[str]) -> Judged:
        wanted = [one for one in self._ground.checks if one.name in names and one.name in {*self.able, "syntax"}]
        candidate = await self._ground.candidate(changes)
        try:
            wish = Wish(changed=tuple(changes))
            results = await run_checks(wanted, candidate, "candidate", unheard, wish=lambda _: wish)
        finally:
            await candidate.close()
        fixed: list[Finding] = []
        broken: list[Finding] = []
        tests = next((one for one in results if one.check == "pytest" and one.judged), None)
        for result in results:
            before = self._before.get(result.check)
            if not result.judged and before is not None and before.judged and result.outcome != "skipped":
                broken.append(Finding(result.check, f"{result.check} cannot judge it any more: {result.summary}"))
                continue
            if not result.judged:
                continue
            compared = compare(before, result, {})
            gone, come = _unpaired(compared.fixed, compared.broken)
            fixed += gone
            broken += [*come, *compared.unrun]
        return Judged(
            tuple(fixed),
            tuple(broken),
            tests.total - len(tests.findings) if tests is not None else 0,
            tests is not None and tests.stage == "all",
            results,
        )

    async def mended(self, changes: Changes, findings: Sequence[Finding]) -> Changes:
        """The tree with changes in it, once the tools have mended what they found there.

        Args:
            changes: What is changed in it.
            findings: What is to be mended.

        Returns:
            What is changed then.

        Raises:
            CheckError: A tool could not do it.
            SandboxError: A candidate could not be made.
        """
        ground = self._ground
        draft = revised(Draft(ground.base), {**ground.changes, **changes}, ground.workspace)
        draft = await mended(ground.workspace, ground.checks, draft, findings)
        return {path: change for path, change in draft.changes.items() if ground.changes.get(path) != change}


def _unpaired(gone: Sequence[Finding], come: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Findings that are gone and those that have come, without those that are both.

    A finding is known by its line and its words: where a line has several, and one of them is mended, the others look
    new; one on a line that is as it was may be told in other words; and an import that nobody uses stays one under
    another name.
    """
    left = list(gone)
    new: list[Finding] = []
    for one in come:
        pair = next((old for old in left if _same(old, one)), None) if one.check != "pytest" else None
        if pair is None:
            new.append(one)
        else:
            left.remove(pair)
    return left, new


def _same(one: Finding, other: Finding) -> bool:
    if (one.check, one.path, one.code) != (other.check, other.path, other.code):
        return False
    return one.message == other.message or one.text == other.text or one.code == "F401"


def by_path(changes: Changes, old: Callable[[str], bytes | None]) -> Mapping[str, tuple[str, str]]:
    """The texts of changed files, before and after, without byte order marks; those that are no UTF-8 are left out."""
    texts: dict[str, tuple[str, str]] = {}
    for path, change in changes.items():
        try:
            before, after = (old(path) or b"").decode("utf-8-sig"), (change.data or b"").decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
        if before != after:
            texts[path] = (before, after)
    return texts
