"""Repairs of a project, for whoever wants some: the built-in partner, a find beside a model, the command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from agent_core.repair.model import Found, Progress, Wanted


class Repairs(Protocol):
    """Finds repairs of a project."""

    async def find(self, wanted: Wanted, tell: Callable[[Progress], None], enough: asyncio.Event) -> Found:
        """Look for repairs of the project with the partner's draft in it.

        Args:
            wanted: What is to be repaired.
            tell: Told how it gets on, a few times a second.
            enough: Set from outside to have it end soon, with the best so far. Cancelling ends it with nothing.

        Raises:
            SandboxError: A candidate could not be made.
        """


class Desk:
    """Where repairs are asked for, before there is anybody who finds them: partners are made before sessions."""

    def __init__(self) -> None:
        self._repairs: Repairs | None = None

    def open(self, repairs: Repairs) -> None:
        """Have somebody find them from now on."""
        self._repairs = repairs

    async def find(self, wanted: Wanted, tell: Callable[[Progress], None], enough: asyncio.Event) -> Found:
        """See `Repairs`; nothing is found while nobody is there."""
        if self._repairs is None:
            return Found(word="Repairs are looked for within a session only.")
        return await self._repairs.find(wanted, tell, enough)
