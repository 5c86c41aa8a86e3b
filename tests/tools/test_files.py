"""Listing and reading files: what the partner sees is the project with its draft in it, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.tools.base import ToolError
from agent_core.tools.files import ListFiles, ReadFile, clean
from agent_core.view import DraftView
from agent_core.workspace.project import Project
from tests.tools.looking import FILES, PATCH, opened, use, view_of

LIST, READ = ListFiles(), ReadFile()


async def here(root: Path, files: Mapping[str, str] = FILES) -> Project:
    """The project; nothing is run in it, so it is opened in the quickest way."""
    return await opened(root, files, "copy")


@pytest.fixture
async def view(tmp_path: Path) -> DraftView:
    return await view_of(await here(tmp_path / "shop"))


@pytest.fixture
async def drafted(tmp_path: Path) -> DraftView:
    return await view_of(await here(tmp_path / "shop"), PATCH)


async def refused(tool: ListFiles | ReadFile, view: DraftView, arguments: str) -> str:
    with pytest.raises(ToolError) as caught:
        await tool.run(arguments, view)
    return str(caught.value)


async def test_listing_leaves_ignored_files_out(view: DraftView) -> None:
    out = await use(LIST, view)
    assert out.text.split("\n") == [
        ".gitignore",
        "README.md",
        "größe/über: alles.py",
        "shop/__init__.py",
        "shop/deep/er/names.py",
        "shop/new.py",
        "shop/prices.py",
        "tests/test_prices.py",
    ]
    assert out.summary == "8 files"
    assert out.ok


async def test_listing_shows_the_draft(drafted: DraftView) -> None:
    names = (await use(LIST, drafted)).text.split("\n")
    assert "shop/fresh.py" in names
    assert "tests/test_prices.py" not in names


async def test_listing_a_part(view: DraftView) -> None:
    parts: list[tuple[dict[str, object], list[str]]] = [
        ({"path": "shop/deep"}, ["shop/deep/er/names.py"]),
        ({"path": "./shop//deep/"}, ["shop/deep/er/names.py"]),
        ({"path": "shop/new.py"}, ["shop/new.py"]),
        ({"path": ".", "pattern": "*.md"}, ["README.md"]),
        ({"pattern": "**/names.py"}, ["shop/deep/er/names.py"]),
        ({"pattern": "shop/*x.py"}, ["(no files)"]),
        ({"path": None, "pattern": "test_*"}, ["tests/test_prices.py"]),
    ]
    for arguments, names in parts:
        assert (await use(LIST, view, **arguments)).text.split("\n") == names


async def test_listing_what_is_not_there(view: DraftView) -> None:
    refusals = {
        "shp": "There is no folder 'shp' in the project. Did you mean shop",
        "er": "Did you mean shop/deep/er?",
        "build": "There is no folder 'build'",
        "..": "There is no folder '..'",
        "/etc": "There is no folder 'etc'",
    }
    for path, said in refusals.items():
        assert said in await refused(LIST, view, json.dumps({"path": path}))


async def test_listing_many(tmp_path: Path) -> None:
    files = {f"f{number:04}.txt": "" for number in range(450)} | {"shop/a": "", "debug.log": ""}
    view = await view_of(await here(tmp_path / "many", files))
    lines = (await use(LIST, view)).text.split("\n")
    assert lines[:2] == ["debug.log", "f0000.txt"]
    assert lines[400:] == ["[... 53 more; give a path or a pattern ...]"]


async def test_reading_a_file_numbers_its_lines(view: DraftView) -> None:
    out = await use(READ, view, path="shop/prices.py")
    assert out.text == (
        "shop/prices.py (6 lines)\n"
        "    1 | def total(prices):\n"
        "    2 |     return sum(prices)\n"
        "    3 | \n"
        "    4 | \n"
        "    5 | def average(prices):\n"
        "    6 |     return total(prices) / len(prices)"
    )
    assert out.summary == "6 lines"


async def test_reading_shows_the_draft(drafted: DraftView) -> None:
    assert "    2 |     return sum(prices, start=0)" in (await use(READ, drafted, path="shop/prices.py")).text
    assert (await use(READ, drafted, path="shop/fresh.py")).text == "shop/fresh.py (1 lines)\n    1 | FRESH = 1"
    assert "There is no file" in await refused(READ, drafted, '{"path": "tests/test_prices.py"}')


async def test_reading_a_range(view: DraftView) -> None:
    ranges: list[tuple[dict[str, object], str, list[int]]] = [
        ({"start": 2, "end": 3}, "(lines 2-3 of 6)", [2, 3]),
        ({"start": "5"}, "(lines 5-6 of 6)", [5, 6]),
        ({"end": 1}, "(lines 1-1 of 6)", [1]),
        ({"start": -4, "end": 99}, "(6 lines)", [1, 2, 3, 4, 5, 6]),
        ({"start": 5, "end": -1}, "(lines 5-6 of 6)", [5, 6]),
        ({"start": None, "end": None}, "(6 lines)", [1, 2, 3, 4, 5, 6]),
    ]
    for arguments, head, numbers in ranges:
        first, *rest = (await use(READ, view, path="shop/prices.py", **arguments)).text.split("\n")
        assert first == f"shop/prices.py {head}"
        assert [int(line.split("|")[0]) for line in rest] == numbers


async def test_reading_what_cannot_be_read(view: DraftView) -> None:
    refusals: list[tuple[dict[str, object], str]] = [
        ({"path": "shop/prices.py", "start": 7}, "'shop/prices.py' has 6 lines; there is no line 7."),
        ({"path": "shop/prices.py", "start": 4, "end": 2}, "The range ends before it starts: 4 to 2."),
        ({"path": "shop/price.py"}, "There is no file 'shop/price.py' in the project. Did you mean shop/prices.py"),
        ({"path": "src/prices.py"}, "Did you mean shop/prices.py?"),
        ({"path": "nothing/like/it.rs"}, "list_files shows what there is."),
        ({"path": "shop"}, "There is no file 'shop'"),
        ({"path": ""}, "There is no file ''"),
        ({"path": "debug.log"}, "There is no file 'debug.log'"),
        ({"path": ".git/config"}, "There is no file '.git/config'"),
        ({"path": "/etc/passwd"}, "'/etc/passwd' is outside the project. Give a path relative to the project."),
        ({"path": "../shop/README.md"}, "is outside the project"),
        ({"path": "shop/../../x"}, "is outside the project"),
        ({"path": "a\0b"}, "There is no file"),
    ]
    for arguments, said in refusals:
        assert said in await refused(READ, view, json.dumps(arguments))


async def test_reading_never_leaves_the_project_by_a_link(tmp_path: Path) -> None:
    project = await here(tmp_path / "shop")
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret\n")
    (project.root / "link.txt").symlink_to(secret)
    (project.root / "out").symlink_to(tmp_path)
    view = await view_of(project)
    assert "the secret" not in (await use(READ, view, path="link.txt")).text
    assert "There is no file" in await refused(READ, view, '{"path": "out/secret.txt"}')


async def test_reading_odd_files(tmp_path: Path) -> None:
    project = await here(tmp_path / "shop")
    files = {
        "binary": b"GIF89a\0\1\2",
        "latin.txt": "größe\n".encode("latin-1"),
        "latin.py": "# coding: latin-1\ngröße\n".encode("latin-1"),
        "utf16.txt": "\ufeffgröße\nb\n".encode("utf-16-le"),
        "dos.txt": b"a\r\nb\r\n",
        "bare.txt": b"no end",
        "empty.txt": b"",
        "blank.txt": b"\n",
        "wide.txt": b"x" * 5000 + b"\nshort\n",
        "long.txt": b"".join(b"%d\n" % number for number in range(1, 100_001)),
    }
    for name, data in files.items():
        (project.root / name).write_bytes(data)
    view = await view_of(project)
    texts = {name: (await use(READ, view, path=name)).text for name in files if name != "binary"}
    assert "'binary' is a binary file of 9 bytes" in await refused(READ, view, '{"path": "binary"}')
    assert texts["latin.txt"] == "latin.txt (1 lines)\n    1 | gr\ufffd\ufffde"
    assert texts["latin.py"] == "latin.py (2 lines)\n    1 | # coding: latin-1\n    2 | größe"
    assert texts["utf16.txt"] == "utf16.txt (2 lines)\n    1 | \ufeffgröße\n    2 | b"
    assert texts["dos.txt"] == "dos.txt (2 lines)\n    1 | a\n    2 | b"
    assert texts["bare.txt"] == "bare.txt (1 lines)\n    1 | no end"
    assert texts["empty.txt"] == "empty.txt (0 lines)\n"
    assert texts["blank.txt"] == "blank.txt (1 lines)\n    1 | "
    assert texts["wide.txt"].split("\n")[1:] == [
        f"    1 | {'x' * 1000} [... 4000 characters more]",
        "    2 | short",
    ]
    head, *rest = texts["long.txt"].split("\n")
    assert head == "long.txt (lines 1-600 of 100000)"
    assert (len(rest), rest[-2]) == (601, "  600 | 600")
    assert rest[-1] == "[Lines 601-100000 are left out: read_file with 'start' 601 goes on.]"
    assert (await use(READ, view, path="long.txt", start=99_999)).text.endswith("99999 | 99999\n100000 | 100000")


async def test_arguments_that_do_not_fit_say_what_would(view: DraftView) -> None:
    broken = ['{"path": 3}', '{"path": ["a"]}', "{}", "[]", '"README.md"', "path=README.md", '{"path": "a"', "", "  "]
    for arguments in (*broken, "null", '{"path": "a", "start": "two"}', '{"path": "\\ud800"}'):
        said = await refused(READ, view, arguments)
        assert said.startswith("The arguments do not fit: ")
        assert said.endswith('Expected: {"path", "start" (optional), "end" (optional)}.')
        assert READ.title(arguments) == "read"
    assert LIST.title("[1]") == "list"


def test_titles() -> None:
    assert READ.title('{"path": "a.py"}') == "read a.py"
    assert READ.title('{"path": "a.py", "start": 3}') == "read a.py:3-"
    assert READ.title('{"path": "a.py", "end": 9}') == "read a.py:1-9"
    assert LIST.title("{}") == "list"
    assert LIST.title('{"pattern": "*.py", "path": "src"}') == "list src *.py"


async def test_a_file_that_vanishes_while_we_look(tmp_path: Path) -> None:
    project = await here(tmp_path / "shop")
    view = await view_of(project)
    shutil.rmtree(project.root / "shop")
    assert "There is no file 'shop/prices.py'" in await refused(READ, view, '{"path": "shop/prices.py"}')


@given(st.lists(st.sampled_from(["a", "b.py", ".", "", "é", "..", ".hidden"]), max_size=5))
def test_clean_paths_are_as_the_view_has_them(parts: list[str]) -> None:
    path = clean("/".join(parts))
    assert path == "/".join(part for part in parts if part not in {"", "."})
    assert clean(path) == path
