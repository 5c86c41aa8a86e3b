"""How long an interrupt takes to take hold, at each kind of moment: from the command to the end of the task.

    python tests/bench/interrupting.py [--times N] [--api chat|responses]

The exit code says whether the 95th percentile of every kind is below 100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.interrupts import MOMENTS, at_work, interrupted  # noqa: E402 - found by the line above
from tests.support.shop import make_shop  # noqa: E402

LIMIT_MS = 100.0


async def measured(folder: Path, moment: str, api: str, times: int) -> list[float]:
    """Milliseconds of each interrupt at a kind of moment."""
    found = []
    for number in range(times):
        project = make_shop(folder / f"{moment} {number}".replace(" ", "-"))
        async with asyncio.timeout(60), at_work(project, moment, api) as (here, _):
            found.append(await interrupted(here) * 1000)
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How long an interrupt takes to take hold.")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--api", choices=("chat", "responses"), default="chat")
    options = parser.parse_args()
    well = True
    with tempfile.TemporaryDirectory() as name:
        for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            os.environ[variable] = str(Path(name) / variable.lower())
        for moment in MOMENTS:
            found = asyncio.run(measured(Path(name), moment, options.api, max(options.times, 2)))
            p95 = statistics.quantiles(found, n=20, method="inclusive")[-1]
            well = well and p95 < LIMIT_MS
            median, most = statistics.median(found), max(found)
            sys.stdout.write(f"{moment:18} median {median:6.1f} ms   p95 {p95:6.1f} ms   most {most:6.1f} ms\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
