"""Driving the app in tests: opened on a session in memory, waited for by state, never by sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from tests.tui.fake_session import Clock, FakeEngine, FakeSession
from tui.app import PairloopApp

NARROW, MEDIUM, WIDE = (80, 24), (120, 40), (200, 50)
SIZES = (NARROW, MEDIUM, WIDE)


class Driver:
    """The running app with all a test needs of it."""

    def __init__(self, app: PairloopApp, pilot: Pilot[None], session: FakeSession, clock: Clock) -> None:
        self.app = app
        self.pilot = pilot
        self.session = session
        self.clock = clock

    async def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self.pilot.pause()

    async def drawn(self) -> None:
        """Wait until the session's newest state is on screen, colours included."""
        await self.until(lambda: self.app.main.state is self.session.state and self.app.main.diff.colored)
        await self.pilot.pause()

    async def play(self, scene: Callable[[FakeSession], None]) -> None:
        """Have a scene happen, and look at it longer than the grace period."""
        scene(self.session)
        await self.drawn()
        self.clock.pass_(1.0)

    async def press(self, *keys: str) -> None:
        """Press keys and let the app do what they ask for."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def rows(self) -> list[str]:
        """The screen as text."""
        app = self.app
        width, height = app.size
        strips = app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip)[: width * 2] for strip in strips[:height]]

    @property
    def text(self) -> str:
        return "\n".join(self.rows())


@asynccontextmanager
async def running(
    size: tuple[int, int] = MEDIUM, *, engine: FakeEngine | None = None, opened: bool = True
) -> AsyncIterator[Driver]:
    """The app on a session in memory; at the end nothing unexpected may have happened."""
    session = engine.session if engine is not None else FakeSession()
    chosen = engine or FakeEngine(session)
    clock = Clock()
    app = PairloopApp(lambda: chosen, clock=clock)
    async with app.run_test(size=size) as pilot:
        driver = Driver(app, pilot, session, clock)
        if opened:
            await driver.until(lambda: app.main.is_open)
            await pilot.pause()
        yield driver
    assert app.failures == []
