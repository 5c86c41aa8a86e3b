"""``pairloop log --prompts``: what was sent, request by request."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent_core import commands
from agent_core import events as ev
from tests.support.calling import call as pairloop
from tests.support.model_server import ModelServer, call, text
from tests.support.running import flags, running, server_settings
from tests.support.shop import QUICK, make_shop
from tests.test_compacting import TRIES, patch, rejected, script

KEY = "sk-abcdefghijklmnopqrstuvwxyz0123"


async def asked(project: Path) -> str:
    """A session of two tasks and three requests; gives its id."""
    answers = [call("read_file", path="shop/prices.py"), text("It \x1b[31msums up."), text("No.")]
    async with (
        ModelServer(answers) as server,
        running(project, flags(off=QUICK) | server_settings(server.base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("what does total do?"))
        await here.seen(ev.TaskFinished)
        here.submit(commands.Ask(f"is {KEY} a key?"))
        await here.seen(ev.TaskFinished, 2)
        return here.session.id


def test_each_request_is_told_with_what_was_new_in_it(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    assert pairloop(["log", "--prompts"], project).code == 1
    session = asyncio.run(asked(project))
    listed = pairloop(["log", "--prompts"], project)
    assert (listed.code, listed.err) == (0, "")
    head, *rest = listed.out.splitlines()
    assert head == f"session {session}: 3 requests"
    assert [line[0] for line in rest if line[0] != " "] == ["3", "2", "1"]
    assert "5 items (2 new)  10 tokens in (40% cached), 5 out" in listed.out
    assert "the partner called read_file" in listed.out
    one = pairloop(["log", "--prompts", "3", "--session", session[:15]], project)
    assert "is [secret] a key?" in one.out
    assert "\x1b" not in one.out
    assert KEY not in one.out
    third, second, first = pairloop(["log", "--prompts", "--json", "-p"], project).lines
    assert (first["step"], first["items"], first["same"], first["cached"]) == (1, 1, 0, 4)
    assert (second["same"], third["same"], third["compaction"]) == (1, 3, None)
    assert [item["type"] for item in second["new"]] == ["ToolCallItem", "ToolResultItem"]
    assert pairloop(["log", "--prompts", "--json", "-n", "1"], project).json["new"] is None
    missing = pairloop(["log", "--prompts", "9"], project)
    assert (missing.code, missing.out) == (1, "")
    assert f"There is no request 9 in session {session}" in missing.err
    assert pairloop(["log", "--prompts", "--session", "nowhere"], project).code == 1


async def summed_up(project: Path) -> None:
    """A session with a compaction before its last request."""
    async with running(project, script(project.parent, *map(patch, TRIES))) as here:
        await rejected(here, 3)
        here.submit(commands.Compact())
        await here.seen(ev.Compacted)
        here.submit(commands.Reject(4, "no"))
        await here.until(lambda state: state.waiting == 5)


def test_a_compaction_is_told_with_the_request_after_it(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    asyncio.run(summed_up(project))
    newest, before, *_ = pairloop(["log", "--prompts", "--json"], project).lines
    assert before["compaction"] is None
    assert newest["items"] < before["items"]
    assert newest["same"] == 1
    compaction = newest["compaction"]
    assert (compaction["why"], compaction["by"]) == ("asked", "partner")
    assert compaction["after"] < compaction["before"]
    assert compaction["input"] > 0
    assert "compacted before it: about" in pairloop(["log", "--prompts", "5"], project).out
