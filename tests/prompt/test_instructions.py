"""The system text."""

from __future__ import annotations

import re

import pytest

from agent_core.conversation import PartnerInfo
from agent_core.prompt.instructions import instructions
from agent_core.text import estimate_tokens
from agent_core.tools.base import Permission
from agent_core.tools.toolbox import Toolbox


async def no_commands(wish: Permission) -> bool:
    raise AssertionError(wish)


TOOLS = Toolbox(no_commands).specs


def test_it_names_every_tool_and_stays_short() -> None:
    words = instructions(TOOLS)
    assert [tool.name for tool in TOOLS if f"- `{tool.name}`: " not in words] == []
    # A small model has a small context: this is read before everything else.
    assert estimate_tokens(words) < 1200
    assert instructions(TOOLS) is words


@pytest.mark.parametrize(("window", "fewer"), [(0, False), (4_096, True), (16_384, True), (16_385, False)])
def test_a_partner_that_can_read_little_is_offered_and_told_of_less(window: int, fewer: bool) -> None:
    box = Toolbox(no_commands)
    box.settle(small=PartnerInfo("chat", "", "", window).reads_little)
    box.settle(small=not fewer)
    names = {tool.name for tool in box.specs}
    assert {"read_file", "search", "apply_patch", "run_checks", "run_command"} <= names
    words = instructions(box.specs)
    assert ("update_plan" not in names, "- `update_plan`: " not in words) == (fewer, fewer)
    assert set(re.findall(r"^- `(\w+)`: ", words, re.MULTILINE)) == names


def test_the_envelope_is_taught_and_the_other_formats_are_named_once() -> None:
    words = instructions(TOOLS)
    assert words.count("SEARCH/REPLACE") == words.count("nified diff") == 1
    (spec,) = (spec for spec in Toolbox(no_commands).specs if spec.name == "apply_patch")
    assert "SEARCH/REPLACE" in spec.description
    assert estimate_tokens(spec.description) < 90


def test_the_example_is_a_whole_envelope() -> None:
    envelope = re.search(r"^\*\*\* Begin Patch\n(.*?)^\*\*\* End Patch$", instructions(TOOLS), re.MULTILINE | re.DOTALL)
    assert envelope is not None
    header, *lines = envelope.group(1).splitlines()
    assert header.startswith("*** Update File: ")
    assert {line[0] for line in lines} <= {"@", " ", "-", "+"}
