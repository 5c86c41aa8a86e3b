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
    "added below a replaced line": (
        text("a", "b", "mine", "c", "d", "e"),
        text("a", "B", "c", "d", "e"),
        text("a", "B", "mine", "c", "d", "e"),
    ),
    "added above replaced lines": (
        text("a", "mine", "b", "c", "d", "e"),
        text("a", "B", "C", "d", "e"),
        text("a", "mine", "B", "C", "d", "e"),
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
    "added where lines became more": (
        text("a", "b", "mine", "c", "d", "e"),
        text("a", "B", "B2", "c", "d", "e"),
        ((2, 3),),
    ),
    "the same, half done": (text("a", "B", "b", "c", "d", "e"), text("a", "B", "c", "d", "e"), ((2, 3),)),
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


UTF16 = "utf-16-le"


def wide(text: str, codec: str = UTF16) -> bytes:
    return f"\ufeff{text}".encode(codec)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
async def test_wide_texts_are_merged_by_their_lines(codec: str) -> None:
    # U+0A0A and U+0A4E have the byte of a line break in them, in either order.
    base, ours, theirs = "a\n\u0a0a\nb\n\u0a4e\nc", "A\n\u0a0a\nb\n\u0a4e\nc", "a\n\u0a0a\nb\n\u0a4e\nC"
    merged = await merge(wide(base, codec), wide(ours, codec), wide(theirs, codec))
    assert merged.data == wide("A\n\u0a0a\nb\n\u0a4e\nC", codec)
    clash = await merge(wide(base, codec), wide(ours, codec), wide("X\n\u0a0a\nb\n\u0a4e\nc", codec))
    assert clash == Merged(None, ((1, 1),))


async def test_a_wide_text_without_a_nul_byte() -> None:
    base, ours = wide("\u4e0a\u0a4e"), wide("\u4e0a\u0a4e\u4e0b")
    assert b"\0" not in base + ours
    assert (await merge(base, ours, wide("\u4e0c\u0a4e"))).data is None


async def test_a_byte_order_mark_is_merged_apart_from_the_lines() -> None:
    mark = b"\xef\xbb\xbf"
    assert (await merge(b"a\nb\n", mark + b"a\nb\n", b"A\nb\n")).data == mark + b"A\nb\n"
    assert (await merge(b"a\nb\n", b"A\nb\n", mark + b"a\nb\n")).data == mark + b"A\nb\n"
    assert (await merge(mark + b"a\nb\n", b"a\nb\n", mark + b"A\nb\n")).data == b"A\nb\n"


async def test_contents_in_different_encodings_are_taken_whole_or_not_at_all() -> None:
    base = "# coding: latin-1\na\nb\n\u00e9\n"
    latin = base.encode("latin-1")
    ours = base.replace("latin-1", "utf-8").encode()
    assert (await merge(latin, ours, latin)).data == ours
    assert await merge(latin, ours, latin.replace(b"b\n", b"B\n")) == Merged(None, ((1, 4),))
    # Of plain ASCII the encoding may change, as long as no line of the other side is in the old one.
    plain = b"# coding: latin-1\na\nb\n"
    ours = "# coding: utf-8\na\u00e9\nb\n".encode()
    assert (await merge(plain, ours, plain + b"c\n")).data == ours + b"c\n"
    assert (await merge(plain, ours, plain + b"\xe9\n")).data is None
    assert (await merge(plain, b"# coding: utf-8\na\nb\n", plain + b"\xe9\n")).data is None
    assert (await merge(b"a\nb\n", wide("a\nb\n"), b"a\nB\n")).data is None


async def test_lines_are_ended_by_newlines_only() -> None:
    base, ours, theirs = b"a\rb\x0cc\n\x85\n", b"a\rB\x0cc\n\x85\n", b"a\rb\x0cC\n\x85\n"
    assert (await merge(base, ours, theirs)).data is None
    assert (await merge(base, ours, base + b"\xff")).data == ours + b"\xff"


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


@settings(max_examples=60)
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


@settings(max_examples=200)
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


@settings(max_examples=150)
@given(sides=edits(), codec=st.sampled_from([UTF16, "utf-32-be"]), ends=st.tuples(*[st.booleans()] * 3))
async def test_any_encoding_is_merged_like_utf8(
    sides: tuple[list[str], list[str], list[str]], codec: str, ends: tuple[bool, bool, bool]
) -> None:
    texts = ["\n".join(["\u0a4e", *lines, *[""] * end]) for lines, end in zip(sides, ends, strict=True)]
    plain = await merge(*(text.encode() for text in texts))
    found = await merge(*(wide(text, codec) for text in texts))
    assert found.conflicts == plain.conflicts
    assert found.data == (None if plain.data is None else wide(plain.data.decode(), codec))


CONTENTS = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [b"", b"a\nb\n", b"a\nB\n", b"\xef\xbb\xbfa\nb", wide("a\nb\n"), b"# coding: latin-1\n\xe9\n", b"\0"]
    ),
)


@settings(max_examples=300)
@given(base=CONTENTS, side=CONTENTS, other=CONTENTS)
async def test_a_side_that_left_it_alone_has_no_say(base: bytes, side: bytes, other: bytes) -> None:
    assert await merge(base, base, side) == await merge(base, side, base) == await merge(base, side, side)
    assert (await merge(base, base, side)).data == side
    one, mirrored = await merge(base, side, other), await merge(base, other, side)
    assert one.data == mirrored.data
    if base == side:
        assert one.data == other


async def test_what_both_add_to_lines_like_it_is_added_once() -> None:
    """A diff may tell it as any of them, and tells it otherwise where more has changed."""
    base, ours, theirs = text("a", "b", ""), text("a", "b", "", ""), text("A", "b", "", "")
    assert await merge(base, ours, theirs) == await merge(base, theirs, ours) == Merged(theirs)
