"""Killed at any moment: the state is the one the last event left, and no file is between before and after."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.build import Engine
from agent_core.chat_entries import Said
from agent_core.errors import JournalError
from tests.support.command_line import pairloop
from tests.support.running import flags, running, stored
from tests.support.shop import MENDED, QUICK, QUICK_SETTINGS, RIGHT_AT_ONCE, make_shop, tree


def write_script(path: Path, *patches: str, delay_ms: int = 0) -> Path:
    """A script that reads a file and then proposes these patches."""
    turns: list[dict[str, object]] = [
        {"text": "Let me look.", "calls": [{"name": "read_file", "arguments": {"path": "shop/prices.py"}}]}
    ]
    turns += [
        {"text": "Like this.", "calls": [{"name": "apply_patch", "arguments": {"patch": patch}}], "delay_ms": delay_ms}
        for patch in patches
    ]
    path.write_text(json.dumps({"name": "test", "turns": turns}))
    return path


def settings(script: Path, mode: str) -> dict[str, object]:
    return flags(mode, off=QUICK, partner={"script": str(script)})


@pytest.mark.parametrize(
    "moment",
    [
        "SettingsTold",
        "Asked",
        "PromptSent",
        "TextStreamed",
        "ToolStarted",
        "ProposalMade",
        "CheckStarted",
        "VerdictReached",
        "Decided",
        "LandingStarted",
        "Landed",
    ],
)
async def test_killed_at_any_moment(tmp_path: Path, moment: str) -> None:
    project = make_shop(tmp_path / "shop")
    before = tree(project)
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    (project / ".git/info/exclude").write_text("pairloop.toml\n")
    (project / "pairloop.toml").write_text(QUICK_SETTINGS)
    arguments = ["exec", "mend total", "--json", "--mode", "auto", "--script", str(script)]
    async with pairloop(arguments, project) as process:
        seen = await process.until(moment)
        assert seen is not None
        process.send(signal.SIGKILL)
        code, _, _ = await process.end()
    # The process may have come to its end before the signal did.
    assert code in {-signal.SIGKILL, 0}
    (project / "pairloop.toml").unlink()

    engine = Engine(project, settings(script, "step"), {})
    previous = await engine.previous()
    if previous is None:
        # Nothing was asked yet, or the task had come to its end before the signal came.
        last_one = await Engine(project, settings(script, "step"), {}, finished=True).previous()
        assert last_one is None or last_one.finished
        assert tree(project) in (before, {**before, "shop/prices.py": MENDED.encode()})
        return
    last = stored(project, previous.id)
    assert last.project == str(project)
    async with running(project, settings(script, "step"), resume=previous.id) as here:
        await here.seen(ev.SessionResumed)
        await here.until(lambda state: state.waiting > 0 or state.task is None)
        after = tree(project)
        landed = any(one.stands == "landed" for one in here.state.landings)
        assert after == ({**before, "shop/prices.py": MENDED.encode()} if landed else before)
        assert not list(project.rglob(".pairloop*"))
        said = [entry for entry in last.chat if isinstance(entry, Said)]
        assert [entry for entry in here.state.chat if isinstance(entry, Said)][: len(said)] == said
        assert here.state.items[: len(last.items)] == last.items
        if here.state.waiting:
            here.submit(commands.Accept(here.state.waiting))
            await here.until(lambda state: state.task is None)
            assert (project / "shop/prices.py").read_text() == MENDED
    assert stored(project, previous.id) == here.state


async def test_what_waits_for_the_human_still_waits(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with running(project, settings(script, "step")) as here:
        here.submit(commands.Ask("mend total"))
        await here.until(lambda state: state.waiting == 1)
        session = here.session.id
        # Nobody else can have it meanwhile.
        assert await Engine(project, settings(script, "step"), {}).previous() is None
        with pytest.raises(JournalError, match="open in another pairloop"):
            await Engine(project, settings(script, "step"), {}).open(session)
    prices = project / "shop/prices.py"
    prices.write_text("# mine\n" + prices.read_text())
    del here
    previous = await Engine(project, settings(script, "step"), {}).previous()
    assert previous is not None
    assert (previous.id, previous.title, previous.finished) == (session, "mend total", False)
    async with running(project, settings(script, "step"), resume=session) as again:
        # What was shown before is about another tree by now, so a decision on it would be void.
        await again.seen(ev.DecisionAwaited)
        again.submit(commands.Accept(1))
        await again.seen(ev.TaskFinished)
        assert prices.read_text() == "# mine\n" + MENDED
        again.submit(commands.Undo())
        await again.until(lambda state: state.landings[-1].undoes == 1 and state.landings[-1].stands == "landed")
        assert "prices[1:]" in prices.read_text()
        assert prices.read_text().startswith("# mine\n")
    assert await Engine(project, settings(script, "step"), {}).previous() is None
    wanted = await Engine(project, settings(script, "step"), {}, finished=True).previous()
    assert wanted is not None
    assert (wanted.id, wanted.finished) == (session, True)
