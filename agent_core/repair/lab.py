"""Where variants are tried: the seam between the search and the processes that run tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

from agent_core.repair.model import Look, Plan, TestRun, Trial


class TrialLab(Protocol):
    """Runs a project's tests with variants; nothing of it reaches the working tree."""

    @property
    def fault(self) -> str:
        """Why what runs the tests ended before the last series did, in words for a human; empty where it did not."""

    def trials(self, plans: Sequence[Plan], *, seconds: float) -> AsyncGenerator[Trial, None]:
        """Try variants, several at a time, in about the order given.

        Closing it ends what runs, at once.

        Args:
            plans: What to try.
            seconds: The most that it may take in all; it then ends without having tried the rest.

        Yields:
            What came of each, as it ends; not always in the order of the plans.

        Raises:
            SandboxError: The tree could not be made.
        """

    async def behaviour(self, plans: Sequence[Plan], *, seconds: float) -> tuple[tuple[tuple[str, str], ...], ...]:
        """What the functions that variants touch give for what they are called with, in the tests and near to that.

        Args:
            plans: The variants, each of which passes its tests; which functions they touch follows from their edits.
            seconds: The most that it may take.

        Returns:
            For each plan pairs of a call and its result, both as text: the same calls in the same order for each; a
            call that did not come to its end has the result ``?``. Empty where nothing could be compared.

        Raises:
            SandboxError: The tree could not be made.
        """

    async def close(self) -> None:
        """End what runs, and give back the tree."""


class Lab(TrialLab, Protocol):
    """Runs a project's tests as it is, too."""

    async def look(
        self, tests: Sequence[str], *, seconds: float, hear: Callable[[TestRun], None] = lambda _: None
    ) -> Look:
        """Run tests as the program is, and see which lines each executes.

        Those named come first, then a sample of the others (all of them where they are quick), those of the same files
        first.

        Args:
            tests: Ids of tests that fail, or beginnings of ids; empty for all there are.
            seconds: About how long it may take; a test that hangs is given up after a part of it.
            hear: Called with each run as it ends.

        Raises:
            SandboxError: The tree could not be made.
        """
