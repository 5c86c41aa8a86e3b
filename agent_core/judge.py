"""Judging drafts: candidate against baseline, for the loop and for the partner's own questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from agent_core.checks.baseline import Baseline
from agent_core.checks.model import CheckResult, Verdict
from agent_core.checks.runner import run_checks
from agent_core.checks.targets import find_targets
from agent_core.checks.verdict import judge
from agent_core.diagnosis.listing import listing
from agent_core.draft import Draft
from agent_core.errors import first_cause
from agent_core.events import AnyEvent
from agent_core.protocols import Check, Workspace
from agent_core.view import DraftView
from agent_core.workspace.tree import Snapshot

_REPORT_TOKENS = 3000


class Judge:
    """Checks drafts of one project.

    Args:
        workspace: The project.
        checks: Who judges.
        emit: Takes the checks' events.
    """

    def __init__(self, workspace: Workspace, checks: Sequence[Check], emit: Callable[[AnyEvent], None]) -> None:
        self._workspace = workspace
        self._checks = tuple(checks)
        self._emit = emit
        self._baseline = Baseline(workspace, checks, emit)

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
            results = self._baseline.known(base)
        return f"# What the checks say now\n\n{listing(results, _REPORT_TOKENS)}" if results else ""

    async def verdict(self, draft: Draft, task: str) -> Verdict:
        """Check a draft and compare it with its base.

        Args:
            draft: The draft.
            task: What the human asked for; tests named in it are its target.

        Raises:
            SandboxError: The candidate could not be made.
        """
        results, base = await self._both(draft)
        view = DraftView(self._workspace, draft)
        # It reads and parses what the failing tests import.
        targets = await asyncio.to_thread(find_targets, task, base, tuple(draft.changes), view.paths(), view.read)
        return judge(base, results, targets)

    async def report(self, draft: Draft) -> str:
        """What the checks say about a draft, for a partner that asks; about the working tree when it is empty."""
        if not draft.changes:
            results = await self._baseline.of(draft.base)
            return listing(results, _REPORT_TOKENS)
        results, base = await self._both(draft)
        verdict = judge(base, results)
        return f"Your draft against the working tree: {verdict.summary}\n\n{listing(results, _REPORT_TOKENS)}"

    async def close(self) -> None:
        """Stop everything that runs."""
        await self._baseline.close()

    async def _both(self, draft: Draft) -> tuple[tuple[CheckResult, ...], tuple[CheckResult, ...]]:
        """What all checks say about a draft and about its base."""
        candidate = await self._workspace.candidate(draft.base, draft.changes, cache="candidate")
        try:
            async with asyncio.TaskGroup() as group:
                base = group.create_task(self._baseline.of(draft.base, candidate.changed))
                results = group.create_task(run_checks(self._checks, candidate, "candidate", self._emit))
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from errors
        finally:
            await candidate.close()
        return results.result(), base.result()
