"""A stream split into words and patches: nothing lost, and the same patches as in the whole text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent_core.patch.find import find_patches
from agent_core.patch.scan import Piece, Scanner
from tests.support.counting import count_lines

ENVELOPE = "*** Begin Patch\n*** Update File: a.py\n@@ def f():\n-one\n+two\n*** End Patch\n"
BLOCK = "<<<<<<< SEARCH\none\n=======\ntwo\n>>>>>>> REPLACE\n"
DIFF = "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-one\n+two\n three\n"
GIT = f"diff --git a/a.py b/a.py\nindex 1..2 100644\n{DIFF}"

# Lines of which texts are made that are patches, nearly so, or not at all.
FRAGMENTS = [
    *ENVELOPE.splitlines(),
    *BLOCK.splitlines(),
    *GIT.splitlines(),
    ENVELOPE[:-1],
    BLOCK[:-1],
    DIFF[:-1],
    GIT[:-1],
    "",
    "  ",
    "Here is what I would change in b.py:",
    "`src/a.py`:",
    "## src/a.py",
    "File: src/a.py",
    "src/a.py",
    "word",
    "- a point",
    "1. `a.py`",
    "```",
    "````",
    "~~~",
    "```python",
    "```diff",
    "apply_patch <<'EOF'",
    "EOF",
    "@@",
    "---",
    "-- ",
    "2.39.1",
    "--- a",
    "rename from a",
    "rename to b",
    "<<<<<<< HEAD",
    ">>>>>>> main",
    " *** End Patch",
    "    *** Begin Patch",
    "...",
    "\\ No newline at end of file",
]


def scan(text: str, cuts: list[int]) -> list[Piece]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    scanner = Scanner()
    pieces = [piece for start, end in itertools.pairwise(places) for piece in scanner.feed(text[start:end])]
    return [*pieces, *scanner.close()]


def patch_text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if piece.kind == "patch")


@pytest.mark.parametrize(
    "text",
    [
        f"Look:\n\n{ENVELOPE}\nDone.\n",
        f"Look:\n\n```\n{ENVELOPE}```\n\nDone.\n",
        f"```bash\napply_patch <<'EOF'\n{ENVELOPE}EOF\n```\nDone.",
        f"Change `b.py`:\n\nsrc/a.py\n```python\n{BLOCK}```\n\nDone in src/a.py.\n",
        f"```python\nsrc/a.py\n{BLOCK}```\n\nand\n\n```python\n{BLOCK}```\nDone",
        f"So:\n```diff\n{DIFF}```\nDone\n",
        f"{GIT}\nDone\n",
        f"# Title\n\n| a | b |\n|---|---|\n\n---\n\n```python\nx = 1\n```\n{GIT}",
    ],
)
def test_pieces_are_the_text_and_patches_stand_where_they_are_found(text: str) -> None:
    spans = find_patches(text)
    assert spans
    for cuts in ([], list(range(len(text))), list(range(0, len(text), 7))):
        pieces = scan(text, cuts)
        assert "".join(piece.text for piece in pieces) == text
        assert patch_text(pieces).strip() == "".join(text[span.start : span.end] for span in spans).strip()


@settings(max_examples=400)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40), st.lists(st.integers(0, 2000), max_size=30), st.booleans())
@example(["src/a.py", *BLOCK.splitlines(), "other.py:", *BLOCK.splitlines()], [], True)
def test_any_text_cut_anywhere_is_split_the_same_way(lines: list[str], cuts: list[int], ended: bool) -> None:
    text = "\n".join(lines) + ("\n" if ended else "")
    pieces = scan(text, cuts)
    assert "".join(piece.text for piece in pieces) == text
    assert patch_text(pieces) == patch_text(scan(text, []))
    inside = [(span.start, span.end) for span in find_patches(text)]
    at = 0
    for piece in pieces:
        if piece.kind == "words":
            shared = [text[max(at, start) : min(at + len(piece.text), end)] for start, end in inside]
            assert not any(part.strip() for part in shared)
        at += len(piece.text)


@given(st.text(), st.lists(st.integers(0, 200)))
def test_nothing_is_lost_of_any_text(text: str, cuts: list[int]) -> None:
    assert "".join(piece.text for piece in scan(text, cuts)) == text


def test_prose_is_not_held_back() -> None:
    scanner = Scanner()
    assert scanner.feed("I") == ()
    assert scanner.feed(" will") == (Piece("words", "I will"),)
    assert scanner.feed(" do") == (Piece("words", " do"),)
    assert scanner.feed(" it.\n\nThe") == (Piece("words", " it.\n\n"),)
    assert scanner.feed(" file") == (Piece("words", "The file"),)


def test_a_patch_comes_line_by_line() -> None:
    scanner = Scanner()
    assert scanner.feed("```\n*** Begin Patch\n") == ()
    assert scanner.feed("*** Update File: a.py\n@@") == (
        Piece("patch", "```\n*** Begin Patch\n*** Update File: a.py\n"),
    )
    assert scanner.feed("\n-one\n+tw") == (Piece("patch", "@@\n-one\n"),)
    assert scanner.feed("o\n*** End Patch\n") == (Piece("patch", "+two\n*** End Patch\n"),)
    assert scanner.feed("```\nDone it") == (Piece("patch", "```\n"), Piece("words", "Done it"))


def test_a_listing_is_given_out_as_soon_as_it_is_none() -> None:
    scanner = Scanner()
    assert scanner.feed("```python\n") == ()
    assert scanner.feed("x = 1") == (Piece("words", "```python\nx = 1"),)


@pytest.mark.parametrize("unit", ["a", "`", " ", "a ", "*** Begin Patch\n", "```\n", "a.py\n", "--- a\n", "\n"])
def test_long_streams_take_no_more_than_their_length(unit: str) -> None:
    def work(size: int) -> int:
        text = unit * (size // len(unit))
        pieces, lines = count_lines(lambda: scan(text, list(range(0, len(text), 2))))
        assert "".join(piece.text for piece in pieces) == text
        return lines

    some, twice = (work(size) for size in (4_500, 9_000))
    assert twice < 2.2 * some + 500
