"""Reading a diff: both sides, words, folds, long lines, the cursor, the search; nothing moves by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events

from agent_core import events as ev
from agent_core.patch.model import Block, FilePatch, Patch
from agent_core.review import Review, commented, marked
from tests.tui import scenes
from tests.tui.driving import MEDIUM, SIZES, WIDE, Driver, running
from tests.tui.fake_session import FakeSession
from tests.tui.proposals import LINES, changed, file_of, patch_of, review, waiting
from tests.tui.test_diff import TEXTS, diff_of
from tests.tui.test_diff_review import into_diff
from tui.palette import Palette
from tui.panes.diff import DiffPane
from tui.panes.diff_lines import GUTTER, BesideLine, CodeLine, Look
from tui.panes.diff_words import beside, changed_words, laid_over, paired
from tui.widgets.lines import clean
from tui.widgets.wrap import expand_tabs

LONG = st.lists(
    st.sampled_from(
        ["a", "", "\tc" * 9, "d\x1b[0m" * 12, "文" * 30, "word " * 20, "é" * 41, "x" * 39, "y" * 40, "z\r"]
    ),
    max_size=12,
)


def look_of(*, both: bool, wrap: bool = True) -> Look:
    look = Look()
    look.beside, look.wrap = both, wrap
    return look


# -- Both sides


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS)
def test_side_by_side_each_line_is_there_exactly_once(old: str, new: str) -> None:
    session = FakeSession()
    diff = diff_of(session, scenes.file_patch(session, "a.py", old, new), look=look_of(both=True))
    diff_opened = [line for line in diff if isinstance(line, BesideLine)]
    folded = [int(line.text.split()[1]) for line in diff if line.text.startswith("⋯")]
    olds = [half for half in (line._old for line in diff_opened) if half._sign]
    news = [half for half in (line._new for line in diff_opened) if half._sign]
    if old != new:
        assert len(olds) + sum(folded) == len(old.splitlines())
        assert len(news) + sum(folded) == len(new.splitlines())
    for halves, lines, signs in ((olds, old.splitlines(), " -"), (news, new.splitlines(), " +")):
        numbers = [int(half._numbers) for half in halves]
        assert numbers == sorted(set(numbers))
        assert all(half._sign in signs for half in halves)
        for half, number in zip(halves, numbers, strict=True):
            assert half.text.removesuffix("  no newline at the end") == clean(lines[number - 1])


@given(st.lists(st.sampled_from("abc"), max_size=9), st.lists(st.sampled_from("abcd"), max_size=9), st.booleans())
def test_the_rows_of_a_block_have_each_place_once_and_in_order(old: list[str], new: list[str], quick: bool) -> None:
    rows = beside(old, new, quick=quick)
    assert [place for place, _ in rows if place is not None] == list(range(len(old)))
    assert [place for _, place in rows if place is not None] == list(range(len(new)))
    assert all(row != (None, None) for row in rows)


def test_what_stands_for_each_other_stands_beside_each_other() -> None:
    old, new = ["alpha = one(1)", "omega = two(2)"], ["import three", "alpha = one(3)", "omega = two(2, 3)"]
    assert beside(old, new, quick=False) == [(None, 0), (0, 1), (1, 2)]
    assert beside(old, new, quick=True) == [(0, 0), (1, 1), (None, 2)]


# -- Words


def test_words_that_changed_stand_out() -> None:
    old, new = "return price * percent // 100", "return price * (100 - percent) / 100"
    ours, theirs = changed_words(old, new)
    assert [old[a:b] for a, b in ours] == ["//"]
    assert [new[a:b] for a, b in theirs] == ["(100 -", ")  /".replace("  ", " ")]
    assert changed_words("a b", "a b") == ([], [])
    assert changed_words("import os", "class Basket:") == ([], [])
    assert changed_words("x" * 500, "x" * 500 + "y") == ([], [])


@given(st.text("ab (", max_size=30), st.text("abc (", max_size=30))
def test_words_are_inside_and_without_them_the_lines_are_alike(old: str, new: str) -> None:
    ours, theirs = changed_words(old, new)
    for text, ranges in ((old, ours), (new, theirs)):
        assert all(0 <= a < b <= len(text) for a, b in ranges)
        assert ranges == sorted(ranges)
        assert all(text[a:b].strip() == text[a:b] for a, b in ranges)
    if ours or theirs:
        rest = ["".join(_without(text, ranges).split()) for text, ranges in ((old, ours), (new, theirs))]
        assert rest[0] == rest[1]


def _without(text: str, ranges: list[tuple[int, int]]) -> str:
    for start, end in reversed(ranges):
        text = text[:start] + text[end:]
    return text


def test_styles_are_laid_over_each_other() -> None:
    spans = [(0, 3, "keyword"), (5, 9, "string")]
    assert laid_over(spans, [(2, 6)], "add-word") == [
        (0, 2, "keyword"),
        (2, 3, "keyword+add-word"),
        (3, 5, "+add-word"),
        (5, 6, "string+add-word"),
        (6, 9, "string"),
    ]
    palette = Palette({})
    assert palette["keyword+add-word"] == palette["keyword"] + palette["add-word"]
    assert palette["+add-word"].bold


def test_blocks_with_much_to_compare_are_paired_by_place_or_not_at_all() -> None:
    many = [f"x{number}" for number in range(200)]
    assert paired(many, many) == [(at, at) for at in range(200)]
    assert paired(many, many[1:]) == []


# -- Rows


@settings(max_examples=120, deadline=None)
@given(LONG, LONG, st.sampled_from([30, 47, 60, 61, 90]), st.booleans(), st.booleans(), st.booleans())
def test_rows_are_counted_as_they_are_drawn(
    old: list[str], new: list[str], width: int, both: bool, wrap: bool, end: bool
) -> None:
    session = FakeSession()
    texts = ["\n".join(lines) + "\n" * (end and bool(lines)) for lines in (old, new)]
    diff = diff_of(session, scenes.file_patch(session, "a.py", texts[0], texts[1]), look=look_of(both=both, wrap=wrap))
    starts = diff.starts(width)
    assert len(starts) == len(diff) + 1
    palette = Palette({})
    for at, line in enumerate(diff):
        rows = len(line.rows(width))
        assert starts[at + 1] - starts[at] == rows
        assert all(line.strip(row, width, palette).cell_length == width for row in range(rows) if line.base or both)


@pytest.mark.parametrize("both", [False, True])
def test_long_lines_that_are_cut_say_so_and_scroll(both: bool) -> None:
    session = FakeSession()
    look = look_of(both=both, wrap=False)
    diff = diff_of(session, scenes.file_patch(session, "a.py", "short\n", "0123456789" * 20 + "\n"), look=look)
    palette = Palette({})
    line = diff[len(diff) - 1]
    width = 80
    edge = BesideLine.halves(width)[0] + 1 if both else 0
    text = line.strip(0, width, palette).text[edge:]
    assert text.endswith("…")
    assert "0123456789" in text
    look.left = 8
    text = line.strip(0, width, palette).text[edge:]
    assert text.endswith("…")
    assert "…901234" in text
    first, last = line.cells(0, width, *((6, 6 + 10) if both else (10, 20)))
    assert last - first == 10 or both
    look.left = 190
    assert not line.strip(0, width, palette).text.rstrip().endswith("…")


async def test_wrapping_is_switched_and_cut_lines_scroll_by_keys() -> None:
    async with running(MEDIUM) as driver:
        patch = Patch((file_of(driver.session, "a.py", "x\n", "0123456789" * 30 + "\n"),))
        waiting(driver.session, patch=patch)
        await driver.drawn()
        driver.clock.pass_(1)
        await into_diff(driver)
        pane = driver.app.main.diff
        wrapped = pane._starts[-1]
        await driver.press("right")
        assert pane.look.left == 0
        await driver.press("w")
        assert pane._starts[-1] < wrapped
        await driver.press("right", "right", "left")
        assert pane.look.left == 8
        assert "…9012345678" in driver.text
        await driver.press("w")
        assert pane._starts[-1] == wrapped


# -- The cursor


def _is_beside(pane: DiffPane) -> bool:
    return pane.look.beside


async def test_both_sides_only_where_they_fit() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        pane = driver.app.main.diff
        await driver.press("t")
        assert "needs 100 cells" in driver.text
        assert not _is_beside(pane)
        await driver.press("0", "t")
        await driver.drawn()
        assert _is_beside(pane)
        assert any("- line 5" in row and "+ changed 5" in row for row in driver.rows())
        await driver.pilot.resize_terminal(90, 40)
        await driver.until(lambda: not _is_beside(pane))
        await driver.drawn()
        assert "+ changed 5" in driver.text
        await driver.pilot.resize_terminal(120, 40)
        await driver.until(lambda: _is_beside(pane))
        await driver.press("t")
        assert not _is_beside(pane)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_the_cursor_is_always_seen(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        pane = driver.app.main.diff
        seen = []
        for key in [*"jjjjjjj", *"kkkkkkk", "L", *"jjjjjjjjjjjjjjj"]:
            await driver.press(key)
            assert pane.stop is not None
            row = pane._starts[pane.stop.first + (pane._row if pane.by_line else 0)]
            assert pane.scroll_y <= row < pane.scroll_y + pane.size.height
            assert "▌" in driver.text
            seen.append(pane.stop.id)
        assert set(seen) == {"a0", "a1", "a2", "b0", "/run", "/z.png"}


async def test_a_block_longer_than_the_pane_is_scrolled_through() -> None:
    async with running((80, 24)) as driver:
        new = "".join(f"new {number}\n" for number in range(100))
        patch = Patch((file_of(driver.session, "a.py", "x\n", new), file_of(driver.session, "b.py", "x\n", "y\n")))
        waiting(driver.session, patch=patch)
        await driver.drawn()
        driver.clock.pass_(1)
        await into_diff(driver)
        pane = driver.app.main.diff
        shown: set[int] = set()
        for _ in range(30):
            y = round(pane.scroll_y)
            shown |= set(range(y, y + pane.size.height))
            assert pane.stop is not None
            if pane.stop.id == "b0":
                break
            await driver.press("down")
        assert pane.stop is not None
        assert pane.stop.id == "b0"
        assert set(range(pane._starts[-1])) <= shown
        for _ in range(30):
            await driver.press("up")
        assert pane.stop.id == "a0"
        assert pane.scroll_y == 0


async def test_who_scrolls_away_finds_the_cursor_where_they_are() -> None:
    async with running((80, 24)) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        pane = driver.app.main.diff
        await driver.press("Z", "end")
        await driver.until(lambda: pane.scroll_y == pane.max_scroll_y > 0)
        await driver.press("k")
        assert pane.stop is not None
        assert pane.stop.file > 0
        await driver.press("home")
        await driver.until(lambda: pane.scroll_y == 0)
        await driver.press("j")
        assert pane.stop.id == "a0"


async def _reads(driver: Driver) -> None:
    """Somebody is at the second block, and has scrolled a little."""
    await driver.play(waiting)
    await into_diff(driver)
    await driver.press("j")
    pane = driver.app.main.diff
    pane.scroll_to_row(pane.scroll_y + 2)
    await driver.settle()


async def test_the_same_proposal_again_leaves_cursor_and_scrolling_alone() -> None:
    async with running((80, 24)) as driver:
        await _reads(driver)
        pane = driver.app.main.diff
        assert pane.stop is not None
        before = pane._starts[pane.stop.first] - pane.scroll_y
        review(driver.session, commented(marked(Review(), ["a0"], taken=True), "a0", "one\ntwo\nthree"))
        await driver.drawn()
        assert pane.stop.id == "a1"
        assert pane._starts[pane.stop.first] - pane.scroll_y == before
        # It is carried over to a working tree in which four lines are new at the top.
        top = "".join(f"top {number}\n" for number in range(4))
        moved = Patch((file_of(driver.session, "a.py", top + "".join(LINES), top + changed()),))
        driver.session.emit(ev.ProposalMade(1, 1, "c1", moved, "t9", "t10", "", ""))
        await driver.drawn()
        assert pane.stop.id == "a1"
        assert pane._starts[pane.stop.first] - pane.scroll_y == before
        gone = Patch((file_of(driver.session, "b.py", "", "x\n", "add"),))
        driver.session.emit(ev.ProposalMade(1, 1, "c1", gone, "t9", "t11", "", ""))
        await driver.drawn()
        assert pane.stop.id == "b0"


async def test_a_new_proposal_takes_neither_focus_nor_place_from_who_reads() -> None:
    async with running((80, 24)) as driver:
        await _reads(driver)
        pane = driver.app.main.diff
        assert pane.stop is not None
        before = pane._starts[pane.stop.first] - pane.scroll_y
        driver.session.emit(ev.Decided(1, "steer", "human"))
        waiting(driver.session, 2, patch_of(driver.session))
        await driver.drawn()
        assert driver.app.main.focused is pane
        assert pane.stop.id == "a1"
        assert pane._starts[pane.stop.first] - pane.scroll_y == before
        await driver.press("i")
        main = driver.app.main
        driver.session.emit(ev.Decided(2, "steer", "human"))
        waiting(driver.session, 3, patch_of(driver.session))
        await driver.drawn()
        assert main.focused is main.prompt
        assert pane.stop.id == "a0"
        assert pane.scroll_y == 0


async def test_nor_from_who_scrolls_it_by_the_wheel_while_they_write() -> None:
    async with running((80, 24)) as driver:
        await driver.play(waiting)
        pane = driver.app.main.diff
        for _ in range(9):
            event = events.MouseScrollDown(pane, 5, 5, 0, 1, 0, shift=False, meta=False, ctrl=False)
            pane.post_message(event)
            await driver.settle()
        place = pane.scroll_y
        assert place > 0
        assert driver.app.main.focused is driver.app.main.prompt
        driver.session.emit(ev.Decided(1, "steer", "human"))
        waiting(driver.session, 2, patch_of(driver.session))
        await driver.drawn()
        assert pane.scroll_y == place
        # Who has gone back to the top, or is shown something else, does not read any more.
        driver.session.emit(ev.Decided(2, "steer", "human"))
        other = Patch((file_of(driver.session, "z.py", "", "x\n" * 60, "add"),))
        waiting(driver.session, 3, other)
        await driver.drawn()
        assert pane.scroll_y == 0
        assert not pane.read


async def test_findings_lead_to_their_lines() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        pane = driver.app.main.diff
        assert pane.go_to_line("a.py", 31)
        assert pane.stop is not None
        assert pane.stop.id == "a1"
        assert pane.go_to_line("a.py", 45)
        assert pane.stop.id == "a2"
        assert not pane.go_to_line("other.py", 1)
        assert pane.stop.id == "a2"


# -- Folds and the search


async def test_what_is_unchanged_unfolds_and_folds() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        pane = driver.app.main.diff
        folded = pane.plain_text
        assert "line 15" not in folded
        await driver.press("j", "z")
        assert "line 15" in pane.plain_text
        assert "line 45" in pane.plain_text
        assert folded.count("⋯") - pane.plain_text.count("⋯") == 2
        await driver.press("Z")
        assert pane.plain_text.count("⋯") == 0
        for number in range(1, 61):
            assert pane.plain_text.count(f"line {number}\n") == 1, number
        await driver.press("Z")
        assert pane.plain_text.replace("▌", " ") == folded.replace("▌", " ")


@pytest.mark.parametrize("keys", [(), ("0", "t")], ids=["one below the other", "side by side"])
async def test_the_search_finds_and_the_cursor_goes_along(keys: tuple[str, ...]) -> None:
    async with running(WIDE) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press(*keys)
        pane = driver.app.main.diff
        await driver.press("slash", *"more 5")
        assert "1 of 2" in driver.text
        assert pane.stop is not None
        ids = [pane.stop.id]
        await driver.press("enter")
        ids.append(pane.stop.id)
        assert sorted(ids) == ["a0", "a2"]
        index, first, last = pane._hits[pane._hit]
        line = pane.lines[index]
        cells = line.cells(0, pane._measured, first, last)
        row = line.strip(0, pane._measured, Palette({})).text
        assert row[cells[0] : cells[1]] == "more 5"
        await driver.press("escape", "a")
        assert not pane.searching
        assert driver.session.commands


# -- What it costs


def _huge(session: FakeSession, blocks: int) -> Patch:
    old, new, found = [], [], []
    for at in range(blocks):
        old += [f"same {at}\n", f"old = {at}\n"]
        new += [f"same {at}\n", f"new = {at}\n"]
        found.append(Block(f"h{at}", len(old), len(new), (old[-1],), (new[-1],)))
    texts = session.put("".join(old)), session.put("".join(new))
    return Patch((FilePatch("huge.txt", "update", *texts, 0o100644, 0o100644, tuple(found)),))


async def test_of_a_huge_diff_only_what_is_seen_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    init = CodeLine.__init__

    def counted(self: CodeLine, *args: Any, **options: Any) -> None:
        nonlocal made
        made += 1
        init(self, *args, **options)

    monkeypatch.setattr(CodeLine, "__init__", counted)
    async with running(MEDIUM) as driver:
        waiting(driver.session, patch=_huge(driver.session, 16_000))
        await driver.drawn()
        driver.clock.pass_(1)
        pane = driver.app.main.diff
        height = pane.size.height
        assert len(pane.lines) > 48_000
        assert made <= 2 * height
        made = 0
        await into_diff(driver)
        await driver.press("end")
        await driver.until(lambda: "new = 15999" in driver.text)
        assert made <= 3 * height
        made = 0
        await driver.press("slash", *"old = 12345")
        assert "1 of 1" in driver.text
        await driver.press("escape")
        assert pane.stop is not None
        assert pane.stop.id == "h12345"
        assert made <= 20 * height
        review(driver.session, marked(Review(), ["h12345"], taken=True))
        made = 0
        await driver.drawn()
        assert made <= 2 * height
        assert pane.stop.id == "h12345"


async def test_another_mark_lays_nothing_out_anew() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        pane = driver.app.main.diff
        review(driver.session, marked(Review(), ["a0"], taken=True))
        await driver.drawn()
        source = pane._source
        review(driver.session, marked(Review(), ["a0", "a1"], taken=True))
        await driver.drawn()
        assert pane._source is source
        assert "2 of 6 parts taken" in pane.plain_text
        assert pane._starts == source.starts(pane._measured)  # type: ignore[union-attr]


def test_expanded_tabs_are_what_is_measured() -> None:
    assert len(expand_tabs("\tc" * 9)) == 9 * 4 + 1
    assert len("▌✓ ") == GUTTER
