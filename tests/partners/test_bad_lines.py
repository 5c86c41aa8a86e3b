"""Every fault of a line, at each point of a stream, over both APIs: what a real session makes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands, runaway
from agent_core import events as ev
from agent_core.chat_entries import Said
from agent_core.partners import retry, sse
from tests.partners.talk import APIS
from tests.support.answers import Answer, FaultKind, Point, call, error, fault, text
from tests.support.model_server import ModelServer
from tests.support.ports import reserved_port
from tests.support.running import Running, flags, running
from tests.support.shop import make_shop, theirs

OFF = ("syntax", "ruff", "mypy", "pytest")
WORDS = "First I look at the prices. "
WHOLE = text(WORDS) + call("read_file", call_id="call_once", path="shop/prices.py")

BROKEN: tuple[tuple[FaultKind, str], ...] = (
    ("cut", "broke in the middle"),
    ("half", ""),
    ("reset", "broke in the middle"),
    ("no_final", "in the middle"),
    ("garbage", "not JSON"),
    ("not_an_object", "not a JSON object"),
    ("utf8", "not JSON"),
    ("error_event", "upstream went away"),
    ("huge_event", "MB"),
)
BEFORE: tuple[tuple[Answer, str], ...] = (
    (error(429, "slow down", headers={"retry-after": "0.01"}), "slow down"),
    (error(429, "slow down", headers={"retry-after-ms": "10"}), "slow down"),
    (error(429, "slow down", headers={"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}), "slow down"),
    (error(500, "boom"), "boom"),
    (Answer(status=502, error="<html><title>Bad gateway</title><body>cloud</body></html>"), '"Bad gateway"'),
    (error(503, "overloaded"), "overloaded"),
    (error(529, "overloaded"), "529"),
    (error(408, "too slow"), "408"),
    (fault("empty"), "in the middle"),
    (fault("gzip"), "broke"),
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits before repetitions take no time."""
    monkeypatch.setattr(retry, "_FIRST_WAIT", 0.002)


@asynccontextmanager
async def talking(
    root: Path, api: str, server: ModelServer | str, *, retries: int = 1, timeout: float = 20.0, **more: Any
) -> AsyncIterator[Running]:
    """A session that talks to a server, and changes nothing."""
    project = root if root.exists() else make_shop(root)
    before = theirs(project)
    base_url = server if isinstance(server, str) else server.base_url
    partner = {"base_url": base_url, "api": api, "model": "test-model", "max_retries": retries, "timeout": timeout}
    settings = flags(off=OFF) | {"partner": partner | more}
    async with asyncio.timeout(110), running(project, settings, {"OPENAI_API_KEY": "sk-secret-for-tests"}) as here:
        yield here
    assert theirs(project) == before


async def asked(here: Running, server: ModelServer, answers: Sequence[Answer]) -> Sequence[ev.AnyEvent]:
    """Have a task worked on with these answers; gives its events."""
    server.add(*answers)
    tasks, begun, now = len(here.state.tasks), len(here.events), time.monotonic()
    here.submit(commands.Ask("look at the prices"))
    await here.until(lambda state: len(state.tasks) > tasks and state.task is None)
    assert time.monotonic() - now < 30
    return here.events[begun:]


def of(kind: type[ev.Event], events: Sequence[ev.AnyEvent]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


async def goes_on_from(here: Running, server: ModelServer, wrong: Answer, why: str) -> None:
    """A request that goes wrong is sent again, the very same, and what it calls is done once."""
    sent = len(server.requests)
    events = await asked(here, server, [wrong, WHOLE, text("All is well.")])
    what = f"{wrong.status} {wrong.fault} at {wrong.at}"
    assert of(ev.TaskFinished, events)[-1].outcome == "answered", what
    first, again, last = server.requests[sent:]
    assert first.raw == again.raw, what
    assert last.raw != again.raw, what
    (voided,) = of(ev.AnswerVoided, events)
    assert why in voided.reason, what
    assert (voided.attempt, voided.most, voided.offline) == (1, 1, False), what
    assert len(of(ev.ToolStarted, events)) == len(of(ev.ToolFinished, events)) == 1, what
    assert [one.text for one in of(ev.AnswerFinished, events)] == [WORDS, "All is well."], what
    # What was shown before it broke stays, marked as cut off; and the line says nothing of waiting any more.
    shown = [entry.partial for entry in here.state.chat if isinstance(entry, Said) and entry.who == "partner"]
    whole = wrong.status == 200 and wrong.fault not in {"empty", "gzip"} and wrong.at != "start"
    assert shown[-3:].count(True) == whole, what
    assert here.state.retry is None


@pytest.mark.parametrize("api", APIS)
async def test_what_goes_wrong_in_a_stream_is_repeated_from_the_same_input(
    tmp_path: Path, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "_MOST", 1_500_000)
    points: tuple[Point, ...] = ("start", "text", "call", "end")
    async with ModelServer() as server, talking(tmp_path / "shop", api, server) as here:
        for kind, why in BROKEN:
            for point in points:
                await goes_on_from(here, server, WHOLE + fault(kind, point), why)


@pytest.mark.parametrize("api", APIS)
async def test_what_goes_wrong_before_a_stream_is_repeated_too(tmp_path: Path, api: str) -> None:
    async with ModelServer() as server, talking(tmp_path / "shop", api, server) as here:
        for wrong, why in BEFORE:
            await goes_on_from(here, server, wrong, why)
        # The first may be a connection that was kept for too long, which is nobody's fault and not worth a word.
        events = await asked(here, server, [fault("drop"), fault("drop"), WHOLE, text("All is well.")])
        (voided,) = of(ev.AnswerVoided, events)
        assert "closed the connection before it answered" in voided.reason
        assert len(of(ev.ToolStarted, events)) == 1
        assert len({request.raw for request in server.requests[-4:-1]}) == 1


@pytest.mark.parametrize("api", APIS)
async def test_events_nobody_knows_do_no_harm(tmp_path: Path, api: str) -> None:
    points: tuple[Point, ...] = ("start", "text", "call", "end")
    async with ModelServer() as server, talking(tmp_path / "shop", api, server) as here:
        for point in points:
            events = await asked(here, server, [WHOLE + fault("unknown", point), text("All is well.")])
            assert of(ev.AnswerVoided, events) == []
            assert len(of(ev.ToolStarted, events)) == 1


@pytest.mark.parametrize("api", APIS)
async def test_a_stream_that_falls_silent_is_given_up(tmp_path: Path, api: str) -> None:
    silent: tuple[tuple[FaultKind, Point, str], ...] = (
        ("mute", "end", "sent nothing"),
        ("stall_at_once", "end", "sent nothing"),
        ("stall", "text", "sent nothing"),
        ("stall", "call", "sent nothing"),
        ("pings", "text", "said nothing"),
    )
    async with ModelServer() as server, talking(tmp_path / "shop", api, server, retries=9, timeout=0.9) as here:
        for kind, point, why in silent:
            sent = len(server.requests)
            events = await asked(here, server, [WHOLE + fault(kind, point), WHOLE, text("All is well.")])
            assert of(ev.TaskFinished, events)[-1].outcome == "answered"
            assert why in of(ev.AnswerVoided, events)[0].reason, (kind, point)
            assert server.requests[sent].raw == server.requests[sent + 1].raw
            assert len(of(ev.ToolStarted, events)) == 1


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("kind", "why"), [("endless", "longer than"), ("rut", "repeated itself")])
async def test_an_answer_without_an_end_is_cut_and_told(
    tmp_path: Path, api: str, kind: FaultKind, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runaway, "MOST", 30_000)
    async with ModelServer() as server, talking(tmp_path / "shop", api, server) as here:
        events = await asked(here, server, [WHOLE + fault(kind, "text"), text("All is well.")])
        await asyncio.wait_for(server.hung_up.wait(), 30)
        assert of(ev.TaskFinished, events)[-1].outcome == "answered"
        (voided,) = of(ev.AnswerVoided, events)
        assert why in voided.reason
        assert voided.retry_in is None
        told = server.requests[-1].raw.decode()
        assert "Your answer was cut off here" in told
        # What was said is kept, though not what it only repeated.
        assert "First I" in told
        assert told.count("I will now look at it.") == (kind == "rut")
        # It does so again and again: that is told, and has an end.
        events = await asked(here, server, [text("Well. ") + fault(kind)] * 3)
        assert (done := of(ev.TaskFinished, events)[-1]).outcome == "failed"
        assert "does not come to an end" in done.text


@pytest.mark.parametrize("api", APIS)
async def test_a_web_page_or_other_json_is_told_at_once(tmp_path: Path, api: str) -> None:
    async with ModelServer() as server, talking(tmp_path / "shop", api, server) as here:
        for wrong, words in ((fault("html"), "a web page"), (fault("json"), "application/json")):
            events = await asked(here, server, [wrong])
            done = of(ev.TaskFinished, events)[-1]
            assert (done.outcome, done.kind) == ("failed", "bad_request")
            assert words in done.text
            assert of(ev.AnswerVoided, events) == []


async def test_an_error_whose_words_have_no_end_is_told_by_its_status(tmp_path: Path) -> None:
    async with ModelServer() as server, talking(tmp_path / "shop", "chat", server, retries=0) as here:
        events = await asked(here, server, [error(500, "x" * 3_000_000)])
        done = of(ev.TaskFinished, events)[-1]
        assert done.kind == "server"
        assert len(done.text) < 1000


async def test_a_long_wait_is_told_and_can_be_skipped_or_stopped(tmp_path: Path) -> None:
    slow = error(429, "slow down", headers={"retry-after": "7200"})
    async with ModelServer() as server, talking(tmp_path / "shop", "chat", server, retries=2) as here:
        here.submit(commands.RetryNow())
        await here.until(lambda state: "No request waits" in str(state.chat))
        server.add(slow, text("There."))
        here.submit(commands.Ask("look"))
        state = await here.until(lambda state: state.retry is not None)
        assert state.retry is not None
        assert 7200 <= state.retry.seconds < 7201
        here.submit(commands.RetryNow())
        await here.until(lambda state: state.task is None)
        assert len(here.all(ev.RetryHurried)) == 1
        assert here.all(ev.AnswerFinished)[-1].text == "There."
        # Stopped instead; what was said before it broke is kept, and the next task has it.
        server.add(text(WORDS) + fault("cut"), slow, text("Now."))
        here.submit(commands.Ask("look"))
        await here.until(lambda state: state.retry is not None and state.retry.seconds > 60)
        here.submit(commands.Interrupt())
        await here.until(lambda state: state.task is None)
        assert here.all(ev.TaskFinished)[-1].outcome == "interrupted"
        assert here.state.retry is None
        here.submit(commands.Ask("look again"))
        await here.seen(ev.AnswerFinished, 2)
        assert WORDS.strip() in server.requests[-1].raw.decode()


async def test_offline_it_goes_on_once_the_server_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "OFFLINE_STEP", 0.02)
    with reserved_port() as port:
        async with talking(tmp_path / "shop", "chat", f"http://127.0.0.1:{port}/v1") as here:
            here.submit(commands.Ask("look"))
            await here.seen(ev.AnswerVoided, 6)
            state = here.state
            assert state.retry is not None
            assert state.retry.offline
            assert sum("No server could be reached" in str(entry) for entry in state.chat) == 1
            async with ModelServer([text("There.")], port=port):
                await here.until(lambda state: state.task is None)
        assert here.all(ev.TaskFinished)[-1].outcome == "answered"


async def test_offline_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "OFFLINE_STEP", 0.02)
    async with talking(tmp_path / "shop", "chat", "http://127.0.0.1:9/v1", offline=0.1) as here:
        here.submit(commands.Ask("look"))
        done = await here.seen(ev.TaskFinished)
    assert (done.outcome, done.kind) == ("failed", "unreachable")
    assert "Is the server running?" in done.text
