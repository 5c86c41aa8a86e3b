"""Somebody saves in the very moment in which a landing puts its files in place; nothing they wrote is lost."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agent_core.errors import LandingConflictError
from agent_core.events import FileLanding
from agent_core.journal import SqliteJournal
from agent_core.workspace.disk import FileSystem
from agent_core.workspace.landing import Lander
from agent_core.workspace.names import case_twins, has_exactly
from agent_core.workspace.tree import content_hash
from tests.workspace.landings import Tree, lander_for, lay_out, look_at, patch_between

OLD: Tree = {"a": b"a\n", "gone": b"gone\n", "z": b"z\n"}
NEW: Tree = {"a": b"A\n", "fresh/new": b"new\n", "z": b"Z\n"}
Act = Callable[[], object]


class Moment(FileSystem):
    """Lets something happen right before or after chosen system calls, by name of the file concerned."""

    def __init__(self, before: dict[str, list[Act]], after: dict[str, list[Act]] | None = None) -> None:
        self.before = before
        self.after = after or {}

    def exchange(self, one: Path, other: Path) -> bool:
        self._act(self.before, other.name)
        done = super().exchange(one, other)
        self._act(self.after, other.name)
        return done

    def place(self, source: Path, target: Path) -> None:
        # Of a file that is put aside its own name counts.
        name = source.name if target.name.startswith(".pairloop-") else target.name
        self._act(self.before, name)
        super().place(source, target)
        self._act(self.after, name)

    def _act(self, acts: dict[str, list[Act]], name: str) -> None:
        if acts.get(name):
            acts[name].pop(0)()


class SuddenEnd(BaseException):
    """The process ends here."""


def end() -> None:
    raise SuddenEnd


class Scene:
    def __init__(self, folder: Path) -> None:
        self.journal = SqliteJournal(folder / "journal.db")
        self.root = lay_out(folder / "project", OLD)
        self.before = look_at(self.root)
        self.files: tuple[FileLanding, ...] = ()

    async def begin(self) -> Scene:
        self.files = await lander_for(self.root, self.journal).plan(patch_between(self.journal, OLD, NEW))
        return self

    def save(self, name: str, text: bytes) -> Act:
        """As most editors do: a new file, renamed over the old one."""

        def act() -> None:
            (self.root / "editors.tmp").write_bytes(text)
            (self.root / "editors.tmp").replace(self.root / name)

        return act

    def write(self, disk: FileSystem) -> None:
        Lander(self.root, self.journal, self.root.parent / "lock", disk=disk).write(self.files)

    def refused(self, disk: FileSystem) -> LandingConflictError:
        with pytest.raises(LandingConflictError) as caught:
            self.write(disk)
        return caught.value

    def is_before_but(self, **saved: bytes) -> bool:
        return look_at(self.root) == {**self.before, **{name: (data, 0o644) for name, data in saved.items()}}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    scene = await Scene(tmp_path).begin()
    yield scene
    scene.journal.close()


@pytest.mark.parametrize("name", ["a", "z", "gone"])
async def test_a_save_between_the_last_look_and_the_rename_stands(scene: Scene, name: str) -> None:
    error = scene.refused(Moment({name: [scene.save(name, b"mine\n")]}))
    assert error.conflicts == (f"{name}: was changed at the last moment",)
    assert not error.unsettled
    assert scene.is_before_but(**{name: b"mine\n"})


async def test_a_new_file_made_at_that_moment_stands(scene: Scene) -> None:
    error = scene.refused(Moment({"new": [lambda: (scene.root / "fresh/new").write_bytes(b"mine\n")]}))
    assert error.conflicts == ("fresh/new: was changed at the last moment",)
    assert look_at(scene.root) == {**scene.before, "fresh": "folder", "fresh/new": (b"mine\n", 0o644)}


async def test_a_file_removed_or_opened_up_at_that_moment_is_left_so(scene: Scene) -> None:
    assert scene.refused(Moment({"a": [(scene.root / "a").unlink]})).conflicts
    assert look_at(scene.root) == {name: there for name, there in scene.before.items() if name != "a"}
    (scene.root / "a").write_bytes(b"a\n")
    assert scene.refused(Moment({"z": [lambda: (scene.root / "z").chmod(0o600)]})).conflicts
    assert look_at(scene.root) == {**scene.before, "z": (b"z\n", 0o600)}


async def test_saved_again_while_the_first_save_is_put_back(scene: Scene) -> None:
    first, second = scene.save("a", b"first\n"), scene.save("a", b"second\n")
    scene.refused(Moment({"a": [first, second]}))
    assert scene.is_before_but(a=b"second\n")
    assert scene.journal.get(content_hash(b"first\n")) == b"first\n"


async def test_who_has_the_file_open_and_writes_into_it_is_heard(scene: Scene) -> None:
    descriptor = os.open(scene.root / "a", os.O_WRONLY | os.O_APPEND)
    error = scene.refused(Moment({}, {"z": [lambda: os.write(descriptor, b"mine\n")]}))
    os.close(descriptor)
    assert error.conflicts == ("a: was changed at the last moment",)
    assert scene.is_before_but(a=b"a\nmine\n")


async def test_a_file_to_be_removed_that_is_closed_up_at_that_moment_is_left_so(scene: Scene) -> None:
    scene.refused(Moment({"gone": [lambda: (scene.root / "gone").chmod(0o400)]}))
    assert look_at(scene.root) == {**scene.before, "gone": (b"gone\n", 0o400)}


@pytest.mark.parametrize("name", ["a", "gone"])
async def test_a_sudden_end_right_after_a_save_was_displaced(scene: Scene, name: str) -> None:
    # Of the comparison that would have found it out nothing happens any more.
    disk = Moment({name: [scene.save(name, b"mine\n")]}, {name: [end]})
    with pytest.raises(SuddenEnd):
        scene.write(disk)
    assert not (scene.root / name).exists() or (scene.root / name).read_bytes() == b"A\n"
    assert lander_for(scene.root, scene.journal).recover(scene.files) == "abandoned"
    assert scene.is_before_but(**{name: b"mine\n"})


async def test_a_full_disk_is_no_hindrance_to_taking_back(scene: Scene) -> None:
    class Full(FileSystem):
        full = False

        def exchange(self, one: Path, other: Path) -> bool:
            if other.name == "z" and not self.full:
                self.full = True
                raise OSError(errno.ENOSPC, "No space left on device", str(other))
            return super().exchange(one, other)

        def create(self, path: Path, mode: int) -> int:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            return super().create(path, mode)

    error = scene.refused(Full())
    assert error.message == "Nothing was written: z: No space left on device."
    assert error.hint == "Make room on the disk, then try again."
    assert scene.is_before_but()


async def test_what_must_not_be_written_is_said_by_name(scene: Scene) -> None:
    class ReadOnly(FileSystem):
        def create(self, path: Path, mode: int) -> int:
            raise OSError(errno.EROFS, "Read-only file system", str(path))

    error = scene.refused(ReadOnly())
    assert error.message == "Nothing was written: a: Read-only file system."
    assert error.hint == "Make the file and its folder writable, then try again."
    assert scene.is_before_but()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
async def test_a_folder_that_may_not_be_written(scene: Scene) -> None:
    scene.root.chmod(0o500)
    try:
        error = scene.refused(FileSystem())
    finally:
        scene.root.chmod(0o700)
    assert "Permission denied" in error.message
    assert scene.is_before_but()


async def test_a_private_file_is_never_open_to_others_while_it_is_written(scene: Scene) -> None:
    (scene.root / "a").chmod(0o600)
    seen = []

    class Watching(FileSystem):
        def write(self, descriptor: int, data: bytes) -> None:
            seen.append((data, os.fstat(descriptor).st_mode & 0o777))
            super().write(descriptor, data)

    scene.files = await lander_for(scene.root, scene.journal).plan(patch_between(scene.journal, OLD, NEW))
    scene.write(Watching())
    assert (b"A\n", 0o600) in seen
    assert (scene.root / "a").stat().st_mode & 0o777 == 0o600


def test_names_that_differ_in_case_only(tmp_path: Path) -> None:
    paths = ["readme.md", "README.md", "docs/a", "Docs/a", "cafe\u0301", "caf\u00e9", "other"]
    assert case_twins(paths) == {"readme.md", "README.md", "cafe\u0301", "caf\u00e9"}
    (tmp_path / "readme.md").touch()
    assert has_exactly(tmp_path / "readme.md")
    assert not has_exactly(tmp_path / "README.md")
    assert not has_exactly(tmp_path / "nowhere" / "README.md")
