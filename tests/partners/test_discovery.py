"""What listens on this machine is found, and nothing else is asked."""

from __future__ import annotations

import asyncio
import json
import time

import msgspec
import pytest

from agent_core.config_tables import Config, PartnerConfig
from agent_core.partners import beginning
from agent_core.partners.beginning import begin
from agent_core.partners.build import NoPartnerError
from agent_core.partners.discovery import Found, discover
from agent_core.partners.presets import Preset, presets
from agent_core.partners.several import Partners
from tests.support.model_server import ModelServer

CHUNKED = (
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"dat\r\n10\r\na": [{"id":"m"}]\r\n1\r\n}\r\n0\r\n\r\n'
)


def at(base_url: str, name: str = "ollama") -> Preset:
    """A preset that is somewhere else."""
    return msgspec.structs.replace(presets()[name], base_url=base_url)


async def test_what_listens_is_found_with_its_models_in_the_order_of_the_presets() -> None:
    async with ModelServer(models=("a", "b")) as one, ModelServer(models=("c",)) as two:
        found = await discover(
            [at(one.base_url), at("http://127.0.0.1:9/v1", "vllm"), at(two.base_url, "lmstudio")], 30
        )
    assert [(one.preset.name, one.models) for one in found] == [("ollama", ("a", "b")), ("lmstudio", ("c",))]
    assert found[0].told == f"Ollama at {found[0].place}, with a and 1 more"
    # No key, nothing but the list of models.
    assert [(request.path, request.raw) for request in one.received] == [("/v1/models", b"")]
    assert "authorization" not in one.received[0].headers


async def test_nothing_but_loopback_is_asked() -> None:
    async with ModelServer() as server:
        port = server.base_url.rpartition(":")[2]
        assert await discover([at(f"http://localhost.example:{port}"), at(f"http://0.0.0.0:{port}")], 30) == ()
        remote = msgspec.structs.replace(presets()["groq"], base_url=server.base_url)
        assert await discover([remote], 30) == ()
    assert server.received == []


async def test_a_list_in_the_smallest_pieces_is_put_together_at_once() -> None:
    models = json.dumps({"data": [{"id": f"model-{number}"} for number in range(4000)]})
    body = "".join(f"1\r\n{letter}\r\n" for letter in models) + "0\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        began = time.process_time()
        (found,) = await discover([at(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")], 60)
    # Copied anew for each piece it would take ten times as long.
    assert time.process_time() - began < 3.0
    assert found.models[-1] == "model-3999"


async def test_who_listens_and_says_nothing_is_not_waited_for() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server, ModelServer() as good:
        mute_at = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        began = time.monotonic()
        found = await discover([at(mute_at), at(good.base_url, "vllm")], 2.0)
        assert time.monotonic() - began < 30
    assert [one.preset.name for one in found] == ["vllm"]


@pytest.mark.parametrize(
    ("answer", "closed"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", True),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", None),
        (b'HTTP/1.1 200 OK\r\n\r\n{"data": [{"id": 3}, "x"]}', None),
        (b'HTTP/1.1 200 OK\r\n\r\n["data"]', None),
        (b"SSH-2.0-OpenSSH\r\n", None),
        (CHUNKED, False),
    ],
)
async def test_whatever_listens_there(answer: bytes, closed: bool | None) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0)
    async with server:
        found = await discover([at(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", "litellm")], 30)
    assert [one.closed for one in found] == ([] if closed is None else [closed])


async def test_without_key_and_address_what_listens_proposes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ModelServer(models=("a", "b")) as server:
        here = PartnerConfig(base_url=server.base_url)
        found = (Found(at(server.base_url), ("a", "b")), Found(presets()["litellm"], closed=True))

        async def look() -> tuple[Found, ...]:
            return found

        monkeypatch.setattr(beginning, "discover", look)
        begun = await begin(Partners(Config(partners={"ollama": here}), {}))
        assert begun.model.now.name == begun.model.info.entry == "ollama"
        assert "Found Ollama at" in begun.found
        assert "Also there: LiteLLM at 127.0.0.1:4000, which wants a key (LITELLM_API_KEY)." in begun.found
        assert 'preset = "ollama"' in begun.hint
        # A model that was asked for and is nowhere is not replaced by another.
        with pytest.raises(NoPartnerError) as caught:
            await begin(Partners(Config(partner=PartnerConfig(model="gpt-x")), {}))
        assert "but no gpt-x: pairloop --partner ollama" in caught.value.hint
        # Who has a key, or does not want it, is left alone.
        assert (await begin(Partners(Config(), {"OPENAI_API_KEY": "sk-1234567890"}))).found == ""
        # Where nobody is looked for, and none is named, the built-in one is left.
        alone = await begin(Partners(Config(partner=PartnerConfig(discover=False)), {}))
        assert (alone.model.info.kind, alone.model.info.entry, alone.model.now.name) == ("offline", *["builtin"] * 2)
        assert alone.found.startswith("No key is set, so the built-in partner proposes")
        assert "pairloop key set" in alone.hint


async def test_without_anybody_the_built_in_partner_proposes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody() -> tuple[Found, ...]:
        return ()

    monkeypatch.setattr(beginning, "discover", nobody)
    begun = await begin(Partners(Config(), {}))
    assert begun.model.info.name == "the built-in partner (no model)"
    assert begun.found.startswith("No key is set and no local server was found, so the built-in partner proposes")

    async def closed() -> tuple[Found, ...]:
        return (Found(presets()["litellm"], closed=True),)

    monkeypatch.setattr(beginning, "discover", closed)
    begun = await begin(Partners(Config(), {}))
    assert begun.model.info.kind == "offline"
    assert "There is LiteLLM at 127.0.0.1:4000, which wants a key (LITELLM_API_KEY)." in begun.found
    # Whoever is named is that one or nobody.
    for named in (PartnerConfig(model="gpt-x"), PartnerConfig(use="openai"), PartnerConfig(preset="openai")):
        with pytest.raises(NoPartnerError):
            await begin(Partners(Config(partner=named), {}))
    with pytest.raises(NoPartnerError):
        await begin(Partners(Config(partner=PartnerConfig(base_url="https://api.openai.com/v1")), {}))
