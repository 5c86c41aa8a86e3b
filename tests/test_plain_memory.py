"""The memory of a session without a screen: listed, added to, rewritten, forgotten, by what is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_core.fold import fold
from agent_core.state import State
from tests.memory.test_recollection import TOLD
from tests.support.plain_talk import script_of, talking
from tests.support.shop import make_shop
from tui.plain import orders
from tui.plain.memory import memory_lines


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("memory", orders.Order("memory")),
        ("/memory", orders.Order("memory")),
        ("/remember prices are in cents", orders.Order("remember", text="prices are in cents")),
        ("remember prices are in cents", None),
        ("forget said:2", orders.Order("forget", text="said:2")),
        ("/restore said:2", orders.Order("restore", text="said:2")),
        ("forget what I said", None),
    ],
)
def test_what_is_said_of_the_memory_is_told_from_words_to_the_partner(line: str, order: orders.Order | None) -> None:
    assert orders.read(line) == order


def test_all_of_it_is_listed_by_name() -> None:
    state = State()
    for event in TOLD:
        state = fold(state, event)
    lines = list(memory_lines(state))
    assert "said:1, you said it while task 1 was worked on: leave the tests alone" in lines
    assert "against it: tests/test_a.py::test_b: assert 1 == 2 (tests/test_a.py:3)" in lines
    assert next(memory_lines(State())).startswith("The partner has been told 0 items so far")
    assert "Nothing else is remembered yet." in list(memory_lines(State()))


async def test_a_note_is_written_rewritten_forgotten_and_restored(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with talking(project, script_of(tmp_path / "script.json", {"text": "I see."})) as talked:
        await talked.told("Type a task")
        talked.answer("/remember prices are in cents")
        await talked.told("Remembered: prices are in cents.")
        talked.answer("/remember note:1 all prices are in cents")
        await talked.told("Remembered: all prices are in cents.")
        talked.answer("/remember note:9 is no entry")
        await talked.told("Remembered: note:9 is no entry.")
        talked.answer("forget note:1")
        await talked.told("Forgotten: all prices are in cents.")
        talked.answer("memory")
        await talked.told("note:1, your note, forgotten, not told to the partner yet: all prices are in cents")
        talked.answer("restore note:1")
        await talked.here.until(lambda state: state.notes[0].text == "all prices are in cents")
        talked.answer("forget task:7")
        await talked.told("The memory of this session has no entry task:7.")
        talked.answer("forget")
        await talked.told("Which entry?")
        talked.answer("/remember")
        await talked.told("What is to be remembered?")
