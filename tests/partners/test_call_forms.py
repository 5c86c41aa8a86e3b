"""The forms in which model families and weak models write tool calls, and the mistakes they make in them."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_core.conversation import AssistantItem
from agent_core.partners.loose_json import decoded
from agent_core.partners.text_calls import find_calls, read_calls

TOOLS = ("apply_patch", "read_file", "search", "list_files")
FIELDS = {"apply_patch": ["patch"], "read_file": ["path", "start"], "search": ["pattern", "path"], "list_files": []}
READ = ("read_file", {"path": "a.py"})
FIND = ("search", {"pattern": "x", "path": "."})
HUNK = '@@ def f():\n-    print("a\\n")\n+    print("b\\n", {"c": 1})'
ENVELOPE = f"*** Begin Patch\n*** Update File: a.py\n{HUNK}\n*** End Patch"
PATCH = ("apply_patch", {"patch": ENVELOPE})
PYTHON_PATCH = f'```tool_code\napply_patch(patch=r"""{ENVELOPE}""")\n```'
READ_TEXT = '{"name": "read_file", "arguments": {"path": "a.py"}}'
FIND_TEXT = '{"name": "search", "arguments": {"pattern": "x", "path": "."}}'


def wide(words: str) -> str:
    """Words with DeepSeek's bars and lines in the place of others."""
    return words.replace("¦", "\uff5c").replace("·", "\u2581")


def found(words: str) -> list[tuple[str, object]]:
    return [(one.name, json.loads(one.arguments)) for one in find_calls(words, TOOLS, FIELDS)]


def rest(words: str) -> str:
    items = read_calls((AssistantItem(words),), TOOLS, 1, FIELDS)
    return "".join(item.text for item in items if isinstance(item, AssistantItem))


@pytest.mark.parametrize(
    ("words", "calls"),
    [
        pytest.param(f"<tool_call>\n{READ_TEXT}\n</tool_call>", [READ], id="hermes, qwen"),
        pytest.param(f"<tool_call>{READ_TEXT}</tool_call>\n<tool_call>{FIND_TEXT}</tool_call>", [READ, FIND], id="two"),
        pytest.param(f"[TOOL_CALLS] [{READ_TEXT}, {FIND_TEXT}]", [READ, FIND], id="mistral 7b"),
        pytest.param('[TOOL_CALLS]read_file[ARGS]{"path": "a.py"}', [READ], id="mistral small 3"),
        pytest.param('[TOOL_CALLS]read_file[CALL_ID]ab1[ARGS]{"path": "a.py"}', [READ], id="magistral"),
        pytest.param('[TOOL_CALLS]read_file{"path": "a.py"}', [READ], id="mistral 11"),
        pytest.param(
            '<|python_tag|>{"name": "read_file", "parameters": {"path": "a.py"}}<|eom_id|>', [READ], id="llama 3.1"
        ),
        pytest.param('<|python_tag|>read_file.call(path="a.py")<|eom_id|>', [READ], id="llama 3.1's built-in tools"),
        pytest.param(
            '{"name": "read_file", "parameters": {"path": "a.py"}}; {"name": "search", "parameters": '
            '{"pattern": "x", "path": "."}}',
            [READ, FIND],
            id="llama 3.2, two",
        ),
        pytest.param('[read_file(path="a.py"), search(pattern="x", path=".")]', [READ, FIND], id="llama 4"),
        pytest.param('```tool_code\nread_file(path="a.py")\n```', [READ], id="gemma"),
        pytest.param('```tool_code\nprint(default_api.read_file(path="a.py"))\n```', [READ], id="gemini"),
        pytest.param("```tool_code\nread_file('a.py')\n```", [READ], id="gemma, without names"),
        pytest.param('read_file(path="a.py")', [READ], id="python and nothing else"),
        pytest.param(PYTHON_PATCH, [PATCH], id="gemma's patch"),
        pytest.param(
            "<start_function_call>call:read_file{path:<escape>a.py<escape>}<end_function_call>",
            [READ],
            id="functiongemma",
        ),
        pytest.param('<|tool_call>call:search{pattern:<|"|>x<|"|>,path:<|"|>.<|"|>}<tool_call|>', [FIND], id="gemma 4"),
        pytest.param(
            "<¦tool·calls·begin¦><¦tool·call·begin¦>function<¦tool·sep¦>read_file\n"
            '```json\n{"path": "a.py"}\n```<¦tool·call·end¦><¦tool·calls·end¦>',
            [READ],
            id="deepseek v3",
        ),
        pytest.param(
            "<¦tool·calls·begin¦><¦tool·call·begin¦>read_file<¦tool·sep¦>"
            '{"path": "a.py"}<¦tool·call·end¦><¦tool·calls·end¦>',
            [READ],
            id="deepseek v3.1",
        ),
        pytest.param(
            '<¦DSML¦function_calls>\n<¦DSML¦invoke name="read_file">\n'
            '<¦DSML¦parameter name="path" string="true">'
            "a.py</¦DSML¦parameter>\n</¦DSML¦invoke>\n</¦DSML¦function_calls>",
            [READ],
            id="deepseek v3.2",
        ),
        pytest.param(
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>"
            '{"path": "a.py"}<|tool_call_end|><|tool_calls_section_end|>',
            [READ],
            id="kimi k2",
        ),
        pytest.param(
            '<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path": "a.py"}<|call|>',
            [READ],
            id="gpt-oss",
        ),
        pytest.param(
            "<tool_call>read_file\n<arg_key>path</arg_key>\n<arg_value>a.py</arg_value>\n</tool_call>",
            [READ],
            id="glm 4.5",
        ),
        pytest.param(
            '<minimax:tool_call>\n<invoke name="read_file">\n<parameter name="path">a.py</parameter>\n</invoke>\n'
            "</minimax:tool_call>",
            [READ],
            id="minimax m2",
        ),
        pytest.param(
            "<tool_call>\n<function=search>\n<parameter=pattern>\nx\n</parameter>\n<parameter=path>\n.\n</parameter>\n"
            "</function>\n</tool_call>",
            [FIND],
            id="qwen3-coder",
        ),
        pytest.param(f"<|tool_call|>[{READ_TEXT}]<|/tool_call|>", [READ], id="phi 4"),
        pytest.param(f"functools[{READ_TEXT}]", [READ], id="phi 4 mini"),
        pytest.param(f"<|tool_call|>[{READ_TEXT}]", [READ], id="granite 3"),
        pytest.param(f"<function_call> {READ_TEXT}", [READ], id="granite 20b"),
        pytest.param(
            '<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "read_file", "parameters": {"path": "a.py"}}]'
            "<|END_ACTION|>",
            [READ],
            id="command r",
        ),
        pytest.param(f"<TOOLCALL>[{READ_TEXT}]</TOOLCALL>", [READ], id="nemotron"),
        pytest.param("<read_file>\n<path>a.py</path>\n</read_file>", [READ], id="cline"),
        pytest.param('<read_file>{"path": "a.py"}</read_file>', [READ], id="JSON in the tool's tag"),
        pytest.param("<list_files></list_files>", [("list_files", {})], id="an empty tag"),
        pytest.param(f"<apply_patch>\n{ENVELOPE}\n</apply_patch>", [PATCH], id="a patch in the tool's tag"),
        pytest.param('Action: read_file\nAction Input: {"path": "a.py"}', [READ], id="ReAct"),
        pytest.param('{"action": "read_file", "action_input": {"path": "a.py"}}', [READ], id="langchain"),
        pytest.param(
            '{"tool_calls": [{"function": {"name": "read_file", "arguments": "{\\"path\\": \\"a.py\\"}"}}]}',
            [READ],
            id="as the API has it",
        ),
        pytest.param(
            '{"function_call": {"name": "read_file", "arguments": {"path": "a.py"}}}', [READ], id="the old API"
        ),
        pytest.param('{"name": "functions.read_file", "arguments": {"path": "a.py"}}', [READ], id="a name space"),
        pytest.param('{"tool": "read_file", "path": "a.py"}', [READ], id="arguments beside the name"),
        pytest.param('{"read_file": {"path": "a.py"}}', [READ], id="the name as key"),
    ],
)
def test_what_families_write(words: str, calls: list[tuple[str, object]]) -> None:
    words = wide(words)
    assert found(words) == calls
    assert rest(words) == ""
    # Bare Python behind words may be an example.
    expected = [] if words.startswith("read_file(") else calls
    assert found(f"I look.\n{words}")[: len(calls)] == expected


@pytest.mark.parametrize(
    ("words", "calls"),
    [
        ('{"name": "read_file", "arguments": {"path": "a.py",},}', [READ]),
        ("{'name': 'read_file', 'arguments': {'path': 'a.py'}}", [READ]),
        (
            "{'name': 'read_file', 'arguments': {'path': 'a.py', 'start': None}}",
            [("read_file", {"path": "a.py", "start": None})],
        ),
        ('{name: "read_file", arguments: {path: "a.py"}}', [READ]),
        ('{"name": "read_file", "arguments": {"path": "a.py"}', [READ]),
        ('```json\n{"name": "read_file", "arguments": {"path": "a.py"\n```', [READ]),
        ('{"name": "read_file", "arguments": "{\'path\': \'a.py\'}"}', [READ]),
        ('{"name": "search", "arguments": {"pattern": "say "x" now"}}', [("search", {"pattern": 'say "x" now'})]),
        ('{"name": "search", "arguments": {"pattern": "it\'s \\d+"}}', [("search", {"pattern": "it's \\d+"})]),
        ('{"name": "apply_patch", "arguments": {"patch": """' + ENVELOPE + '"""}}', [PATCH]),
        ('{"name": "apply_patch", "arguments": {"patch": "' + ENVELOPE + '"}}', [PATCH]),
        ("{'name': 'apply_patch', 'arguments': {'patch': '" + ENVELOPE + "'}}", [PATCH]),
    ],
)
def test_what_would_be_json(words: str, calls: list[tuple[str, object]]) -> None:
    assert found(words) == calls


@pytest.mark.parametrize(
    ("words", "calls", "left"),
    [
        pytest.param('Call `read_file` with `{"path": "a.py"}`.', [READ], "", id="qwen2.5-coder"),
        pytest.param('First read_file: {"path": "a.py"}', [READ], "First", id="a colon"),
        pytest.param(
            'I use the tool **read_file** with the arguments:\n```json\n{"path": "a.py"}\n```\nThen I see.',
            [READ],
            "I\n\nThen I see.",
            id="a fence",
        ),
        pytest.param('`search`({"pattern": "x", "path": "."})', [FIND], "", id="brackets"),
        pytest.param(
            'read_file {"path": "a.py"}, then search {"pattern": "x", "path": "."}', [READ, FIND], ", then", id="two"
        ),
        pytest.param('my.read_file with {"path": "a.py"}', [], 'my.read_file with {"path": "a.py"}', id="another's"),
        pytest.param('read_file gave {"path": "a.py"}', [], 'read_file gave {"path": "a.py"}', id="another word"),
        pytest.param('read_file with {"paths": 1}', [], 'read_file with {"paths": 1}', id="no parameter of it"),
    ],
)
def test_what_stands_in_a_sentence(words: str, calls: list[tuple[str, object]], left: str) -> None:
    assert found(words) == calls
    assert rest(words) == left


@pytest.mark.parametrize(
    "words",
    [
        '{"name": "read_file", "arguments": {"path": "a.p',
        '{"name": "read_file" "arguments": {"path": "a.py"}}',
        '{"name": "search", "version": "1.0"}',
        '{"search": {"enabled": true}}',
        '{"search": 1}',
        "Use read_file(path) for it.",
        "def read_file(path):\n    return search(path)",
        "```python\nread_file(path='a.py')\nx = 1\n```",
        "[read_file(path=open('x'))]",
        "<read_file> reads a file",
        "call:read_file{path:a.py}",
        '<invoke name="read_file">',
    ],
)
def test_what_is_in_doubt_is_no_call(words: str) -> None:
    assert not found(words)


def test_a_call_of_glms_is_one_though_words_follow() -> None:
    assert found("<tool_call>list_files</tool_call> shows what there is") == [("list_files", {})]


@example("[00")
@example("{a:" + "9" * 5000)
@example("[1e999,")
@example("{a: '\\ud8__\\udc__'")
@given(st.text(alphabet="{}[]\"'`\\,: \n<>/|atrue01", max_size=60))
def test_any_text_gives_a_value_or_none(text: str) -> None:
    value = decoded(text)
    assert value is None or 0 < value[1] <= len(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_json_is_read_as_json_is(value: object) -> None:
    text = json.dumps(value)
    assert decoded(text) == (value, len(text))


@pytest.mark.parametrize(
    ("piece", "count"),
    [
        ('"x', 50_000),
        ("{", 20_000),
        ('{"read_file": ', 5_000),
        ("[read_file(", 5_000),
        ("<function name='search' ", 3_000),
        ("call read_file with ", 20_000),
        ("`read_file` with `{", 5_000),
    ],
)
def test_no_text_takes_long(piece: str, count: int) -> None:
    begun = time.process_time()
    find_calls('{"name": "read_file", "a": "' + piece * count, TOOLS, FIELDS)
    assert time.process_time() - begun < 3
