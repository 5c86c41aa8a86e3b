"""Makes the pictures of this folder from the running app: the real engine on the bundled sample, a script as partner.

python screenshots/make.py [FOLDER]
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agent_core import sample
from agent_core.chat_entries import Edit, GitMove
from agent_core.state import State
from screenshots import partner
from screenshots.stage import Stage, playing

_MINE = """    share = cents // people
    return [share + cents % people] + [share] * (people - 1)
"""
_THEIRS = """    share = cents // people
    return [share] * people
"""


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


async def _all(folder: Path) -> None:
    script = {"script": str(sample.script())}
    for size, scene in SCENES:
        async with playing(size, folder, script, os.environ) as stage:
            await scene(stage)
    await partner.make_pictures(folder)


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
