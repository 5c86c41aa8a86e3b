"""What the partner does beside patches, over a real session: asked, allowed by rules, answered, ended, side by side."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.build import Engine
from agent_core.chat_entries import Planned, ToolUse
from agent_core.conversation import ToolResultItem, ToolSpec
from agent_core.headless import execute
from agent_core.permission_book import PermissionBook
from agent_core.places import project_state
from agent_core.state import State
from agent_core.telling import story_of
from agent_core.tools.base import Approver, Tool, ToolError, ToolOutput, View
from agent_core.tools.plan import read_plan
from agent_core.tools.toolbox import Toolbox
from tests.support.running import Running, flags, running
from tests.support.shop import NEW_FILE, QUICK, make_shop

ALL = ("syntax", "ruff", *QUICK)


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


def run(command: str) -> dict[str, Any]:
    return {"calls": [call("run_command", command=command)]}


def made(tmp_path: Path, *turns: dict[str, Any], **tables: Any) -> dict[str, Any]:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"turns": [*turns, {"text": "Done."}]}))
    return flags("step", off=ALL[1:], partner={"script": str(script)}, **tables)


def results(state: State) -> list[str]:
    return [item.output for item in state.items if isinstance(item, ToolResultItem)]


async def ended(here: Running) -> ev.TaskFinished:
    return await here.seen(ev.TaskFinished)


async def test_a_rule_allows_and_another_denies_without_asking(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    rules = {"allow": ["run echo *"], "deny": ["run rm *"]}
    async with running(project, made(tmp_path, run("echo a"), run("echo b; rm x"), permissions=rules)) as here:
        here.submit(commands.Ask("go"))
        assert (await ended(here)).outcome == "answered"
        assert here.all(ev.ApprovalAsked) == []
        given = [(one.allowed, one.rule, one.by, one.command) for one in here.all(ev.ApprovalGiven)]
        assert given == [(True, "run echo *", "rule", "echo a"), (False, "run rm *", "rule", "echo b; rm x")]
        allowed, denied = results(here.state)
        assert allowed == "exit status 0\na"
        assert "forbids it for good: run rm *" in denied


async def test_what_is_kept_is_not_asked_again_and_can_be_forgotten(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    turns = [run("echo a"), run("echo b"), run("echo c"), run("echo d")]
    async with running(project, made(tmp_path, *turns)) as here:
        here.submit(commands.Ask("go"))
        asked = await here.seen(ev.ApprovalAsked)
        assert (asked.rule, asked.wider) == ("run echo a", "run echo *")
        here.submit(commands.Approve(asked.call_id, allowed=True, always=asked.rule))
        asked = await here.seen(ev.ApprovalAsked, 2)
        here.submit(commands.Approve(asked.call_id, allowed=True, always=asked.wider))
        # The third one is allowed by what was kept for the second, and so is the fourth.
        assert (await ended(here)).outcome == "answered"
        assert [one.by for one in here.all(ev.ApprovalGiven)] == ["human", "human", "rule", "rule"]
        book = PermissionBook(project_state(project))
        assert book.rules() == ("run echo a", "run echo *")
        here.submit(commands.ForgetRule("run echo *"))
        here.submit(commands.ForgetRule("run nothing"))
        await here.until(lambda _: len(here.all(ev.Noted)) >= 2)
        assert book.rules() == ("run echo a",)
        assert "no rule “run nothing”" in here.all(ev.Noted)[-1].text
    # Nothing of it is in the project.
    assert not [path for path in project.rglob("*permissions*") if ".git" not in path.parts]


async def test_the_partner_is_told_what_to_do_instead(tmp_path: Path) -> None:
    async with running(make_shop(tmp_path / "shop"), made(tmp_path, run("make deploy"))) as here:
        here.submit(commands.Ask("go"))
        asked = await here.seen(ev.ApprovalAsked)
        here.submit(commands.Approve(asked.call_id, allowed=False, reason="use make check"))
        await ended(here)
        assert results(here.state) == [
            "The human did not allow this command. Go on without it.\nThey say: use make check"
        ]
        assert here.all(ev.ApprovalGiven)[0].reason == "use make check"


async def test_a_command_prints_while_it_runs_and_is_ended_alone(tmp_path: Path) -> None:
    settings = made(tmp_path, run("echo begun; sleep 60; echo never"), permissions={"allow": ["run *"]})
    async with running(make_shop(tmp_path / "shop"), settings) as here:
        here.submit(commands.Ask("go"))
        await here.seen(ev.ToolPrinted)
        (use,) = [one for one in here.state.chat if isinstance(one, ToolUse)]
        assert (use.printed, use.ok, use.looks) == ("begun\n", None, False)
        here.submit(commands.EndTool("another"))
        await here.until(lambda _: bool(here.all(ev.Noted)))
        here.submit(commands.EndTool())
        assert (await ended(here)).outcome == "answered"
        (text,) = results(here.state)
        assert text.startswith("ended by the human after ")
        assert text.endswith("\nbegun")
        (use,) = [one for one in here.state.chat if isinstance(one, ToolUse)]
        assert (use.printed, use.ok) == ("", False)


async def test_a_command_that_waits_for_a_word_is_not_ended_but_interrupted(tmp_path: Path) -> None:
    async with running(make_shop(tmp_path / "shop"), made(tmp_path, run("echo a"))) as here:
        here.submit(commands.Ask("go"))
        await here.seen(ev.ApprovalAsked)
        here.submit(commands.EndTool())
        await here.until(lambda _: bool(here.all(ev.Noted)))
        assert here.state.approval is not None
        here.submit(commands.Interrupt())
        assert (await ended(here)).outcome == "interrupted"
        assert here.state.approval is None


QUESTION = {"calls": [call("ask_human", question="Which one?", options=["red", "blue", "red", ""])]}


async def test_a_question_is_answered_and_a_few_are_enough(tmp_path: Path) -> None:
    async with running(make_shop(tmp_path / "shop"), made(tmp_path, *[QUESTION] * 4)) as here:
        here.submit(commands.Ask("go"))
        asked = await here.seen(ev.QuestionAsked)
        assert (asked.text, asked.options) == ("Which one?", ("red", "blue"))
        here.submit(commands.Answer("another", "green"))
        here.submit(commands.Answer(asked.call_id, " blue "))
        for number, answer in ((2, ""), (3, "neither")):
            asked = await here.seen(ev.QuestionAsked, number)
            here.submit(commands.Answer(asked.call_id, answer))
        await ended(here)
        first, second, third, fourth = results(here.state)
        assert first == "The human answers: blue"
        assert "Decide yourself" in second
        assert third == "The human answers: neither"
        assert "3 questions in this task, which is enough" in fourth
        assert len(here.all(ev.QuestionAsked)) == 3
        assert here.state.question is None
        told = str(story_of("s", (ev.Entry(at, 0.0, one) for at, one in enumerate(here.events, 1))))
        assert "The partner asks: Which one?" in told
        assert "Answered: blue" in told


async def test_nobody_is_there_in_exec(tmp_path: Path) -> None:
    plan = {
        "calls": [call("update_plan", steps=[{"text": "Look", "status": "done"}, {"text": "Act", "status": "open"}])]
    }
    turns = [run("echo no"), run("ls"), QUESTION, plan]
    settings = made(tmp_path, *turns, permissions={"allow": ["run ls *"]})
    out = io.StringIO()
    engine = Engine(make_shop(tmp_path / "shop"), settings, {}, watch=False)
    await asyncio.wait_for(execute(engine, "go", json=False, out=out), 60)
    told = out.getvalue()
    assert "not done, as there is nobody to ask: echo no" in told
    assert "\n  > run ls\n    allowed by the rule “run ls *”\n" in told
    assert "? Which one? (nobody is there: left to the partner)\n  - red\n  - blue" in told
    assert "plan:\n  ✓ Look\n  ○ Act" in told


async def test_a_plan_stands_in_one_place_of_the_chat(tmp_path: Path) -> None:
    def plan(*stands: str) -> dict[str, Any]:
        return {
            "calls": [
                call("update_plan", steps=[{"text": f"step {at}", "status": how} for at, how in enumerate(stands)])
            ]
        }

    turns = [plan("doing", "open"), {"calls": [call("list_files")]}, plan("done", "doing")]
    async with running(make_shop(tmp_path / "shop"), made(tmp_path, *turns)) as here:
        here.submit(commands.Ask("go"))
        await ended(here)
        (shown,) = [one for one in here.state.chat if isinstance(one, Planned)]
        assert [step.stands for step in shown.steps] == ["done", "doing"]
        uses = [one for one in here.state.chat if isinstance(one, ToolUse | Planned)]
        # The calls that told it are not shown beside it.
        assert uses[0] is shown
        assert len(uses) == 2
        assert here.state.plan == shown.steps


@pytest.mark.parametrize(
    "arguments",
    [
        {"steps": [{"text": "a", "status": "done"}, {"text": "b", "status": "doing"}, {"text": "c", "status": "open"}]},
        {
            "plan": [
                {"step": "a", "status": "completed"},
                {"step": "b", "status": "in_progress"},
                {"step": "c", "status": "pending"},
            ]
        },
        {"todos": [{"content": "a", "done": True}, {"title": "b", "state": "In Progress"}, {"task": "c"}]},
        {"steps": "1. [x] a\n2. [~] b\n3. [ ] c\n"},
        {"steps": ["- [X] a", "* [>] b", "c"]},
        ["[x] a", "[-] b", "c", ""],
    ],
)
def test_plans_are_read_as_models_write_them(arguments: Any) -> None:
    steps = read_plan(json.dumps(arguments))
    assert [(step.text, step.stands) for step in steps] == [("a", "done"), ("b", "doing"), ("c", "open")]


@pytest.mark.parametrize(
    "arguments", ["{}", '{"steps": []}', '{"steps": 3}', "{", '{"steps": [1, {}]}', json.dumps(["a"] * 21)]
)
def test_what_is_no_plan_is_refused_with_the_reason(arguments: str) -> None:
    with pytest.raises(ToolError):
        read_plan(arguments)


class Looking:
    """A tool that looks, as long as the test wants."""

    looks = True

    def __init__(self, name: str, work: Callable[[str], Awaitable[str]]) -> None:
        self.spec = ToolSpec(name, "Looks.", '{"type": "object"}')
        self._work = work

    def title(self, arguments: str) -> str:
        return f"look {arguments}"

    async def run(self, arguments: str, view: View) -> ToolOutput:
        return ToolOutput(await self._work(arguments), "looked")


class Source:
    """Offers some tools."""

    def __init__(self, *tools: Tool, late: asyncio.Event | None = None) -> None:
        self._tools = tools
        self._late = late

    async def begin(self, told: Callable[[str], None]) -> None:
        pass

    async def tools(self, approve: Approver, printed: Callable[[str], None]) -> tuple[Tool, ...]:
        if self._late is not None:
            await self._late.wait()
        return self._tools

    async def close(self) -> None:
        pass


async def test_calls_that_look_run_side_by_side_and_are_told_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    gates = {"1": asyncio.Event(), "2": asyncio.Event(), "3": asyncio.Event()}

    async def work(arguments: str) -> str:
        name = str(json.loads(arguments)["n"])
        begun.append(name)
        if name == "4":
            raise ValueError(name)
        await gates[name].wait()
        return name

    gather = Toolbox.gather

    async def with_mine(self: Toolbox, sources: Any, say: Any) -> None:
        await gather(self, [*sources, Source(Looking("peer", work))], say)

    monkeypatch.setattr(Toolbox, "gather", with_mine)
    calls = {"calls": [call("peer", n=number) for number in (1, 2, 4, 3)]}
    settings = made(tmp_path, calls, tools={"parallel": 3})
    async with running(make_shop(tmp_path / "shop"), settings) as here:
        here.submit(commands.Ask("go"))
        # Three at a time: the one that fails makes room for the last, and harms nobody.
        await here.seen(ev.ToolStarted, 4)
        assert sorted(begun[:3]) == ["1", "2", "4"]
        running_now = [one for one in here.state.chat if isinstance(one, ToolUse) and one.ok is None]
        assert len(running_now) == 3
        assert results(here.state) == []
        assert begun[:3] == [one.title[-2] for one in here.all(ev.ToolStarted)][:3]
        gates["2"].set()
        await here.seen(ev.ToolFinished, 2)
        assert results(here.state) == []
        gates["1"].set()
        await here.seen(ev.ToolFinished, 3)
        await here.until(lambda state: len(results(state)) == 3)
        assert [text[:1] for text in results(here.state)] == ["1", "2", "T"]
        here.submit(commands.Interrupt())
        assert (await ended(here)).outcome == "interrupted"
        # What had been told stays, and the one that was cut off is answered.
        assert len(results(here.state)) == 4
        assert all(one.ok is not None for one in here.state.chat if isinstance(one, ToolUse))


async def test_a_look_behind_a_patch_sees_it_and_one_before_does_not(tmp_path: Path) -> None:
    read = call("read_file", path="shop/notes.py")
    answer = {"calls": [read, call("apply_patch", patch=NEW_FILE), read]}
    async with running(make_shop(tmp_path / "shop"), made(tmp_path, answer)) as here:
        here.submit(commands.Ask("take notes"))
        await here.until(lambda state: state.waiting == 1)
        before, after = results(here.state)
        assert "Notes" not in before
        assert "Notes" in after


async def test_tools_of_sources_have_safe_names_and_a_fixed_order() -> None:
    async def nothing(_: str) -> str:
        return ""

    async def yes(_: object) -> bool:
        return True

    said: list[str] = []
    toolbox = Toolbox(yes)
    own = [spec.name for spec in toolbox.specs]
    never = asyncio.Event()
    names = ["files.read\x1b[2J", "files read[2J", "read_file", "x" * 90, "\u202e"]
    sources = [Source(*(Looking(name, nothing) for name in names)), Source(Looking("later", nothing))]
    await toolbox.gather(sources, lambda text, hint: said.append(text))
    found = [spec.name for spec in toolbox.specs]
    assert found == [*own, "files_read_2J", "files_read_2J_2", "read_file_2", "x" * 64, "tool", "later"]
    assert all(toolbox.get(name) is not None for name in found[len(own) :])
    # Whatever comes later is not offered in this session.
    await toolbox.gather([Source(Looking("more", nothing), late=never)], lambda text, hint: said.append(text))
    assert [spec.name for spec in toolbox.specs] == found
    assert said == []


async def test_a_source_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_: str) -> str:
        return ""

    async def yes(_: object) -> bool:
        return True

    monkeypatch.setattr("agent_core.tools.toolbox._SLOW", 0.01)
    monkeypatch.setattr("agent_core.tools.toolbox._PATIENCE", 0.02)
    said: list[str] = []
    toolbox = Toolbox(yes)
    sources = [Source(Looking("a", nothing), late=asyncio.Event()), Source(Looking("b", nothing))]
    await asyncio.wait_for(toolbox.gather(sources, lambda text, hint: said.append(text)), 30)
    assert toolbox.get("b") is not None
    assert toolbox.get("a") is None
    assert [text.split()[0] for text in said] == ["Waiting", "Not"]


def test_an_unknown_tool_is_told_the_closest_name() -> None:
    async def yes(_: object) -> bool:
        return True

    error = Toolbox(yes).unknown("read_files")
    assert "There is no tool 'read_files'." in str(error)
    assert "Did you mean read_file?" in str(error)
