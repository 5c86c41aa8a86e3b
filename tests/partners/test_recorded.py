"""What pairloop makes of answers that a small model has really given, byte by byte over the real wire."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.conversation import AssistantItem, Completed, ToolCallItem, ToolSpec
from agent_core.partners.text_calls import TextCallsModel
from agent_core.patch.read import read_patch
from tests.partners.talk import TOOLS, chunks_of, model, request, said, written
from tests.projects import make_project
from tests.support.recorded import RECORDED, playing
from tests.support.running import flags, running, server_settings
from tests.support.shop import QUICK

OFFERED = (*TOOLS, ToolSpec("debug", "Debug.", '{"type": "object", "properties": {}}'))
CALC = {
    "calc.py": '''
        def average(numbers):
            """The arithmetic mean."""
            return sum(numbers) / (len(numbers) + 1)


        def clamp(value, low, high):
            """The value, kept between low and high."""
            return max(high, min(low, value))
        ''',
}


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("chat-clamp-1", ["apply_patch"]),
        ("chat-median-1", ["apply_patch"]),
        ("chat-median-2", []),
        ("chat-question-1", ["read_file"]),
        ("chat-question-2", ["search"]),
        ("chat-slug-1", ["apply_patch"]),
        ("chat-slug-2", ["apply_patch"]),
        ("chat-slug-3", ["apply_patch"]),
        ("responses-clamp-1", ["read_file", "search", "debug", "apply_patch"]),
        ("responses-stack-1", ["apply_patch"]),
    ],
)
async def test_each_answer_is_read_as_the_calls_it_means(name: str, calls: list[str]) -> None:
    async with playing([name]) as base_url:
        partner = TextCallsModel(model(name.partition("-")[0], base_url, name="qwen2.5-coder"))
        chunks = await chunks_of(partner, request(tools=OFFERED))
        await partner.close()
    done = chunks[-1]
    assert isinstance(done, Completed)
    made = [item for item in done.items if isinstance(item, ToolCallItem)]
    assert [item.name for item in made] == calls
    assert bool(done.usage.input)
    assert all(isinstance(json.loads(item.arguments), dict) for item in made)
    # What is seen while it streams is words and patches, never the JSON around them.
    for item in made:
        if item.name == "apply_patch":
            seen = json.loads(written(chunks)[item.call_id])["patch"]
            assert seen.strip() == json.loads(item.arguments)["patch"].strip()
    if name.startswith("chat") and calls:
        assert '"arguments"' not in said(chunks)
    spoken = "".join(item.text for item in done.items if isinstance(item, AssistantItem))
    assert '"arguments"' not in spoken
    assert "<function" not in spoken


def test_every_recording_is_clean() -> None:
    files = sorted(RECORDED.glob("*.sse"))
    assert len(files) == 10
    for file in files:
        text = file.read_text("utf-8")
        assert "127.0.0.1" not in text
        assert ".gguf" not in text


async def test_a_recorded_patch_becomes_a_proposal_without_its_json_on_the_way(tmp_path: Path) -> None:
    project = make_project(tmp_path / "tiny", CALC)
    async with (
        playing(["chat-clamp-1"]) as base_url,
        running(project, flags(off=QUICK) | server_settings(base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("Mend clamp() in calc.py: high and low are the wrong way round."))
        await here.seen(ev.DecisionAwaited)
        streamed = "".join(event.text for event in here.all(ev.PatchStreamed))
        assert read_patch(streamed).format == "envelope"
        assert streamed.rstrip().endswith("*** End Patch")
        assert not here.all(ev.TextStreamed)
        (proposal,) = here.state.proposals
        assert [file.path for file in proposal.patch.files] == ["calc.py"]
        here.submit(commands.Accept(proposal.number))
        await here.seen(ev.TaskFinished)
    assert "return min(high, max(low, value))" in (project / "calc.py").read_text()


async def test_a_recorded_new_file_is_understood_by_its_second_try(tmp_path: Path) -> None:
    project = make_project(tmp_path / "tiny", CALC)
    async with (
        playing(["chat-slug-1", "chat-slug-2"]) as base_url,
        running(project, flags(off=QUICK) | server_settings(base_url, "chat")) as here,
    ):
        here.submit(commands.Ask("Make a new file slug.py with a function slugify(text)."))
        await here.seen(ev.DecisionAwaited)
        (refused,) = here.all(ev.PatchRejected)
        assert "there is no such file" in refused.message
        assert [file.path for file in here.state.proposals[0].patch.files] == ["slug.py"]
