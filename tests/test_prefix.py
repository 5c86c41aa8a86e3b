"""The prompt keeps its prefix: over a whole session each request's input extends the one before, byte for byte."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from tests.support.model_server import Answer, ModelServer, Received, call, reasoning, text
from tests.support.running import Running, flags, running, server_settings
from tests.support.shop import QUICK, make_shop

ROOT = Path(__file__).resolve().parent.parent
STEPS = 50


def items_of(sent: Received) -> list[str]:
    """The items of a request's input, each as the text it was sent as."""
    whole = sent.raw.decode()
    name = "input" if sent.api == "responses" else "messages"
    at = whole.index(f'"{name}":[') + len(name) + 4
    decoder, found = json.JSONDecoder(), []
    while whole[at] != "]":
        _, end = decoder.raw_decode(whole, at)
        found.append(whole[at:end])
        at = end + (whole[end] == ",")
    return found


def rest_of(sent: Received) -> str:
    """Everything else of a request: instructions, tools, how to answer."""
    body = sent.body
    body.pop("input" if sent.api == "responses" else "messages")
    return json.dumps(body)


def patch(*lines: str) -> Answer:
    return call("apply_patch", patch="\n".join(["*** Begin Patch", *lines, "*** End Patch"]))


TWO_BLOCKS = patch(
    "*** Update File: shop/prices.py",
    "@@",
    '-"""Prices."""',
    '+"""All prices."""',
    "@@",
    "-    for price in prices[1:]:",
    "+    for price in prices[2:]:",
)
AGAIN = patch("*** Update File: shop/prices.py", "@@", "-    for price in prices[1:]:", "+    for price in prices:")
UNFIT = patch("*** Update File: shop/prices.py", "@@", "-    there is no such line", "+    pass")


class Walk:
    """What the human does meanwhile, in the midst of answers: so that it is heard before the next request."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.here: Running | None = None
        self._edits = 0

    def during(self, act: Callable[[Running], Awaitable[object]]) -> Answer:
        """An answer in whose midst something is done."""

        async def hold() -> None:
            assert self.here is not None
            await act(self.here)

        return Answer(hold=hold)

    async def edit(self, here: Running) -> None:
        self._edits += 1
        path = self.project / "README.md"
        path.write_text(f"# shop\n\nEdited for the {self._edits}. time: é\u2028ü\n")
        await here.seen(ev.HumanEdited, len(here.all(ev.HumanEdited)) + 1)

    async def steer(self, here: Running) -> None:
        here.submit(commands.Steer("think of “discounts” too\r\n\tplease"))
        await here.seen(ev.Steered, len(here.all(ev.Steered)) + 1)

    async def mode(self, here: Running) -> None:
        here.submit(commands.SetMode("until-green" if here.state.mode == "step" else "step"))
        await here.seen(ev.ModeChanged, len(here.all(ev.ModeChanged)) + 1)

    async def shell(self, here: Running) -> None:
        here.submit(commands.Shell(f"run {here.state.steps}", "echo hello"))
        await here.seen(ev.ShellFinished, len(here.all(ev.ShellFinished)) + 1)

    async def interrupt(self, here: Running) -> None:
        await here.until(lambda state: bool(state.live))
        here.submit(commands.Interrupt())
        await asyncio.Event().wait()

    async def remember(self, here: Running) -> None:
        here.submit(commands.Memorize("prices are never negative"))
        await here.seen(ev.MemoryKept)


def reading(number: int) -> Answer:
    """An answer that looks at something, never the same twice."""
    if number % 3 == 0:
        return call("search", pattern=f"total{number}")
    return text(f"Step {number}. ") + call("read_file", path="shop/prices.py", first_line=1, last_line=number + 1)


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_each_request_of_a_long_session_extends_the_one_before(tmp_path: Path, api: str) -> None:
    project = make_shop(tmp_path / "shop")
    walk = Walk(project)
    acts = [walk.edit, walk.steer, walk.mode, walk.shell, walk.edit, walk.mode, walk.remember]
    answers = [reading(number) + walk.during(acts[number % len(acts)]) for number in range(14)]
    answers += [reasoning("I see.") + TWO_BLOCKS, *map(reading, range(14, 20)), UNFIT, AGAIN]
    answers += [
        *map(reading, range(20, 30)),
        text("I was about to") + walk.during(walk.interrupt),
        *map(reading, range(30, 40)),
        text("That is all."),
    ]
    later = [*map(reading, range(40, 47)), text("Done.")]
    settings = flags(off=QUICK) | {"loop": {"mode": "step", "max_steps": 200}}
    async with ModelServer([*answers, *later]) as server:
        settings |= server_settings(server.base_url, api)
        async with running(project, settings, watch=True) as here:
            walk.here = here
            session = here.session.id
            here.submit(commands.Ask("mend total in shop/prices.py"))
            state = await here.until(lambda state: state.waiting == 1)
            if state.mode != "step":
                here.submit(commands.SetMode("step"))
            await here.judged()
            [file] = state.proposals[0].patch.files
            here.submit(commands.Take(1, (file.blocks[0].id,)))
            here.submit(commands.Comment(1, file.blocks[1].id, "count them all"))
            here.submit(commands.Land(1))
            await here.until(lambda state: state.waiting == 2)
            await here.judged(2)
            here.submit(commands.Reject(2, "wait with that"))
            # An answer is interrupted; then a task is asked anew.
            await here.seen(ev.TaskFinished)
            here.submit(commands.Undo())
            await here.until(lambda state: any(one.undoes for one in state.landings))
            here.submit(commands.Ask("and now?"))
            await here.seen(ev.TaskFinished, 2)
        program = [sys.executable, "-m", "tests.support.gone_on", str(project), json.dumps(settings), session, "more?"]
        # Another process orders its sets in another way.
        environ = {**os.environ, "PYTHONHASHSEED": "7"}
        process = await asyncio.create_subprocess_exec(*program, cwd=ROOT, env=environ)
        assert await asyncio.wait_for(process.wait(), 60) == 0
        sent = server.requests
    assert len(sent) >= STEPS
    kinds = {type(event) for event in here.events}
    assert kinds >= {ev.HumanEdited, ev.Steered, ev.ModeChanged, ev.ShellFinished, ev.PatchRejected, ev.Landed}
    assert ev.Compacted not in kinds
    for earlier, after in pairwise(sent):
        old, new = items_of(earlier), items_of(after)
        assert new[: len(old)] == old
        assert len(new) > len(old)
        assert rest_of(after) == rest_of(earlier)
    told = sent[-1].raw.decode()
    assert all(words in told for words in ("Edited for the 3. time", "count them all", "wait with that", "“discounts”"))
