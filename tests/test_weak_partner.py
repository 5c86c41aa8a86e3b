"""What the loop does for partners that write code down, forget the tool, or say the same again."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.prompt import replies
from tests.support.answers import call, text
from tests.support.model_server import ModelServer
from tests.support.running import flags, running, server_settings
from tests.support.shop import BROKEN, MENDED, QUICK, RIGHT_AT_ONCE, make_shop

CODE = "It must be so:\n```python\nfor price in prices:\n    result += price\n```"
OFF_THE_MARK = RIGHT_AT_ONCE.replace("-        result += price", "-        result += money")


def said(server: ModelServer, request: int) -> str:
    """The last thing a request says."""
    body = server.requests[request].body
    return str((body["input"] if "input" in body else body["messages"])[-1])


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_repairs_are_asked_for_and_a_rut_is_left(tmp_path: Path, api: str) -> None:
    project = make_shop(tmp_path / "shop")
    # Code in words is taken for a failed change only from partners behind compatible servers' Chat Completions.
    opening = [text(CODE)] if api == "chat" else []
    answers = [
        *opening,
        text("I call apply_patch with it."),
        call("apply_patch", "one", patch=OFF_THE_MARK),
        call("apply_patch", "two", patch=OFF_THE_MARK),
        call("apply_patch", "three", patch=RIGHT_AT_ONCE),
    ]
    async with (
        ModelServer(answers) as server,
        running(project, flags("auto", off=QUICK) | server_settings(server.base_url, api)) as here,
    ):
        here.submit(commands.Ask("mend total in shop/prices.py"))
        done = await here.seen(ev.TaskFinished)
    assert done.outcome == "landed"
    assert (project / "shop/prices.py").read_text() == MENDED

    start = len(opening)
    first = said(server, 0)
    assert "for price in prices[1:]" in first, "the file that the task names goes along"
    if opening:
        assert "Code in your message changes nothing" in said(server, 1)
    assert "holds none that can be read" in said(server, start + 1)
    refused = said(server, start + 2)
    assert "result += money" in refused
    assert "for price in prices[1:]" in refused, "the closest place goes with the refusal"
    assert "shop/prices.py: as it was shown to you before, letter by letter." in refused
    assert "return result" not in refused, "what stands in the conversation is not sent once more"
    assert "exactly the same again" in said(server, start + 3)
    heat = [request.body["temperature"] for request in server.requests]
    assert heat[:-1] == [0.0] * (start + 3)
    assert heat[-1] > 0.3


@pytest.mark.parametrize("words", ["I will mend it.", "", "<tool_response>\n[Proposal 2 was checked: green]"])
async def test_words_alone_on_a_red_proposal_are_asked_about_once(tmp_path: Path, words: str) -> None:
    project = make_shop(tmp_path / "shop")
    answers = [call("apply_patch", patch=BROKEN), text(words), text("I really will.")]
    async with (
        ModelServer(answers) as server,
        running(project, flags("auto", off=QUICK) | server_settings(server.base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("add a module"))
        done = await here.seen(ev.TaskFinished)
    assert done.outcome == "not_green"
    assert replies.NUDGE in said(server, 2)
    assert len(server.requests) == 3


async def test_an_answer_with_code_is_taken_for_an_answer_when_it_is_kept_to(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with (
        ModelServer([text(CODE), text("It was only an example.")]) as server,
        running(project, flags(off=QUICK) | server_settings(server.base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("how could it look?"))
        done = await here.seen(ev.TaskFinished)
    assert done.outcome == "answered"
    assert len(server.requests) == 2


async def test_an_empty_answer_is_asked_about_and_counts_as_none(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    refused, right = (call("apply_patch", patch=one) for one in (OFF_THE_MARK, RIGHT_AT_ONCE))
    async with (
        ModelServer([refused, text(""), right, *[text("")] * 4]) as server,
        running(project, flags("auto", off=QUICK) | server_settings(server.base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("mend total in shop/prices.py"))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert replies.EMPTY in said(server, 2)
        here.submit(commands.Ask("and now?"))
        done = await here.seen(ev.TaskFinished, 2)
    assert done.outcome == "not_green"
    assert "answer was empty" in done.text
    assert len(server.requests) == 7


async def test_a_patch_may_come_as_a_list_of_its_lines(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    answers = [call("apply_patch", patch=one) for one in (OFF_THE_MARK.split("\n"), [1], RIGHT_AT_ONCE.split("\n"))]
    async with (
        ModelServer(answers) as server,
        running(project, flags("auto", off=QUICK) | server_settings(server.base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("mend it"))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
    assert "for price in prices[1:]" in said(server, 1), "the file as it is goes with the refusal"
    assert "The arguments hold no patch" in said(server, 2)


async def test_a_file_that_was_not_shown_yet_goes_with_a_refusal(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    answers = [call("apply_patch", "one", patch=OFF_THE_MARK), text("I give up."), text("Really.")]
    async with (
        ModelServer(answers) as server,
        running(project, flags("auto", off=QUICK) | server_settings(server.base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("mend the sum"))
        await here.seen(ev.TaskFinished)
    refused = said(server, 1)
    assert "return result" in refused
    assert "as it was shown to you before" not in refused


async def test_a_small_window_gets_small_texts(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "README.md").write_text("Words about the shop, again and again.\n" * 2000)
    sizes = []
    for window in (0, 4096):
        settings = flags("auto", off=QUICK)
        async with ModelServer([text("Nothing."), text("Nothing.")]) as server:
            told = server_settings(server.base_url, "chat")
            told["partner"]["context_window"] = window
            async with running(project, settings | told) as here:
                here.submit(commands.Ask("what is this"))
                await here.seen(ev.TaskFinished)
            sizes.append(len(said(server, 0)))
    assert sizes[0] > 16_000
    assert sizes[1] < 4096
