"""``pairloop acp`` as a program, driven by the library's own client."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import acp
import pytest

from tests.acp.editor import PATIENCE, ended, program
from tests.support.running import stored
from tests.support.shop import MENDED, RIGHT_AT_ONCE, make_quick_shop, theirs, tree
from tests.test_resume import write_script

BAD = """*** Begin Patch
*** Update File: shop/prices.py
@@
-    for price in prices[1:]:
+    for price in prices
*** End Patch"""
GOOD = """*** Begin Patch
*** Update File: shop/prices.py
@@
-    for price in prices
+    for price in prices:
*** End Patch"""


async def test_red_then_revised_then_allowed_then_taken_back(tmp_path: Path) -> None:
    project = make_quick_shop(tmp_path / "shop")
    before = tree(project)
    script = write_script(tmp_path / "script.json", BAD, GOOD)
    async with program("--script", str(script)) as (editor, process):
        session = await editor.open(project)
        turn = editor.say(session, "test_total fails; mend it")
        first = await editor.question()
        assert first.call.tool_call_id == "proposal-1"
        assert "breaks" in str(first.call.title)
        kinds = {name: option.kind for name, option in first.options.items()}
        assert kinds == {"accept": "allow_once", "go": "reject_once", "reject": "reject_once", "words": "reject_once"}
        diff = next(part for part in first.call.content or [] if part.type == "diff")
        assert diff.path == str(project / "shop/prices.py")
        assert diff.old_text == (project / "shop/prices.py").read_text()
        assert diff.new_text == diff.old_text.replace("prices[1:]:", "prices")
        assert "broken: shop/prices.py:7" in str(first.call.content)
        assert editor.call("Check syntax")["status"] == "failed"
        assert "shop/prices.py:7" in str(editor.call("Check syntax")["content"])
        assert tree(project) == before

        first.choose("go")
        second = await editor.question(2)
        assert "breaks nothing" in str(second.call.title)
        assert editor.calls()["proposal-1"]["status"] == "failed"
        assert tree(project) == before

        second.choose("accept")
        assert await ended(turn) == "end_turn"
        assert (project / "shop/prices.py").read_text() == MENDED
        assert {path for path, data in theirs(project).items() if data != before.get(path)} == {"shop/prices.py"}
        assert editor.calls()["proposal-2"]["status"] == "completed"
        assert "landing 1" in editor.calls()["proposal-2"]["title"]
        assert editor.call("read shop/prices.py")["kind"] == "read"
        assert editor.call("read shop/prices.py")["locations"][0]["path"] == str(project / "shop/prices.py")
        assert "Let me look." in editor.words()
        assert not editor.words("user_message_chunk")

        assert await ended(editor.say(session, "/undo")) == "end_turn"
        assert theirs(project) == before
        assert "Landing 1 was taken back: shop/prices.py." in editor.words()
    assert process.returncode == 0


async def test_killed_then_loaded_the_proposal_is_asked_again(tmp_path: Path) -> None:
    project = make_quick_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with program("--script", str(script)) as (editor, process):
        session = await editor.open(project)
        editor.say(session, "mend total").add_done_callback(lambda turn: turn.exception())
        await editor.question()
        process.kill()
        await process.wait()
    assert stored(project, session).waiting == 1

    async with program("--script", str(script)) as (editor, _):
        listed = await editor.agent.list_sessions(cwd=str(project))
        assert [(one.session_id, one.title) for one in listed.sessions] == [(session, "mend total")]
        await editor.agent.load_session(cwd=str(project), session_id=session, mcp_servers=[])
        assert editor.words("user_message_chunk") == "mend total"
        assert "Let me look." in editor.words()
        again = await editor.question()
        assert again.call.tool_call_id == "proposal-1"
        again.choose("accept")
        await editor.until(lambda: editor.calls()["proposal-1"].get("status") == "completed")
        assert (project / "shop/prices.py").read_text() == MENDED


def talk(*lines: bytes) -> tuple[list[dict[str, Any]], str, int]:
    """What the program answers to these lines, what it complains of, and how it ends."""
    awaited = {number for line in lines if b'"method": "' in line and isinstance(number := _id_of(line), int)}
    answers: list[dict[str, Any]] = []
    with subprocess.Popen(
        [sys.executable, "-m", "tui", "acp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
    ) as program:
        late = threading.Timer(PATIENCE, program.kill)
        late.start()
        try:
            assert program.stdin is not None
            assert program.stdout is not None
            program.stdin.write(b"".join(line + b"\n" for line in lines))
            program.stdin.flush()
            # An editor that is gone is answered nothing: the line stays open until all is answered.
            while awaited - {answer.get("id") for answer in answers} and (said := program.stdout.readline()):
                answers.append(json.loads(said))
            rest, complaints = program.communicate()
        finally:
            late.cancel()
    return [*answers, *map(json.loads, rest.splitlines())], complaints.decode(), program.returncode


def _id_of(line: bytes) -> object:
    try:
        return json.loads(line).get("id")
    except (ValueError, AttributeError, RecursionError):
        return None


def request(number: int, method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()


def test_garbage_on_the_line_ends_nothing(tmp_path: Path) -> None:
    deep = b"[" * 100_000
    answers, complaints, code = talk(
        b"hello?",
        b"\xff\xfe\x00",
        deep,
        b"[1, 2]",
        b"null",
        b'{"jsonrpc": "2.0"}',
        b'{"jsonrpc": "2.0", "id": {}, "result": 1}',
        b'{"jsonrpc": "2.0", "id": 99, "error": "no"}',
        b'{"jsonrpc": "2.0", "id": 99, "result": null}',
        b'{"jsonrpc": "2.0", "id": 1, "method": 7}',
        request(2, "no/such/method"),
        request(3, "session/new", cwd=7),
        request(4, "session/new", cwd="relative", mcpServers=[]),
        request(5, "session/new", cwd=str(tmp_path / "gone"), mcpServers=[]),
        request(6, "session/prompt", sessionId="../../x", prompt=[{"type": "text", "text": "hi"}]),
        request(7, "session/load", sessionId="../../x", cwd=str(tmp_path), mcpServers=[]),
        b'{"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": "x"}}',
        b'{"jsonrpc": "2.0", "method": "no/such/notification"}',
        request(8, "initialize", protocolVersion=99),
    )
    by_id = {answer["id"]: answer for answer in answers}
    refused = [answer["error"]["code"] for answer in answers if answer["id"] is None]
    assert sorted(refused) == [-32700] * 3 + [-32600] * 6
    assert [by_id[number]["error"]["code"] for number in range(2, 8)] == [
        -32601,
        -32602,
        -32602,
        -32602,
        -32002,
        -32002,
    ]
    assert "absolute path" in by_id[4]["error"]["message"]
    assert "is not a folder" in by_id[5]["error"]["message"]
    assert by_id[8]["result"]["protocolVersion"] == acp.PROTOCOL_VERSION
    assert by_id[8]["result"]["authMethods"][0]["id"] == "key"
    assert "OPENAI_API_KEY" in by_id[8]["result"]["authMethods"][0]["description"]
    assert "Traceback" not in complaints
    assert code == 0


def test_without_an_editor_it_says_so(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.write_text("")
    with nothing.open() as stdin:
        done = subprocess.run(
            [sys.executable, "-m", "tui", "acp"], stdin=stdin, capture_output=True, timeout=PATIENCE, check=False
        )
    assert done.returncode == 2
    assert b"for an editor to start" in done.stderr
    assert not done.stdout


async def test_an_editor_that_goes_leaves_a_session_that_goes_on(tmp_path: Path) -> None:
    project = make_quick_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    async with program("--script", str(script)) as (editor, process):
        session = await editor.open(project)
        turn = editor.say(session, "mend total")
        await editor.question()
    assert process.returncode == 0
    with pytest.raises((ConnectionError, asyncio.CancelledError)):
        await turn
    assert stored(project, session).waiting == 1
