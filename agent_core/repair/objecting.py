"""What the checks that read the code have against a change with which the tests pass."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent_core.repair import words
from agent_core.repair.clock import Clock
from agent_core.repair.ground import Ground
from agent_core.repair.hearing import unless_enough
from agent_core.repair.model import Variant
from agent_core.repair.standing import Standing

if TYPE_CHECKING:
    from agent_core.repair.beyond.judging import Judges

_READING = frozenset({"ruff", "mypy"})
_QUICK = 15.0


class Objecting:
    """Asks those checks; those that take long are not asked.

    Args:
        ground: The tree that is searched in.
        standing: What the checks say of it.
        enough: Set when somebody has had enough.
        clock: The search's.
    """

    def __init__(
        self,
        ground: Ground,
        *,
        standing: Standing,
        enough: asyncio.Event,
        clock: Clock,
    ) -> None:
        self._ground = ground
        self._standing = standing
        self._enough = enough
        self._clock = clock
        self._reading = _READING & {one.name for one in ground.checks}
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
            self._ground,
            before=self._standing.results,
            enough=self._enough,
            deadline=self._clock.until,
        )
