"""The human's own commands: in the sandbox, on the working tree as it is, several at a time, ended with the session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands, shell
from agent_core import events as ev
from agent_core.chat_entries import Ran
from tests.support.running import Running, flags, running
from tests.support.shop import make_shop, tree


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


def settings(tmp_path: Path) -> dict[str, Any]:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turns": [{"text": "Hm.", "delay_ms": 60_000}]}))
    return flags(off=("mypy", "pytest", "ruff", "syntax"), partner={"script": str(script)})


def ran(here: Running) -> dict[str, Ran]:
    return {one.id: one for one in here.state.chat if isinstance(one, Ran)}


async def test_it_sees_the_tree_as_it_is_and_leaves_nothing(tmp_path: Path, project: Path) -> None:
    (project / "README.md").write_text("# Mine, not saved anywhere else\n")
    before = tree(project)
    async with running(project, settings(tmp_path)) as here:
        line = "cat README.md; echo 'on error' >&2; echo x > README.md; echo y > new; exit 3"
        here.submit(commands.Shell("1", line))
        done = await here.seen(ev.ShellFinished)
        assert (done.id, done.code, done.killed) == ("1", 3, "")
        assert done.output == "# Mine, not saved anywhere else\non error\n"
        assert ran(here)["1"] == Ran("1", line, 3, done.output, done.seconds)
        here.submit(commands.Shell("2", "  "))
        here.submit(commands.Shell("3", "if"))
        broken = await here.seen(ev.ShellFinished, 2)
        assert broken.code != 0
        assert "yntax" in broken.output
        assert list(ran(here)) == ["1", "3"]
    assert tree(project) == before


async def test_several_at_a_time_also_while_a_task_runs_until_they_are_interrupted(
    tmp_path: Path, project: Path
) -> None:
    async with running(project, settings(tmp_path)) as here:
        here.submit(commands.Ask("think"))
        await here.seen(ev.PromptSent)
        here.submit(commands.Shell("slow", "echo begun; sleep 60"))
        here.submit(commands.Shell("slow", "echo the name is taken"))
        here.submit(commands.Shell("quick", "echo done"))
        done = await here.seen(ev.ShellFinished)
        assert (done.id, done.output) == ("quick", "done\n")
        assert ran(here)["slow"].code is None
        assert here.state.task is not None
        here.submit(commands.Interrupt())
        ended = await here.seen(ev.ShellFinished, 2)
        assert (ended.id, ended.code, ended.killed) == ("slow", -1, "interrupted")
        await here.until(lambda state: state.task is None)
        assert "runs already" in here.all(ev.Noted)[0].text
        # Nothing of the work: an interrupt ends what runs without one too, and so does the end.
        here.submit(commands.Shell("last", "sleep 60"))
        await here.until(lambda _: "last" in ran(here))
    assert ran(here)["last"].killed == "interrupted"


async def test_it_has_its_time_and_its_room(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "_SECONDS", 3.0)
    async with running(project, settings(tmp_path)) as here:
        here.submit(commands.Shell("long", "yes | head -n 200000; echo the end"))
        long = await here.seen(ev.ShellFinished)
        assert long.code == 0
        assert len(long.output) < 70_000
        assert "bytes left out" in long.output
        assert long.output.endswith("the end\n")
        here.submit(commands.Shell("slow", "sleep 60"))
        slow = await here.seen(ev.ShellFinished, 2)
        assert slow.killed == "its 3 s were up"
