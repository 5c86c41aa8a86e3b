"""Judging drafts: candidate against baseline, for the loop and for the partner's own questions.

A verdict is about exactly two trees. What of it does not come from running a check on them just now:

- A base tree is judged once in a session, as long as no package is installed meanwhile.
- What was said about a base tree in an earlier session is found again (`agent_core.checks.cache`) when tree, tool,
  settings and environment are the same. Since not all can be seen that an answer depends on, such as files that git
  ignores, it never decides: where a check or a test differs between the two trees, or a test fails on either, the base
  is judged anew by that check, or by these tests. A candidate is always judged anew, so that nothing ever lands, by a
  human or by a mode, on what was true once.
- Tests that fail newly are run again on both trees before the patch is blamed, and so are targets that are mended: one
  that passes by luck makes nothing green (`agent_core.checks.wavering`).
- A finding that is gone as the patch changes settings or adds comments that silence a check is not mended, and a new
  one that does not show for this keeps the verdict from being green, until a human says that it is right so
  (`agent_core.checks.silencing`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace

from agent_core.checks.base_tree import Heard
from agent_core.checks.baseline import Baseline, bound_to
from agent_core.checks.bench import Bench, Memory, Trees
from agent_core.checks.cache import Cache
from agent_core.checks.case import Case
from agent_core.checks.model import CheckResult, Verdict, unheard
from agent_core.checks.mypy import MypyCheck
from agent_core.checks.mypy_early import EarlyTypes
from agent_core.checks.runner import Slots, run_checks
from agent_core.checks.stamp import Furnished
from agent_core.diagnosis.listing import listing
from agent_core.draft import Draft
from agent_core.events import AnyEvent
from agent_core.protocols import Check, Workspace
from agent_core.workspace.tree import Changes, Snapshot

_REPORT_TOKENS = 3000


class Judge:
    """Checks drafts of one project.

    Args:
        workspace: The project.
        checks: Who judges.
        emit: Takes the checks' events.
        early: Also give early words about candidates, from a process that is kept for as long as the judge.
        alone: Makes what is held while trees are compared that somebody waits for: others leave the machine to it.
    """

    def __init__(
        self,
        workspace: Workspace,
        checks: Sequence[Check],
        emit: Callable[[AnyEvent], None],
        *,
        early: bool = False,
        alone: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        slots = Slots()
        self._alone = alone
        cache = Cache(workspace.state / "verdicts.sqlite") if isinstance(workspace, Furnished) else None
        self._cache = cache
        self._baseline = Baseline(workspace, checks, emit, slots=slots, cache=cache)
        self._retired: list[Baseline] = []
        # One list for good, so that whoever holds it has the checks of the day.
        self._checks = list(checks)
        # Of base trees nobody waits for an early word.
        self._early = EarlyTypes(workspace, slots.spare) if early else None
        self._bench = Bench(workspace, self._judges(checks), self._baseline, slots, emit, Memory())

    def _judges(self, checks: Sequence[Check]) -> tuple[Check, ...]:
        return tuple(replace(check, early=self._early) if isinstance(check, MypyCheck) else check for check in checks)

    @property
    def checks(self) -> Sequence[Check]:
        """Who judges: always those of the day."""
        return self._checks

    def renew(self, checks: Sequence[Check]) -> None:
        """Have other checks judge from now on; what those before have begun for somebody comes to its end.

        Args:
            checks: Who judges.
        """
        old = self._bench
        self._retired.append(self._baseline)
        known = self._baseline.retire()
        self._baseline = Baseline(old.workspace, checks, old.emit, slots=old.slots, cache=self._cache, known=known)
        self._bench = replace(old, checks=self._judges(checks), baseline=self._baseline)
        self._checks[:] = checks

    def warm(self, base: Snapshot) -> None:
        """Begin to judge the working tree in the background."""
        self._baseline.warm(base)

    async def known(self, base: Snapshot, *, wait: float) -> str:
        """What the checks say about the working tree, for the partner's first request.

        Args:
            base: The working tree.
            wait: Most seconds to wait for checks that are still running; those are left out.
        """
        try:
            async with asyncio.timeout(wait):
                results = await self._baseline.of(base)
        except TimeoutError:
            results = self._baseline.known(base.tree)
        return f"# What the checks say now\n\n{listing(results, _REPORT_TOKENS)}" if results else ""

    async def verdict(self, draft: Draft, task: str, on_verdict: Callable[[Verdict], None] = unheard) -> Verdict:
        """Check a draft and compare it with its base.

        Args:
            draft: The draft.
            task: What the human asked for; tests named in it are its target.
            on_verdict: Takes what can be said before the end, see `Verdict.complete`, whenever that is something else
                than before: first when syntax and lint are known, then with every stage and every check that ends.

        Returns:
            The complete verdict; one that is not complete when the base was changed meanwhile, and is good for nobody.

        Raises:
            SandboxError: The candidate could not be made.
        """
        return await self.compare(Trees(draft.base, draft.changes, moves=draft.moves), task, on_verdict)

    async def compare(
        self, trees: Trees, task: str | None = None, on_verdict: Callable[[Verdict], None] = unheard
    ) -> Verdict:
        """Compare any two trees that are made of the working tree; see `verdict`.

        Args:
            trees: The trees.
            task: What the human asked for; None for no targets.
            on_verdict: Takes what can be said before the end.

        Raises:
            SandboxError: A candidate could not be made.
        """
        async with self._alone():
            return await Case(self._bench, trees, task, on_verdict).run()

    async def quietly(self, trees: Trees) -> Verdict:
        """Compare two trees in the background; nobody is told how it gets on, and nothing is remembered of it.

        Args:
            trees: The trees.

        Raises:
            SandboxError: A candidate could not be made.
        """
        bench = replace(self._bench, emit=lambda _event: None, memory=Memory())
        return await Case(bench, trees, None, unheard).run()

    async def standing(
        self, base: Snapshot, paths: Sequence[str] = (), *, anew: bool, heard: Heard = unheard
    ) -> tuple[CheckResult, ...]:
        """What the checks say about the working tree, compared with nothing; it is kept for when it is a base.

        Args:
            base: The working tree.
            paths: The files that checks of changed files look at.
            anew: Nothing is taken over from an earlier session.
            heard: Takes each result as it comes, those known already at once; not where all is to be said anew.

        Raises:
            SandboxError: A candidate could not be made.
        """
        if anew:
            return await self._baseline.anew([check.name for check in self._bench.checks], base, paths)
        return await self._baseline.of(base, paths, heard=heard)

    async def standing_with(self, base: Snapshot, changes: Changes, heard: Heard = unheard) -> tuple[CheckResult, ...]:
        """What the checks say about the working tree with changes in it, compared with nothing and told to nobody else.

        Args:
            base: The working tree.
            changes: What is changed in it.
            heard: Takes each result as it comes.

        Raises:
            SandboxError: A candidate could not be made.
        """
        changed = Trees(base, changes).changed()
        candidate = await self._bench.workspace.candidate(base, changes, cache="candidate")
        try:
            checks = [bound_to(check, candidate, changed) for check in self._checks]
            return await run_checks(checks, candidate, "candidate", unheard, heard=heard, slots=self._bench.slots)
        finally:
            await candidate.close()

    async def report(self, draft: Draft) -> str:
        """What the checks say about a draft, for a partner that asks; about the working tree when it is empty."""
        if not draft.changes:
            return listing(await self._baseline.of(draft.base), _REPORT_TOKENS)
        verdict = await self.compare(Trees(draft.base, draft.changes, moves=draft.moves))
        return f"Your draft against the working tree: {verdict.summary}\n\n{listing(verdict.results, _REPORT_TOKENS)}"

    async def settled(self) -> str:
        """Wait until early words are given, if they are being got ready; why there are none, else empty."""
        if self._early is None:
            return "nobody asked for early words"
        return "" if await self._early.settled() else self._early.reason or "no check has taken long enough for one"

    async def close(self) -> None:
        """Stop everything that runs."""
        if self._early is not None:
            await self._early.close()
        for baseline in (*self._retired, self._baseline):
            await baseline.close()
