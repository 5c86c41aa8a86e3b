from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.process import run
from agent_core.workspace.merge import Merged, merge


def text(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


BASE = text("a", "b", "c", "d", "e")

CLEAN = {
    "only ours": (text("a", "B", "c", "d", "e"), BASE, text("a", "B", "c", "d", "e")),
    "only theirs": (BASE, text("a", "b", "c", "d"), text("a", "b", "c", "d")),
    "apart": (text("A", "b", "c", "d", "e"), text("a", "b", "c", "d", "E"), text("A", "b", "c", "d", "E")),
    "the same": (text("a", "X", "c", "d", "e"), text("a", "X", "c", "d", "e"), text("a", "X", "c", "d", "e")),
    "the same and more": (
        text("a", "X", "c", "d", "e"),
        text("a", "X", "c", "d", "E"),
        text("a", "X", "c", "d", "E"),
    ),
    "neighbours replaced": (
        text("a", "B", "c", "d", "e"),
        text("a", "b", "C", "d", "e"),
        text("a", "B", "C", "d", "e"),
    ),
    "removed above an addition": (
        text("a", "b", "c", "d", "e", "mine"),
        text("a", "b", "c"),
        text("a", "b", "c", "mine"),
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "merged"), CLEAN.values(), ids=CLEAN.keys())
async def test_clean_merges(ours: bytes, theirs: bytes, merged: bytes) -> None:
    assert await merge(BASE, ours, theirs) == Merged(merged)
    assert await merge(BASE, theirs, ours) == Merged(merged)


CONFLICTS = {
    "one line": (text("a", "B", "c", "d", "e"), text("a", "X", "c", "d", "e"), ((2, 2),)),
    "two places": (text("A", "b", "c", "d", "E"), text("X", "b", "c", "d", "Y"), ((1, 1), (5, 5))),
    "below lines of ours": (text("0", "a", "b", "c", "D", "D2", "e"), text("a", "b", "c", "X", "e"), ((5, 6),)),
    "two additions in one place": (
        text("a", "b", "mine", "c", "d", "e"),
        text("a", "b", "x", "c", "d", "e"),
        ((3, 3),),
    ),
    "removed under a change": (text("a", "b", "C", "d", "e"), text("a", "e"), ((2, 4),)),
    "ours removed": (text("a", "e"), text("a", "b", "C", "d", "e"), ((2, 1),)),
}


@pytest.mark.parametrize(("ours", "theirs", "places"), CONFLICTS.values(), ids=CONFLICTS.keys())
async def test_conflicts_name_the_lines_of_ours(
    ours: bytes, theirs: bytes, places: tuple[tuple[int, int], ...]
) -> None:
    assert await merge(BASE, ours, theirs) == Merged(None, places)


async def test_a_missing_final_newline() -> None:
    assert (await merge(b"a\nb", b"a\nb\n", b"A\nb")).data == b"A\nb\n"
    assert (await merge(b"a\nb", b"a\nb\nc", b"A\nb")).data == b"A\nb\nc"
    assert (await merge(b"a\nb", b"a\nB", b"a\nb\nc")).data is None


async def test_line_endings_stay() -> None:
    assert (await merge(b"a\r\nb\r\nc\r\n", b"A\r\nb\r\nc\r\n", b"a\r\nb\r\nC\r\n")).data == b"A\r\nb\r\nC\r\n"


async def test_binary_contents_are_taken_whole_or_not_at_all() -> None:
    assert await merge(b"\0a", b"\0a", b"\0b") == Merged(b"\0b")
    assert await merge(b"\0a", b"\0c", b"\0a") == Merged(b"\0c")
    assert await merge(b"\0a", b"\0c", b"\0b") == Merged(None, ((1, 1),))


async def test_contents_that_are_no_text_are_merged_by_line() -> None:
    assert (await merge(b"\xff\nb\nc\n", b"\xff\nb\nC\n", b"\xfe\nb\nc\n")).data == b"\xfe\nb\nC\n"


async def test_long_contents() -> None:
    lines = [f"line {n}" for n in range(20_000)]
    ours = [*lines[:100], "mine", *lines[100:]]
    theirs = [*lines[:15_000], "theirs", *lines[15_001:]]
    merged = await merge(text(*lines), text(*ours), text(*theirs))
    assert merged.data == text(*lines[:100], "mine", *lines[100:15_000], "theirs", *lines[15_001:])


@st.composite
def edits(draw: st.DrawFn) -> tuple[list[str], list[str], list[str]]:
    base = [f"line {n}" for n in range(draw(st.integers(0, 25)))]
    sides = []
    for _ in range(2):
        new = list(base)
        for _ in range(draw(st.integers(0, 4))):
            at = draw(st.integers(0, len(new)))
            new[at : at + draw(st.integers(0, 2))] = draw(st.lists(st.sampled_from(["x", "y", "line 3"]), max_size=2))
        sides.append(new)
    return base, sides[0], sides[1]


@settings(max_examples=60, deadline=None)
@given(sides=edits())
async def test_what_git_merges_cleanly_is_merged_alike(
    sides: tuple[list[str], list[str], list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    base, ours, theirs = (text(*side) for side in sides)
    found = await merge(base, ours, theirs)
    mirrored = await merge(base, theirs, ours)
    assert found.data == mirrored.data
    assert len(found.conflicts) == len(mirrored.conflicts)
    folder = tmp_path_factory.mktemp("merge")
    for name, data in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_bytes(data)
    names = ("ours", "base", "theirs")
    done = await run(["git", "merge-file", "-p", *names], cwd=folder, timeout=30)
    if done.code == 0 and found.data is not None:
        assert sorted(found.data.split(b"\n")) == sorted(done.stdout.split(b"\n"))
    if found.data is not None:
        for line in set(sides[1]) - set(sides[0]) | set(sides[2]) - set(sides[0]):
            assert line.encode() in found.data.split(b"\n")


@settings(max_examples=200, deadline=None)
@given(
    base=st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=30),
    split=st.integers(0, 30),
    ours=st.lists(st.sampled_from(["x", "y"]), max_size=4),
    theirs=st.lists(st.sampled_from(["v", "w"]), max_size=4),
)
async def test_edits_apart_from_each_other_both_survive(
    base: list[int], split: int, ours: list[str], theirs: list[str]
) -> None:
    lines = [str(number) for number in base]
    keep = lines[split : split + 1]
    top, bottom = lines[:split], lines[split + 1 :]
    if not keep:
        return
    merged = await merge(text(*lines), text(*ours, *keep, *bottom), text(*top, *keep, *theirs))
    assert merged.data == text(*ours, *keep, *theirs)
