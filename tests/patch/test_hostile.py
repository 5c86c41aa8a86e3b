"""Patches and files made to take long: every one is answered in bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from agent_core.patch.fit import fit
from agent_core.patch.operations import Hunk
from agent_core.patch.read import read_patch
from tests.patch.hunks import hunk, reasons

LINES = [f"    value_{number % 7} = compute({number})" for number in range(100_000)]
LONG = "\n".join(LINES) + "\n"
SAME = "    x = compute(1)\n"
DATA = ", ".join(map(str, range(100_000)))
# What takes a second at most takes minutes where a guard is missing.
SECONDS = 6


def every(step: int, *more: str) -> list[Hunk]:
    return [hunk(f"-{LINES[at]}", *more, number=at) for at in range(0, len(LINES), step)]


REFUSED: dict[str, tuple[str, Callable[[], list[Hunk]], bool, str]] = {
    "one line at many places, many hunks": (
        "x = 1\n" * 40_000, lambda: [hunk("-x = 1", "+y", number=at) for at in range(500)], True,
        "matches at more than 500 places"),
    "a long run of one line": (
        SAME * 100_000, lambda: [hunk(*[f" {SAME[:-1]}"] * 50_000, "+y")], True, "matches at more than 5 places"),
    "many hunks that are nowhere": (
        LONG, lambda: [hunk(f"-{one} nope", "+y", number=at) for at, one in enumerate(LINES[::40])], True,
        "not in the file"),
    "many blocks that build on each other": (
        "v0\n" + LONG, lambda: [hunk(f"-v{at}", f"+v{at + 1}", number=at) for at in range(300)], False,
        "Send fewer blocks"),
    "many lines like the '@@' line": (
        "class A:\n    def f():\n        x\n" * 20_000,
        lambda: [hunk("-        x", "+        y", anchors=("class A:", "def f():"))], True, "more than 500 places"),
    "a long hunk by similarity": (
        LONG, lambda: [hunk(*(f" {one}" for one in LINES[700:1_000]), "     value = comput(1000)", "+    new()")], True,
        "not in the file"),
    "a long line that is almost there": (
        f"first line\nab = [{DATA}]\nsecond line\nthird line\n",
        lambda: [hunk(" first line", f" ab = [{DATA}, 2]", " second line", "-third line", "+y")], True,
        "not in the file"),
    "many quotes without an end": (
        '\\"' * 200_000 + "\nx\n", lambda: [hunk(" " + '\\" ' * 200_000, "-x", "+y")], True, "not in the file"),
    "a long line that is edited, indented wrongly": (
        "if x:\n  a\n    b = '" + "ab" * 200_000 + "'\n",
        lambda: [hunk(" if x:", " a", f"-b = '{'ab' * 200_000}'", f"+b = '{'ab' * 199_999}'")], True,
        "cannot be told"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "hunks", "ordered", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_would_take_long_is_refused(text: str, hunks: Callable[[], list[Hunk]], ordered: bool, said: str) -> None:
    made = hunks()
    start = time.process_time()
    fitted = fit(text, made, ordered=ordered)
    assert time.process_time() - start < SECONDS
    assert fitted.text is None
    assert any(said in reason for reason in reasons(fitted))


@pytest.mark.parametrize("ordered", [True, False])
def test_thousands_of_hunks_have_their_places(ordered: bool) -> None:
    hunks = every(25, "+fresh")
    start = time.process_time()
    fitted = fit(LONG, hunks, ordered=ordered)
    assert time.process_time() - start < SECONDS
    assert fitted.text == "".join("fresh\n" if at % 25 == 0 else f"{one}\n" for at, one in enumerate(LINES))


def test_a_block_of_a_hundred_thousand_lines_is_read() -> None:
    sides = ("".join(f"a{at * step % 977}\n" for at in range(100_000)) for step in (1, 7))
    start = time.process_time()
    patch = read_patch("f.py\n<<<<<<< SEARCH\n{}=======\n{}>>>>>>> REPLACE\n".format(*sides))
    assert time.process_time() - start < SECONDS
    assert patch.format == "blocks"
