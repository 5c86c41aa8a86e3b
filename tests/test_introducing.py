"""What the partner is told of the project: at first, and when it comes to a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.conversation import ToolResultItem, UserItem
from agent_core.places import user_file
from agent_core.state import State
from agent_core.symbols import service
from tests.projects import git, make_project
from tests.support.running import flags, running
from tests.support.shop import FILES, QUICK

MAP = "# A map of the project"
MORE = {
    **FILES,
    "shop/cart.py": "from shop.prices import total\n\n\nclass Cart:\n    def checkout(self):\n        total([])\n",
    "docs/AGENTS.md": "Write short sentences.\n",
    "docs/guide.md": "# Guide\n",
}


def settings(tmp_path: Path, *turns: dict[str, Any], **tools: Any) -> dict[str, Any]:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turns": turns}))
    made = flags("step", off=("syntax", "ruff", *QUICK), partner={"script": str(script)})
    # Too little for all documents: the rules of a folder do not fit.
    return {**made, "tools": tools, "prompt": {"project_tokens": 150}}


def tool(called: str, /, **arguments: Any) -> dict[str, Any]:
    return {"calls": [{"name": called, "arguments": arguments}]}


def words(state: State) -> list[str]:
    return [item.text for item in state.items if isinstance(item, UserItem)]


async def test_a_session_begins_with_a_map_and_tells_rules_when_they_apply(tmp_path: Path) -> None:
    user_file().parent.mkdir(parents=True, exist_ok=True)
    (user_file().parent / "AGENTS.md").write_text("Answer in rhymes.\n")
    project = make_project(tmp_path / "shop", MORE)
    script = settings(
        tmp_path,
        tool("symbols", name="total"),
        tool("read_file", path="docs/guide.md"),
        tool("git", action="log"),
        tool("read_file", path="docs/guide.md"),
        {"text": "Done."},
    )
    async with running(project, script) as here:
        here.submit(commands.Ask("Why does the cart's checkout fail?"))
        assert (await here.seen(ev.TaskFinished)).outcome == "answered"
        first, *rest = words(here.state)
        answers = [item.output for item in here.state.items if isinstance(item, ToolResultItem)]
    assert first.startswith("# AGENTS.md (the human's own rules")
    assert "Answer in rhymes." in first
    drawn = first[first.index(MAP) :].split("\n\n# ")[0]
    assert drawn.split("\n")[2] == "shop/cart.py:"
    assert "    5   def checkout(self)" in drawn
    assert first.endswith("Why does the cart's checkout fail?")
    # Once, behind the answer to the call that came to the folder.
    assert [text for text in rest if "Write short sentences." in text] == [
        "# docs/AGENTS.md (the rules for docs/)\n\nWrite short sentences."
    ]
    assert "shop/prices.py:4-9 function def total" in answers[0]
    assert answers[2].endswith(": start")


async def test_the_map_can_be_left_out(tmp_path: Path) -> None:
    project = make_project(tmp_path / "shop", MORE)
    async with running(project, settings(tmp_path, {"text": "Done."}, map_tokens=0)) as here:
        here.submit(commands.Ask("Go"))
        await here.seen(ev.TaskFinished)
        assert MAP not in words(here.state)[0]


async def test_a_map_that_fails_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise RecursionError("a file like no other")

    monkeypatch.setattr(service, "carry_out", broken)
    project = make_project(tmp_path / "shop", MORE)
    script = settings(tmp_path, tool("symbols", name="total"), {"text": "Done."})
    async with running(project, script) as here:
        here.submit(commands.Ask("Go"))
        assert (await here.seen(ev.TaskFinished)).outcome == "answered"
        assert MAP not in words(here.state)[0]
        (answer,) = (item for item in here.state.items if isinstance(item, ToolResultItem))
        assert not answer.ok
        assert "Looking for the name failed" in answer.output


async def test_what_was_changed_lately_is_on_the_map_of_a_big_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_IN_THREAD", 20)
    many = {f"pack/module{number:03}.py": f"def work_{number}(a: int) -> int:\n    return a\n" for number in range(120)}
    project = make_project(tmp_path / "big", many)
    (project / "pack/module077.py").write_text("def newest() -> None: ...\n")
    git(project, "commit", "-q", "-am", "newest")
    async with running(project, settings(tmp_path, {"text": "Done."}, map_tokens=300)) as here:
        here.submit(commands.Ask("Go on"))
        await here.seen(ev.TaskFinished)
        first = words(here.state)[0]
    assert first[first.index(MAP) :].split("\n")[2] == "pack/module077.py:"
