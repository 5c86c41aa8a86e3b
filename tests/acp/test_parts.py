"""The parts by themselves: a slow editor, a line that is too long, words, what is told of texts that are none."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import acp
from acp import start_tool_call, update_agent_message_text, update_tool_call
from acp.schema import EnvVariable, McpServerStdio

from agent_core.acp import words
from agent_core.acp.diffs import diffs
from agent_core.acp.outbox import Outbox
from agent_core.acp.prompts import mention
from agent_core.acp.servers import tables
from agent_core.acp.wire import Wire
from agent_core.patch.model import FilePatch, Patch


class Slow:
    """An editor that takes one update at a time."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.free = asyncio.Event()

    async def session_update(self, _session: str, update: Any) -> None:
        await self.free.wait()
        self.taken.append(update)


async def test_a_slow_editor_gets_fewer_updates_and_loses_nothing() -> None:
    editor = Slow()
    outbox = Outbox(cast("acp.Client", editor), "s")
    sending = asyncio.create_task(outbox.run())
    outbox.put(update_agent_message_text("first "))
    await asyncio.sleep(0)
    outbox.put(start_tool_call("t", "a tool", status="in_progress"))
    for number in range(1000):
        outbox.put(update_agent_message_text(f"{number} "))
        outbox.put(update_tool_call("t", title=f"at {number}"))
    outbox.put(update_tool_call("t", status="completed"))
    editor.free.set()
    await asyncio.wait_for(outbox.flush(), 30)
    kinds = [one.session_update for one in editor.taken]
    assert kinds == ["agent_message_chunk", "tool_call", "agent_message_chunk"]
    assert (editor.taken[1].title, editor.taken[1].status) == ("at 999", "completed")
    assert editor.taken[2].content.text == "".join(f"{number} " for number in range(1000))
    sending.cancel()


async def test_an_editor_that_is_gone_is_told_nothing() -> None:
    class Gone:
        async def session_update(self, _session: str, _update: Any) -> None:
            raise ConnectionError

    outbox = Outbox(cast("acp.Client", Gone()), "s")
    outbox.put(update_agent_message_text("hello?"))
    await asyncio.wait_for(outbox.run(), 30)
    outbox.put(update_agent_message_text("hello?"))
    await asyncio.wait_for(outbox.flush(), 30)


async def test_a_line_that_is_too_long_is_left_out() -> None:
    reader = asyncio.StreamReader(limit=100)
    told = bytearray()

    class Writer:
        def write(self, data: bytes) -> None:
            told.extend(data)

        async def drain(self) -> None: ...

    wire = Wire(reader, cast("asyncio.StreamWriter", Writer()))
    reader.feed_data(b'{"method": "' + b"x" * 5000)
    reader.feed_data(b'"}\n{"method": "a", "params": {}}\n{"id": 1}')
    reader.feed_eof()
    assert await wire.receive() == {"method": "a", "params": {}}
    assert await wire.receive() == {"id": 1}
    assert await wire.receive() is None
    assert told.count(b"\n") == 1
    assert b"this one was left out" in told


def test_nothing_in_a_name_or_an_output_becomes_markup() -> None:
    assert words.plain("a*b*[c](d)<img>`e`\x1b[1m") == r"a\*b\*\[c\](d)\<img\>\`e\`␛\[1m"
    assert words.title("x\n[a](http://b) `c`\x07") == "x [a] (http://b) 'c'␇"
    assert words.fenced("```\nout\n````") == "`````\n```\nout\n````\n`````"
    assert words.aside("One.\nTwo.", "Do this.") == "\n\n> One.\n> Two. Do this.\n\n"


def test_what_an_editor_points_at(tmp_path: Path) -> None:
    assert mention((tmp_path / "a b.py").as_uri(), tmp_path) == "a b.py"
    assert mention(f"{(tmp_path / 'x.py').as_uri()}#L10-20", tmp_path) == "x.py (L10-20)"
    assert mention("file:///etc/passwd", tmp_path) == "/etc/passwd"
    assert mention("https://example.com/a", tmp_path) == "https://example.com/a"
    assert mention("zed:///agent/thread/1", tmp_path) == "zed:///agent/thread/1"


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    contents = {"b": b"\x00\x01", "t": b"old\n", "n": b"new\n"}
    files = (
        FilePatch("a.bin", "update", "t", "b", 0o100644, 0o100644, ()),
        FilePatch("gone.py", "delete", "t", None, 0o100644, 0, ()),
        FilePatch("new.py", "move", "t", "n", 0o100644, 0o100644, (), moved_from="old.py"),
        FilePatch("run.sh", "update", "t", "t", 0o100644, 0o100755, ()),
        FilePatch("empty.py", "add", None, "e", 0, 0o100644, ()),
    )
    shown = diffs(Patch(files), tmp_path, (contents | {"e": b""}).__getitem__)
    told = [(part.path, part.old_text, part.new_text) if part.type == "diff" else part.content.text for part in shown]
    assert told == [
        "update a.bin (no text, or too much of it to be shown here)",
        (str(tmp_path / "gone.py"), "old\n", ""),
        "gone.py is deleted",
        (str(tmp_path / "new.py"), "old\n", "new\n"),
        "old.py becomes new.py",
        "run.sh: mode 100644 becomes 100755",
        (str(tmp_path / "empty.py"), None, ""),
    ]


def test_what_the_editor_gives_its_servers_is_given_as_it_is() -> None:
    server = McpServerStdio(
        name="db", command="serve", args=["$HOME"], env=[EnvVariable(name="PASSWORD", value="a$HOME$")]
    )
    found, left = tables([server])
    assert (found["db"], left) == ({"command": ["serve", "$HOME"], "env": {"PASSWORD": "a$$HOME$$"}}, "")
