"""Taking back and landing again, in any order and over a human's edits: only what pairloop wrote goes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.errors import LandingConflictError
from agent_core.events import FileLanding
from agent_core.journal import SqliteJournal
from agent_core.workspace.tree import FileChange
from tests.projects import git
from tests.workspace.landings import Tree, lander_for, lay_out, look_at, patch_between
from tests.workspace.test_landing import MOVES, NEW, OLD

Files = tuple[FileLanding, ...]


class Place:
    """A project, and landings in it that are written as soon as they are planned."""

    def __init__(self, folder: Path, tree: Tree) -> None:
        self.journal = SqliteJournal(folder / "journal.db")
        self.root = lay_out(folder / "project", tree)
        self.lander = lander_for(self.root, self.journal)

    async def land(self, old: Tree, new: Tree, moves: Mapping[str, str] | None = None) -> Files:
        files = await self.lander.plan(patch_between(self.journal, old, new, moves))
        self.lander.write(files)
        return files

    async def back(self, files: Files, *, again: bool = False) -> Files:
        undo = await self.lander.plan_undo(files, again=again)
        self.lander.write(undo)
        return undo

    async def refused(self, files: Files) -> tuple[str, ...]:
        """What stands in the way of taking a landing back; nothing is changed by asking."""
        before = look_at(self.root)
        with pytest.raises(LandingConflictError) as caught:
            await self.lander.plan_undo(files)
        assert look_at(self.root) == before
        return caught.value.conflicts

    def write(self, path: str, text: str) -> None:
        (self.root / path).write_text(text)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path, OLD)
    yield place
    place.journal.close()


@pytest.mark.parametrize("in_git", [True, False])
async def test_back_and_again_and_back(place: Place, tmp_path: Path, in_git: bool) -> None:
    if in_git:
        git(place.root, "init", "-q")
        git(place.root, "add", "-A")
        git(place.root, "commit", "-q", "-m", "start")
    before, after = look_at(place.root), {**look_at(lay_out(tmp_path / "after", NEW))}
    if in_git:
        after |= {name: there for name, there in before.items() if name.split("/")[0] == ".git"}
    files = await place.land(OLD, NEW, MOVES)
    for _ in range(2):
        assert look_at(place.root) == after
        files = await place.back(files)
        assert look_at(place.root) == before
        files = await place.back(files, again=True)


async def test_what_a_human_wrote_into_a_renamed_file_goes_back_with_it(place: Place) -> None:
    files = await place.land(OLD, NEW, MOVES)
    assert place.read("e/d.py") == "move me\nand you\n"
    place.write("e/d.py", "# mine\nmove me\nand you\n")
    files = await place.back(files)
    assert place.read("d.py") == "# mine\nmove me\nand me\n"
    assert not (place.root / "e").exists()
    place.write("d.py", "# mine\nmove me\nand me too\n")
    conflicts = await place.refused(files)
    assert conflicts == ("d.py:3: was changed here too",)
    place.write("d.py", "# mine\n# too\nmove me\nand me\n")
    await place.back(files, again=True)
    assert place.read("e/d.py") == "# mine\n# too\nmove me\nand you\n"
    assert not (place.root / "d.py").exists()


async def test_a_renamed_file_that_was_renamed_back_by_hand(place: Place) -> None:
    files = await place.land(OLD, NEW, MOVES)
    (place.root / "e/d.py").rename(place.root / "d.py")
    await place.back(files)
    assert place.read("d.py") == "move me\nand me\n"


@pytest.mark.parametrize(
    ("edits", "conflict"),
    [
        ({"e/d.py": "move me\nand them\n"}, "e/d.py:2: was changed here too"),
        ({"d.py": "another\n"}, "d.py: exists already, with other content"),
        ({"folder": "a folder becomes\na file\n"}, "folder:1-2: changed since it was landed, so it is not removed"),
        ({"file/inside": "of\nthe\nfolder\n"}, "file/inside:1-3: changed since it was landed, so it is not removed"),
        ({"file/mine": "x\n"}, "file: is a folder with file/mine in it; a patch names files"),
    ],
)
async def test_what_stands_in_the_way_is_named_with_its_lines(
    place: Place, edits: dict[str, str], conflict: str
) -> None:
    files = await place.land(OLD, NEW, MOVES)
    for path, text in edits.items():
        place.write(path, text)
    assert await place.refused(files) == (conflict,)


async def test_all_permission_bits_come_back(place: Place) -> None:
    bits = {"secret": 0o600, "run.sh": 0o711, "quiet": 0o641, "d.py": 0o400, "file": 0o4711, "folder/one": 0o1604}
    for name, mode in bits.items():
        (place.root / name).chmod(mode)
    mask = os.umask(0o027)
    try:
        files = await place.land(OLD, NEW, MOVES)
        landed = {name: (place.root / name).stat().st_mode & 0o7777 for name in ("e/d.py", "quiet", "file/inside")}
        assert landed == {"e/d.py": 0o400, "quiet": 0o751, "file/inside": 0o640}
        (place.root / "e/d.py").chmod(0o440)
        files = await place.back(files)
        now = {name: (place.root / name).stat().st_mode & 0o7777 for name in bits}
        # A human has opened that one to the group since.
        assert now == {**bits, "d.py": 0o440}
        os.umask(0o077)
        await place.back(files, again=True)
    finally:
        os.umask(mask)
    again = {name: (place.root / name).stat().st_mode & 0o7777 for name in landed}
    assert again == {**landed, "e/d.py": 0o440}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
async def test_the_owner_moves_along(place: Place) -> None:
    os.chown(place.root / "d.py", 4321, 4322)
    await place.land(OLD, NEW, MOVES)
    assert ((place.root / "e/d.py").stat().st_uid, (place.root / "e/d.py").stat().st_gid) == (4321, 4322)


async def test_a_folder_with_somebody_elses_file_never_becomes_a_file(place: Place) -> None:
    place.write("folder/mine", "x\n")
    with pytest.raises(LandingConflictError) as caught:
        await place.land(OLD, NEW, MOVES)
    assert caught.value.conflicts == ("folder: is a folder with folder/mine in it; a patch names files",)


LINES = [f"line {number}\n" for number in range(40)]


def text_of(lines: list[str]) -> bytes:
    return "".join(lines).encode()


@settings(max_examples=20)
@given(data=st.data())
async def test_disjoint_landings_are_undone_and_redone_in_any_order_around_a_humans_edits(data: st.DataObject) -> None:
    """Each landing and the human have lines of their own, every fourth; what comes of them is known line by line."""
    count = data.draw(st.integers(2, 4))
    owners = data.draw(st.permutations(range(10)))
    landings, human = owners[:count], owners[count : count + 3]
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), {"f": text_of(LINES)})
        state: dict[int, str] = {}

        def now() -> bytes:
            return text_of([state.get(index, line) for index, line in enumerate(LINES)])

        done: dict[int, Files] = {}
        between = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
        for owner, edit in zip(landings, between, strict=True):
            old, state[owner * 4] = now(), f"landed {owner}\n" * data.draw(st.integers(0, 2))
            done[owner] = await place.land({"f": old}, {"f": now()})
            if human and edit:
                state[human.pop() * 4] = "human\n" * data.draw(st.integers(0, 2))
                place.write("f", now().decode())
        undone: set[int] = set()
        texts = {owner: state[owner * 4] for owner in landings}
        for owner in data.draw(st.lists(st.sampled_from(landings), max_size=8)):
            done[owner] = await place.back(done[owner], again=owner in undone)
            undone ^= {owner}
            if owner in undone:
                del state[owner * 4]
            else:
                state[owner * 4] = texts[owner]
            assert (place.root / "f").read_bytes() == now()
        place.journal.close()


NAMES = st.sampled_from(["a", "A", "a/b", "b", "b/c", "b/c/d", "e"])
CONTENTS = st.sampled_from([b"", b"x\n", b"x\ny\n", b"x\r\ny", b"\0\1", b"\xff", b"z\ny\nx\n"])
FILES = st.builds(FileChange, CONTENTS, st.sampled_from([0o100644, 0o100755]))


def possible(tree: dict[str, FileChange]) -> bool:
    return not any(other.startswith(f"{name}/") for name in tree for other in tree)


TREES = st.dictionaries(NAMES, FILES, max_size=5).filter(possible)


@st.composite
def landings(draw: st.DrawFn) -> tuple[dict[str, FileChange], dict[str, FileChange], dict[str, str]]:
    """Two trees, and some of the files of the first that move to a place in the second."""
    old, new = draw(TREES), draw(TREES)
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    sources = draw(st.permutations(gone))
    return old, new, dict(zip(come, sources[: draw(st.integers(0, len(sources)))], strict=False))


@settings(max_examples=60)
@given(case=landings())
async def test_any_landing_its_undo_and_its_redo(
    case: tuple[dict[str, FileChange], dict[str, FileChange], dict[str, str]],
) -> None:
    """Files become folders, folders files, names change by a letter's case, and files move."""
    old, new, moves = case
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), old)
        wanted = look_at(lay_out(Path(folder) / "wanted", new))
        before = look_at(place.root)
        files = await place.land(old, new, moves)
        assert look_at(place.root) == wanted
        files = await place.back(files)
        assert look_at(place.root) == before
        await place.back(files, again=True)
        assert look_at(place.root) == wanted
        place.journal.close()
