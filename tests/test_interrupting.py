"""An interrupt takes hold at once, whatever goes on, and what was said is kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from tests.support.answers import text
from tests.support.interrupts import MOMENTS, WORDS, at_work, interrupted
from tests.support.shop import make_shop, theirs


@pytest.mark.parametrize("moment", MOMENTS)
async def test_an_interrupt_takes_hold_at_once(tmp_path: Path, moment: str) -> None:
    project = make_shop(tmp_path / "shop")
    before = theirs(project)
    api = "responses" if moment in {"calling", "streaming"} else "chat"
    async with asyncio.timeout(110), at_work(project, moment, api) as (here, server):
        seconds = await interrupted(here)
        # What is promised is a tenth, which tests/bench/interrupting.py measures; a machine that does other things at
        # the same time may take many times as long, and what is interrupted here takes minutes.
        assert seconds < 20
        assert here.all(ev.TaskFinished)[-1].outcome == "interrupted"
        assert here.state.retry is None
        if moment in {"waiting", "streaming", "calling"}:
            await asyncio.wait_for(server.hung_up.wait(), 30)
        if moment in {"connecting", "offline"}:
            return
        # The session goes on, from what there was.
        server.add(text("Well then."))
        here.submit(commands.Ask("go on"))
        await here.until(lambda state: len(state.tasks) == 2 and state.task is None)
        assert here.all(ev.TaskFinished)[-1].outcome == "answered"
        said = str(server.requests[-1].body)
        assert (WORDS.strip() in said) == (moment in {"streaming", "calling"})
        assert theirs(project) == before
