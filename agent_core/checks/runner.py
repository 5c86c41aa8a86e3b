"""Runs the checks side by side, and says how they get on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec

from agent_core.checks.model import CheckResult, Where, Wish
from agent_core.checks.tool import result
from agent_core.errors import SandboxError
from agent_core.events import AnyEvent, CheckFinished, CheckProgressed, CheckStaged, CheckStarted
from agent_core.protocols import Candidate, Check

_PROGRESS_EVERY = 0.2


async def run_checks(
    checks: Sequence[Check], candidate: Candidate, where: Where, emit: Callable[[AnyEvent], None]
) -> tuple[CheckResult, ...]:
    """Judge a candidate by all checks at once.

    Args:
        checks: The judges.
        candidate: The tree to judge.
        where: What the events say about which tree this is.
        emit: Takes `CheckStarted`, `CheckProgressed` (at most five a second for each check) and `CheckFinished`.

    Returns:
        One result a check, in the order of `checks`. When the caller is cancelled, all of them are ended first.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run_check(check, candidate, where, emit)) for check in checks]
    return tuple(task.result() for task in tasks)


async def run_check(check: Check, candidate: Candidate, where: Where, emit: Callable[[AnyEvent], None]) -> CheckResult:
    """Judge a candidate by one check; see `run_checks`."""
    emit(CheckStarted(check.name, where, candidate.tree))
    start = time.monotonic()
    told = -_PROGRESS_EVERY

    def progress(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= _PROGRESS_EVERY:
            told = now
            emit(CheckProgressed(check.name, where, done, total))

    def partial(so_far: CheckResult) -> None:
        emit(CheckStaged(where, _told(so_far, time.monotonic() - start)))

    try:
        said = await check.run(candidate, Wish(progress, partial))
    except SandboxError as error:
        said = result(check.name, candidate, "error", str(error))
    except OSError as error:
        said = result(check.name, candidate, "error", f"{check.name} could not run: {error}")
    seconds = time.monotonic() - start
    emit(CheckFinished(where, _told(said, seconds)))
    return msgspec.structs.replace(said, seconds=seconds)


def _told(said: CheckResult, seconds: float) -> CheckResult:
    """A result as events tell it: with all of the time one waited for it, and without what would fill a journal."""
    return msgspec.structs.replace(said, seconds=seconds, passed=())
