"""Tool calls that models write as text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.conversation import (
    AssistantItem,
    ToolCallItem,
)
from agent_core.partners.text_calls import find_calls, read_calls

ENVELOPE = "*** Begin Patch\n*** Update File: a.py\n@@ def f():\n-    return 1\n+    return 2\n*** End Patch"
SECTION = "*** Update File: b.py\n@@\n-x = 1\n+x = 2"
UNIFIED = "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 2\n"
BLOCK = "<<<<<<< SEARCH\n    return 1\n=======\n    return 2\n>>>>>>> REPLACE\n"
QUOTED = "".join(f"> {line}\n" for line in f"I have sent\n{UNIFIED}a.py\n{BLOCK}{ENVELOPE}".splitlines()).strip()
LISTED = "As it was:\n\n" + "".join(f"    {line}\n" for line in UNIFIED.splitlines()).strip()
CONFLICT = "```\n<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> feature\n```"
TOOLS = ("apply_patch", "read_file", "list_files")


def found(words: str) -> list[tuple[str, object]]:
    return [(one.name, json.loads(one.arguments)) for one in find_calls(words, TOOLS)]


def rest(words: str) -> str:
    return "".join(
        item.text for item in read_calls((AssistantItem(words),), TOOLS, 1) if isinstance(item, AssistantItem)
    )


READ = ("read_file", {"path": "a.py"})
READ_ATTRIBUTE = '{\\"path\\": \\"a.py\\"}'
READ_TEXT = '{"name": "read_file", "arguments": {"path": "a.py"}}'


@pytest.mark.parametrize(
    ("words", "calls", "left"),
    [
        pytest.param(READ_TEXT, [READ], "", id="bare"),
        pytest.param(f"ok\n{READ_TEXT}", [READ], "ok", id="after a word, as qwen2.5-coder does"),
        pytest.param(f"I look:\n```json\n{READ_TEXT}\n```\nThen I see.", [READ], "I look:\n\nThen I see.", id="fence"),
        pytest.param(f"~~~~\n{READ_TEXT}\n~~~~", [READ], "", id="another fence"),
        pytest.param(f"<tool_call>\n{READ_TEXT}\n</tool_call>", [READ], "", id="tags"),
        pytest.param(f"<tool_call>\n{READ_TEXT}", [READ], "", id="a tag never closed"),
        pytest.param(f"<tools>\n{READ_TEXT}\n{READ_TEXT}\n</tools>", [READ, READ], "", id="two in tags"),
        pytest.param(f"[{READ_TEXT}, {READ_TEXT}]", [READ, READ], "", id="a list"),
        pytest.param('<function=read_file>{"path": "a.py"}</function>', [READ], "", id="tag with JSON"),
        pytest.param(
            "<tool_call>\n<function=read_file>\n<parameter=path>\na.py\n</parameter>\n<parameter=line>\n7\n</parameter>\n"
            "</function>\n</tool_call>",
            [("read_file", {"path": "a.py", "line": 7})],
            "",
            id="tag with parameters, as qwen3-coder does",
        ),
        pytest.param("<function=list_files></function>", [("list_files", {})], "", id="tag without arguments"),
        pytest.param("Write <function=list_files> for it", [], "Write <function=list_files> for it", id="tag in words"),
        pytest.param(
            f'<tools>\n  <function name="read_file" arguments="{READ_ATTRIBUTE}"/>\n'
            f'  <function name="read_file" arguments="{READ_ATTRIBUTE}"></function>\n</tools>',
            [READ, READ],
            "",
            id="attributes, as qwen2.5-coder does now and then",
        ),
        pytest.param(
            """<tools>\n  <function name="read_file" arguments='{"path": "a.py"}'/>\n"""
            """  <function name="read_file" arguments=' {"path": "a.py"} '></function>\n</tools>""",
            [READ, READ],
            "",
            id="attributes in single quotes, as it does too",
        ),
        pytest.param(
            """<function name="read_file" arguments='{"path": "a.py"}/>""",
            [],
            """<function name="read_file" arguments='{"path": "a.py"}/>""",
            id="a single quote never closed",
        ),
        pytest.param(
            '<function name="read_file" arguments="nothing"/>',
            [],
            '<function name="read_file" arguments="nothing"/>',
            id="attributes that are none",
        ),
        pytest.param(f"<tool_call>\n{{{READ_TEXT}}}\n</tool_call>", [READ], "", id="doubled braces"),
        pytest.param('{"name": "read_file", "parameters": {"path": "a.py"}}', [READ], "", id="parameters"),
        pytest.param(
            '{"type": "function", "function": {"name": "read_file", "arguments": "{\\"path\\": \\"a.py\\"}"}}',
            [READ],
            "",
            id="nested, arguments as text",
        ),
        pytest.param('{"name": "list_files", "arguments": {}}', [("list_files", {})], "", id="no arguments"),
        pytest.param('{"name": "rm_rf", "arguments": {}}', [], '{"name": "rm_rf", "arguments": {}}', id="no such tool"),
        pytest.param('{"name": "read_file"}', [], '{"name": "read_file"}', id="no call without arguments"),
        pytest.param(
            '{"name": "read_file", "arguments": [1]}', [], '{"name": "read_file", "arguments": [1]}', id="list"
        ),
        pytest.param("{'name': read_file}", [], "{'name': read_file}", id="not JSON"),
        pytest.param(f'{{"example": {READ_TEXT}}}', [], f'{{"example": {READ_TEXT}}}', id="a call that is data"),
        pytest.param(
            f"Here:\n{ENVELOPE}\nGood?", [("apply_patch", {"patch": ENVELOPE + "\n"})], "Here:\n\nGood?", id="patch"
        ),
        pytest.param(f"```diff\n{ENVELOPE}\n```", [("apply_patch", {"patch": ENVELOPE + "\n"})], "", id="fenced patch"),
        pytest.param(
            "```\n*** Begin Patch\n*** Delete File: a.py\n```\nDone.",
            [("apply_patch", {"patch": "*** Begin Patch\n*** Delete File: a.py\n*** End Patch\n"})],
            "Done.",
            id="a patch never ended, in a fence",
        ),
        pytest.param(
            f"{ENVELOPE}\nand\n{ENVELOPE}",
            [("apply_patch", {"patch": ENVELOPE + "\n"})] * 2,
            "and",
            id="two patches",
        ),
        pytest.param(
            f"{ENVELOPE}\n{ENVELOPE}",
            [("apply_patch", {"patch": f"{ENVELOPE}\n{ENVELOPE}\n"})],
            "",
            id="one patch in two envelopes",
        ),
        pytest.param(
            f"I mend it:\n```diff\n{UNIFIED}```\nDone.",
            [("apply_patch", {"patch": UNIFIED})],
            "I mend it:\n\nDone.",
            id="a unified diff",
        ),
        pytest.param(
            f"I mend it.\n\na.py\n```python\n{BLOCK}```\nDone.",
            [("apply_patch", {"patch": f"a.py\n{BLOCK}"})],
            "I mend it.\n\nDone.",
            id="a SEARCH/REPLACE block",
        ),
        pytest.param(
            f"a.py\n```\n{BLOCK}```\nand\n```\n{BLOCK}```",
            [("apply_patch", {"patch": f"a.py\n{BLOCK}"})] * 2,
            "and",
            id="a path said once for two blocks",
        ),
        pytest.param(
            f"So:\n```\n{ENVELOPE}\n\n{SECTION}\n*** End Patch\n```\nDone.",
            [("apply_patch", {"patch": f"{ENVELOPE}\n*** Begin Patch\n{SECTION}\n*** End Patch\n"})],
            "So:\n\nDone.",
            id="a file behind the end of a patch",
        ),
        pytest.param(
            f"I mend it:\n```diff\n{SECTION}\n```\nDone.",
            [("apply_patch", {"patch": f"*** Begin Patch\n{SECTION}\n*** End Patch\n"})],
            "I mend it:\n\nDone.",
            id="a patch without its beginning",
        ),
        pytest.param(
            "*** Update File: a.py\nis how it begins.",
            [],
            "*** Update File: a.py\nis how it begins.",
            id="a header in words",
        ),
        pytest.param(QUOTED, [], QUOTED, id="a quotation"),
        pytest.param(LISTED, [], LISTED, id="an indented listing of a diff"),
        pytest.param(CONFLICT, [], CONFLICT, id="a merge conflict in a listing"),
        pytest.param(
            '{"name": "apply_patch", "arguments": {"patch": "' + ENVELOPE + '"}}',
            [("apply_patch", {"patch": ENVELOPE})],
            "",
            id="a patch with raw newlines in JSON",
        ),
        pytest.param(
            f"*** Begin Patch\n*** Add File: a.json\n+[\n{READ_TEXT}\n*** End Patch",
            [("apply_patch", {"patch": f"*** Begin Patch\n*** Add File: a.json\n+[\n{READ_TEXT}\n*** End Patch\n"})],
            "",
            id="a call in a patch is text",
        ),
        pytest.param(
            "The mark `*** Begin Patch` opens it.", [], "The mark `*** Begin Patch` opens it.", id="a mention"
        ),
    ],
)
def test_what_is_understood(words: str, calls: list[tuple[str, object]], left: str) -> None:
    assert found(words) == calls
    assert rest(words) == left


def test_what_is_invented_as_a_tools_answer_is_neither_said_nor_carried_out() -> None:
    spoken = "The template writes\n<tool_response>\nso\n</tool_response>"
    assert read_calls((AssistantItem(spoken),), TOOLS, 1) == (AssistantItem(spoken),)
    invented = f"<tool_response>\n{READ_TEXT}\n</tool_response>"
    words = f"{invented}\n{invented}\nI look.\n{READ_TEXT}\n<tool_response>\nIt is empty."
    said, call = read_calls((AssistantItem(words),), TOOLS, 1)
    assert said == AssistantItem("I look.")
    assert isinstance(call, ToolCallItem)
    assert read_calls((AssistantItem(invented),), TOOLS, 1) == ()


def test_a_patch_is_not_looked_for_where_the_tool_is_not_on_offer() -> None:
    assert find_calls(ENVELOPE, ("read_file",)) == []


def test_a_real_call_makes_the_words_mere_words() -> None:
    items = (AssistantItem(READ_TEXT), ToolCallItem("a", "list_files", "{}"))
    assert read_calls(items, TOOLS, 3) is items


def test_ids_follow_from_content_and_position() -> None:
    words = (AssistantItem(f"{READ_TEXT}\n{READ_TEXT}"),)
    first, again, later = (read_calls(words, TOOLS, turn) for turn in (3, 3, 5))
    assert first == again
    ids = [item.call_id for item in (*first, *later) if isinstance(item, ToolCallItem)]
    assert len(set(ids)) == 4


@given(
    st.text(alphabet='{}[]"`~:,\\/= \n*<>tool_callname arguments read_file function parameter'), st.text(), st.text()
)
def test_any_text_is_read_and_none_of_it_is_lost(noise: str, before: str, after: str) -> None:
    words = f"{before}{noise}{after}"
    last = 0
    for one in find_calls(words, TOOLS):
        assert last <= one.start < one.end <= len(words)
        last = one.end
    if not find_calls(words, TOOLS):
        assert read_calls((AssistantItem(words),), TOOLS, 1) == (AssistantItem(words),)


@given(st.dictionaries(st.text(), st.text()), st.sampled_from(["", "```json\n{}\n```", "<tool_call>{}</tool_call>"]))
def test_a_written_call_is_found_with_its_arguments(arguments: dict[str, str], around: str) -> None:
    words = json.dumps({"name": "read_file", "arguments": arguments})
    shown = around.replace("{}", words) if around else words
    assert found(f"I call:\n{shown}\nWell.") == [("read_file", arguments)]


@pytest.mark.parametrize(("quote", "gap"), [('"""', "\n"), ('"', "\n"), ('"', ""), ("`", ""), ("", "\n")])
def test_an_envelope_in_what_would_be_json_leaves_no_husk(quote: str, gap: str) -> None:
    envelope = '*** Begin Patch\n*** Add File: a.py\n+print("unescaped")\n*** End Patch'
    husk = f'{{\n  "name": "apply_patch",\n  "arguments": {{\n    "patch": {quote}{gap}{envelope}{gap}{quote}\n  }}\n}}'
    text = f"I delete it.\n\n```json\n{husk}\n```\nDone."
    items = read_calls((AssistantItem(text),), {"apply_patch"}, 3)
    words, call = items
    assert isinstance(words, AssistantItem)
    assert words.text == "I delete it.\n\nDone."
    assert isinstance(call, ToolCallItem)
    assert json.loads(call.arguments)["patch"].strip() == envelope
