"""`pairloop check` called on a small shop, and what it says read."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from tests.support.calling import Done, call

SHOP = "def total(prices):\n    return sum(prices)\n"
TEST = """\
from shop import total

def test_total():
    assert total([1, 2]) == 3

def test_none():
    assert not total([])
"""
TESTED = '[checks]\noff = ["mypy"]\n'
FILES = {"shop.py": SHOP, "test_shop.py": TEST, "pairloop.toml": TESTED}


def check(root: Path, *arguments: str) -> Done:
    return call(["check", *arguments], root)


def report(root: Path, *arguments: str) -> tuple[int, Any]:
    """The exit code and the JSON object; all else is silent."""
    done = check(root, "--json", *arguments)
    assert done.err == ""
    assert done.json["exit"] == done.code
    return done.code, done.json


def kinds(said: Any) -> dict[str, list[str]]:
    """The codes of the findings by their kinds."""
    found: dict[str, list[str]] = {}
    for one in said["findings"]:
        found.setdefault(one["kind"], []).append(one["code"])
    return found


def outcomes(said: Any) -> dict[str, str]:
    return {one["check"]: one["outcome"] for one in said["results"]}


STUBBORN = """
import os
import signal

def test_stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.execvp("sh", ["sh", "-c", "trap '' TERM; sleep {number}"])
"""


def running(number: str) -> bool:
    """Whether a process has this number among its arguments."""
    done = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return any(line.split() == ["sleep", number] for line in done.stdout.splitlines())


def goes(number: str, seconds: float = 10.0) -> bool:
    """Whether no process has this number among its arguments, or not for long: what is killed ends a moment later."""
    until = time.monotonic() + seconds
    while running(number):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def unlikely(path: Path) -> str:
    """A number of seconds that nobody else sleeps."""
    return f"7{abs(hash(str(path))) % 10**8:08}"
