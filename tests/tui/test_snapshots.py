"""What the screen looks like at telling moments, at three sizes. After a wanted change: ``--snapshot-update``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from agent_core.errors import PartnerError
from tests.tui import scenes
from tests.tui.driving import SIZES, Driver
from tests.tui.fake_session import Clock, FakeEngine, FakeSession
from tui.app import PairloopApp

SnapCompare = Callable[..., bool]


def _streaming(session: FakeSession) -> None:
    scenes.start(session)
    scenes.ask(session)
    scenes.stream(session)


def _checking(session: FakeSession) -> None:
    scenes.start(session)
    scenes.ask(session)
    scenes.propose(session, 1, scenes.WRONG)


SCENES: dict[str, Callable[[FakeSession], None]] = {
    "empty": scenes.start,
    "streaming": _streaming,
    "checking": _checking,
    "so_far": scenes.so_far,
    "blamed": scenes.blamed,
    "red": scenes.red,
    "green": scenes.green,
    "landed": scenes.landed,
    "approval": scenes.approval,
}


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("name", [*SCENES, "error", "help"])
def test_screen(name: str, size: tuple[int, int], snap_compare: SnapCompare) -> None:
    session, clock = FakeSession(), Clock()
    error = PartnerError("auth", "There is no key for api.openai.com.", "Set OPENAI_API_KEY, or --model another one.")
    engine = FakeEngine(session, error=error if name == "error" else None)
    app = PairloopApp(lambda: engine, clock=clock)

    async def before(pilot: Pilot[Any]) -> None:
        driver = Driver(app, pilot, session, clock)
        if name == "error":
            await driver.until(lambda: "OPENAI_API_KEY" in app.main.chat.plain_text)
            return
        await driver.until(lambda: app.main.is_open)
        await driver.play(SCENES.get(name, scenes.green))
        if name == "help":
            await driver.press("f1")

    assert snap_compare(app, terminal_size=size, run_before=before)
