"""Answers of MCP servers that would hold everything up, and servers that leave something behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.mcp.test_servers import line, raw


async def test_an_answer_of_many_parts_is_cut_and_says_so(tmp_path: Path) -> None:
    async with line(tmp_path, {"parts": raw("parts")}) as here:
        said = (await here.call("parts__zeta")).text.split("\n\n")
        assert said[:500] == [str(number) for number in range(500)]
        assert said[500:] == ["[... 2,500 more parts left out ...]"]


async def test_schemas_of_a_server_cannot_stop_the_clock_nor_cost_it_its_tools(tmp_path: Path) -> None:
    async with line(tmp_path, {"odd": raw("odd")}) as here:
        assert here.tools["odd__odd"].spec.parameters == '{"properties":{"any":{}},"type":"object"}'
        assert (await here.call("odd__odd")).text == f'{{"text":"{"a" * 40}b"}}'
        assert here.said == []


async def test_what_a_server_leaves_behind_is_not_mistaken_for_the_next_one(tmp_path: Path) -> None:
    async with asyncio.timeout(20):
        async with line(tmp_path, {"parent": raw("parent")}) as here:
            assert (await here.call("parent__zeta")).ok
        # Its number is given to what is opened next, while its pipe is still held open.
        async with line(tmp_path, {"fine": raw("fine")}) as here:
            assert (await here.call("fine__zeta")).ok
