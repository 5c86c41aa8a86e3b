"""Who decides: the mode by its rule, else the human, whose answer is about the proposal that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.decisions import Decision, Inbox, Mark, Word, by_mode

Result = TypeVar("Result")


class Log:
    """Takes events, as a session does."""

    def __init__(self) -> None:
        self.events: list[tuple[ev.AnyEvent, bool]] = []

    def __call__(self, event: ev.AnyEvent, *, durable: bool = False) -> None:
        self.events.append((event, durable))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def inbox(log: Log) -> Inbox:
    return Inbox(log)


async def settle() -> None:
    """Let everything that can go on go on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def soon(work: Coroutine[Any, Any, Result]) -> Result:
    async with asyncio.timeout(30):
        return await work


ACCEPT = Decision(7, "accept", by="mode")
GO_ON = Decision(7, "steer", by="mode")
RULE = {
    # mode, green, final: what the mode decides
    ("step", False, False): None,
    ("step", False, True): None,
    ("step", True, False): None,
    ("step", True, True): None,
    ("until-green", False, False): GO_ON,
    ("until-green", False, True): None,
    ("until-green", True, False): None,
    ("until-green", True, True): None,
    ("auto", False, False): GO_ON,
    ("auto", False, True): None,
    ("auto", True, False): ACCEPT,
    ("auto", True, True): ACCEPT,
}


@pytest.mark.parametrize(("case", "decision"), RULE.items())
def test_what_a_mode_decides(case: tuple[ev.Mode, bool, bool], decision: Decision | None) -> None:
    mode, green, final = case
    assert by_mode(mode, 7, green=green, final=final) == decision


async def test_a_decision_arrives_before_or_after_it_is_asked_for(inbox: Inbox) -> None:
    early = Decision(1, "reject", "no")
    inbox.decide(early)
    assert await soon(inbox.decision(1)) == early
    waiting = asyncio.ensure_future(inbox.decision(1))
    await settle()
    assert not waiting.done()
    late = Decision(1, "steer", "like so")
    inbox.decide(late)
    assert await soon(_of(waiting)) == late


async def _of(task: asyncio.Future[Result]) -> Result:
    return await task


async def test_decisions_on_other_proposals_are_void(inbox: Inbox) -> None:
    inbox.decide(Decision(1, "accept"))
    inbox.decide(Decision(3, "accept"))
    waiting = asyncio.ensure_future(inbox.decision(2))
    await settle()
    assert not waiting.done()
    inbox.decide(Decision(2, "reject"))
    assert (await soon(_of(waiting))) == Decision(2, "reject")
    # They are gone, not kept for later.
    again = asyncio.ensure_future(inbox.decision(3))
    await settle()
    assert not again.done()
    again.cancel()


async def test_marks_and_decisions_are_worked_on_in_their_order(inbox: Inbox) -> None:
    entries: list[Decision | Mark] = [
        commands.Take(2, ("a",)),
        Decision(2, "land"),
        commands.Comment(2, "a", "why?"),
        commands.Unmark(2),
    ]
    inbox.decide(commands.Take(1, ("of another proposal",)))
    for entry in entries:
        inbox.decide(entry)
    assert [await soon(inbox.decision(2)) for _ in entries] == entries
    for entry in entries:
        inbox.decide(entry)
    # A decision is about what was there when it was taken; a mark names what it is about.
    assert inbox.late() == (entries[1],)
    assert [await soon(inbox.decision(2)) for _ in range(3)] == [entries[0], *entries[2:]]


async def test_an_edit_wakes_whoever_waits(inbox: Inbox) -> None:
    waiting = asyncio.ensure_future(inbox.decision(1))
    await settle()
    inbox.edited()
    assert await soon(_of(waiting)) is None
    # One edit wakes once.
    waiting = asyncio.ensure_future(inbox.decision(1))
    await settle()
    assert not waiting.done()
    inbox.decide(Decision(1, "accept"))
    assert await soon(_of(waiting)) == Decision(1, "accept")


async def test_an_edit_from_before_is_told_first(inbox: Inbox) -> None:
    inbox.edited()
    inbox.edited()
    assert await soon(inbox.decision(1)) is None


@pytest.mark.parametrize("edit_first", [True, False])
async def test_edit_and_decision_at_the_same_moment_lose_neither(inbox: Inbox, edit_first: bool) -> None:
    waiting = asyncio.ensure_future(inbox.decision(1))
    await settle()
    if edit_first:
        inbox.edited()
        inbox.decide(Decision(1, "accept"))
    else:
        inbox.decide(Decision(1, "accept"))
        inbox.edited()
    answers = [await soon(_of(waiting)), await soon(inbox.decision(1))]
    assert sorted(answers, key=str) == sorted([None, Decision(1, "accept")], key=str)


async def test_whoever_stops_waiting_takes_nothing_along(inbox: Inbox) -> None:
    waiting = asyncio.ensure_future(inbox.decision(1))
    await settle()
    waiting.cancel()
    await settle()
    assert waiting.cancelled()
    inbox.decide(Decision(1, "accept"))
    assert await soon(inbox.decision(1)) == Decision(1, "accept")


@pytest.mark.parametrize("allowed", [True, False])
async def test_an_approval_is_asked(inbox: Inbox, log: Log, allowed: bool) -> None:
    waiting = asyncio.ensure_future(inbox.approval(ev.ApprovalAsked("call", "make")))
    await settle()
    assert log.events == [(ev.ApprovalAsked("call", "make"), False)]
    inbox.approve("another", Word(not allowed))
    await settle()
    assert not waiting.done()
    inbox.approve("call", Word(allowed, "run make", "because"))
    assert await soon(_of(waiting)) == Word(allowed, "run make", "because")


async def test_nobody_approves_ahead_of_the_question(inbox: Inbox) -> None:
    """An answer that comes twice must not allow the next command of the same name."""
    inbox.approve("call", Word(allowed=True))
    waiting = asyncio.ensure_future(inbox.approval(ev.ApprovalAsked("call", "rm -r build")))
    await settle()
    assert not waiting.done()
    inbox.approve("call", Word(allowed=False))
    assert await soon(_of(waiting)) == Word(allowed=False)
