"""Compaction: what is replaced, what stays, and that nothing of the human's is forgotten by it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core import commands
from agent_core import events as ev
from agent_core.build import Engine
from agent_core.chat_entries import Notice
from agent_core.conversation import AssistantItem, Item, ReasoningItem, ToolCallItem, ToolResultItem, UserItem
from agent_core.item_text import item_text
from agent_core.prompt.compaction import SUMMARY_HEAD, Room, boundaries, is_summary, planned
from agent_core.prompt.replies import unanswered
from agent_core.state import State
from tests.support.model_server import ModelServer, call, error, text
from tests.support.running import Running, flags, running, server_settings, stored
from tests.support.shop import QUICK, make_shop

ALL_BUT_SYNTAX = ("ruff", *QUICK)
TRIES = ("prices[2:]", "prices[3:]", "prices[4:]", "prices[5:]", "prices[6:]")
REASONS = (
    "slicing is not wanted at all",
    "no magic numbers, please",
    "that drops four prices",
    "we never skip items silently",
    "use the whole list instead",
)
SUMMARY = "The human wants total to count every price. It was tried to slice prices in other ways."


def patch(loop: str) -> dict[str, Any]:
    lines = [
        "*** Begin Patch",
        "*** Update File: shop/prices.py",
        "@@",
        "-    for price in prices[1:]:",
        f"+    for price in {loop}:",
        "*** End Patch",
    ]
    words = f"I loop over {loop} now. " + "This is how I came to it, in many words. " * 60
    return {"text": words, "calls": [{"name": "apply_patch", "arguments": {"patch": lines}}]}


def script(tmp_path: Path, *turns: dict[str, Any], summary: str = SUMMARY, window: int = 0) -> dict[str, Any]:
    """Settings of a script, with what it answers when it is asked for a summary."""
    path = tmp_path / "script.json"
    asides = [{"expect": "Sum up a part of a conversation", "text": summary}] if summary else []
    path.write_text(json.dumps({"turns": turns, "asides": asides}))
    return flags(off=ALL_BUT_SYNTAX, partner={"script": str(path), "context_window": window})


def said(items: tuple[Item, ...]) -> str:
    return "\n".join(map(item_text, items))


def told(state: State) -> str:
    return "\n".join(f"{one.text} {one.hint}" for one in state.chat if isinstance(one, Notice))


async def rejected(here: Running, count: int = len(REASONS)) -> None:
    """Have so many proposals made and rejected; the next one waits."""
    here.submit(commands.Ask("mend total in shop/prices.py"))
    for number, reason in enumerate(REASONS[:count], 1):
        await here.until(lambda state, number=number: state.waiting == number)  # type: ignore[misc]
        here.submit(commands.Reject(number, reason))
    await here.until(lambda state: state.waiting == count + 1)


async def test_after_a_compaction_the_partner_still_knows_each_rejected_approach(tmp_path: Path) -> None:
    turns = [*map(patch, (*TRIES, "prices[7:]", "prices"))]
    async with running(make_shop(tmp_path / "shop"), script(tmp_path, *turns)) as here:
        await rejected(here)
        before = here.state.items
        here.submit(commands.Compact())
        done = await here.seen(ev.Compacted)
        assert (done.why, done.by) == ("asked", "partner")
        asked = here.all(ev.AsideFinished)[-1]
        assert asked.about == "summary"
        assert 0 < asked.usage.input == here.state.spending.aside.input
        here.submit(commands.Reject(6, "and not like this"))
        await here.until(lambda state: state.waiting == 7)
        sent = here.state.items[: here.all(ev.PromptSent)[-1].items]
    assert len(sent) < len(before)
    assert sent[0] == before[0]
    assert is_summary(sent[1])
    assert SUMMARY in said(sent)
    for reason, loop in zip(REASONS, TRIES, strict=True):
        assert reason in said(sent)
        assert loop in said(before)
    assert "and not like this" in said(sent)
    assert unanswered(sent) == ()


async def test_it_comes_by_itself_before_the_context_is_full_and_the_partner_goes_on(tmp_path: Path) -> None:
    turns = [*map(patch, (*TRIES, "prices[7:]", "prices"))]
    async with running(make_shop(tmp_path / "shop"), script(tmp_path, *turns, window=4500)) as here:
        await rejected(here)
        done = here.all(ev.Compacted)[0]
        assert (done.why, done.by) == ("full", "partner")
        assert done.after < done.before
        assert done.before > 0.8 * 4500 - 200
        sent = [event.items for event in here.all(ev.PromptSent)]
        assert sent != sorted(sent)
        assert all(reason in said(here.state.items) for reason in REASONS)
        assert all(usage.usage.input < 4500 for usage in here.all(ev.AnswerFinished))
        assert "The context was filling up" in told(here.state)
        assert "/uncompact takes it back" in told(here.state)
        # What is kept of the newest exchange is as it was said.
        assert here.state.proposal is not None
        assert unanswered(here.state.items) == (here.state.proposal.call_id,)
        session = here.session.id
    assert stored(tmp_path / "shop", session).items == here.state.items


@pytest.mark.parametrize("summary", ["", "far too long " * 3000], ids=["none", "too long"])
async def test_without_a_usable_summary_by_the_partner_one_is_made_of_what_happened(
    tmp_path: Path, summary: str
) -> None:
    async with running(make_shop(tmp_path / "shop"), script(tmp_path, *map(patch, TRIES), summary=summary)) as here:
        await rejected(here, 3)
        here.submit(commands.Compact())
        assert (await here.seen(ev.Compacted)).by == "pairloop"
        words = said(here.state.items[:2])
        assert words.count(SUMMARY_HEAD) == 1
        assert "You called apply_patch: *** Begin Patch *** Update File: shop/prices.py" in words
        assert all(reason in words for reason in REASONS[:2])


async def test_it_can_be_taken_back_and_does_not_come_again_at_once(tmp_path: Path) -> None:
    turns = [*map(patch, (*TRIES, "prices[7:]", "prices"))]
    async with running(make_shop(tmp_path / "shop"), script(tmp_path, *turns, window=7000)) as here:
        await rejected(here)
        before = here.state.items
        assert not here.all(ev.Compacted)
        here.submit(commands.Uncompact())
        await here.until(lambda state: "no summary" in told(state))
        here.submit(commands.Compact())
        await here.seen(ev.Compacted)
        assert len(here.state.items) < len(before)
        here.submit(commands.Uncompact())
        await here.seen(ev.CompactionUndone)
        assert here.state.items == before
        assert here.state.size.tokens > 0.7 * 7000
        here.submit(commands.Reject(6, "still not"))
        await here.until(lambda state: state.waiting == 7)
        assert len(here.all(ev.Compacted)) == 1
        assert here.state.items[: len(before)] == before
        ids = [item.call_id for item in here.state.items if isinstance(item, ToolCallItem)]
        assert len(set(ids)) == len(ids)


async def test_what_is_said_while_it_is_summed_up_reaches_the_partner(tmp_path: Path) -> None:
    settings = script(tmp_path, *map(patch, TRIES), window=3200)
    path = Path(settings["partner"]["script"])
    data = json.loads(path.read_text())
    data["asides"][0]["delay_ms"] = 400
    path.write_text(json.dumps(data))
    async with running(make_shop(tmp_path / "shop"), settings) as here:
        await rejected(here, 1)
        here.submit(commands.Reject(2, "no"))
        await here.until(lambda state: state.waiting == 0)
        here.submit(commands.Steer("think of negative prices"))
        await here.seen(ev.Steered)
        assert not here.all(ev.Compacted)
        await here.until(lambda state: state.waiting == 3)
        assert here.all(ev.Compacted)
        assert [item for item in here.state.items if item == UserItem("think of negative prices")]
        assert here.state.queued == ()


async def test_a_text_larger_than_the_context_loses_its_middle(tmp_path: Path) -> None:
    async with running(make_shop(tmp_path / "shop"), script(tmp_path, {"text": "I see."}, window=4000)) as here:
        here.submit(commands.Ask("BEGIN " + "log line\n" * 9000 + " END"))
        await here.seen(ev.TaskFinished)
        done = await here.seen(ev.Compacted)
        assert (done.cut, done.summed) == (1, 0)
        [first] = here.state.items[:1]
        assert "lines left out" in item_text(first)
        assert item_text(first).endswith("END")
        assert here.all(ev.AnswerFinished)[0].usage.input < 4000
        assert "a text that was too long lost its middle" in told(here.state)


async def test_forks_from_before_and_after_it_go_on(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    turns = [*map(patch, (*TRIES, "prices[7:]", "prices"))]
    settings = script(tmp_path, *turns, window=4500)
    async with running(project, settings) as here:
        await rejected(here)
        at = [seq for seq, event in enumerate(here.events) if isinstance(event, ev.Compacted)]
        assert at
        session = here.session.id
    shelf = Engine(project, settings, os.environ).shelf()
    for proposal in (2, 6):
        fork = await shelf.fork_at(session, proposal)
        async with running(project, settings, resume=fork) as again:
            # It is checked anew first.
            assert (await again.seen(ev.DecisionAwaited)).proposal == proposal
            again.submit(commands.Reject(proposal, "in this fork too"))
            # The script goes on where it was: it counts the answers that were replaced as well.
            await again.until(lambda state, proposal=proposal: state.waiting == proposal + 1)  # type: ignore[misc]
            loops = (*TRIES, "prices[7:]", "prices")
            assert f"I loop over {loops[proposal]} now" in said(again.state.items)
            assert bool(again.state.compactions) == (proposal == 6)


@pytest.mark.parametrize(
    "words",
    [
        "request (5000 tokens) exceeds the available context size (2500 tokens), try increasing it",
        "This model's maximum context length is 2500 tokens. However, your messages resulted in 5000 tokens.",
        "Your input exceeds the context window of this model.",
    ],
)
async def test_a_request_that_is_refused_as_too_long_is_sent_again_shorter(tmp_path: Path, words: str) -> None:
    answers = [
        text("It sums up. " * 300) + call("read_file", path="shop/prices.py"),
        text("I go on. " * 300) + call("read_file", path="README.md"),
        error(400, words),
        text("They read files."),
        text("Now it fits."),
    ]
    async with (
        ModelServer(answers) as server,
        running(make_shop(tmp_path / "shop"), flags(off=QUICK) | server_settings(server.base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("what does total do?"))
        assert (await here.seen(ev.TaskFinished)).outcome == "answered"
        done = await here.seen(ev.Compacted)
        assert (done.why, done.by) == ("refused", "partner")
        assert "They read files." in said(here.state.items)
        refused, aside, again = [one.body for one in server.requests[2:]]
        assert len(json.dumps(again)) < len(json.dumps(refused))
        assert "tools" not in aside
        assert again["messages"][:2] == refused["messages"][:2]
        assert here.state.partner is not None
        assert here.state.partner.window == (2500 if "2500" in words else 0)


async def test_where_nothing_can_be_made_shorter_the_human_is_told_what_to_do(tmp_path: Path) -> None:
    refusal = error(400, "maximum context length exceeded")
    async with (
        ModelServer([refusal] * 4) as server,
        running(make_shop(tmp_path / "shop"), flags(off=QUICK) | server_settings(server.base_url, "responses")) as here,
    ):
        here.submit(commands.Ask("hello"))
        done = await here.seen(ev.TaskFinished)
        assert (done.outcome, done.kind) == ("failed", "context_too_long")
        assert "Start a new session" in done.text
        assert len(server.requests) <= 3


def test_no_exchange_is_parted() -> None:
    call_one, call_two = ToolCallItem("1", "a", "{}"), ToolCallItem("2", "b", "{}")
    answered = [ToolResultItem("1", "x"), ToolResultItem("2", "y")]
    items: list[Item] = [
        UserItem("project"),
        ReasoningItem("{}"),
        AssistantItem("I look."),
        call_one,
        call_two,
        *answered,
        UserItem("news"),
        AssistantItem("Done."),
        UserItem("more"),
        ReasoningItem("{}"),
        ToolCallItem("3", "c", "{}"),
    ]
    assert boundaries(items) == (1, 7, 8, 9, 10)
    assert boundaries(items[:7]) == (1, 7)
    assert boundaries([]) == ()


ITEM = st.one_of(
    st.builds(UserItem, st.text(max_size=400)),
    st.builds(AssistantItem, st.text(max_size=400)),
    st.builds(ToolCallItem, st.sampled_from("abcd"), st.just("read_file"), st.just("{}")),
    st.builds(ToolResultItem, st.sampled_from("abcd"), st.text(max_size=3000)),
    st.builds(ReasoningItem, st.just("{}")),
)


@given(st.lists(ITEM, max_size=20), st.integers(100, 4000))
def test_a_plan_loses_nothing_unnamed(items: list[Item], room: int) -> None:
    plan = planned([UserItem("first"), *items], Room(room), 50)
    assert plan.head == (UserItem("first"),)
    assert len(plan.head) + len(plan.replaced) + len(plan.tail) == 1 + len(items)
    assert list(plan.replaced) == items[: len(plan.replaced)]
    # Every call that stays has its result with it, if there is one, and every result its call.
    opened = [item.call_id for item in plan.replaced if isinstance(item, ToolCallItem)]
    closed = [item.call_id for item in plan.replaced if isinstance(item, ToolResultItem)]
    assert set(opened) <= set(closed)
    for old, new in zip(items[len(plan.replaced) :], plan.tail, strict=True):
        assert old == new or "left out" in item_text(new)
