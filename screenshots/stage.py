"""The app at work on the bundled sample, driven as its human would, and what is seen of it as pictures."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from agent_core import sample
from agent_core.build import Engine
from agent_core.process import run_blocking
from agent_core.state import State
from tui.app import PairloopApp

_PATIENCE = 120.0
_LOOK = 0.1
# A frame or two for what is on its way, and the half second in which a new question takes no key.
_SETTLED = 0.8


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
        await self._wait(lambda: self._app.session is not None and true(self._app.session.state))
        await self._pilot.pause(_SETTLED)

    async def until_seen(self, words: str) -> None:
        """Wait until some words stand on the screen, and no longer: they may be gone soon."""
        await self._wait(lambda: words in self._app.export_screenshot().replace("&#160;", " "))

    async def _wait(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE):
            while not true():
                await self._pilot.pause(_LOOK)

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


@asynccontextmanager
async def playing(
    size: tuple[int, int], folder: Path, partner: Mapping[str, Any], environ: Mapping[str, str]
) -> AsyncIterator[Stage]:
    """A session on the sample, in which its task has just been given.

    Args:
        size: Columns and rows.
        folder: Where pictures go.
        partner: Who proposes: settings of ``[partner]``.
        environ: The environment that keys are looked for in.
    """
    project = sample.unpack(sample.TAB)
    flags: dict[str, Any] = {"partner": dict(partner), "loop": {}}
    app = PairloopApp(lambda: Engine(project, flags, environ), draft=sample.TAB.task)
    async with app.run_test(size=size) as pilot:
        stage = Stage(app, pilot, project, folder)
        await stage.until(lambda state: bool(state.interpreter))
        await stage.press("enter")
        yield stage
        await stage.press("ctrl+q")
    shutil.rmtree(project.parent)
