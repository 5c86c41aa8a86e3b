"""A project's folder that is moved away under a session: it says so, writes nowhere, and goes on when it is back."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from tests.support.part_taking import MANY, Pair, asked, notes, script
from tests.support.running import running
from tests.support.shop import make_shop


@pytest.mark.parametrize("watch", [True, False])
async def test_nothing_lands_in_a_folder_that_is_gone(tmp_path: Path, pair: Pair, watch: bool) -> None:
    project, elsewhere = make_shop(tmp_path / "shop"), tmp_path / "elsewhere"
    before = (project / "shop/prices.py").read_bytes()
    async with running(project, script(tmp_path, MANY), watch=watch) as here:
        await asked(here)
        project.rename(elsewhere)
        here.submit(commands.Accept(1))
        finished = await here.seen(ev.TaskFinished)
        assert finished.outcome == "failed"
        assert f"{project} is gone" in finished.text
        assert not project.exists(), "it is not made again"
        assert (elsewhere / "shop/prices.py").read_bytes() == before
        assert not here.all(ev.HumanEdited), "that its files are gone is no edit of theirs"
        assert not here.all(ev.Landed)
        if watch:
            await here.until(lambda _: "Nothing is read or written until it is back" in notes(here))
        elsewhere.rename(project)
        if watch:
            await here.until(lambda _: "is back" in notes(here))
            (project / "shop/prices.py").write_text("saved\n")
            assert (await here.seen(ev.HumanEdited)).path == "shop/prices.py"
