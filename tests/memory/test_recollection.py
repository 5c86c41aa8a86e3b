"""The memory of a session: what is in it, in whose words, and how much of it there is room for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core import events as ev
from agent_core.checks.model import Blame, Finding, Verdict
from agent_core.fold import fold
from agent_core.memory.fingerprint import changes, fingerprint
from agent_core.memory.model import MemoryEntry
from agent_core.memory.notes import notes_item
from agent_core.memory.recollection import memory_of, memory_text, new_note_id
from agent_core.memory.repeats import repeated
from agent_core.patch.model import Block, FilePatch, Patch
from agent_core.review import Mark, Remarked
from agent_core.state import State
from agent_core.text import estimate_tokens
from tests.test_fold import ANY_EVENT, after, landing, verdict

BROKEN = Finding("pytest", "assert 1 == 2", "tests/test_a.py", 3, "tests/test_a.py::test_b")


def block(name: str, *, removed: str = "", added: str = "new\n", line: int = 1) -> Block:
    return Block(name, line, line, (removed,) if removed else (), (added,))


def patch(*blocks: Block, path: str = "a.py") -> Patch:
    return Patch((FilePatch(path, "update", "old", "new", 0o100644, 0o100644, blocks),))


def made(number: int, change: Patch, task: int = 1) -> ev.ProposalMade:
    return ev.ProposalMade(number, 1, f"c{number}", change, "base", f"tree {number}", "diff")


def red(tree: str) -> Verdict:
    return Verdict(tree, "base", False, (), broken=(BROKEN,), summary="red: 1 broken")


def entries(state: State) -> dict[str, MemoryEntry]:
    return {one.id: one for one in memory_of(state).entries}


ONE, TWO = block("b1"), block("b2", line=9)
TOLD = (
    ev.Asked(1, "mend the discount\nand nothing else", (ev.Marker("a.py", 4, 1, "mend", "do"),)),
    ev.Steered("leave the tests alone"),
    ev.Steered("from a comment", (ev.Marker("b.py", 7, 1, "x", "do"),)),
    ev.PatchRejected("c0", "The lines are not in a.py.\nRead it again."),
    ev.PatchRejected("c0", "The lines are not in a.py.\nRead it again."),
    ev.PatchRejected("c0", "It is there.", already=True),
    made(1, patch(ONE, TWO)),
    ev.VerdictReached(1, red("tree 1")),
    ev.Diagnosed(1, "it is off by one", "evidence"),
    ev.Blamed(1, "tree 1", (Blame("pytest", BROKEN.fingerprint, ("b2",)),)),
    ev.Reviewed(1, Remarked(blocks={"b1": Mark(comment="a float!"), "b2": Mark(taken=False)})),
    ev.DecisionAwaited(1, "red"),
    ev.Decided(1, "reject", "human", "keep it a Decimal"),
    made(2, patch(ONE)),
    ev.VerdictReached(2, verdict("tree 2")),
    ev.Decided(2, "accept", "mode"),
    landing(3, 2),
    ev.Landed(3),
    ev.TaskFinished(1, "landed", "It is done."),
    ev.HumanEdited("a.py", "changed", "--- a/a.py\n+++ b/a.py\n@@\n-x\n+y = 1\n", "1", "2"),
    ev.HumanEdited("a.py", "changed", "@@\n+y = 2\n", "2", "3"),
    ev.HumanEdited("a.py", "changed", "", "3", "4", "formatter"),
    ev.FilesEdited(("a.py", "b.py"), 1, 40, 0, "unknown"),
    ev.BranchChanged("checkout: moving from main to topic", "main", "topic", "abc", ("a.py",), 12),
    landing(5, 0, undoes=3),
    ev.Landed(5),
)


def test_everything_is_remembered_with_where_it_came_from() -> None:
    found = entries(after(*TOLD))
    assert {name: one.text for name, one in found.items()} == {
        "task:1": "mend the discount\nand nothing else",
        "said:1": "leave the tests alone",
        "said:2": "from a comment",
        "decision:1": "Proposal 1 was rejected: keep it a Decimal (on a.py:1: a float!)",
        "decision:2": "Proposal 2 was accepted",
        "attempt:1": "Proposal 1, a.py +2 -0: rejected (keep it a Decimal); red: 1 broken",
        "attempt:2": "Proposal 2, a.py +1 -0: landed, then taken back; all good",
        "refused:1": "A patch was refused, 2 times: The lines are not in a.py. Read it again.",
        "landing:3": "Landing 3: proposal 2 was landed, a.py (taken back by landing 5)",
        "landing:5": "Landing 5: landing 3 was taken back, a.py",
        "edit:1": "a.py was changed by you (2 saves): +y = 2",
        "edit:2": "a.py was changed by a formatter",
        "edit:3": "41 files were changed at once by someone who is not known: a.py, b.py and 39 more",
        "edit:4": "git: checkout: moving from main to topic (main to topic, 12 files changed)",
    }
    assert found["task:1"].source == "task 1, landed"
    assert found["task:1"].detail == ("by the comment at a.py:4", "by the comment at b.py:7", "It is done.")
    assert found["said:2"].source == "you said it in b.py:7"
    assert found["decision:2"].source == "decided by the mode, task 1"
    assert found["attempt:1"].detail[-3:] == (
        "against it: tests/test_a.py::test_b: assert 1 == 2 (tests/test_a.py:3)",
        "why: it is off by one",
        "it comes from a.py:9",
    )


def test_a_decision_that_is_followed_by_another_is_not_forgotten() -> None:
    state = after(
        ev.Asked(1, "x"),
        made(1, patch(ONE)),
        ev.Decided(1, "steer", "human", "look again"),
        ev.DecisionAwaited(1, "red"),
        ev.Decided(1, "accept", "human", "well then", 1, 2),
    )
    assert [one.text for one in entries(state).values() if one.kind == "decision"] == [
        "Proposal 1 was sent back: look again",
        "1 of 2 parts of proposal 1 were accepted: well then",
    ]


def test_other_words_count_everywhere_and_have_a_way_back() -> None:
    state = after(*TOLD, ev.MemoryKept("decision:1", "never floats"), ev.MemoryKept("said:1", ""))
    rewritten, forgotten = entries(state)["decision:1"], entries(state)["said:1"]
    assert (rewritten.text, rewritten.was, rewritten.rewritten) == (
        "never floats",
        "Proposal 1 was rejected: keep it a Decimal (on a.py:1: a float!)",
        True,
    )
    assert forgotten.forgotten
    text = memory_text(memory_of(state), 5000)
    assert "never floats" in text
    assert "leave the tests alone" not in text
    state = after(ev.MemoryKept("decision:1", "neither floats nor ints"), state=state)
    state = after(ev.MemoryKept("decision:1", "", back=True), state=state)
    assert entries(state)["decision:1"].text == "never floats"
    state = after(ev.MemoryKept("decision:1", "", back=True), ev.MemoryKept("said:1", "", back=True), state=state)
    assert entries(state) == entries(after(*TOLD))
    assert not entries(state)["decision:1"].back


def test_notes_of_ones_own_are_numbered_and_come_back() -> None:
    state = after(ev.MemoryKept("note:1", "cents"), ev.MemoryKept("note:2", "utf-8"))
    assert new_note_id(state) == "note:3"
    assert "- Remember: cents\n- Remember: utf-8" in notes_item(state)
    state = after(ev.PromptSent(1, 1), ev.MemoryKept("note:1", ""), state=state)
    assert notes_item(state).endswith("- Forget this, it does not count any more: cents")
    assert "cents" not in memory_text(memory_of(state), 5000)
    # The one that is forgotten keeps its number.
    assert new_note_id(state) == "note:3"
    state = after(ev.MemoryKept("note:1", "", back=True), state=state)
    assert [one.text for one in memory_of(state).counting] == ["cents", "utf-8"]
    state = after(ev.MemoryKept("note:1", "", back=True), state=state)
    assert [one.text for one in memory_of(state).counting] == ["utf-8"]


def test_what_is_told_is_bounded() -> None:
    long = "word " * 1000
    state = after(*(ev.MemoryKept(f"note:{number}", long) for number in range(1, 40)))
    assert estimate_tokens(notes_item(state)) <= 1500
    assert notes_item(after(ev.Asked(1, "x"))) == ""


@pytest.mark.parametrize("budget", [200, 400, 800, 2000, 20_000])
def test_the_text_keeps_to_its_budget_and_says_what_it_leaves_out(budget: int) -> None:
    many: list[ev.AnyEvent] = [ev.Asked(1, "mend it")]
    for number in range(1, 60):
        change = patch(block(f"b{number}"))
        many += [made(number, change), ev.VerdictReached(number, red(f"tree {number}"))]
        many += [ev.Decided(number, "reject", "human", f"reason {number}")]
        many += [ev.HumanEdited(f"f{number}.py", "changed", "+x", None, "b")]
    text = memory_text(memory_of(after(*many)), budget)
    assert estimate_tokens(text) <= budget
    if budget == 20_000:
        assert "left out" not in text
        assert all(f"reason {number}" in text for number in range(1, 60))
        return
    assert "left out for want of room" in text
    assert "mend it" in text
    if budget >= 2000:
        # Edits and attempts go before decisions do, and the newest stay.
        assert "reason 59" in text
        assert "f1.py" not in text


def test_long_sessions_are_remembered_in_bounded_room() -> None:
    state = State()
    for number in range(1200):
        state = fold(state, ev.HumanEdited(f"f{number}.py", "added", "+x", None, "b"))
        state = fold(state, ev.PatchRejected("c", f"reason {number} {'x' * 5000}"))
    assert (len(state.records.edits), len(state.records.refusals)) == (400, 200)
    assert max(len(one.reason) for one in state.records.refusals) <= 400
    found = entries(state)
    assert found["edit:1200"].text.startswith("f1199.py")
    assert "edit:800" not in found
    assert memory_of(state).left_out[0].startswith("800 older edits")


@given(st.lists(ANY_EVENT, max_size=25), st.integers(20, 2000))
@settings(max_examples=60, deadline=None)
def test_whatever_happened_it_has_a_memory(events: list[ev.AnyEvent], budget: int) -> None:
    state = after(*events)
    memory = memory_of(state)
    names = [one.id for one in memory.entries]
    if len({one.number for one in state.proposals}) == len(state.proposals):
        assert len([name for name in names if name.startswith("decision:")]) == len(state.records.choices)
    assert estimate_tokens(memory_text(memory, budget)) <= max(budget, 12)
    assert isinstance(notes_item(state), str)


# -- what a patch changes, and what was proposed before


def test_the_same_changes_have_the_same_name_over_another_text() -> None:
    here = patch(ONE, TWO)
    there = Patch((FilePatch("a.py", "update", "other", "else", 0o100644, 0o100644, (TWO, ONE)),))
    assert fingerprint(changes(here)) == fingerprint(changes(there))
    assert changes(patch(ONE)) < changes(here)
    plain = FilePatch("a.bin", "update", "1", "2", 0o100644, 0o100644, ())
    assert changes(Patch((plain,))) != changes(Patch((FilePatch("a.bin", "update", "1", "3", 0o100644, 0o100644, ()),)))
    mode = FilePatch("a.sh", "update", "1", "1", 0o100644, 0o100755, ())
    moved = FilePatch("b.py", "move", "1", "1", 0o100644, 0o100644, (), "a.py")
    assert len(changes(Patch((plain, mode, moved)))) == 3


def rejected(*later: ev.AnyEvent) -> State:
    decided = ev.Decided(1, "reject", "human", "no floats")
    return after(ev.Asked(1, "x"), made(1, patch(ONE, TWO)), decided, *later)


def test_what_was_rejected_is_known_again_and_a_part_of_it_is_something_else() -> None:
    again = repeated(rejected(), patch(ONE, TWO, block("b3")))
    assert again is not None
    assert (again.proposal, again.how, again.unheard) == (1, "rejected", True)
    assert again.fact == "Proposed before as proposal 1, which was rejected: no floats."
    assert repeated(rejected(), patch(ONE)) is None
    assert repeated(rejected(ev.MemoryKept("attempt:1", "")), patch(ONE, TWO)) is None


def test_who_takes_it_later_has_changed_their_mind() -> None:
    state = rejected(made(2, patch(ONE, TWO)), ev.Decided(2, "accept", "human"))
    assert repeated(state, patch(ONE, TWO)) is None


def test_what_failed_is_known_in_another_task_only_as_a_whole() -> None:
    before = (ev.Asked(1, "x"), made(1, patch(ONE)), ev.VerdictReached(1, red("tree 1")))
    assert repeated(after(*before), patch(ONE)) is None
    state = after(*before, ev.TaskFinished(1, "not_green", ""), ev.Asked(2, "y"))
    again = repeated(state, patch(ONE))
    assert again is not None
    assert again.fact == "Proposed before as proposal 1, which failed: red: 1 broken."
    assert repeated(state, patch(ONE, TWO)) is None


def test_a_proposal_does_not_repeat_itself() -> None:
    assert repeated(rejected(), patch(ONE, TWO), number=1) is None
