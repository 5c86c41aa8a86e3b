"""A server that sends requests on, or tells without an end: keys and code go to nobody but the one that was named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from agent_core.errors import PartnerError
from agent_core.partners import wire
from agent_core.partners.client import Connection
from agent_core.partners.endpoint import Endpoint, Key
from tests.partners.talk import answer_of, model, request
from tests.support.model_server import ModelServer, text


@asynccontextmanager
async def leading(location: str) -> AsyncIterator[str]:
    """A server that answers everything with a redirection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 307 Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_nothing_is_sent_to_another_server(api: str) -> None:
    async with ModelServer([text("Hi.")]) as other, leading(f"{other.base_url}/{api}") as url:
        with pytest.raises(PartnerError, match=r"sends requests on to http://127\.0\.0\.1") as caught:
            await answer_of(model(api, url), request())
        assert other.requests == []
    assert caught.value.kind == "bad_request"
    assert "set base_url" in caught.value.hint


@pytest.mark.parametrize("header", ["", "api-key"])
async def test_nor_is_the_key_in_a_header_of_its_own(header: str) -> None:
    async with ModelServer() as other, leading(f"{other.base_url}/models") as url:
        connection = Connection(Endpoint(url, "m", Key("sk-secret-1234", "K"), 5.0, key_header=header))
        with pytest.raises(PartnerError, match="sends requests on"):
            await connection.models()
        await connection.close()
        assert other.received == []
    for there in ("http://other.example/v1", "ftp://127.0.0.1/v1"):
        async with leading(there) as url:
            with pytest.raises(PartnerError):
                await answer_of(model("chat", url), request())


@pytest.mark.parametrize(
    ("named", "asked", "stays"),
    [
        ("https://Host.example:443/v1", "https://host.example/v1/models", True),
        ("http://host.example/v1", "https://host.example/v1/models", True),
        ("http://host.example:8000/v1", "http://host.example:8000/other", True),
        ("http://bücher.example/v1", "http://xn--bcher-kva.example/v1", True),
        ("https://host.example/v1", "http://host.example/v1", False),
        ("http://host.example:8000/v1", "http://host.example:8001/v1", False),
        ("https://host.example/v1", "https://host.example.org/v1", False),
    ],
)
async def test_where_a_server_may_lead(named: str, asked: str, *, stays: bool) -> None:
    request = wire._HTTPX.Request("GET", asked)
    endpoint = Endpoint(named, "m", Key("", "K"), 5.0)
    if stays:
        await wire._stay(endpoint, request)
    else:
        with pytest.raises(PartnerError, match="sends requests on"):
            await wire._stay(endpoint, request)


async def test_a_list_of_models_without_an_end_is_read_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_MOST_LISTED", 200_000)
    sent = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        with suppress(ConnectionError):
            while sent < 50_000_000:
                writer.write(b" " * 65536)
                sent += 65536
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        connection = Connection(Endpoint(url, "m", Key("", "K"), 5.0))
        async with asyncio.timeout(20):
            assert await connection.listed() == []
        await connection.close()
    assert sent < 50_000_000
