"""How soon a verdict comes after a one-line change, next to running the same four tools plainly one after another.

    python tests/bench/verdicts.py                        a made-up project: 220 modules, heavy imports, 300 tests
    python tests/bench/verdicts.py DIR --change src/a.py  a copy of a project of your own, a line added to that file

Both are warm: pairloop as a session is once it has looked at the working tree, the tools with their caches, and in both
copies the tests have been run, so that compiled code lies about as where one works. Each run has another change;
pairloop and the plain run take turns. Times are medians in seconds; read them as ratios. Below are the times at which
each check had said its first word on what is affected, early ones included, and its last.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent_core.checks.bench import Trees
from agent_core.checks.chosen import default_checks
from agent_core.checks.model import Verdict
from agent_core.config_tables import Config
from agent_core.events import AnyEvent, CheckFinished, CheckStaged
from agent_core.judge import Judge
from agent_core.workspace.project import open_project
from agent_core.workspace.tree import FileChange

PARTS, MODULES, TEST_FILES, TESTS = 20, 11, 60, 5
"""Packages, modules of each; files of tests, tests of each."""

CHANGED = "town/part04/module05.py"
FIRST, AFFECTED, WHOLE, PLAIN = "first verdict", "affected verdict", "whole verdict", "plain run"
HEAVY = ("openai", "textual.app", "textual.widgets", "openai.types")


def make_town(root: Path) -> None:
    """A typed package in layers, some modules of which import large libraries, and tests of a third of the modules."""
    texts = {
        "pyproject.toml": SETTINGS,
        ".gitignore": ".*_cache\n.venv\n__pycache__\n",
        "town/__init__.py": "",
    }
    for part in range(PARTS):
        texts[f"town/part{part:02}/__init__.py"] = ""
        for number in range(MODULES):
            # A layer builds on the one below: what changes at the bottom is reached from further up.
            below = [(part - 1, number)] if part % 5 else []
            below += [(part, number - 1)] if number % 4 else []
            imports = [f"from town.part{p:02}.module{n:02} import total as total{i}" for i, (p, n) in enumerate(below)]
            heavy = [f"import {HEAVY[part % len(HEAVY)]}  # noqa: F401"] if number == 3 else []
            terms = "".join(f" + total{i}(prices[1:])" for i in range(len(below)))
            texts[f"town/part{part:02}/module{number:02}.py"] = MODULE.format(
                imports="\n".join([*heavy, *imports]), part=part, number=number, terms=terms
            )
    for number in range(TEST_FILES):
        module = f"town.part{number % PARTS:02}.module{number * 7 % MODULES:02}"
        tests = "".join(TEST.format(number=test) for test in range(TESTS))
        texts[f"tests/test_{number:02}.py"] = f"from {module} import Shelf, total\n{tests}"
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


SETTINGS = """\
[tool.mypy]
strict = true
files = ["town", "tests"]

[tool.ruff]
line-length = 120

[tool.ruff.lint]
select = ["E", "F"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
"""
MODULE = '''\
"""Module {number} of part {part}."""

from __future__ import annotations

from dataclasses import dataclass, field
{imports}


@dataclass
class Shelf:
    """Holds prices."""

    name: str
    prices: list[int] = field(default_factory=list)

    def add(self, price: int) -> Shelf:
        self.prices.append(price)
        return self

    def cheapest(self) -> int | None:
        return min(self.prices, default=None)


def total(prices: list[int]) -> int:
    """The sum, and what the layers below say of the rest."""
    if not prices:
        return 0
    return sum(prices) * {part}{terms}
'''
TEST = """

def test_{number}() -> None:
    shelf = Shelf("s").add({number}).add(2)
    assert shelf.cheapest() == min({number}, 2)
    assert total(shelf.prices) >= 0
"""


@contextmanager
def copies(project: Path | None) -> Iterator[tuple[Path, Path]]:
    """The project twice: for pairloop, and for the plain run."""
    with tempfile.TemporaryDirectory(prefix="pairloop-bench-") as folder:
        ours, plain = Path(folder) / "ours", Path(folder) / "plain"
        os.environ["PAIRLOOP_STATE_DIR"] = str(Path(folder) / "state")
        os.environ["XDG_CONFIG_HOME"] = str(Path(folder) / "config")
        if project is None:
            make_town(ours)
        else:
            shutil.copytree(project, ours, symlinks=True)
        if not (ours / ".venv").exists():
            # An environment of the project's own: it has the libraries, and is that of the plain run.
            (ours / ".venv").symlink_to(sys.prefix, target_is_directory=True)
        if not (ours / ".git").exists():
            subprocess.run(["git", "init", "-q"], cwd=ours, check=True)
        # One who works on a project has compiled code there.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        shutil.copytree(ours, plain, symlinks=True)
        for root in (ours, plain):
            subprocess.run(
                [root / ".venv/bin/python", "-m", "pytest", "-q"], cwd=root, capture_output=True, check=False
            )
        yield ours, plain


def changed(text: bytes, number: int) -> bytes:
    """A one-line change, another one each time."""
    return text.rstrip(b"\n") + b"\n\n\nCHANGED = %d\n" % number


def run_plain(root: Path, path: str, python: str) -> dict[str, float]:
    """The four tools one after another, as one would type them; seconds of each."""
    commands = {
        "syntax": [python, "-m", "py_compile", path],
        "ruff": [sys.executable, "-m", "ruff", "check", "-q", "."],
        "mypy": [sys.executable, "-m", "mypy", "--no-error-summary", f"--python-executable={python}"],
        "pytest": [python, "-m", "pytest", "-q"],
    }
    seconds = {}
    for name, argv in commands.items():
        start = time.perf_counter()
        subprocess.run(argv, cwd=root, capture_output=True, check=False)
        seconds[name] = time.perf_counter() - start
    return seconds


class Words:
    """When each check said its first word that goes as far as what is affected, and its last; seconds of each.

    Attributes:
        seconds: By check and "first" or "last".
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Another run begins now."""
        self.seconds: dict[tuple[str, str], float] = {}
        self._start = time.perf_counter()

    def heard(self, event: AnyEvent) -> None:
        """Take an event."""
        if not isinstance(event, CheckStaged | CheckFinished) or event.where != "candidate":
            return
        seconds = time.perf_counter() - self._start
        if event.result.stage != "first":
            self.seconds.setdefault((event.result.check, "first"), seconds)
        if isinstance(event, CheckFinished):
            self.seconds[event.result.check, "last"] = seconds


async def run_ours(judge: Judge, trees: Trees) -> tuple[dict[str, float], Verdict]:
    """One verdict, and when which part of it was there."""
    seconds: dict[str, float] = {}
    start = time.perf_counter()

    def heard(verdict: Verdict) -> None:
        seconds.setdefault(FIRST, time.perf_counter() - start)
        if verdict.stage != "first":
            seconds.setdefault(AFFECTED, time.perf_counter() - start)

    verdict = await judge.compare(trees, None, heard)
    seconds[WHOLE] = time.perf_counter() - start
    # Where nothing was told before the end, the end is when one knew.
    return {FIRST: seconds[WHOLE], AFFECTED: seconds[WHOLE], **seconds}, verdict


async def measure(ours: Path, plain: Path, path: str, repeats: int) -> None:
    """Take turns, and print the table."""
    config = Config()
    project = await open_project(ours, config, os.environ)
    base = await project.snapshot()
    words = Words()
    judge = Judge(project, default_checks(project.interpreter, config.checks), words.heard, early=True)
    text = (ours / path).read_bytes()
    python = str(project.interpreter.python)
    times: dict[str, list[float]] = {}
    tools: dict[str, list[float]] = {}
    ours_each: dict[tuple[str, str], list[float]] = {}
    try:
        start = time.perf_counter()
        await judge.known(base, wait=3600)
        print(f"{len(base.files)} files; {project.isolation}; base judged in {time.perf_counter() - start:.1f} s")
        for reason in await project.warmed():
            print(f"not warm: {reason}")
        for number in range(-3, repeats):
            data = changed(text, number + 3)
            words.begin()
            seconds, verdict = await run_ours(judge, Trees(base, {path: FileChange(data)}))
            (plain / path).write_bytes(data)
            alone = await asyncio.to_thread(run_plain, plain, path, python)
            if number == -3:
                # The first warm up: caches, warm processes, what is known of the tests.
                print(f"verdict: {verdict.summary}")
                print("".join(f"  {said.check}: {said.summary}\n" for said in verdict.results), end="")
                print(
                    "".join(
                        f"  {one.check}: {one.place}: {one.message}\n" for one in verdict.known[:2] + verdict.known[-4:]
                    ),
                    end="",
                )
            if number == -1 and (reason := await judge.settled()):
                print(f"no early word about types: {reason}")
            if number >= 0:
                for key, value in words.seconds.items():
                    ours_each.setdefault(key, []).append(value)
                for name, value in {**seconds, PLAIN: sum(alone.values())}.items():
                    times.setdefault(name, []).append(value)
                for name, value in alone.items():
                    tools.setdefault(name, []).append(value)
    finally:
        await judge.close()
        await project.close()
    show(times, tools, ours_each)


def show(
    times: dict[str, list[float]], tools: dict[str, list[float]], ours: dict[tuple[str, str], list[float]]
) -> None:
    """The table."""
    whole = statistics.median(times[PLAIN])
    print(f"\n{'':18}{'median':>9}{'best':>9}{'worst':>9}{'plain run is':>16}")
    for name in (FIRST, AFFECTED, WHOLE, PLAIN):
        values = times[name]
        middle = statistics.median(values)
        ratio = f"{whole / middle:.1f} times that"
        print(f"{name:18}{middle:9.3f}{min(values):9.3f}{max(values):9.3f}{ratio:>20}")
    for which in ("first", "last"):
        said = ", ".join(
            f"{name} {statistics.median(value):.2f}" for (name, end), value in ours.items() if end == which
        )
        print(f"pairloop, each check's {which} word: {said}")
    print("plain, each tool: " + ", ".join(f"{name} {statistics.median(value):.2f}" for name, value in tools.items()))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("project", type=Path, nargs="?", help="a project to copy (default: one is made up)")
    parser.add_argument("--change", default=CHANGED, metavar="FILE", help="the file that gets one more line")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with copies(options.project) as (ours, plain):
        asyncio.run(measure(ours, plain, options.change, options.repeats))


if __name__ == "__main__":
    main()
