"""An hour's worth of events through fold, bridge and the whole app, in bounded memory.

A session's state holds what was said and proposed, and so it grows; this says by how much for a thousand events, and
fails where that is more than what is kept can explain. What streams by (text, progress of checks) must leave nothing.

    python tests/bench/soak.py [--events N]

The exit code says whether memory stayed within its bounds.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from agent_core import events as ev  # noqa: E402 - found by the line above
from agent_core.conversation import AssistantItem, ToolCallItem, ToolResultItem, Usage, UserItem  # noqa: E402
from tests.tui import scenes  # noqa: E402
from tests.tui.driving import Driver, running  # noqa: E402
from tests.tui.fake_session import FakeEngine, FakeSession  # noqa: E402

KB_A_THOUSAND = 1500.0
"""Most that memory may grow by a thousand events, once everything has been drawn once."""
_WARM = 0.3
_CONTENTS = 40
_PIECES = 60
_PROGRESS = 20
_COMPACTED = 12
"""So many tasks lie between two compactions."""


class Lived(FakeSession):
    """A session of which only what a real one holds in memory is kept: its events and contents are on the disk."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, *events: ev.AnyEvent) -> None:
        """Let something happen."""
        super().emit(*events)
        self.count += len(events)
        self.events.clear()

    def put(self, text: str | bytes) -> str:
        """Keep a content; the oldest goes."""
        digest = super().put(text)
        while len(self.contents) > _CONTENTS:
            del self.contents[next(iter(self.contents))]
        return digest


def task(session: Lived, number: int) -> None:
    """One task from the question to the landing, with a human who edits beside it."""
    call = f"c{number + 1}"
    text = f"Step {number}: `discount` loses what is behind the point. " * 4
    new = scenes.RIGHT.replace("percent", f"percent_{number}")
    session.emit(
        ev.Asked(number, f"The discount number {number} is wrong. Please fix it."),
        ev.ItemsAppended((UserItem(f"The discount number {number} is wrong. " * 20),)),
        ev.PromptSent(2 * number - 1, len(session.state.items)),
        *(ev.TextStreamed(text[at * 4 : at * 4 + 4]) for at in range(_PIECES)),
        *(ev.PatchStreamed(call, f"+    line {at}\n") for at in range(_PIECES // 2)),
    )
    session.emit(
        ev.ItemsAppended((AssistantItem(text), ToolCallItem(call, "apply_patch", new))),
        ev.ToolStarted(f"t{number}", "read_file", f"read shop/pricing_{number}.py"),
        ev.ToolFinished(f"t{number}", True, "34 lines"),
    )
    scenes.propose(session, number, new)
    session.emit(*(ev.CheckProgressed("pytest", "candidate", at, _PROGRESS) for at in range(_PROGRESS)))
    diff = f"--- a/shop/store.py\n+++ b/shop/store.py\n@@ -1,2 +1,2 @@\n-a = {number}\n+a = {number + 1}"
    session.emit(
        *(ev.HumanEdited(f"shop/store_{at}.py", "changed", diff, f"{number}", f"{number + 1}") for at in range(3)),
        ev.BranchChanged("checkout: moving from main to topic", "main", "topic", "c0ffee", ("shop/store.py",), 1),
    )
    scenes.judge(session, number, green=number % 3 > 0)
    file = session.state.proposals[-1].patch.files[0]
    landing = ev.FileLanding(file.path, file.before, file.after, 0o100644, 0o100644)
    session.emit(
        ev.Decided(number, "accept", "human"),
        ev.LandingStarted(number, number, 0, (landing,)),
        ev.Landed(number),
        ev.ItemsAppended((ToolResultItem(call, "The human accepted it; it has landed. " * 10),)),
        ev.AnswerFinished("", Usage(2600, 2100, 180, 0)),
        ev.TaskFinished(number, "landed", ""),
    )
    if number % _COMPACTED == 0:
        kept = len(session.state.items) - 4
        session.emit(ev.Compacted((UserItem("What happened so far. " * 50),), kept, 90_000, 4_000, "full", summed=kept))


def resident() -> float:
    """Memory of this process in KB, garbage excluded."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


@dataclass(frozen=True)
class Soaked:
    """What it came to.

    Attributes:
        seen: Events so far, seconds, and KB, from time to time.
        frames: How many were drawn.
    """

    seen: tuple[tuple[int, float, float], ...]
    frames: int

    @property
    def growth(self) -> float:
        """KB a thousand events, by least squares over what came after everything had been drawn once."""
        warm = [one for one in self.seen if one[0] >= _WARM * self.seen[-1][0]]
        count = len(warm)
        mean_x, mean_y = sum(one[0] for one in warm) / count, sum(one[2] for one in warm) / count
        above = sum((one[0] - mean_x) * (one[2] - mean_y) for one in warm)
        return 1000 * above / sum((one[0] - mean_x) ** 2 for one in warm)


async def soak(events: int, *, samples: int = 20) -> Soaked:
    """Live through so many events, and draw them."""
    session = Lived()
    async with running(engine=FakeEngine(session)) as driver:
        scenes.start(session)
        began, number = time.perf_counter(), 0
        seen: list[tuple[int, float, float]] = []
        while session.count < events:
            number += 1
            task(session, number)
            await drawn(driver)
            if session.count >= events * len(seen) / samples:
                seen.append((session.count, time.perf_counter() - began, resident()))
        return Soaked(tuple(seen), driver.app._bridge.frames)


async def drawn(driver: Driver) -> None:
    """Have what happened drawn, as it is while somebody looks on."""
    driver.app._bridge.frame()
    await driver.settle()


def main() -> int:
    """Soak, and print how memory went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"PAIRLOOP_STATE_DIR": f"{folder}/state", "XDG_CONFIG_HOME": f"{folder}/config"}
        soaked = asyncio.run(soak(options.events))
    print(f"{'events':>8} {'seconds':>8} {'MB':>8}")
    for count, seconds, memory in soaked.seen:
        print(f"{count:>8} {seconds:>8.1f} {memory / 1024:>8.1f}")
    good = soaked.growth < KB_A_THOUSAND
    print(f"{soaked.frames} frames; {soaked.growth:.0f} KB a thousand events", end=" ")
    print(f"(at most {KB_A_THOUSAND:.0f}): {'met' if good else 'not met'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
