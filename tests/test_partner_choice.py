"""Another partner for a session that goes on: from its next request, with what was said and done so far."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from agent_core import commands
from agent_core import events as ev
from tests.support.answers import Answer, call, error, held, reasoning, text
from tests.support.model_server import ModelServer
from tests.support.running import Running, flags, running, stored
from tests.support.shop import QUICK, RIGHT_AT_ONCE, make_shop

LOOK = reasoning("I have to look.") + call("read_file", path="shop/prices.py")


def partners(first: ModelServer, second: ModelServer, **more: dict[str, Any]) -> dict[str, Any]:
    """Two partners, one for each API, and others."""
    common = {"max_retries": 0, "timeout": 20.0}
    one = {"base_url": first.base_url, "api": "responses", **common, **more.pop("partner", {})}
    two = {"base_url": second.base_url, "api": "chat", **common}
    return flags("step", off=QUICK, partner=one, partners={"two": two, **more})


async def asked(here: Running, words: str, count: int) -> None:
    """Ask, and wait for the end of the task."""
    here.submit(commands.Ask(words))
    await here.seen(ev.TaskFinished, count)


def notes(here: Running) -> str:
    return "\n".join(f"{one.text} {one.hint}" for one in here.all(ev.Noted))


async def test_it_proposes_from_the_next_request_on_and_knows_all_that_was_said(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with (
        ModelServer([LOOK, text("It sums."), text("Back again.")], models=("one",)) as first,
        ModelServer([call("read_file", path="README.md"), text("A shop.")], models=("small", "large")) as second,
        running(project, partners(first, second)) as here,
    ):
        await asked(here, "What does it do?", 1)
        here.submit(commands.UsePartner("two", "large"))
        chosen = await here.seen(ev.PartnerChosen)
        assert (chosen.name, chosen.model) == ("two", "large")
        await asked(here, "And the shop?", 2)
        here.submit(commands.UsePartner(""))
        await here.seen(ev.PartnerChosen, 2)
        await asked(here, "Once more?", 3)
        answers = here.all(ev.AnswerFinished)
    assert [(one.partner, one.model) for one in answers] == [
        ("", "one"), ("", "one"), ("two", "large"), ("two", "large"), ("", "one"),
    ]  # fmt: skip
    assert {one.body["model"] for one in second.requests} == {"large"}
    messages = second.requests[0].body["messages"]
    roles = [one["role"] for one in messages]
    assert roles[-5:] == ["user", "assistant", "tool", "assistant", "user"]
    assert messages[-4]["tool_calls"][0]["function"]["name"] == "read_file"
    assert messages[-1]["content"] == "And the shop?"
    # On the way back: the other's calls as one's own, one's own reasoning still there.
    again = first.requests[-1].body["input"]
    kinds = [one["type"] for one in again]
    assert kinds.count("function_call") == kinds.count("function_call_output") == 2
    assert again[: len(first.requests[0].body["input"])] == first.requests[0].body["input"]
    assert here.state.chosen == ("", "")
    assert "large via" in notes(here)


async def test_an_answer_under_way_goes_to_its_end_with_whom_it_was_begun(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    chosen = asyncio.Event()

    async def until_chosen() -> None:
        await chosen.wait()

    async with (
        ModelServer([text("One says so.") + held(until_chosen)], models=("one",)) as first,
        ModelServer([text("Two.")], models=("small",)) as second,
        running(project, partners(first, second)) as here,
    ):
        here.submit(commands.Ask("What does it do?"))
        await first.asked.wait()
        here.submit(commands.UsePartner("two"))
        await here.seen(ev.PartnerChosen)
        chosen.set()
        await here.seen(ev.TaskFinished)
        answer = here.all(ev.AnswerFinished)[0]
        assert (answer.text, answer.partner, answer.model) == ("One says so.", "", "one")
        await here.seen(ev.Noted)
        assert "small via" in notes(here)
        assert "The answer under way is still the other's." in notes(here)
        await asked(here, "And now?", 2)
        assert here.all(ev.AnswerFinished)[-1].partner == "two"
    assert len(first.requests) == len(second.requests) == 1


async def test_who_is_chosen_while_a_request_waits_is_asked_at_once(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    limit = error(429, "Too many requests.", headers={"retry-after": "600"})
    async with (
        ModelServer([limit], models=("one",)) as first,
        ModelServer([text("Two says so."), text("Two again.")], models=("small",)) as second,
        running(project, partners(first, second, partner={"max_retries": 2})) as here,
    ):
        here.submit(commands.Ask("What does it do?"))
        await here.until(lambda state: state.retry is not None)
        here.submit(commands.UsePartner("two"))
        await here.seen(ev.TaskFinished)
        assert here.all(ev.RetryHurried)
        answer = here.all(ev.AnswerFinished)[0]
        assert (answer.text, answer.partner, answer.model) == ("Two says so.", "two", "small")
        await here.seen(ev.Noted)
        assert "small via" in notes(here)
        assert "is asked now, instead of waiting." in notes(here)
        await asked(here, "And now?", 2)
    assert len(first.requests) == 1
    before, after = (one.body["messages"] for one in second.requests)
    assert after[: len(before)] == before


async def test_who_cannot_be_used_is_not_taken(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with ModelServer([text("Fine.")], models=("one",)) as first, ModelServer(models=("s", "small")) as second:
        gone = {"gone": {"base_url": "http://127.0.0.1:9/v1"}}
        settings = partners(first, second, **gone)
        async with running(project, settings, {"GROQ_API_KEY": ""}) as here:
            wanted = {
                commands.UsePartner("groq"): "GROQ_API_KEY is not set",
                commands.UsePartner("nobody"): 'There is no partner "nobody"',
                commands.UsePartner("gone"): "No server could be reached at http://127.0.0.1:9/v1",
                commands.UsePartner("two", "smal"): 'lists no model "smal"',
            }
            for count, (command, told) in enumerate(wanted.items(), 1):
                here.submit(command)
                noted = await here.seen(ev.Noted, count)
                assert told in noted.text
                assert "goes on proposing" in noted.text
            assert "It has small" in notes(here)
            assert "pairloop key set groq" in notes(here)
            await asked(here, "Hello?", 1)
        assert not here.all(ev.PartnerChosen)
        assert here.state.chosen is None


async def test_the_window_is_the_new_ones(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with ModelServer(models=("one",)) as first, ModelServer(models=("small",)) as second:
        settings = partners(first, second, partner={"context_window": 100_000})
        settings["partners"]["two"]["context_window"] = 3000
        async with running(project, settings) as here:
            here.submit(commands.UsePartner("two"))
            await here.until(lambda state: state.partner is not None and state.partner.window == 3000)
            assert here.state.partner is not None
            assert here.state.partner.entry == "two"


async def test_a_session_that_goes_on_has_whom_it_had(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with (
        ModelServer([text("One.")], models=("one",)) as first,
        ModelServer([text("Two.")], models=("small",)) as second,
    ):
        settings = partners(first, second)
        async with running(project, settings) as here:
            session = here.session.id
            here.submit(commands.UsePartner("two", "small"))
            await here.seen(ev.PartnerChosen)
        async with running(project, settings, resume=session) as here:
            await asked(here, "Who are you?", 1)
            assert here.all(ev.AnswerFinished)[-1].text == "Two."
            assert not here.all(ev.PartnerChosen)
        # Where it is gone, the configured one proposes, and that is said; the choice stands for later.
        del settings["partners"]["two"]
        async with running(project, settings, resume=session) as here:
            await asked(here, "Who are you?", 1)
            assert here.all(ev.AnswerFinished)[-1].text == "One."
            assert "small of two, which you had chosen, cannot be had" in notes(here)
            assert here.state.chosen == ("two", "small")
        # What is said on the command line goes over it.
        named = settings | {"partner": settings["partner"] | {"model": "one"}}
        async with running(project, named, resume=session) as here:
            await here.seen(ev.PartnerChosen)
            assert here.state.chosen == ("", "")
    assert stored(project, session).chosen == ("", "")


def cheap(first: ModelServer, second: ModelServer) -> dict[str, Any]:
    return partners(first, second, partner={"aside": "two", "model": "one"})


async def drafted(project: Path, settings: dict[str, Any]) -> Running:
    """A landing, and the draft of its commit."""
    async with running(project, settings) as here:
        here.submit(commands.Ask("Sum all"))
        await here.until(lambda state: state.waiting == 1)
        here.submit(commands.Accept(1))
        await here.seen(ev.TaskFinished)
        here.submit(commands.DraftCommit())
        await here.seen(ev.CommitDrafted)
    return here


async def test_the_cheaper_one_writes_messages_of_commits(tmp_path: Path) -> None:
    patch: Answer = call("apply_patch", patch=RIGHT_AT_ONCE)
    async with ModelServer([patch]) as first, ModelServer([text("fix: sum all")], models=("small",)) as second:
        here = await drafted(make_shop(tmp_path / "shop"), cheap(first, second))
    assert here.all(ev.CommitDrafted)[-1].message.startswith("fix: sum all")
    [aside] = here.all(ev.AsideFinished)
    assert (aside.about, aside.partner, aside.model) == ("commit", "two", "small")
    assert here.state.spending.aside.input > 0
    assert "tools" not in second.requests[0].body


async def test_where_the_cheaper_one_fails_the_partner_is_asked_itself(tmp_path: Path) -> None:
    patch: Answer = call("apply_patch", patch=RIGHT_AT_ONCE)
    async with (
        ModelServer([patch, text("fix: sum all")]) as first,
        ModelServer([error(401, "no")], models=("small",)) as second,
    ):
        here = await drafted(make_shop(tmp_path / "shop"), cheap(first, second))
    assert here.all(ev.CommitDrafted)[-1].message.startswith("fix: sum all")
    assert [one.partner for one in here.all(ev.AsideFinished)] == [""]
    assert "is asked itself" in notes(here)
    assert json.loads(second.requests[0].raw)["model"] == "small"
