"""Commands run only when the human says so, over the draft, and what they write is gone afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_core.tools.base import Permission, ToolError, ToolOutput
from agent_core.tools.command import RunCommand
from agent_core.tools.toolbox import APPLY_PATCH, RUN_CHECKS, Toolbox
from agent_core.view import DraftView
from tests.support.shop import tree
from tests.tools.looking import PATCH, opened, use, view_of


class Human:
    """Says yes or no, and remembers what was asked."""

    def __init__(self, *, allows: bool) -> None:
        self.allows = allows
        self.asked: list[str] = []

    async def __call__(self, wish: Permission) -> bool:
        assert wish.action == "run"
        self.asked.append(wish.subject)
        return self.allows


async def ran(human: Human, view: DraftView, command: str) -> ToolOutput:
    return await use(RunCommand(human), view, command=command)


async def test_an_allowed_command_runs_over_the_draft(tmp_path: Path) -> None:
    project = await opened(tmp_path / "shop")
    before = tree(project.root)
    human = Human(allows=True)
    view = await view_of(project, PATCH)
    out = await ran(
        human, view, " cat shop/fresh.py; ls tests 2>/dev/null; echo gone > README.md; echo bad >&2; exit 3 "
    )
    assert (out.text, out.summary, out.ok) == ("exit status 3\nFRESH = 1\nbad", "exit status 3", False)
    assert human.asked == ["cat shop/fresh.py; ls tests 2>/dev/null; echo gone > README.md; echo bad >&2; exit 3"]
    assert tree(project.root) == before
    again = await ran(human, view, "cat README.md")
    assert (again.text, again.ok) == ("exit status 0\n# shop", True)


async def test_a_command_that_is_not_allowed_does_not_run(tmp_path: Path) -> None:
    project = await opened(tmp_path / "shop")
    proof = tmp_path / "proof"
    out = await ran(Human(allows=False), await view_of(project), f"touch {proof}")
    assert (out.summary, out.ok) == ("not allowed", False)
    assert "did not allow" in out.text
    assert not proof.exists()


async def test_a_command_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent_core.tools.command._SECONDS", 1.0)
    view = await view_of(await opened(tmp_path / "shop"))
    out = await ran(Human(allows=True), view, "echo begun; sleep 60")
    assert (out.text, out.ok) == ("stopped after 1 s\nbegun", False)


@pytest.mark.parametrize("arguments", ['{"command": "  "}', "{}", '{"command": ["ls"]}', "ls"])
async def test_nobody_is_asked_about_nonsense(tmp_path: Path, arguments: str) -> None:
    human = Human(allows=True)
    view = await view_of(await opened(tmp_path / "shop"))
    with pytest.raises(ToolError):
        await RunCommand(human).run(arguments, view)
    assert human.asked == []


def test_the_toolbox_offers_everything_in_a_stable_order() -> None:
    toolbox = Toolbox(Human(allows=False))
    names = [spec.name for spec in toolbox.specs]
    assert names[-2:] == [APPLY_PATCH, RUN_CHECKS]
    assert {"list_files", "read_file", "search", "debug", "run_command", "ask_human", "update_plan"} <= set(names)
    assert names == [spec.name for spec in Toolbox(Human(allows=True)).specs]
    for spec in toolbox.specs:
        schema = json.loads(spec.parameters)
        assert schema["type"] == "object"
        assert set(schema["required"]) <= set(schema["properties"])
        assert spec.description
    for name in names[:-2]:
        tool = toolbox.get(name)
        assert tool is not None
        assert tool.spec.name == name
        # A title never raises, whatever the partner wrote.
        for arguments in ("", "{", "[]", "null", '{"path": 1, "command": 2}', '{"path": "\\ud800"}'):
            assert tool.title(arguments)
    assert toolbox.get(APPLY_PATCH) is None
    assert toolbox.get("rm") is None
    assert RunCommand(Human(allows=False)).title('{"command": "make test"}') == "run make test"
