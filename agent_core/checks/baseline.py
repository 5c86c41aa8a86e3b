"""What the checks say about the tree a proposal stands on: found out once for each tree, ahead of time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from agent_core.checks.base_tree import BASE_CACHE, BaseTree, Batch, Heard, Known
from agent_core.checks.cache import Cache
from agent_core.checks.model import CheckResult, Wish, unheard
from agent_core.checks.runner import QUICK, Slots, run_check
from agent_core.checks.stamp import environment_stamp, quick_stamp
from agent_core.errors import SandboxError
from agent_core.events import AnyEvent, CheckFinished, CheckStarted
from agent_core.protocols import Candidate, Check, Workspace
from agent_core.workspace.tree import Changes, Snapshot, with_changes

_TREES_KEPT = 8
_TRIES = 3


@runtime_checkable
class PathBound(Protocol):
    """A check that looks at the changed files only, so that on the baseline it must be told which ones."""

    def bound(self, candidate: Candidate, paths: Sequence[str]) -> Check:
        """The same check over those of `paths` that this candidate has; equal for equal work."""


def bound_to(check: Check, candidate: Candidate, paths: Sequence[str]) -> Check:
    """A check as it looks at a candidate when these paths differ between the two trees."""
    return check.bound(candidate, paths) if isinstance(check, PathBound) else check


class Baseline:
    """Judges base trees, each at most once; what is asked for at the same time shares one run.

    Checks have to be hashable, equal ones doing equal work.

    Args:
        workspace: Where candidates are made.
        checks: The judges.
        emit: Takes the checks' events.
        slots: Where its heavy checks wait until a processor is spare; what runs on candidates goes before.
        cache: What was judged in earlier sessions.
        known: What one knew that this takes the place of, as other checks judge now.
    """

    def __init__(
        self,
        workspace: Workspace,
        checks: Sequence[Check],
        emit: Callable[[AnyEvent], None],
        *,
        slots: Slots | None = None,
        cache: Cache | None = None,
        known: Known | None = None,
    ) -> None:
        self._workspace = workspace
        self._checks = tuple(checks)
        self._emit = emit
        self._slots = slots or Slots()
        self._cache = cache
        self._stamp = ""
        self._quick = ""
        self._distrusted: set[str] = set()
        self._trees: dict[str, BaseTree] = {}
        self._superseded: list[BaseTree] = []
        self._ending: set[asyncio.Task[object]] = set()
        self._keeping: set[asyncio.Task[None]] = set()
        # Tools' caches of the baseline are one set: the same tool must not write to its own twice at a time.
        self._turns = {check.name: asyncio.Lock() for check in checks}
        self._closed = False
        if known is not None:
            self._trees |= known.trees
            self._turns |= known.turns
            self._stamp, self._quick, self._distrusted = known.stamp, known.quick, known.distrusted

    @property
    def stamp(self) -> str:
        """The environment's stamp when a tree was last begun; see `agent_core.checks.stamp`."""
        return self._stamp

    def warm(self, base: Snapshot) -> None:
        """Begin to judge a tree in the background; gives up other trees that nobody waits for."""
        self._batch(self._tree(base, {}), ())

    def known(self, tree: str) -> tuple[CheckResult, ...]:
        """What is already known of a tree, without waiting.

        Args:
            tree: Its hash.
        """
        found = self._trees.get(tree)
        if found is None:
            return ()
        results = found.results.values()
        done = [task for task in results if task.done() and not task.cancelled() and not task.exception()]
        latest = {task.result().check: task.result() for task in done}
        return tuple(latest[check.name] for check in self._checks if check.name in latest)

    async def of(
        self, base: Snapshot, paths: Iterable[str] = (), *, changes: Changes | None = None, heard: Heard = unheard
    ) -> tuple[CheckResult, ...]:
        """What all checks say about a tree, in the order of the checks.

        Args:
            base: The working tree.
            paths: What differs in the candidate: the files that checks of changed files look at.
            changes: What makes the tree of the working tree; nothing where it is that itself.
            heard: Takes each result as it comes; those known already at once.

        Raises:
            SandboxError: The tree could not be put up.
        """
        tree = self._tree(base, changes or {})
        tree.waiters += 1
        try:
            batch = self._batch(tree, tuple(sorted(set(paths))))
            assert batch.task is not None
            with batch.listening(heard):
                # Shielded: when this caller goes away the run goes on, for others or for the next time.
                return await asyncio.shield(batch.task)
        finally:
            tree.waiters -= 1

    async def again(
        self, check: Check, base: Snapshot, wish: Wish, *, changes: Changes | None = None, paths: Sequence[str] = ()
    ) -> CheckResult:
        """Run one check on a tree once more, whatever is known; nobody is told of it, and nothing is kept.

        Args:
            check: The check.
            base: The working tree.
            wish: What is wanted of the run.
            changes: What makes the tree of the working tree.
            paths: What differs in the candidate.

        Raises:
            SandboxError: The tree could not be put up.
        """
        tree = self._tree(base, changes or {})
        tree.waiters += 1
        try:
            async with self._borrow(tree) as candidate, self._turns[check.name]:
                return await run_check(bound_to(check, candidate, paths), candidate, "baseline", unheard, wish)
        finally:
            tree.waiters -= 1

    async def anew(
        self, names: Collection[str], base: Snapshot, paths: Iterable[str] = (), *, changes: Changes | None = None
    ) -> tuple[CheckResult, ...]:
        """What `of` gives, with those of some checks that were found in the cache judged now instead."""
        tree = self._tree(base, changes or {})
        tree.afresh.update(names)
        for check, task in list(tree.results.items()):
            if check.name in names and task.done() and (_failed(task) or task.result().cached):
                del tree.results[check]
        for bound, batch in list(tree.batches.items()):
            if batch.task is None or batch.task.done():
                del tree.batches[bound]
        return await self.of(base, paths, changes=changes)

    def put(self, check: Check, said: CheckResult) -> None:
        """Put a better judgement of a tree in the place of the one that is known."""
        tree = self._trees.get(said.tree)
        if tree is not None:
            tree.results[check] = asyncio.create_task(_at_once(said))
            tree.sure.add(tree.results[check])
            for paths, batch in list(tree.batches.items()):
                if batch.task is None or batch.task.done():
                    del tree.batches[paths]

    async def forget(self, check: Check, tree: str) -> None:
        """Drop what an earlier session, or this one for the next, may find: it turned out to depend on luck."""
        await asyncio.gather(*self._keeping)
        if self._cache is not None and self.stamp:
            await asyncio.to_thread(self._cache.forget, check, tree, self.stamp)

    def distrust(self, name: str) -> None:
        """Keep nothing more of what a check says in this session: it comes to other results from time to time."""
        self._distrusted.add(name)

    def keep(self, said: Mapping[Check, CheckResult]) -> None:
        """Keep judgements for when their tree is the base; nobody has to wait for it."""
        if self._cache is None or not self.stamp or self._closed:
            return
        cache, stamp = self._cache, self.stamp

        worth = {check: one for check, one in said.items() if check.name not in self._distrusted}

        def work() -> None:
            for check, one in worth.items():
                cache.keep(check, one, stamp)

        task = asyncio.create_task(asyncio.to_thread(work))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    def retire(self) -> Known:
        """Stop what nobody waits for, and give what is known to the one that takes the place."""
        for tree in (*self._trees.values(), *self._superseded):
            if not tree.waiters:
                tree.cancel()
        trees = {name: tree.over(tree.base, tree.changes) for name, tree in self._trees.items()}
        return Known(trees, self._turns, self._stamp, self._quick, self._distrusted)

    async def close(self) -> None:
        """Stop everything that runs and remove what is on disk."""
        self._closed = True
        running = {task for tree in (*self._trees.values(), *self._superseded) for task in tree.cancel()}
        await asyncio.gather(*running, *self._ending, *self._keeping, return_exceptions=True)
        self._trees.clear()

    def _tree(self, base: Snapshot, changes: Changes) -> BaseTree:
        if self._closed:
            raise SandboxError("The baseline is closed.")
        quick = quick_stamp(self._workspace)
        if quick != self._quick:
            # Another package is another answer: what is known was said in another environment.
            self._quick = quick
            for known, other in list(self._trees.items()):
                if not other.waiters:
                    self._ending |= set(other.cancel())
                    del self._trees[known]
        name = with_changes(base, changes).tree if changes else base.tree
        # The newest stands last.
        tree = self._trees.pop(name, None) or BaseTree(base, changes, name)
        if tree.base.tree != base.tree:
            # The same tree, of another working tree. What still runs on it is made of the one that is no more: it says
            # nothing of this one, whoever waits for it.
            if tree.in_use:
                self._superseded.append(tree)
            tree = tree.over(base, changes)
        self._trees[name] = tree
        self._superseded = [other for other in self._superseded if other.in_use]
        for other in self._superseded:
            if not other.waiters:
                other.cancel()
        for known, other in list(self._trees.items()):
            if other is tree or other.waiters:
                continue
            other.cancel()
            if not other.busy and len(self._trees) > _TREES_KEPT:
                del self._trees[known]
        return tree

    def _batch(self, tree: BaseTree, paths: tuple[str, ...]) -> Batch:
        batch = tree.batches.get(paths)
        if batch is None or batch.task is None or _failed(batch.task):
            batch = tree.batches[paths] = Batch()
            batch.task = asyncio.create_task(self._judge(tree, paths, batch))
            # A failure is told to whoever asks; nobody asks for one that was only warmed.
            batch.task.add_done_callback(_failed)
        return batch

    async def _judge(self, tree: BaseTree, paths: tuple[str, ...], batch: Batch) -> tuple[CheckResult, ...]:
        for _ in range(_TRIES - 1):
            results, told = await self._judged_once(tree, paths, batch)
            if told:
                return results
        results, told = await self._judged_once(tree, paths, batch)
        if not told:
            # Something saves files all the time. What is said of them then is not kept for anybody else.
            tree.batches.pop(paths, None)
        return results

    async def _judged_once(
        self, tree: BaseTree, paths: tuple[str, ...], batch: Batch
    ) -> tuple[tuple[CheckResult, ...], bool]:
        """What all checks say, and whether that is to be told: not where a file was saved and put back meanwhile."""
        begun: list[Check] = []
        async with self._borrow(tree) as candidate:
            tasks = []
            for check in self._checks:
                bound = bound_to(check, candidate, paths)
                task = tree.results.get(bound)
                if task is None or _failed(task):
                    begun.append(bound)
                    task = tree.results[bound] = asyncio.create_task(self._run(tree, bound))
                    tree.begun[task] = self._workspace.touched
                tasks.append(task)
            # The tasks belong to the tree: another batch may wait for them too.
            results = tuple(await asyncio.gather(*(self._heard(batch, task) for task in tasks)))
        if (await self._workspace.snapshot()).tree != tree.base.tree:
            # A human edit came in between: what was judged is a mixture, good for nobody who asks later.
            tree.batches.pop(paths, None)
            tree.results = {check: task for check, task in tree.results.items() if not task.done()}
            return results, True
        touched = self._workspace.touched
        mixed = {task for task in tasks if task not in tree.sure and tree.begun.get(task) != touched}
        if mixed:
            tree.results = {check: task for check, task in tree.results.items() if task not in mixed}
        else:
            done = {check: tree.results[check] for check in begun if check in tree.results}
            tree.sure.update(done.values())
            self.keep({check: task.result() for check, task in done.items() if task.done() and not _failed(task)})
        tree.begun = {task: count for task, count in tree.begun.items() if task in tree.results.values()}
        return results, not mixed

    async def _heard(self, batch: Batch, task: asyncio.Task[CheckResult]) -> CheckResult:
        said = await asyncio.shield(task)
        batch.tell(said)
        return said

    async def _run(self, tree: BaseTree, check: Check) -> CheckResult:
        said = await self._found(tree, check)
        if said is not None:
            self._emit(CheckStarted(check.name, "baseline", tree.tree))
            self._emit(CheckFinished("baseline", msgspec.structs.replace(said, passed=())))
            return said
        async with self._borrow(tree) as candidate, self._turns[check.name]:
            if check.name in QUICK:
                return await run_check(check, candidate, "baseline", self._emit)
            async with self._slots.spare():
                return await run_check(check, candidate, "baseline", self._emit)

    async def _found(self, tree: BaseTree, check: Check) -> CheckResult | None:
        """What an earlier session found out; None when it has to be found out now."""
        if self._cache is None:
            return None
        if tree.stamp is None:
            tree.stamp = asyncio.create_task(asyncio.to_thread(environment_stamp, self._workspace))
        # Quick checks are quicker than the look at the environment.
        if check.name in QUICK or check.name in tree.afresh:
            return None
        self._stamp = await asyncio.shield(tree.stamp)
        return await asyncio.to_thread(self._cache.find, check, tree.tree, self._stamp)

    @contextlib.asynccontextmanager
    async def _borrow(self, tree: BaseTree) -> AsyncIterator[Candidate]:
        """The tree's candidate; the last one to give it back closes it."""
        tree.users += 1
        try:
            if tree.candidate is None:
                tree.candidate = asyncio.create_task(
                    self._workspace.candidate(tree.base, tree.changes, cache=BASE_CACHE)
                )
            yield await asyncio.shield(tree.candidate)
        finally:
            tree.users -= 1
            if not tree.users and tree.candidate is not None:
                task, tree.candidate = tree.candidate, None
                await _discard(task)


async def _at_once(said: CheckResult) -> CheckResult:
    return said


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
