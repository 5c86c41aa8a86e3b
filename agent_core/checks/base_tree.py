"""A base tree while it is judged: what runs on it, who hears of it, and what is known."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from agent_core.checks.model import CheckResult
from agent_core.protocols import Candidate, Check
from agent_core.workspace.tree import Changes, Snapshot

Heard = Callable[[CheckResult], None]

BASE_CACHE = "baseline"
"""The name of base trees' folder for tools' caches."""


class Batch:
    """All checks of one tree about the same changed paths, and who hears of each as it ends."""

    def __init__(self) -> None:
        self.task: asyncio.Task[tuple[CheckResult, ...]] | None = None
        self._told: list[CheckResult] = []
        self._hearers: list[Heard] = []

    def tell(self, said: CheckResult) -> None:
        """Let it be heard."""
        self._told.append(said)
        for heard in self._hearers:
            heard(said)

    @contextlib.contextmanager
    def listening(self, heard: Heard) -> Iterator[None]:
        """Hear what is known already, and then what comes."""
        for said in self._told:
            heard(said)
        self._hearers.append(heard)
        try:
            yield
        finally:
            self._hearers.remove(heard)


class BaseTree:
    """One base tree: its candidate while something runs there, and what is known of it."""

    def __init__(self, base: Snapshot, changes: Changes, tree: str) -> None:
        self.base = base
        self.changes = changes
        self.tree = tree
        self.waiters = 0
        self.users = 0
        self.candidate: asyncio.Task[Candidate] | None = None
        self.results: dict[Check, asyncio.Task[CheckResult]] = {}
        # Those of the results that were begun and ended while the working tree was the one they were made of.
        self.sure: set[asyncio.Task[CheckResult]] = set()
        # How often files had been touched when they were begun, see `Workspace.touched`.
        self.begun: dict[asyncio.Task[CheckResult], int] = {}
        self.batches: dict[tuple[str, ...], Batch] = {}
        # Checks whose word from an earlier session is not good enough any more.
        self.afresh: set[str] = set()
        self.stamp: asyncio.Task[str] | None = None

    @property
    def _tasks(self) -> list[asyncio.Task[object]]:
        batches = [batch.task for batch in self.batches.values() if batch.task is not None]
        return [*batches, *self.results.values()]

    @property
    def busy(self) -> bool:
        """Whether anything runs there."""
        return any(not task.done() for task in self._tasks)

    @property
    def in_use(self) -> bool:
        """Whether a candidate of it is up, or something is to be said by one that was."""
        return bool(self.users) or self.busy

    def over(self, base: Snapshot, changes: Changes) -> BaseTree:
        """The same tree, made of another working tree, with what is known of it for sure."""
        other = BaseTree(base, changes, self.tree)
        other.results = {check: task for check, task in self.results.items() if task in self.sure}
        other.sure = set(other.results.values())
        other.afresh = set(self.afresh)
        return other

    def cancel(self) -> list[asyncio.Task[object]]:
        """Stop what runs; gives what is to be waited for."""
        running = [task for task in self._tasks if not task.done()]
        for task in running:
            # A second time would cut short what it does to end its processes.
            if not task.cancelling():
                task.cancel()
        return running


@dataclass(frozen=True)
class Known:
    """What is known of base trees when other checks begin to judge.

    Attributes:
        trees: The trees by their hashes, with what is known for sure.
        turns: For each check, who may write to its tools' caches.
        stamp: The environment's stamp when a tree was last begun.
        quick: Its quick one.
        distrusted: Checks of which nothing is kept.
    """

    trees: Mapping[str, BaseTree]
    turns: Mapping[str, asyncio.Lock]
    stamp: str
    quick: str
    distrusted: set[str]
