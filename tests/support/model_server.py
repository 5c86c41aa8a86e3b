"""A real HTTP server on loopback that speaks OpenAI's two APIs and says what a test tells it to.

Answers are built with `text`, `call`, `reasoning`, `fault`, joined with ``+``, and played in order::

    async with ModelServer([text("I look.") + call("read_file", path="a.py"), text("Done.")]) as server:
        ...  # talk to server.base_url
    assert server.requests[1].body["input"][: len(server.requests[0].body["input"])] == ...

Which API is spoken follows from the path asked for. Every connection is closed after its answer; with the fault
``keep``, only when the next request comes over it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.support.answers import (
    Answer,
    FaultKind,
    call,
    chat_events,
    create,
    delete,
    error,
    events,
    fault,
    held,
    raw_call,
    reasoning,
    responses_events,
    split_at,
    text,
    update,
)

__all__ = [
    "Answer",
    "ModelServer",
    "Received",
    "call",
    "create",
    "delete",
    "error",
    "events",
    "fault",
    "held",
    "raw_call",
    "reasoning",
    "text",
    "update",
]

Scripted = Answer | Callable[["Received"], Answer]


@dataclass(frozen=True)
class Received:
    """A request as the server got it."""

    path: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.raw)

    @property
    def api(self) -> str:
        """``responses`` or ``chat``."""
        return "responses" if self.path.partition("?")[0].endswith("/responses") else "chat"


class ModelServer:
    """The server, as an async context manager.

    Args:
        answers: Played in order, one a request; a callable gets the request and decides late. A request
            beyond the last gets status 500.
        models: What ``/v1/models`` lists.
        port: Where it listens; 0 for any that is free.
        refuses: Top-level fields that this server answers with status 400, as strict ones do.
        unknown_tools: Types of tools that it answers so, in OpenAI's words.
        tells: What it tells of each model in its list beside its id.
        beside: What it answers at addresses of its own, under its address without ``/v1``.

    Attributes:
        received: Every request, in order.
        requests: Those that an answer was played to.
        asked: Set when the first of them has come.
        hung_up: Set when the other side closed its connection in the middle of an answer.
        closed_kept: How many kept connections were closed as the next request came.
    """

    def __init__(
        self,
        answers: Sequence[Scripted] = (),
        *,
        models: Sequence[str] = ("test-model",),
        port: int = 0,
        refuses: Sequence[str] = (),
        unknown_tools: Sequence[str] = (),
        tells: Mapping[str, Any] | None = None,
        beside: Mapping[str, Any] | None = None,
    ) -> None:
        self._answers = list(answers)
        self._models = tuple(models)
        self._port = port
        self._refuses = tuple(refuses)
        self._unknown_tools = tuple(unknown_tools)
        self._tells = dict(tells or {})
        self._beside = dict(beside or {})
        self._server: asyncio.Server | None = None
        self._handlers: set[asyncio.Task[None]] = set()
        self.received: list[Received] = []
        self.requests: list[Received] = []
        self.asked = asyncio.Event()
        self.hung_up = asyncio.Event()
        self.closed_kept = 0

    @property
    def base_url(self) -> str:
        """The address to configure."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}/v1"

    def add(self, *answers: Scripted) -> None:
        """Play these after those that are left."""
        self._answers += answers

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._handlers:
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            self._handlers.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = head.split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Received(path, headers, body)
        self.received.append(request)
        if method == "GET" and path.endswith("/models"):
            data = [{"id": name, "object": "model", **self._tells} for name in self._models]
            listed = {"object": "list", "data": data}
            await _send(writer, 200, "application/json", json.dumps(listed).encode())
            return
        if path in self._beside:
            await _send(writer, 200, "application/json", json.dumps(self._beside[path]).encode())
            return
        if method != "POST" or not path.partition("?")[0].endswith(("/responses", "/chat/completions")):
            await _send(writer, 404, "application/json", b'{"error": {"message": "no such address"}}')
            return
        if refusal := self._refusal(request.body):
            body = json.dumps({"error": {"message": refusal, "code": None}}).encode()
            await _send(writer, 400, "application/json", body)
            return
        self.requests.append(request)
        self.asked.set()
        answer = self._answers.pop(0) if self._answers else error(500, "the test server has no more answers")
        if not isinstance(answer, Answer):
            answer = answer(request)
        await self._play(answer, request, reader, writer)

    def _refusal(self, body: Mapping[str, Any]) -> str:
        """What is said to a request that this server does not take; empty for the others."""
        fields = [f"Unknown parameter: '{name}'." for name in self._refuses if name in body]
        types = [tool["type"] for tool in body.get("tools", ()) if tool["type"] in self._unknown_tools]
        return (*fields, *(f"Tool '{name}' is not supported with {body['model']}." for name in types), "")[0]

    async def _play(
        self, answer: Answer, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if answer.fault == "drop":
            return
        if answer.fault == "mute":
            await self._until_hung_up(reader)
            return
        if answer.status != 200:
            body = answer.error if isinstance(answer.error, str) else json.dumps(answer.error)
            await _send(writer, answer.status, "application/json", body.encode(), answer.headers)
        elif answer.fault == "gzip":
            headers = {"content-encoding": "gzip"}
            await _send(writer, 200, "text/event-stream", b"this is not zipped", headers)
        elif answer.fault == "empty":
            await _send(writer, 200, "text/event-stream", b"")
        elif answer.fault == "html":
            await _send(writer, 200, "text/html; charset=utf-8", b"<html><body>Please sign in</body></html>")
        elif answer.fault == "json":
            await _send(writer, 200, "application/json", b'{"object": "something else"}')
        else:
            await self._stream(answer, request, reader, writer)

    async def _stream(
        self, answer: Answer, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        headers = {"content-type": "text/event-stream", "transfer-encoding": "chunked", **answer.headers}
        writer.write(_head(200, headers, keep=answer.fault == "keep"))
        number = len(self.requests)
        named = request.api == "responses"
        if named:
            body_events, final = responses_events(answer, number)
        else:
            usage = bool((request.body.get("stream_options") or {}).get("include_usage"))
            body_events, final = chat_events(answer, number, usage=usage)
        before, after = split_at(body_events, answer.at)
        if answer.fault != "stall_at_once":
            for event in before:
                await _event(writer, event, named=named)
        if answer.hold is not None:
            await self._hold(answer.hold, reader)
        if await self._go_wrong(answer.fault, request, reader, writer):
            return
        going_on = answer.fault != "no_final" and (answer.at == "end" or answer.fault == "unknown")
        for event in (*after, *final) if going_on else ():
            await _event(writer, event, named=named)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        if answer.fault == "keep":
            await reader.readuntil(b"\r\n\r\n")
            self.closed_kept += 1

    async def _go_wrong(
        self, fault: FaultKind | None, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Do what an answer does wrong in its middle; gives whether that was its end."""
        match fault:
            case "stall" | "stall_at_once":
                await writer.drain()
                await self._until_hung_up(reader)
                return True
            case "cut" | "half":
                # A chunk that promises more than comes (or an event without its end), then the connection's.
                block = b'data: {"type": "response.out'
                writer.write(b"400\r\n" + block if fault == "cut" else b"%x\r\n%b\r\n" % (len(block), block))
                await writer.drain()
                return True
            case "reset":
                await writer.drain()
                writer.transport.abort()
                return True
            case "pings" | "endless" | "rut":
                gone = asyncio.ensure_future(self._until_hung_up(reader))
                with contextlib.suppress(ConnectionError):
                    await self._go_on(fault, request, writer, gone)
                gone.cancel()
                self.hung_up.set()
                return True
            case "huge_event":
                with contextlib.suppress(ConnectionError):
                    for _ in range(40):
                        await _chunk(writer, b"data: " + b"x" * 100_000)
                return True
            case "utf8":
                await _chunk(writer, b'data: {"type": "\xff\xfe"}\n\n')
            case "garbage":
                await _event(writer, "{broken", named=False)
            case "not_an_object":
                await _event(writer, "[1, 2]", named=False)
            case "error_event":
                wrong = {"message": "The upstream went away.", "code": "server_error", "type": "server_error"}
                await _event(writer, {"error": wrong} | ({"type": "error"} if request.api == "responses" else {}))
            case "unknown":
                await _event(writer, {"type": "response.never_heard_of.delta", "delta": {"x": [1]}, "choices": "none"})
            case _:
                pass
        return False

    async def _go_on(
        self, fault: FaultKind, request: Received, writer: asyncio.StreamWriter, gone: asyncio.Future[None]
    ) -> None:
        """Say the same, or something else, without an end: until nobody listens any more."""
        number = 0
        while not gone.done():
            number += 1
            if fault == "pings":
                await _chunk(writer, b": ping\n\n")
                await asyncio.wait({gone}, timeout=0.02)
                continue
            words = "I will now look at it. " if fault == "rut" else f"step {number} of {number * 7}, "
            said: dict[str, Any] = {"type": "response.output_text.delta", "item_id": "msg_1", "delta": words}
            if request.api == "chat":
                said = {"choices": [{"index": 0, "delta": {"content": words}}]}
            await _event(writer, said)
            await asyncio.sleep(0)

    async def _hold(self, hold: Callable[[], Awaitable[None]], reader: asyncio.StreamReader) -> None:
        """Wait for the test, or for the other side to hang up."""
        waiting = asyncio.ensure_future(hold())
        gone = asyncio.ensure_future(self._until_hung_up(reader))
        await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
        for future in (waiting, gone):
            future.cancel()

    async def _until_hung_up(self, reader: asyncio.StreamReader) -> None:
        await reader.read()
        self.hung_up.set()


def _head(status: int, headers: Mapping[str, str], *, keep: bool = False) -> bytes:
    connection = f"connection: {'keep-alive' if keep else 'close'}"
    lines = [f"HTTP/1.1 {status} Said", connection, *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _send(
    writer: asyncio.StreamWriter, status: int, kind: str, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    writer.write(_head(status, {"content-type": kind, "content-length": str(len(body)), **(headers or {})}) + body)
    await writer.drain()


async def _chunk(writer: asyncio.StreamWriter, block: bytes) -> None:
    writer.write(f"{len(block):x}\r\n".encode() + block + b"\r\n")
    await writer.drain()


async def _event(writer: asyncio.StreamWriter, event: dict[str, Any] | str, *, named: bool = False) -> None:
    data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
    name = f"event: {event['type']}\n" if named and isinstance(event, dict) and "type" in event else ""
    await _chunk(writer, f"{name}data: {data}\n\n".encode())
