"""What the checks that read the code have against a change with which the tests pass."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent_core.protocols import Check, Workspace
from agent_core.repair import words
from agent_core.repair.clock import Clock
from agent_core.repair.hearing import unless_enough
from agent_core.repair.model import Variant
from agent_core.repair.standing import Standing
from agent_core.workspace.tree import Changes, Snapshot

if TYPE_CHECKING:
    from agent_core.repair.beyond.judging import Judges

_READING = frozenset({"ruff", "mypy"})
_QUICK = 15.0


class Objecting:
    """Asks those checks; those that take long are not asked.

    Args:
        workspace: The project.
        checks: Who judges.
        base: The working tree.
        changes: What makes the tree of it that is searched in.
        standing: What the checks say of that tree.
        enough: Set when somebody has had enough.
        clock: The search's.
    """

    def __init__(
        self,
        workspace: Workspace,
        checks: Sequence[Check],
        base: Snapshot,
        changes: Changes,
        *,
        standing: Standing,
        enough: asyncio.Event,
        clock: Clock,
    ) -> None:
        self._workspace = workspace
        self._checks = checks
        self._base = base
        self._changes = changes
        self._standing = standing
        self._enough = enough
        self._clock = clock
        self._reading = _READING & {one.name for one in checks}
        self._judges: Judges | None = None

    async def __call__(self, variant: Variant) -> str:
        """The first that they newly find with a variant, in words; empty where that is nothing."""
        if self._judges is None:
            # What they say without it has to be known; it is not waited for long.
            left = _QUICK - self._clock.spent
            await unless_enough(self._standing.wait(self._reading), self._enough, left)
            self._judges = self._made()
        judges = self._judges
        names = {one for one in self._reading & judges.able if judges.seconds(one) <= _QUICK}
        judged = await judges.judge(judges.changed(variant.edits), names) if names else None
        return words.objection(judged.broken[0]) if judged is not None and judged.broken else ""

    def _made(self) -> Judges:
        from agent_core.repair.beyond.judging import Judges  # noqa: PLC0415 - brings what runs checks

        return Judges(
            self._workspace,
            self._checks,
            self._base,
            self._changes,
            before=self._standing.results,
            enough=self._enough,
            deadline=self._clock.until,
        )
