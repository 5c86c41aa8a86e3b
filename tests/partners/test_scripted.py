"""The partner that plays a script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_core.conversation import (
    AssistantItem,
    Completed,
    Item,
    ReasoningDelta,
    Retrying,
    ToolCallItem,
    ToolResultItem,
    UserItem,
)
from agent_core.errors import PartnerError
from agent_core.partners.retry import RetryingModel
from agent_core.partners.scripted import ScriptedModel
from tests.partners.talk import answer_of, chunks_of, request, said, thought, written


def script(tmp_path: Path, *turns: dict[str, Any], **more: Any) -> ScriptedModel:
    path = tmp_path / "demo.json"
    path.write_text(json.dumps({"turns": turns, **more}), "utf-8")
    return ScriptedModel(path)


PATCH = ["*** Begin Patch", "*** Add File: a", "+b", "*** End Patch"]


async def test_a_script_is_played_turn_by_turn_and_says_that_it_is_over(tmp_path: Path) -> None:
    calls = [{"name": "apply_patch", "arguments": {"patch": PATCH}}, {"name": "read_file", "arguments": "{not json"}]
    partner = script(tmp_path, {"reasoning": "Hm. " * 9, "text": "I patch it " * 5, "calls": calls}, {"text": "Done."})
    assert "script" in partner.info.name
    assert "demo.json" in partner.info.name
    assert partner.info.kind == "scripted"
    items: list[Item] = [UserItem("Mend it.")]
    chunks = await chunks_of(partner, request(*items))
    done = chunks[-1]
    assert isinstance(done, Completed)
    assert said(chunks) == "I patch it " * 5
    assert thought(chunks) == "Hm. " * 9
    assert sum(isinstance(chunk, ReasoningDelta) for chunk in chunks) > 1
    words, patch, broken = done.items
    assert words == AssistantItem("I patch it " * 5)
    assert isinstance(patch, ToolCallItem)
    assert isinstance(broken, ToolCallItem)
    assert json.loads(patch.arguments) == {"patch": "\n".join(PATCH) + "\n"}
    assert broken.arguments == "{not json"
    assert written(chunks) == {patch.call_id: patch.arguments, broken.call_id: broken.arguments}
    items += [*done.items, ToolResultItem(patch.call_id, "[red]"), ToolResultItem(broken.call_id, "no")]
    second = await answer_of(partner, request(*items))
    assert second.items == (AssistantItem("Done."),)
    items += [*second.items, UserItem("More.")]
    third = await answer_of(partner, request(*items))
    assert "over" in str(third.items[0])


async def test_a_new_process_goes_on_at_the_right_turn(tmp_path: Path) -> None:
    turns = [{"text": f"turn {number}"} for number in range(4)]
    items: list[Item] = []
    for number in range(4):
        items.append(UserItem("go on"))
        # Another player each time, as after a crash; the request alone says where it is.
        done = await answer_of(script(tmp_path, *turns), request(*items))
        assert done.items == (AssistantItem(f"turn {number}"),)
        items += done.items


async def test_an_empty_turn_counts_too(tmp_path: Path) -> None:
    partner = script(tmp_path, {}, {"text": "second"})
    first = await answer_of(partner, request())
    second = await answer_of(partner, request(UserItem("Hello"), *first.items, UserItem("and?")))
    assert second.items == (AssistantItem("second"),)


async def test_a_failing_turn_fails_as_often_as_it_says_and_goes_on(tmp_path: Path) -> None:
    turn = {"error": {"kind": "rate_limit", "message": "too fast", "retry_after": 0.01, "times": 2}, "text": "well"}
    chunks = await chunks_of(RetryingModel(script(tmp_path, turn), 3), request())
    assert [chunk.reason for chunk in chunks if isinstance(chunk, Retrying)] == ["too fast", "too fast"]
    assert said(chunks) == "well"


async def test_a_script_notices_that_it_is_told_something_else(tmp_path: Path) -> None:
    partner = script(tmp_path, {"text": "a", "expect": "Hello"}, {"text": "b", "expect": "1 failed"})
    first = await answer_of(partner, request())
    items = (UserItem("Hello"), *first.items, UserItem("[all green]"))
    with pytest.raises(PartnerError) as caught:
        await answer_of(partner, request(*items))
    assert caught.value.kind == "script"
    assert "1 failed" in caught.value.message
    assert "Turn 2" in caught.value.message
    assert "[all green]" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "malformed"),
        ('{"turns": [{"txet": "a"}]}', "txet"),
        ('{"turns": [{"text": 5}]}', "$.turns[0].text"),
        ("{}", "turns"),
        ('{"turns": [{"error": {"kind": "tired"}}]}', "tired"),
        (None, "cannot be read"),
    ],
)
def test_a_malformed_script_is_named(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(PartnerError) as caught:
        ScriptedModel(path)
    assert caught.value.kind == "script"
    assert str(path) in caught.value.message
    assert words in caught.value.message
