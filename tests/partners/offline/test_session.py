"""The built-in partner in a real session: begun without a key, asked, rejected, resumed, exchanged for another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands, doctor, repairing
from agent_core import events as ev
from agent_core.config import load
from agent_core.config_tables import Config
from agent_core.errors import ConfigError
from agent_core.partners import beginning
from agent_core.partners.several import Partners
from agent_core.repair.model import Difference, Found, Progress, Wanted
from tests.partners.offline.trying import found, repair
from tests.support.answers import text
from tests.support.model_server import ModelServer
from tests.support.running import Running, flags, running
from tests.support.shop import MENDED, PRICES, QUICK, make_shop

PLAIN = PRICES.lstrip("\n")
NO_KEY = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", "PAIRLOOP_MODEL": ""}
RIGHT = repair("prices[1:]", "prices", "shop/prices.py", PLAIN)
OTHER = repair("result = 0\n", "result = prices[0]\n", "shop/prices.py", PLAIN)
DIFFERENT = (Difference("total([])", ("0", "raises IndexError"), "prices is empty"),)


class Finder:
    """Finds the same for everybody."""

    def __init__(self, *differences: Difference) -> None:
        self.searches = 0
        self._differences = differences

    async def find(self, wanted: Wanted, tell: Callable[[Progress], None], enough: asyncio.Event) -> Found:
        assert not enough.is_set()
        assert wanted.kinds == ("tests",)
        self.searches += 1
        tell(Progress("trying", 1, 2, 0, "prices for prices[1:]"))
        return found(RIGHT, OTHER, differences=self._differences)


def settings(**partner: Any) -> dict[str, Any]:
    return flags("step", off=QUICK, partner={"discover": False, **partner})


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> Finder:
    """What a session searches with."""
    made = Finder(*DIFFERENT)

    async def finder_of(*_: object) -> Finder:
        return made

    monkeypatch.setattr(repairing, "finder_of", finder_of)
    return made


def mended_by(here: Running) -> str:
    """What the newest proposal makes of the file."""
    proposal = here.state.proposal
    assert proposal is not None
    [file] = proposal.patch.files
    assert file.after is not None
    return here.session.content(file.after).decode()


async def test_without_a_key_it_begins_asks_and_proposes(tmp_path: Path, finder: Finder) -> None:
    project = make_shop(tmp_path / "shop")
    async with running(project, settings(), NO_KEY) as here:
        note = await here.seen(ev.Noted)
        assert note.text.startswith("No key is set, so the built-in partner proposes")
        told = await here.seen(ev.SettingsTold)
        assert (told.partner.kind, told.partner.name) == ("offline", "the built-in partner (no model)")
        here.submit(commands.Ask("fix the failing tests"))
        question = await here.seen(ev.QuestionAsked)
        assert question.options[0].startswith("0 (prices for prices[1:]")
        here.submit(commands.Answer(question.call_id, question.options[1]))
        await here.until(lambda state: bool(state.waiting))
        assert "prices[0]" in mended_by(here)
        here.submit(commands.Reject(1, "the other one"))
        await here.until(lambda state: state.waiting == 2)
        assert mended_by(here) == MENDED
        here.submit(commands.Accept(2))
        assert (await here.seen(ev.TaskFinished)).outcome == "landed"
        assert finder.searches == 1
        assert here.state.usage.cost == 0.0
    assert (project / "shop/prices.py").read_text() == MENDED


async def test_who_proposes_without_a_key_is_said_at_length_once_a_session(tmp_path: Path, finder: Finder) -> None:
    project = make_shop(tmp_path / "shop")
    session, told = None, list[tuple[str, str]]()
    for _ in range(3):
        async with running(project, settings(), NO_KEY, resume=session) as here:
            await here.seen(ev.Noted)
            session = here.session.id
            told += [(one.text, one.hint) for one in here.all(ev.Noted) if "No key" in one.text]
    assert told[0][1]
    assert told[1:] == [("No key is set: the built-in partner still proposes; /model chooses.", "")] * 2
    assert finder.searches == 0


async def test_a_resumed_session_goes_on_with_what_was_found(tmp_path: Path, finder: Finder) -> None:
    project = make_shop(tmp_path / "shop")
    async with running(project, settings(use="builtin"), NO_KEY) as here:
        here.submit(commands.Ask("fix the failing tests"))
        question = await here.seen(ev.QuestionAsked)
        here.submit(commands.Answer(question.call_id, question.options[1]))
        await here.until(lambda state: bool(state.waiting))
        session = here.session.id
        # Who is named needs no word on how it came to be.
        assert not [one for one in here.all(ev.Noted) if "No key" in one.text]
    async with running(project, settings(use="builtin"), NO_KEY, resume=session) as here:
        # It is checked anew first.
        await here.seen(ev.DecisionAwaited)
        here.submit(commands.Reject(1))
        await here.until(lambda state: state.waiting == 2)
        assert mended_by(here) == MENDED
        here.submit(commands.Reject(2))
        await here.until(lambda state: state.task is None)
        assert "no other repair" in here.all(ev.AnswerFinished)[-1].text
    assert finder.searches == 1
    assert (project / "shop/prices.py").read_text() == PLAIN


async def test_from_a_model_to_it_and_back(tmp_path: Path, finder: Finder) -> None:
    project = make_shop(tmp_path / "shop")
    async with ModelServer([text("Hello."), text("I see what it found.")], models=("one",)) as server:
        one = settings(base_url=server.base_url, api="chat", max_retries=0)
        async with running(project, one, NO_KEY) as here:
            assert "builtin" in here.session.partners.names
            here.submit(commands.Ask("hello"))
            await here.seen(ev.TaskFinished)
            here.submit(here.session.partners.meant("builtin"))
            await here.seen(ev.PartnerChosen)
            here.submit(commands.Ask("write a poem"))
            await here.seen(ev.TaskFinished, 2)
            assert here.all(ev.AnswerFinished)[-1].text.startswith("I understand no words.")
            here.submit(commands.Ask("fix the failing tests"))
            question = await here.seen(ev.QuestionAsked)
            here.submit(commands.Answer(question.call_id, ""))
            await here.until(lambda state: bool(state.waiting))
            here.submit(commands.Accept(here.state.waiting))
            await here.seen(ev.TaskFinished, 3)
            session = here.session.id
        # Who was chosen is who proposes when it is resumed.
        async with running(project, one, NO_KEY, resume=session) as here:
            assert (await here.seen(ev.SettingsTold)).partner.kind == "offline"
            assert here.session.partners.meant("one") == commands.UsePartner("", "one"), "it has no models itself"
            here.submit(here.session.partners.meant("one"))
            await here.seen(ev.PartnerChosen)
            here.submit(commands.Ask("and now?"))
            await here.seen(ev.TaskFinished)
            assert here.all(ev.AnswerFinished)[-1].text == "I see what it found."
    assert finder.searches == 1
    assert len(server.requests) == 2


def test_by_its_name_it_is_what_is_meant_unless_the_human_has_another_of_that_name(tmp_path: Path) -> None:
    flag = {"partner": {"use": "builtin"}}
    own = {**flag, "partners": {"builtin": {"base_url": "http://127.0.0.1:9/v1"}}}
    for given, kind in ((flag, "offline"), (own, "chat")):
        partners = Partners(load(tmp_path, given, NO_KEY), NO_KEY)
        assert partners.names.count("builtin") == 1
        assert partners.open("builtin").partner.model.info.kind == kind
    with pytest.raises(ConfigError, match="no models to choose from"):
        load(tmp_path, {"partner": {"use": "builtin", "model": "x"}}, NO_KEY)
    with pytest.raises(ConfigError, match='no partner "built"') as caught:
        load(tmp_path, {"partner": {"use": "built"}}, NO_KEY)
    assert "builtin" in caught.value.hint


async def test_doctor_says_that_it_would_be_the_built_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody() -> tuple[()]:
        return ()

    monkeypatch.setattr(doctor, "discover", nobody)
    monkeypatch.setattr(beginning, "discover", nobody)
    [entry] = await doctor._partner(Config(), NO_KEY)
    assert (entry.level, entry.name) == ("good", "partner")
    assert entry.text.startswith("the built-in partner (no model): repairs failing tests")
    assert "pairloop key set" in entry.hint
