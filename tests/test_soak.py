"""What lives long stays small: a short run of ``tests/bench/soak.py``, and what streaming may leave behind."""

from __future__ import annotations

import msgspec
import pytest

from agent_core import events as ev
from agent_core.conversation import Usage
from agent_core.fold import replay
from tests.bench.soak import Soaked, soak

_KB_A_THOUSAND = 4000.0
"""Of a short run: caches are still being filled, and other tests have been at work in the process."""


async def test_a_long_session_is_drawn_in_bounded_memory() -> None:
    soaked = await soak(3000, samples=12)
    assert soaked.seen[-1][0] >= 3000
    assert soaked.frames >= 20
    assert soaked.growth < _KB_A_THOUSAND


def test_growth_is_what_a_thousand_events_add_once_it_is_warm() -> None:
    seen = tuple((count, 0.0, 50_000.0 + (count if count > 1000 else 40 * count)) for count in range(0, 4000, 100))
    assert Soaked(seen, 1).growth == pytest.approx(1000)


def _after(*streamed: ev.AnyEvent) -> int:
    told: list[ev.AnyEvent] = [ev.Asked(1, "x"), ev.PromptSent(1, 1), *streamed, ev.AnswerFinished("Done.", Usage())]
    return len(msgspec.json.encode(replay(ev.Entry(at, 0.0, event) for at, event in enumerate(told, 1))))


def test_what_comes_in_pieces_leaves_no_more_than_the_whole() -> None:
    begun, end = ev.CheckStarted("pytest", "candidate", "t1"), ev.CheckProgressed("pytest", "candidate", 999, 999)
    many = (ev.CheckProgressed("pytest", "candidate", at, 999) for at in range(100, 999))
    assert _after(begun, *many, end) == _after(begun, end)
    pieces: list[ev.AnyEvent] = []
    for _ in range(300):
        pieces += [ev.TextStreamed("a"), ev.ReasoningStreamed("b"), ev.PatchStreamed("c1", "+d\n")]
    whole = (ev.TextStreamed("a" * 300), ev.ReasoningStreamed("b" * 300), ev.PatchStreamed("c1", "+d\n" * 300))
    assert _after(*pieces) == _after(*whole)
