"""Random interleavings of saves, proposals, decisions, landings, undos and git, each held against what has to be.

    python tests/bench/interleavings.py [--count N] [--first SEED] [--steps N] [--jobs N]
    python tests/bench/interleavings.py --seed SEED      one, with everything that was done

The exit code says whether all was as it has to be; what failed is printed with its seed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.interleaving.scene import Report  # noqa: E402 - found by the line above
from tests.interleaving.walk import interleave  # noqa: E402 - likewise


def one(seed: int, steps: int) -> Report:
    """One interleaving, in a folder and with a state of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ |= {"PAIRLOOP_STATE_DIR": f"{folder}/state", "XDG_CONFIG_HOME": f"{folder}/config"}
        os.environ |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        return asyncio.run(interleave(seed, Path(folder), steps))


def main() -> int:
    """Run them, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    if options.seed is not None:
        report = one(options.seed, options.steps)
        print(report)
        return 1 if report.wrong else 0
    began, seeds = time.perf_counter(), range(options.first, options.first + options.count)
    failed, count = [], Counter[str]()
    with ProcessPoolExecutor(options.jobs) as pool:
        for report in pool.map(partial(one, steps=options.steps), seeds):
            count += report.count
            if report.wrong:
                failed.append(report)
                print(report, flush=True)
    print(f"{options.count} interleavings in {time.perf_counter() - began:.0f} s, {len(failed)} wrong", end="")
    print(f": seeds {', '.join(str(report.seed) for report in failed)}" if failed else "")
    print(", ".join(f"{number} {what}" for what, number in count.most_common()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
