"""What a search for repairs is about, and what it came to."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from agent_core.repair.hunt import Survivor
from agent_core.repair.model import Partial, Suspect, TestRun


class Aim(msgspec.Struct, frozen=True):
    """What a search is about.

    Attributes:
        failing: The tests that are to pass.
        passing: Those that are to pass still.
        whole: They are all tests of the project.
        ordered: The lab runs tests in the order that it is told.
        allowed: Whether something may be changed in a file.
        until: When it is to end, by `time.monotonic`.
        limit: How many seconds it may take.
    """

    failing: tuple[TestRun, ...]
    passing: tuple[TestRun, ...]
    whole: bool
    ordered: bool
    allowed: Callable[[str], bool]
    until: float
    limit: float


class Outcome(msgspec.Struct, frozen=True):
    """What a search came to.

    Attributes:
        survivors: What passes all tests, or at least those that could be run in time, in the order found.
        suspects: The lines it looked at, the most suspicious first.
        tried: How many variants were tried.
        lines: At how many lines they were.
        left: Failing tests that nothing was found for.
        exhausted: There is nothing left to try.
        partial: What comes near to a repair of the tests that nothing was found for.
        fault: Why changes could not be tried; empty where they could.
    """

    survivors: tuple[Survivor, ...]
    suspects: tuple[Suspect, ...]
    tried: int
    lines: int
    left: tuple[str, ...]
    exhausted: bool
    partial: tuple[Partial, ...] = ()
    fault: str = ""
