"""State is what the events say: every one of them has its effect, and replaying gives the same again."""

from __future__ import annotations

import types
import typing
from collections import abc
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core import events as ev
from agent_core.chat_entries import Edit, Notice, Said, ToolUse
from agent_core.checks.model import CheckResult, Verdict
from agent_core.conversation import PartnerInfo, ToolCallItem, Usage, UserItem
from agent_core.fold import fold, replay
from agent_core.patch.model import Block, FilePatch, Patch
from agent_core.review import Overlap
from agent_core.state import State

EVENTS = get_args(ev.AnyEvent)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that events are made of."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in {typing.Union, types.UnionType}:
        return st.one_of(*map(values, arguments))
    if origin is abc.Mapping:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=2)
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return st.deferred(
            lambda: st.builds(kind, **{name: values(of) for name, of in typing.get_type_hints(kind).items()})
        )
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: st.text(max_size=20),
        int: st.integers(0, 5),
        float: st.floats(0, 1e9),
        bool: st.booleans(),
        type(None): st.none(),
    }
    return plain[kind]


ANY_EVENT = st.one_of(*map(values, EVENTS))


def after(*events: ev.AnyEvent, state: State | None = None) -> State:
    state = state or State()
    for event in events:
        state = fold(state, event)
    return state


def patch(path: str = "a.py", text: str = "x\n") -> Patch:
    return Patch((FilePatch(path, "add", None, "hash", 0, 0o100644, (Block("b", 1, 1, (), (text,)),)),))


def proposal(number: int = 1, attempt: int = 1, base: str = "base", note: str = "") -> ev.ProposalMade:
    return ev.ProposalMade(number, attempt, f"call {number}", patch(), base, f"tree {number}", "diff", note)


def verdict(tree: str = "tree 1", *, green: bool = True) -> Verdict:
    return Verdict(tree, "base", green, (), summary="all good" if green else "1 broken")


def finished(check: str, where: Literal["candidate", "baseline"], summary: str = "ok") -> ev.CheckFinished:
    return ev.CheckFinished(where, CheckResult(check, "passed", "tree", summary, total=7))


def landing(number: int, proposal_: int = 1, undoes: int = 0) -> ev.LandingStarted:
    file = ev.FileLanding("a.py", None, "hash", 0, 0o100644)
    return ev.LandingStarted(number, proposal_, undoes, (file,))


def only(state: State, kind: type[Any]) -> list[Any]:
    return [entry for entry in state.chat if isinstance(entry, kind)]


# -- all of them


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_is_folded_and_kept(kind: type[ev.Event]) -> None:
    @given(values(kind))
    @settings(max_examples=15)
    def holds(event: ev.AnyEvent) -> None:
        assert isinstance(fold(State(), event), State)
        kept = msgspec.json.encode(event)
        assert msgspec.json.decode(kept)["type"] == kind.__name__
        again = msgspec.json.decode(kept, type=ev.AnyEvent)
        assert type(again) is kind
        assert again == event

    holds()


def test_the_union_names_every_event() -> None:
    assert set(EVENTS) == set(ev.Event.__subclasses__())


@given(st.lists(ANY_EVENT, max_size=25), st.integers(0, 25))
@settings(max_examples=60)
def test_replaying_from_the_journal_gives_the_same_state(events: list[ev.AnyEvent], cut: int) -> None:
    entries = [ev.Entry(number, 0.0, event) for number, event in enumerate(events, 1)]
    stored = msgspec.json.decode(msgspec.json.encode(entries), type=list[ev.Entry])
    whole = replay(stored)
    assert whole == after(*events)
    # Nothing that was there is changed by what comes later.
    middle = after(*events[:cut])
    picture = msgspec.json.encode(middle)
    after(*events[cut:], state=middle)
    assert msgspec.json.encode(middle) == picture


@given(st.lists(ANY_EVENT, max_size=25))
@settings(max_examples=60)
def test_what_always_holds(events: list[ev.AnyEvent]) -> None:
    # What is said is only ever appended to; a compaction, which is announced, is the exception.
    events = [event for event in events if not isinstance(event, ev.Compacted | ev.CompactionUndone)]
    state = after(*events)
    assert state.items == tuple(item for event in events if isinstance(event, ev.ItemsAppended) for item in event.items)
    # A commit's message costs too, but is no request of the conversation.
    spent = [event.usage for event in events if isinstance(event, ev.AnswerFinished | ev.CommitDrafted)]
    for field in ("input", "cached", "output", "reasoning"):
        assert getattr(state.usage, field) == sum(getattr(usage, field) for usage in spent)
    answers = [event.usage for event in events if isinstance(event, ev.AnswerFinished)]
    assert state.last_usage == (answers[-1] if answers else Usage())
    started = [event for event in events if isinstance(event, ev.LandingStarted)]
    assert [one.number for one in state.landings] == [event.landing for event in started]
    over = after(ev.TaskFinished(1, "interrupted", "over"), state=state)
    assert (over.phase, over.waiting, over.approval, over.live) == ("idle", 0, None, "")
    assert all(use.ok is not None for use in only(over, ToolUse))


# -- the talk


def test_an_answer_streams_and_is_closed() -> None:
    state = after(ev.Asked(1, "do it"), ev.PromptSent(1, 1), ev.ReasoningStreamed("hm"), ev.TextStreamed("Let "))
    state = after(
        ev.TextStreamed("me"), ev.PatchStreamed("c", "*** Begin"), ev.PatchStreamed("c", " Patch"), state=state
    )
    assert (state.live, state.live_reasoning, state.live_patch) == ("Let me", "hm", "*** Begin Patch")
    assert (state.phase, state.steps) == ("thinking", 1)
    state = after(ev.AnswerFinished("Let me.", Usage(10, 5, 3, 1)), state=state)
    # The whole text wins over the pieces.
    assert only(state, Said)[-1] == Said("partner", "Let me.", reasoning="hm")
    assert (state.live, state.live_reasoning, state.live_patch) == ("", "", "")
    assert state.usage == state.last_usage == Usage(10, 5, 3, 1)
    state = after(ev.AnswerFinished("", Usage(1, 1, 1, 1)), state=state)
    assert len(only(state, Said)) == 2
    assert (state.usage, state.last_usage) == (Usage(11, 6, 4, 2), Usage(1, 1, 1, 1))


def test_an_answer_that_is_void_stays_as_a_fragment() -> None:
    state = after(ev.TextStreamed("I will"), ev.AnswerVoided("busy", 1.5))
    assert state.chat == (Said("partner", "I will", partial=True), Notice("warning", "busy"))
    assert state.retry_in == 1.5
    assert after(ev.TextStreamed("Again"), state=state).retry_in is None


def test_news_waits_until_the_next_request() -> None:
    edit = ev.HumanEdited("a.py", "changed", "diff", "1", "2")
    state = after(ev.Asked(1, "x"), ev.Steered("like so"), edit)
    assert state.queued == ("like so",)
    assert state.untold == (Edit("a.py", "changed", "diff"),)
    state = after(ev.PromptSent(1, 3), state=state)
    assert (state.queued, state.untold) == ((), ())
    assert only(state, Edit) == [Edit("a.py", "changed", "diff")]


def test_tools_and_approvals() -> None:
    state = after(ev.Asked(1, "x"), ev.ToolStarted("c1", "run_command", "run make"), ev.ApprovalAsked("c1", "make"))
    assert (state.phase, state.approval and state.approval.command) == ("approving", "make")
    state = after(ev.ApprovalGiven("c1", allowed=False), state=state)
    assert (state.phase, state.approval) == ("tools", None)
    assert only(state, Notice)[-1].text == "Did not allow: make"
    state = after(ev.ToolFinished("c1", ok=False, summary="not allowed"), state=state)
    assert only(state, ToolUse) == [ToolUse("c1", "run make", ok=False, summary="not allowed")]
    # What was said of the command stands before what came of it.
    assert [type(entry) for entry in state.chat[-2:]] == [Notice, ToolUse]
    # The same call id again is a new use: providers number them anew.
    state = after(
        ev.ToolStarted("c1", "read_file", "read a"), ev.ToolFinished("c1", ok=True, summary="3 lines"), state=state
    )
    assert [use.ok for use in only(state, ToolUse)] == [False, True]
    assert after(ev.ToolFinished("unheard of", ok=True, summary=""), state=state).chat == state.chat


def test_a_refused_patch_is_shown_by_its_first_line() -> None:
    state = after(ev.PatchStreamed("c", "*** Begin"), ev.PatchRejected("c", "It does not fit.\nMore."))
    assert state.live_patch == ""
    assert state.chat[-1] == Notice("warning", "Patch refused: It does not fit.", "It does not fit.\nMore.", "patch")
    told = "The patch was refused and no file was changed: 1 part of it failed."
    assert only(after(ev.PatchRejected("c", told)), Notice)[0].text == told, "it says so itself"
    assert "no reason given" in only(after(ev.PatchRejected("c", " \n")), Notice)[0].text


def test_a_patch_that_is_already_there_is_no_trouble() -> None:
    state = after(ev.PatchStreamed("c", "*** Begin"), ev.PatchRejected("c", "It is applied already.", already=True))
    assert state.live_patch == ""
    assert state.chat[-1] == Notice("info", "Already there: the patch asks for nothing new.", about="patch")


# -- proposals


def test_a_proposal_from_making_to_decision() -> None:
    state = after(ev.Asked(4, "x"), proposal())
    assert (state.phase, state.proposal and state.proposal.task) == ("checking", 4)
    state = after(ev.VerdictReached(1, verdict(green=False)), ev.Diagnosed(1, "why", "evidence"), state=state)
    state = after(ev.DecisionAwaited(1, "1 broken"), state=state)
    assert (state.phase, state.waiting, state.why) == ("deciding", 1, "1 broken")
    assert state.proposal is not None
    assert (state.proposal.diagnosis, state.proposal.decision) == ("why", None)
    state = after(ev.Decided(1, "reject", "human", "ugly"), state=state)
    assert (state.phase, state.waiting, state.why) == ("thinking", 0, "")
    assert state.proposal is not None
    assert (state.proposal.decision, state.proposal.reason) == ("reject", "ugly")
    assert only(state, Notice)[-1].text == "Rejected proposal 1: ugly"
    assert after(ev.Decided(1, "accept", "mode"), state=state).phase == "landing"


@pytest.mark.parametrize(
    "end",
    [
        ev.TaskFinished(4, "interrupted", "Interrupted."),
        ev.Decided(1, "reject", "human"),
        ev.Decided(1, "steer", "human", "else"),
        ev.Overlapped(1, (Overlap("b1", "a.py", 3, ("mine\n",)),)),
        ev.HumanEdited("b.py", "changed", "diff", None, None),
    ],
)
def test_what_was_stopped_is_not_said_to_be_running(end: ev.AnyEvent) -> None:
    summary = "green so far: breaks nothing; still running: mypy"
    so_far = msgspec.structs.replace(verdict(), summary=summary, complete=False)
    state = after(ev.Asked(4, "x"), proposal(), ev.VerdictReached(1, so_far), end)
    assert state.proposal is not None
    assert state.proposal.verdict is not None
    said = next(entry for entry in only(state, Notice) if entry.about == "verdict")
    assert said.text == "green so far: breaks nothing; not finished: mypy"
    assert state.proposal.stale or state.proposal.verdict.summary == said.text


def test_a_proposal_that_meets_the_humans_edits_is_not_said_to_be_checked() -> None:
    state = after(ev.Asked(4, "x"), proposal(), finished("ruff", "candidate"))
    state = after(ev.CheckStarted("mypy", "candidate", "t"), ev.CheckStarted("pytest", "baseline", "b"), state=state)
    met = after(ev.Overlapped(1, (Overlap("b1", "a.py", 3, ("mine\n",)),)), state=state)
    assert [one.check for one in met.checks] == ["ruff", "pytest"]
    # What is taken of it may be judged all the same.
    assert [one.check for one in after(ev.CheckStarted("mypy", "candidate", "part"), state=met).checks] == [
        "ruff",
        "pytest",
        "mypy",
    ]
    assert after(ev.Overlapped(1, ()), state=state).checks == state.checks


def test_what_was_accepted_before_its_checks_had_ended_is_checked_to_the_end() -> None:
    so_far = msgspec.structs.replace(verdict(), summary="so far breaks nothing; still running: mypy", complete=False)
    accepted = ev.Decided(1, "accept", "human")
    state = after(
        ev.Asked(4, "x"), proposal(), ev.VerdictReached(1, so_far), accepted, ev.TaskFinished(4, "landed", "")
    )
    assert state.proposal is not None
    assert state.proposal.verdict == so_far


def test_the_same_number_again_replaces() -> None:
    state = after(ev.Asked(1, "x"), proposal(1), proposal(2), ev.VerdictReached(2, verdict("tree 2")))
    state = after(
        finished("ruff", "baseline"), finished("ruff", "candidate"), ev.DecisionAwaited(2, "why"), state=state
    )
    chat = state.chat
    state = after(proposal(2, base="newer"), state=state)
    assert [(one.number, one.base_tree, one.verdict) for one in state.proposals] == [
        (1, "base", None),
        (2, "newer", None),
    ]
    assert (state.waiting, state.why, state.phase) == (0, "", "checking")
    # What was said of it is about the tree it was made against.
    assert [getattr(entry, "doubt", "") for entry in state.chat] == ["", "", "", "stale"]
    assert tuple(entry for entry in state.chat[:3]) == chat[:3]
    # What the checks said is about another tree; the baseline's words stand until it is judged anew.
    assert [(check.check, check.where) for check in state.checks] == [("ruff", "baseline")]


def test_only_what_is_undecided_goes_stale() -> None:
    state = after(ev.Asked(1, "x"), proposal(1), ev.Decided(1, "steer", "mode"), proposal(2))
    state = after(ev.HumanEdited("b.py", "added", "", None, "1"), state=state)
    assert [one.stale for one in state.proposals] == [False, True]
    assert after(proposal(2, base="newer"), state=state).proposals[1].stale is False


# -- checks


def test_what_was_found_before_the_task_stands_until_something_lands() -> None:
    state = after(finished("ruff", "baseline"), finished("mypy", "candidate"), ev.Asked(1, "x"))
    assert [check.check for check in state.checks] == ["ruff"]
    ended = after(ev.TaskFinished(1, "answered", ""), ev.Asked(2, "y"), state=state)
    assert [check.check for check in ended.checks] == ["ruff"]
    landed = after(ev.TaskFinished(1, "landed", ""), ev.Asked(2, "y"), state=state)
    assert landed.checks == ()


def test_checks_run_and_end_in_place() -> None:
    state = after(
        ev.CheckStarted("pytest", "candidate", "t"),
        ev.CheckStarted("pytest", "baseline", "b"),
        ev.CheckStarted("ruff", "candidate", "t"),
        ev.CheckProgressed("pytest", "candidate", 3, 9),
    )
    assert [(check.check, check.where, check.done, check.total) for check in state.checks] == [
        ("pytest", "candidate", 3, 9),
        ("pytest", "baseline", 0, 0),
        ("ruff", "candidate", 0, 0),
    ]
    state = after(
        finished("pytest", "candidate", "9 passed"), ev.CheckProgressed("pytest", "candidate", 1, 9), state=state
    )
    first = state.checks[0]
    assert (first.outcome, first.done, first.total, first.result and first.result.summary) == (
        "passed",
        7,
        7,
        "9 passed",
    )
    assert after(ev.CheckProgressed("mypy", "candidate", 1, 9), state=state) == state
    over = after(ev.TaskFinished(1, "interrupted", ""), state=state)
    assert [(check.check, check.where) for check in over.checks] == [("pytest", "candidate"), ("pytest", "baseline")]


# -- landings


def test_landing_and_taking_it_back() -> None:
    state = after(ev.Asked(1, "x"), proposal(), ev.Decided(1, "accept", "human"), landing(1))
    assert state.undoable is None
    state = after(ev.Landed(1), state=state)
    assert (state.phase, state.undoable and state.undoable.number) == ("thinking", 1)
    assert only(state, Notice)[-1].text == "Landed proposal 1 as landing 1: a.py"
    state = after(ev.TaskFinished(1, "landed", ""), landing(2, proposal_=0, undoes=1), state=state)
    assert state.undoable is not None
    state = after(ev.Landed(2), state=state)
    assert [one.stands for one in state.landings] == ["undone", "landed"]
    assert (state.undoable, state.phase) == (None, "idle")
    assert only(state, Notice)[-1].text == "Took back landing 1: a.py"


def undo(number: int, undoes: int, about: int, *, again: bool = False) -> ev.LandingStarted:
    return ev.LandingStarted(number, 0, undoes, landing(number).files, about=about, again=again)


def test_taken_back_landed_again_and_taken_back_once_more() -> None:
    state = after(landing(1), ev.Landed(1), landing(2), ev.Landed(2), undo(3, 1, 1), ev.Landed(3))
    assert (state.undoable and state.undoable.number, state.redoable and state.redoable.number) == (2, 1)
    state = after(undo(4, 3, 1, again=True), ev.Landed(4), state=state)
    assert only(state, Notice)[-1].text == "Landed landing 1 again: a.py"
    assert [one.stands for one in state.landings] == ["landed", "landed", "undone", "landed"]
    # What was landed again last is the first to be taken back.
    assert (state.undoable and state.undoable.number, state.redoable) == (1, None)
    state = after(undo(5, 4, 1), ev.Landed(5), state=state)
    assert only(state, Notice)[-1].text == "Took back landing 1: a.py"
    assert [one.stands for one in state.landings][:4] == ["undone", "landed", "landed", "undone"]
    state = after(undo(6, 2, 2), ev.Landed(6), state=state)
    assert (state.undoable, state.redoable and state.redoable.number) == (None, 2)


def test_an_undo_of_another_sessions_landing() -> None:
    state = after(undo(8, 7, 3, again=True), ev.Landed(8))
    assert only(state, Notice)[-1].text == "Landed landing 3 again: a.py"
    assert (state.undoable, state.redoable) == (None, None)


def test_what_another_session_did_with_ours() -> None:
    state = after(landing(1), ev.Landed(1), ev.LandingTurned(1, "undone", 5))
    assert only(state, Notice)[-1].text == "Landing 1 has been taken back from another session."
    assert (state.undoable, state.redoable and state.redoable.by) == (None, 5)
    state = after(ev.LandingTurned(1, "landed", 6), ev.LandingTurned(9, "undone", 7), state=state)
    assert only(state, Notice)[-1].text == "Landing 1 has been landed again from another session."
    assert state.undoable is not None


def test_a_landing_that_did_not_happen() -> None:
    state = after(ev.Asked(1, "x"), proposal(), ev.Decided(1, "accept", "human"), landing(1))
    failed = after(ev.LandingAbandoned(1, "no room"), state=state)
    assert (failed.landings[0].stands, failed.undoable, failed.phase) == ("abandoned", None, "thinking")
    said = after(ev.LandingConflicted(1, 0, "It collides.", ("a.py:3", "b.py")), state=failed).chat[-1]
    assert said == Notice("error", "It collides.", "a.py:3\nb.py", "landing")
    assert after(ev.Landed(9), state=failed) == failed


def test_an_undo_that_was_abandoned_leaves_the_landing() -> None:
    state = after(landing(1), ev.Landed(1), landing(2, proposal_=0, undoes=1), ev.LandingAbandoned(2, "no room"))
    assert state.undoable is not None
    assert state.undoable.number == 1


# -- opening again


def test_resuming_ends_what_was_under_way() -> None:
    state = after(
        ev.SessionStarted("s", "/p", "1"),
        ev.SettingsTold(PartnerInfo("chat", "someone"), "auto", "overlay", "python"),
        ev.Asked(1, "x"),
        ev.ItemsAppended((UserItem("x"), ToolCallItem("c", "read_file", "{}"))),
        ev.TextStreamed("half a"),
        ev.ToolStarted("c", "read_file", "read a"),
        ev.ApprovalAsked("c", "make"),
        ev.CheckStarted("ruff", "candidate", "t"),
        ev.CheckStarted("ruff", "baseline", "t"),
        finished("mypy", "baseline"),
        ev.SessionResumed("2"),
    )
    assert (state.session, state.mode, state.phase) == ("s", "auto", "idle")
    assert (state.live, state.approval) == ("", None)
    assert Said("partner", "half a", partial=True) in state.chat
    assert only(state, ToolUse) == [ToolUse("c", "read a", ok=False, summary="interrupted")]
    assert [check.check for check in state.checks] == ["mypy"]
    assert state.task is not None
    assert len(state.items) == 2


def test_resuming_keeps_what_waits_for_the_human() -> None:
    state = after(ev.Asked(1, "x"), proposal(), ev.DecisionAwaited(1, "green"), ev.SessionResumed("2"))
    assert (state.phase, state.waiting, state.why) == ("deciding", 1, "green")


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        ("answered", "info"),
        ("landed", "info"),
        ("green", "info"),
        ("not_green", "warning"),
        ("interrupted", "warning"),
        ("failed", "error"),
        ("conflict", "error"),
    ],
)
def test_how_a_task_ends(outcome: ev.TaskOutcome, level: ev.Level) -> None:
    state = after(ev.Asked(1, "x"), proposal(), ev.DecisionAwaited(1, "why"), ev.TaskFinished(1, outcome, "Words."))
    assert (state.phase, state.waiting, state.why, state.task) == ("idle", 0, "", None)
    assert (state.tasks[0].outcome, state.tasks[0].result) == (outcome, "Words.")
    assert state.chat[-1] == Notice(level, "Words.", about="task")
    assert len(after(ev.TaskFinished(1, outcome, ""), state=state).chat) == len(state.chat)
