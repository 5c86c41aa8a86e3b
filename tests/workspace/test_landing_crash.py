"""The process ends between any two system calls of a landing, its undo or its redo.

The tree comes out before or after, never between.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from agent_core.events import FileLanding
from agent_core.journal import SqliteJournal
from agent_core.process import run
from agent_core.workspace.disk import is_temp
from agent_core.workspace.landing import Lander
from tests.workspace.dying import KILLED, Death, SteppingFileSystem
from tests.workspace.landings import lander_for, lay_out, look_at, patch_between
from tests.workspace.test_landing import MOVES, NEW, OLD

Kind = Literal["land", "undo", "redo"]
REPOSITORY = Path(__file__).parents[2]


async def die(deaths: list[Death]) -> list[int]:
    """Let them happen, and give their exit codes."""
    done = await run(
        [sys.executable, "-m", "tests.workspace.dying"],
        cwd=REPOSITORY,
        timeout=60,
        stdin=msgspec.json.encode(deaths, enc_hook=str),
    )
    assert done.code == 0, done.text
    return msgspec.json.decode(done.stdout, type=list[int])


class Scene:
    """One landing, undo or redo, and as many copies of the tree before it as are needed."""

    def __init__(self, folder: Path, kind: Kind, *, plain: bool) -> None:
        self.folder = folder
        self.kind = kind
        self.plain = plain
        self.journal_path = folder / "journal.db"
        self.journal = SqliteJournal(self.journal_path)
        self.files: tuple[FileLanding, ...] = ()
        self.steps = 0
        self.start, end = (NEW, OLD) if kind == "undo" else (OLD, NEW)
        self.before = look_at(lay_out(folder / "before", self.start))
        self.after = look_at(lay_out(folder / "after", end))

    async def begin(self) -> Scene:
        root = lay_out(self.folder / "planned", OLD)
        lander = lander_for(root, self.journal)
        self.files = await lander.plan(patch_between(self.journal, OLD, NEW, MOVES))
        for again in {"land": (), "undo": (False,), "redo": (False, True)}[self.kind]:
            lander.write(self.files)
            self.files = await lander.plan_undo(self.files, again=again)
        root = lay_out(self.folder / "counted", self.start)
        disk = SteppingFileSystem(self._count, plain=self.plain)
        Lander(root, self.journal, self.folder / "lock", disk=disk).write(self.files)
        assert look_at(root) == self.after
        assert self.steps > 80
        return self

    def _count(self) -> None:
        self.steps += 1

    def death(self, name: str, step: int) -> Death:
        """A death while writing in a new copy."""
        root = lay_out(self.folder / name, self.start)
        return Death(root, self.journal_path, self.files, "write", step, self.plain)

    def again(self, death: Death, step: int) -> Death:
        """A death while recovering from another."""
        return msgspec.structs.replace(death, action="recover", step=step)

    def recover(self, root: Path) -> str:
        disk = SteppingFileSystem(lambda: None, plain=self.plain)
        return Lander(root, self.journal, self.folder / "lock", disk=disk).recover(self.files)


@pytest.fixture(params=["land", "undo", "redo", "land, plain renames"])
async def scene(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scene]:
    kind, _, plain = request.param.partition(", ")
    scene = await Scene(tmp_path, kind, plain=bool(plain)).begin()
    yield scene
    scene.journal.close()


def human_edits(root: Path) -> None:
    """Somebody changes a file of the landing after the crash, wherever it got to."""
    (root / "a.py").write_bytes(b"human\n")


async def test_a_landing_cut_short_anywhere_is_completed(scene: Scene) -> None:
    # Every step of a landing; of the others, which are made of the same steps, every fifth.
    steps = range(0, scene.steps, 1 if scene.kind == "land" and not scene.plain else 5)
    deaths = [scene.death(f"step{step}", step) for step in (*steps, scene.steps)]
    assert await die(deaths) == [KILLED] * len(steps) + [0]
    seen = {frozenset(look_at(death.root)) for death in deaths}
    assert len(seen) > 12
    for death in deaths:
        assert scene.recover(death.root) == "completed"
        assert look_at(death.root) == scene.after, death.step
        assert scene.recover(death.root) == "completed"
        assert look_at(death.root) == scene.after, death.step


async def test_a_landing_cut_short_is_taken_back_when_somebody_edited_since(scene: Scene) -> None:
    deaths = [scene.death(f"step{step}", step) for step in range(1, scene.steps, 6)]
    assert set(await die(deaths)) == {KILLED}
    for death in deaths:
        human_edits(death.root)
        assert scene.recover(death.root) == "abandoned"
        wanted = {**scene.before, "a.py": (b"human\n", 0o644)}
        assert look_at(death.root) == wanted, death.step
        assert scene.recover(death.root) == "abandoned"
        assert look_at(death.root) == wanted, death.step


async def test_a_recovery_may_be_cut_short_too(scene: Scene) -> None:
    middle = scene.steps * 3 // 4
    steps = range(0, scene.steps, 14)
    forward = [scene.death(f"forward{step}", middle) for step in steps]
    back = [scene.death(f"back{step}", middle) for step in steps]
    assert set(await die(forward + back)) == {KILLED}
    for death in back:
        human_edits(death.root)
    codes = await die([scene.again(death, step) for step, death in zip(steps, forward, strict=True)])
    assert {KILLED, 0} == set(codes)
    codes = await die([scene.again(death, step) for step, death in zip(steps, back, strict=True)])
    assert {KILLED, 0} == set(codes)
    for death in forward:
        assert scene.recover(death.root) == "completed"
        assert look_at(death.root) == scene.after
    for death in back:
        assert scene.recover(death.root) == "abandoned"
        assert look_at(death.root) == {**scene.before, "a.py": (b"human\n", 0o644)}


async def test_temporary_files_are_known_by_their_name(scene: Scene) -> None:
    (code,) = await die([scene.death("early", 4)])
    assert code == KILLED
    extra = look_at(scene.folder / "early").keys() - scene.before.keys()
    assert extra
    assert all(is_temp(Path(name).name) for name in extra)
