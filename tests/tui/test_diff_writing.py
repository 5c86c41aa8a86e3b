"""Writing in the diff: a block's new lines in place, a comment, the file in the human's own editor. Nothing is lost."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from agent_core import events as ev
from agent_core.commands import Comment, Rewrite
from agent_core.patch.model import Block, Patch
from agent_core.review import Review, commented
from tests.tui.driving import MEDIUM, SIZES, Driver, running
from tests.tui.proposals import LINES, changed, file_of, patch_of, review, waiting
from tests.tui.test_diff_review import into_diff
from tui.app import PairloopApp
from tui.panes.diff import DiffPane
from tui.panes.diff_writing import as_lines, new_side
from tui.widgets.writing import Writing


def writing_of(driver: Driver) -> Writing:
    writing = driver.app.main.diff.writing
    assert writing is not None
    assert driver.app.main.focused is writing
    return writing


def no_writing(driver: Driver) -> bool:
    pane = driver.app.main.diff
    return pane.writing is None and driver.app.main.focused is pane and not driver.app.main.query(Writing)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_the_new_side_is_edited_in_place(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("j", "e")
        writing = writing_of(driver)
        assert writing.text == "changed 30\nmore 30"
        assert "changed 30" in driver.text
        assert writing.region.right <= size[0]
        assert writing.region.bottom <= driver.app.main.diff.region.bottom
        await driver.press(*"new", "enter", "tab", "ctrl+s")
        assert driver.session.commands == [Rewrite(1, "a.py", "a1", "new\n    changed 30\nmore 30\n")]
        await driver.until(lambda: no_writing(driver))


@pytest.mark.parametrize("lines", [9, 200])
async def test_what_one_writes_about_is_seen_beside_it(lines: int) -> None:
    async with running((120, 40)) as driver:
        before = [f"line {number}" for number in range(lines)]
        after = [*before[:2], "other 2", *before[3:-2], "other last", before[-1]]
        patch = Patch((file_of(driver.session, "a.py", "\n".join(before) + "\n", "\n".join(after) + "\n"),))
        waiting(driver.session, 1, patch)
        await driver.drawn()
        driver.clock.pass_(1.0)
        await into_diff(driver)
        await driver.press("j", "c")
        writing, pane = writing_of(driver), driver.app.main.diff
        await driver.settle()
        assert "+ other last" in driver.text
        assert pane.region.contains_region(writing.region)
        await driver.press(*"why")
        assert "why" in driver.text


async def test_nothing_decides_while_one_writes() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("e", "f2", "f3", "f4", "a", "r", "q", "?")
        assert driver.session.commands == []
        assert writing_of(driver).text.startswith("arq?changed")
        assert "^s done" in driver.app.main.keys.plain_text.replace("\u00a0", " ")
        assert "accept all" not in driver.app.main.keys.plain_text


async def test_what_is_left_is_kept_as_a_draft() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("e", "escape")
        await driver.until(lambda: no_writing(driver))
        assert "not handed in" not in driver.app.main.diff.plain_text
        await driver.press("e", *"half", "escape")
        await driver.until(lambda: no_writing(driver))
        assert "Kept" in driver.text
        assert "not handed in: what you began to write here; e goes on with it" in driver.app.main.diff.plain_text
        await driver.press("c", *"why", "escape")
        await driver.until(lambda: no_writing(driver))
        await driver.press("j", "e", "escape")
        await driver.until(lambda: no_writing(driver))
        await driver.press("k", "e")
        assert writing_of(driver).text.startswith("halfchanged 5")
        await driver.press("ctrl+s")
        await driver.until(lambda: no_writing(driver))
        assert driver.session.commands == [Rewrite(1, "a.py", "a0", "halfchanged 5\nmore 5\n")]
        assert "not handed in" not in driver.app.main.diff.plain_text
        await driver.press("c")
        assert writing_of(driver).text == "why"
        # The other kind of writing takes its place, and what was written waits again.
        await driver.press("f6")
        await into_diff(driver)
        await driver.press("e", "escape")
        await driver.until(lambda: no_writing(driver))
        await driver.press("c", "enter")
        await driver.until(lambda: no_writing(driver))
        assert driver.session.commands[1:] == [Comment(1, "a0", "why")]


async def test_a_comment_has_lines_and_can_be_taken_back() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("c", *"one", "shift+enter", *"two", "ctrl+j", "enter")
        assert driver.session.commands == [Comment(1, "a0", "one\ntwo")]
        review(driver.session, commented(Review(), "a0", "one\ntwo \x1b[31m"))
        await driver.drawn()
        await driver.until(lambda: no_writing(driver))
        await driver.press("c")
        assert writing_of(driver).text == "one\ntwo ␛[31m"
        assert "\x1b" not in driver.text
        await driver.press("ctrl+a", "ctrl+k", "backspace", "ctrl+u", "enter")
        assert driver.session.commands[1:] == [Comment(1, "a0", "")]


async def test_what_is_pasted_is_harmless() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("c")
        writing_of(driver).post_message(events.Paste("a\x1b]0;x\x07\r\nb\rc"))
        await driver.settle()
        assert writing_of(driver).text == "a␛]0;x␇\nb\nc"


async def test_where_there_is_nothing_to_edit_it_says_so() -> None:
    async with running(MEDIUM) as driver:
        odd = file_of(driver.session, "a.py", "x\n", "y\x1b[2J\n")
        waiting(driver.session, patch=Patch((odd, *patch_of(driver.session).files[2:])))
        await driver.drawn()
        driver.clock.pass_(1)
        await into_diff(driver)
        for keys, words in (
            (("e",), "control characters"),
            (("n", "e"), "no lines to edit"),
            (("c",), "a comment is about a block"),
        ):
            await driver.press(*keys)
            assert words.lower() in driver.text.lower()
            assert driver.app.main.diff.writing is None


async def test_what_is_written_outlives_the_block_it_is_about() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("e", *"kept ")
        gone = Patch((file_of(driver.session, "b.py", "", "x\n", "add"),))
        driver.session.emit(ev.ProposalMade(1, 1, "c1", gone, "t9", "t11", "", ""))
        await driver.drawn()
        assert writing_of(driver).text.startswith("kept changed 5")
        await driver.press("ctrl+s")
        assert driver.session.commands == []
        assert writing_of(driver).text.startswith("kept changed 5")
        assert "not there any more" in driver.text
        again = ev.ProposalMade(1, 1, "c1", patch_of(driver.session), "t9", "t12", "", "")
        driver.session.emit(again, ev.DecisionAwaited(1, "It waits."))
        await driver.drawn()
        await driver.press("ctrl+s")
        assert driver.session.commands == [Rewrite(1, "a.py", "a0", "kept changed 5\nmore 5\n")]


async def test_what_is_written_stays_over_the_pane_when_sizes_change() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("e", *"x")
        for size in ((80, 24), (200, 50), (60, 15)):
            await driver.pilot.resize_terminal(*size)
            pane = driver.app.main.diff

            def inside(pane: DiffPane = pane) -> bool:
                region = writing_of(driver).region
                return region.x >= pane.region.x and region.bottom == pane.region.bottom and region.height > 0

            await driver.until(inside)
        assert writing_of(driver).text.startswith("xchanged")


ENDS = st.sampled_from(["\n", "\r\n"])


@given(st.lists(st.sampled_from(["a", "", "b c"]), min_size=1, max_size=5), ENDS, st.booleans())
def test_a_side_that_is_not_changed_is_the_side_that_was(lines: list[str], end: str, open_end: bool) -> None:
    added = [line + end for line in lines]
    if open_end and lines[-1]:
        added[-1] = lines[-1]
    block = Block("b", 1, 1, ("x\n",), tuple(added))
    side = new_side(block)
    # Nothing is nothing, and not an empty line; that one is handed in by nobody who has not changed it.
    assert as_lines(side, block) == ("".join(added).replace("\r\n", "\n") if side else "")


def test_a_side_may_become_nothing_and_something() -> None:
    assert as_lines("", Block("b", 1, 1, ("x\n",), ("y\n",))) == ""
    assert as_lines("new", Block("b", 1, 1, ("x\n",), ())) == "new\n"
    assert as_lines("a\n\nb\n", Block("b", 1, 1, (), ("y\n",))) == "a\n\nb\n\n"
    marked = Block("b", 1, 1, (), ("\ufeffy\n",))
    assert new_side(marked) == "y"
    assert as_lines("z", marked) == "\ufeffz\n"


# -- The human's own editor


@pytest.fixture
def suspended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The app gives the terminal away and takes it back."""
    said: list[str] = []

    @contextlib.contextmanager
    def suspend(self: PairloopApp) -> Iterator[None]:
        said.append("away")
        yield
        said.append("back")

    monkeypatch.setattr(PairloopApp, "suspend", suspend)
    return said


def editor(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    program = f"import sys, pathlib; path = pathlib.Path(sys.argv[-1]); {code}"
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", shlex.join([sys.executable, "-c", program]))


async def test_the_whole_new_file_goes_through_the_editor(
    suspended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(monkeypatch, "path.write_text(path.name + '\\n' + path.read_text())")
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("E")
        await driver.until(lambda: driver.session.commands)
        assert driver.session.commands == [Rewrite(1, "a.py", "", "a.py\n" + changed())]
        assert suspended == ["away", "back"]
        editor(monkeypatch, "")
        await driver.press("E")
        await driver.until(lambda: len(suspended) == 4)
        await driver.settle()
        assert len(driver.session.commands) == 1


async def test_what_was_written_in_the_editor_is_kept_when_the_proposal_changed(
    suspended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(monkeypatch, "path.write_text('mine\\n')")
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        other = Patch((file_of(driver.session, "a.py", "".join(LINES), changed(word="other")),))
        await driver.press("E")
        again = ev.ProposalMade(1, 1, "c1", other, "t9", "t11", "", "")
        driver.session.emit(again, ev.DecisionAwaited(1, "It waits."))
        await driver.drawn()
        await driver.until(lambda: len(suspended) == 2)
        await driver.until(lambda: "has changed meanwhile" in driver.text)
        assert driver.session.commands == []
        editor(monkeypatch, "assert path.read_text() == 'mine\\n'")
        await driver.press("E")
        await driver.until(lambda: driver.session.commands)
        assert driver.session.commands == [Rewrite(1, "a.py", "", "mine\n")]


async def test_an_editor_that_fails_is_told_of(suspended: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "no-such-editor-here")
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("n", "n", "n", "E")
        await driver.until(lambda: "no new text" in driver.text)
        await driver.press("N", "E")
        await driver.until(lambda: "no program no-such-editor-here" in driver.app.main.chat.plain_text)
        assert driver.session.commands == []


async def test_a_path_with_brackets_is_no_markup_over_what_is_written() -> None:
    async with running(MEDIUM) as driver:
        path = "[@click=app.quit][id][/red].tsx"
        waiting(driver.session, patch=Patch((file_of(driver.session, path, "".join(LINES), changed()),)))
        await driver.drawn()
        driver.clock.pass_(1)
        await into_diff(driver)
        await driver.press("e")
        assert f"{path}:5" in driver.text
        await driver.until(lambda: writing_of(driver).text)


async def test_what_was_begun_in_a_session_waits_there() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("c", *"why?")
        first = driver.session.state
        pane = driver.app.main.diff
        driver.app.main.begin_anew()
        assert pane.writing is None
        assert pane.proposal is None
        other = msgspec.structs.replace(first, session="two")
        driver.app.main.draw(other)
        assert pane.draft_words() == {}
        driver.app.main.begin_anew()
        driver.app.main.draw(first)
        assert pane.draft_words() == {"a0": "not said yet: a comment you began; c goes on with it"}
