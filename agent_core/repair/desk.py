"""Repairs of a project, for whoever wants some: the built-in partner, a find beside a model, the command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

from agent_core.checks.model import CheckResult
from agent_core.repair.model import Found, Progress, Wanted


class Files(Protocol):
    """Files by their paths."""

    def paths(self) -> Collection[str]:
        """All that are not ignored."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, None where it is not there."""


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


class Service(Repairs, Protocol):
    """Finds repairs within a session, and knows its project."""

    @property
    def files(self) -> Files:
        """The project's files with the partner's draft in them, as they are now."""

    def original(self, path: str) -> bytes | None:
        """The bytes of a file of the working tree, without the draft; None where it is not there."""

    async def standing(self) -> tuple[CheckResult, ...]:
        """What the checks say of the project with the partner's draft in it.

        Raises:
            SandboxError: A candidate could not be made.
        """


class Desk:
    """Where repairs are asked for, before there is anybody who finds them: partners are made before sessions."""

    def __init__(self) -> None:
        self._repairs: Service | None = None

    def open(self, repairs: Service) -> None:
        """Have somebody find them from now on."""
        self._repairs = repairs

    @property
    def repairs(self) -> Service | None:
        """Who finds them; None outside of a session."""
        return self._repairs
