"""Findings as a tree, evidence, colours of tools, the strip of attempts: as rows, without a screen."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from agent_core.checks.model import CheckResult, Finding, Verdict
from agent_core.patch.model import Patch
from agent_core.review import Mark, Review
from agent_core.state import CheckState, ProposalState, State, TaskState
from agent_core.text import printable
from tests.tui.fake_session import FakeSession
from tests.tui.scenes import OLD, RIGHT, file_patch
from tui.palette import Palette
from tui.panes.checks_evidence import preview, told
from tui.panes.checks_line import Row
from tui.panes.checks_lines import Standing, check_lines
from tui.panes.checks_rows import by_default, checks_lines, earlier_rows
from tui.panes.checks_tree import MOST, verdict_rows
from tui.widgets.ansi import Ansi, ansi_lines
from tui.widgets.progress import bar, overall

DETAIL = """shop/users.py:30 in load
  > 30 |     return [name_of(row) for row in rows]
shop/users.py:41 in name_of
    40 | def name_of(row):
  > 41 |     return row["name"]
      row = {'id': 3}
KeyError: 'name'
left (-) and right (+):
  - ['Ada', 'Bob']
  + ['Ada']
--- Captured stdout call ---
  loading
done"""


def failing(count: int) -> tuple[Finding, ...]:
    return tuple(
        Finding("pytest", "KeyError: 'name'", "shop/users.py", 41, f"tests/test_users.py::test_{n}", detail=DETAIL)
        for n in range(count)
    )


def verdict(**kinds: tuple[Finding, ...]) -> Verdict:
    return Verdict("t", "b", False, (), summary="red", **kinds)  # type: ignore[arg-type]


def text_of(rows: list[Row]) -> str:
    return "\n".join(row.line.whole for row in rows)


def opened(*keys: str) -> object:
    def is_open(key: str, *, default: bool = False) -> bool:
        return default != any(key.startswith(one) for one in keys)

    return is_open


def test_many_failures_of_one_cause_are_one_branch_that_unfolds() -> None:
    said = verdict(broken=failing(17))
    rows = verdict_rows(said, by_default)
    text = text_of(rows)
    assert "▾ ✗ 17 broken by this patch  by 1 cause" in text
    assert "▸ 17 failures, 1 cause: KeyError: 'name' at shop/users.py:41" in text
    assert "test_3" not in text
    head = next(row for row in rows if row.alike)
    assert (head.path, head.at, len(head.alike)) == ("shop/users.py", 41, 17)
    wide = text_of(verdict_rows(said, opened("broken/")))  # type: ignore[arg-type]
    assert all(f"test_{n}\n" in f"{wide}\n" for n in range(17))
    assert wide.count("│ KeyError: 'name'") == 17


def test_groups_tell_what_the_patch_has_to_do_with_them() -> None:
    (one,) = failing(1)
    known = Finding("mypy", "old", "a.py", 1, "x")
    left = Finding("ruff", "target", "b.py", 2, "F1")
    said = verdict(
        broken=(one,), known=(known, left), targets_left=(left,), fixed=(known,), flaky=(one,), silenced=(one,)
    )
    said = msgspec.structs.replace(said, gone=("t.py::test_old",))
    heads = [row.line.whole for row in verdict_rows(said, by_default) if row.folds and not row.parent]
    assert heads == [
        "▾ ✗ 1 broken by this patch",
        "▾ ● 1 still to be fixed",
        "▾ ✗ 1 silenced by this patch",
        "▾ ✓ 1 fixed",
        "▾ ~ 1 came and went when run again (flaky)",
        "▸ · 1 was there before",
        "▸ ! 1 test does not run any more",
    ]


def test_what_a_tool_says_for_one_rule_shares_a_branch_only_when_it_is_much() -> None:
    some = tuple(Finding("ruff", f"`m{n}` unused", "a.py", n, "F401", fix=f"Remove m{n}") for n in range(5))
    assert "▸ 5 times F401  `m0` unused" in text_of(verdict_rows(verdict(broken=some), by_default))
    few = text_of(verdict_rows(verdict(broken=some[:3]), by_default))
    assert "times" not in few
    assert few.count("x Remove m") == 3


def test_a_long_group_shows_its_beginning_and_unfolds() -> None:
    every = tuple(Finding("mypy", f"m{n}", f"a{n}.py", n, f"code{n}") for n in range(MOST + 7))
    rows = verdict_rows(verdict(broken=every), by_default)
    assert "⋯ 7 more" in rows[-1].line.whole
    assert len([row for row in rows if row.finding]) == MOST
    rows = verdict_rows(verdict(broken=every), opened("broken/more"))  # type: ignore[arg-type]
    assert len([row for row in rows if row.finding]) == MOST + 7


def test_evidence_leads_to_its_frames_and_nothing_of_it_is_lost() -> None:
    (one,) = failing(1)
    rows = verdict_rows(verdict(broken=(one,)), opened("broken/"))  # type: ignore[arg-type]
    shown = [row.line.text for row in rows if "│ " in row.line.whole[:8]]
    assert shown == DETAIL.splitlines()
    assert [(row.path, row.at) for row in rows if row.line.text.startswith("shop/")][:3] == [
        ("shop/users.py", 41),
        ("shop/users.py", 30),
        ("shop/users.py", 41),
    ]
    styles = {"".join(text for text, _ in row.pieces): row.pieces[0][1] for row in told(DETAIL)}
    assert styles["  - ['Ada', 'Bob']"] == "bad"
    assert styles["  + ['Ada']"] == "good"
    first, last = preview(DETAIL)
    assert DETAIL.splitlines()[first:last] == DETAIL.splitlines()[7:10]


@given(st.lists(st.text(alphabet="ab:1 >|E=-+\x1b[m\n", max_size=30), max_size=30))
def test_evidence_of_any_kind_is_shown_line_by_line(rows: list[str]) -> None:
    detail = "\n".join(rows)
    shown = list(told(detail))
    assert len(shown) == len(detail.rstrip().splitlines())
    assert all(printable(text) == text and "\n" not in text for row in shown for text, _ in row.pieces)
    first, last = preview(detail)
    assert 0 <= first <= last <= len(shown)


# -- Colours of tools


def test_colours_are_kept_and_all_other_escapes_are_shown() -> None:
    (line,) = ansi_lines("\x1b[31;1mOops\x1b[0m \x1b[2Jplain\x1b]0;x\x07 ␛[38;5;196mred␛[m", "dim")
    assert line == [("Oops", "sgr:1//b"), (" ␛[2Jplain␛]0;x␇ ", "dim"), ("red", "sgr:#ff0000//")]


def test_a_colour_goes_on_in_the_next_line() -> None:
    assert ansi_lines("\x1b[32mone\ntwo\x1b[39m three") == [[("one", "sgr:2//")], [("two", "sgr:2//"), (" three", "")]]


@given(st.text(alphabet="\x1b␛\x9b[0123456789;:mKJHx ", max_size=60))
def test_no_sequence_gets_through_or_costs_text(text: str) -> None:
    palette = Palette({})
    for line in ansi_lines(text):
        for said, style in line:
            assert printable(said) == said
            assert isinstance(palette[style], Style)
    assert "".join(said for line in ansi_lines(f"x{text}") for said, _ in line)[:1] == "x"


def test_lines_without_end_are_cut() -> None:
    pieces = Ansi().pieces("\x1b[31m" + "x" * 100_000)
    assert sum(len(text) for text, _ in pieces) < 11_000
    assert "more characters" in pieces[-1][0]


# -- Checks and attempts


def test_what_a_tool_printed_that_could_not_judge_is_its_end_or_all_of_it() -> None:
    output = "\n".join(f"row {n}" for n in range(20))
    check = CheckState("lint", "candidate", "t", "error", result=CheckResult("lint", "error", "t", "no", output=output))
    text = "\n".join(line.whole for line in check_lines(check, 0, Standing()))
    assert "⋯ 15 more lines" in text
    assert "row 14" not in text
    text = "\n".join(line.whole for line in check_lines(check, 0, Standing(), open_=True))
    assert all(f"│ row {n}" in text for n in range(20))


@pytest.mark.parametrize(
    ("stage", "early", "words"),
    [("first", False, "now those the change can reach"), ("affected", False, "now all the others"), ("all", True, "")],
)
def test_a_running_check_says_what_it_is_at(stage: str, early: bool, words: str) -> None:
    staged = CheckResult("pytest", "passed", "t", "17 passed", stage=stage, early=early)  # type: ignore[arg-type]
    check = CheckState("pytest", "candidate", "t", None, 17, 230, staged=staged)
    first, second = (line.whole for line in check_lines(check, 3.0, Standing()))
    assert "17/230" in first
    assert words in first
    assert ("now" in first) == bool(words)
    assert ("early" in second) == early
    assert "✓" not in first + second


def _attempt(number: int, outcome: str, **kinds: tuple[Finding, ...]) -> ProposalState:
    results = (
        CheckResult("ruff", "passed", "t", ""),
        CheckResult("pytest", outcome, "t", ""),  # type: ignore[arg-type]
        CheckResult("mypy", "missing", "t", ""),
    )
    said = msgspec.structs.replace(verdict(**kinds), results=results, green=not kinds)
    return ProposalState(number, 1, number, "", Patch(()), "b", "t", "", verdict=said, decision="steer")


def test_the_strip_has_a_cell_for_each_check_of_each_attempt() -> None:
    red, known = _attempt(1, "failed", broken=failing(1)), _attempt(2, "failed")
    state = State(tasks=(TaskState(1, ""),), proposals=(red, known, _attempt(3, "passed")))
    strip = checks_lines(state, {})[0].text.replace("\u00a0", " ")
    assert strip.split() == ["attempts", "✗1", "✓✗?", "!2", "✓·?", "!3", "✓✓?"]
    assert "attempt 1, sent back" in "\n".join(row.line.whole for row in earlier_rows(red))


def test_which_tree_the_log_speaks_of_is_said() -> None:
    patch = Patch((file_patch(FakeSession(), "shop/pricing.py", OLD, RIGHT),))
    blocks = [block.id for block in patch.files[0].blocks]
    whole = msgspec.structs.replace(verdict(broken=failing(1)), summary="breaks 1")
    part = msgspec.structs.replace(verdict(), green=True, summary="green: breaks nothing")
    one = ProposalState(1, 1, 1, "", patch, "b", "t", "", verdict=whole)
    taken = msgspec.structs.replace(one, review=Review({blocks[0]: Mark(taken=True)}), part_tree="p", part=part)
    every = msgspec.structs.replace(one, review=Review({name: Mark(taken=True) for name in blocks}))
    alone = msgspec.structs.replace(taken, part_tree="", part=None, part_trouble="it needs the other block")

    def text(proposal: ProposalState) -> str:
        return "\n".join(
            line.whole for line in checks_lines(State(tasks=(TaskState(1, ""),), proposals=(proposal,), waiting=1), {})
        )

    assert "▸ of" not in text(one)
    assert "▸ of the 1 of 2 parts you took:" in text(taken)
    assert "the whole proposal: breaks 1" in text(taken)
    assert "✓ green: breaks nothing" in text(taken)
    assert "broken by this patch" not in text(taken)
    assert "▸ of the whole proposal, which you took:" in text(every)
    assert "! What you took cannot land by itself: it needs the other block" in text(alone)
    assert "▸ of the whole proposal:" in text(alone)


# -- Progress


@given(st.floats(-1, 2), st.integers(1, 40))
def test_a_bar_is_as_wide_as_it_is_to_be(share: float, width: int) -> None:
    text = "".join(piece for piece, _ in bar(share, width))
    assert len(text) == width
    assert ("─" in text) == (round(2 * width * min(max(share, 0), 1)) < 2 * width - 1)


def test_all_checks_together_count_alike() -> None:
    done = CheckState("a", "candidate", "t", "passed")
    half = CheckState("b", "candidate", "t", None, 5, 10)
    begun = CheckState("c", "candidate", "t", None)
    before = CheckState("d", "baseline", "t", None, 1, 10)
    assert overall((done, half, begun, before)) == 0.5
    ending = CheckState("e", "candidate", "t", None, 10, 10)
    assert overall((done, ending)) == 0.99, "what still runs is not done"
    assert overall((done, before)) is None
    assert overall(()) is None
