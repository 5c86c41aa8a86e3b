"""Tool calls that models write as text, while they come: what is shown of them, and what of the words around them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.conversation import (
    AssistantItem,
    Chunk,
    Completed,
    PartnerInfo,
    Request,
    Retrying,
    TextDelta,
    ToolCallDelta,
    ToolCallItem,
    Usage,
    UserItem,
)
from agent_core.partners.text_calls import TextCallsModel, read_calls
from tests.partners.talk import TOOLS as TALK_TOOLS
from tests.partners.talk import chunks_of, model, request, said, written
from tests.partners.test_text_calls import BLOCK, CONFLICT, ENVELOPE, QUOTED, READ_TEXT, UNIFIED
from tests.support.model_server import ModelServer, call, text


async def test_a_partner_whose_written_calls_count() -> None:
    async with ModelServer([text(f"I look.\n{READ_TEXT}"), text(READ_TEXT) + call("list_files")]) as server:
        partner = TextCallsModel(model("chat", server.base_url))
        chunks = await chunks_of(partner, request())
        real = await chunks_of(partner, request(UserItem("again")))
        await partner.close()
    done = chunks[-1]
    assert isinstance(done, Completed)
    words, made = done.items
    assert words == AssistantItem("I look.")
    assert isinstance(made, ToolCallItem)
    assert chunks[-2] == ToolCallDelta(made.call_id, "read_file", made.arguments)
    assert isinstance(real[-1], Completed)
    assert [type(item) for item in real[-1].items] == [AssistantItem, ToolCallItem]


@pytest.mark.parametrize("patch", [ENVELOPE + "\n", UNIFIED, f"a.py\n{BLOCK}"], ids=["envelope", "unified", "blocks"])
@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_a_patch_in_words_is_a_call_while_it_is_being_written(api: str, patch: str) -> None:
    async with ModelServer([text(f"I mend it.\n```\n{patch}```\nSo it is.")]) as server:
        partner = TextCallsModel(model(api, server.base_url))
        chunks = await chunks_of(partner, request())
        await partner.close()
    done = chunks[-1]
    assert isinstance(done, Completed)
    words, made = done.items
    assert words == AssistantItem("I mend it.\n\nSo it is.")
    assert isinstance(made, ToolCallItem)
    ((call_id, arguments),) = written(chunks).items()
    assert call_id == made.call_id
    # What is wrapped around the patch is shown with it.
    assert patch in json.loads(arguments)["patch"]
    assert said(chunks).replace("\n", "") == "I mend it.So it is."
    kinds = [type(chunk) for chunk in chunks]
    first, last = kinds.index(ToolCallDelta), len(kinds) - 1 - kinds[::-1].index(ToolCallDelta)
    assert last - first >= 4, "it has to grow"
    assert kinds[last + 1] in {TextDelta, Completed}


async def test_two_patches_in_words_are_two_calls_and_one_text_on_screen() -> None:
    async with ModelServer([text(f"{ENVELOPE}\nand\n{UNIFIED}")]) as server:
        partner = TextCallsModel(model("chat", server.base_url))
        chunks = await chunks_of(partner, request())
        await partner.close()
    done = chunks[-1]
    assert isinstance(done, Completed)
    words, first, second = done.items
    assert isinstance(first, ToolCallItem)
    assert isinstance(second, ToolCallItem)
    assert first.call_id != second.call_id
    assert words == AssistantItem("and")
    assert {call_id: json.loads(one)["patch"] for call_id, one in written(chunks).items()} == {
        first.call_id: f"{ENVELOPE}\n{UNIFIED}"
    }


async def test_beside_a_real_call_a_patch_in_words_is_words() -> None:
    real = json.dumps({"patch": ENVELOPE})
    async with ModelServer([text(f"It is:\n{UNIFIED}") + call("apply_patch", "real", patch=ENVELOPE)]) as server:
        partner = TextCallsModel(model("responses", server.base_url))
        chunks = await chunks_of(partner, request())
        await partner.close()
    done = chunks[-1]
    assert isinstance(done, Completed)
    assert done.items == (AssistantItem(f"It is:\n{UNIFIED}"), ToolCallItem("real", "apply_patch", real))
    assert written(chunks)["real"] == real


async def test_without_the_tool_words_stay_words() -> None:
    words = f"It is:\n{UNIFIED}"
    async with ModelServer([text(words)]) as server:
        partner = TextCallsModel(model("chat", server.base_url))
        chunks = await chunks_of(partner, request(tools=TALK_TOOLS[1:]))
        await partner.close()
    assert said(chunks) == words
    assert written(chunks) == {}


class Saying:
    """A partner that says words in given pieces; a `Retrying` among them is passed on."""

    info = PartnerInfo("chat", "saying")

    def __init__(self, *pieces: str | Retrying) -> None:
        self._pieces = pieces

    async def stream(self, request: Request) -> AsyncGenerator[Chunk, None]:
        del request
        words = ""
        for piece in self._pieces:
            if isinstance(piece, str):
                words += piece
                yield TextDelta(piece)
            else:
                words = ""
                yield piece
        yield Completed((AssistantItem(words),), Usage())

    async def close(self) -> None:
        pass


NO_CALL = READ_TEXT.replace("read_file", "read_fire")

JSON_PATCH = json.dumps({"name": "apply_patch", "arguments": {"patch": ENVELOPE}}, indent=2)


@pytest.mark.parametrize(
    ("around", "left"),
    [
        pytest.param("{}", "", id="bare"),
        pytest.param("I mend it:\n\n```json\n{}\n```\nSo it is.", "I mend it: So it is.", id="fence"),
        pytest.param("<tool_call>\n{}\n</tool_call>", "", id="tags"),
        pytest.param("<tools>[{}]</tools>\nDone.", "Done.", id="a list in tags"),
        pytest.param("a {b}\n [c]\n```\n{\n```\nd\n{}", "a {b} [c] ``` { ``` d", id="after what only looks like one"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_a_patch_written_as_json_is_seen_growing_and_not_its_json(around: str, left: str, size: int) -> None:
    words = around.replace("{}", JSON_PATCH)
    pieces = [words[at : at + size] for at in range(0, len(words), size)]
    chunks = await chunks_of(TextCallsModel(Saying(*pieces)), request())
    done = chunks[-1]
    assert isinstance(done, Completed)
    (made,) = (item for item in done.items if isinstance(item, ToolCallItem))
    told = [chunk for chunk in chunks if isinstance(chunk, ToolCallDelta)]
    assert {chunk.call_id for chunk in told} == {made.call_id}
    assert json.loads("".join(chunk.text for chunk in told)) == {"patch": ENVELOPE}
    assert said(chunks).split() == left.split()
    if size == 7:
        assert len(told) > len(ENVELOPE) // 14, "it has to grow"


async def test_two_patches_written_as_json_are_two_calls_on_screen_too() -> None:
    chunks = await chunks_of(TextCallsModel(Saying(f"[{JSON_PATCH}, {JSON_PATCH}]\nand\n{UNIFIED}")), request())
    done = chunks[-1]
    assert isinstance(done, Completed)
    assert list(written(chunks)) == [item.call_id for item in done.items if isinstance(item, ToolCallItem)]
    assert [json.loads(one)["patch"] for one in written(chunks).values()] == [ENVELOPE, ENVELOPE, UNIFIED]


@pytest.mark.parametrize("quote", ['"""', '"', "`"])
async def test_what_only_would_be_json_is_shown_by_its_lines(quote: str) -> None:
    words = f'{{"name": "apply_patch", "arguments": {{"patch": {quote}\n{ENVELOPE}\n{quote}}}}}'
    chunks = await chunks_of(TextCallsModel(Saying(*words)), request())
    (arguments,) = written(chunks).values()
    assert ENVELOPE in json.loads(arguments)["patch"]


SHAPES = st.sampled_from(
    [
        *("I look.\n", "\n", "```diff\n", "```\n", "a.py\n", "- a\n", "---\n", "> +1\n", "| a |\n", "`x` "),
        *(f"{ENVELOPE}\n", UNIFIED, BLOCK, f"{CONFLICT}\n", QUOTED, NO_CALL, "*** Begin Patch\n", "\r\n"),
        "@@ -1 +1 @@\n",
        *(
            "<b>\n",
            "<function=",
            '<function name="',
            "<tool\n",
            '<function name="nope"/>\n',
            "</function>",
            "<invoke na",
        ),
        *('<function name="read_file"\n', "<function=read_file> not", "<tool_call>\n"),
    ]
)

TAGGED = [
    """<tools>
  <function name="read_file" arguments="{'path': 'a.py'}"/>
  <function name="search" arguments="{'pattern': '<b/>'}"/>
</tools>""",
    """<function=read_file>
<parameter=path>
a.py
</parameter>
</function>
<function=search>{"pattern": "b"}</function>""",
    """<invoke name="read_file"><parameter name="path">a.py</parameter></invoke>
<tool_call name="search">{"pattern": "b"}</tool_call>""",
]


@pytest.mark.parametrize("words", TAGGED)
@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_calls_written_as_tags_are_not_shown_while_they_come(words: str, size: int) -> None:
    whole = f"I look.\n{words}\nSo I do."
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    chunks = await chunks_of(TextCallsModel(Saying(*pieces)), request())
    assert said(chunks).split() == ["I", "look.", "So", "I", "do."]
    done = chunks[-1]
    assert isinstance(done, Completed)
    assert [item.name for item in done.items if isinstance(item, ToolCallItem)] == ["read_file", "search"]


@given(st.lists(SHAPES, max_size=10).map("".join), st.lists(st.integers(1, 40), max_size=40))
async def test_nothing_that_is_said_is_lost_on_the_way_to_the_screen(words: str, sizes: list[int]) -> None:
    pieces, at = [], 0
    for size in [*sizes, len(words)]:
        pieces.append(words[at : at + size])
        at += size
    chunks = await chunks_of(TextCallsModel(Saying(*(piece for piece in pieces if piece))), request())
    shown = ""
    for chunk in chunks:
        if isinstance(chunk, TextDelta):
            shown += chunk.text
    streamed = [json.loads(arguments) for arguments in written(chunks).values()]
    patches = "".join(one["patch"] for one in streamed if "patch" in one)
    assert sorted(shown + patches) == sorted(words)
    done = chunks[-1]
    assert isinstance(done, Completed)
    assert done.items == read_calls((AssistantItem(words),), [tool.name for tool in TALK_TOOLS], 1)


async def test_what_was_streamed_of_a_failed_answer_is_void() -> None:
    partner = TextCallsModel(Saying(f"{ENVELOPE[:40]}", Retrying(0.0, "busy", 1), "Hello ", "there."))
    chunks = await chunks_of(partner, request())
    at = next(index for index, chunk in enumerate(chunks) if isinstance(chunk, Retrying))
    assert said(chunks[at:]) == "Hello there."
    assert written(chunks[at:]) == {}
    assert isinstance(chunks[-1], Completed)
    assert chunks[-1].items == (AssistantItem("Hello there."),)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "<tool_call>\n{}\n</tool_call>"])
async def test_a_call_of_another_tool_is_never_seen_as_json(around: str, size: int) -> None:
    words = f"I look.\n{around.replace('{}', READ_TEXT)}"
    pieces = [words[at : at + size] for at in range(0, len(words), size)]
    chunks = await chunks_of(TextCallsModel(Saying(*pieces)), request())
    assert said(chunks).split() == ["I", "look."]
    assert list(written(chunks).values()) == ['{"path": "a.py"}']


async def test_what_only_looks_like_a_call_is_shown_at_last() -> None:
    words = '{"name": "read_file", "arguments": 1}\nSo it is.'
    chunks = await chunks_of(TextCallsModel(Saying(words)), request())
    assert said(chunks).replace("\n", "") in {words.replace("\n", ""), 'So it is.{"name": "read_file", "arguments": 1}'}
    assert chunks[-1] == Completed((AssistantItem(words),), Usage())


TWO = f"{ENVELOPE}\n*** Update File: b.py\n@@\n-x = 1\n+x = 2\n*** End Patch"


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("head", "tail"),
    [
        ('{\n  "name": "apply_patch",\n  "arguments": {\n    "patch": "', '"\n  }\n}'),
        ('{"name": "apply_patch", "arguments": {"patch": "', '"}}'),
        ('{"name": "apply_patch", "arguments": {"patch": """', '"""}}'),
        ('{"name": "apply_patch", "arguments": {"patch": "\n', '\n"}}'),
        ('{"name": "apply_patch", "arguments": {"patch": `\n', "\n`\n}\n}"),
    ],
)
@pytest.mark.parametrize("patch", [ENVELOPE, TWO, f"a.py\n{BLOCK}".rstrip()], ids=["one", "two ends", "block"])
async def test_a_patch_with_raw_newlines_in_json_leaves_no_residue(head: str, tail: str, patch: str, size: int) -> None:
    words = f"I mend it.\n```json\n{head}{patch}{tail}\n```"
    pieces = [words[at : at + size] for at in range(0, len(words), size)]
    chunks = await chunks_of(TextCallsModel(Saying(*pieces)), request())
    assert said(chunks).split() == ["I", "mend", "it."]
    (arguments,) = written(chunks).values()
    assert json.loads(arguments)["patch"].strip() == patch
    done = chunks[-1]
    assert isinstance(done, Completed)
    assert list(written(chunks)) == [item.call_id for item in done.items if isinstance(item, ToolCallItem)]


@pytest.mark.parametrize("size", [1, 6, 1000])
async def test_a_whole_file_is_seen_growing_where_it_is_asked_for(size: int) -> None:
    whole = "a.py\n```python\ndef f():\n    return 2\n```\n"
    words = f"Here it is.\n\n{whole}Done."
    pieces = [words[at : at + size] for at in range(0, len(words), size)]
    asked = msgspec.structs.replace(request(), form="whole")
    chunks = await chunks_of(TextCallsModel(Saying(*pieces)), asked)
    assert said(chunks).split() == ["Here", "it", "is.", "Done."]
    (arguments,) = written(chunks).values()
    assert json.loads(arguments)["patch"] == whole
    done = chunks[-1]
    assert isinstance(done, Completed)
    kinds = [type(item) for item in done.items]
    assert kinds == [AssistantItem, ToolCallItem]
    plain = await chunks_of(TextCallsModel(Saying(*pieces)), request())
    assert isinstance(plain[-1], Completed)
    assert plain[-1].items == (AssistantItem(words),), "not asked for, it is a listing"
