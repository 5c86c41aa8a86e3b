"""What the checks say about the tree a proposal stands on: found out once for each tree, ahead of time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

from agent_core.checks.model import CheckResult
from agent_core.checks.runner import run_check
from agent_core.errors import SandboxError
from agent_core.events import AnyEvent
from agent_core.protocols import Candidate, Check, Workspace
from agent_core.workspace.tree import Snapshot

_TREES_KEPT = 8


@runtime_checkable
class PathBound(Protocol):
    """A check that looks at the changed files only, so that on the baseline it must be told which ones."""

    def bound(self, candidate: Candidate, paths: Sequence[str]) -> Check:
        """The same check over those of `paths` that this candidate has; equal for equal work."""


class _Tree:
    """One base tree: its candidate while something runs there, and what is known of it."""

    def __init__(self, base: Snapshot) -> None:
        self.base = base
        self.waiters = 0
        self.users = 0
        self.candidate: asyncio.Task[Candidate] | None = None
        self.results: dict[Check, asyncio.Task[CheckResult]] = {}
        self.batches: dict[tuple[str, ...], asyncio.Task[tuple[CheckResult, ...]]] = {}

    @property
    def busy(self) -> bool:
        return any(not task.done() for task in (*self.batches.values(), *self.results.values()))

    def cancel(self) -> list[asyncio.Task[object]]:
        """Stop what runs; gives what is to be waited for."""
        tasks: list[asyncio.Task[object]] = [*self.batches.values(), *self.results.values()]
        running = [task for task in tasks if not task.done()]
        for task in running:
            task.cancel()
        return running


class Baseline:
    """Judges base trees, each at most once; what is asked for at the same time shares one run.

    Checks have to be hashable, equal ones doing equal work.

    Args:
        workspace: Where candidates are made.
        checks: The judges.
        emit: Takes the checks' events.
    """

    def __init__(self, workspace: Workspace, checks: Sequence[Check], emit: Callable[[AnyEvent], None]) -> None:
        self._workspace = workspace
        self._checks = tuple(checks)
        self._emit = emit
        self._trees: dict[str, _Tree] = {}
        # Tools' caches of the baseline are one set: the same tool must not write to its own twice at a time.
        self._turns = {check.name: asyncio.Lock() for check in checks}
        self._closed = False

    def warm(self, base: Snapshot) -> None:
        """Begin to judge a tree in the background; gives up other trees that nobody waits for."""
        tree = self._tree(base)
        self._batch(tree, ())

    def known(self, base: Snapshot) -> tuple[CheckResult, ...]:
        """What is already known of a tree, without waiting."""
        tree = self._trees.get(base.tree)
        if tree is None:
            return ()
        done = [task for task in tree.results.values() if task.done() and not task.cancelled() and not task.exception()]
        latest = {task.result().check: task.result() for task in done}
        return tuple(latest[check.name] for check in self._checks if check.name in latest)

    async def of(self, base: Snapshot, paths: Iterable[str] = ()) -> tuple[CheckResult, ...]:
        """What all checks say about a tree, in the order of the checks.

        Args:
            base: The tree.
            paths: What a proposal changes: the files that checks of changed files look at.

        Raises:
            SandboxError: The tree could not be put up.
        """
        tree = self._tree(base)
        tree.waiters += 1
        try:
            # Shielded: when this caller goes away the run goes on, for others or for the next time.
            return await asyncio.shield(self._batch(tree, tuple(sorted(set(paths)))))
        finally:
            tree.waiters -= 1

    async def close(self) -> None:
        """Stop everything that runs and remove what is on disk."""
        self._closed = True
        running = [task for tree in self._trees.values() for task in tree.cancel()]
        await asyncio.gather(*running, return_exceptions=True)
        self._trees.clear()

    def _tree(self, base: Snapshot) -> _Tree:
        if self._closed:
            raise SandboxError("The baseline is closed.")
        # The newest stands last.
        tree = self._trees.pop(base.tree, None) or _Tree(base)
        self._trees[base.tree] = tree
        for name, other in list(self._trees.items()):
            if other is tree or other.waiters:
                continue
            other.cancel()
            if not other.busy and len(self._trees) > _TREES_KEPT:
                del self._trees[name]
        return tree

    def _batch(self, tree: _Tree, paths: tuple[str, ...]) -> asyncio.Task[tuple[CheckResult, ...]]:
        task = tree.batches.get(paths)
        if task is None or _failed(task):
            task = tree.batches[paths] = asyncio.create_task(self._judge(tree, paths))
            # A failure is told to whoever asks; nobody asks for one that was only warmed.
            task.add_done_callback(_failed)
        return task

    async def _judge(self, tree: _Tree, paths: tuple[str, ...]) -> tuple[CheckResult, ...]:
        async with self._borrow(tree) as candidate:
            tasks = []
            for check in self._checks:
                bound = check.bound(candidate, paths) if isinstance(check, PathBound) else check
                task = tree.results.get(bound)
                if task is None or _failed(task):
                    task = tree.results[bound] = asyncio.create_task(self._run(tree, bound))
                tasks.append(task)
            # The tasks belong to the tree: another batch may wait for them too.
            results = tuple(await asyncio.gather(*(asyncio.shield(task) for task in tasks)))
        if (await self._workspace.snapshot()).tree != tree.base.tree:
            # A human edit came in between: what was judged is a mixture, good for nobody who asks later.
            tree.batches.pop(paths, None)
            tree.results = {check: task for check, task in tree.results.items() if not task.done()}
        return results

    async def _run(self, tree: _Tree, check: Check) -> CheckResult:
        async with self._borrow(tree) as candidate, self._turns[check.name]:
            return await run_check(check, candidate, "baseline", self._emit)

    @contextlib.asynccontextmanager
    async def _borrow(self, tree: _Tree) -> AsyncIterator[Candidate]:
        """The tree's candidate; the last one to give it back closes it."""
        tree.users += 1
        try:
            if tree.candidate is None:
                tree.candidate = asyncio.create_task(self._workspace.candidate(tree.base, {}, cache="baseline"))
            yield await asyncio.shield(tree.candidate)
        finally:
            tree.users -= 1
            if not tree.users and tree.candidate is not None:
                task, tree.candidate = tree.candidate, None
                await _discard(task)


async def _discard(task: asyncio.Task[Candidate]) -> None:
    """Close a candidate, also one that is still being made."""
    try:
        candidate = await task
    except SandboxError:
        return
    await candidate.close()


def _failed(task: asyncio.Task[tuple[CheckResult, ...]] | asyncio.Task[CheckResult]) -> bool:
    """Whether a task ended without a result; looks at its exception, so that asyncio does not complain."""
    return task.done() and (task.cancelled() or task.exception() is not None)
