"""Lines of the plain mode: what is typed is read, what is told is spelled out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agent_core import events as ev
from agent_core.conversation import PartnerInfo
from agent_core.fold import fold
from agent_core.patch.diff import make_patch
from agent_core.state import ProposalState, State
from agent_core.workspace.tree import FileChange, content_hash
from tests.support.plain_talk import OBEYED
from tui.plain import orders
from tui.plain.choosing import chosen_lines
from tui.plain.console import shown
from tui.plain.diff import diff_of
from tui.plain.telling import Teller
from tui.plain.words import enumeration, sentence


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("3", orders.Order("choice", 3)),
        ("Accept", orders.Order("accept")),
        ("/accept", orders.Order("accept")),
        ("go  on", orders.Order("go on")),
        ("undo 4", orders.Order("undo", 4)),
        ("mode auto", orders.Order("mode", text="auto")),
        ("!git status", orders.Order("shell", text="git status")),
        ("/nonsense", orders.Order("unknown", text="/nonsense")),
        ("/usr/bin/python is missing", None),
        ("undo the change in prices.py", None),
        ("accept no negative prices", None),
        ("3 tests fail", None),
        ("//help", None),
        ("٣", None),
    ],
)
def test_only_a_line_that_is_a_command_to_the_letter_is_one(line: str, order: orders.Order | None) -> None:
    assert orders.read(line) == order


def test_every_choice_and_every_command_is_told_of() -> None:
    told = "\n".join(orders.helped())
    assert all(f"{name}: " in told for name in orders.NAMES)
    assert {*orders.CHOICES.values()} <= {*orders.NAMES}


@pytest.mark.parametrize(
    ("text", "lines"),
    [("1", (0,)), ("1 3-4", (0, 2, 3)), ("2,1", (0, 1)), ("5", None), ("0", None), ("3-2", None), ("x", None)],
)
def test_lines_as_a_human_names_them(text: str, lines: tuple[int, ...] | None) -> None:
    assert chosen_lines(text, 4) == lines


def test_sentences_leave_names_as_they_are() -> None:
    assert sentence("tests/a.py::test fails") == "tests/a.py::test fails."
    assert sentence("green: fixes 1") == "Green: fixes 1."
    assert enumeration(["a", "b", "c"]) == "a, b and c"


def test_what_is_shown_is_obeyed_by_no_terminal() -> None:
    line = shown("\x1b[2J\x9b31m\x07\u202eabc\r" + "x" * 100_000)
    assert not OBEYED.search(line)
    assert "\u202e" not in line
    assert len(line) < 3_000
    assert line.endswith("more characters]")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nB\nc\nD\ne\nf\nG\nh\ni\n"),
        ("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "2\n3\n4\n5\n5.5\n6\n7\n8\n"),
        ("x\n", "x"),
        ("", "one\ntwo\n"),
        ("one\ntwo\n", ""),
    ],
)
def test_the_hunks_are_those_of_a_unified_diff(tmp_path: Path, old: str, new: str) -> None:
    before, after = old.encode(), new.encode()
    patch = make_patch({"f.txt": FileChange(after)}, {"f.txt": FileChange(before)}.get, {})
    proposal = ProposalState(1, 1, 1, "c", patch, "", "", "")
    contents = {content_hash(one): one for one in (before, after)}
    told = list(diff_of(proposal, contents.__getitem__))
    hunks = [line for line in told if not line.startswith(("File ", "Block "))]
    diff = "\n".join(["--- a/f.txt", "+++ b/f.txt", *hunks, ""])
    (tmp_path / "f.txt").write_bytes(before)
    subprocess.run(["git", "apply", "--unidiff-zero", "-"], cwd=tmp_path, input=diff.encode(), check=True)
    assert (tmp_path / "f.txt").read_bytes() == after
    blocks = [line for line in told if line.startswith("Block ")]
    assert [line.split(",")[0] for line in blocks] == [
        f"Block {number} of {len(blocks)}" for number in range(1, len(blocks) + 1)
    ]


def told_of(*events: ev.AnyEvent) -> list[str]:
    """What is said of some events, one after the other."""
    said: list[str] = []
    teller = Teller(lambda *lines, **_: said.extend(lines), lambda _: b"")
    state = State()
    for event in events:
        state = fold(state, event)
        teller.tell(event, state)
    return said


def test_a_plan_is_told_once_and_one_that_is_not_taken_is_a_call_that_failed() -> None:
    started = ev.ToolStarted("c1", "update_plan", "plan")
    plan = ev.PlanUpdated((ev.PlanStep("Look", "done"), ev.PlanStep("Mend")))
    said = told_of(started, plan, ev.ToolFinished("c1", ok=True, summary="2 steps"))
    assert "Look" in "\n".join(said)
    assert not [line for line in said if line.startswith("Tool")]
    assert told_of(started, ev.ToolFinished("c1", ok=False, summary="no steps"))[-1] == "Tool failed, plan: no steps."


def test_the_partner_is_told_again_only_when_it_is_another() -> None:
    first = ev.SettingsTold(PartnerInfo("chat", "m via h", "m"), "step", "overlay", "python")
    known = ev.SettingsTold(PartnerInfo("chat", "m via h", "m", 4096), "step", "overlay", "python")
    other = ev.SettingsTold(PartnerInfo("chat", "n via h", "n", 4096), "step", "overlay", "python")
    said: list[str] = []
    teller = Teller(lambda *lines, **_: said.extend(lines), lambda _: b"")
    for settings in (first, known, other):
        teller.settings(settings, "/p")
    assert len([line for line in said if "Partner: " in line]) == 2
