"""Reading server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.errors import PartnerError
from agent_core.partners.sse import _MOST, PING, events


async def read(chunks: Sequence[bytes]) -> list[dict[str, Any]]:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return [event async for event in events(body()) if event != {"type": PING}]


JSON = st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text()), max_size=4)


@given(st.lists(JSON, max_size=4), st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(1, 40), min_size=1))
async def test_events_survive_any_cutting(sent: list[dict[str, Any]], end: str, sizes: list[int]) -> None:
    lines: list[str] = []
    for event in sent:
        # Over several lines: whoever takes half of a CRLF for an empty line tears the event apart.
        data = json.dumps(event, ensure_ascii=False, indent=1).split("\n")
        lines += [": a comment", *(f"data: {line}" for line in data), ""]
    stream = (end.join(lines) + end).encode("utf-8", "surrogatepass") if lines else b""
    chunks: list[bytes] = []
    while stream:
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(stream[:size])
        stream = stream[size:]
    assert await read(chunks) == sent


async def test_what_the_format_allows() -> None:
    stream = (
        b'\n\n: ping\n\nevent: a\ndata:{"x":\ndata: 1}\n\nretry: 5\nid: 3\nnonsense\n\nevent: alone\n\n'
        b'data: {"type": "own", "y": "\xe2\x80\xa8"}\nevent: other\n\ndata: [DONE]\n\ndata: {"z": 1}'
    )
    assert await read([stream + b"\n"]) == [
        {"x": 1, "type": "a"},
        {"type": "own", "y": "\u2028"},
        {"type": "[DONE]"},
        {"z": 1},
    ]


async def test_an_event_cut_off_in_its_line_is_void() -> None:
    assert await read([b'data: {"a": 1}\n\ndata: {"b": ']) == [{"a": 1}]


@pytest.mark.parametrize("data", [b"{", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000])
async def test_what_is_no_object_is_an_error(data: bytes) -> None:
    with pytest.raises(PartnerError) as caught:
        await read([b"data: " + data + b"\n\n"])
    assert caught.value.kind == "stream"
    assert len(str(caught.value)) < 300


async def test_comments_are_heard_as_a_sign_of_life() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b": ping\n\n: ping\n\ndata: {}\n\n"

    assert [event async for event in events(body())] == [{"type": PING}, {"type": PING}, {}]


@pytest.mark.parametrize("piece", [b"x" * 100_000, b"data: " + b"x" * 100_000 + b"\n"])
async def test_an_event_without_an_end_is_not_kept(piece: bytes) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        yield b"data: "
        while True:
            taken += len(piece)
            yield piece

    with pytest.raises(PartnerError, match="16 MB") as caught:
        [event async for event in events(body())]
    assert caught.value.retryable
    assert taken < _MOST + 3 * len(piece)
