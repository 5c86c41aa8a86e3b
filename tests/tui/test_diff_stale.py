"""Both sides of a place at which the human has written too, and what they say is to stand there."""

from __future__ import annotations

import msgspec
import pytest

from agent_core import events as ev
from agent_core.commands import Settle, Take
from agent_core.review import Mark, Overlap, Review, settled
from agent_core.rewriting import ENDED, PARTNERS, YOURS
from tests.tui.driving import MEDIUM, NARROW, SIZES, WIDE, Driver, running
from tests.tui.proposals import review, waiting

MINE = ("mine five\n", "mine \x1b[2Jsix\n")
OVERLAPS = (Overlap("a0", "a.py", 5, MINE, ours=("changed 5\n", "more 5\n")), Overlap("a1", "a.py", 31))


async def met(driver: Driver) -> None:
    """A proposal waits at two of whose blocks the human has written; the diff has the focus, at the first."""
    await driver.play(waiting)
    driver.session.emit(ev.Overlapped(1, OVERLAPS))
    await driver.drawn()
    driver.app.main.diff.focus()
    await driver.drawn()


def keys(driver: Driver) -> str:
    return " ".join(row.strip() for row in driver.rows()[-2:]).replace("\xa0", " ")


@pytest.mark.parametrize("size", SIZES)
async def test_both_sides_and_the_keys_are_there(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await met(driver)
        pane = driver.app.main.diff
        lines = [line.whole.strip() for line in pane.lines]
        at = lines.index("5 ✎ mine five")
        assert lines[at - 1] == "yours, in the file now:"
        assert lines[at + 1 : at + 3] == ["6 ✎ mine ␛[2Jsix", "the partner's:"]
        assert lines[at + 3].endswith("5 + changed 5")
        assert not any(line.endswith("- line 5") for line in lines)
        assert "your edits meet 2 blocks: yours stays unless you say otherwise" in pane.plain_text
        assert "a partner's  r yours  b both  o redo" in keys(driver)
        await driver.press("z")
        await driver.drawn()
        assert any(line.whole.endswith("5 - line 5") for line in pane.lines)
        # Somewhere else these keys say nothing.
        await driver.press("right_square_bracket", "right_square_bracket")
        assert pane.stop is not None
        assert pane.stop.id == "a2"
        await driver.settle()
        assert "partner's" not in keys(driver)
        await driver.press("b", "o")
        assert driver.session.commands == []


async def test_side_by_side_the_humans_stand_on_the_left() -> None:
    async with running(WIDE) as driver:
        await met(driver)
        await driver.press("0", "t")
        await driver.drawn()
        pane = driver.app.main.diff
        row = next(line for line in pane.lines if "mine five" in line.whole)
        left, _, right = row.plain(0, 180).partition("│")
        assert left.rstrip().endswith("5 ✎ mine five")
        assert right.strip() == "5 + changed 5"
        assert len(pane._starts) == len(pane.lines) + 1
        for at, line in enumerate(pane.lines):
            assert pane._starts[at + 1] - pane._starts[at] == len(line.rows(pane._measured)), line.whole


async def test_a_side_is_picked_by_a_key_and_never_by_a_word_on_several() -> None:
    async with running(MEDIUM) as driver:
        await met(driver)
        # Space goes through blocks, A takes the file: neither says that anything goes over what the human wrote.
        await driver.press("space")
        assert driver.session.commands == []
        await driver.press("A")
        assert driver.session.commands == [Take(1, ("a2",), (), True)]
        driver.session.commands.clear()
        await driver.press("b", "a", "r", "o")
        assert driver.session.commands == [
            Settle(1, "a0", "both"),
            Take(1, ("a0",), (), True),
            Take(1, ("a0",), (), False),
            Settle(1, "a0", "redo"),
        ]


async def test_lines_of_it_come_without_what_both_started_from() -> None:
    async with running(MEDIUM) as driver:
        await met(driver)
        await driver.press("L", "a")
        # The removed line is the first of the block, and the first of those that are added the second.
        assert driver.session.commands == [Take(1, ("a0",), (), True, (0, 1))]


async def test_what_was_said_is_shown() -> None:
    async with running(WIDE) as driver:
        await met(driver)
        proposal = driver.session.state.proposal
        assert proposal is not None
        marks = settled(settled(proposal.review, ["a0"], "own", "what I wrote\n"), ["a1"], "redo")
        review(driver.session, marks)
        await driver.drawn()
        shown = driver.app.main.diff.plain_text
        assert "✎ what you wrote for this place is to land" in shown
        assert "you wrote instead:\n" in shown
        assert "✎ what I wrote" in shown
        assert "↻ yours stays; the partner is asked to do its part anew over it" in shown
        assert "your edits meet 2 blocks: you have said what is to stand there" in shown
        review(driver.session, msgspec.structs.replace(Review(), blocks={"a0": Mark(True, side="both")}))
        await driver.drawn()
        assert "⊕ both are to land, the partner's below yours" in driver.app.main.diff.plain_text
        assert "1 still open" in driver.app.main.diff.plain_text


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_written_by_the_human_it_is_handed_in_without_the_lines_between(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await met(driver)
        pane = driver.app.main.diff
        await driver.press("e")
        # What a terminal would obey is not edited on the screen.
        assert not driver.app.screen.query("Writing")
        one = msgspec.structs.replace(OVERLAPS[0], theirs=("mine five\n",))
        driver.session.emit(ev.Overlapped(1, (one,)))
        await driver.drawn()
        await driver.press("e")
        assert pane.writing is not None
        assert pane.writing.text == f"{YOURS}\nmine five\n{PARTNERS}\nchanged 5\nmore 5\n{ENDED}"
        pane.writing.text = f"{YOURS}\nours five\n{ENDED}"
        await driver.press("ctrl+s")
        assert driver.session.commands == []
        assert pane.writing is not None
        pane.writing.text = "ours five"
        await driver.press("ctrl+s")
        assert driver.session.commands == [Settle(1, "a0", "own", "ours five")]
        assert pane.writing is None


async def test_what_is_written_waits_where_the_file_is_as_it_was_again() -> None:
    async with running(MEDIUM) as driver:
        await met(driver)
        pane = driver.app.main.diff
        driver.session.emit(ev.Overlapped(1, (msgspec.structs.replace(OVERLAPS[0], theirs=("mine five\n",)),)))
        await driver.drawn()
        await driver.press("e")
        assert pane.writing is not None
        pane.writing.text = "ours"
        driver.session.emit(ev.Overlapped(1, ()))
        await driver.drawn()
        await driver.press("ctrl+s")
        assert driver.session.commands == []
        assert pane.writing.text == "ours"


async def test_a_proposal_carried_over_says_so_in_one_line() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        proposal = driver.session.state.proposal
        assert proposal is not None
        file = msgspec.structs.replace(proposal.patch.files[0], before=driver.session.put(b"mine\n"))
        patch = msgspec.structs.replace(proposal.patch, files=(file, *proposal.patch.files[1:]))
        for tree in ("t5", "t6"):
            driver.session.emit(ev.ProposalMade(1, 1, "c1", patch, f"{tree}b", tree, "", ""))
        await driver.drawn()
        assert driver.app.main.diff.plain_text.count("carried over to your edits") == 1
