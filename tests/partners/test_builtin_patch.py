"""OpenAI's built-in apply_patch tool: what its calls amount to, and how they go over a real connection."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.config_tables import PartnerConfig
from agent_core.conversation import (
    AssistantItem,
    Completed,
    Item,
    ToolCallItem,
    ToolResultItem,
    UserItem,
)
from agent_core.errors import PartnerError, PatchRefusedError
from agent_core.partners.build import build_partner
from agent_core.partners.builtin_patch import BUILTIN, has_builtin, to_envelope
from agent_core.partners.client import Connection
from agent_core.partners.endpoint import OPENAI_URL, Endpoint, Key
from agent_core.partners.responses import ResponsesModel, items_to_input
from agent_core.patch.operations import AddFile, DeleteFile, Operation, UpdateFile
from agent_core.patch.read import read_patch
from tests.partners.talk import answer_of, chunks_of, input_bytes, model, request, written
from tests.support.answers import call, create, delete, error, events, reasoning, text, update
from tests.support.model_server import ModelServer

DIFF = "@@ def f():\n-    return 1\n+    return 2\n"


def builtin(base_url: str) -> ResponsesModel:
    """A partner behind a server that has the tool."""
    return ResponsesModel(Connection(Endpoint(base_url, "test-model", Key("sk-1", "K"), 10)), patch_tool="builtin")


def patches(items: tuple[Item, ...]) -> list[str]:
    return [json.loads(item.arguments)["patch"] for item in items if isinstance(item, ToolCallItem)]


def parsed(patch: str) -> tuple[Operation, ...]:
    """What a patch asks for, read as the loop reads it."""
    return read_patch(patch).operations


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-5.1", True),
        ("gpt-5.1-2025-11-13", True),
        ("gpt-5.1-codex-mini", True),
        ("gpt-5.4-nano", True),
        ("gpt-6.2-sol", True),
        ("gpt-6", True),
        ("gpt-10.1", True),
        ("gpt-5.1-chat-latest", False),
        ("gpt-5", False),
        ("gpt-5-2025-08-07", False),
        ("gpt-5-mini", False),
        ("gpt-4.1", False),
        ("gpt-4o", False),
        ("o3", False),
        ("ft:gpt-5.1:us", False),
        ("my-gpt-5.1", False),
        ("gpt-oss-120b", False),
        ("", False),
    ],
)
def test_which_models_have_it(name: str, expected: bool) -> None:
    assert has_builtin(name) is expected


@pytest.mark.parametrize(
    ("base_url", "name", "setting", "expected"),
    [
        (OPENAI_URL, "gpt-5.1", "auto", True),
        (OPENAI_URL, "gpt-5.1", "function", False),
        (OPENAI_URL, "gpt-4.1", "auto", False),
        (OPENAI_URL, "gpt-4.1", "builtin", True),
        ("http://127.0.0.1:1/v1", "gpt-5.1", "auto", False),
        ("http://127.0.0.1:1/v1", "gpt-5.1", "builtin", True),
    ],
)
async def test_who_is_offered_it(base_url: str, name: str, setting: Any, expected: bool) -> None:
    partner = ResponsesModel(Connection(Endpoint(base_url, name, Key("k", "K"), 1.0)), patch_tool=setting)
    body = await partner._body(request())  # nobody may talk to OpenAI in a test
    assert (dict(BUILTIN) in body["tools"]) is expected
    assert [tool.get("name") for tool in body["tools"]].count("apply_patch") == (not expected)
    assert ("built-in tool" in body["instructions"]) is expected


def test_the_setting_reaches_the_partner() -> None:
    config = PartnerConfig(base_url="http://127.0.0.1:1/v1", api="responses", patch_tool="builtin")
    # It is the innermost: around it are those that retry, read written calls, know the price.
    inner: object = build_partner(config, {})
    while "_inner" in vars(inner):
        inner = vars(inner)["_inner"]
    assert vars(inner)["_patch_tool"] == "builtin"


def test_each_operation_is_a_section_of_one_file() -> None:
    assert parsed(to_envelope({"type": "create_file", "path": "a b.py", "diff": "+x\n+\n+y\n"})) == (
        AddFile("a b.py", "x\n\ny\n", 2),
    )
    assert parsed(to_envelope({"type": "create_file", "path": "empty.txt", "diff": ""})) == (
        AddFile("empty.txt", "", 2),
    )
    assert parsed(to_envelope({"type": "delete_file", "path": "a.py"})) == (DeleteFile("a.py", 2),)
    (found,) = parsed(to_envelope({"type": "update_file", "path": "a.py", "diff": DIFF.rstrip("\n")}))
    assert isinstance(found, UpdateFile)
    assert [line.sign + line.text for line in found.hunks[0].lines] == ["-    return 1", "+    return 2"]
    whole = f"*** Begin Patch\n*** Update File: a.py\n{DIFF}*** End Patch\n"
    assert to_envelope({"type": "update_file", "path": "a.py", "diff": whole}) == whole


@pytest.mark.parametrize(
    "operation",
    [
        {"type": "update_file", "path": "a.py", "diff": f"{DIFF}*** Update File: b.py\n@@\n-1\n+2\n"},
        {"type": "update_file", "path": "a.py", "diff": f"{DIFF}*** Delete File: b.py\n"},
        {"type": "update_file", "path": "a.py", "diff": f"*** Update File: b.py\n{DIFF}"},
        {"type": "update_file", "path": "a.py", "diff": f"{DIFF}*** End Patch\n@@\n-lost\n+more\n"},
        {"type": "create_file", "path": "a.py", "diff": "+x\n*** Add File: b.py\n+y\n"},
        {"type": "create_file", "path": "a.py", "diff": "--- /dev/null\n+++ b/a.py\n@@ -0,0 +1 @@\n+x\n"},
        {"type": "create_file", "path": "a.py", "diff": "x\n"},
        {"type": "rename_file", "path": "a.py", "diff": DIFF},
        {"type": "update_file", "path": "", "diff": DIFF},
        {"type": "update_file", "path": "a.py", "diff": ""},
        {"type": "update_file", "diff": DIFF},
        {"path": "a.py", "diff": DIFF},
        {},
    ],
)
def test_what_reaches_beyond_its_file_or_says_nothing_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(PatchRefusedError) as caught:
        parsed(to_envelope(operation))
    assert "of the patch" in str(caught.value)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_name_with_a_newline_names_no_second_file(newline: str) -> None:
    (found,) = parsed(to_envelope({"type": "delete_file", "path": f"a.py{newline}*** Delete File: b.py"}))
    assert found.path.startswith("a.py")
    assert found.path.endswith("*** Delete File: b.py")


def test_a_refusal_of_another_files_lines_says_what_is_the_matter() -> None:
    diff = f"{DIFF}*** Update File: b.py\n@@\n-1\n+2\n"
    with pytest.raises(PatchRefusedError, match=r"In a call for one file: .*b\.py"):
        parsed(to_envelope({"type": "update_file", "path": "a.py", "diff": diff}))


KINDS = {"create_file": AddFile, "update_file": UpdateFile, "delete_file": DeleteFile}
LINES = st.lists(
    st.sampled_from(
        (
            *("@@", "@@ def f():", "-old", "+new", " context", "", "\r", "```", "EOF", "*** End of File"),
            *(
                "*** Begin Patch",
                "*** End Patch",
                " *** End Patch",
                "*** Add File: other.py",
                "*** update file: other.py",
            ),
            *("  *** Delete File: other.py", "*** Update File: a.py", "*** Move to: b.py"),
            *("--- a/other.py", "+++ b/other.py", "diff --git a/other.py b/other.py", "<<<<<<< SEARCH", "======="),
        )
    ),
    max_size=8,
).map("\n".join)


@given(st.sampled_from(["create_file", "update_file", "delete_file"]), LINES)
def test_a_call_never_touches_another_file_than_it_names(kind: str, diff: str) -> None:
    try:
        found = parsed(to_envelope({"type": kind, "path": "a.py", "diff": diff}))
    except PatchRefusedError:
        return
    assert {operation.path for operation in found} == {"a.py"}
    assert {type(operation) for operation in found} == {KINDS[kind]}
    texts = [one.text for one in found if isinstance(one, AddFile)]
    hunks = [hunk for one in found if isinstance(one, UpdateFile) for hunk in one.hunks]
    texts += [line.text for hunk in hunks for line in hunk.lines]
    if kind != "delete_file":
        assert "\n".join(texts).count("new") == diff.count("+new")


async def test_three_operations_of_one_answer_stream_and_complete() -> None:
    answer = (
        reasoning("Let me think.")
        + text("I patch.")
        + create("docs/gr\u00fc\u00df.md", '+# "Hi" \\ \U0001f600\n+\n+\ttab\n')
        + update("a.py", DIFF)
        + delete("old.py")
    )
    async with ModelServer([answer]) as server:
        partner = builtin(server.base_url)
        chunks = await chunks_of(partner, request())
        await partner.close()
        tools = server.requests[0].body["tools"]
    assert tools[0] == {"type": "apply_patch"}
    assert [tool["type"] for tool in tools[1:]] == ["function"] * 3
    done = chunks[-1]
    assert isinstance(done, Completed)
    assert patches(done.items) == [
        '*** Begin Patch\n*** Add File: docs/gr\u00fc\u00df.md\n+# "Hi" \\ \U0001f600\n+\n+\ttab\n*** End Patch\n',
        f"*** Begin Patch\n*** Update File: a.py\n{DIFF}*** End Patch\n",
        "*** Begin Patch\n*** Delete File: old.py\n*** End Patch\n",
    ]
    calls = [item for item in done.items if isinstance(item, ToolCallItem)]
    assert written(chunks) == {one.call_id: one.arguments for one in calls}
    assert all(json.loads(one.raw)["type"] == "apply_patch_call" for one in calls)


@pytest.mark.parametrize(
    "diff",
    [
        "@@\n-a\n+b",
        f"{DIFF}*** Update File: b.py\n@@\n-1\n+2\n",
        f"*** Begin Patch\n{DIFF}",
        "*** Begin Patch\n@@\n-a\n+b",
    ],
)
async def test_what_is_streamed_is_json_also_where_the_diff_is_not_taken_word_for_word(diff: str) -> None:
    async with ModelServer([update("a.py", diff)]) as server:
        partner = builtin(server.base_url)
        chunks = await chunks_of(partner, request())
        await partner.close()
    (streamed,) = written(chunks).values()
    shown = json.loads(streamed)["patch"]
    assert shown.startswith("*** Begin Patch\n*** Update File: a.py\n")
    assert shown.endswith("\n*** End Patch\n")


async def test_a_server_that_streams_no_diff_is_understood_all_the_same() -> None:
    item = {
        "type": "apply_patch_call",
        "id": "apc_1",
        "call_id": "call_1",
        "status": "completed",
        "operation": {"type": "update_file", "path": "a.py", "diff": DIFF},
        "created_by": "somebody",
    }
    final = {"type": "response.completed", "response": {"status": "completed", "output": [item]}}
    stray = {"type": "response.apply_patch_call_operation_diff.delta", "item_id": "unheard_of", "delta": "+x"}
    whole = {"type": "response.output_item.done", "item": item}
    for answer in (events(stray, whole, final), events(final)):
        async with ModelServer([answer, text("ok")]) as server:
            partner = builtin(server.base_url)
            done = await answer_of(partner, request())
            (made,) = done.items
            assert isinstance(made, ToolCallItem)
            assert patches(done.items) == [f"*** Begin Patch\n*** Update File: a.py\n{DIFF}*** End Patch\n"]
            await answer_of(partner, request(UserItem("Hello"), made, ToolResultItem("call_1", "done")))
            await partner.close()
            # An input item knows no "created_by", and is refused with it.
            assert server.requests[1].body["input"][1] == {key: item[key] for key in item if key != "created_by"}


async def test_a_call_without_an_id_is_an_error_not_a_crash() -> None:
    item = {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a.py"}}
    async with ModelServer([events({"type": "response.output_item.done", "item": item})]) as server:
        partner = builtin(server.base_url)
        with pytest.raises(PartnerError, match="without an id"):
            await chunks_of(partner, request())
        await partner.close()


async def test_every_request_begins_with_the_bytes_of_the_one_before() -> None:
    answers = [
        reasoning("first") + create("n.py", "+x = 1\n") + update("a.py", DIFF) + delete("old.py"),
        call("read_file", path="a.py"),
        update("a.py", "@@\n-x\n+y"),
        text("Done."),
    ]
    items: list[Item] = [UserItem("Mend it.")]
    async with ModelServer(answers) as server:
        partner = builtin(server.base_url)
        for number, _ in enumerate(answers):
            done = await answer_of(partner, request(*items))
            items += done.items
            made = [one for one in done.items if isinstance(one, ToolCallItem)]
            items += [ToolResultItem(one.call_id, f"result {number}", ok=number != 0) for one in made]
            items.append(UserItem("[the human edited a.py]"))
        # What the journal gives back is the same to the byte.
        kept = msgspec.json.decode(msgspec.json.encode(items), type=list[Item])
        assert items_to_input(kept, builtin=True) == items_to_input(items, builtin=True)
        await partner.close()
        sent = [input_bytes(one) for one in server.requests]
        last = server.requests[-1].body["input"]
    for earlier, later in pairwise(sent):
        assert len(later) > len(earlier)
        assert later.startswith(earlier)
    outputs = [item for item in last if item["type"] == "apply_patch_call_output"]
    assert [(item["status"], item["output"]) for item in outputs] == [("failed", "result 0")] * 3 + [
        ("completed", "result 2")
    ]
    assert [item["type"] for item in last].count("function_call_output") == 1
    replayed = [item for item in last if item["type"] == "apply_patch_call"]
    assert [item["operation"]["type"] for item in replayed] == [
        "create_file",
        "update_file",
        "delete_file",
        "update_file",
    ]


@pytest.mark.parametrize(
    "refusal",
    [
        error(400, "Tool 'apply_patch' is not supported with gpt-5-2025-08-07."),
        error(
            400, "Invalid value: 'apply_patch'. Supported values are: 'function' and 'custom'.", code="invalid_value"
        ),
        error(400, "'type' of tool must be 'function'"),
        error(422, "tools[0].type: Input should be 'function'"),
    ],
)
async def test_a_server_that_refuses_the_tool_is_given_the_function_from_then_on(refusal: Any) -> None:
    raw = update("a.py", DIFF, "call_x")
    async with ModelServer([raw, refusal, call("apply_patch", patch="p"), text("Done.")]) as server:
        partner = builtin(server.base_url)
        first = await answer_of(partner, request())
        items: list[Item] = [UserItem("Hello"), *first.items, ToolResultItem("call_x", "landed")]
        second = await answer_of(partner, request(*items))
        assert patches(second.items) == ["p"]
        await answer_of(partner, request(*items, UserItem("go on")))
        await partner.close()
        bodies = [one.body for one in server.requests]
    assert [body["tools"][0]["type"] for body in bodies] == ["apply_patch", "apply_patch", "function", "function"]
    assert [item["type"] for item in bodies[1]["input"]][1:] == ["apply_patch_call", "apply_patch_call_output"]
    for body in bodies[2:]:
        assert [item["type"] for item in body["input"]][1:3] == ["function_call", "function_call_output"]
        assert DIFF in json.loads(body["input"][1]["arguments"])["patch"]
        assert "built-in tool" not in body["instructions"]


async def test_another_refusal_is_no_reason_to_go_without_the_tool() -> None:
    async with ModelServer([error(400, "Your request was flagged.", code="invalid_prompt"), text("ok")]) as server:
        partner = builtin(server.base_url)
        with pytest.raises(PartnerError):
            await chunks_of(partner, request())
        await answer_of(partner, request())
        await partner.close()
        assert [one.body["tools"][0]["type"] for one in server.requests] == ["apply_patch"] * 2


async def test_chat_completions_is_told_of_such_a_call_as_of_any_other() -> None:
    async with ModelServer([update("a.py", DIFF), text("ok")]) as server:
        first, other = builtin(server.base_url), model("chat", server.base_url)
        done = await answer_of(first, request())
        (made,) = done.items
        assert isinstance(made, ToolCallItem)
        await answer_of(other, request(UserItem("Hello"), made, ToolResultItem(made.call_id, "no", ok=False)))
        await first.close()
        await other.close()
        messages = server.requests[1].body["messages"]
    function = messages[2]["tool_calls"][0]["function"]
    assert (function["name"], json.loads(function["arguments"])["patch"]) == ("apply_patch", patches(done.items)[0])
    assert messages[3] == {"role": "tool", "tool_call_id": made.call_id, "content": "no"}


def test_an_unanswered_call_gets_a_result_that_says_it_failed() -> None:
    raw = json.dumps({"type": "apply_patch_call", "call_id": "c", "status": "completed", "operation": {}})
    *_, output = items_to_input([UserItem("x"), ToolCallItem("c", "apply_patch", "{}", raw)], builtin=True)
    assert (output["type"], output["status"]) == ("apply_patch_call_output", "failed")


def test_conversations_of_older_journals_are_read() -> None:
    old = (
        b'[{"type":"UserItem","text":"go"},{"type":"AssistantItem","text":"hm"},'
        b'{"type":"ToolCallItem","call_id":"c","name":"apply_patch","arguments":"{}"},'
        b'{"type":"ToolResultItem","call_id":"c","output":"done"}]'
    )
    assert msgspec.json.decode(old, type=list[Item]) == [
        UserItem("go"),
        AssistantItem("hm"),
        ToolCallItem("c", "apply_patch", "{}", raw=""),
        ToolResultItem("c", "done", ok=True),
    ]
