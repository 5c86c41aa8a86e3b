"""The process ends between any two system calls of a landing; the tree comes out before or after, never between."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from agent_core.events import FileLanding
from agent_core.journal import SqliteJournal
from agent_core.process import run
from agent_core.workspace.disk import is_temp
from agent_core.workspace.landing import Lander
from tests.workspace.dying import KILLED, Death, SteppingFileSystem
from tests.workspace.landings import lander_for, lay_out, look_at, patch_between
from tests.workspace.test_landing import MOVES, NEW, OLD

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
    """One landing, and as many copies of the tree before it as are needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal_path = folder / "journal.db"
        self.journal = SqliteJournal(self.journal_path)
        self.files: tuple[FileLanding, ...] = ()
        self.steps = 0
        self.before = look_at(lay_out(folder / "before", OLD))
        self.after = look_at(lay_out(folder / "after", NEW))

    async def begin(self) -> Scene:
        lander = lander_for(self.folder / "before", self.journal)
        self.files = await lander.plan(patch_between(self.journal, OLD, NEW, MOVES))
        root = lay_out(self.folder / "counted", OLD)
        Lander(root, self.journal, self.folder / "lock", disk=SteppingFileSystem(self._count)).write(self.files)
        assert self.steps > 40
        return self

    def _count(self) -> None:
        self.steps += 1

    def death(self, name: str, step: int) -> Death:
        """A death while writing in a new copy."""
        root = lay_out(self.folder / name, OLD)
        return Death(root, self.journal_path, self.files, "write", step)

    def again(self, death: Death, step: int) -> Death:
        """A death while recovering from another."""
        return Death(death.root, self.journal_path, self.files, "recover", step)

    def recover(self, root: Path) -> str:
        return lander_for(root, self.journal).recover(self.files)


def human_edits(root: Path) -> None:
    """Somebody changes a file of the landing after the crash, wherever it got to."""
    (root / "a.py").write_bytes(b"human\n")


async def test_a_landing_cut_short_anywhere_is_completed(tmp_path: Path) -> None:
    scene = await Scene(tmp_path).begin()
    deaths = [scene.death(f"step{step}", step) for step in range(scene.steps + 1)]
    assert await die(deaths) == [KILLED] * scene.steps + [0]
    seen = {frozenset(look_at(death.root)) for death in deaths}
    assert len(seen) > 20
    for death in deaths:
        assert scene.recover(death.root) == "completed"
        assert look_at(death.root) == scene.after, death.step
        assert scene.recover(death.root) == "completed"
        assert look_at(death.root) == scene.after, death.step


async def test_a_landing_cut_short_is_taken_back_when_somebody_edited_since(tmp_path: Path) -> None:
    scene = await Scene(tmp_path).begin()
    deaths = [scene.death(f"step{step}", step) for step in range(scene.steps)]
    assert set(await die(deaths)) == {KILLED}
    for death in deaths:
        human_edits(death.root)
        assert scene.recover(death.root) == "abandoned"
        wanted = {**scene.before, "a.py": (b"human\n", 0o644)}
        assert look_at(death.root) == wanted, death.step
        assert scene.recover(death.root) == "abandoned"
        assert look_at(death.root) == wanted, death.step


async def test_a_recovery_may_be_cut_short_too(tmp_path: Path) -> None:
    scene = await Scene(tmp_path).begin()
    middle = scene.steps * 3 // 4
    steps = range(0, scene.steps, 3)
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


async def test_temporary_files_are_known_by_their_name(tmp_path: Path) -> None:
    scene = await Scene(tmp_path).begin()
    (code,) = await die([scene.death("early", 3)])
    assert code == KILLED
    extra = {name for name in look_at(tmp_path / "early") if name not in scene.before and name != "new"}
    assert extra
    assert all(is_temp(Path(name).name) for name in extra if not (tmp_path / "early" / name).is_dir())
