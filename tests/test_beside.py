"""Free fixes first: repairs that are looked for while a model is at work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.repair.model import Found
from agent_core.state import State
from tests.support.answers import call, fault, held, text
from tests.support.finding import BREAKS, MENDS, FakeFinder, found
from tests.support.model_server import ModelServer
from tests.support.running import Running, flags, running, server_settings
from tests.support.shop import MENDED, PRICES, RIGHT, WRONG, make_shop, theirs

_OFF = ("mypy", "ruff", "syntax")
TASK = "Make the tests pass."
TALK = "What do you think of this shop?"


def opens(gate: asyncio.Event) -> Callable[[], Awaitable[None]]:
    """Waits at a gate."""

    async def wait() -> None:
        await gate.wait()

    return wait


def _green(state: State) -> bool:
    return bool(state.waiting) and state.proposal is not None and state.proposal.green


@asynccontextmanager
async def beside(
    project: Path, *answers: Any, mode: str = "step", off: tuple[str, ...] = _OFF, **settings: Any
) -> AsyncIterator[tuple[Running, ModelServer]]:
    """A session with a model, in which repairs are looked for beside it."""
    async with ModelServer(answers) as server:
        given = flags(mode, off=off, **{"repair": {"beside": True}} | settings)
        # What lets everything else go first takes its time where much else goes on.
        partner = server_settings(server.base_url, "chat")["partner"] | {"timeout": 110.0}
        given |= {"partner": partner}
        async with asyncio.timeout(110), running(project, given, {"OPENAI_API_KEY": "sk-test"}) as here:
            yield here, server


async def test_a_find_is_offered_when_all_checks_are_green_and_the_model_is_told_what_became_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    finder = FakeFinder(found(MENDS))
    finder.put(monkeypatch)
    async with beside(project, text("Let me see. ") + fault("stall", "end"), text("As you like.")) as (here, server):
        here.submit(commands.Ask(TASK))
        await here.until(lambda state: "Let me see." in state.live)
        offered = await here.seen(ev.RepairFound)
        assert offered.says == (
            f"`prices` for `prices[1:]` in `total` (shop/prices.py:{MENDS.variant.line}), all 3 tests pass."
        )
        assert finder.wanted[0].spare
        assert not here.all(ev.ProposalMade), "it is offered, not proposed"
        first = server.requests[0].body["messages"]
        here.submit(commands.TakeRepair(1))
        state = await here.until(_green)
        assert state.proposal is not None
        assert (state.proposal.by, state.proposal.call_id) == ("repair", "")
        assert state.repairs.find is None
        assert not state.live
        here.submit(commands.Reject(1, "not like this"))
        await here.seen(ev.TaskFinished)
        messages = server.requests[1].body["messages"]
        assert messages[: len(first)] == first, "what was sent before stays as it was"
        said = str(messages[len(first) :])
        assert "Let me see." in said
        assert "had it proposed as proposal 1" in said
        assert "+    for price in prices:" in said
        assert "The human rejected proposal 1. They said: not like this" in said
        # Where the find came before the first request, it was told with that.
        assert "Suspicious: shop/prices.py" in str(messages)
        assert "price = 2" in str(messages)


async def test_it_looks_for_what_the_task_names_as_far_as_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    with (project / "tests/test_prices.py").open("a") as file:
        file.write("\n\ndef test_one():\n    assert total([5]) == 5\n")
    finder = FakeFinder(found())
    finder.put(monkeypatch)
    gates = [asyncio.Event(), asyncio.Event()]
    async with beside(project, *(held(opens(gate)) + text("Well.") for gate in gates)) as (here, _):
        for number, words in enumerate(("Make test_one pass.", "And what of `test_empty`?")):
            here.submit(commands.Ask(words))
            await here.seen(ev.RepairEnded, number + 1)
            gates[number].set()
            await here.seen(ev.TaskFinished, number + 1)
    assert [one.tests for one in finder.wanted] == [("test_one",), ()]
    assert [one.what for one in here.all(ev.RepairSought)] == ["1 failing test", "2 failing tests"]


async def test_what_breaks_another_check_is_no_offer_but_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    FakeFinder(found(BREAKS)).put(monkeypatch)
    gate = asyncio.Event()
    answers = held(opens(gate)) + call("list_files"), text("I see.")
    async with beside(project, *answers, off=("mypy", "syntax")) as (here, server):
        here.submit(commands.Ask(TASK))
        ended = await here.seen(ev.RepairEnded)
        assert "undefined_name" in ended.evidence
        assert "but breaks" in ended.evidence
        gate.set()
        await here.seen(ev.TaskFinished)
        assert not here.all(ev.RepairFound)
        # A search that ends before the first request is sent is told with that.
        assert any(ended.evidence in str(one["content"]) for one in server.requests[1].body["messages"])


async def test_it_stops_before_a_proposal_is_checked_and_goes_on_afterwards_unless_that_is_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    finder = FakeFinder(found(), held=True)
    finder.put(monkeypatch)
    gates = asyncio.Event(), asyncio.Event()
    wrong = held(opens(gates[0])) + call("apply_patch", patch=WRONG)
    right = held(opens(gates[1])) + call("apply_patch", patch=RIGHT)
    at_check: list[int] = []
    async with beside(project, wrong, right) as (here, _):

        def listen(entry: ev.Entry, _state: object) -> None:
            if isinstance(entry.event, ev.CheckStarted) and entry.event.where == "candidate":
                at_check.append(finder.running)

        here.session.subscribe(listen)
        here.submit(commands.Ask(TASK))
        await here.until(lambda state: state.repairs.search is not None)
        gates[0].set()
        await here.judged()
        await here.until(lambda state: bool(state.waiting) and state.repairs.search is not None)
        assert len(finder.wanted) == 2
        assert finder.wanted[1].seconds < finder.wanted[0].seconds
        here.submit(commands.Steer("Not yet."))
        gates[1].set()
        await here.until(_green)
        assert len(at_check) == 2
        assert not any(at_check)
        assert finder.enough == 2
        here.submit(commands.Accept(2))
        await here.seen(ev.TaskFinished)
        assert len(finder.wanted) == 2


async def test_a_mode_that_lands_by_itself_lands_no_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_shop(tmp_path / "shop")
    before = theirs(project)
    FakeFinder(found(MENDS)).put(monkeypatch)
    gate = asyncio.Event()
    async with beside(project, held(opens(gate)) + call("list_files"), text("Enough."), mode="auto") as (here, server):
        here.submit(commands.Ask(TALK))
        await here.seen(ev.RepairFound)
        gate.set()
        await here.seen(ev.TaskFinished)
        assert not here.all(ev.ProposalMade)
        assert "makes tests/test_prices.py::test_total pass" in str(server.requests[1].body)
    assert theirs(project) == before


async def test_a_find_is_gone_when_files_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_shop(tmp_path / "shop")
    FakeFinder(found(MENDS)).put(monkeypatch)
    gate = asyncio.Event()
    async with beside(project, held(opens(gate)) + text("Done.")) as (here, _):
        here.submit(commands.Ask(TALK))
        await here.seen(ev.RepairFound)
        (project / "README.md").write_text("# another\n")
        here.submit(commands.TakeRepair(1))
        await here.seen(ev.HumanEdited)
        noted = await here.seen(ev.Noted)
        assert "Files have changed" in noted.text
        assert not here.all(ev.ProposalMade)
        # It is looked for anew, over the files as they are.
        again = await here.seen(ev.RepairFound, 2)
        assert again.number == 2
        gate.set()
        await here.seen(ev.TaskFinished)


async def test_a_find_can_be_taken_in_the_place_of_a_waiting_proposal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    FakeFinder(found(MENDS)).put(monkeypatch)
    gate = asyncio.Event()
    answer = held(opens(gate)) + call("apply_patch", patch=WRONG)
    async with beside(project, answer, text("No more.")) as (here, _):
        here.submit(commands.Ask(TASK))
        await here.seen(ev.RepairFound)
        gate.set()
        await here.until(lambda state: state.waiting == 1 and not any(one.outcome is None for one in state.checks))
        here.submit(commands.TakeRepair())
        state = await here.until(lambda state: state.waiting == 2 and _green(state))
        assert [one.by for one in state.proposals] == ["partner", "repair"]
        here.submit(commands.Reject(2, "not like this"))
        await here.seen(ev.TaskFinished)
        assert not here.all(ev.Landed)


async def test_what_is_really_found_can_be_taken_when_the_task_has_ended(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    gate = asyncio.Event()
    async with beside(project, held(opens(gate)) + text("I do not know.")) as (here, server):
        here.submit(commands.Ask(TALK))
        offered = await here.seen(ev.RepairFound)
        assert "in `total` (shop/prices.py:" in offered.says
        assert offered.says.endswith("all 3 tests pass.")
        gate.set()
        await here.seen(ev.TaskFinished)
        here.submit(commands.TakeRepair())
        await here.until(_green)
        here.submit(commands.Accept(1))
        await here.seen(ev.TaskFinished, 2)
        assert here.state.tasks[-1].outcome == "landed"
        assert (project / "shop/prices.py").read_text() != PRICES.lstrip("\n")
        assert len(server.requests) == 1, "nobody was asked for it"


async def test_a_partner_that_comes_to_nothing_is_followed_by_what_was_found_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    finder = FakeFinder(found(MENDS), held=True)
    finder.put(monkeypatch)
    async with beside(project, text("I cannot see it."), text("As you like.")) as (here, server):
        here.submit(commands.Ask(TASK))
        await here.until(lambda state: state.repairs.search is not None and "still looked for" in str(state.chat[-1]))
        finder.go.set()
        state = await here.until(_green)
        assert state.proposal is not None
        assert (state.proposal.by, state.proposal.attempt) == ("repair", 1)
        here.submit(commands.Reject(1, "look again"))
        await here.seen(ev.TaskFinished)
        said = str(server.requests[1].body["messages"])
        assert "as you had come to nothing that passes" in said
        assert "had it proposed" not in said
        assert "look again" in said


@pytest.mark.parametrize(("result", "why"), [(found(), ""), (found(BREAKS), " What the tests pass with is not green")])
async def test_that_nothing_was_found_after_a_wait_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: Found, why: str
) -> None:
    project = make_shop(tmp_path / "shop")
    result = msgspec.structs.replace(result, word="`undefined_name` for `prices[1:]`." if result.repairs else "")
    finder = FakeFinder(result, held=True)
    finder.put(monkeypatch)
    async with beside(project, text("I cannot see it."), off=("mypy", "syntax")) as (here, _):
        here.submit(commands.Ask(TASK))
        await here.until(lambda state: state.repairs.search is not None and "still looked for" in str(state.chat[-1]))
        finder.go.set()
        await here.seen(ev.TaskFinished)
        said = here.all(ev.Noted)[-1].text
        assert said.startswith(f"No repair was found without it either.{why}")
        assert "undefined_name" not in said


async def test_what_is_said_while_it_is_waited_for_goes_to_the_partner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    finder = FakeFinder(found(MENDS), held=True)
    finder.put(monkeypatch)
    gate = asyncio.Event()
    answers = text("Which one?"), held(opens(gate)) + text("I see.")
    async with beside(project, *answers) as (here, server):
        here.submit(commands.Ask(TASK))
        await here.until(lambda state: state.repairs.search is not None and "still looked for" in str(state.chat[-1]))
        here.submit(commands.Steer("The first."))
        await here.until(lambda _: len(server.requests) == 2)
        assert "The first." in str(server.requests[1].body["messages"][-1])
        gate.set()
        await here.until(lambda state: state.repairs.search is not None and "still looked for" in str(state.chat[-1]))
        finder.go.set()
        await here.until(_green)


async def test_a_mode_that_lands_by_itself_lands_a_find_for_who_asked_for_a_repair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    FakeFinder(found(MENDS)).put(monkeypatch)
    answers = call("apply_patch", patch=WRONG), text("No.")
    async with beside(project, *answers, loop={"mode": "auto", "max_attempts": 1}) as (here, server):
        here.submit(commands.Ask("test_total fails. Mend it."))
        ended = await here.seen(ev.TaskFinished)
        assert ended.outcome == "landed"
        assert [one.by for one in here.state.proposals] == ["partner", "repair"]
        steered = [one for one in here.all(ev.Decided) if one.proposal == 1]
        assert [(one.decision, one.by) for one in steered] == [("steer", "mode")]
        assert len(server.requests) == 1
    assert "for price in prices:" in (project / "shop/prices.py").read_text()


async def test_until_green_asks_about_what_is_not_green_when_nothing_else_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    FakeFinder(found()).put(monkeypatch)
    answers = call("apply_patch", patch=WRONG), call("apply_patch", patch=RIGHT)
    async with beside(project, *answers, loop={"mode": "until-green", "max_attempts": 1}) as (here, _):
        here.submit(commands.Ask(TASK))
        state = await here.until(
            lambda state: state.waiting == 1 and not any(one.outcome is None for one in state.checks)
        )
        assert state.proposal is not None
        assert state.proposal.by == "partner"
        here.submit(commands.Steer("Once more."))
        await here.until(_green)
        assert here.state.waiting == 2


async def test_it_is_switched_off_and_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_shop(tmp_path / "shop")
    finder = FakeFinder(found(), held=True)
    finder.put(monkeypatch)
    gate = asyncio.Event()
    async with beside(project, held(opens(gate)) + text("Done.")) as (here, _):
        here.submit(commands.Ask(TALK))
        await here.until(lambda state: state.repairs.search is not None)
        here.submit(commands.SwitchRepairs(on=False))
        await here.until(lambda state: state.repairs.search is None)
        assert finder.cancelled == 1
        here.submit(commands.SwitchRepairs(on=True))
        await here.until(lambda state: state.repairs.search is not None)
        gate.set()
        await here.seen(ev.TaskFinished)
        await here.until(lambda state: state.repairs.search is None)


async def test_nothing_is_looked_for_where_no_test_fails_or_it_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finder = FakeFinder(found(MENDS))
    finder.put(monkeypatch)
    well = make_shop(tmp_path / "well")
    (well / "shop/prices.py").write_text(MENDED)
    ill = make_shop(tmp_path / "ill")
    for project, on in ((well, True), (ill, False)):
        gate = asyncio.Event()
        async with beside(project, held(opens(gate)) + text("Done."), repair={"beside": on}) as (here, _):
            here.submit(commands.Ask(TASK))
            await here.until(
                lambda state: any(one.check == "pytest" and one.outcome is not None for one in state.checks)
            )
            gate.set()
            await here.seen(ev.TaskFinished)
    assert not finder.wanted
