"""The whole loop over a real server: a wrong patch, its failure, a right patch, a decision, an undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from tests.support.answers import Answer, call, held, reasoning, text
from tests.support.model_server import ModelServer
from tests.support.running import Running, flags, running, server_settings
from tests.support.shop import MENDED, PRICES, QUICK, RIGHT, WRONG, make_shop, theirs, tree

APIS = ("responses", "chat")
KEY = {"OPENAI_API_KEY": "sk-secret-for-tests"}


def inputs(server: ModelServer) -> list[list[object]]:
    """The input of every request, as it was on the wire; a chat's system message apart."""
    bodies = [request.body for request in server.requests]
    return [body["input"] if "input" in body else body["messages"] for body in bodies]


def assert_each_extends_the_last(server: ModelServer) -> None:
    all_inputs = inputs(server)
    for earlier, later in pairwise(all_inputs):
        assert later[: len(earlier)] == earlier
        assert len(later) > len(earlier)


@pytest.mark.parametrize("api", APIS)
async def test_wrong_then_right_then_accepted_then_undone(
    tmp_path: Path, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    off: tuple[str, ...] = ("mypy",)
    if api == "responses":
        # Once with all there is: every check, and among whatever plug-ins are installed.
        off = ()
        monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    before = tree(project)
    answers = [
        reasoning("Let me look.") + call("read_file", path="shop/prices.py"),
        text("The sum is off by one.") + call("apply_patch", patch=WRONG),
        text("The first price was left out.") + call("apply_patch", patch=RIGHT),
    ]
    async with (
        ModelServer(answers) as server,
        running(project, flags("until-green", off=off) | server_settings(server.base_url, api), KEY) as here,
    ):
        here.submit(commands.Ask("test_total fails; mend it"))
        first = await here.judged()
        assert not first.verdict.green
        assert {finding.code for finding in first.verdict.targets_left} == {"tests/test_prices.py::test_total"}
        assert {finding.code for finding in first.verdict.broken} == {"tests/test_prices.py::test_discount"}
        assert tree(project) == before

        await here.until(lambda state: state.waiting == 2)
        proposal = here.state.proposal
        assert proposal is not None
        assert proposal.verdict is not None
        assert proposal.verdict.green
        assert [finding.code for finding in proposal.verdict.fixed] == ["tests/test_prices.py::test_total"]
        assert proposal.verdict.tree == proposal.tree
        assert tree(project) == before

        here.submit(commands.Accept(2))
        await here.seen(ev.TaskFinished)
        assert (project / "shop/prices.py").read_text() == MENDED
        assert {path for path, data in theirs(project).items() if data != before.get(path)} == {"shop/prices.py"}

        assert_each_extends_the_last(server)
        told = str(inputs(server)[2])
        assert "test_discount" in told
        assert "AssertionError" in told
        assert "Traceback" not in str([event for event in here.events if isinstance(event, ev.Noted)])

        here.submit(commands.Undo())
        await here.until(lambda state: state.landings[-1].undoes == 1 and state.landings[-1].stands == "landed")
        assert theirs(project) == before
    outcomes = [event.outcome for event in here.all(ev.TaskFinished)]
    assert outcomes == ["landed"]


@pytest.mark.parametrize("api", APIS)
async def test_requests_carry_what_the_protocol_asks(tmp_path: Path, api: str) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "AGENTS.md").write_text("Always write docstrings.\n")
    answers = [reasoning("Hm.") + call("list_files"), text("That is all.")]
    async with (
        ModelServer(answers) as server,
        running(project, flags(off=QUICK) | server_settings(server.base_url, api), KEY) as here,
    ):
        here.submit(commands.Ask("what is in here?"))
        await here.seen(ev.TaskFinished)
    first, second = (request.body for request in server.requests)
    assert "Always write docstrings." in str(first)
    assert "what is in here?" in str(first)
    names = [tool["name"] if api == "responses" else tool["function"]["name"] for tool in first["tools"]]
    assert names == [
        *("list_files", "read_file", "search", "symbols", "git", "debug", "run_command"),
        *("ask_human", "update_plan", "apply_patch", "run_checks"),
    ]
    assert first["tools"] == second["tools"]
    if api == "responses":
        assert first["store"] is False
        assert first["prompt_cache_key"] == here.session.id
        assert first["include"] == ["reasoning.encrypted_content"]
        replayed = [item for item in second["input"] if item["type"] == "reasoning"]
        assert replayed[0]["encrypted_content"]
        assert first["instructions"] == second["instructions"]
    assert all(KEY["OPENAI_API_KEY"] not in str(entry) for entry in here.events)


async def begin(here: Running, task: str = "mend total") -> None:
    """Give a task, and wait for its first proposal to be ready for a decision."""
    here.submit(commands.Ask(task))
    await here.until(lambda state: state.waiting == 1)


async def test_rejecting_drops_the_draft_and_says_why(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    before = tree(project)
    answers = [call("apply_patch", patch=WRONG), call("read_file", path="shop/prices.py"), text("As you say.")]
    async with (
        ModelServer(answers) as server,
        running(project, flags(off=QUICK) | server_settings(server.base_url, "chat"), KEY) as here,
    ):
        await begin(here)
        here.submit(commands.Reject(1, "one must not guess"))
        done = await here.seen(ev.TaskFinished)
    assert done.outcome == "answered"
    assert "one must not guess" in str(inputs(server)[1])
    read = str(inputs(server)[2][-1])
    assert "result += price" in read
    assert "price + 1" not in read
    assert tree(project) == before


async def test_steering_keeps_the_draft(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    answers = [call("apply_patch", patch=WRONG), call("apply_patch", patch=RIGHT)]
    async with (
        ModelServer(answers) as server,
        running(project, flags(off=QUICK) | server_settings(server.base_url, "chat"), KEY) as here,
    ):
        await begin(here)
        here.submit(commands.Steer("do not add one, take all prices"))
        await here.until(lambda state: state.waiting == 2)
        here.submit(commands.Accept(2))
        await here.seen(ev.TaskFinished)
    assert "do not add one" in str(inputs(server)[1])
    assert (project / "shop/prices.py").read_text() == MENDED


async def test_steering_while_the_partner_talks_reaches_the_next_request(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with ModelServer() as server:
        settings = flags(off=QUICK) | server_settings(server.base_url, "responses")
        async with running(project, settings, KEY) as here:
            answer = call("list_files")

            async def steered() -> None:
                here.submit(commands.Steer("only Python files, please"))
                await here.seen(ev.Steered)

            server.add(answer + held_until(steered), text("Done."))
            here.submit(commands.Ask("look around"))
            await here.seen(ev.TaskFinished)
    last = inputs(server)[1]
    assert "only Python files" in str(last[-1])
    assert_each_extends_the_last(server)


def held_until(wait: Callable[[], Awaitable[None]]) -> Answer:
    """See `tests.support.answers.held`."""

    return held(wait)


async def test_a_human_edit_during_the_checks_is_kept_and_told(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    answers = [call("apply_patch", patch=WRONG), call("apply_patch", patch=RIGHT)]
    async with (
        ModelServer(answers) as server,
        running(project, flags(off=QUICK) | server_settings(server.base_url, "chat"), KEY, watch=True) as here,
    ):
        await begin(here)
        prices = project / "shop/prices.py"
        prices.write_text("# my own remark\n" + prices.read_text())
        edit = await here.seen(ev.HumanEdited)
        assert edit.path == "shop/prices.py"
        assert "+# my own remark" in edit.diff
        # The proposal is carried over and checked anew, over the text as it is now.
        again = await here.seen(ev.ProposalMade, 2)
        assert again.number == 1
        await here.until(lambda state: state.waiting == 1)
        assert here.state.proposal is not None
        assert not here.state.proposal.stale
        here.submit(commands.Steer("go on"))
        await here.until(lambda state: state.waiting == 2)
        here.submit(commands.Accept(2))
        await here.seen(ev.TaskFinished)
        assert prices.read_text() == "# my own remark\n" + MENDED
        here.submit(commands.Undo())
        await here.until(lambda state: len(state.landings) == 2 and state.landings[1].stands == "landed")
        assert prices.read_text() == "# my own remark\n" + PRICES.lstrip("\n")
    assert "my own remark" in str(inputs(server)[1])
    assert [event.path for event in here.all(ev.HumanEdited)] == ["shop/prices.py"]


async def test_a_conflict_lands_nothing_and_says_where(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with (
        ModelServer([call("apply_patch", patch=WRONG)]) as server,
        running(project, flags(off=QUICK) | server_settings(server.base_url, "chat"), KEY) as here,
    ):
        await begin(here)
        prices = project / "shop/prices.py"
        prices.write_text(prices.read_text().replace("result += price", "result = result + price"))
        mine = tree(project)
        here.submit(commands.Accept(1))
        conflict = await here.seen(ev.LandingConflicted)
        assert any("shop/prices.py" in place for place in conflict.conflicts)
        assert tree(project) == mine
        await here.until(lambda state: state.waiting == 1)
        # The human makes room, and accepts again.
        prices.write_text(PRICES.lstrip("\n"))
        here.submit(commands.Accept(1))
        await here.seen(ev.TaskFinished)
        assert "price + 1" in prices.read_text()


async def test_interrupting_leaves_a_whole_conversation(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    before = tree(project)
    async with ModelServer() as server:
        settings = flags(off=QUICK) | server_settings(server.base_url, "responses")
        async with running(project, settings, KEY) as here:

            async def interrupted() -> None:
                await here.until(lambda state: "I think" in state.live)
                here.submit(commands.Interrupt())
                await here.seen(ev.TaskFinished)

            server.add(text("I think that ") + held_until(interrupted), text("Hello again."))
            here.submit(commands.Ask("mend total"))
            first = await here.seen(ev.TaskFinished)
            assert first.outcome == "interrupted"
            here.submit(commands.Ask("are you there?"))
            await here.seen(ev.TaskFinished, 2)
    assert "I think that" in str(inputs(server)[1])
    assert_each_extends_the_last(server)
    assert tree(project) == before


async def test_a_command_runs_only_when_allowed_and_never_in_the_working_tree(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    before = tree(project)
    command = call("run_command", command="echo made > made.txt; rm README.md; cat made.txt")
    async with (
        ModelServer([command, command, text("Thanks.")]) as server,
        running(project, flags(off=QUICK) | server_settings(server.base_url, "chat"), KEY) as here,
    ):
        here.submit(commands.Ask("run something"))
        for count, allowed in enumerate((False, True), 1):
            asked = await here.seen(ev.ApprovalAsked, count)
            assert "echo made" in asked.command
            here.submit(commands.Approve(asked.call_id, allowed=allowed))
        await here.seen(ev.TaskFinished)
    assert "did not allow" in str(inputs(server)[1][-1])
    assert "exit status 0" in str(inputs(server)[2][-1])
    assert tree(project) == before


async def test_auto_lands_when_green_and_stops_when_out_of_attempts(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    before = tree(project)
    settings = flags(off=("mypy",)) | {"loop": {"mode": "auto", "max_attempts": 2}}
    other = WRONG.replace("price + 1", "price + 2").replace(
        "-        result += price\n", "-        result += price + 1\n"
    )
    answers = [call("apply_patch", patch=WRONG), call("apply_patch", patch=other)]
    async with (
        ModelServer(answers) as server,
        running(project, settings | server_settings(server.base_url, "chat"), KEY) as here,
    ):
        here.submit(commands.Ask("test_total fails"))
        done = await here.seen(ev.TaskFinished)
        assert done.outcome == "not_green"
        assert "2 attempts" in done.text
        assert tree(project) == before
        server.add(call("apply_patch", patch=RIGHT.replace("price + 1", "price")))
        here.submit(commands.Ask("test_total fails, once more"))
        done = await here.seen(ev.TaskFinished, 2)
        assert done.outcome == "landed"
        assert (project / "shop/prices.py").read_text() == MENDED
