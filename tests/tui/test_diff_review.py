"""Deciding in the diff: what each key hands in, how everything that was said is shown, what would land."""

from __future__ import annotations

import pytest

from agent_core import events as ev
from agent_core.checks.model import CheckResult, Finding, Verdict
from agent_core.commands import AnyCommand, Comment, Land, Take, Unmark
from agent_core.patch.model import Patch
from agent_core.review import Mark, Overlap, Review, commented, marked
from tests.tui import scenes
from tests.tui.driving import MEDIUM, NARROW, WIDE, Driver, running
from tests.tui.fake_session import FakeSession
from tests.tui.proposals import file_of, patch_of, review, waiting
from tui.actions import ACTIONS, applies
from tui.actions.model import Focus, Situation
from tui.panes.diff_signs import SIGNS
from tui.screens.asking import landing_mood
from tui.screens.help import help_lines


async def into_diff(driver: Driver) -> None:
    """Have the diff take the keys."""
    driver.app.main.go_to("diff")
    driver.app.main.diff.focus()
    await driver.until(lambda: driver.app.main.focused is driver.app.main.diff)


KEYS: list[tuple[str, tuple[str, ...], list[AnyCommand]]] = [
    ("take", ("a",), [Take(1, ("a0",))]),
    ("leave", ("r",), [Take(1, ("a0",), (), False)]),
    ("the next block", ("down", "a"), [Take(1, ("a1",))]),
    ("by letters", ("j", "j", "k", "r"), [Take(1, ("a1",), (), False)]),
    ("take and on", ("space", "space"), [Take(1, ("a0",)), Take(1, ("a1",))]),
    ("the file", ("A",), [Take(1, ("a0", "a1", "a2"))]),
    ("leave the file", ("j", "R"), [Take(1, ("a0", "a1", "a2"), (), False)]),
    ("the next file", ("n", "a"), [Take(1, ("b0",))]),
    ("back a file", ("n", "n", "N", "a"), [Take(1, ("b0",))]),
    ("a mode", ("n", "n", "a"), [Take(1, (), ("run",))]),
    ("a picture", ("n", "n", "n", "r"), [Take(1, (), ("z.png",), False)]),
    ("a range of blocks", ("v", "j", "j", "a"), [Take(1, ("a0", "a1", "a2"))]),
    ("over files", ("n", "v", "j", "j", "r"), [Take(1, ("b0",), ("run", "z.png"), False)]),
    ("a range and back", ("v", "j", "v", "a"), [Take(1, ("a1",))]),
    ("a line", ("L", "a"), [Take(1, ("a0",), (), True, (0,))]),
    ("another line", ("L", "j", "j", "a"), [Take(1, ("a0",), (), True, (2,))]),
    ("all but a line", ("L", "j", "r"), [Take(1, ("a0",), (), True, (0, 2))]),
    ("a range of lines", ("L", "j", "v", "j", "a"), [Take(1, ("a0",), (), True, (1, 2))]),
    (
        "lines of two blocks",
        ("L", "j", "j", "v", "j", "a"),
        [Take(1, ("a0",), (), True, (2,)), Take(1, ("a1",), (), True, (0,))],
    ),
    ("every line is the block", ("L", "v", "j", "j", "a"), [Take(1, ("a0",))]),
    ("no line is none", ("L", "v", "j", "j", "r"), [Take(1, ("a0",), (), False)]),
    (
        "a line turned, and on",
        ("L", "space", "a"),
        [Take(1, ("a0",), (), True, (0,)), Take(1, ("a0",), (), True, (1,))],
    ),
    ("lines, and blocks again", ("L", "j", "L", "a"), [Take(1, ("a0",))]),
    ("the next open one", ("right_square_bracket", "a"), [Take(1, ("a1",))]),
    ("the open one before", ("left_square_bracket", "a"), [Take(1, (), ("z.png",))]),
    ("nothing to land", ("enter",), []),
    ("nothing to take back", ("u",), []),
]


# What a key means is the same at any size: all of them are tried at one, some of them at the others.
@pytest.mark.parametrize(
    ("size", "cases"),
    [(NARROW, KEYS[::4]), (MEDIUM, KEYS), (WIDE, KEYS[2::4])],
    ids=lambda one: f"{one[0]}x{one[1]}" if isinstance(one, tuple) else "",
)
async def test_keys_in_the_diff_hand_in_what_they_say(
    size: tuple[int, int], cases: list[tuple[str, tuple[str, ...], list[AnyCommand]]]
) -> None:
    async with running(size) as driver:
        for name, keys, commands in cases:
            driver.session.reset()
            await driver.play(scenes.start)
            await driver.play(waiting)
            await into_diff(driver)
            await driver.press(*keys)
            assert driver.session.commands == commands, name


async def test_what_is_marked_can_be_turned_taken_back_and_landed() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        marks = marked(Review(), ["a0"], taken=True)
        marks = marked(marks, ["a1"], taken=True, lines=(0, 1))
        review(driver.session, marked(marks, ["a2"], taken=False))
        await driver.drawn()
        await into_diff(driver)
        pane = driver.app.main.diff
        await driver.press("space", "L", "space", "r", "u", "enter")
        assert pane.by_line
        assert driver.session.commands == [
            Take(1, ("a0",), (), None),
            Take(1, ("a1",), (), True, (1,)),
            Take(1, ("a1",), (), True, (0,)),
            Unmark(1),
            Land(1),
        ]
        driver.session.commands.clear()
        await driver.press("L", "right_square_bracket", "a")
        assert driver.session.commands == [Take(1, ("b0",))]


async def test_what_is_taken_lands_from_the_prompt_too_by_name_and_no_key() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await driver.press(*"/land", "enter")
        assert driver.session.commands == []
        driver.app.main.prompt.text = ""
        review(driver.session, marked(Review(), ["a0"], taken=True))
        await driver.drawn()
        question = driver.app.main.question.plain_text.replace("\u00a0", " ")
        assert "F6 to the diff" in question
        assert "land taken" not in question
        driver.clock.pass_(1)
        await driver.press(*"/land", "enter")
        assert driver.session.commands == [Land(1)]


async def test_what_a_key_is_called_follows_what_is_marked() -> None:
    async with running(WIDE) as driver:
        await driver.play(waiting)
        await into_diff(driver)

        def words() -> str:
            main = driver.app.main
            return f"{main.question.plain_text}{main.keys.plain_text}".replace("\u00a0", " ")

        assert "accept all" in words()
        assert "accept the others" not in words()
        review(driver.session, marked(Review(), ["a0"], taken=True))
        await driver.drawn()
        assert words().count("enter land taken") == 2
        assert words().count("F2 accept all") == 2
        review(driver.session, marked(Review(), ["a0"], taken=False))
        await driver.drawn()
        assert words().count("enter send back") == 2
        assert words().count("F2 accept the others") == 2
        assert "accept all" not in words()
        assert "land taken" not in words()
        await driver.press("ctrl+p", *"others")
        assert "accept the others" in driver.text
        await driver.press("escape")
        # Lines left out of a block are not accepted by it either.
        review(driver.session, marked(Review(), ["a0"], taken=True, lines=(0,)))
        await driver.drawn()
        assert words().count("F2 accept the others") == 2


async def test_what_was_chosen_in_the_palette_is_done_only_if_it_still_can_be() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await driver.press("ctrl+p", *"accept all")
        driver.session.emit(ev.Decided(1, "reject", "human"))
        await driver.until(lambda: not driver.app.main.state.waiting)
        await driver.press("enter")
        await driver.until(lambda: "cannot be done any more" in driver.text)
        assert driver.session.commands == []


async def test_what_has_only_just_appeared_takes_no_mark_and_stays_where_it_is() -> None:
    async with running(MEDIUM) as driver:
        waiting(driver.session)
        await driver.drawn()
        await into_diff(driver)
        for key in ("a", "r", "A", "R", "space"):
            await driver.press(key)
        assert driver.session.commands == []
        assert driver.app.main.diff.stop is not None
        assert driver.app.main.diff.stop.id == "a0"
        assert "only just appeared" in driver.text
        driver.clock.pass_(0.6)
        await driver.press("space")
        assert driver.session.commands == [Take(1, ("a0",))]


async def test_a_proposal_that_is_not_waiting_is_only_looked_at() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        review(driver.session, marked(Review(), ["a0"], taken=True))
        driver.session.emit(ev.Decided(1, "accept", "human", taken=1, of=6))
        await driver.drawn()
        await into_diff(driver)
        assert _signs(driver)["a0"] == SIGNS["taken"][0]
        await driver.press("a", "r", "space", "A", "e", "c", "enter", "j", "L", "v")
        assert driver.session.commands == []
        assert driver.app.main.diff.writing is None
        assert "→ accepted 1 of 6" in driver.app.main.diff.plain_text


async def test_letters_in_the_prompt_mark_nothing() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await driver.press(*"are v", "enter")
        assert not any(isinstance(command, Take | Land) for command in driver.session.commands)


def _signs(driver: Driver) -> dict[str, str]:
    """The sign of each block, by its id."""
    pane = driver.app.main.diff
    return {stop.id: pane.lines[stop.first].whole[1] for stop in pane.stops}


@pytest.mark.parametrize("keys", [(), ("0", "t")], ids=["one below the other", "side by side"])
async def test_blocks_and_files_wear_their_state(keys: tuple[str, ...]) -> None:
    async with running(WIDE) as driver:
        await driver.play(waiting)
        marks = marked(Review(), ["a0", "b0"], taken=True, files=["z.png"])
        marks = marked(marks, ["a1"], taken=True, lines=(0, 2))
        marks = marked(marks, ["a2"], taken=False)
        marks = commented(marks, "a2", "Not this:\nit is \x1b[31mred")
        review(driver.session, Review(marks.blocks, marks.files, ("b0",)))
        await driver.drawn()
        await into_diff(driver)
        await driver.press(*keys)
        await driver.drawn()
        sign = {name: entry[0] for name, entry in SIGNS.items()}
        pane = driver.app.main.diff
        assert pane.look.beside == bool(keys)
        partial = sign["partial"] if keys else sign["taken"]  # there the first row shows a line of either kind
        expected = {"a0": "taken", "a2": "left", "b0": "edited", "/run": "pending", "/z.png": "taken"}
        assert _signs(driver) == {name: sign[state] for name, state in expected.items()} | {"a1": partial}
        headers = [line.whole for line in pane.lines if line.base == "file-row"]
        assert headers[0].startswith(f" {sign['partial']} a.py")
        right = [line.right for line in pane.lines if line.base == "file-row"]
        assert [text for text, _ in filter(None, right)] == ["2 of 3 ", "taken ", "", "taken "]
        assert "“ Not this:\n       it is ␛[31mred" in pane.plain_text
        if not keys:
            rows = [pane.lines[pane.stops[1].first + at].whole[:2] for at in range(3)]
            assert rows == [f" {sign['taken']}", f" {sign['left']}", f" {sign['taken']}"]


async def test_stale_blocks_show_what_stands_there_now() -> None:
    async with running(WIDE) as driver:
        await driver.play(waiting)
        theirs = tuple(f"mine {number}\x1b[2J\n" for number in range(30))
        overlaps = (
            Overlap("a0", "a.py", 5, theirs),
            Overlap("a1", "a.py", 30),
            Overlap("", "b.py", 0, (), "It is there."),
        )
        driver.session.emit(ev.Overlapped(1, overlaps))
        await driver.drawn()
        pane = driver.app.main.diff
        assert _signs(driver)["a0"] == _signs(driver)["a1"] == "!"
        shown = pane.plain_text
        assert "5 ✎ mine 0␛[2J" in shown
        assert "⋯ 10 more" in shown
        assert "yours: you have removed what was here" in shown
        assert shown.count("stale: you have written here since; what is to stand here?") == 2
        assert "! It is there." in shown
        assert pane.stop is not None
        assert pane.stop.id == "a0"


async def test_what_is_taken_beside_edits_that_overlap_has_a_verdict_of_its_own() -> None:
    async with running(WIDE) as driver:
        await driver.play(waiting)
        driver.session.emit(ev.Overlapped(1, (Overlap("a0", "a.py", 5, ("mine\n",)),)))
        review(driver.session, marked(Review(), ["a2"], taken=True))
        green = CheckResult("ruff", "passed", "tp", "nothing found")
        verdict = Verdict("tp", "t0", True, (green,), summary="green: breaks nothing")
        driver.session.emit(ev.CheckFinished("candidate", green), ev.VerdictReached(1, verdict))
        await driver.drawn()
        main = driver.app.main
        assert landing_mood(main.state.proposal) == "good"
        log = main.checks.plain_text
        assert "✓ ruff" in log
        assert "stale" not in log
        assert "the tree as it was" not in log


async def test_the_head_says_what_would_land() -> None:
    async with running(WIDE) as driver:
        await driver.play(waiting)
        pane = driver.app.main.diff

        def said() -> str:
            return pane.lines[1].whole

        assert "files" in said()
        review(driver.session, marked(Review(), ["a0", "a1"], taken=False), tree="")
        await driver.drawn()
        assert said().startswith("⊘ nothing of 6 parts is taken")
        some = marked(Review(), ["a0", "b0"], taken=True)
        review(driver.session, some)
        await driver.drawn()
        assert said() == "◐ 2 of 6 parts taken  ◌ checking just these ..."
        proposal = driver.session.state.proposal
        assert proposal is not None
        broken = tuple(Finding("pytest", "no", "t.py", at, f"test_{at}\x1b") for at in range(5))
        for verdict, words in (
            (Verdict("tp", "t0", True, (), complete=False), "◌ just these: green so far"),
            (Verdict("tp", "t0", True, ()), "✓ just these are green"),
            (
                Verdict("tp", "t0", False, (), broken),
                "✗ just these break test_0␛, test_1␛, test_2␛ and 2 more",
            ),
        ):
            driver.session.emit(ev.VerdictReached(1, verdict))
            await driver.drawn()
            assert said().endswith(words)
        review(driver.session, some, trouble="b.py needs a.py")
        await driver.drawn()
        assert said().endswith("! b.py needs a.py")
        every = marked(Review(), ["a0", "a1", "a2", "b0"], taken=True, files=["run", "z.png"])
        review(driver.session, every, tree="")
        await driver.drawn()
        assert said().startswith("✓ all of it is taken")


async def test_some_lines_of_the_only_block_are_not_all_of_it() -> None:
    async with running(MEDIUM) as driver:
        patch = Patch((file_of(driver.session, "a.py", "a\nb\n", "c\nd\n"),))
        waiting(driver.session, patch=patch)
        review(driver.session, marked(Review(), ["a0"], taken=True, lines=(0, 2)))
        await driver.drawn()
        assert driver.app.main.diff.lines[1].whole.startswith("◐ 1 of 1 block taken, not every line  ◌")


async def test_files_are_listed_with_their_state_and_lead_to_themselves() -> None:
    async with running(WIDE) as driver:
        await driver.play(waiting)
        review(driver.session, marked(Review(), ["b0"], taken=True))
        await driver.drawn()
        await into_diff(driver)
        pane = driver.app.main.diff
        at = next(at for at, line in enumerate(pane.lines) if line.whole == "  ✓ b.py  +2 -0  taken")
        await driver.pilot.click(pane, offset=(pane.gutter.left + 5, pane._starts[at] + pane.gutter.top))
        await driver.until(lambda: pane.stop is not None and pane.stop.id == "b0")
        await driver.press("F")
        assert "▸ 4 files" in pane.plain_text
        assert "  ✓ b.py  +2 -0  taken" not in pane.plain_text
        await driver.press("F")
        assert "▾ 4 files" in pane.plain_text


async def test_many_files_are_only_counted_at_first() -> None:
    async with running(MEDIUM) as driver:
        files = tuple(file_of(driver.session, f"src/{chr(97 + at)}.py", "x\n", "y\n") for at in range(20))
        waiting(driver.session, patch=Patch(files))
        await driver.drawn()
        pane = driver.app.main.diff
        assert "▸ 20 files" in pane.plain_text
        pane.focus()
        await driver.press("F")
        assert "▾ 20 files" in pane.plain_text


async def test_the_mouse_chooses_a_block_takes_it_and_unfolds() -> None:
    async with running(WIDE) as driver:
        await driver.play(waiting)
        pane = driver.app.main.diff

        async def click(line: int, x: int) -> None:
            pane.show_line(line)
            await driver.settle()
            y = pane._starts[line] - round(pane.scroll_y)
            await driver.pilot.click(pane, offset=(x + pane.gutter.left, y + pane.gutter.top))
            await driver.settle()

        await click(pane.stops[1].first + 1, 20)
        assert pane.stop is not None
        assert pane.stop.id == "a1"
        assert driver.session.commands == []
        await click(pane.stops[1].first, 1)
        assert driver.session.commands == [Take(1, ("a1",))]
        fold = next(at for at, line in enumerate(pane.lines) if line.text.startswith("⋯"))
        count = len(pane.lines)
        await click(fold, 20)
        assert len(pane.lines) > count


def test_help_says_what_the_signs_mean() -> None:
    shown = "\n".join(line.whole for line in help_lines())
    for sign, _, words in SIGNS.values():
        assert words in shown
        assert sign in shown


async def test_a_comment_and_nothing_taken_can_be_sent_back() -> None:
    async with running(MEDIUM) as driver:
        await driver.play(waiting)
        await into_diff(driver)
        await driver.press("c", *"no", "enter")
        assert driver.session.commands == [Comment(1, "a0", "no")]
        review(driver.session, Review({"a0": Mark(comment="no")}), tree="")
        await driver.drawn()
        await driver.until(lambda: driver.app.main.focused is driver.app.main.diff)
        await driver.press("enter")
        assert driver.session.commands[1:] == [Land(1)]


def test_the_proposal_of_these_tests_has_what_they_say() -> None:
    session = FakeSession()
    patch = patch_of(session)
    assert [block.id for file in patch.files for block in file.blocks] == ["a0", "a1", "a2", "b0"]
    assert [len(block.removed) + len(block.added) for block in patch.files[0].blocks] == [3, 3, 3]


@pytest.mark.parametrize("focus", ["diff", "editor", "comment"])
def test_no_key_of_the_diff_means_two_things(focus: Focus) -> None:
    facts = {"shown", "blocks", "marked", "marks", "files", "cut"}
    for scene in (waiting, scenes.landed, scenes.approval, scenes.blamed, _landed_and_waiting):
        session = FakeSession()
        scene(session)
        for left_out in [*facts, ""]:
            there = frozenset(f"diff.{fact}" for fact in facts - {left_out})
            situation = Situation(session.state, focus=focus, facts=there)
            keys: dict[str, str] = {}
            for action in ACTIONS:
                for key in action.keys_in(focus) if applies(action.id, situation) else ():
                    assert key not in keys, f"{key} is {keys[key]} and {action.id}"
                    keys[key] = action.id


def _landed_and_waiting(session: FakeSession) -> None:
    scenes.landed(session)
    waiting(session, 3)
