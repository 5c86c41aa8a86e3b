"""How long a save takes to be in the journal, on a large project, and what it costs to listen.

Over the real session (watcher, look, event, journal; its checks are off and its partner is never asked) it saves one
file after the other, as editors do in turn: in place, and by a rename. Beside it, in the same run, stands a bare loop
of the watch library over the same folders, which only hears that something happened, with nothing else at work.

    python tests/bench/watching.py [--files N] [--saves N] [--idle SECONDS]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import watchfiles

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from agent_core import events as ev  # noqa: E402 - found by the line above
from agent_core.workspace.watched import Watched  # noqa: E402
from agent_core.workspace.watcher import Watcher  # noqa: E402
from tests.bench.candidates import make_files  # noqa: E402
from tests.support.running import flags, running  # noqa: E402

SAVE_MS, START_MS, IDLE_PERCENT = 50.0, 1000.0, 0.5
_PAUSE = 0.15
CHECKS = ("syntax", "ruff", "mypy", "pytest")


class Measured(msgspec.Struct, frozen=True):
    """What one way of listening comes to.

    Attributes:
        start: Milliseconds until the watches are set.
        saves: Milliseconds of each save.
        idle: Percent of a core while nothing happens.
    """

    start: float
    saves: list[float]
    idle: float


def save(path: Path, number: int) -> None:
    """Save a file as one editor or another does."""
    text = f"VALUE = {number}\nSAVED = {time.time_ns()}\n"
    if number % 2:
        path.write_text(text)
        return
    beside = path.with_name(f"{path.name}~")
    beside.write_text(text)
    beside.replace(path)


class Ear:
    """Waits for files by their paths."""

    def __init__(self) -> None:
        self._paths: set[str] = set()
        self._news = asyncio.Event()

    def hear(self, path: str) -> None:
        """This one was heard of."""
        self._paths.add(path)
        self._news.set()

    async def until(self, path: str) -> None:
        """Wait for one."""
        async with asyncio.timeout(20):
            while path not in self._paths:
                self._news.clear()
                await self._news.wait()
        self._paths.clear()


async def timed_saves(root: Path, count: int, ear: Ear) -> list[float]:
    """Milliseconds from before a save until it is heard, one after the other."""
    files = sorted(root.glob("pkg*/mod*.py"))
    rng, took = random.Random(1), []
    for number in range(count):
        path = rng.choice(files)
        await asyncio.sleep(_PAUSE * (0.5 + rng.random()))
        began = time.perf_counter()
        save(path, number)
        await ear.until(str(path.relative_to(root)))
        took.append((time.perf_counter() - began) * 1000)
    return took


async def idle_percent(seconds: float) -> float:
    """Percent of a core this process takes while nothing happens."""
    await asyncio.sleep(2)
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    return 100 * (time.process_time() - cpu) / (time.perf_counter() - wall)


async def watcher_start(root: Path, state: Path) -> float:
    """Milliseconds from nothing until a watcher hears: it finds out what there is to watch, too."""
    began, watcher = time.perf_counter(), Watcher(root, state)

    async def listen() -> None:
        async for _ in watcher.batches():
            pass

    listening = asyncio.create_task(listen())
    await watcher.watching.wait()
    start = (time.perf_counter() - began) * 1000
    listening.cancel()
    await asyncio.wait([listening])
    return start


async def of_session(root: Path, script: Path, measure: Callable[[float, Ear], Awaitable[Measured]]) -> Measured:
    """Measure the session."""
    start = await watcher_start(root, script.parent / "listing")
    settings = flags(off=CHECKS, partner={"script": str(script)})
    async with running(root, settings, watch=True) as session:
        await session.until(lambda _: bool(session.all(ev.SettingsTold)))
        while session.session.surroundings.heard != "watched":  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.002)
        ear = Ear()
        session.session.subscribe(lambda entry, _: _edited(entry.event, ear))
        return await measure(start, ear)


def _edited(event: ev.AnyEvent, ear: Ear) -> None:
    if isinstance(event, ev.HumanEdited):
        ear.hear(event.path)


async def of_library(root: Path, state: Path, measure: Callable[[float, Ear], Awaitable[Measured]]) -> Measured:
    """Measure the bare watch library."""
    ground = await Watched(root, state).all()
    began, ear, stop = time.perf_counter(), Ear(), asyncio.Event()
    changes = watchfiles.awatch(*ground.places, debounce=50, step=10, recursive=False, stop_event=stop)

    async def listen() -> None:
        async for batch in changes:
            for _, path in batch:
                ear.hear(os.path.relpath(path, root))

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    start = (time.perf_counter() - began) * 1000
    try:
        return await measure(start, ear)
    finally:
        stop.set()
        await listening


async def bench(files: int, saves: int, idle: float) -> bool:
    """Measure, and print a table; gives whether the targets are met."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PAIRLOOP_STATE_DIR"] = f"{folder}/state"
        # git would tidy up in the background just when it is measured.
        os.environ |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "gc.auto", "GIT_CONFIG_VALUE_0": "0"}
        root, script = Path(folder) / "project", Path(folder) / "script.json"
        script.write_text('{"turns": []}')
        root.mkdir()
        await asyncio.to_thread(make_files, root, files)

        async def measure(start: float, ear: Ear) -> Measured:
            await asyncio.sleep(3)
            return Measured(start, await timed_saves(root, saves, ear), await idle_percent(idle))

        library = await of_library(root, Path(folder) / "listing", measure)
        session = await of_session(root, script, measure)
    print(f"{files:,} files, {saves} saves, {idle:g} s idle; {os.cpu_count()} processors")
    print(f"{'':<24} {'start ms':>9} {'save p50 ms':>12} {'save p95 ms':>12} {'idle % of a core':>17}")
    for name, one in (("bare watch library", library), ("pairloop's session", session)):
        cuts = statistics.quantiles(one.saves, n=20)
        print(f"{name:<24} {one.start:>9.0f} {cuts[9]:>12.1f} {cuts[18]:>12.1f} {one.idle:>17.2f}")
    p95 = statistics.quantiles(session.saves, n=20)[18]
    good = p95 < SAVE_MS and session.start < START_MS and session.idle < IDLE_PERCENT
    target = f"p95 below {SAVE_MS:g} ms, heard within {START_MS:g} ms, idle below {IDLE_PERCENT:g}%"
    print(f"target: {target}: {'met' if good else 'not met'}")
    return good


def main() -> int:
    """Measure, print, and say by the exit code whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--saves", type=int, default=100)
    parser.add_argument("--idle", type=float, default=10.0)
    options = parser.parse_args()
    return 0 if asyncio.run(bench(options.files, options.saves, options.idle)) else 1


if __name__ == "__main__":
    sys.exit(main())
