"""MCP servers: real ones over both lines, and one that misbehaves; what is offered, asked, called, and left behind."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_core.config_tables import McpConfig
from agent_core.consent import CALL
from agent_core.keys.known import KNOWN
from agent_core.mcp import server as servers
from agent_core.mcp import stdio
from agent_core.mcp.source import McpServers
from agent_core.tools.base import Permission, Tool, ToolError, ToolOutput, View
from tests.support.ports import reserved_port

SUPPORT = Path(__file__).parent.parent / "support"
VIEW: View = None  # type: ignore[assignment] # servers see no tree of ours


class Line:
    """Servers that are started, and the human beside them.

    Args:
        source: The servers.
        allowed: What the human says.
    """

    def __init__(self, source: McpServers, *, allowed: bool) -> None:
        self.source = source
        self.said: list[str] = []
        self.printed: list[tuple[str, str]] = []
        self.progress = asyncio.Event()
        self._heard = asyncio.Event()
        self.asked: list[Permission] = []
        self.tools: dict[str, Tool] = {}
        self._allowed = allowed

    async def begin(self) -> None:
        await self.source.begin(self._hear)
        self.tools = {tool.spec.name: tool for tool in await self.source.tools(self._approve, self._print)}

    async def call(self, name: str, arguments: str = "{}") -> ToolOutput:
        async with asyncio.timeout(30):
            return await self.tools[name].run(arguments, VIEW)

    async def refused(self, name: str, arguments: str = "{}") -> str:
        with pytest.raises(ToolError) as error:
            await self.call(name, arguments)
        return str(error.value)

    async def until_said(self) -> None:
        async with asyncio.timeout(30):
            await self._heard.wait()

    def _print(self, text: str) -> None:
        self.printed.append((CALL.get(), text))
        self.progress.set()

    def _hear(self, text: str) -> None:
        self.said.append(text)
        self._heard.set()

    async def _approve(self, wish: Permission) -> bool:
        self.asked.append(wish)
        return self._allowed


async def until(true: Callable[[], bool]) -> None:
    """Wait for what another process does: nobody tells of that."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)


def ended(pid: int) -> bool:
    """Whether a process is gone, or waits for nothing but to be forgotten."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@asynccontextmanager
async def line(
    root: Path, settings: Mapping[str, McpConfig], environ: Mapping[str, str] | None = None, *, allowed: bool = True
) -> AsyncIterator[Line]:
    here = Line(McpServers(settings, root, {**os.environ, **(environ or {})}), allowed=allowed)
    try:
        await here.begin()
        yield here
    finally:
        await here.source.close()


def real(**more: str) -> McpConfig:
    return McpConfig(command=(sys.executable, str(SUPPORT / "mcp_server.py")), env=more)


def raw(kind: str) -> McpConfig:
    return McpConfig(command=(sys.executable, str(SUPPORT / "raw_mcp.py"), kind))


async def test_a_real_server_over_standard_input_and_output(tmp_path: Path) -> None:
    note = tmp_path / "note"
    secret = {"SHOP_API_KEY": "sk-not-for-servers", "GREETING": "hello"}
    async with line(tmp_path, {"shop": real(NOTE=str(note), HELLO="$GREETING ${GREETING} $$")}, secret) as here:
        assert here.source.lines == ("✓ shop: 5 tools (shop 1.0)",)
        assert list(here.tools) == ["shop__add", "shop__environment", "shop__fail", "shop__picture", "shop__slow"]
        assert here.tools["shop__add"].spec.description == "[shop, an MCP server] Add two ␛[31mnumbers"
        assert (await here.call("shop__add", '{"a": 2, "b": 3}')).text == "5"
        assert here.asked == [Permission("mcp", "shop/add", 'shop/add {"a": 2, "b": 3}')]
        assert (await here.call("shop__picture")).text == "Look:\n\n[image image/png, 6 bytes: not shown]"
        failed = await here.call("shop__fail")
        assert not failed.ok
        assert "fail" in failed.text
        wrong = await here.call("shop__add", '{"a": "x"}')
        assert not wrong.ok
        seen = (await here.call("shop__environment")).text.split()
        assert {"HELLO", "NOTE", "PATH"} <= set(seen)
        assert not {"SHOP_API_KEY", "GREETING"} & set(seen)
        CALL.set("call-7")
        slow = asyncio.create_task(here.call("shop__slow"))
        async with asyncio.timeout(30):
            await here.progress.wait()
        assert here.printed == [("call-7", "1 of 4 begun")]
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        await until(note.exists)
        assert (await here.call("shop__add", '{"a": 1, "b": 1}')).text == "2"
        assert here.said == []


@pytest.fixture
def port() -> Iterator[int]:
    with reserved_port() as port:
        yield port


async def test_a_real_server_at_an_address_with_a_token_of_the_environment(tmp_path: Path, port: int) -> None:
    url, command = f"http://127.0.0.1:{port}/mcp", (sys.executable, str(SUPPORT / "mcp_server.py"), str(port), "t0ken")
    running = await asyncio.create_subprocess_exec(*command)
    try:
        async with asyncio.timeout(60):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                    continue
                writer.close()
                break
        known = McpConfig(url=url, headers={"Authorization": "Bearer $SHOP_TOKEN"}, tools=("add", "f*"))
        unknown = McpConfig(url=url)
        async with line(tmp_path, {"known": known, "unknown": unknown}, {"SHOP_TOKEN": "t0ken"}) as here:
            assert list(here.tools) == ["known__add", "known__fail"]
            assert here.source.lines[0] == "✓ known: 2 tools, 3 more left out (shop 1.0)"
            assert "unknown could not be started" in here.said[0]
            assert (await here.call("known__add", '{"a": 2, "b": 3}')).text == "5"
            running.kill()
            await running.wait()
            assert "has ended" in await here.refused("known__add", '{"a": 2, "b": 3}')
            assert len(here.said) == 2
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def test_names_are_safe_stable_and_short_and_nothing_a_server_says_goes_unasked(tmp_path: Path) -> None:
    async with line(tmp_path, {"b": raw("fine"), "a": raw("fine")}, allowed=False) as here:
        first = [name for name in here.tools if name.startswith("a__")]
        assert first == ["a__alpha_beta_gamma", first[1], "a__zeta"]
        assert len(first[1]) == 64
        assert [name.partition("__")[0] for name in here.tools] == list("aaabbb")
        description = here.tools["a__alpha_beta_gamma"].spec.description
        assert len(description) < 1000
        assert "[... 4,100 more characters]" in description
        answered = await here.call("a__zeta")
        assert (answered.ok, answered.summary) == (False, "not allowed")
        assert here.asked == [Permission("mcp", "a/zeta", "a/zeta {}")]
        assert "raw␛[31m" in here.source.lines[0]


async def test_a_server_is_told_of_the_project_only_where_that_is_wanted(tmp_path: Path) -> None:
    # Servers of files take what they are told in the place of what their command names.
    command = raw("fine").command
    async with line(
        tmp_path, {"not": McpConfig(command=command), "told": McpConfig(command=command, roots=True)}
    ) as here:
        assert [report.version for report in here.source.reports] == ["raw␛[31m 0", "raw␛[31m told of roots"]


async def test_what_servers_answer_is_never_obeyed_by_a_terminal_and_bounded(tmp_path: Path) -> None:
    async with line(tmp_path, {kind: raw(kind) for kind in ("fine", "large", "nonsense")}) as here:
        assert (await here.call("fine__zeta")).text == "called ␛]0;x␇zeta"
        large = await here.call("large__zeta")
        assert len(large.text) < 500_000
        assert large.text.endswith("[... more left out ...]")
        assert "nonsense gave an answer that is none" in await here.refused("nonsense__zeta")
        assert "not JSON" in await here.refused("fine__zeta", "{")
        assert "have to be a JSON object" in await here.refused("fine__zeta", "[1]")
        assert here.tools["fine__zeta"].title('{"a":\n"\x1b"}') == 'fine/zeta {"a": "␛"}'


async def test_servers_of_the_next_protocol_shake_no_hands(tmp_path: Path) -> None:
    async with line(tmp_path, {"modern": raw("modern")}) as here:
        assert here.said == []
        assert "modern__zeta" in here.tools


async def test_a_message_without_end_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdio, "MOST_MESSAGE", 100_000)
    async with line(tmp_path, {"large": raw("large")}) as here:
        assert "it sent a message that is too long" in await here.refused("large__zeta")
        assert here.said == ["The MCP server large has ended: it sent a message that is too long."]


async def addressed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server at an address that answers in JSON, a call packed or without an end."""
    while head := await reader.readuntil(b"\r\n\r\n"):
        found = re.search(rb"content-length: (\d+)", head.lower())
        request = json.loads(await reader.readexactly(int(found[1]))) if found is not None else {}
        more, name = "", request.get("params", {}).get("name", "")
        if "id" not in request:
            writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            continue
        result: dict[str, Any] = {
            "tools": [{"name": one, "inputSchema": {"type": "object"}} for one in ("long", "zip")]
        }
        if request["method"] == "initialize":
            version = request["params"]["protocolVersion"]
            info = {"name": "s", "version": "1"}
            result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
        elif name:
            result = {"content": [{"type": "text", "text": "x" * 50_000_000}]} if name == "zip" else {}
        body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}).encode()
        if name == "zip":
            body, more = gzip.compress(body, 1), "Content-Encoding: gzip\r\n"
        size = 10**12 if name == "long" else len(body)
        head_out = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{more}Content-Length: {size}\r\n\r\n"
        writer.write(head_out.encode() + body)
        with contextlib.suppress(ConnectionError):
            while name == "long":
                writer.write(b" " * 65536)
                await writer.drain()


async def test_an_answer_of_an_address_is_not_kept_without_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdio, "MOST_MESSAGE", 1_000_000)
    async with await asyncio.start_server(addressed, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        async with line(tmp_path, {"far": McpConfig(url=f"http://127.0.0.1:{port}/mcp", timeout=10)}) as here:
            assert "too long" in await here.refused("far__long")
            assert "Failed to parse" in await here.refused("far__zip"), "nothing packed was asked for"


async def test_what_a_server_is_given_as_a_secret_is_known(tmp_path: Path) -> None:
    words = ("written-down-1234", "of-the-environment-1", "in-a-header-1234567")
    there = msgspec.structs.replace(
        real(NOTE=str(tmp_path / "note"), SHOP_TOKEN=words[0]), env={"SHOP_TOKEN": words[0], "OTHER": "$SHOP_API_KEY"}
    )
    headers = {"Authorization": f"Bearer {words[2]}", "X-Plain": "plain-123456"}
    far = McpConfig(url="http://127.0.0.1:9/mcp", headers=headers)
    async with line(tmp_path, {"there": there, "far": far}, {"SHOP_API_KEY": words[1]}):
        assert KNOWN.redact(" ".join(words)) == "[key] [key] [key]"
        assert KNOWN.redact("plain-123456") == "plain-123456"


async def test_a_server_that_dies_is_said_once_and_started_once_more_on_the_next_call(tmp_path: Path) -> None:
    async with line(tmp_path, {"raw": raw("dies")}) as here:
        gone = await here.refused("raw__zeta", '{"die": true}')
        assert gone == "The MCP server raw has ended: exit status 7: out of memory. The next call starts it once more."
        assert here.said == ["The MCP server raw has ended: exit status 7: out of memory."]
        assert (await here.call("raw__zeta")).ok
        for _ in range(2):
            await here.refused("raw__zeta", '{"die": true}')
            assert (await here.call("raw__zeta")).ok
        assert (await here.refused("raw__zeta", '{"die": true}')).endswith("Go on without it.")
        await here.refused("raw__zeta")
        assert here.source.lines == ("✗ raw: exit status 7: out of memory",)


async def test_one_that_has_ended_before_it_is_spoken_to_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(_program: stdio.Program, _line: bytes) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(stdio.Program, "say", deaf)
    monkeypatch.setattr(stdio, "_GOODBYE", 30.0)
    async with line(tmp_path, {"crash": McpConfig(command=("sh", "-c", "echo no license >&2; exit 3"))}) as here:
        assert here.source.lines == ("✗ crash: exit status 3: no license",)


async def test_servers_that_cannot_be_had_are_a_line_each_and_hold_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_START", 3.0)
    monkeypatch.setattr(stdio, "_GOODBYE", 1.0)
    settings = {
        "fine": raw("fine"),
        "mute": raw("mute"),
        "missing": McpConfig(command=("no-such-program",)),
        "crash": McpConfig(command=("sh", "-c", "echo no license >&2; exit 3")),
        "unset": McpConfig(command=("true",), env={"KEY": "$NO_SUCH_VARIABLE"}),
        "off": McpConfig(command=("true",), off=True),
    }
    async with line(tmp_path, settings) as here:
        assert {name.partition("__")[0] for name in here.tools} == {"fine"}
        assert here.source.lines == (
            "✗ crash: exit status 3: no license",
            "✓ fine: 3 tools (raw␛[31m 0)",
            "✗ missing: there is no program 'no-such-program'",
            "✗ mute: it was not ready within 3 s",
            "○ off: switched off",
            "✗ unset: the variable NO_SUCH_VARIABLE is not set",
        )
        assert sorted(text.split(" could")[0] for text in here.said) == [
            f"The MCP server {name}" for name in ("crash", "missing", "mute", "unset")
        ]


async def test_other_tools_come_with_the_next_session_and_a_list_without_end_ends(tmp_path: Path) -> None:
    async with line(tmp_path, {"changes": raw("changes"), "endless": raw("endless")}) as here:
        before = list(here.tools)
        await here.call("changes__zeta")
        await here.until_said()
        assert here.said == ["The MCP server changes has other tools now: they come with the next session."]
        assert len(before) == 6


async def test_a_call_that_takes_too_long_says_how_to_give_it_longer(tmp_path: Path) -> None:
    silent = McpConfig(command=raw("silent").command, timeout=0.3)
    async with line(tmp_path, {"shop": silent}) as here:
        said = await here.refused("shop__zeta")
        assert said == "shop did not answer within 0.3 s. mcp.shop.timeout gives it longer."


async def test_nothing_is_left_behind_of_a_server_that_would_stay(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    inner = f"{sys.executable} {SUPPORT / 'raw_mcp.py'} stays & echo $! > {pid}; wait"
    # What it starts has its input, too.
    command = ("sh", "-c", f"exec 3<&0; ({inner.replace(' stays', ' stays <&3')})")
    async with line(tmp_path, {"raw": McpConfig(command=command)}) as here:
        assert (await here.call("raw__zeta")).ok
        child = int(pid.read_text())
        assert not ended(child)
    await until(lambda: ended(child))


@pytest.mark.skipif(
    not os.environ.get("PAIRLOOP_MCP_EVERYTHING"),
    reason="PAIRLOOP_MCP_EVERYTHING has to name dist/index.js of @modelcontextprotocol/server-everything",
)
async def test_the_reference_server(tmp_path: Path) -> None:
    command = ("node", os.environ["PAIRLOOP_MCP_EVERYTHING"], "stdio")
    told = {"every": McpConfig(command=command), "told": McpConfig(command=command, roots=True)}
    async with line(tmp_path, told) as here:
        assert here.said == []
        assert tmp_path.as_uri() in (await here.call("told__get-roots-list")).text
        assert (await here.call("every__echo", '{"message": "hi"}')).text == "Echo: hi"
        assert (await here.call("every__get-sum", '{"a": 1, "b": 2}')).text == "The sum of 1 and 2 is 3."
        assert "every__get-roots-list" not in here.tools  # it has that for those who tell of their roots
        assert "every__simulate-research-query" not in here.tools  # only as a task
        assert "[image image/png" in (await here.call("every__get-tiny-image")).text
        assert "conditions" in (await here.call("every__get-structured-content", '{"location": "New York"}')).text
        assert "[resource demo://" in (await here.call("every__get-resource-links")).text
        assert not (await here.call("every__echo", '{"bad": 1}')).ok
        # It has tools that ask the client back; a client that cannot is not offered them.
        assert not [name for name in here.tools if "sampling" in name or "elicitation" in name]
