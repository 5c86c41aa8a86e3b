"""Whole histories through the engine: what it applies is what was meant."""

from __future__ import annotations

import random
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_core.patch.formats import Format
from tests.support.patch_writers import FileEdit
from tests.support.replaying import WRITERS, Commit, Replayed, commits, replay, tally

HERE = Path(__file__).parents[2]
LIBRARY = Path(sysconfig.get_path("stdlib"))
FORMATS: tuple[Format, ...] = ("envelope", "blocks", "unified")
INVENTED = 300
_MOST_LINES = 900


def _check(results: list[Replayed], *, least_exact: float) -> None:
    counts = tally(results)
    said = len(results) - counts["unsaid"]
    assert said, "nothing was replayed"
    told = [f"{result.outcome}: {result.detail}" for result in results if result.outcome not in {"exact", "unsaid"}]
    assert not counts["wrong"], told
    assert counts["exact"] >= least_exact * said, told


class _Inventor:
    """Makes commits up: real files of the standard library, changed as people change code."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        files = [path for name in ("", "json", "email", "http", "logging") for path in (LIBRARY / name).glob("*.py")]
        texts = {path.relative_to(LIBRARY).as_posix(): path.read_bytes() for path in sorted(files)}
        self.tree = {
            name: data.decode()
            for name, data in texts.items()
            if data.isascii() and b"\r" not in data and 20 < data.count(b"\n") < _MOST_LINES
        }

    def commits(self, count: int) -> Iterator[Commit]:
        for number in range(count):
            paths = tuple(self.tree)
            names = self._random.sample(sorted(self.tree), self._random.randint(1, 3))
            edits = tuple(edit for name in names if (edit := self._edit(name, number)) is not None)
            if edits:
                yield Commit(f"invented {number}", edits, paths)

    def _edit(self, name: str, number: int) -> FileEdit | None:
        text = self.tree[name]
        match self._random.choices(("change", "move", "delete", "add", "mode"), (85, 5, 2, 5, 3))[0]:
            case "move":
                del self.tree[name]
                target = f"moved/{number}/{name}"
                self.tree[target] = self._changed(text) if number % 2 else text
                return FileEdit(name, text, self.tree[target], target)
            case "delete":
                del self.tree[name]
                return FileEdit(name, text, None)
            case "add":
                target = f"added/{number}/{name}"
                lines = text.splitlines(keepends=True)
                self.tree[target] = "".join(lines[: self._random.randint(1, len(lines))])
                return FileEdit(target, None, self.tree[target])
            case "mode":
                return FileEdit(name, text, text, mode=0o100755)
            case _:
                self.tree[name] = self._changed(text)
                return None if self.tree[name] == text else FileEdit(name, text, self.tree[name])

    def _changed(self, text: str) -> str:
        lines = text.splitlines(keepends=True)
        for _ in range(self._random.randint(1, 6)):
            lines = self._change(lines)
        if self._random.random() < 0.05:
            lines[-1] = lines[-1].rstrip("\n") if lines[-1].endswith("\n") else f"{lines[-1]}\n"
        return "".join(lines)

    def _change(self, lines: list[str]) -> list[str]:
        """One change of a few lines."""
        at = self._random.randrange(max(len(lines) - 8, 1))
        end = at + self._random.randint(1, 8)
        part = lines[at:end]
        if len(lines) < 20:
            return [*lines, f"VALUE_{at} = {end}\n"]
        match self._random.choice(("copy", "drop", "word", "nest", "swap", "blank", "double")):
            case "copy":
                start = self._random.randrange(len(lines) - 8)
                return [*lines[:at], *lines[start : start + self._random.randint(1, 6)], *lines[at:]]
            case "drop":
                return [*lines[:at], *lines[end:]]
            case "word":
                return [*lines[:at], *(line.replace("self", "this").replace("0", "1") for line in part), *lines[end:]]
            case "nest":
                nested = [f"    {line}" if line.strip() else line for line in part]
                return [*lines[:at], f"{' ' * 4}if True:\n", *nested, *lines[end:]]
            case "swap":
                return [*lines[:at], *reversed(part), *lines[end:]]
            case "blank":
                return [*lines[:at], "\n", *lines[at:]]
            case _:
                return [*lines[:end], *part, *lines[end:]]


@pytest.fixture(scope="module")
def invented() -> tuple[Commit, ...]:
    """A history of 300 commits."""
    return tuple(_Inventor(20261122).commits(INVENTED))


@pytest.mark.parametrize("form", FORMATS)
def test_an_invented_history_is_replayed_exactly(form: Format, invented: tuple[Commit, ...], tmp_path: Path) -> None:
    results = [replay(commit, form, tmp_path) for commit in invented]
    _check(results, least_exact=0.99)
    assert not tally(results)["newline" if form != "blocks" else "endings"]


@pytest.mark.parametrize("form", FORMATS)
def test_the_history_of_this_project_is_replayed_exactly(form: Format, tmp_path: Path) -> None:
    if shutil.which("git") is None or not (HERE / ".git").exists():
        pytest.skip("not in a clone")
    deep = subprocess.run(["git", "-C", str(HERE), "rev-list", "--count", "HEAD"], capture_output=True, check=True)
    if int(deep.stdout) < 20:
        pytest.skip("a shallow clone")
    results = [replay(commit, form, tmp_path) for commit in commits(HERE, most=120)]
    _check(results, least_exact=0.98)


def test_every_format_has_a_writer() -> None:
    assert set(WRITERS) == set(FORMATS)
