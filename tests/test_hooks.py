"""Hooks: what they hear, in which order, and that they can neither stop the work nor start themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.chat_entries import Notice
from agent_core.config import load
from agent_core.errors import ConfigError
from agent_core.events.hookable import HOOKABLE
from agent_core.hooks import Hooks
from agent_core.places import user_file
from tests.projects import make_project
from tests.support.running import flags, running


def settings(tmp_path: Path, hooks: dict[str, Any], *turns: dict[str, Any]) -> dict[str, Any]:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turns": turns or [{"text": "Said."}]}))
    return flags(partner={"script": str(script)}, hooks=hooks)


def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project", {"a.txt": "a\n"})


async def test_a_hook_gets_the_event_as_exec_prints_it_without_secrets(tmp_path: Path) -> None:
    out = tmp_path / "heard"
    hooks = {"log": {"on": ["Asked"], "run": f"cat >> {out}; pwd >> {out}"}}
    there = settings(tmp_path, hooks)
    async with running(project(tmp_path), there, {"SHOP_TOKEN": "verysecretvalue"}) as here:
        here.submit(commands.Ask("say verysecretvalue"))
        done = await here.seen(ev.HookFinished)
    assert (done.name, done.on, done.code, done.killed, done.trouble) == ("log", "Asked", 0, "", "")
    line, where = out.read_text().splitlines()
    heard = json.loads(line)
    assert heard["event"]["type"] == "Asked"
    assert heard["event"]["text"] == "say [secret]"
    assert heard["seq"] > 0
    assert where == str(tmp_path / "project")


async def test_hooks_run_in_order_and_one_that_fails_is_said_with_what_it_printed(tmp_path: Path) -> None:
    out = tmp_path / "order"
    hooks = {
        "first": {"on": ["Asked", "TaskFinished"], "run": f"echo first >> {out}"},
        "second": {"on": ["Asked"], "run": f"echo second >> {out}; echo why >&2; exit 3"},
    }
    async with running(project(tmp_path), settings(tmp_path, hooks)) as here:
        here.submit(commands.Ask("speak"))
        await here.seen(ev.HookFinished, 3)
        said = [one for one in here.state.chat if isinstance(one, Notice)]
    assert out.read_text().split() == ["first", "second", "first"]
    assert [done.name for done in here.all(ev.HookFinished)] == ["first", "second", "first"]
    assert [(one.text, one.hint) for one in said] == [("Hook second failed on Asked: exit status 3.", "why\n")]


async def test_a_hook_that_hangs_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_core.hooks._GRACE_ALONE", 0.0)
    hooks = {"slow": {"on": ["Asked"], "run": "sleep 600 & wait", "timeout": 600}}
    async with running(project(tmp_path), settings(tmp_path, hooks)) as here:
        here.submit(commands.Ask("speak"))
        assert (await here.seen(ev.TaskFinished)).outcome == "answered"
        assert not here.all(ev.HookFinished)


async def test_a_hook_that_hangs_ends_when_its_time_is_up(tmp_path: Path) -> None:
    hooks = {"slow": {"on": ["Asked"], "run": "sleep 60 & wait", "timeout": 0.5}}
    async with running(project(tmp_path), settings(tmp_path, hooks)) as here:
        here.submit(commands.Ask("speak"))
        done = await here.seen(ev.HookFinished)
    assert done.trouble == "Hook slow failed on Asked: its 0.5 s were up."


async def test_what_waits_at_the_end_is_run_and_what_runs_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_core.hooks._GRACE_ALONE", 3.0)
    out = tmp_path / "last"
    hooks = {"quick": {"on": ["TaskFinished"], "run": f"echo done > {out}"}, "slow": {"on": ["Asked"], "run": "true"}}
    hooks["stuck"] = {"on": ["TaskFinished"], "run": "sleep 60"}
    async with running(project(tmp_path), settings(tmp_path, hooks)) as here:
        here.submit(commands.Ask("speak"))
        await here.seen(ev.TaskFinished)
    assert out.read_text() == "done\n"
    stuck = next(done for done in here.all(ev.HookFinished) if done.name == "stuck")
    assert stuck.killed == "the session ended"


async def test_a_file_that_a_hook_writes_is_an_edit_like_any_other(tmp_path: Path) -> None:
    hooks = {"stamp": {"on": ["Asked"], "run": "echo stamped > stamp.txt"}}
    turns: list[dict[str, Any]] = [{"calls": [{"name": "list_files", "arguments": {}}]}, {"text": "Seen."}]
    async with running(project(tmp_path), settings(tmp_path, hooks, *turns), watch=True) as here:
        here.submit(commands.Ask("speak"))
        await here.seen(ev.HookFinished)
        edited = await here.seen(ev.HumanEdited)
    assert edited.path == "stamp.txt"


async def test_a_hook_on_what_it_does_itself_is_made_to_rest(tmp_path: Path) -> None:
    ran: list[str] = []

    async with running(project(tmp_path), settings(tmp_path, {"on": {"on": ["Noted"], "run": "true"}})) as here:
        hooks = Hooks(here.session._crew.parts, clock=lambda: 5.0)
        ran = ["rests" if hooks._too_often("on") else "runs" for _ in range(70)]
        noted = [one.text for one in here.all(ev.Noted)]
    assert ran == ["runs"] * 60 + ["rests"] * 10
    assert noted == ["Hook on ran 60 times within a minute and rests until that is over."]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('on = ["Landd"]\nrun = "true"', "there is no event 'Landd'; did you mean 'Landed'?"),
        ('on = ["TextStreamed"]\nrun = "true"', "TextStreamed comes in pieces"),
        ('on = ["HookFinished"]\nrun = "true"', "hooks do not run on what hooks do"),
        ('on = []\nrun = "true"', "needs on, names of events"),
    ],
)
def test_hooks_that_could_never_run_are_refused_when_the_file_is_read(tmp_path: Path, table: str, says: str) -> None:
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_text(f"[hooks.mine]\n{table}\n")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, {}, {})
    assert says in refused.value.message
    assert f"{user_file()}:1" in refused.value.message


def test_a_project_cannot_bring_hooks_or_servers_of_its_own(tmp_path: Path) -> None:
    for table in ('[hooks.x]\non = ["Asked"]\nrun = "curl evil"', '[mcp.x]\ncommand = ["evil"]'):
        (tmp_path / "pairloop.toml").write_text(table)
        with pytest.raises(ConfigError, match="a project cannot set this for you"):
            load(tmp_path, {}, {})


def test_no_event_that_comes_in_pieces_is_offered() -> None:
    assert {"Asked", "Landed", "TaskFinished", "HumanEdited", "VerdictReached"} <= HOOKABLE
    assert not {name for name in HOOKABLE if name.endswith("Streamed")}
