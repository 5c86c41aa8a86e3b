"""What the checks say of a tree, each as soon as it has spoken: nobody waits for one that is not needed yet."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from types import TracebackType
from typing import Self

from agent_core.checks.base_tree import Heard
from agent_core.checks.model import CheckResult

Ask = Callable[[Heard], Awaitable[tuple[CheckResult, ...]]]
"""Asks all checks; each result may be told before the last one is there."""


class Standing:
    """What the checks say of one tree. They are asked from its beginning to its end, as a context manager.

    Args:
        ask: Asks them.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._said: dict[str, CheckResult] = {}
        self._news = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._asking = asyncio.create_task(self._asked())
        self._asking.add_done_callback(lambda _: self._turned())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    @property
    def results(self) -> tuple[CheckResult, ...]:
        """What has been said so far."""
        return tuple(self._said.values())

    @property
    def whole(self) -> bool:
        """Whether all have spoken."""
        asking = self._asking
        return asking is not None and asking.done() and not asking.cancelled() and asking.exception() is None

    def of(self, check: str) -> CheckResult | None:
        """What one check says; None where it has not spoken."""
        return self._said.get(check)

    async def wait(self, checks: Collection[str] | None = None) -> bool:
        """Wait until some checks have spoken: always True.

        Args:
            checks: Their names; those that nobody asks are not waited for longer than all others. None for all.

        Raises:
            SandboxError: They could not be asked.
        """
        assert self._asking is not None
        while not self._asking.done() and (checks is None or not set(checks) <= self._said.keys()):
            await self._news.wait()
        if self._asking.done():
            self._asking.result()
        return True

    async def _asked(self) -> None:
        results = await self._ask(self._hear)
        # In the order of the checks.
        self._said = {one.check: one for one in results}

    def _hear(self, said: CheckResult) -> None:
        if said.stage == "all" and not said.early:
            self._said[said.check] = said
            self._turned()

    def _turned(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
