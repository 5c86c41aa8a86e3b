"""The system text."""

from __future__ import annotations

import re

from agent_core.prompt.instructions import instructions
from agent_core.text import estimate_tokens
from agent_core.tools.base import Permission
from agent_core.tools.toolbox import Toolbox

TOOLS = ("list_files", "read_file", "search", "debug", "apply_patch", "run_checks", "run_command")


def test_it_names_every_tool_and_stays_short() -> None:
    words = instructions()
    assert [tool for tool in TOOLS if f"`{tool}`: " not in words] == []
    # A small model has a small context: this is read before everything else.
    assert estimate_tokens(words) < 1200
    assert instructions() is words


def test_the_envelope_is_taught_and_the_other_formats_are_named_once() -> None:
    words = instructions()
    assert words.count("SEARCH/REPLACE") == words.count("nified diff") == 1
    (spec,) = (spec for spec in Toolbox(no_commands).specs if spec.name == "apply_patch")
    assert "SEARCH/REPLACE" in spec.description
    assert estimate_tokens(spec.description) < 90


async def no_commands(wish: Permission) -> bool:
    raise AssertionError(wish)


def test_the_example_is_a_whole_envelope() -> None:
    envelope = re.search(r"^\*\*\* Begin Patch\n(.*?)^\*\*\* End Patch$", instructions(), re.MULTILINE | re.DOTALL)
    assert envelope is not None
    header, *lines = envelope.group(1).splitlines()
    assert header.startswith("*** Update File: ")
    assert {line[0] for line in lines} <= {"@", " ", "-", "+"}
