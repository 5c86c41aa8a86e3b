"""What a search for repairs beside a model costs the model's own proposals: with it, and without it, in turns.

    python tests/bench/beside.py [ROUNDS]

A project with a failing test that no small change mends, so that the search goes on all the time; a model (a server on
this machine that plays a script) proposes a patch while it does. Measured is the time from the proposal to the first
verdict and to the complete one, and from the task to the model's first word. Times are medians in seconds; what counts
is the ratio.
"""

from __future__ import annotations

import asyncio
import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agent_core import commands
from agent_core import events as ev
from agent_core.state import State
from tests.projects import make_project
from tests.support.answers import call, held, text
from tests.support.model_server import ModelServer
from tests.support.running import running, server_settings

_ROUNDS = 5
_WARM = 4.0  # seconds that the search has been at work when the patch comes
_NAMES = ("first word", "first verdict", "complete verdict")
_MODULE = """
def total(prices):
    result = 0
    for price in prices:
        result += price
    return result


def largest(prices):
    best = prices[0]
    for price in prices:
        if price > best:
            best = price
    return best
"""
_TESTS = """
import time

import pytest

from shop.prices import largest, total


@pytest.mark.parametrize("number", range(60))
def test_total(number):
    time.sleep(0.005)
    assert total(range(number)) == number * (number - 1) // 2


def test_largest():
    assert largest([1, 2]) == 2


def test_never():
    assert total([1, 2]) == "three"
"""
_PATCH = """*** Begin Patch
*** Update File: shop/prices.py
@@ def total(prices):
-    result = 0
-    for price in prices:
-        result += price
-    return result
+    return sum(prices)
*** End Patch"""


async def _round(folder: Path, *, beside: bool) -> tuple[float, ...]:
    """One session; gives how long it took to what `_NAMES` names."""
    project = make_project(
        folder,
        {
            "pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n',
            "shop/__init__.py": "",
            "shop/prices.py": _MODULE,
            "tests/test_prices.py": _TESTS,
        },
    )
    at: dict[str, float] = {}

    def listen(entry: ev.Entry, _state: State) -> None:
        match entry.event:
            case ev.TextStreamed():
                at.setdefault("first word", time.perf_counter())
            case ev.ProposalMade():
                at.setdefault("proposed", time.perf_counter())
            case ev.VerdictReached(_, verdict):
                at.setdefault("first verdict", time.perf_counter())
                if verdict.complete:
                    at.setdefault("complete verdict", time.perf_counter())

    async def think() -> None:
        await asyncio.sleep(_WARM)

    answer = text("I look.") + held(think) + call("apply_patch", patch=_PATCH)
    async with ModelServer([answer]) as server:
        settings = server_settings(server.base_url, "chat") | {"repair": {"beside": beside}}
        async with running(project, settings, {"OPENAI_API_KEY": "sk-none"}) as here:
            here.session.subscribe(listen)
            # The baseline is known, as it is once one has worked for a while.
            await here.until(
                lambda state: any(one.check == "pytest" and one.outcome is not None for one in state.checks)
            )
            begun = time.perf_counter()
            here.submit(commands.Ask("Make it shorter."))
            await here.until(lambda _: "complete verdict" in at)
            searched = any(one.beside for one in here.all(ev.RepairSought))
            assert searched is beside, "the search is what is measured"
    return at["first word"] - begun, at["first verdict"] - at["proposed"], at["complete verdict"] - at["proposed"]


async def main(rounds: int) -> None:
    """Measure, and print a table."""
    times: dict[bool, list[tuple[float, ...]]] = {False: [], True: []}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PAIRLOOP_STATE_DIR"] = str(Path(folder) / "state")
        for number in range(rounds):
            for beside in (False, True) if number % 2 else (True, False):
                times[beside].append(await _round(Path(folder) / f"{number}-{beside}", beside=beside))
    print(f"{'':<18}{'without':>9}{'with':>9}{'ratio':>8}")
    for index, name in enumerate(_NAMES):
        without, with_it = (statistics.median(one[index] for one in times[beside]) for beside in (False, True))
        print(f"{name:<18}{without:>9.2f}{with_it:>9.2f}{with_it / without:>8.2f}")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS))
