"""One task, the same script, in pairloop, Aider and Codex: wall time, CPU and memory of each whole program.

The partner is scripted: it sends a wrong patch, sees a test fail, and sends the right one. Each program gets
it in its own way: Aider as SEARCH/REPLACE blocks with ``--auto-test``, Codex as commands (look, patch, test,
patch, test), pairloop as tool calls (look, patch, patch), to whom nobody says that it should test. The
project has three files and three tests; pairloop judges with all that it has (baseline, syntax, ruff, pytest
in an isolated candidate), the others run pytest.

    python tests/bench/rivals.py [--aider PROGRAM] [--codex PROGRAM] [--runs N]

Programs that are not named are left out. The exit code says whether pairloop took less wall time, CPU and memory than
Aider, and no more than 1.5 times the wall time of Codex.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.model_process import serving  # noqa: E402 - found by the line above
from tests.projects import make_project  # noqa: E402
from tests.support.shop import FILES, RIGHT, WRONG  # noqa: E402

TASK = "tests/test_prices.py fails: total() leaves out the first price. Mend it."
PATH = "shop/prices.py"
_EVERY = 0.02
_PATIENCE = 120.0


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds, CPU seconds, and megabytes of all its processes at their most (PSS)."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Rival:
    """A program, how it is called, and what the partner says to it."""

    name: str
    argv: Sequence[str]
    answers: Sequence[dict[str, Any]]
    environ: Mapping[str, str]


def call(name: str, **arguments: object) -> dict[str, Any]:
    """An answer that calls a tool."""
    return {"text": "I see.", "calls": [[name, json.dumps(arguments)]]}


def blocks(envelope: str) -> str:
    """A patch as Aider wants it."""
    body = [line for line in envelope.splitlines() if line[:1] in {" ", "-", "+"}]
    old = "\n".join(line[1:] for line in body if line[0] != "+")
    new = "\n".join(line[1:] for line in body if line[0] != "-")
    return f"I mend it.\n\n{PATH}\n```python\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"


def rivals(args: argparse.Namespace, base_url: str, home: Path) -> list[Rival]:
    """Who takes part."""
    tested = {"cmd": f"{sys.executable} -m pytest -q"}
    patched = [{"cmd": f"apply_patch <<'EOF'\n{patch}\nEOF"} for patch in (WRONG, RIGHT)]
    key = {"OPENAI_API_KEY": "bench", "OPENAI_BASE_URL": base_url}
    done = {"text": "Done."}
    mine = [str(Path(sys.executable).parent / "pairloop"), "exec", "--mode", "auto", "--model", "bench", TASK]
    looks = call("read_file", path=PATH)
    taking = [
        Rival(
            "pairloop",
            mine,
            [looks, call("apply_patch", patch=WRONG), call("apply_patch", patch=RIGHT), done],
            key,
        )
    ]
    if args.aider:
        quiet = (
            "--no-check-update",
            "--no-show-model-warnings",
            "--no-auto-commits",
            "--no-gitignore",
            "--analytics-disable",
        )
        test = f"{sys.executable} -m pytest -q"
        argv = [args.aider, "--model", "openai/bench", "--openai-api-base", base_url, "--openai-api-key", "bench"]
        argv += ["--edit-format", "diff", "--yes-always", "--auto-test", "--test-cmd", test, *quiet]
        said = [{"text": blocks(WRONG)}, {"text": blocks(RIGHT)}, done]
        taking.append(Rival("aider", [*argv, "--message", TASK, PATH], said, key))
    if args.codex:
        server = f'{{name="bench",base_url="{base_url}",wire_api="responses",env_key="OPENAI_API_KEY"}}'
        argv = [
            args.codex,
            "exec",
            "-m",
            "bench",
            "-c",
            'model_provider="bench"',
            "-c",
            f"model_providers.bench={server}",
        ]
        cat = {"cmd": f"cat {PATH}"}
        said = [call("exec_command", **one) for one in (cat, patched[0], tested, patched[1], tested)]
        (home / "codex").mkdir(exist_ok=True)
        environ = {**key, "CODEX_HOME": str(home / "codex")}
        taking.append(Rival("codex", [*argv, "-s", "workspace-write", TASK], [*said, done], environ))
    return taking


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found, left = [], [pid]
    while left:
        one = left.pop()
        found.append(one)
        try:
            for thread in Path(f"/proc/{one}/task").iterdir():
                left += map(int, (thread / "children").read_text().split())
        except OSError:
            continue
    return found


def pss(pid: int) -> float:
    """Megabytes of a process, what it shares counted by its part."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


class _Most(threading.Thread):
    """Looks how much memory a process and its descendants have."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._over = threading.Event()
        self.memory = 0.0

    def run(self) -> None:
        while not self._over.wait(_EVERY):
            self.memory = max(self.memory, sum(map(pss, tree(self._pid))))

    def end(self) -> float:
        self._over.set()
        self.join()
        return self.memory


def run(rival: Rival, folder: Path, home: Path) -> Cost:
    """Let a program do the task; it must come out right."""
    environ = {**os.environ, **rival.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
    environ |= {"PAIRLOOP_STATE_DIR": str(home / "state"), "XDG_STATE_HOME": str(home / "state")}
    for name in ("PYTHONDONTWRITEBYTECODE", "PAIRLOOP_MODEL"):
        environ.pop(name, None)
    before, start = os.times(), time.perf_counter()
    with (folder.parent / f"{rival.name}.log").open("wb") as log:
        process = subprocess.Popen(
            list(rival.argv), cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        most = _Most(process.pid)
        most.start()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    wall, after = time.perf_counter() - start, os.times()
    memory = most.end()
    text = (folder / PATH).read_text()
    if "for price in prices:\n" not in text:
        said = (folder.parent / f"{rival.name}.log").read_text(errors="replace")[-3000:]
        raise SystemExit(f"{rival.name} did not mend it:\n{said}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall, cpu, memory)


def median(costs: Sequence[Cost]) -> Cost:
    """The middle of each figure."""
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "memory")))


def main() -> int:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--aider", default="", help="the program")
    parser.add_argument("--codex", default="", help="the program")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    costs: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory(dir=Path.home()) as scratch:
        home = Path(scratch) / "home"
        home.mkdir()
        # One run before that does not count: each makes its caches.
        for number in range(args.runs + 1):
            for at in range(len(rivals(args, "", home))):
                with serving(rivals(args, "", home)[at].answers) as server:
                    rival = rivals(args, server.base_url, home)[at]
                    folder = make_project(Path(scratch) / f"{rival.name}-{number}" / "shop", FILES)
                    cost = run(rival, folder, home)
                if number:
                    costs.setdefault(rival.name, []).append(cost)
                shutil.rmtree(folder, ignore_errors=True)
    middle = {name: median(found) for name, found in costs.items()}
    mine = middle["pairloop"]
    print(f"{'':10}{'wall s':>9}{'CPU s':>9}{'MB':>9}   pairloop's share of it")
    for name, cost in middle.items():
        ratio = (
            ""
            if name == "pairloop"
            else "   ".join(f"{getattr(mine, one) / getattr(cost, one):.2f}" for one in ("wall", "cpu", "memory"))
        )
        print(f"{name:10}{cost.wall:9.2f}{cost.cpu:9.2f}{cost.memory:9.0f}   {ratio}")
    good = True
    if aider := middle.get("aider"):
        good = mine.wall < aider.wall and mine.cpu < aider.cpu and mine.memory < aider.memory
    if codex := middle.get("codex"):
        good = good and mine.wall <= 1.5 * codex.wall
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
