"""A wait before a request is sent again, told where there is no screen; a context that is full, over both APIs."""

from __future__ import annotations

import asyncio
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from agent_core import aside, commands, headless
from agent_core import events as ev
from agent_core.build import Engine
from agent_core.config_tables import PartnerConfig
from agent_core.errors import PartnerError
from agent_core.headless import GREEN, NOT_GREEN, PARTNER, execute
from agent_core.partners import retry
from agent_core.partners.build import build_partner
from agent_core.state import RetryState, State
from agent_core.story import Note
from agent_core.telling import story_of
from tests.partners.talk import APIS
from tests.support.answers import error, text
from tests.support.model_server import ModelServer
from tests.support.running import Running, flags, running, server_settings
from tests.support.shop import make_shop, theirs
from tui.plain import orders
from tui.plain.status import doing_of
from tui.plain.telling import Teller

OFF = ("syntax", "ruff", "mypy", "pytest")


async def executed(project: Path, base_url: str, *, json: bool = False) -> tuple[int, str]:
    """The exit code and the lines of a task that is worked on without a screen."""
    out = io.StringIO()
    environ = dict(os.environ) | {"OPENAI_API_KEY": "sk-test"}
    engine = Engine(project, flags(off=OFF) | server_settings(base_url, "chat"), environ, watch=False)
    async with asyncio.timeout(60):
        code = await execute(engine, "look at it", json=json, out=out)
    return code, out.getvalue()


async def test_exec_tells_of_a_wait_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST_WAIT", 0.002)
    async with ModelServer([error(503, "overloaded"), text("All is well.")]) as server:
        code, told = await executed(make_shop(tmp_path / "shop"), server.base_url)
    assert code in {GREEN, NOT_GREEN}
    assert "! 127.0.0.1" in told
    assert '"overloaded". Trying again in 1 s (1 of 1).' in told
    assert "All is well." in told


async def test_exec_waits_for_nobody_for_long(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    before = theirs(project)
    async with ModelServer([error(429, "slow down", headers={"retry-after": "7200"})]) as server:
        code, told = await executed(project, server.base_url)
        assert len(server.requests) == 1
    assert code == PARTNER
    assert "to wait for 2 hours" in told
    assert "Stopped: the partner is to be waited for 7200 seconds. Nothing was landed" in told
    assert theirs(project) == before


async def test_exec_gives_up_where_nobody_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "OFFLINE_STEP", 0.01)
    monkeypatch.setattr(headless, "_LONGEST_AWAY", 0.1)
    project = make_shop(tmp_path / "shop")
    code, told = await executed(project, "http://127.0.0.1:9/v1")
    assert code == PARTNER
    assert told.count("No server could be reached at http://127.0.0.1:9/v1") == 1
    assert "Stopped: the partner cannot be reached." in told
    code, told = await executed(project, "http://127.0.0.1:9/v1", json=True)
    events = [json.loads(line)["event"] for line in told.splitlines()]
    voided = [event for event in events if event["type"] == "AnswerVoided"]
    assert all(event["offline"] and event["retry_in"] for event in voided)
    assert events[-1]["outcome"] == "interrupted"
    assert code == PARTNER


TOO_LONG: tuple[Any, ...] = (
    error(400, "Your input exceeds the context window of this model.", code="context_length_exceeded"),
    error(400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."),
    error(400, "the request exceeds the available context size. try increasing the context size"),
    error(400, "Trying to keep the first 5000 tokens when context the overflows."),
    error(413, "Request Entity Too Large"),
)


async def done(here: Running, tasks: int) -> None:
    """Wait until so many tasks have ended."""
    await here.until(lambda state: len(state.tasks) == tasks and state.task is None)


@pytest.mark.parametrize("api", APIS)
async def test_a_context_that_is_full_is_made_shorter_and_the_request_sent_once_more(tmp_path: Path, api: str) -> None:
    async with (
        ModelServer() as server,
        running(
            make_shop(tmp_path / "shop"),
            flags(off=OFF) | server_settings(server.base_url, api),
            {"OPENAI_API_KEY": "sk-test"},
        ) as here,
    ):
        for number, refusal in enumerate(TOO_LONG):
            for words in ("first", "second"):
                server.add(text(f"{words} words {number}: " + " ".join(f"word{one}" for one in range(400))))
                here.submit(commands.Ask(f"tell me of {words}: " + " ".join(f"thing{one}" for one in range(400))))
                tasks = 3 * number + (1 if words == "first" else 2)
                await done(here, tasks)
            server.add(refusal, text("A summary."), text("It is done."))
            here.submit(commands.Ask("and now?"))
            await done(here, 3 * (number + 1))
            assert here.all(ev.TaskFinished)[-1].outcome == "answered", number
            compacted = here.all(ev.Compacted)
            assert [one.why for one in compacted] == ["refused"] * (number + 1)
            assert len(server.requests[-1].raw) < len(server.requests[-3].raw)


async def test_a_side_request_does_not_wait_where_nobody_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_FIRST_WAIT", 0.002)
    monkeypatch.setattr(retry, "OFFLINE_STEP", 0.01)
    monkeypatch.setattr(aside, "_MOST_AWAY", 0.05)
    async with ModelServer([error(429, "slow down", headers={"retry-after": "300"})]) as server:
        for base_url, words in (
            (server.base_url, "5 minutes"),
            ("http://127.0.0.1:9/v1", "No server could be reached"),
        ):
            partner = build_partner(PartnerConfig(base_url=base_url, model="m"), {})
            async with asyncio.timeout(20):
                with pytest.raises(PartnerError, match=words):
                    await aside.ask_aside(partner, "Sum it up.", "Much.", cache_key="x")
            await partner.close()


def test_plain_lines_tell_of_a_wait_and_how_to_end_it() -> None:
    told: list[str] = []
    teller = Teller(lambda *lines: told.extend(lines), lambda _: b"")
    teller.tell(ev.AnswerVoided("It is busy.", 12.4, 2, 4), State())
    for number in range(1, 4):
        teller.tell(ev.AnswerVoided("Offline: it cannot be reached.", 1.0, number, 0, offline=True), State())
    teller.tell(ev.AnswerVoided("It was cut off."), State())
    assert told == [
        "It is busy. Trying again in 12 seconds, 2 of 4. Say retry to have it now, or stop.",
        (
            "Offline: it cannot be reached. Trying again in 1 second, and on until it is there. "
            "Say retry to have it now, or stop."
        ),
        "It was cut off.",
    ]
    retry = RetryState(12.0, "It is busy.", 2, 4)
    assert "waits to be asked again" in doing_of(State(phase="thinking", retry=retry))
    assert "cannot be reached" in doing_of(State(phase="thinking", retry=RetryState(5.0, offline=True)))
    assert orders.read("retry") == orders.Order("retry")


def test_a_story_tells_once_that_it_is_offline() -> None:
    away = [ev.AnswerVoided("Offline.", 1.0, number, 0, offline=True) for number in range(1, 9)]
    story = story_of("s", [ev.Entry(number, 0.0, event) for number, event in enumerate(away)])
    assert [part.text for part in story.parts if isinstance(part, Note)] == ["Offline."]
