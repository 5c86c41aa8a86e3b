"""Looking for names, as the partner does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_core.symbols.service import Symbols
from agent_core.tools.base import ToolError
from agent_core.tools.files import ReadFile
from agent_core.tools.symbols import FindSymbols
from agent_core.view import DraftView
from tests.tools.looking import PATCH, opened, use, view_of


class Looking:
    def __init__(self, view: DraftView, tool: FindSymbols) -> None:
        self.view, self.tool = view, tool


@pytest.fixture
async def here(tmp_path: Path) -> Looking:
    project = await opened(tmp_path / "shop", candidate="copy")
    symbols = Symbols(project.root, project.state)
    return Looking(await view_of(project, PATCH), FindSymbols(symbols, lambda: 1000, lambda: "mend the average"))


async def test_a_name_is_defined_and_used(here: Looking) -> None:
    out = await use(here.tool, here.view, name="Prices.total()")
    assert out.text.split("\n") == [
        "Defined:",
        "shop/new.py:1-1 constant total = 3",
        "shop/prices.py:1-2 function def total(prices)",
        "",
        "Used:",
        "shop/prices.py:6: return total(prices) / len(prices)",
    ]
    assert out.summary == "2 definitions, 1 use"
    # The draft is looked at, not the file on disk.
    assert "shop/fresh.py:1-1" in (await use(here.tool, here.view, name="FRESH")).text
    assert (await use(here.tool, here.view, name="total", path="shop/new.py")).summary == "1 definition, 0 uses"


async def test_what_is_not_there_is_said(here: Looking) -> None:
    assert "Did you mean average?" in (await use(here.tool, here.view, name="averege")).text
    assert "search looks in all texts" in (await use(here.tool, here.view, name="zzzzzzzzzz")).text
    for arguments, said in (
        ({"name": "a b"}, "is no name"),
        ({"path": "nowhere"}, "There is nothing at 'nowhere'"),
        ({"path": "README.md"}, "no language whose names are known"),
        ({"path": "../x"}, "There is nothing at"),
        ({"name": 3, "path": []}, "do not fit"),
    ):
        with pytest.raises(ToolError, match=said):
            await here.tool.run(json.dumps(arguments), here.view)


async def test_outline_and_map(here: Looking) -> None:
    out = await use(here.tool, here.view, path="shop/prices.py")
    assert out.text == "shop/prices.py:\n    1 def total(prices)\n    5 def average(prices)"
    drawn = (await use(here.tool, here.view)).text
    assert drawn.startswith("shop/prices.py:\n    1 def total(prices)\n    5 def average(prices)\n")
    assert "test_prices.py" not in drawn  # it is deleted in the draft
    assert (await use(here.tool, here.view, path="shop/deep")).text.startswith("shop/deep/er/names.py:")
    assert here.tool.title('{"name": "a", "path": "b"}') == "look for 'a' in b"
    assert here.tool.title("[]") == "look for names"


async def test_a_long_file_begins_with_what_it_defines(tmp_path: Path) -> None:
    project = await opened(tmp_path / "shop", candidate="copy")
    text = "".join(f"def function_{number}(a):\n    return a\n\n\n" for number in range(300))
    (project.root / "long.py").write_text(text)
    view = await view_of(project)
    read = ReadFile(lambda: 900)
    out = await use(read, view, path="long.py")
    head, about, *rest = out.text.split("\n")
    assert head.startswith("long.py (lines 1-")
    assert about == "[It is long. What it defines, by line:]"
    assert rest[0] == "    1 def function_0(a)"
    assert "more names: symbols with this path shows them" in out.text
    assert len(out.text) < 900 * 4
    last = int(head.split("-")[1].split(" ")[0])
    assert rest[-1] == f"[Lines {last + 1}-1200 are left out: read_file with 'start' {last + 1} goes on.]"
    # Going on as it says reads every line once.
    lines: list[str] = []
    start = 1
    while start <= 1200:
        part = await use(read, view, path="long.py", start=start, end=1200)
        numbered = [line for line in part.text.split("\n")[1:] if line[5:8] == " | "]
        lines += numbered
        start += len(numbered)
    assert [line.partition(" | ")[2] for line in lines] == [*text.rstrip("\n").split("\n"), "", ""]
