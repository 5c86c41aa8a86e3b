"""Choosing who proposes: the list fills while one looks at it, is searched, and takes one or says what is missing."""

from __future__ import annotations

import pytest

from agent_core import events as ev
from agent_core.commands import UsePartner
from agent_core.conversation import PartnerInfo
from agent_core.errors import ConfigError
from agent_core.partners.listing import Offer, OfferedModel
from tests.tui.driving import SIZES, Driver, running
from tests.tui.fake_session import FakeSession
from tui.screens.partners import PartnerList

HOSTILE = "sm\x1b[31mall[bold]"
OFFERS = (
    Offer(
        "ollama",
        "Ollama",
        "127.0.0.1:11434",
        (OfferedModel("qwen3-coder", 32768, current=True), OfferedModel(HOSTILE)),
        current=True,
    ),
    Offer("", "OpenAI", "api.openai.com", (OfferedModel("gpt-6.2-sol", 922000, 2.5, 10.0),)),
    Offer("mine", "mine", "10.0.0.1:80"),
    Offer("groq", "Groq", "api.groq.com", missing="Groq wants a key, and GROQ_API_KEY is not set."),
)


def begun(session: FakeSession) -> None:
    info = PartnerInfo("chat", "qwen3-coder via 127.0.0.1:11434", "qwen3-coder", 32768, "ollama")
    session.emit(ev.SessionStarted("s", "/p", "1"), ev.SettingsTold(info, "step", "bubblewrap", "python"))
    session.partners.listed = OFFERS


async def opened(driver: Driver) -> None:
    await driver.play(begun)
    await driver.press(*"/model", "enter")
    await driver.until(lambda: isinstance(driver.app.screen, PartnerList) and "gpt-6.2-sol" in driver.text)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_all_there_is_to_choose_from_is_shown(size: tuple[int, int]) -> None:
    async with running(size) as driver:
        await opened(driver)
        text = driver.text
        for told in ("●", "qwen3-coder", "Ollama (ollama), 127.0.0.1:11434", "33k", "922k $2.50/$10.00", "✗ groq"):
            assert told in text
        assert "GROQ_API_KEY is not set" in text
        assert "\x1b" not in text
        assert "[bold]" in text
        await driver.press("escape")
        assert driver.session.commands == []


async def test_enter_alone_changes_nothing() -> None:
    async with running() as driver:
        await driver.play(begun)
        driver.session.partners.listed = tuple(reversed(OFFERS))
        await driver.press(*"/model", "enter")
        await driver.until(lambda: isinstance(driver.app.screen, PartnerList) and "gpt-6.2-sol" in driver.text)
        await driver.press("enter")
        assert driver.session.commands == [UsePartner("ollama", "qwen3-coder")]


async def test_it_can_be_left_while_the_servers_are_still_asked() -> None:
    async with running() as driver:
        driver.session.partners.ready.clear()
        await driver.play(begun)
        await driver.press("tab", "W")
        await driver.until(lambda: "the servers are asked" in driver.text)
        await driver.press("enter")
        await driver.until(lambda: not isinstance(driver.app.screen, PartnerList))
        assert driver.session.commands == []


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("gpt", UsePartner("", "gpt-6.2-sol")),
        ("qcod", UsePartner("ollama", "qwen3-coder")),
        ("mine", UsePartner("mine")),
        ("ollama sm", UsePartner("ollama", HOSTILE)),
    ],
)
async def test_a_few_letters_find_one(typed: str, command: UsePartner) -> None:
    async with running() as driver:
        await opened(driver)
        await driver.press(*("space" if one == " " else one for one in typed), "enter")
        await driver.until(lambda: driver.session.commands)
        assert driver.session.commands == [command]


async def test_one_that_lacks_something_says_what() -> None:
    async with running() as driver:
        await opened(driver)
        await driver.press(*"groq", "enter")
        await driver.until(lambda: "GROQ_API_KEY is not set" in driver.text)
        assert driver.session.commands == []


async def test_what_is_typed_before_the_servers_have_answered_counts() -> None:
    async with running() as driver:
        driver.session.partners.ready.clear()
        await driver.play(begun)
        await driver.press(*"/model", "enter")
        await driver.until(lambda: isinstance(driver.app.screen, PartnerList))
        await driver.press(*"gpt")
        driver.session.partners.ready.set()
        await driver.until(lambda: "gpt-6.2-sol" in driver.text)
        assert "qwen3-coder  Ollama" not in driver.text
        await driver.press("enter")
        await driver.until(lambda: driver.session.commands)
        assert driver.session.commands == [UsePartner("", "gpt-6.2-sol")]


async def test_where_they_cannot_be_listed_that_is_said() -> None:
    async with running() as driver:
        driver.session.partners.error = ConfigError("config.toml:3: nonsense.")
        await driver.play(begun)
        await driver.press(*"/model", "enter")
        await driver.until(lambda: "config.toml:3: nonsense." in driver.text)


@pytest.mark.parametrize(
    ("typed", "command"), [("gpt-x", UsePartner("", "gpt-x")), ("ollama qwen3", UsePartner("ollama", "qwen3"))]
)
async def test_a_name_behind_the_command_takes_it_at_once(typed: str, command: UsePartner) -> None:
    async with running() as driver:
        await driver.play(begun)
        keys = ("space" if one == " " else one for one in f"/model {typed}")
        await driver.press(*keys, "enter")
        await driver.until(lambda: driver.session.commands)
        assert driver.session.commands == [command]
