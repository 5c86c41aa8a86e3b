"""Frames: few where there is little time, and never before what was typed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from agent_core.state import State
from tests.tui.fake_session import Clock
from tui.bridge import FRAME, SLOWEST, Bridge


class _Loop:
    """Timers and paints that happen when the test says so."""

    def __init__(self, cost: float = 0.0) -> None:
        self.clock = Clock()
        self.cost = cost
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.drawn: list[tuple[float, State]] = []
        self.bridge = Bridge(self._draw, self._later, self.clock, self._painted)

    def _draw(self, state: State) -> None:
        self.drawn.append((self.clock(), state))
        self.clock.pass_(self.cost)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self.timers.append((self.clock() + seconds, call))

    def _painted(self, call: Callable[[], None]) -> None:
        call()

    def run(self, seconds: float, *, rate: float = 0.001, keys: float = 0.0) -> None:
        """Have states come at a rate, and keys at another one."""
        end = self.clock() + seconds
        next_key = self.clock()
        while self.clock() < end:
            if keys and self.clock() >= next_key:
                self.bridge.key()
                next_key += keys
            self.bridge.show(State())
            self.clock.pass_(rate)
            due = [one for one in self.timers if one[0] <= self.clock()]
            self.timers = [one for one in self.timers if one not in due]
            for _, call in due:
                call()

    @property
    def pauses(self) -> list[float]:
        times = [at for at, _ in self.drawn]
        return [later - sooner for sooner, later in pairwise(times)]


def test_many_events_make_few_frames_and_the_newest_is_drawn() -> None:
    loop = _Loop()
    loop.run(2.0)
    assert 2.0 / FRAME - 8 <= len(loop.drawn) <= 2.0 / FRAME + 1
    assert min(loop.pauses) > FRAME - 0.002
    last = State(why="the last")
    loop.bridge.show(last)
    loop.clock.pass_(1.0)
    for _, call in loop.timers:
        call()
    assert loop.drawn[-1][1] is last


def test_costly_frames_become_fewer_and_leave_time_for_keys() -> None:
    loop = _Loop(cost=0.06)
    loop.run(5.0)
    assert min(loop.pauses[4:]) > 0.15
    loop.cost = 0.0
    loop.run(5.0)
    assert max(loop.pauses[-10:]) < FRAME + 0.01


def test_however_slow_it_is_something_is_seen() -> None:
    loop = _Loop(cost=1.0)
    loop.run(20.0)
    assert max(loop.pauses) <= 1.0 + SLOWEST


def test_a_key_is_drawn_before_the_next_frame_but_keeps_none_away_for_ever() -> None:
    loop = _Loop()
    loop.run(1.0)
    loop.bridge.key()
    pressed, so_far = loop.clock(), len(loop.drawn)
    loop.run(0.025)
    assert len(loop.drawn) == so_far
    loop.run(0.1)
    assert len(loop.drawn) > so_far
    assert loop.drawn[so_far][0] - pressed >= 0.03 - 1e-6
    before = len(loop.drawn)
    loop.run(4.0, keys=0.01)
    assert len(loop.drawn) - before >= 4.0 / (SLOWEST + 0.05)


def test_nothing_new_is_nothing_drawn() -> None:
    loop = _Loop()
    loop.bridge.frame()
    assert not loop.drawn
