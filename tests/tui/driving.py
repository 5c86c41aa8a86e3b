"""Driving the app in tests: opened on a session in memory, waited for by state, never by sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual import events
from textual.keys import _character_to_key
from textual.message_pump import MessagePump
from textual.pilot import Pilot

from tests.tui.fake_session import Clock, FakeEngine, FakeSession
from tui.app import PairloopApp
from tui.panes.diff import DiffPane
from tui.settings import Settings

NARROW, MEDIUM, WIDE = (80, 24), (120, 40), (200, 50)
SIZES = (NARROW, MEDIUM, WIDE)


class Driver:
    """The running app with all a test needs of it."""

    def __init__(self, app: PairloopApp, pilot: Pilot[None], session: FakeSession, clock: Clock) -> None:
        self.app = app
        self.pilot = pilot
        self.session = session
        self.clock = clock

    async def until(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Wait until something is so, and what follows from it is on the screen."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self.settle()
                await asyncio.sleep(0.002)
            await self.settle()

    async def settle(self) -> None:
        """Wait until nobody has a message to handle, and the layout is that of what has been handled.

        Pilot's own way is to wait until the process is idle for 20 ms, which costs a minute over all these tests.
        """
        for _ in range(2):
            quiet, nodes = 0, list[MessagePump]()
            while quiet < 10:
                await asyncio.sleep(0)
                if not quiet:
                    # Who is there changes by messages alone.
                    nodes = [self.app, *self.app.screen.walk_children(with_self=True)] if self.app.is_running else []
                quiet = 0 if any(node.message_queue_size for node in nodes) else quiet + 1
            if self.app.is_running:
                self.app.screen._on_timer_update()

    async def drawn(self) -> None:
        """Have the session's newest state drawn, and wait until it is on screen, colours included."""
        await self.settle()
        self.app._bridge.frame()
        await self.until(lambda: self.app.main.state is self.session.state)
        await self.colored()

    async def colored(self) -> None:
        """Wait until all code on the screen has its colours, which are made in threads."""
        # A line wants them when it is drawn: what has all of them now may want some a frame later.
        while True:
            await self.until(self._is_colored)
            if self._is_colored():
                return

    def _is_colored(self) -> bool:
        panes = (pane for screen in self.app.screen_stack for pane in screen.query(DiffPane))
        return self.app.main.chat.colored and all(pane.colored for pane in panes)

    async def play(self, scene: Callable[[FakeSession], None]) -> None:
        """Have a scene happen, and look at it longer than the grace period."""
        scene(self.session)
        await self.drawn()
        self.clock.pass_(1.0)

    async def press(self, *keys: str) -> None:
        """Press keys and let the app do what they ask for."""
        driver = self.app._driver
        assert driver is not None
        for name in keys:
            key = _character_to_key(name) if len(name) == 1 else name
            character = name if len(name) == 1 else {"space": " ", "enter": "\r", "tab": "\t"}.get(name)
            event = events.Key(key, character)
            event.set_sender(self.app)
            driver.send_message(event)
            await self.settle()

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
    size: tuple[int, int] = MEDIUM,
    *,
    engine: FakeEngine | None = None,
    opened: bool = True,
    settings: Settings | None = None,
) -> AsyncIterator[Driver]:
    """The app on a session in memory; at the end nothing unexpected may have happened."""
    session = engine.session if engine is not None else FakeSession()
    chosen = engine or FakeEngine(session)
    clock = Clock()
    app = PairloopApp(lambda: chosen, clock=clock, settings=settings)
    async with app.run_test(size=size) as pilot:
        driver = Driver(app, pilot, session, clock)
        if opened:
            await driver.until(lambda: app.main.is_open)
        yield driver
    assert app.failures == []
