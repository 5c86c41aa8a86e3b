"""Pieces are joined, never lost, never reordered, and the first is not kept waiting."""

from __future__ import annotations

import asyncio
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.pacing import Paced


async def until(handed: list[str], text: str) -> None:
    async with asyncio.timeout(60):
        while "".join(handed) != text:  # noqa: ASYNC110 - what is waited for is a plain list
            await asyncio.sleep(0.005)


async def test_the_first_piece_goes_at_once_and_the_rest_together() -> None:
    handed: list[str] = []
    paced = Paced(handed.append)
    for piece in ("a", "b", "", "c", "d"):
        paced.feed(piece)
        assert handed == ["a"]
    await until(handed, "abcd")
    assert handed == ["a", "bcd"]


async def test_after_a_pause_it_is_at_once_again() -> None:
    handed: list[str] = []
    paced = Paced(handed.append)
    paced.feed("a")
    paced.feed("b")
    await until(handed, "ab")
    # A moment with nothing in it ends the pacing.
    async with asyncio.timeout(60):
        while paced._timer is not None:  # noqa: ASYNC110 - nothing tells when a timer is gone
            await asyncio.sleep(0.005)
    paced.feed("c")
    assert handed == ["a", "b", "c"]


async def test_flushing_hands_on_what_is_held_and_stops_the_clock() -> None:
    handed: list[str] = []
    paced = Paced(handed.append)
    paced.flush()
    paced.feed("a")
    paced.feed("b")
    paced.flush()
    assert handed == ["a", "b"]
    assert paced._timer is None
    paced.flush()
    assert handed == ["a", "b"]
    paced.feed("c")
    assert handed == ["a", "b", "c"]


async def test_a_fast_stream_becomes_few_events() -> None:
    handed: list[str] = []
    paced = Paced(handed.append)
    start = time.monotonic()
    pieces = 0
    while (passed := time.monotonic() - start) < 0.25 or pieces < 1000:
        paced.feed("x")
        pieces += 1
        await asyncio.sleep(0)
    paced.flush()
    assert "".join(handed) == "x" * pieces
    assert 2 <= len(handed) <= passed / 0.04 + 3


@given(st.lists(st.one_of(st.text(max_size=3), st.just(None)), max_size=20))
@settings(max_examples=40)
def test_nothing_is_lost_or_reordered(pieces: list[str | None]) -> None:
    handed: list[str] = []

    async def feed() -> None:
        paced = Paced(handed.append)
        for piece in pieces:
            if piece is None:
                paced.flush()
            else:
                paced.feed(piece)
                await asyncio.sleep(0)
        paced.flush()

    asyncio.run(feed())
    assert "".join(handed) == "".join(piece or "" for piece in pieces)
    assert all(handed)
