"""The prompt keeps its prefix whatever comes to a session.

Servers of tools, skills, rules of folders, plans, patches that do not fit, another partner and back, a budget, a
request that fails, an end and a new beginning.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from tests.projects import write_files
from tests.support.model_server import Answer, ModelServer, Received, call, error, held, reasoning, text
from tests.support.running import Running, flags, running
from tests.support.shop import QUICK, make_shop
from tests.test_prefix import UNFIT, items_of

RAW = Path(__file__).parent / "support" / "raw_mcp.py"
SKILL = "---\nname: {name}\ndescription: Use it {when}\n---\nSlowly.\n"
STEPS = [{"text": "Look", "status": "doing"}]


def rest(sent: Received) -> str:
    """What beside the input is to stay the same, whoever is asked."""
    body = sent.body
    return json.dumps([body.get("instructions"), body["tools"]])


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_each_request_extends_the_one_before_with_all_that_there_is(tmp_path: Path, api: str) -> None:
    project = make_shop(tmp_path / "shop")
    write_files(
        project,
        {
            "AGENTS.md": "Be brief.\n",
            "shop/AGENTS.md": "No floats here.\n",
            ".pairloop/skills/one/SKILL.md": SKILL.format(name="one", when="always"),
        },
    )
    here: Running

    async def meanwhile() -> None:
        # A skill is written, rules change, and a word is said, while the partner answers.
        write_files(
            project,
            {
                ".pairloop/skills/two/SKILL.md": SKILL.format(name="two", when="now"),
                "shop/AGENTS.md": "No floats here, and no globals.\n",
            },
        )
        here.submit(commands.Steer("Mind the tests."))
        await here.seen(ev.Steered)

    first: list[Answer] = [
        reasoning("Hm.") + call("update_plan", steps=STEPS) + call("h__zeta", thing=1),
        call("read_file", path="shop/prices.py") + held(meanwhile),
        error(500),
        call("read_skill", name="two"),
        UNFIT,
        UNFIT,
        UNFIT,
        call("update_plan", steps=[]),
        text("I cannot."),
    ]
    later = [call("read_file", path="README.md"), text("There is little."), text("Well."), call("h__zeta"), text("So.")]
    server_of = {"h": {"command": [sys.executable, str(RAW), "changes"]}}
    async with ModelServer([*first, *later, *[text("Well.")] * 3]) as server:
        common = {"base_url": server.base_url, "api": api, "model": "a", "max_retries": 1, "timeout": 20.0}
        settings = flags(
            "step",
            off=("syntax", "ruff", *QUICK),
            partner=common,
            partners={"two": {**common, "model": "b"}},
            mcp=server_of,
            permissions={"allow": ["mcp *"]},
            budget={"task_tokens": 40},
        )

        async def task(words: str) -> None:
            done = _finished(here)
            here.submit(commands.Ask(words))
            while _finished(here) == done:
                await here.until(lambda state: state.budget is not None or _finished(here) > done)
                if here.state.budget is not None:
                    here.submit(commands.RaiseBudget(0.0))
                    await here.until(lambda state: state.budget is None)

        async with running(project, settings) as here:
            session = here.session.id
            await task("Mend it.")
            here.submit(commands.UsePartner("two"))
            await here.seen(ev.PartnerChosen)
            await task("And now?")
            here.submit(commands.UsePartner(""))
            await here.seen(ev.PartnerChosen, 2)
            await task("And you?")
            seen = {type(event) for event in here.events}
            assert {ev.BudgetReached, ev.PlanUpdated, ev.AnswerVoided, ev.Steered, ev.PatchRejected} <= seen
        async with running(project, settings, resume=session) as here:
            await task("Once more.")
        sent = server.requests
    whole = "".join(items_of(sent[-1]))
    for words in ("No floats", "no globals", "Use it now", "Mind the tests.", "called", "Once more."):
        assert words in whole, words
    for number, (before, after) in enumerate(pairwise(sent), 1):
        assert items_of(after)[: len(items_of(before))] == items_of(before), number
        assert rest(after) == rest(before), number


def _finished(here: Running) -> int:
    return len(here.all(ev.TaskFinished))
