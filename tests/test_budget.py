"""Budgets: asked before the request that would begin over them, answered, kept over tasks and resumes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands, headless
from agent_core import events as ev
from agent_core.budget import Budget
from agent_core.build import Engine
from agent_core.config_tables import BudgetConfig
from agent_core.conversation import PartnerInfo, Usage
from agent_core.fold import fold
from agent_core.spent import session_rows, session_spent, session_words
from agent_core.state import State
from tests.support.answers import call, text
from tests.support.model_server import ModelServer
from tests.support.running import flags, running, server_settings, stored
from tests.support.shop import QUICK, make_shop

# Each answer of the server has 10 tokens in, of which 4 are cached, and 5 out: 15 tokens, and here 15 dollars.
PRICE = {"input": 1e6, "output": 1e6}


def settings(server: ModelServer, **budget: Any) -> dict[str, Any]:
    made = flags("step", off=("syntax", "ruff", *QUICK)) | server_settings(server.base_url, "chat")
    made["partner"]["price"] = PRICE
    return made | {"budget": budget}


def looks(count: int) -> list[Any]:
    return [call("list_files", f"c{number}") for number in range(count)]


async def test_a_task_is_stopped_raised_and_freed(tmp_path: Path) -> None:
    answers = [*looks(4), text("Done."), *looks(1), text("Done.")]
    async with (
        ModelServer(answers) as server,
        running(make_shop(tmp_path / "shop"), settings(server, task=20.0)) as here,
    ):
        here.submit(commands.Ask("look around"))
        reached = await here.seen(ev.BudgetReached)
        assert (reached.scope, reached.spent, reached.limit, reached.token_limit) == ("task", 30.0, 20.0, 0)
        assert (here.state.phase, len(server.requests)) == ("approving", 2)
        here.submit(commands.RaiseBudget(1.0))
        # As much again as was spent by then: fifty, which four requests go beyond.
        again = await here.seen(ev.BudgetReached, 2)
        assert (again.spent, again.limit, len(server.requests)) == (60.0, 50.0, 4)
        here.submit(commands.RaiseBudget(0.0))
        assert (await here.seen(ev.TaskFinished)).outcome == "answered"
        assert here.all(ev.BudgetRaised)[-1] == ev.BudgetRaised("task", 0.0, 0)
        # The next task begins with what is configured.
        here.submit(commands.RaiseBudget(1.0))
        here.submit(commands.Ask("once more"))
        assert (await here.seen(ev.TaskFinished, 2)).outcome == "answered"
        assert here.state.spending.task.cost == 30.0
        assert session_spent(here.state).cost == 105.0
        assert len(here.all(ev.BudgetReached)) == 2
        [one] = here.state.spending.models
        assert (one.model, one.requests, one.usage) == ("test-model", 7, session_spent(here.state))


async def test_a_session_that_may_not_spend_more_stays_so_when_it_is_resumed(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with ModelServer([*looks(3), text("No.")]) as server:
        async with running(project, settings(server, session_tokens=25)) as here:
            here.submit(commands.Ask("look around"))
            reached = await here.seen(ev.BudgetReached)
            assert (reached.scope, reached.tokens, reached.token_limit, reached.limit) == ("session", 30, 25, 0.0)
            here.submit(commands.RaiseBudget(-1.0))
            done = await here.seen(ev.TaskFinished)
            assert (done.outcome, done.kind) == ("not_green", "budget")
            assert done.text == (
                "Stopped: the budget of this session is used up, 30 of 25 tokens. Nothing of it was landed."
            )
            session = here.session.id
        assert stored(project, session).budget is None
        async with running(project, settings(server, session_tokens=25), resume=session) as here:
            here.submit(commands.Ask("go on"))
            await here.seen(ev.BudgetReached)
            assert len(server.requests) == 2
            here.submit(commands.RaiseBudget(2.0))
            assert (await here.seen(ev.TaskFinished)).outcome == "answered"
            assert here.state.spending.raised == (("session", 0.0, 80),)
        assert stored(project, session).spending.raised == (("session", 0.0, 80),)


async def test_a_question_is_given_up_by_an_interrupt(tmp_path: Path) -> None:
    async with (
        ModelServer(looks(2)) as server,
        running(make_shop(tmp_path / "shop"), settings(server, task=1.0)) as here,
    ):
        here.submit(commands.Ask("look around"))
        await here.seen(ev.BudgetReached)
        here.submit(commands.Interrupt())
        assert (await here.seen(ev.TaskFinished)).outcome == "interrupted"
        assert (here.state.budget, here.state.phase) == (None, "idle")


async def test_exec_ends_where_the_budget_does(tmp_path: Path) -> None:
    out = io.StringIO()
    async with ModelServer(looks(2)) as server:
        engine = Engine(make_shop(tmp_path / "shop"), settings(server, task=1.0), {}, watch=False)
        code = await headless.execute(engine, "look around", json=False, out=out)
    assert code == headless.BUDGET
    assert "! The budget of this task is used up: $15.00 of $1.00. Nobody is there to allow more." in out.getvalue()
    assert out.getvalue().endswith("Spent: 10 tokens in, 5 out, $15.00.\n")


# -- what is reached, without a session


def after(*events: ev.AnyEvent, state: State | None = None) -> State:
    state = state or State(partner=PartnerInfo("chat", "p", "m"))
    for event in events:
        state = fold(state, event)
    return state


def answered(cost: float | None, tokens: int = 100, model: str = "m") -> ev.AnswerFinished:
    return ev.AnswerFinished("", Usage(tokens, 0, 0, 0, cost), model)


def reached(state: State, **budget: Any) -> ev.BudgetReached | None:
    return Budget(BudgetConfig(**budget), lambda *_, **__: None, lambda: state).reached()


def test_side_requests_count_wherever_they_are_told_of() -> None:
    state = after(
        ev.Asked(1, "x"),
        answered(1.0),
        ev.AsideFinished("summary", Usage(50, 0, 10, 0, 0.25), "small", "cheap"),
        ev.Compacted((), 0, 0, 0, "asked", by="partner", usage=Usage(5, 0, 1, 0, 0.5)),
        ev.CommitDrafted(1, "m", usage=Usage(5, 0, 1, 0, 0.25)),
    )
    assert state.spending.task.cost == session_spent(state).cost == 2.0
    assert [(one.partner, one.model, one.requests) for one in state.spending.models] == [
        ("", "m", 3),
        ("cheap", "small", 1),
    ]
    assert reached(state, task=2.0) is not None
    assert reached(state, task=2.01) is None
    assert reached(after(ev.Asked(2, "y"), state=state), task=2.0) is None
    over = reached(after(ev.Asked(2, "y"), state=state), task=2.0, session=1.5)
    assert over is not None
    assert (over.scope, over.spent) == ("session", 2.0)


@pytest.mark.parametrize("budget", [{}, {"task": 100.0}, {"session_tokens": 10_000}])
def test_below_its_budget_nothing_is_asked(budget: dict[str, Any]) -> None:
    assert reached(after(ev.Asked(1, "x"), answered(1.0)), **budget) is None


def test_fractions_that_add_up_to_a_budget_reach_it() -> None:
    state = after(ev.Asked(1, "x"), *(answered(0.1) for _ in range(3)))
    assert state.spending.task.cost != 0.3
    assert reached(state, task=0.3) is not None


async def test_where_nobody_knows_the_price_a_budget_in_dollars_says_so_once() -> None:
    told: list[ev.AnyEvent] = []
    state = after(ev.Asked(1, "x"), answered(None))
    budget = Budget(BudgetConfig(task=1.0), lambda event, **_: told.append(event), lambda: state)
    await budget.gate()
    await budget.gate()
    [note] = told
    assert isinstance(note, ev.Noted)
    assert "the budget in dollars is not kept" in note.text


def test_what_was_spent_is_told_as_a_table() -> None:
    assert list(session_words(State())) == ["Nothing was spent yet."]
    state = after(
        ev.Asked(1, "x"),
        ev.AnswerFinished("", Usage(2_000_000, 500_000, 1000, 900, 12.5), "big-model-with-a-long-name", "work"),
        answered(None, 100),
        ev.BudgetRaised("session", 30.0, 0),
    )
    head, step, task, session, big, small, *words = session_words(state)
    assert head.split() == ["requests", "input", "cached", "output", "reasoning", "cost"]
    assert step.split() == ["last", "step", "100", "0", "0", "0", "not", "known"]
    assert task.split()[:2] == ["task", "1"]
    assert session.split() == ["session", "2", "2,000,100", "500,000", "(24%)", "1,000", "900", "$12.50"]
    assert big.split()[:2] == ["big-model-with-a-long-name", "(work)"]
    assert small.split()[0] == "m"
    assert words == ["The budget of this session is $30.00 by now, as you wished."]
    assert len({len(line) for line in (head, task, session, big)}) == 1
    narrow = list(session_words(state, 60))
    assert all(len(line) <= 60 for line in narrow[:6])
    assert narrow[0].split() == ["input", "output", "cost"]
    assert [row.requests for row in session_rows(state)] == [0, 0, 2, 1, 1]
