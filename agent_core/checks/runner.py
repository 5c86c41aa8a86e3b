"""Runs the checks side by side, the quick ones first, and says how they get on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from agent_core.checks.model import CheckResult, Where, Wish, unheard
from agent_core.checks.tool import result
from agent_core.errors import SandboxError, first_cause
from agent_core.events import AnyEvent, CheckFinished, CheckProgressed, CheckStaged, CheckStarted
from agent_core.protocols import Candidate, Check

_A = TypeVar("_A")
_B = TypeVar("_B")

QUICK = frozenset({"syntax", "ruff"})
"""Checks that answer at once if nothing else takes the processor from them."""

_PROGRESS_EVERY = 0.2
_HEAD_START = 0.2


class Slots:
    """Shares the processors out between what a human waits for, which never waits, and what can wait.

    Args:
        most: How many heavy checks run at a time before what can wait has to; by default one a processor, at least two.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most or max(2, os.cpu_count() or 2)
        self._running = 0
        self._freed = asyncio.Event()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Run at once, whatever else runs."""
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._freed.set()

    @contextlib.asynccontextmanager
    async def spare(self) -> AsyncIterator[None]:
        """Run as soon as a processor has nothing else to do."""
        while self._running >= self._most:
            self._freed.clear()
            await self._freed.wait()
        with self.taken():
            yield


def _nothing_special(_check: Check) -> Wish:
    return Wish()


async def run_checks(
    checks: Sequence[Check],
    candidate: Candidate,
    where: Where,
    emit: Callable[[AnyEvent], None],
    *,
    wish: Callable[[Check], Wish] = _nothing_special,
    heard: Callable[[CheckResult], None] = unheard,
    slots: Slots | None = None,
) -> tuple[CheckResult, ...]:
    """Judge a candidate by all checks at once; the quick ones get a short head start.

    Args:
        checks: The judges.
        candidate: The tree to judge.
        where: What the events say about which tree this is.
        emit: Takes `CheckStarted`, `CheckProgressed` (at most five a second for each check), `CheckStaged` and
            `CheckFinished`.
        wish: What is wanted of each check; asked when that check begins.
        heard: Takes every result as it comes: of a stage, an early one, the last one of each check.
        slots: Where the heavy ones are counted.

    Returns:
        One result a check, in the order of `checks`. When the caller is cancelled, all of them are ended first.
    """
    slots = slots or Slots()
    quick: list[asyncio.Task[CheckResult]] = []

    async def one(check: Check) -> CheckResult:
        wanted = wish(check)

        def partial(so_far: CheckResult) -> None:
            wanted.partial(so_far)
            heard(so_far)

        said = await run_check(check, candidate, where, emit, msgspec.structs.replace(wanted, partial=partial))
        heard(said)
        return said

    async def heavy(check: Check) -> CheckResult:
        if quick:
            await asyncio.wait(quick, timeout=_HEAD_START)
        with slots.taken():
            return await one(check)

    async with asyncio.TaskGroup() as group:
        quick += [group.create_task(one(check)) for check in checks if check.name in QUICK]
        others = [group.create_task(heavy(check)) for check in checks if check.name not in QUICK]
    first, last = iter(quick), iter(others)
    return tuple(next(first if check.name in QUICK else last).result() for check in checks)


async def side_by_side(one: Coroutine[Any, Any, _A], other: Coroutine[Any, Any, _B]) -> tuple[_A, _B]:
    """Do two things at a time; when one of them fails the other is ended, and the failure is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(one), group.create_task(other)
    except BaseExceptionGroup as errors:
        raise first_cause(errors) from errors
    return first.result(), second.result()


async def run_check(
    check: Check,
    candidate: Candidate,
    where: Where,
    emit: Callable[[AnyEvent], None],
    wish: Wish | None = None,
) -> CheckResult:
    """Judge a candidate by one check; see `run_checks`.

    Returns:
        The result, about this candidate's tree: what a check says of another one is an error of the check.
    """
    wish = wish or Wish()
    emit(CheckStarted(check.name, where, candidate.tree))
    start = time.monotonic()
    told = -_PROGRESS_EVERY

    def progress(done: int, total: int) -> None:
        nonlocal told
        wish.progress(done, total)
        now = time.monotonic()
        if now - told >= _PROGRESS_EVERY:
            told = now
            emit(CheckProgressed(check.name, where, done, total))

    def partial(so_far: CheckResult) -> None:
        if so_far.tree != candidate.tree:
            return
        emit(CheckStaged(where, _told(so_far, time.monotonic() - start)))
        wish.partial(so_far)

    try:
        said = await check.run(candidate, msgspec.structs.replace(wish, progress=progress, partial=partial))
    except SandboxError as error:
        said = result(check.name, candidate, "error", str(error))
    except OSError as error:
        said = result(check.name, candidate, "error", f"{check.name} could not run: {error}")
    if said.tree != candidate.tree:
        said = result(check.name, candidate, "error", f"{check.name} judged another tree than it was asked about")
    seconds = time.monotonic() - start
    emit(CheckFinished(where, _told(said, seconds)))
    return msgspec.structs.replace(said, seconds=seconds)


def _told(said: CheckResult, seconds: float) -> CheckResult:
    """A result as events tell it: with all of the time one waited for it, and without what would fill a journal."""
    return msgspec.structs.replace(said, seconds=seconds, passed=())
