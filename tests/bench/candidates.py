"""How long a command in a candidate takes to begin and to end: started, and begun in the fork of a warm process.

For a project of 1,000 files and one of 100,000 it times `pass` and `import pytest`, in turn, so that a busy machine
hits all alike; a run is from the call until its result, so it holds the mounts, the sandbox, the command and the end of
all its processes. Beside them stands what a plain Python without any sandbox takes.

    python tests/bench/candidates.py [--runs N] [--files N [N ...]]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from agent_core.config_tables import Config  # noqa: E402 - found by the line above
from agent_core.process import Completed, run  # noqa: E402
from agent_core.workspace.project import Project, open_project  # noqa: E402
from agent_core.workspace.tree import FileChange  # noqa: E402
from tests.projects import git  # noqa: E402

TARGET_MS = 30.0
MODULES = ("pytest",)
COMMANDS = {"pass": "pass", "import pytest": "import pytest"}


def make_files(root: Path, count: int) -> None:
    """A git repository of many small files, a hundred in a folder."""
    for number in range(count):
        if number % 100 == 0:
            (root / f"pkg{number // 100}").mkdir(parents=True)
        (root / f"pkg{number // 100}" / f"mod{number}.py").write_text(f"VALUE = {number}\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "start")


async def timed(task: Callable[[], Awaitable[Completed]]) -> float:
    """Milliseconds of one run.

    Raises:
        RuntimeError: It did not end well.
    """
    start = time.perf_counter()
    done = await task()
    if done.code != 0:
        raise RuntimeError(done.text)
    return (time.perf_counter() - start) * 1000


async def measure(project: Project, runs: int) -> dict[str, dict[str, float]]:
    """The median milliseconds of each command, by how it was run."""
    base = await project.snapshot()
    candidate = await project.candidate(base, {"pkg0/mod0.py": FileChange(b"VALUE = -1\n")}, cache="bench")
    python = str(project.interpreter.python)
    project.warm(MODULES)
    refused = await project.warmed()
    if refused:
        raise RuntimeError("; ".join(refused))
    environment = dict(os.environ)
    times: dict[str, dict[str, list[float]]] = {name: {} for name in COMMANDS}
    for number in range(runs + 1):
        for name, code in COMMANDS.items():
            argv = (python, "-c", code)
            ways: dict[str, Callable[[], Awaitable[Completed]]] = {
                "plain": lambda argv=argv: run(argv, cwd=project.root, timeout=60, env=environment),  # type: ignore[misc]
                "started": lambda argv=argv: candidate.run(argv, timeout=60),  # type: ignore[misc]
                "warm": lambda argv=argv: candidate.run(argv, timeout=60, warm=MODULES),  # type: ignore[misc]
            }
            for way, task in ways.items():
                took = await timed(task)
                if number:  # the first one fills caches
                    times[name].setdefault(way, []).append(took)
    await candidate.close()
    return {name: {way: statistics.median(values) for way, values in ways.items()} for name, ways in times.items()}


async def bench(counts: Sequence[int], runs: int) -> bool:
    """Measure projects of these sizes and print a table; gives whether the target is met."""
    print(
        f"{'files':>8}  {'command':<14} {'plain':>8} {'started':>9} {'warm':>8}   {'warm / started':>14}   (median ms)"
    )
    good = True
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PAIRLOOP_STATE_DIR"] = f"{folder}/state"
            root = Path(folder) / "project"
            await asyncio.to_thread(make_files, root, count)
            project = await open_project(root, Config(), os.environ)
            try:
                for name, ways in (await measure(project, runs)).items():
                    ratio = ways["warm"] / ways["started"]
                    print(
                        f"{count:>8,}  {name:<14} {ways['plain']:>8.1f} {ways['started']:>9.1f} {ways['warm']:>8.1f}"
                        f"   {ratio:>14.2f}"
                    )
                    good = good and ways["warm"] <= TARGET_MS
            finally:
                await project.close()
    print(f"target: warm below {TARGET_MS:g} ms, whatever the number of files: {'met' if good else 'not met'}")
    return good


def main() -> int:
    """Measure, print, and say by the exit code whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--files", type=int, nargs="+", default=[1_000, 100_000])
    options = parser.parse_args()
    return 0 if asyncio.run(bench(options.files, options.runs)) else 1


if __name__ == "__main__":
    sys.exit(main())
