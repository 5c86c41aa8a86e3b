"""What the screen looks like at telling moments, at three sizes and in several themes.

After a wanted change: ``--snapshot-update``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from agent_core.errors import PartnerError
from agent_core.screen_settings import ScreenConfig
from tests.tui import scenes
from tests.tui.driving import MEDIUM, SIZES, Driver
from tests.tui.fake_session import Clock, FakeEngine, FakeSession
from tui.app import PairloopApp
from tui.settings import Settings

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
    "approval_with_rules": scenes.narrow_approval,
    "question": scenes.question,
    "long_command": scenes.long_command,
    "parts": scenes.parts,
    "conflict": scenes.conflict,
    "overlapped": scenes.overlapped,
    "queued": scenes.queued,
}
# What keys open over a scene, or change of it.
OVER: dict[str, tuple[Callable[[FakeSession], None], tuple[str, ...]]] = {
    "help": (scenes.green, ("f1",)),
    "help_of_the_diff": (scenes.green, ("tab", "2", "question_mark")),
    "palette": (scenes.green, ("ctrl+p", *"la")),
    "themes": (scenes.green, ("tab", "T", "down")),
    "jump": (scenes.green, ("ctrl+o",)),
    "zoomed": (scenes.green, ("tab", "2", "0")),
    "commands": (scenes.landed, ("/",)),
    "waiting_words": (scenes.queued, ("ctrl+up",)),
    "unfolded": (scenes.edited, ("tab", "1", "up", "up", "enter")),
    "deciding": (scenes.parts, ("tab", "2", "j")),
    "timeline": (scenes.landed, ("tab", "H")),
    "memory": (scenes.lived, ("tab", "m")),
    "memory_unfolded": (scenes.lived, ("tab", "m", "tab", "tab", "tab", "tab", "tab", "enter")),
    "memory_rewritten": (scenes.lived, ("tab", "m", "tab", "tab", "tab", "tab", "e")),
}
LOOKS = [
    *itertools.product(["dark"], [*SCENES, *OVER, "error"], SIZES),
    *itertools.product(["light"], ["streaming", "red", "green"], SIZES),
    *itertools.product(["high-contrast", "high-contrast-light", "ansi"], ["red"], [MEDIUM]),
]


@pytest.mark.parametrize(
    ("theme", "name", "size"), LOOKS, ids=lambda one: one if isinstance(one, str) else f"{one[0]}x{one[1]}"
)
def test_screen(theme: str, name: str, size: tuple[int, int], snap_compare: SnapCompare) -> None:
    session, clock = FakeSession(), Clock()
    error = PartnerError("auth", "There is no key for api.openai.com.", "Set OPENAI_API_KEY, or --model another one.")
    engine = FakeEngine(session, error=error if name == "error" else None)
    app = PairloopApp(lambda: engine, clock=clock, settings=Settings(ScreenConfig(theme=theme)))

    async def before(pilot: Pilot[Any]) -> None:
        driver = Driver(app, pilot, session, clock)
        if name == "error":
            await driver.until(lambda: "OPENAI_API_KEY" in app.main.chat.plain_text)
            return
        await driver.until(lambda: app.main.is_open)
        scene, keys = OVER[name] if name in OVER else (SCENES[name], ())
        await driver.play(scene)
        await driver.press(*keys)
        await driver.colored()

    assert snap_compare(app, terminal_size=size, run_before=before)
