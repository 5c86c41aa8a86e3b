"""Moments at which a session is at work in different ways, to be interrupted there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from agent_core import commands
from agent_core import events as ev
from agent_core.state import State
from tests.support.answers import Answer, call, error, fault, text
from tests.support.model_server import ModelServer
from tests.support.running import Running, flags, running

WORDS = "First I look at the prices. "
SLOW_TEST = """\
*** Begin Patch
*** Add File: tests/test_slow.py
+import time
+
+
+def test_slow() -> None:
+    time.sleep(600)
*** End Patch"""
_REST = ("syntax", "ruff", "mypy")


def _waits(state: State) -> bool:
    return state.retry is not None


def _says(state: State) -> bool:
    return WORDS.strip() in state.live


def _runs(state: State) -> bool:
    return state.phase == "tools" and state.approval is None and bool(state.steps)


def _checks(state: State) -> bool:
    return any(one.check == "pytest" and one.where == "candidate" and one.outcome is None for one in state.checks)


MOMENTS: dict[str, tuple[Answer | None, Callable[[State], bool]]] = {
    "connecting": (None, lambda state: bool(state.steps)),
    "waiting": (fault("mute"), lambda state: bool(state.steps)),
    "streaming": (text(WORDS) + fault("stall", "end"), _says),
    "calling": (text(WORDS) + call("read_file", path="shop/prices.py") + fault("stall", "call"), _says),
    "to be sent again": (error(429, "slow down", headers={"retry-after": "600"}), _waits),
    "offline": (None, _waits),
    "running a tool": (call("run_command", command="sleep 600"), _runs),
    "checking": (call("apply_patch", patch=SLOW_TEST), _checks),
}
"""What the partner says, and how to tell that the moment has come."""


@asynccontextmanager
async def _address(moment: str, server: ModelServer) -> AsyncIterator[str]:
    """Where the partner is looked for."""
    if moment == "connecting":
        # Somebody takes the call and never shakes hands.
        mute = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        async with mute:
            yield f"https://127.0.0.1:{mute.sockets[0].getsockname()[1]}/v1"
    else:
        yield "http://127.0.0.1:9/v1" if moment == "offline" else server.base_url


@asynccontextmanager
async def at_work(project: Path, moment: str, api: str) -> AsyncIterator[tuple[Running, ModelServer]]:
    """A session that is at work in one of the ways of `MOMENTS`."""
    answer, there = MOMENTS[moment]
    checks = flags(off=_REST if moment == "checking" else (*_REST, "pytest"))
    async with ModelServer([answer] if answer is not None else []) as server, _address(moment, server) as base_url:
        partner = {"base_url": base_url, "api": api, "model": "test-model", "max_retries": 3, "timeout": 60.0}
        async with running(project, checks | {"partner": partner}, {"OPENAI_API_KEY": "sk-test"}) as here:
            here.submit(commands.Ask("look at the prices"))
            if moment == "running a tool":
                asked = await here.seen(ev.ApprovalAsked)
                here.submit(commands.Approve(asked.call_id, allowed=True))
            elif moment == "waiting":
                await asyncio.wait_for(server.asked.wait(), 30)
            await here.until(there)
            yield here, server


async def interrupted(here: Running) -> float:
    """Interrupt a session; gives the seconds until its task has ended."""
    begun = time.perf_counter()
    here.submit(commands.Interrupt())
    await here.until(lambda state: state.task is None)
    return time.perf_counter() - begun
