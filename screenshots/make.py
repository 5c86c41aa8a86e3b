"""Makes the pictures of this folder from the running app: the real engine on the bundled sample, its script as partner.

python screenshots/make.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from agent_core import sample
from agent_core.build import Engine
from agent_core.chat_entries import Edit, GitMove
from agent_core.process import run_blocking
from agent_core.state import State
from tui.app import PairloopApp

_PATIENCE = 120.0
_LOOK = 0.1
# A frame or two for what is on its way, and the half second in which a new question takes no key.
_SETTLED = 0.8
_MINE = """    share = cents // people
    return [share + cents % people] + [share] * (people - 1)
"""
_THEIRS = """    share = cents // people
    return [share] * people
"""


class Stage:
    """The app at work on the bundled sample.

    Args:
        app: The app.
        pilot: Drives it.
        project: The sample's folder.
        folder: Where pictures go.
    """

    def __init__(self, app: PairloopApp, pilot: Pilot[None], project: Path, folder: Path) -> None:
        self._app = app
        self._pilot = pilot
        self.project = project
        self._folder = folder

    async def until(self, true: Callable[[State], bool]) -> None:
        """Wait until something is true of the session and drawn."""
        async with asyncio.timeout(_PATIENCE):
            while self._app.session is None or not true(self._app.session.state):
                await self._pilot.pause(_LOOK)
        await self._pilot.pause(_SETTLED)

    async def press(self, *keys: str) -> None:
        """Press keys, and let the screen follow."""
        await self._pilot.press(*keys)
        await self._pilot.pause(_SETTLED)

    def picture(self, name: str) -> None:
        """Write down what is seen."""
        self._app.save_screenshot(f"{name}.svg", str(self._folder))

    def git(self, *arguments: str) -> None:
        """Have git do something in the project, as its human would."""
        done = run_blocking(("git", *sample.PLAIN_GIT, *arguments), cwd=self.project, timeout=_PATIENCE)
        if done.code:
            raise RuntimeError(done.text)


def _waits(number: int) -> Callable[[State], bool]:
    """Whether a proposal waits, and all checks have spoken of it."""

    def true(state: State) -> bool:
        verdict = state.proposal.verdict if state.proposal is not None else None
        return state.waiting == number and verdict is not None and verdict.complete

    return true


async def _first(stage: Stage, name: str) -> None:
    """The first proposal, in every size."""
    await stage.until(_waits(1))
    if name == "narrow":
        await stage.press("f6")
    stage.picture(name)


async def _review(stage: Stage) -> None:
    """The first proposal, and the second one, which is green."""
    await _first(stage, "review")
    await stage.press("f4")
    await stage.until(_waits(2))
    stage.picture("green")


async def _stale(stage: Stage) -> None:
    """The human mends it in the editor, in the place that a proposal is about."""
    await stage.until(_waits(1))
    await stage.press("f6")
    split = stage.project / "tab" / "split.py"
    split.write_text(split.read_text().replace(_THEIRS, _MINE))
    await stage.until(lambda state: state.proposal is not None and bool(state.proposal.overlaps))
    # All of the room for the diff, and down to the place.
    await stage.press("0", "down")
    stage.picture("stale")


async def _beside(stage: Stage) -> None:
    """Landed, edited, another branch; then the commit, and what is remembered."""
    await stage.until(_waits(1))
    await stage.press("f4")
    await stage.until(_waits(2))
    await stage.press("f2")
    await stage.until(lambda state: state.task is None and bool(state.landings))
    readme = stage.project / "README.md"
    readme.write_text(readme.read_text() + "\nThe rest of a bill is handed out a cent at a time.\n")
    await stage.until(lambda state: any(isinstance(entry, Edit) for entry in state.chat))
    stage.git("stash", "push", "--quiet", "README.md")
    await stage.until(lambda state: any(isinstance(entry, GitMove) for entry in state.chat))
    await stage.press("f5")
    stage.picture("beside")
    await stage.press("K")
    await stage.until(lambda state: state.commit is not None and bool(state.commit.message))
    stage.picture("commit")
    await stage.press("escape", "m")
    stage.picture("memory")


SCENES: tuple[tuple[tuple[int, int], Callable[[Stage], Awaitable[None]]], ...] = (
    ((160, 44), _review),
    ((120, 40), partial(_first, name="medium")),
    ((80, 24), partial(_first, name="narrow")),
    ((120, 34), _stale),
    ((120, 34), _beside),
)


async def _play(size: tuple[int, int], scene: Callable[[Stage], Awaitable[None]], folder: Path) -> None:
    project = sample.unpack()
    flags: dict[str, Any] = {"partner": {"script": str(sample.script())}, "loop": {}}
    app = PairloopApp(lambda: Engine(project, flags, os.environ), draft=sample.TASK)
    async with app.run_test(size=size) as pilot:
        stage = Stage(app, pilot, project, folder)
        await stage.until(lambda state: bool(state.interpreter))
        await stage.press("enter")
        await scene(stage)
        await stage.press("ctrl+q")
    shutil.rmtree(project.parent)


async def _all(folder: Path) -> None:
    for size, scene in SCENES:
        await _play(size, scene, folder)


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
