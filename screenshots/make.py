"""Makes the pictures of this folder from the running app: the real engine on the bundled sample, its script as partner.

python screenshots/make.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from agent_core import sample
from agent_core.build import Engine
from agent_core.state import State
from tui.app import PairloopApp

_PATIENCE = 120.0
_LOOK = 0.1
SIZES = {"review": (160, 44), "medium": (120, 40), "narrow": (80, 24)}


async def _until(app: PairloopApp, pilot: Pilot[None], true: Callable[[State], bool]) -> None:
    """Wait until something is true of the session and drawn."""
    async with asyncio.timeout(_PATIENCE):
        while app.session is None or not true(app.session.state):
            await pilot.pause(_LOOK)
    # The bridge draws within a frame or two, and keys act after half a second of grace.
    await pilot.pause(0.8)


def _waits(state: State, number: int) -> bool:
    """Whether a proposal waits, and all checks have spoken of it."""
    verdict = state.proposal.verdict if state.proposal is not None else None
    return state.waiting == number and verdict is not None and verdict.complete


async def _picture(name: str, size: tuple[int, int], folder: Path) -> None:
    project = sample.unpack()
    flags: dict[str, Any] = {"partner": {"script": str(sample.script())}, "loop": {}}
    app = PairloopApp(lambda: Engine(project, flags, os.environ), draft=sample.TASK)
    async with app.run_test(size=size) as pilot:
        await _until(app, pilot, lambda state: bool(state.interpreter))
        await pilot.press("enter")
        await _until(app, pilot, lambda state: _waits(state, 1))
        if name == "narrow":
            await pilot.press("f6")
            await pilot.pause(0.2)
        app.save_screenshot(f"{name}.svg", str(folder))
        if name == "review":
            await pilot.press("f4")
            await _until(app, pilot, lambda state: _waits(state, 2))
            app.save_screenshot("green.svg", str(folder))
        await pilot.press("ctrl+q")
    shutil.rmtree(project.parent)


async def _all(folder: Path) -> None:
    for name, size in SIZES.items():
        await _picture(name, size, folder)


def main() -> None:
    """Make all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    with tempfile.TemporaryDirectory() as state:
        os.environ["PAIRLOOP_STATE_DIR"] = state
        asyncio.run(_all(folder))
    for picture in sorted(folder.glob("*.svg")):
        sys.stdout.write(f"{picture}\n")


if __name__ == "__main__":
    main()
