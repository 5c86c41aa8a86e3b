"""Where a key could come out: an answer, an error, a tool's output, a file, an environment, a log, a traceback."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
import sys
import traceback
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp_types import CallToolResult, TextContent

from agent_core import commands, process
from agent_core import events as ev
from agent_core.build import Engine
from agent_core.config_tables import PartnerConfig
from agent_core.conversation import Chunk, Completed, PartnerInfo, TextDelta, ToolCallDelta, ToolCallItem, Usage
from agent_core.keys.known import KNOWN, KnownKeys, is_telling
from agent_core.mcp.wording import output_of
from agent_core.partners.abilities import AbilityBook
from agent_core.partners.build import endpoint_of, open_partner
from agent_core.partners.client import Connection
from agent_core.partners.endpoint import Endpoint, Key
from agent_core.partners.guarded import GuardedModel
from agent_core.places import state_dir, user_file
from agent_core.sandbox.environment import passes
from agent_core.workspace.ignore import git_environment
from agent_core.workspace.repository import own_environment
from tests.partners.talk import request
from tests.support.answers import call, error, reasoning, text
from tests.support.calling import call as pairloop
from tests.support.model_server import ModelServer
from tests.support.running import flags, running, server_settings
from tests.support.shop import QUICK, make_shop
from tui.trouble import Log

KEY = "sk-proj-Ab3dEf6hIj9kLm2nOp5qRs8t"


def everything_kept(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Whatever stands below a folder, journals' contents unpacked."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()
    for journal in folder.rglob("journal.db"):
        database = sqlite3.connect(journal)
        for name, data in database.execute("SELECT * FROM blobs"):
            yield f"{journal} {name}", zlib.decompress(data)
        database.close()


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_nothing_that_is_kept_or_told_holds_the_key(
    tmp_path: Path, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "notes.txt").write_text(f"OPENAI={KEY}\n")
    # Under another name too, which says nothing of a secret.
    environ = {"OPENAI_API_KEY": KEY, "PYTHON_THING": f"prefix:{KEY}"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    patch = f"*** Begin Patch\n*** Add File: shop/key.py\n+KEY = '{KEY}'\n*** End Patch"
    answers = [
        error(500, f"the key {KEY} made me fall"),
        reasoning(f"I think of {KEY}.") + text(f"Your key is {KEY}, is it not?") + call("read_file", path="notes.txt"),
        call("run_command", command=f"env; echo {KEY}; cat notes.txt"),
        call("apply_patch", patch=patch),
        error(401, f"Incorrect API key provided: {KEY}."),
    ]
    trouble = Log()
    trouble.open()
    async with (
        ModelServer(answers) as server,
        running(project, flags("step", off=QUICK) | server_settings(server.base_url, api)) as here,
    ):
        here.submit(commands.Shell("s1", "env; cat notes.txt"))
        shell = await here.seen(ev.ShellFinished)
        here.submit(commands.Ask(f"use {KEY} well"))
        asked = await here.seen(ev.ApprovalAsked)
        here.submit(commands.Approve(asked.call_id, allowed=True))
        await here.seen(ev.DecisionAwaited)
        here.submit(commands.Accept(1))
        await here.until(lambda state: bool(state.tasks) and state.task is None)
        here.submit(commands.Ask("again"))
        await here.until(lambda state: len(state.tasks) == 2 and state.task is None)
        trouble.error("it failed", RuntimeError(f"with {KEY}"))
        shown = here.state
        session = here.session.id
    trouble.close()
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    # The model hears it no more than anybody else.
    assert [request.raw for request in server.requests if KEY.encode() in request.raw] == []
    assert "PYTHON_THING" not in shell.output
    assert "OPENAI=[key]" in shell.output
    assert KEY not in repr(shown)
    kept = dict(everything_kept(state_dir()))
    assert any(name.endswith("pairloop.log") and b"it failed" in data for name, data in kept.items())
    assert [name for name, data in kept.items() if KEY.encode() in data] == []
    # Not even in pieces: what streamed by is put together again.
    streamed = "".join(event.text for event in here.all(ev.TextStreamed))
    assert "Your key is [key], is it" in streamed
    assert "[key]" in (project / "shop/key.py").read_text()
    for arguments in (
        ["export", session],
        ["export", session, "--format", "json"],
        ["log", "--prompts", "1"],
        ["log", "--prompts", "--json", "-p"],
        ["log", "-p"],
        ["sessions", "--json"],
        ["usage", "--json"],
    ):
        done = await asyncio.to_thread(pairloop, arguments, project)
        assert done.code == 0, (arguments, done.err)
        assert done.out
        assert KEY not in done.out + done.err


async def test_what_is_cut_leaves_no_half_of_it(tmp_path: Path) -> None:
    token = f"sk-proj-{tmp_path.name}-0123456789-0123456789-0123456789"
    Key(token, "K")
    project = make_shop(tmp_path / "shop")
    # So many characters before it that every place of a cut falls into one of them.
    (project / "keys.txt").write_text("".join(f"{token} " for _ in range(3000)))
    turns = [{"calls": [{"name": "run_command", "arguments": {"command": "cat keys.txt"}}]}, {"text": "Done."}]
    (tmp_path / "script.json").write_text(json.dumps({"turns": turns}))
    script = {"script": str(tmp_path / "script.json")}
    async with running(project, flags("step", off=QUICK, partner=script)) as here:
        here.submit(commands.Ask("go"))
        asked = await here.seen(ev.ApprovalAsked)
        here.submit(commands.Approve(asked.call_id, allowed=True))
        await here.seen(ev.TaskFinished)
        told = repr(here.state)
    assert "[key] [key]" in told
    assert f"{tmp_path.name}-0123" not in told
    assert "0123456789-0123456789" not in told
    output = output_of(CallToolResult(content=[TextContent(type="text", text=f"{'x' * 60} {token}")]))
    assert "sk-proj" not in output.text + output.summary


async def test_no_program_is_started_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING", f"a{KEY}b")
    open_partner(PartnerConfig(), {"OPENAI_API_KEY": KEY})
    show = (sys.executable, "-c", "import os; print(os.environ)")
    done = await process.run(show, cwd=tmp_path, timeout=20)
    assert "PATH" in done.text
    assert KEY not in done.text
    write = (sys.executable, "-c", "import os; open('env', 'w').write(str(os.environ))")
    assert await process.in_foreground(write, cwd=tmp_path) == 0
    assert KEY not in (tmp_path / "env").read_text()
    environ = {**os.environ, "GITHUB_TOKEN": "anything"}
    assert "THING" not in git_environment(environ)
    assert "GITHUB_TOKEN" not in git_environment(environ)
    # The human's own hooks may need their own secrets, but not ours.
    assert "GITHUB_TOKEN" in own_environment(environ)
    assert "THING" not in own_environment(environ)
    assert not passes("PYTHON_THING", environ["THING"], allowed=("PYTHON_*",))
    assert passes("THING", environ["THING"], allowed=("THING",)), "named in full it is meant"


@pytest.mark.parametrize(
    ("config", "withheld"),
    [
        ("", False),
        ('[partner]\npreset = "github"', True),
        ('[partner]\nuse = "github"', True),
        ('[partners.github]\nmodel = "m"', True),
        ('[partners.other]\nkey_env = "GITHUB_TOKEN"\nbase_url = "http://127.0.0.1:9/v1"', True),
        ('[partners.other]\nbase_url = "http://127.0.0.1:9/v1"\naside = "github"', True),
    ],
)
def test_hooks_of_git_keep_a_token_that_is_the_key_of_no_partner_in_use(
    tmp_path: Path, config: str, *, withheld: bool
) -> None:
    token = f"ghp_{tmp_path.name}0123456789"
    environ = {"GITHUB_TOKEN": token}
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_text(config)
    Engine(tmp_path, {}, environ).config()
    assert ("GITHUB_TOKEN" not in own_environment(environ)) == withheld
    # Whoever it is for: what is told and kept goes without, and so does what is shut in.
    assert KNOWN.redact(f"of {token}") == "of [key]"
    assert not passes("PYTHON_THING", token)


def test_a_partner_that_is_chosen_later_has_its_key_kept_from_programs(tmp_path: Path) -> None:
    token = f"ghp_{tmp_path.name}0123456789"
    environ = {"GITHUB_TOKEN": token}
    partners = Engine(tmp_path, {}, environ).partners()
    assert "GITHUB_TOKEN" in own_environment(environ)
    partners.open("github", "m")
    assert "GITHUB_TOKEN" not in own_environment(environ)


def test_a_password_in_an_address_is_kept_nowhere(tmp_path: Path) -> None:
    password = f"pass-{tmp_path.name}-012345"
    url = f"https://me:{password}@proxy.example:8443/v1/"
    settings = PartnerConfig(base_url=url, model="m", key_env="NO_KEY")
    endpoint = endpoint_of(settings, {})
    assert KNOWN.redact(f"at {url}") == "at https://me:[key]@proxy.example:8443/v1/"
    book = AbilityBook(tmp_path / "abilities.json")
    book.note(endpoint.base_url, "m", tools=True)
    assert password not in (tmp_path / "abilities.json").read_text()
    assert book.get(endpoint.base_url, "m").tools
    assert book.get("https://proxy.example:8443/v1", "m").tools


async def test_a_traceback_with_all_that_is_around_shows_none(tmp_path: Path) -> None:
    key = Key(KEY, "OPENAI_API_KEY")
    connection = Connection(Endpoint("http://127.0.0.1:9/v1", "m", key, 1.0))
    wire = await connection._open()
    told = ""
    try:
        raise RuntimeError
    except RuntimeError as trouble:
        told = "".join(traceback.TracebackException.from_exception(trouble, capture_locals=True).format())
    assert "Connection object" in told
    assert KEY not in told
    assert KEY not in repr(vars(connection)) + repr(vars(wire))
    await connection.close()
    Engine(tmp_path, {}, {"OPENAI_API_KEY": KEY}).config()
    assert "[key]" in KNOWN.redact(f"of {KEY}")


def test_the_log_of_a_library_is_written_without_it(caplog: pytest.LogCaptureFixture) -> None:
    Key(KEY, "K")
    log = Log()
    log.open()
    logging.getLogger("openai").warning("headers: %s", {"Authorization": f"Bearer {KEY}"})
    log.close()
    assert log.path is not None
    assert "Bearer [key]" in log.path.read_text()
    assert caplog.records


# -- what a key is, and pieces of it


@pytest.mark.parametrize("word", ["local", "changeme", "not-needed-here", "a long sentence with 1 blank", "x" * 11])
def test_words_are_no_keys(word: str) -> None:
    keys = KnownKeys()
    keys.add(word)
    assert not is_telling(word)
    assert keys.redact(f"a {word} b") == f"a {word} b"


def test_a_key_within_another_leaves_nothing_of_either() -> None:
    keys = KnownKeys()
    keys.add(KEY)
    keys.add(f"{KEY}-and-more")
    assert keys.redact(f"{KEY}-and-more {KEY}") == "[key] [key]"
    body = json.dumps({"arguments": json.dumps({"a": KEY})}).encode()
    assert b"[key]" in keys.redact_json(body)
    plain = b'{"a": 1}'
    assert keys.redact_json(plain) is plain


class Says:
    """A partner that says some chunks."""

    info = PartnerInfo("chat", "says")

    def __init__(self, *chunks: Chunk) -> None:
        self._chunks = chunks

    async def stream(self, _asked: object) -> Any:
        for chunk in self._chunks:
            yield chunk

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("size", [1, 2, 5, 7, 100])
async def test_a_key_in_pieces_is_not_let_through(size: int) -> None:
    keys = KnownKeys()
    keys.add(KEY)
    words = f"It is {KEY}, or sk-proj-Ab3dEf something else, {KEY[:9]}"
    pieces: list[Chunk] = [TextDelta(words[at : at + size]) for at in range(0, len(words), size)]
    arguments = json.dumps({"text": KEY})
    calls: list[Chunk] = [ToolCallDelta("c", "t", arguments[at : at + size]) for at in range(0, len(arguments), size)]
    done = Completed((ToolCallItem("c", "t", arguments),), Usage(3, 1, 2))
    said = [chunk async for chunk in GuardedModel(Says(*pieces, *calls, done), keys).stream(request())]
    heard = "".join(chunk.text for chunk in said if isinstance(chunk, TextDelta))
    assert heard == words.replace(KEY, "[key]")
    assert "".join(chunk.text for chunk in said if isinstance(chunk, ToolCallDelta)) == arguments.replace(KEY, "[key]")
    assert said[-1] == Completed((ToolCallItem("c", "t", arguments.replace(KEY, "[key]")),), Usage(3, 1, 2))
    order = [type(chunk) for chunk in said]
    assert order == sorted(order, key=[TextDelta, ToolCallDelta, Completed].index)
