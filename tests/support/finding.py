"""A finder of repairs that finds what it is told to, when it is told to; what goes on around it is real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from agent_core import beside, repairing
from agent_core.repair.model import Edit, Found, Frame, Progress, Repair, Suspect, TestRun, Value, Variant, Wanted
from tests.support.shop import PRICES

_TEXT = PRICES.lstrip("\n")
TEST = "tests/test_prices.py::test_total"


def repair_of(old: str, new: str, says: str, path: str = "shop/prices.py", text: str = _TEXT) -> Repair:
    """A repair that puts other text in the place of some."""
    start = text.index(old)
    line = text.count("\n", 0, start) + 1
    variant = Variant((Edit(path, start, start + len(old), new),), "test", 1.0, says, line)
    return Repair(variant, passed=3, whole=True, mends=(TEST,))


MENDS = repair_of("prices[1:]", "prices", "`prices` for `prices[1:]`")
BREAKS = repair_of("prices[1:]", "undefined_name or prices", "`undefined_name` for `prices[1:]`")
SUSPECT = Suspect("shop/prices.py", MENDS.variant.line, 0.9, in_traceback=True)
FAILING = TestRun(
    TEST,
    "failed",
    0.01,
    error="AssertionError",
    frames=(Frame("shop/prices.py", MENDS.variant.line, "total", (Value("price", "int", "2"),)),),
)


def found(*repairs: Repair) -> Found:
    """What a search came to."""
    return Found(repairs, failing=(FAILING,), suspects=(SUSPECT,), tried=7, seconds=0.5)


class FakeFinder:
    """Finds what it is told to.

    Args:
        result: What it finds.
        held: It goes on until `go` is set, or it is to stop.
        keeps: Told to stop it has found it already; else nothing.

    Attributes:
        wanted: What was wanted of it, a search each.
        running: How many searches are under way.
        stopped: How many were ended by being cancelled, and how many by being told that it is enough.
    """

    def __init__(self, result: Found, *, held: bool = False, keeps: bool = False) -> None:
        self.result = result
        self._keeps = keeps
        self.go = asyncio.Event()
        if not held:
            self.go.set()
        self.wanted: list[Wanted] = []
        self.running = 0
        self.cancelled = 0
        self.enough = 0

    async def find(self, wanted: Wanted, tell: Callable[[Progress], None], enough: asyncio.Event) -> Found:
        """See `agent_core.repair.desk.Repairs`."""
        self.wanted.append(wanted)
        self.running += 1
        try:
            tell(Progress("trying", 3, 9, 0, "`<=` for `<` in shop/prices.py:9", 0.1, wanted.seconds))
            waits = [asyncio.ensure_future(one.wait()) for one in (self.go, enough)]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in waits:
                    one.cancel()
            if not self.go.is_set():
                self.enough += 1
                if self._keeps:
                    return self.result
                return Found(suspects=self.result.suspects, failing=self.result.failing, ended="stopped")
            return self.result
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    def put(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have it find in every session from now on."""

        async def finder_of(*_args: object) -> FakeFinder:
            return self

        for module in (beside, repairing):
            monkeypatch.setattr(module, "finder_of", finder_of)
