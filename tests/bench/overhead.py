"""What pairloop itself takes for each step of a long session: all but the partner's time, and whether it grows.

A partner in a process of its own answers at once, 200 times: it reads and lists files, searches, and sends patches that
are refused. A step's overhead is the time from the last byte of an answer to the last byte of the next request, as the
server's clock has it; what the program that searches takes is told apart. The session is real: journal, state, project
of 300 files, watcher, HTTP.

    python tests/bench/overhead.py [--steps N] [--api chat|responses]

The exit code says whether it is below 20 ms at p95, and at the end of the session no more than 1.5 times (and 5 ms) of
what it is at the beginning.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from agent_core import commands  # noqa: E402 - found by the line above
from agent_core import events as ev  # noqa: E402
from agent_core.fold import fold  # noqa: E402
from agent_core.state import State  # noqa: E402
from tests.bench.model_process import Asked, serving  # noqa: E402
from tests.projects import make_project  # noqa: E402
from tests.support.running import Running, running  # noqa: E402

LIMIT_MS = 20.0
FILES = 300
REFUSED = "*** Begin Patch\n*** Update File: pkg/mod_0001.py\n@@\n-there is no such line\n+nor this one\n*** End Patch"


def project(folder: Path) -> Path:
    """A project of many small files."""
    body = "\n".join(f"def function_{n}(value):\n    return value + {n}\n" for n in range(20))
    return make_project(folder / "project", {f"pkg/mod_{n:04}.py": body for n in range(FILES)})


def answers(steps: int) -> list[dict[str, Any]]:
    """What the partner says: mostly it looks, each tenth time it searches or sends a patch."""

    def call(name: str, **arguments: object) -> dict[str, Any]:
        return {"text": "I go on.", "calls": [[name, json.dumps(arguments)]]}

    said = []
    for step in range(steps):
        if step % 20 == 10:
            said.append(call("search", pattern=f"function_{step % 19}\\b", path=f"pkg/mod_{step % FILES:04}.py"))
        elif step % 20 == 0:
            said.append(call("apply_patch", patch=REFUSED.replace("no such", f"no such {step}")))
        elif step % 5 == 0:
            said.append(call("list_files", path="pkg", pattern=f"mod_00{step % 90:02}*"))
        else:
            said.append(call("read_file", path=f"pkg/mod_{step % FILES:04}.py", start=1, end=20))
    return said


async def played(root: Path, base_url: str, api: str, steps: int) -> list[ev.Entry]:
    """Let the session run; gives its events with their times."""
    settings = {
        "partner": {"base_url": base_url, "api": api, "model": "bench"},
        "checks": {"off": ["mypy", "pytest", "ruff", "syntax"]},
        "loop": {"max_steps": steps + 5, "max_refusals": steps, "mode": "step"},
    }
    entries: list[ev.Entry] = []
    async with running(root, settings, {"OPENAI_API_KEY": "bench"}, watch=True) as here:
        here.session.subscribe(lambda entry, _: entries.append(entry))
        await _ready(here)
        here.submit(commands.Ask("Look at everything."))
        await here.seen(ev.TaskFinished)
    return entries


async def _ready(here: Running) -> None:
    await here.seen(ev.SettingsTold)
    await asyncio.sleep(2.0)  # the client is imported, and the watcher begins


def searching(entries: list[ev.Entry]) -> float:
    """Seconds that the searches took, by the journal's clock."""
    began: dict[str, float] = {}
    total = 0.0
    for entry in entries:
        match entry.event:
            case ev.ToolStarted(call_id, "search", _):
                began[call_id] = entry.at
            case ev.ToolFinished(call_id) if call_id in began:
                total += entry.at - began.pop(call_id)
            case _:
                pass
    return total


def gaps(asked: list[Asked]) -> list[float]:
    """Milliseconds between an answer and the next request."""
    return [(after.came - before.answered) * 1000 for before, after in itertools.pairwise(asked)]


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]


def main() -> int:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--api", choices=("chat", "responses"), default="responses")
    args = parser.parse_args()
    said = answers(args.steps)
    with tempfile.TemporaryDirectory() as folder, serving(said) as server:
        root = project(Path(folder))
        entries = asyncio.run(played(root, server.base_url, args.api, args.steps))
        asked = [one for one in server.asked() if one.path.endswith(("/responses", "/completions"))]
    every = gaps(asked)
    searched = {at for at, one in enumerate(said) if one["calls"][0][0] == "search"}
    plain = [gap for at, gap in enumerate(every) if at not in searched]
    quarter = len(plain) // 4
    first, last = statistics.median(plain[5:quarter]), statistics.median(plain[-quarter:])
    folds = _folding(entries)
    print(f"{len(asked)} requests, the last of {asked[-1].size / 1000:,.0f} kB; {len(entries):,} events")
    print(f"a step: p50 {statistics.median(plain):.1f} ms, p95 {p95(plain):.1f} ms (limit {LIMIT_MS:.0f})")
    print(f"first quarter {first:.1f} ms, last quarter {last:.1f} ms: {last / first:.2f} times")
    searches = searching(entries) * 1000 / max(len(searched), 1)
    print(
        f"with a search: p50 {statistics.median(every[at] for at in searched):.1f} ms, of it {searches:.1f} searching"
    )
    print(f"folding all events again: {folds * 1000 / max(len(entries), 1):.3f} ms an event")
    return 0 if p95(plain) < LIMIT_MS and last < max(1.5 * first, first + 5) else 1


def _folding(entries: list[ev.Entry]) -> float:
    """Seconds for folding all the events once more."""
    state, start = State(), time.perf_counter()
    for entry in entries:
        state = fold(state, entry.event)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
