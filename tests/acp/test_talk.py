"""Sessions with an editor: prompts, decisions, what is stopped, put off, answered late, or stands unsaved."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import acp
import msgspec
import pytest
from acp.schema import EnvVariable, McpServerStdio, SseMcpServer

from agent_core.acp.servers import tables
from agent_core.config_tables import McpConfig
from agent_core.mcp.server import Server
from tests.acp.editor import Asked, ended, inside
from tests.support.running import flags, stored
from tests.support.shop import MENDED, QUICK, RIGHT_AT_ONCE, WRONG, make_shop, theirs
from tests.test_resume import write_script

GONE = "-    for price in prices[1:]:\n-        result += price + 1\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_shop(tmp_path / "shop")


def settings(script: Path, mode: str = "step") -> dict[str, Any]:
    return flags(mode, off=QUICK, partner={"script": str(script)})


def slow_script(path: Path) -> Path:
    """A partner that talks for a very long time."""
    path.write_text(json.dumps({"piece_ms": 20, "turns": [{"text": "on and on " * 2_000}]}))
    return path


async def test_rejected_with_a_reason(tmp_path: Path, project: Path) -> None:
    before = theirs(project)
    async with inside(settings(write_script(tmp_path / "s.json", WRONG, RIGHT_AT_ONCE))) as (editor, _):
        session = await editor.open(project)
        turn = editor.say(session, "mend total")
        (await editor.question()).choose("words")
        assert await ended(turn) == "end_turn"
        assert "It waits for your next message." in editor.words()

        turn = editor.say(session, "/reject It must not add one.")
        second = await editor.question(2)
        assert second.call.tool_call_id == "proposal-2"
        assert editor.calls()["proposal-1"]["title"] == "Proposal 1: rejected (It must not add one.)"
        assert theirs(project) == before
        second.choose("accept")
        assert await ended(turn) == "end_turn"
        decided = [(one.decision, one.reason) for one in stored(project, session).proposals]
        assert decided == [("reject", "It must not add one."), ("accept", "")]
        assert (project / "shop/prices.py").read_text() == MENDED


async def test_words_go_to_the_partner_about_what_waits(tmp_path: Path, project: Path) -> None:
    async with inside(settings(write_script(tmp_path / "s.json", WRONG))) as (editor, _):
        session = await editor.open(project)
        turn = editor.say(session, "mend total")
        (await editor.question()).choose("")
        assert await ended(turn) == "end_turn"
        turn = editor.say(session, "/nonsense or not")
        again = await editor.question(2)
        assert "/nonsense or not" in str(stored(project, session).items)
        again.choose("")
        assert await ended(turn) == "end_turn"


async def test_stopped_in_the_middle(tmp_path: Path, project: Path) -> None:
    async with inside(settings(slow_script(tmp_path / "s.json"))) as (editor, _):
        session = await editor.open(project)
        turn = editor.say(session, "talk")
        await editor.until(lambda: "on and on" in editor.words())
        begun = time.monotonic()
        await editor.agent.cancel(session_id=session)
        assert await ended(turn) == "cancelled"
        # What it says takes more than a minute.
        assert time.monotonic() - begun < 20
        tasks = stored(project, session).tasks
        assert [task.outcome for task in tasks] == ["interrupted"]


async def test_stopping_a_question_leaves_it_to_the_next_words(tmp_path: Path, project: Path) -> None:
    async with inside(settings(write_script(tmp_path / "s.json", WRONG))) as (editor, _):
        session = await editor.open(project)
        turn = editor.say(session, "mend total")
        asked = await editor.question()
        await editor.agent.cancel(session_id=session)
        asked.choose("")
        assert await ended(turn) == "cancelled"
        assert stored(project, session).waiting == 1
        assert await ended(editor.say(session, "/stop")) == "end_turn"
        assert stored(project, session).task is None
        assert editor.calls()["proposal-1"]["status"] == "failed"


async def test_an_answer_that_comes_late_decides_nothing(tmp_path: Path, project: Path) -> None:
    before = theirs(project)
    async with inside(settings(write_script(tmp_path / "s.json", WRONG))) as (editor, _):
        session = await editor.open(project)
        turn = editor.say(session, "mend total")
        asked = await editor.question()
        other = editor.say(session, "/stop")
        assert {await ended(turn), await ended(other)} == {"end_turn"}
        asked.choose("accept")
        assert await ended(editor.say(session, "/undo")) == "end_turn"
        assert theirs(project) == before
        assert stored(project, session).proposals[0].decision is None


async def test_an_answer_given_twice_counts_once(tmp_path: Path, project: Path) -> None:
    script = write_script(tmp_path / "s.json", WRONG, RIGHT_AT_ONCE)
    async with inside(settings(script)) as (editor, line):
        session = await editor.open(project)
        turn = editor.say(session, "mend total")
        (await editor.question()).choose("reject")
        second = await editor.question(2)
        accepted = {"outcome": {"outcome": "selected", "optionId": "accept"}}
        late = [json.dumps({"jsonrpc": "2.0", "id": number, "result": accepted}) for number in (0, -1, 7, 0)]
        line.write("\n".join([*late, ""]).encode())
        await editor.agent.list_sessions(cwd=str(project))
        assert [one.decision for one in stored(project, session).proposals] == ["reject", None]
        second.choose("words")
        assert await ended(turn) == "end_turn"
        line.write((json.dumps({"jsonrpc": "2.0", "id": 1, "result": accepted}) + "\n").encode())
        await editor.agent.list_sessions(cwd=str(project))
        assert not stored(project, session).landings


async def test_what_is_decided_elsewhere_is_asked_no_more(tmp_path: Path, project: Path) -> None:
    right = RIGHT_AT_ONCE.replace("-    for price in prices[1:]:\n-        result += price\n", GONE)
    async with inside(settings(write_script(tmp_path / "s.json", WRONG, right))) as (editor, _):
        session = await editor.open(project)
        turn = editor.say(session, "mend total")
        await editor.question()
        await editor.agent.set_session_mode(session_id=session, mode_id="auto")
        assert await ended(turn) == "end_turn"
        assert "price + 1" in (project / "shop/prices.py").read_text()
        await editor.agent.set_session_mode(session_id=session, mode_id="step")
        turn = editor.say(session, "once more")
        (await editor.question(2)).choose("accept")
        editor.asked[0].choose("reject")
        assert await ended(turn) == "end_turn"
        assert (project / "shop/prices.py").read_text() == MENDED


async def test_nothing_lands_over_what_is_unsaved_in_the_editor(tmp_path: Path, project: Path) -> None:
    before = theirs(project)
    async with inside(settings(write_script(tmp_path / "s.json", RIGHT_AT_ONCE))) as (editor, _):
        session = await editor.open(project)
        file = project / "shop/prices.py"
        editor.buffers[str(file)] = file.read_text() + "# mine, not saved\n"
        turn = editor.say(session, "mend total")
        (await editor.question()).choose("accept")
        again = await editor.question(2)
        assert "shop/prices.py has changes in your editor that are not saved" in str(again.call.title)
        assert theirs(project) == before

        # Other line endings are no changes.
        editor.buffers[str(file)] = file.read_text().replace("\n", "\r\n")
        again.choose("accept")
        assert await ended(turn) == "end_turn"
        assert file.read_text() == MENDED


async def test_an_edit_while_it_is_asked_is_asked_about_anew(tmp_path: Path, project: Path) -> None:
    async with inside(settings(write_script(tmp_path / "s.json", RIGHT_AT_ONCE))) as (editor, _):
        session = await editor.open(project)
        turn = editor.say(session, "mend total")
        first = await editor.question()
        file = project / "shop/prices.py"
        file.write_text(file.read_text() + "\n\nRATE = 7\n")
        await editor.until(lambda: "shop/prices.py" in editor.words("agent_thought_chunk"))
        await editor.until(lambda: "RATE = 7" in str(editor.calls()["proposal-1"]["content"]))
        first.choose("accept")
        second = await editor.question(2)
        assert "RATE = 7" in str(second.call.content)
        second.choose("accept")
        assert await ended(turn) == "end_turn"
        assert file.read_text() == MENDED + "\n\nRATE = 7\n"


async def test_two_sessions_at_once(tmp_path: Path, project: Path) -> None:
    other = make_shop(tmp_path / "other")
    async with inside(settings(write_script(tmp_path / "s.json", RIGHT_AT_ONCE))) as (editor, _):
        one, two = await editor.open(project), await editor.open(other)
        turns = editor.say(one, "mend total"), editor.say(two, "mend it")
        await editor.question(2)
        for asked in editor.asked:
            path = next(part.path for part in asked.call.content or [] if part.type == "diff")
            asked.choose("accept" if path.startswith(str(other)) else "words")
        assert [await ended(turn) for turn in turns] == ["end_turn", "end_turn"]
        assert (project / "shop/prices.py").read_text() != MENDED
        assert (other / "shop/prices.py").read_text() == MENDED
        assert await editor.agent.close_session(session_id=one) is not None
        with pytest.raises(acp.RequestError, match="not open here"):
            await editor.say(one, "hello?")
        fork = await editor.agent.fork_session(session_id=one, cwd=str(project), mcp_servers=[])
        (await editor.question(3)).choose("accept")
        await editor.until(lambda: (project / "shop/prices.py").read_text() == MENDED)
        assert fork.session_id != one


async def test_what_is_chosen_in_the_menus(tmp_path: Path, project: Path) -> None:
    more = {"partners": {"cheap": {"base_url": "http://127.0.0.1:9/v1", "model": "m"}}}
    async with inside(settings(write_script(tmp_path / "s.json", RIGHT_AT_ONCE)) | more) as (editor, _):
        opened = await editor.agent.new_session(cwd=str(project), mcp_servers=[])
        assert opened.modes.current_mode_id == "step"
        assert [option.id for option in opened.config_options] == ["mode", "partner"]
        assert "cheap" in [one.value for one in opened.config_options[1].options]
        await editor.agent.set_session_mode(session_id=opened.session_id, mode_id="auto")
        told = await editor.agent.set_config_option(session_id=opened.session_id, config_id="mode", value="auto")
        assert told.config_options[0].current_value == "auto"
        with pytest.raises(acp.RequestError, match="There is no mode 'never'"):
            await editor.agent.set_session_mode(session_id=opened.session_id, mode_id="never")
        assert await ended(editor.say(opened.session_id, "mend total")) == "end_turn"
        assert (project / "shop/prices.py").read_text() == MENDED
        assert not editor.asked


async def test_without_a_key_the_built_in_partner_answers(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    async with inside(flags("step", off=QUICK, partner={"discover": False})) as (editor, _):
        opened = await editor.agent.new_session(cwd=str(project), mcp_servers=[])
        assert "builtin" in [one.value for one in opened.config_options[1].options]
        assert await ended(editor.say(opened.session_id, "write a poem")) == "end_turn"
        assert "No key is set, so the built-in partner proposes" in editor.words()
        assert "I understand no words." in editor.words()


async def test_a_partner_that_fails_is_an_error_with_a_sentence(tmp_path: Path, project: Path) -> None:
    script = tmp_path / "s.json"
    error = {"kind": "auth", "message": "The key has expired.", "times": 9}
    script.write_text(json.dumps({"turns": [{"error": error}, {"text": "Hm."}]}))
    async with inside(settings(script)) as (editor, _):
        session = await editor.open(project)
        with pytest.raises(acp.RequestError, match="The key has expired") as caught:
            await editor.say(session, "mend total")
        assert caught.value.code == -32000


async def test_prompts_with_files_and_none_at_all(tmp_path: Path, project: Path) -> None:
    script = tmp_path / "s.json"
    script.write_text(json.dumps({"turns": [{"expect": "shop/prices.py", "text": "I see."}]}))
    async with inside(settings(script)) as (editor, _):
        session = await editor.open(project)
        file = (project / "shop/prices.py").as_uri()
        with pytest.raises(acp.RequestError, match="no words"):
            await editor.agent.prompt(session_id=session, prompt=[acp.image_block("aGk=", "image/png")])
        huge = acp.embedded_text_resource(f"{file}#L1:3", "x = '```'\n" * 60_000)
        blocks = [
            acp.text_block("Explain "),
            acp.resource_link_block("prices.py", file),
            acp.text_block("!"),
            acp.resource_block(huge),
        ]
        answer = await editor.agent.prompt(session_id=session, prompt=blocks)
        assert answer.stop_reason == "end_turn"
        text = stored(project, session).tasks[0].text
        assert text.startswith("Explain shop/prices.py!shop/prices.py (L1:3)\n\nshop/prices.py (L1:3):\n````\nx = ")
        assert "I see." in editor.words()


async def test_a_session_that_cannot_be_opened(tmp_path: Path, project: Path) -> None:
    async with inside(settings(tmp_path / "gone.json")) as (editor, _):
        with pytest.raises(acp.RequestError, match=r"gone\.json cannot be read"):
            await editor.open(project)
        with pytest.raises(acp.RequestError, match="There is no session"):
            await editor.agent.resume_session(session_id="20200101-000000-abcdef", cwd=str(project))


async def test_servers_of_the_editor_are_taken_along(tmp_path: Path, project: Path) -> None:
    async with inside(settings(calls(path=tmp_path / "s.json"))) as (editor, _):
        servers = [
            McpServerStdio(name="_a b", command=str(tmp_path / "gone"), args=["x"], env=[]),
            SseMcpServer(type="sse", name="old", url="http://127.0.0.1:9/sse", headers=[]),
        ]
        opened = await editor.agent.new_session(cwd=str(project), mcp_servers=servers)
        assert await ended(editor.say(opened.session_id, "look")) == "end_turn"
        assert "pairloop cannot use old" in editor.words()
        assert await ended(editor.say(opened.session_id, "/mcp")) == "end_turn"
        assert "a-b" in editor.words().rpartition("MCP servers")[2]


def test_what_an_editor_hands_on_is_taken_as_it_is() -> None:
    pair = EnvVariable(name="PASS", value="pa$$word$HOME")
    own = McpServerStdio(name="mine", command="x", args=[], env=[])
    found, left = tables([McpServerStdio(name="s", command="x", args=["$A"], env=[pair]), own], {"mine"})
    assert left == ""
    server = Server("s", msgspec.convert(found["s"], McpConfig), Path("/"), {"HOME": "/h"}, print)
    assert server._filled(server.settings.env["PASS"]) == "pa$$word$HOME"
    # What the human has configured under the name themselves goes before.
    assert list(found) == ["s"]


async def test_a_command_of_the_human_runs_in_the_sandbox(tmp_path: Path, project: Path) -> None:
    async with inside(settings(write_script(tmp_path / "s.json"))) as (editor, _):
        session = await editor.open(project)
        assert await ended(editor.say(session, "/run printf '\\033[31mred```' > x; cat x")) == "end_turn"
        call = editor.call("$ printf")
        assert call["status"] == "completed"
        assert "\x1b" not in str(call)
        assert "````\n" in call["content"][0]["content"]["text"]
        assert not (project / "x").exists()
        assert await ended(editor.say(session, "/undo nine")) == "end_turn"
        assert "'nine' is not the number of a landing." in editor.words()
        slow = editor.say(session, "/run sleep 60")
        await editor.until(lambda: any("sleep" in call["title"] for call in editor.calls().values()))
        await asyncio.wait_for(editor.agent.cancel(session_id=session), 30)
        assert await ended(slow) == "cancelled"


def calls(*turns: dict[str, Any], path: Path) -> Path:
    """A script of single tool calls, and a last word."""
    made = [{"calls": [{"name": name, "arguments": given}]} for turn in turns for name, given in turn.items()]
    path.write_text(json.dumps({"turns": [*made, {"text": "That is all."}]}))
    return path


async def test_a_command_of_the_partner_is_allowed_for_good_or_not_at_all(tmp_path: Path, project: Path) -> None:
    fine, bad = {"run_command": {"command": "echo '```'"}}, {"run_command": {"command": "rm -r ."}}
    script = calls(fine, fine, bad, path=tmp_path / "s.json")
    async with inside(settings(script)) as (editor, _):
        session = await editor.open(project)
        turn = editor.say(session, "look")
        first = await editor.question()
        assert first.call.kind == "execute"
        assert "````\necho '```'\n````" in str(editor_text(first))
        kinds = {name: option.kind for name, option in first.options.items()}
        assert kinds["allow"] == "allow_once"
        assert kinds["always"] == "allow_always"
        assert kinds["reject"] == kinds["words"] == "reject_once"
        first.choose("always")
        second = await editor.question(2)
        assert second.call.title == "Run rm -r ."
        second.choose("words")
        assert await ended(turn) == "end_turn"
        assert await ended(editor.say(session, "Use the tool search.")) == "end_turn"
        assert "Use the tool search." in str(stored(project, session).items)
        assert "That is all." in editor.words()
        stands = [call["status"] for call in editor.calls().values()]
        assert stands == ["completed", "completed", "failed"]
        assert theirs(project)


def editor_text(asked: Asked) -> str:
    """What a request for permission shows in words."""
    return "".join(part.content.text for part in asked.call.content or [] if part.type == "content")


async def test_questions_and_plans_of_the_partner(tmp_path: Path, project: Path) -> None:
    question = {"ask_human": {"question": "Which *one*?", "options": ["The first", "The second"]}}
    plan = {"update_plan": {"steps": [{"text": "Look", "status": "done"}, {"text": "Mend", "status": "doing"}]}}
    script = calls(plan, question, question, path=tmp_path / "s.json")
    async with inside(settings(script)) as (editor, _):
        session = await editor.open(project)
        turn = editor.say(session, "mend it")
        first = await editor.question()
        plans = [update for _, update in editor.updates if update.session_update == "plan"]
        assert [(one.content, one.status) for one in plans[-1].entries] == [
            ("Look", "completed"),
            ("Mend", "in_progress"),
        ]
        assert [option.name for option in first.options.values()][:2] == ["The first", "The second"]
        assert r"Which \*one\*?" in editor.words()
        first.choose("1")
        (await editor.question(2)).choose("words")
        assert await ended(turn) == "end_turn"
        assert await ended(editor.say(session, "Neither of them")) == "end_turn"
        told = str(stored(project, session).items)
        assert "The second" in told
        assert "Neither of them" in told


async def test_a_budget_that_is_used_up_is_asked_about(tmp_path: Path, project: Path) -> None:
    script = calls({"list_files": {}}, {"list_files": {}}, path=tmp_path / "s.json")
    more = {"budget": {"task_tokens": 10}}
    async with inside(settings(script) | more) as (editor, _):
        session = await editor.open(project)
        turn = editor.say(session, "look")
        (await editor.question()).choose("always")
        assert await ended(turn) == "end_turn"
        assert "That is all." in editor.words()


async def test_commands_of_the_project_are_offered_and_become_a_task(tmp_path: Path, project: Path) -> None:
    folder = project / ".pairloop/commands"
    folder.mkdir(parents=True)
    (folder / "review.md").write_text("---\ndescription: Look [at](http://x) it\n---\nReview $1 please.\n")
    script = calls(path=tmp_path / "s.json")
    async with inside(settings(script)) as (editor, _):
        session = await editor.open(project)
        await editor.until(lambda: any(one.session_update == "available_commands_update" for _, one in editor.updates))
        listed = next(one for _, one in editor.updates if one.session_update == "available_commands_update")
        offered = {one.name: one.description for one in listed.available_commands}
        assert offered["review"] == "Look [at] (http://x) it"
        assert {"accept", "reject", "undo", "run", "model"} <= set(offered)
        assert await ended(editor.say(session, "/review shop/prices.py")) == "end_turn"
        assert stored(project, session).tasks[0].text == "Review shop/prices.py please."
        assert await ended(editor.say(session, "/skills")) == "end_turn"
        assert "There are no skills" in editor.words()


async def test_loaded_while_it_is_open_it_is_told_and_asked_again(tmp_path: Path, project: Path) -> None:
    async with inside(settings(write_script(tmp_path / "s.json", RIGHT_AT_ONCE))) as (editor, _):
        session = await editor.open(project)
        turn = editor.say(session, "mend total")
        await editor.question()
        await editor.agent.load_session(cwd=str(project), session_id=session, mcp_servers=[])
        assert editor.words("user_message_chunk") == "mend total"
        (await editor.question(2)).choose("accept")
        assert await ended(turn) == "end_turn"
        assert (project / "shop/prices.py").read_text() == MENDED


async def test_a_session_that_is_open_elsewhere_is_not_taken(tmp_path: Path, project: Path) -> None:
    script = settings(write_script(tmp_path / "s.json", WRONG))
    async with inside(script) as (editor, _), inside(script) as (other, _):
        session = await editor.open(project)
        assert await ended(editor.say(session, "/skills")) == "end_turn"
        with pytest.raises(acp.RequestError, match="open in another pairloop"):
            await other.agent.load_session(cwd=str(project), session_id=session, mcp_servers=[])
        await editor.agent.close_session(session_id=session)
        await other.agent.load_session(cwd=str(project), session_id=session, mcp_servers=[])
        await other.agent.load_session(cwd=str(project), session_id=session, mcp_servers=[])
        assert await ended(other.say(session, "/skills")) == "end_turn"
