"""What the loop does for partners that write code down, forget the tool, or say the same again."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.patch.report import Report
from agent_core.prompt import replies
from tests.support.answers import call, text
from tests.support.model_server import ModelServer
from tests.support.running import flags, running, server_settings
from tests.support.shop import BROKEN, MENDED, QUICK, RIGHT_AT_ONCE, make_shop

CODE = "It must be so:\n```python\nfor price in prices:\n    result += price\n```"
OFF_THE_MARK = RIGHT_AT_ONCE.replace("-        result += price", "-        result += money")


def pinned(base_url: str, form: str, api: str = "chat") -> dict[str, Any]:
    """The settings for a test server, with one form of patches."""
    settings = server_settings(base_url, api)
    settings["partner"]["format"] = form
    return settings


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
        running(project, flags("auto", off=QUICK) | pinned(server.base_url, "envelope", api)) as here,
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
        running(project, flags("auto", off=QUICK) | pinned(server.base_url, "envelope")) as here,
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
        running(project, flags("auto", off=QUICK) | pinned(server.base_url, "envelope")) as here,
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


@pytest.mark.parametrize(("window", "small"), [(8192, True), (65_536, False)])
async def test_a_task_begun_at_once_waits_for_how_much_the_partner_reads(
    tmp_path: Path, window: int, small: bool
) -> None:
    project = make_shop(tmp_path / "shop")
    async with ModelServer([text("Nothing."), text("Nothing.")], tells={"max_model_len": window}) as server:
        async with running(project, flags("auto", off=QUICK) | server_settings(server.base_url, "chat")) as here:
            here.submit(commands.Ask("what is this"))
            await here.seen(ev.TaskFinished)
        offered = {tool["function"]["name"] for tool in server.requests[0].body["tools"]}
        assert "apply_patch" in offered
        assert ("symbols" in offered) is not small
        assert ("# A map of the project" in said(server, 0)) is not small


BLOCK = """\
shop/prices.py
<<<<<<< SEARCH
    for price in prices[1:]:
=======
    for price in prices:
>>>>>>> REPLACE
"""


def all_said(server: ModelServer, request: int) -> list[str]:
    """What a request says, item by item, the instructions apart."""
    body = server.requests[request].body
    return [str(one.get("content") or one.get("output")) for one in body.get("input") or body["messages"][1:]]


async def test_patches_that_fail_are_asked_for_in_another_form_and_that_is_remembered(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    whole = f"Here it is.\n\nshop/prices.py\n```python\n{MENDED}```\n"
    left_out = (
        "shop/prices.py\n```python\ndef total(prices):\n    return sum(prices)\n# ... rest of the code unchanged\n```"
    )
    answers = [
        call("apply_patch", patch=OFF_THE_MARK),
        text("The patch was refused."),
        text(BLOCK.replace("prices[1:]", "goods[1:]")),
        text(BLOCK.replace("prices[1:]", "wares[1:]")),
        text(left_out),
        text(whole),
    ]
    async with (
        ModelServer(answers) as server,
        running(project, flags("auto", off=QUICK) | server_settings(server.base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("mend total in shop/prices.py"))
        done = await here.seen(ev.TaskFinished)
        assert done.outcome == "landed"
        assert (project / "shop/prices.py").read_text() == MENDED
        told = [all_said(server, number)[-1] for number in range(6)]
        assert "-        result += money" not in told[2]
        assert "From now on write a change as a SEARCH/REPLACE block" in told[2]
        assert "shop/prices.py\n<<<<<<< SEARCH\n    for price in prices[1:]:" in told[2], "on what it has meant"
        assert "its lines are not in the file" in told[3]
        assert "From now on send whole files" in told[4]
        assert "    for price in prices[1:]:\n        result += price\n" in told[4], "the file as it is goes along"
        assert "line 3, '# ... rest of the code unchanged', stands for lines that are left out" in told[5]
        first = [request.body["messages"] for request in server.requests]
        for before, after in itertools.pairwise(first):
            assert after[: len(before)] == before, "each request extends the one before"
        tools = [request.body["tools"] for request in server.requests]
        assert all(one == tools[0] for one in tools)
        notes = [event.text for event in here.all(ev.Noted) if "is asked for" in event.text]
        assert [note.rpartition("asked for ")[2] for note in notes] == [
            "SEARCH/REPLACE blocks from now on.",
            "whole files from now on.",
        ]
        base_url = server.base_url
        # Another session with the same model begins with the form that worked.
        server.add(text("Nothing is to be done."))
        async with running(project, flags(off=QUICK) | server_settings(base_url, "chat")) as again:
            again.submit(commands.Ask("what is this"))
            await again.seen(ev.TaskFinished)
        assert "From now on send whole files" in all_said(server, 6)[0]


async def test_who_sends_the_example_is_told_of_the_file_that_was_meant(tmp_path: Path) -> None:
    example = (
        'greet.py\n<<<<<<< SEARCH\n    return "Bye, " + name\n=======\n    return "Hello, " + name\n>>>>>>> REPLACE\n'
    )
    answers = [
        call("apply_patch", patch=OFF_THE_MARK),
        text("The patch was refused."),
        text(example),
        text(f"Once more.\n\n{example}"),
        text(f"shop/prices.py\n```python\n{MENDED}```\n"),
    ]
    project = make_shop(tmp_path / "shop")
    async with (
        ModelServer(answers) as server,
        running(project, flags("auto", off=QUICK) | server_settings(server.base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("mend total in shop/prices.py"))
        done = await here.seen(ev.TaskFinished)
    assert done.outcome == "landed"
    refused = all_said(server, 3)[-1]
    assert "greet.py (line 2 of the patch): there is no such file" in refused
    told = next(words for words in all_said(server, 4) if "From now on send whole files" in words)
    assert "This is shop/prices.py as it is now" in told


async def test_a_form_that_is_set_is_kept_to(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    wrong = BLOCK.replace("prices[1:]", "goods[1:]")
    answers = [
        text(wrong),
        text(wrong),
        text(wrong + "\n"),
        text("I give up."),
        text("Really."),
        text("So."),
        text("No."),
    ]
    async with (
        ModelServer(answers) as server,
        running(project, flags(off=QUICK) | pinned(server.base_url, "blocks")) as here,
    ):
        here.submit(commands.Ask("mend total"))
        done = await here.seen(ev.TaskFinished)
    assert done.outcome in {"answered", "not_green"}
    words = [one for number in range(len(server.requests)) for one in all_said(server, number)]
    assert "From now on write a change as a SEARCH/REPLACE block" in all_said(server, 0)[0]
    assert not any("send whole files" in one for one in words)


async def test_what_comes_again_is_told_in_short(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "long.txt").write_text("".join(f"line {number} of the file\n" for number in range(60)))
    read = call("read_file", path="long.txt")
    answers = [
        read,
        read,
        call("apply_patch", patch=OFF_THE_MARK),
        call("apply_patch", patch=OFF_THE_MARK),
        text("No."),
    ]
    async with (
        ModelServer([*answers, text("No."), text("No.")]) as server,
        running(project, flags("auto", off=QUICK) | pinned(server.base_url, "envelope")) as here,
    ):
        here.submit(commands.Ask("mend it"))
        await here.seen(ev.TaskFinished)
        rejected = [event.message for event in here.all(ev.PatchRejected)]
    assert "line 59 of the file" in all_said(server, 1)[-1]
    assert replies.SAME_RESULT in all_said(server, 2)
    assert sum("line 59 of the file" in one for one in all_said(server, 2)) == 1
    assert "its lines are not in the file" in rejected[0]
    assert rejected[1] == "The same patch came again and was refused for the same reason, 2 times now."


def test_reasons_that_are_the_same_are_listed_once() -> None:
    report = Report()
    for number in (1, 2, 3):
        report.fail(f"a.py, hunk {number}", "its lines are not in the file.")
    report.fail("b.py", "there is no such file.")
    message = str(report.refusal(changes=False))
    assert message.count("its lines are not in the file.") == 1
    assert (
        "- a.py, hunk 1; a.py, hunk 2; a.py, hunk 3: its lines are not in the file. (the same reason, 3 times)"
        in message
    )
