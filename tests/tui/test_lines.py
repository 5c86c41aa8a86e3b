"""Breaking and drawing lines, Markdown as it streams, patches being written: properties."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from agent_core.text import printable
from tui.palette import Palette
from tui.panes.markdown import Markdown, render
from tui.panes.written import WrittenPatch
from tui.widgets.lines import MAX_CHARS, Line, clean
from tui.widgets.wrap import breaks, expand_tabs

WORDS = st.text(alphabet="ab \u4e2d\u6587e\u0301\U0001f600\u200d\U0001f469\u200b\ufe0f日-", max_size=80)


@example(text="\u4e2d \u0301", width=2, words=True)
@example(text=" a\u4e2d", width=2, words=True)
@example(text="\u200d\u200daaa", width=2, words=False)
@given(text=WORDS | st.text(alphabet="abc  xyz", max_size=200), width=st.integers(2, 40), words=st.booleans())
def test_rows_are_the_text_and_fit(text: str, width: int, *, words: bool) -> None:
    starts = breaks(text, width, words=words)
    rows = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert "".join(rows) == text
    assert all(cell_len(row.rstrip(" ")) <= width for row in rows)


@given(st.lists(st.text(alphabet="abcdefg", min_size=1, max_size=8), min_size=1, max_size=30), st.integers(8, 30))
def test_words_are_not_cut_where_they_fit(words: list[str], width: int) -> None:
    text = " ".join(words)
    starts = breaks(text, width, words=True)
    assert all(start == 0 or text[start - 1] == " " for start in starts)


@given(st.text(max_size=60), st.integers(10, 40))
def test_every_drawn_row_is_as_wide_as_the_view(text: str, width: int) -> None:
    line = Line(((clean(text), "good"),), lead=(("> ", "dim"),), base="add-row", right=("r", "bad"))
    palette = Palette({})
    for row in range(len(line.rows(width))):
        strip = line.strip(row, width, palette)
        assert sum(cell_len(segment.text) for segment in strip) == width
        assert not any(printable(segment.text) != segment.text for segment in strip)


@given(st.text(alphabet="abc  xyz", max_size=120), st.integers(17, 40), st.integers(0, 3), st.integers(0, 9))
def test_rows_behind_another_indentation_lose_nothing_at_their_end(text: str, width: int, lead: int, hang: int) -> None:
    line = Line(((text, ""),), lead=((">" * lead, ""),), hang=((">" * hang, ""),))
    drawn = [line.strip(row, width, Palette({})).text for row in range(len(line.rows(width)))]
    assert "".join(drawn).replace(" ", "").replace(">", "") == text.replace(" ", "")


@given(st.text(alphabet="a\t\u4e2d", max_size=30))
def test_tabs_end_at_stops(text: str) -> None:
    expanded = expand_tabs(text)
    assert "\t" not in expanded
    if text.endswith("\t"):
        assert cell_len(expanded) % 4 == 0


def test_a_line_without_end_is_cut_and_says_so() -> None:
    line = Line(((clean("x" * 100_000), ""),))
    assert len(line.text) < MAX_CHARS + 50
    assert "90,000 more characters" in line.text
    assert len(line.rows(80)) < MAX_CHARS // 80 + 3


def _shown(lines: list[Line]) -> list[tuple[str, tuple[object, ...], str]]:
    return [(line.whole, tuple(line.spans), line.base) for line in lines]


MARKDOWN = st.lists(
    st.sampled_from(
        ["# head", "- item `x`", "```py", "```", "~~~", "plain **bold** text", "", "> quote", "1. one", "`a"]
    ),
    max_size=12,
).map("\n".join)


@settings(max_examples=60)
@given(MARKDOWN, st.lists(st.integers(1, 9), max_size=40))
def test_markdown_streamed_is_markdown_whole(text: str, sizes: list[int]) -> None:
    source = f"{text}\n" if text else ""
    stream = Markdown()
    shown: list[Line] = []
    at = 0
    for size in [*sizes, len(source)]:
        at = min(at + size, len(source))
        fresh, keep = stream.update(source[:at])
        shown = [*shown[:keep], *fresh]
    assert _shown(shown) == _shown(render(text).lines)
    assert _shown(shown) == _shown([*stream.lines, *stream.partial])


def test_markdown_tells_its_parts() -> None:
    lines = render("# Head\n- a **b** `c`\n> q\n```py\nx = [1]\n```\nend *i* 2*3*4 snake_case").lines
    assert [line.text for line in lines] == ["Head", "a b c", "q", "py", "x = [1]", "end i 2*3*4 snake_case"]
    assert lines[0].spans == [(0, 4, "heading")]
    assert lines[1].spans == [(2, 3, "strong"), (4, 5, "code")]
    assert lines[4].base == "code-row"
    assert lines[5].spans == [(4, 5, "italic")]


def test_another_answer_begins_anew() -> None:
    stream = Markdown()
    stream.update("```\ncode\n")
    fresh, keep = stream.update("- item")
    assert keep == 0
    assert _shown(fresh) == _shown(render("- item").lines)


ENVELOPE = (
    "*** Begin Patch\n*** Update File: a.py\n@@ def f\n context\n-old\n+new\n+newer\n*** Add File: b.py\n+one\n"
    "*** Delete File: c.py\n*** Update File: d.py\n*** Move to: e.py\n@@\n-x\n+y\n*** End Patch\n"
)


@given(st.lists(st.integers(1, 30), max_size=30))
def test_a_patch_being_written_grows_by_what_is_new(sizes: list[int]) -> None:
    whole = WrittenPatch()
    whole.update(ENVELOPE)
    patch = WrittenPatch()
    shown: list[Line] = []
    at = 0
    for size in [*sizes, len(ENVELOPE)]:
        at = min(at + size, len(ENVELOPE))
        assert patch.goes_on(ENVELOPE[:at])
        keep = patch.update(ENVELOPE[:at])
        for index in patch.recounted:
            shown[index] = patch.lines[index]
        shown = [*shown[:keep], *patch.lines[keep:]]
    assert _shown(shown) == _shown(whole.lines)
    text = "\n".join(row for row, _, _ in _shown(shown))
    for words in ("a.py  +2 -1", "b.py  +1 -0  new", "c.py  +0 -0  deleted", "d.py  +1 -1  moves to e.py", "+ newer"):
        assert words in text
    assert "***" not in text
