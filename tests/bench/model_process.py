"""A model server in a process of its own, that says what a file tells it to and when it was asked; for the benchmarks.

    python tests/bench/model_process.py SCRIPT.json

The file has a list of answers, one for each request: ``text`` and ``calls`` (lists of name and arguments). Beyond the
last one it says "Done.". It speaks both APIs, keeps connections, and answers at once. On standard output comes first
its address, then a line of JSON for each request: when it had come, when the answer was out (seconds of the system's
monotonic clock, which all processes share), how long it was, and its path.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.answers import Answer, Call, chat_events, responses_events  # noqa: E402 - found by the line above


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes:
        came: When the last byte of it was read.
        answered: When the last byte of the answer was written.
        size: Its length in bytes.
        path: Which API.
    """

    came: float
    answered: float
    size: int
    path: str


@dataclass(frozen=True)
class Served:
    """A server under way.

    Attributes:
        base_url: Its address.
        log: The file that it writes what it was asked into.
    """

    base_url: str
    log: Path

    def asked(self) -> list[Asked]:
        """The requests so far."""
        return [Asked(**json.loads(line)) for line in self.log.read_text().splitlines()[1:]]


@contextmanager
def serving(answers: Sequence[dict[str, Any]]) -> Iterator[Served]:
    """Have a server say something, and end it.

    Args:
        answers: As in the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        script, log = Path(folder) / "script.json", Path(folder) / "log"
        script.write_text(json.dumps(list(answers)))
        with log.open("w") as out, subprocess.Popen([sys.executable, __file__, str(script)], stdout=out) as server:
            try:
                until = time.monotonic() + 30
                while not log.read_text().endswith("\n"):
                    if server.poll() is not None or time.monotonic() > until:
                        raise SystemExit("the model server does not start")
                    time.sleep(0.01)
                yield Served(log.read_text().splitlines()[0], log)
            finally:
                server.send_signal(signal.SIGTERM)


async def _serve(answers: list[dict[str, Any]], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path, _ = head.split(" ", 2)
            length = next(
                (int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0
            )
            body = await reader.readexactly(length)
            came = time.monotonic()
            if method != "POST":
                listed = json.dumps({"object": "list", "data": [{"id": "bench", "object": "model"}], "models": []})
                _whole(writer, listed.encode())
                continue
            await _answer(writer, path, json.loads(body), answers.pop(0) if answers else {"text": "Done."})
            told = Asked(came, time.monotonic(), length, path)
            print(json.dumps(told.__dict__), flush=True)


async def _answer(writer: asyncio.StreamWriter, path: str, asked: dict[str, Any], said: dict[str, Any]) -> None:
    calls = tuple(Call(name, arguments) for name, arguments in said.get("calls", ()))
    answer = Answer(text=said.get("text", ""), calls=calls, piece=40)
    if path.endswith("/responses"):
        events, final = responses_events(answer, 1)
    else:
        events, final = chat_events(answer, 1, usage=True)
    if not asked.get("stream"):
        message = {"role": "assistant", "content": answer.text}
        whole = {
            "id": "x",
            "object": "chat.completion",
            "model": "bench",
            "choices": [{"index": 0, "message": message}],
        }
        _whole(writer, json.dumps(whole).encode())
        return
    lines = ["HTTP/1.1 200 OK", "content-type: text/event-stream", "transfer-encoding: chunked", "", ""]
    writer.write("\r\n".join(lines).encode())
    for event in (*events, *final):
        data = event if isinstance(event, str) else json.dumps(event)
        name = f"event: {event['type']}\n" if isinstance(event, dict) and "type" in event else ""
        block = f"{name}data: {data}\n\n".encode()
        writer.write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _whole(writer: asyncio.StreamWriter, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


async def _main(answers: list[dict[str, Any]]) -> None:
    server = await asyncio.start_server(
        lambda reader, writer: _serve(answers, reader, writer), "127.0.0.1", 0, limit=1 << 24
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(json.loads(Path(sys.argv[1]).read_text())))
