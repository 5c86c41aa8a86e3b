"""Skills, commands of one's own and MCP servers: as files, and over a real session."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.chat_entries import Notice
from agent_core.config import load
from agent_core.config_tables import McpConfig
from agent_core.conversation import ToolResultItem, UserItem
from agent_core.custom_commands import CustomCommands
from agent_core.front_matter import MOST_BYTES
from agent_core.mcp.command import servers
from agent_core.places import user_file
from agent_core.skills import ReadSkill, Skills
from agent_core.state import State
from agent_core.tools.base import ToolError
from tests.projects import make_project, write_files
from tests.support.command_line import run_pairloop
from tests.support.plain_talk import script_of, talking
from tests.support.running import Running, flags, running

RAW = Path(__file__).parent / "support" / "raw_mcp.py"
SKILL = "---\nname: {name}\ndescription: {text}\n---\n# How\n\nDo it slowly.\n"


def skill(name: str, text: str = "Use it: always") -> str:
    return SKILL.format(name=name, text=text)


def settings(tmp_path: Path, *turns: dict[str, Any], **more: Any) -> dict[str, Any]:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turns": turns}))
    return flags(partner={"script": str(script)}, **more)


def call(name: str, /, **arguments: Any) -> dict[str, Any]:
    return {"calls": [{"name": name, "arguments": arguments}]}


def results(state: State) -> list[str]:
    return [item.output for item in state.items if isinstance(item, ToolResultItem)]


def told(state: State) -> list[str]:
    return [item.text for item in state.items if isinstance(item, UserItem)]


def notes(here: Running) -> list[str]:
    return [one.text for one in here.all(ev.Noted)]


# -- commands of one's own


def test_a_command_takes_words_where_it_has_places_for_them(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            ".pairloop/commands/fix.md": "---\ndescription: Fix\nargument-hint: '[path] [why]'\n---\nFix $1: $2. $$1",
            ".pairloop/commands/all.md": "Look at $ARGUMENTS and @a.py now.\n",
            ".pairloop/commands/plain.md": "\n# Tidy up\n\nTidy.\n",
            ".pairloop/commands/empty.md": "---\ndescription: x\n---\n",
            ".pairloop/commands/no good.md": "x",
            ".pairloop/commands/note.txt": "x",
        },
    )
    custom = CustomCommands(tmp_path, tmp_path / "own")
    known = custom.all()
    assert list(known) == ["all", "fix", "plain"]
    assert (known["fix"].usage, known["fix"].description) == ("/fix [path] [why]", "Fix")
    assert (known["plain"].usage, known["plain"].description) == ("/plain", "Tidy up")
    assert known["all"].usage == "/all [words]"
    assert custom.task('/fix "my shop.py" slow') == "Fix my shop.py: slow. $1"
    assert custom.task("/fix it's") == "Fix it's: . $1"
    assert custom.task("/all x  y") == "Look at x  y and @a.py now."
    assert custom.task("/plain and the tests") == "# Tidy up\n\nTidy.\n\nand the tests"
    for text in ("/unknown x", "/etc/hosts is wrong", "fix it", "//fix"):
        assert custom.task(text) == text


def test_the_humans_own_command_goes_before_the_projects_and_changes_are_seen(tmp_path: Path) -> None:
    own = tmp_path / "own"
    write_files(tmp_path, {"p/.pairloop/commands/go.md": "The project's.", "own/go.md": "Mine."})
    custom = CustomCommands(tmp_path / "p", own)
    assert custom.task("/go") == "Mine."
    (own / "go.md").write_text("Mine, anew.")
    assert custom.task("/go") == "Mine, anew."
    (own / "go.md").unlink()
    assert custom.task("/go") == "The project's."


def test_a_cloned_project_cannot_bring_in_files_from_elsewhere(tmp_path: Path) -> None:
    write_files(tmp_path, {"secret.md": "the key", "dir/id.md": skill("id"), "outside/SKILL.md": skill("outside")})
    project = make_project(tmp_path / "p", {"a.txt": "a\n", ".claude/skills/fine/SKILL.md": skill("fine")})
    folder = project / ".pairloop/commands"
    folder.mkdir(parents=True)
    (folder / "leak.md").symlink_to(tmp_path / "secret.md")
    os.mkfifo(folder / "pipe.md")
    (folder / "large.md").write_text("x" * (MOST_BYTES + 1))
    (folder / "binary.md").write_bytes(b"a\0b")
    assert CustomCommands(project, tmp_path / "none").all() == {}
    (project / ".claude/skills/outside").symlink_to(tmp_path / "outside")
    (project / ".claude/skills/fine/link.md").symlink_to(tmp_path / "secret.md")
    (project / ".claude/skills/fine/.env").write_text("KEY=1")
    skills = Skills(project, tmp_path / "none")
    assert list(skills.look()) == ["fine"]
    for file in ("link.md", "../../../a.txt", str(tmp_path / "secret.md"), ".env", "."):
        with pytest.raises(ToolError, match="has no text file"):
            skills.read("fine", file)


async def test_exec_takes_a_command_of_ones_own(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", {"a.txt": "a\n", ".pairloop/commands/say.md": "Say $1 twice."})
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turns": [{"text": "Said."}]}))
    _, out, _ = await run_pairloop(["exec", "--script", str(script), "--json", "/say hello"], project)
    asked = [json.loads(line)["event"] for line in out.splitlines() if '"Asked"' in line]
    assert [event["text"] for event in asked] == ["Say hello twice."]


async def test_in_plain_lines_the_task_of_a_command_is_told_before_it_is_given(tmp_path: Path) -> None:
    files = {"a.txt": "a\n", ".pairloop/commands/say.md": "---\ndescription: Say \x1b[31mit\n---\nSay $1 \x1b[2Jtwice."}
    project = make_project(tmp_path / "p", files)
    async with talking(project, script_of(tmp_path / "script.json", {"text": "Said."})) as talk:
        await talk.told("Type a task")
        talk.type("/say hello\n")
        await talk.told("Your command says: Say hello ␛[2Jtwice.")
        await talk.told("Partner: Said.")
        talk.type("/commands\n")
        await talk.told("/say [words]: Say ␛[31mit")
        talk.type("/nothing\n")
        await talk.told("There is no command /nothing.")
        assert [task.text for task in talk.here.state.tasks] == ["Say hello \x1b[2Jtwice."]


# -- skills


async def test_skills_are_told_once_and_read_on_demand_with_the_files_beside_them(tmp_path: Path) -> None:
    project = make_project(
        tmp_path / "p",
        {
            ".pairloop/skills/deploy/SKILL.md": skill("deploy", "How we deploy"),
            ".pairloop/skills/deploy/scripts/run.sh": "echo run\n",
            ".agents/skills/tests/SKILL.md": skill("tests", "How we test \x1b[31m"),
            ".claude/skills/nothing/SKILL.md": "No description.",
        },
    )
    own = user_file().parent / "skills"
    write_files(own, {"deploy/SKILL.md": skill("deploy", "How I deploy"), "deploy/notes.md": "Mine.\n"})
    turns = (
        call("read_skill", name="deploy"),
        call("read_skill", name="deploy", file="notes.md"),
        call("read_skill", name="deply"),
        {"text": "Read."},
    )
    async with running(project, settings(tmp_path, *turns, {"text": "Again."})) as here:
        here.submit(commands.Ask("deploy it"))
        await here.seen(ev.TaskFinished)
        first = [text for text in told(here.state) if text.startswith("# Skills")]
        assert len(first) == 1
        assert "- deploy: How I deploy\n- tests: How we test ␛[31m" in first[0]
        read = results(here.state)
        assert read[0] == "# How\n\nDo it slowly.\n\n[Beside it, read_skill reads them too: notes.md]"
        assert read[1] == "Mine.\n"
        assert read[2] == "There is no skill 'deply'. There are: deploy, tests."
        # New ones are told at the end; the rest is not told again.
        write_files(project, {".agents/skills/late/SKILL.md": skill("late", "Came late")})
        here.submit(commands.Ask("again"))
        await here.seen(ev.TaskFinished, 2)
        later = [text for text in told(here.state) if text.startswith("# Skills")]
        assert len(later) == 2
        assert later[1].endswith("\n- late: Came late")
        assert "deploy" not in later[1]
        here.submit(commands.Tell("skills"))
        await here.until(lambda state: any(isinstance(one, Notice) and one.text == "Skills:" for one in state.chat))
        listing = next(one.hint for one in here.state.chat if isinstance(one, Notice) and one.text == "Skills:")
    assert listing.splitlines()[0] == "deploy (yours): How I deploy"
    assert listing.splitlines()[1] == "late (.agents/skills/late): Came late"


async def test_without_skills_there_is_no_tool_and_those_that_come_wait_for_the_next_session(tmp_path: Path) -> None:
    project = make_project(tmp_path / "p", {"a.txt": "a\n"})
    async with running(project, settings(tmp_path, {"text": "One."}, {"text": "Two."}, {"text": "Three."})) as here:
        here.submit(commands.Ask("one"))
        await here.seen(ev.TaskFinished)
        write_files(project, {".pairloop/skills/new/SKILL.md": skill("new")})
        for count in (2, 3):
            here.submit(commands.Ask("more"))
            await here.seen(ev.TaskFinished, count)
        assert not [text for text in told(here.state) if text.startswith("# Skills")]
        said = [text for text in notes(here) if "skills" in text]
    assert said == ["There are skills in this project now: the partner is told of them in the next session."]


async def test_many_skills_are_all_named_within_bounds_and_not_told_again(tmp_path: Path) -> None:
    write_files(tmp_path, {f".claude/skills/s{n:02}/SKILL.md": skill(f"s{n:02}", "word " * 90) for n in range(70)})
    skills = Skills(tmp_path, tmp_path / "none")
    (item,) = await skills.news(())
    assert item.text.count("\n- s") == 60
    assert len(item.text) < 12_000
    assert await skills.news((item,)) == ()


def test_front_matter_that_is_no_yaml_is_read_line_by_line(tmp_path: Path) -> None:
    text = "---\nname: x\ndescription: Use when: always [\n---\nBody"
    write_files(tmp_path, {"one/SKILL.md": text, "two/SKILL.md": "---\ndescription: >\n  over two\n  lines\n---\nBody"})
    found = Skills(tmp_path / "none", tmp_path).look()
    assert [(one.name, one.description) for one in found.values()] == [
        ("two", "over two lines"),
        ("x", "Use when: always ["),
    ]
    assert ReadSkill(Skills(tmp_path)).title('{"name": "x"}') == "read skill x"


# -- MCP servers over a real session


async def test_a_servers_tool_is_called_after_a_word_and_a_server_that_fails_is_a_line(tmp_path: Path) -> None:
    there = {
        "raw": {"command": [sys.executable, str(RAW), "fine"]},
        "gone": {"command": ["no-such-program"]},
    }
    turns = (call("raw__zeta", it="so"), call("raw__zeta"), {"text": "Called."})
    project = make_project(tmp_path / "p", {"a.txt": "a\n"})
    async with running(project, settings(tmp_path, *turns, mcp=there)) as here:
        here.submit(commands.Ask("call it"))
        asked = await here.seen(ev.ApprovalAsked)
        assert (asked.action, asked.command) == ("mcp", 'raw/zeta {"it": "so"}')
        here.submit(commands.Approve(asked.call_id, allowed=True))
        again = await here.seen(ev.ApprovalAsked, 2)
        here.submit(commands.Approve(again.call_id, allowed=False))
        await here.seen(ev.TaskFinished)
        assert results(here.state)[0] == "called ␛]0;x␇zeta"
        assert "did not allow" in results(here.state)[1]
        here.submit(commands.Tell("mcp"))
        await here.until(
            lambda state: any(isinstance(one, Notice) and one.text == "MCP servers:" for one in state.chat)
        )
        listing = next(one.hint for one in here.state.chat if isinstance(one, Notice) and one.text == "MCP servers:")
        failed = [text for text in notes(here) if "could not be started" in text]
    assert listing.splitlines() == [
        "✗ gone: there is no program 'no-such-program'",
        "✓ raw: 3 tools (raw␛[31m 0)",
    ]
    assert failed == ["The MCP server gone could not be started: there is no program 'no-such-program'."]


async def test_the_command_line_tells_of_servers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_text(f"[mcp.raw]\ncommand = {json.dumps([sys.executable, str(RAW), 'fine'])}\n")
    code, out, _ = await run_pairloop(["mcp"], tmp_path)
    assert (code, out.split("  ")[0]) == (0, "○ raw")
    known = load(tmp_path, {}, {}).mcp
    assert await servers(known, tmp_path, os.environ, test=True, json=True) == 0
    assert json.loads(capsys.readouterr().out)["tools"][-1] == "zeta"
    assert await servers(known, tmp_path, os.environ, "row", test=True, json=False) == 2
    assert "no MCP server 'row'" in capsys.readouterr().err
    broken = {**known, "x": McpConfig(command=("no-such-program",))}
    assert await servers(broken, tmp_path, os.environ, test=True, json=False) == 1
    assert "✗ x: there is no program 'no-such-program'  no-such-program\n" in capsys.readouterr().out
