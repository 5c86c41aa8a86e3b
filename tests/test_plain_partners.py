"""Choosing who proposes without a screen: numbered lines, a number or a name takes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_core.commands import UsePartner
from agent_core.partners.listing import Offer, OfferedModel
from tests.support.plain_talk import script_of, talking
from tests.support.shop import make_shop
from tests.tui.fake_session import FakeSession
from tui.plain import orders
from tui.plain.partners import Partners, numbered

MODELS = tuple(OfferedModel(f"m{number}", current=number == 1) for number in range(50))
OFFERS = (
    Offer("work", "work", "10.0.0.1:80", MODELS, current=True),
    Offer("mine", "mine"),
    Offer("groq", "Groq", missing="Groq wants a key."),
)


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("model", orders.Order("model")),
        ("/model", orders.Order("model")),
        ("model 3", orders.Order("model", 3)),
        ("/model 3", orders.Order("model", 3)),
        ("/model ollama qwen3", orders.Order("model", text="ollama qwen3")),
        ("model the data", None),
    ],
)
def test_what_is_said_of_partners_is_told_from_words_to_the_partner(line: str, order: orders.Order | None) -> None:
    assert orders.read(line) == order


def test_all_are_told_with_their_numbers() -> None:
    commands, lines = numbered(OFFERS)
    assert lines[:3] == ["work, 10.0.0.1:80, which proposes now:", "1 m0", "2 m1, in force"]
    assert "and 10 more: /model work and the model's name takes one" in lines
    assert commands[1] == UsePartner("work", "m1")
    assert commands[-1] == UsePartner("mine")
    assert lines[-2:] == [
        "Not to be used yet: groq. /model and one of these names says what is missing.",
        "Type model and a number, or /model and a name.",
    ]
    assert numbered(OFFERS[2:])[1][-1] == "None can be used yet."


async def test_a_number_or_a_name_takes_one() -> None:
    session, said = FakeSession(), list[str]()
    session.partners.listed = OFFERS
    partners = Partners(session, lambda *texts: said.extend(texts), session.submit)
    partners.obey(2, "")
    assert session.commands == []
    assert "There is no model 2" in said[-1]
    partners.obey(0, "")
    assert partners._asking is not None
    await partners._asking
    partners.obey(2, "")
    partners.obey(0, "work m9")
    assert session.commands == [UsePartner("work", "m1"), UsePartner("work", "m9")]


async def test_in_a_session(tmp_path: Path) -> None:
    script = script_of(tmp_path / "script.json", {"text": "I see."})
    async with talking(make_shop(tmp_path / "shop"), script) as talked:
        await talked.told("Type a task")
        talked.answer("model")
        await talked.told("which proposes now:")
        await talked.told("Not to be used yet: ")
        talked.answer("/model groq")
        await talked.told("GROQ_API_KEY is not set")
        await talked.told("goes on proposing")
