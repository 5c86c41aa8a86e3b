"""In which order variants are tried: by suspicion over cost, made line by line only when it is a line's turn."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence

from agent_core.repair.model import Suspect, Variant
from agent_core.repair.project import Project
from agent_core.repair.templates.all import compiles, variants_at

_MOST_RAISED = 2.0
_LEAST_RAISED = 0.4
_EFFECT, _NO_EFFECT = 1.02, 0.99
_MATTERS = 1.2
_BREATH = 16
_AHEAD = 40
_HANDFUL = 6


class Line:
    """A suspect with its variants.

    Args:
        suspect: The line.
    """

    def __init__(self, suspect: Suspect) -> None:
        self.suspect = suspect
        self.variants: list[Variant] | None = None
        self.making: asyncio.Task[None] | None = None
        self._next = 0
        self._raised = 1.0

    @property
    def due(self) -> float:
        """How soon its next variant is to be tried; as soon as an ordinary one while none is made; 0 after the last."""
        if self.variants is None:
            return self.weight
        if self._next >= len(self.variants):
            return 0.0
        cost = self.variants[self._next].cost
        # More than the plain cost: ordinary slips are tried at many lines before rare ones at the first.
        return self.weight / (cost * math.sqrt(cost))

    @property
    def weight(self) -> float:
        """How suspicious it is, by what is known by now."""
        return self.suspect.score * self._raised

    def pop(self) -> Variant:
        """Its next variant."""
        assert self.variants is not None
        self._next += 1
        return self.variants[self._next - 1]

    def learn(self, factor: float) -> None:
        """Raise or lower it by what came of a variant."""
        self._raised = min(max(self._raised * factor, _LEAST_RAISED), _MOST_RAISED)

    def had_effect(self) -> None:
        """A variant of it made the tests fail otherwise.

        That it matters to them is soon known: at a line that makes what they look at, every variant does so.
        """
        if self._raised < _MATTERS:
            self.learn(_EFFECT)

    def had_no_effect(self) -> None:
        """A variant of it changed nothing in how the tests fail."""
        self.learn(_NO_EFFECT)


class Ordering:
    """The variants of some suspects, best first.

    Args:
        suspects: The lines, the most suspicious first.
        project: The project.
    """

    def __init__(self, suspects: Sequence[Suspect], project: Project) -> None:
        self._lines = [Line(suspect) for suspect in suspects]
        self._project = project

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left."""
        return not any(line.due > 0 for line in self._lines)

    async def take(self, most: int, seconds: float) -> list[tuple[Line, Variant]]:
        """The next variants that compile; none when nothing is left.

        Args:
            most: The most that are taken.
            seconds: After so long those are taken that there are by then, unless it is a handful.
        """
        until = time.monotonic() + seconds
        taken: list[tuple[Line, Variant]] = []
        while len(taken) < most and self._lines:
            line = max(self._lines, key=_due)
            if line.due <= 0 or (time.monotonic() > until and len(taken) >= _HANDFUL):
                break
            if line.variants is None:
                await self._make(line)
                continue
            variant = line.pop()
            if self._compiles(variant):
                taken.append((line, variant))
                if len(taken) % _BREATH == 0:
                    await asyncio.sleep(0)
        return taken

    async def ahead(self) -> None:
        """Make variants that will be wanted soon; until it is cancelled, or there are enough."""
        unmade = [line for line in sorted(self._lines, key=_due, reverse=True) if line.variants is None]
        for line in unmade[:_AHEAD]:
            await self._make(line)

    async def _make(self, line: Line) -> None:
        """Make the variants of a line, in a thread: a long line of a long file takes its time."""
        if line.making is None:

            async def make() -> None:
                line.variants = await asyncio.to_thread(self._made, line.suspect)

            line.making = asyncio.create_task(make())
        # Who waits may be cancelled; what is made is wanted still.
        await asyncio.shield(line.making)

    def _made(self, suspect: Suspect) -> list[Variant]:
        source = self._project.source(suspect.path)
        return [] if source is None else variants_at(source, suspect.line, self._project, compiled=False)

    def _compiles(self, variant: Variant) -> bool:
        source = self._project.source(variant.path)
        return source is not None and compiles(source, variant)


def _due(line: Line) -> float:
    return line.due
