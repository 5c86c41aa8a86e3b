"""Answers that do not end by themselves."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.conversation import (
    AssistantItem,
    Chunk,
    Completed,
    PartnerInfo,
    ReasoningDelta,
    ReasoningItem,
    Request,
    TextDelta,
    ToolCallDelta,
    ToolCallItem,
    Usage,
)
from agent_core.partners.text_calls import TextCallsModel
from agent_core.runaway import MOST, EndlessError, Runaway, cycle_of
from agent_core.tools.base import make_spec

LEAST = 3000


@given(st.text("abc \n", min_size=1, max_size=200), st.text(max_size=300))
def test_what_repeats_itself_is_found(cycle: str, before: str) -> None:
    text = before + cycle * (LEAST * 2 // len(cycle) + 30)
    found = cycle_of(text, LEAST)
    assert found
    # It may be a shorter one of the same kind; either way the end consists of it.
    assert text[-LEAST:] == text[-LEAST - found : -found]


@given(st.integers(0, 10_000))
def test_what_counts_up_is_not(start: int) -> None:
    assert not cycle_of("".join(f"{number}: item\n" for number in range(start, start + 1500)), LEAST)


@pytest.mark.parametrize("cycle", ["x", "-" * 70 + "\n", "I will look. ", "".join(map(str, range(300)))[:900]])
def test_a_cycle_has_to_come_often(cycle: str) -> None:
    assert not cycle_of(cycle * (LEAST // len(cycle)), LEAST)
    assert cycle_of(cycle * (max(LEAST, 13 * len(cycle)) // len(cycle) + 3), LEAST)


def test_words_that_repeat_are_kept_once() -> None:
    watch, said, why = Runaway(0), "Well. ", ""
    watch.take(TextDelta(said))
    while not why:
        said += "Let me see. "
        assert len(said) < 10_000
        why = watch.take(TextDelta("Let me see. "))
    assert why == "it repeated itself without an end"
    kept = watch.kept(said)
    assert kept.startswith("Well. ")
    assert len(kept) <= len("Well. ") + 2 * len("Let me see. ")
    assert kept.count("Let me see.") == 1


def test_a_table_of_zeros_in_a_patch_is_none_of_its_business() -> None:
    watch = Runaway(0)
    assert not any(watch.take(ToolCallDelta("c", "apply_patch", "    0, 0, 0, 0,\n")) for _ in range(500))
    assert any(watch.take(ToolCallDelta("c", "apply_patch", "    0, 0, 0, 0,\n")) for _ in range(1000))


def test_an_answer_that_comes_in_one_piece_is_no_shorter_for_that() -> None:
    long = "".join(map(str, range(20_000)))
    usage = Usage()
    assert "longer than 40,000 characters" in Runaway(1000).take(Completed((AssistantItem(long),), usage))
    assert "longer than" in Runaway(1000).take(Completed((ToolCallItem("c", "apply_patch", long),), usage))
    assert not Runaway(0).take(Completed((AssistantItem(long),), usage))
    # What is encrypted says little with many letters.
    assert not Runaway(1000).take(Completed((ReasoningItem(long), AssistantItem("Well.")), usage))


def test_thoughts_go_round_in_circles_too() -> None:
    watch = Runaway(0)
    assert any(watch.take(ReasoningDelta("Wait, but maybe not. ")) for _ in range(400))


@pytest.mark.parametrize(("window", "most"), [(0, MOST), (8_000, 64_000), (1_000, 40_000), (1_000_000, MOST)])
def test_nothing_is_longer_than_what_the_model_can_hold(window: int, most: int) -> None:
    watch, length = Runaway(window), 0
    piece = 9_973
    while not watch.take(TextDelta("".join(f"{length + at:x}" for at in range(piece))[:piece])):
        length += piece
    assert most - piece <= length <= most


async def test_calls_that_are_written_without_an_end_are_cut_though_they_are_hidden() -> None:
    told = 0

    class Endless:
        info = PartnerInfo("chat", "m", "m", 16_384)

        async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
            nonlocal told
            yield TextDelta('{"name": "search", "arguments": {"pattern": "')
            for _ in range(100_000):
                told += 1
                yield TextDelta("low ")

        async def close(self) -> None:
            """Nothing is open."""

    tools = tuple(make_spec(name, "", {"pattern": {"type": "string"}}, ()) for name in ("search", "apply_patch"))
    request = Request("", (), tools, "s")
    with pytest.raises(EndlessError, match="repeated itself"):
        await _heard_out(TextCallsModel(Endless()), request)
    assert told < 1_000


async def _heard_out(model: TextCallsModel, request: Request) -> None:
    async for _ in model.stream(request):
        pass


def counted(number: int, path: str = "calc.py") -> str:
    return f'{{"name": "read_file", "arguments": {{"end": {number}, "path": "{path}"}}}}\n'


def test_the_same_call_written_down_with_other_numbers_is_a_rut() -> None:
    watch, said, why = Runaway(0), 0, ""
    for number in range(5, 1000, 5):
        why = watch.take(TextDelta(counted(number)))
        said += len(counted(number))
        if why:
            break
    assert why == "it wrote down the same call again and again, with other numbers"
    assert said < 3000


def test_different_calls_and_tables_of_numbers_are_none() -> None:
    calls, table = Runaway(0), Runaway(0)
    for number in range(60):
        assert not calls.take(TextDelta(counted(number, f"file_{'abcdefghij'[number % 10]}{'x' * number}.py")))
        assert not table.take(TextDelta(f"    ({number}, {number * 7 % 13}, 'a row of some table of numbers'),\n"))
