"""The watcher says when to look again."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from agent_core.process import run
from agent_core.workspace.watcher import Watcher
from tests.projects import make_project, write_files

HERE = Path(__file__).parent.parent.parent


class Heard:
    """Collects what a watcher says."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.batches = 0
        self.wholes = 0
        self.largest = 0
        self._more = asyncio.Condition()

    async def listen(self, watcher: Watcher) -> None:
        async for batch in watcher.batches():
            async with self._more:
                self.paths |= batch
                self.batches += 1
                self.wholes += not batch
                self.largest = max(self.largest, len(batch))
                self._more.notify_all()

    async def until(self, *paths: str) -> None:
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: self.paths >= set(paths))

    async def until_wholes(self, number: int) -> None:
        """Wait until a look at everything has been asked for so often."""
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: self.wholes >= number)

    async def until_batches(self, number: int) -> None:
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: self.batches >= number)


@asynccontextmanager
async def listening(watcher: Watcher) -> AsyncIterator[Heard]:
    heard = Heard()
    task = asyncio.create_task(heard.listen(watcher))
    try:
        async with asyncio.timeout(30):
            await watcher.watching.wait()
        yield heard
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_project(tmp_path / "p", {"a.py": "", "sub/b.py": "", "gone.py": "", ".gitignore": "node_modules/\n"})
    write_files(root, {"node_modules/x/y.js": "", "sub/__pycache__/b.pyc": ""})
    return root


async def test_every_kind_of_save(root: Path, tmp_path: Path) -> None:
    async with listening(Watcher(root, tmp_path / "state", leisure=60)) as heard:
        (root / "a.py").write_text("changed")
        await heard.until("a.py")
        (root / "sub" / "new.py").write_text("new")
        await heard.until("sub/new.py")
        (root / "gone.py").unlink()
        await heard.until("gone.py")
        (root / "sub" / "b.py~tmp").write_text("by rename, as editors do")
        (root / "sub" / "b.py~tmp").rename(root / "sub" / "b.py")
        await heard.until("sub/b.py")


async def test_what_is_ignored_is_not_heard(root: Path, tmp_path: Path) -> None:
    async with listening(Watcher(root, tmp_path / "state", leisure=60)) as heard:
        (root / "node_modules" / "x" / "y.js").write_text("noise")
        (root / "sub" / "__pycache__" / "b.pyc").write_text("noise")
        (root / ".git" / "index.lock").write_text("noise")
        (root / ".git" / "index.lock").unlink()
        (root / "a.py").write_text("signal")
        await heard.until("a.py")
        assert heard.paths == {"a.py"}


async def test_new_folders_join(root: Path, tmp_path: Path) -> None:
    async with listening(Watcher(root, tmp_path / "state", leisure=60)) as heard:
        write_files(root, {"one/two/c.py": ""})
        # The folder itself, and then the word to look at everything, once it is watched too.
        await heard.until("one")
        await heard.until_batches(2)
        (root / "one" / "two" / "c.py").write_text("later")
        await heard.until("one/two/c.py")


async def test_folders_made_again_are_heard_again(root: Path, tmp_path: Path) -> None:
    async with listening(Watcher(root, tmp_path / "state", leisure=60)) as heard:
        shutil.rmtree(root / "sub")
        await heard.until("sub")
        batches = heard.batches
        write_files(root, {"sub/b.py": "", "sub/deeper/c.py": ""})
        await heard.until_batches(batches + 2)
        for name in ("sub/b.py", "sub/deeper/c.py"):
            heard.paths.discard(name)
            (root / name).write_text("again")
            await heard.until(name)


async def test_polling_where_there_are_no_watches_left(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*paths: Path, **_options: Any) -> AsyncIterator[set[tuple[Any, str]]]:
        if paths:
            raise OSError("OS file watch limit reached.")
        yield set()

    monkeypatch.setattr(watchfiles, "awatch", refuse)
    notes: list[str] = []
    watcher = Watcher(root, tmp_path / "state", notes.append, poll=0.01)
    async with listening(watcher) as heard:
        assert watcher.polling
        assert len(notes) == 1
        assert "watch limit" in notes[0]
        await heard.until_batches(3)
        assert heard.paths == set()


FIRST_BATCH = """
import asyncio, sys
from pathlib import Path
from agent_core.workspace.watcher import Watcher

async def main():
    watcher = Watcher(Path(sys.argv[1]), Path(sys.argv[2]), print, poll=0.01)
    async for batch in watcher.batches():
        print(sorted(batch), watcher.polling)
        return

asyncio.run(main())
"""


@pytest.mark.parametrize("limit", ["max_inotify_watches", "max_inotify_instances"])
async def test_the_systems_own_limits(root: Path, tmp_path: Path, limit: str) -> None:
    script = f'echo 0 > /proc/sys/user/{limit} || exit 99; exec "$@"'
    command = ("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh", sys.executable, "-c", FIRST_BATCH)
    try:
        done = await run((*command, str(root), str(tmp_path / "state")), cwd=HERE, timeout=20)
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if done.code == 99 or done.stderr.startswith(b"unshare:"):
        pytest.skip("limits cannot be set here")
    note, batch = done.text.splitlines()
    assert note.startswith("File watches cannot be used (")
    assert batch == "[] True"


async def test_it_ends_though_the_library_loses_the_cancellation(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(*_folders: Path, stop_event: asyncio.Event, **_options: Any) -> AsyncIterator[set[Any]]:
        while not stop_event.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await stop_event.wait()
        for nothing in list[set[Any]]():
            yield nothing

    monkeypatch.setattr(watchfiles, "awatch", deaf)
    watcher = Watcher(root, tmp_path / "state", print)
    listening = asyncio.create_task(Heard().listen(watcher))
    await watcher.watching.wait()
    listening.cancel()
    done, _ = await asyncio.wait([listening], timeout=5)
    assert done == {listening}
    assert listening.cancelled()
