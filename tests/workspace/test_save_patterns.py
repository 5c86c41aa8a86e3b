"""However an editor saves, it is one edit: nothing it does on the way is one, and no state between two steps."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent_core.config_tables import Config, SandboxConfig
from agent_core.events import HumanEdited
from agent_core.process import run
from agent_core.workspace.edits import EditTracker
from agent_core.workspace.project import open_project
from agent_core.workspace.tree import content_hash
from agent_core.workspace.watcher import Watcher
from tests.projects import make_project
from tests.support.editors import PATTERNS, Pattern, emptied_and_filled, jetbrains, vim

OLD, NEW = b"one\ntwo\nthree\n", b"one\n2\nthree\nfour\n"
# What an editor may take between two of its steps, on a machine that is busy: longer than the watcher waits.
PAUSE = 0.03


class Ear:
    """Looks when the watcher says so, as a session does."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.edits: list[HumanEdited] = []
        self._news = asyncio.Event()

    async def listen(self, tracker: EditTracker, watcher: Watcher) -> None:
        async for batch in watcher.batches():
            self.edits += (await tracker.look(batch))[1]
            self._news.set()

    async def until(self, path: str, data: bytes | None) -> None:
        """Wait until a content is heard of, and then until whatever else there was has been."""
        await self._until(lambda: any((one.path, one.after) == (path, _hash(data)) for one in self.edits))
        (self.root / "marker.txt").write_text(f"{len(self.edits)}\n")
        await self._until(lambda: self.edits[-1].path == "marker.txt")
        self.edits = [one for one in self.edits if one.path != "marker.txt"]

    async def _until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not self.edits or not true():
                self._news.clear()
                await self._news.wait()


def _hash(data: bytes | None) -> str | None:
    return None if data is None else content_hash(data)


@asynccontextmanager
async def listening(root: Path) -> AsyncIterator[Ear]:
    project = await open_project(root, Config(sandbox=SandboxConfig(candidate="copy")), os.environ)
    tracker = EditTracker(project)
    await tracker.start()
    ear, watcher = Ear(root), Watcher(root, project.state, print, leisure=0.2)
    task = asyncio.create_task(ear.listen(tracker, watcher))
    try:
        async with asyncio.timeout(20):
            await watcher.watching.wait()
        yield ear
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path / "p", {"a.py": OLD.decode(), "marker.txt": "", "sub/b.py": ""})


@pytest.mark.parametrize("pause", [0.0, PAUSE])
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.__name__)
async def test_every_way_to_save_is_one_edit(root: Path, pattern: Pattern, pause: float) -> None:
    async with listening(root) as ear:
        for step in pattern(root / "a.py", NEW):
            step()
            # The editor's own pace.
            await asyncio.sleep(pause)
        await ear.until("a.py", NEW)
    (edit,) = ear.edits
    assert (edit.path, edit.kind, edit.before, edit.after) == ("a.py", "changed", _hash(OLD), _hash(NEW))
    assert edit.diff == "--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four"


@pytest.mark.parametrize(
    "command",
    [
        ("sed", "-i", "s/two/2/", "a.py"),
        ("vim", "-es", "-u", "NONE", "-c", "set backup writebackup", "-c", "%s/two/2/", "-c", "wq", "a.py"),
        ("vim", "-es", "-u", "NONE", "-c", "set backupcopy=yes", "-c", "%s/two/2/", "-c", "wq", "a.py"),
        ("emacs", "--batch", "a.py", "--eval", '(progn (replace-string "two" "2") (save-buffer))'),
    ],
    ids=["sed", "vim", "vim-in-place", "emacs"],
)
async def test_real_programs(root: Path, command: tuple[str, ...]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} here")
    async with listening(root) as ear:
        await run(command, cwd=root, timeout=20)
        await ear.until("a.py", b"one\n2\nthree\n")
    (edit,) = ear.edits
    assert (edit.path, edit.kind, edit.before) == ("a.py", "changed", _hash(OLD))


async def test_a_formatter_that_goes_over_what_was_saved_is_one_edit_more_at_most(root: Path) -> None:
    async with listening(root) as ear:
        (root / "a.py").write_bytes(b"one\n2\n\n\nthree\n")
        await asyncio.sleep(0.06)
        (root / "a.py").write_bytes(NEW)
        await ear.until("a.py", NEW)
    assert [edit.after for edit in ear.edits] in ([_hash(NEW)], [_hash(b"one\n2\n\n\nthree\n"), _hash(NEW)])


async def test_a_long_file_written_in_pieces_is_heard_when_it_is_whole(root: Path) -> None:
    data = b"".join(b"line %d of many\n" % number for number in range(2000))
    async with listening(root) as ear:
        with (root / "a.py").open("wb", buffering=0) as file:
            for start in range(0, len(data), 4096):
                file.write(data[start : start + 4096])
                await asyncio.sleep(0.01)
        await ear.until("a.py", data)
    assert [edit.after for edit in ear.edits] == [_hash(data)]


async def test_what_is_really_emptied_or_removed_is_heard(root: Path) -> None:
    async with listening(root) as ear:
        (root / "a.py").write_bytes(b"")
        await ear.until("a.py", b"")
        (root / "a.py").unlink()
        await ear.until("a.py", None)
        (root / "new.py").touch()
        await ear.until("new.py", b"")
    assert [(edit.path, edit.kind) for edit in ear.edits] == [
        ("a.py", "changed"),
        ("a.py", "deleted"),
        ("new.py", "added"),
    ]


async def test_a_look_at_everything_between_two_steps_waits_for_the_next(root: Path) -> None:
    project = await open_project(root, Config(sandbox=SandboxConfig(candidate="copy")), os.environ)
    tracker = EditTracker(project)
    await tracker.start()
    for pattern in (emptied_and_filled, vim, jetbrains):
        (root / "a.py").write_bytes(OLD)
        await tracker.look()
        steps = list(pattern(root / "a.py", NEW))
        found: list[HumanEdited] = []
        for step in steps:
            step()
            looking = asyncio.create_task(tracker.look())
            # Somewhere in the look the next step comes.
            await asyncio.sleep(PAUSE)
            found += (await looking)[1] if looking.done() else []
            if not looking.done():
                looking.cancel()
                await asyncio.wait([looking])
        found += (await tracker.look())[1]
        assert [(edit.path, edit.after) for edit in found] == [("a.py", _hash(NEW))], pattern.__name__
