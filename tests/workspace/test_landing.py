from __future__ import annotations

import asyncio
import errno
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.errors import LandingConflictError
from agent_core.journal import SqliteJournal
from agent_core.workspace.landing import Lander
from agent_core.workspace.tree import FileChange
from tests.workspace.dying import SteppingFileSystem
from tests.workspace.landings import Tree, lander_for, lay_out, look_at, patch_between

OLD: Tree = {
    "a.py": b"one\ntwo\nthree\nfour\nfive\n",
    "run.sh": FileChange(b"echo\n", 0o100755),
    "old/c.py": b"gone\n",
    "d.py": b"move me\nand me\n",
    "pic.png": b"\x89\0\xff",
    "quiet": b"mode only\n",
    "file": b"a file becomes a folder\n",
    "folder/one": b"1\n",
    "folder/deep/two": b"2\n",
    "readme": b"read me\nplease\n",
    "secret": b"for my eyes\n",
}
NEW: Tree = {
    "a.py": b"one\ntwo\nTHREE\nfour\nfive\n",
    "run.sh": FileChange(b"echo hello\n", 0o100755),
    "new/deep/b.py": b"fresh\n",
    "e/d.py": b"move me\nand you\n",
    "pic.png": b"\x89\0\xfe",
    "quiet": FileChange(b"mode only\n", 0o100755),
    "file/inside": b"of the folder\n",
    "folder": b"a folder becomes a file\n",
    "README": b"READ me\nplease\n",
}
MOVES = {
    "e/d.py": "d.py",
    "README": "readme",
}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(tmp_path / "journal.db")
    yield journal
    journal.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "project", OLD)


@pytest.fixture
def lander(root: Path, journal: SqliteJournal) -> Lander:
    return lander_for(root, journal)


async def test_landing_and_undo(root: Path, journal: SqliteJournal, lander: Lander, tmp_path: Path) -> None:
    before = look_at(root)
    files = await lander.plan(patch_between(journal, OLD, NEW, MOVES))
    assert look_at(root) == before
    lander.write(files)
    assert look_at(root) == look_at(lay_out(tmp_path / "wanted", NEW))
    lander.write(await lander.plan_undo(files))
    assert look_at(root) == before


async def test_what_is_there_already_is_left_out(root: Path, journal: SqliteJournal, lander: Lander) -> None:
    patch = patch_between(journal, OLD, NEW, MOVES)
    files = await lander.plan(patch)
    lander.write(files)
    assert await lander.plan(patch) == ()
    lander.write(await lander.plan_undo(files))
    assert await lander.plan_undo(files) == ()


async def test_a_humans_edits_elsewhere_survive_landing_and_undo(
    root: Path, journal: SqliteJournal, lander: Lander
) -> None:
    patch = patch_between(journal, OLD, NEW, MOVES)
    (root / "a.py").write_bytes(b"mine\none\ntwo\nthree\nfour\nfive\n")
    (root / "d.py").write_bytes(b"mine\nmove me\nand me\n")
    files = await lander.plan(patch)
    lander.write(files)
    assert (root / "a.py").read_bytes() == b"mine\none\ntwo\nTHREE\nfour\nfive\n"
    assert (root / "e/d.py").read_bytes() == b"mine\nmove me\nand you\n"
    (root / "a.py").write_bytes(b"mine\none\ntwo\nTHREE\nfour\nfive\nsix\n")
    lander.write(await lander.plan_undo(files))
    assert (root / "a.py").read_bytes() == b"mine\none\ntwo\nthree\nfour\nfive\nsix\n"
    assert (root / "d.py").read_bytes() == b"mine\nmove me\nand me\n"
    assert not (root / "e").exists()


def break_link(root: Path) -> None:
    (root / "a.py").unlink()
    (root / "a.py").symlink_to("quiet")


LANDING_CONFLICTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "same line": (
        lambda root: (root / "a.py").write_bytes(b"one\ntwo\n3\nfour\nfive\n"),
        "a.py:3: was changed here too",
    ),
    "deleted": (lambda root: (root / "a.py").unlink(), "a.py: was deleted since it was proposed"),
    "new file exists": (lambda root: lay_out(root, {"new/deep/b.py": b"mine\n"}), "new/deep/b.py: exists already"),
    "changed, to be deleted": (
        lambda root: (root / "old/c.py").write_bytes(b"gone\nno\n"),
        "old/c.py:2: changed since",
    ),
    "binary": (lambda root: (root / "pic.png").write_bytes(b"\0\0"), "pic.png:1: was changed here too"),
    "moved away": (lambda root: (root / "d.py").unlink(), "d.py: was deleted or moved"),
    "target of a move exists": (lambda root: lay_out(root, {"e/d.py": b"mine\n"}), "e/d.py: exists already"),
    "a symlink now": (break_link, "a.py: is a symlink"),
    "a folder now": (lambda root: (root / "new/deep/b.py").mkdir(parents=True), "new/deep/b.py: is a folder"),
    "a file in place of a folder": (lambda root: lay_out(root, {"new": b"mine\n"}), "new is a file, not a folder"),
}


@pytest.mark.parametrize("name", LANDING_CONFLICTS)
async def test_a_conflict_lands_nothing_and_says_where(
    name: str, root: Path, journal: SqliteJournal, lander: Lander
) -> None:
    edit, said = LANDING_CONFLICTS[name]
    edit(root)
    before = look_at(root)
    with pytest.raises(LandingConflictError) as caught:
        await lander.plan(patch_between(journal, OLD, NEW, MOVES))
    assert len(caught.value.conflicts) == 1
    assert said in caught.value.conflicts[0]
    assert look_at(root) == before


UNDO_CONFLICTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "same line": (
        lambda root: (root / "a.py").write_bytes(b"one\ntwo\nmine\nfour\nfive\n"),
        "a.py:3: was changed here",
    ),
    "new file changed": (
        lambda root: (root / "new/deep/b.py").write_bytes(b"fresh\nmine\n"),
        "new/deep/b.py:2: changed since",
    ),
    "deleted file is there again": (lambda root: lay_out(root, {"old/c.py": b"mine\n"}), "old/c.py: exists already"),
    "gone": (lambda root: (root / "a.py").unlink(), "a.py: was deleted since it was landed"),
}


@pytest.mark.parametrize("name", UNDO_CONFLICTS)
async def test_an_undo_never_takes_a_humans_line(name: str, root: Path, journal: SqliteJournal, lander: Lander) -> None:
    files = await lander.plan(patch_between(journal, OLD, NEW, MOVES))
    lander.write(files)
    edit, said = UNDO_CONFLICTS[name]
    edit(root)
    before = look_at(root)
    with pytest.raises(LandingConflictError) as caught:
        await lander.plan_undo(files)
    assert len(caught.value.conflicts) == 1
    assert said in caught.value.conflicts[0]
    assert look_at(root) == before


async def test_permissions_are_kept_and_new_files_follow_the_umask(
    root: Path, journal: SqliteJournal, lander: Lander
) -> None:
    (root / "a.py").chmod(0o600)
    (root / "run.sh").chmod(0o711)
    (root / "quiet").chmod(0o640)
    mask = os.umask(0o027)
    try:
        lander.write(await lander.plan(patch_between(journal, OLD, NEW, MOVES)))
    finally:
        os.umask(mask)
    modes = {name: (root / name).stat().st_mode & 0o777 for name in ("a.py", "run.sh", "quiet", "new/deep/b.py")}
    assert modes == {"a.py": 0o600, "run.sh": 0o711, "quiet": 0o750, "new/deep/b.py": 0o640}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
async def test_a_files_owner_is_kept(root: Path, journal: SqliteJournal, lander: Lander) -> None:
    os.chown(root / "a.py", 4321, 4322)
    lander.write(await lander.plan(patch_between(journal, OLD, NEW, MOVES)))
    assert ((root / "a.py").stat().st_uid, (root / "a.py").stat().st_gid) == (4321, 4322)


async def test_folders_with_other_things_in_them_stay(root: Path, journal: SqliteJournal, lander: Lander) -> None:
    lay_out(root, {"old/mine": b"x\n"})
    lander.write(await lander.plan(patch_between(journal, OLD, NEW, MOVES)))
    assert (root / "old/mine").read_bytes() == b"x\n"
    assert not (root / "old/c.py").exists()


async def test_an_edit_at_the_last_moment_takes_everything_back(
    root: Path, journal: SqliteJournal, lander: Lander
) -> None:
    files = await lander.plan(patch_between(journal, OLD, NEW, MOVES))
    before = look_at(root)
    renames = 0

    class Editor(SteppingFileSystem):
        def exchange(self, one: Path, other: Path) -> bool:
            nonlocal renames
            renames += 1
            if renames == 2:
                (root / "run.sh").write_bytes(b"human\n")
            return super().exchange(one, other)

    with pytest.raises(LandingConflictError) as caught:
        Lander(root, journal, root.parent / "lock", disk=Editor(lambda: None)).write(files)
    assert caught.value.conflicts == ("run.sh: was changed at the last moment",)
    assert look_at(root) == {**before, "run.sh": (b"human\n", 0o755)}


async def test_a_human_who_edits_what_was_just_written_keeps_it(
    root: Path, journal: SqliteJournal, lander: Lander
) -> None:
    files = await lander.plan(patch_between(journal, OLD, NEW, MOVES))
    before = look_at(root)

    class Editor(SteppingFileSystem):
        def exchange(self, one: Path, other: Path) -> bool:
            if other.name == "run.sh":
                raise OSError(errno.EIO, "broken", str(other))
            done = super().exchange(one, other)
            if other.name == "a.py":
                other.write_bytes(b"human\n")
            return done

    with pytest.raises(LandingConflictError) as caught:
        Lander(root, journal, root.parent / "lock", disk=Editor(lambda: None)).write(files)
    assert "a.py" in caught.value.hint
    assert (root / "a.py").read_bytes() == b"human\n"
    assert look_at(root)["pic.png"] == before["pic.png"]


async def test_whatever_step_fails_the_tree_is_before_or_after(
    journal: SqliteJournal, lander: Lander, root: Path, tmp_path: Path
) -> None:
    files = await lander.plan(patch_between(journal, OLD, NEW, MOVES))
    before = look_at(root)
    after = look_at(lay_out(tmp_path / "wanted", NEW))
    outcomes = set()
    for step in range(200):
        here = lay_out(tmp_path / f"step{step}", OLD)
        count = 0

        def fail(bad: int = step) -> None:
            nonlocal count
            count += 1
            if count == bad + 1:
                raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

        refusal = None
        try:
            Lander(here, journal, tmp_path / "lock", disk=SteppingFileSystem(fail)).write(files)
        except LandingConflictError as error:
            refusal = error
        if refusal is not None:
            outcomes.add("refused")
            assert refusal.message.startswith("Nothing was written: ")
            assert "No space left on device" in refusal.message
            assert refusal.hint == "Make room on the disk, then try again."
            assert look_at(here) == before, step
        else:
            # Failing to sync a folder, or to remove one that is empty, is no reason to take the landing back.
            outcomes.add("landed")
            assert look_at(here) | after == look_at(here), step
        if count <= step:
            break
    else:
        pytest.fail("the landing never ends")
    assert outcomes == {"refused", "landed"}
    assert step > 30


async def test_two_landers_take_turns(root: Path, journal: SqliteJournal) -> None:
    first, second = lander_for(root, journal), lander_for(root, journal)
    order = []
    inside = asyncio.Event()
    leave = asyncio.Event()

    async def hold() -> None:
        async with first.locked():
            inside.set()
            await leave.wait()
            order.append("first")

    async def follow() -> None:
        await inside.wait()
        async with second.locked():
            order.append("second")

    async with asyncio.TaskGroup() as group:
        group.create_task(hold())
        group.create_task(follow())
        await inside.wait()
        # The loop goes on while the second waits.
        await asyncio.sleep(0)
        assert order == []
        leave.set()
    assert order == ["first", "second"]


async def test_a_lock_held_for_too_long_is_named(root: Path, journal: SqliteJournal) -> None:
    lock = root.parent / "locks" / "lock"
    impatient = Lander(root, journal, lock, patience=0.05)
    async with Lander(root, journal, lock).locked():
        start = time.monotonic()
        with pytest.raises(LandingConflictError) as caught:
            async with impatient.locked():
                pass
        assert time.monotonic() - start < 30
    assert str(lock) in caught.value.message
    assert str(os.getpid()) in caught.value.message
    async with impatient.locked():
        pass


@st.composite
def three_sides(draw: st.DrawFn) -> tuple[list[str], list[str], list[str]]:
    """A text, what a proposal makes of its first half, and what a human makes of its second."""
    lines = [f"line {n}" for n in range(draw(st.integers(2, 20)))]
    middle = draw(st.integers(1, len(lines) - 1))
    kept = lines[middle : middle + 1]
    word = st.lists(st.sampled_from(["x", "", "y z", "line 1"]), max_size=5)
    top, bottom = draw(word), draw(word)
    return lines, [*top, *lines[middle:]], [*lines[:middle], *kept, *bottom]


@settings(max_examples=30)
@given(sides=three_sides())
async def test_edits_apart_survive_landing_and_undo(sides: tuple[list[str], list[str], list[str]]) -> None:
    old, proposed, human = ("\n".join(side).encode() + b"\n" for side in sides)
    with tempfile.TemporaryDirectory() as folder:
        journal = SqliteJournal(Path(folder) / "journal.db")
        root = lay_out(Path(folder) / "project", {"f": old})
        lander = lander_for(root, journal)
        patch = patch_between(journal, {"f": old}, {"f": proposed})
        (root / "f").write_bytes(human)
        files = await lander.plan(patch)
        lander.write(files)
        if old != proposed:
            assert (root / "f").read_bytes() != human
        lander.write(await lander.plan_undo(files))
        assert (root / "f").read_bytes() == human
        journal.close()


NAMES = st.sampled_from(["a", "b", "c/d", "c/e"])
CONTENTS = st.sampled_from([b"", b"x\n", b"x\ny\n", b"x\r\ny", b"\0\1", b"\xff"])
FILES = st.builds(FileChange, CONTENTS, st.sampled_from([0o100644, 0o100755]))


@settings(max_examples=30)
@given(old=st.dictionaries(NAMES, FILES), new=st.dictionaries(NAMES, FILES))
async def test_any_landing_and_its_undo_are_the_identity(old: Tree, new: Tree) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = SqliteJournal(Path(folder) / "journal.db")
        root = lay_out(Path(folder) / "project", old)
        before, wanted = look_at(root), look_at(lay_out(Path(folder) / "wanted", new))
        lander = lander_for(root, journal)
        files = await lander.plan(patch_between(journal, old, new))
        lander.write(files)
        assert look_at(root) == wanted
        lander.write(await lander.plan_undo(files))
        assert look_at(root) == before
        journal.close()


async def test_a_recovery_that_cannot_take_back_says_so(root: Path, journal: SqliteJournal, lander: Lander) -> None:
    files = await lander.plan(patch_between(journal, OLD, NEW, MOVES))
    lander.write(files)
    (root / "a.py").write_bytes(b"human\n")

    def fail() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    full = Lander(root, journal, root.parent / "lock", disk=SteppingFileSystem(fail))
    after = look_at(root)
    with pytest.raises(LandingConflictError, match="neither completed nor taken back") as caught:
        full.recover(files)
    assert "run.sh" in caught.value.conflicts
    assert look_at(root) == after
    assert lander.recover(files) == "abandoned"
