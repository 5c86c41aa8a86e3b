"""Searching gives the same with ripgrep, with git, and with neither."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_core.config_tables import Config
from agent_core.tools import search
from agent_core.tools.base import ToolError
from agent_core.tools.search import Search
from agent_core.view import DraftView
from agent_core.workspace.project import open_project
from tests.projects import write_files
from tests.tools.looking import FILES, PATCH, opened, use, view_of

SEARCH = Search()
PROGRAMS = ("rg", "git", "grep")
Programs = Callable[[str, str], list[tuple[str, ...]]]


def only(chosen: Callable[[tuple[str, ...]], bool]) -> Programs:
    """The command lines that search, less those that are not chosen."""
    programs = search._programs
    return lambda pattern, where: [argv for argv in programs(pattern, where) if chosen(argv)]


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """One program that can search; the others are not asked."""
    name = str(request.param)
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    monkeypatch.setattr(search, "_programs", only(lambda argv: Path(argv[0]).name == name))
    return name


async def refused(view: DraftView, **arguments: object) -> str:
    with pytest.raises(ToolError) as caught:
        await SEARCH.run(json.dumps(arguments), view)
    return str(caught.value)


@pytest.fixture
async def view(program: str, tmp_path: Path) -> DraftView:
    return await view_of(await opened(tmp_path / "shop"))


async def test_hits_have_path_line_and_text(view: DraftView) -> None:
    out = await use(SEARCH, view, pattern="total")
    assert sorted(out.text.split("\n")) == [
        "shop/new.py:1:total = 3",
        "shop/prices.py:1:def total(prices):",
        "shop/prices.py:6:    return total(prices) / len(prices)",
        "tests/test_prices.py:1:from shop.prices import total",
    ]
    assert out.summary == "4 lines"


async def test_what_is_searched_for(view: DraftView, program: str) -> None:
    hits: list[tuple[dict[str, str], str]] = [
        ({"pattern": "total", "path": "tests"}, "tests/test_prices.py:1:from shop.prices import total"),
        ({"pattern": "^def a", "path": "shop/prices.py"}, "shop/prices.py:5:def average(prices):"),
        ({"pattern": "names?=|NAMES", "path": "./shop/"}, "shop/deep/er/names.py:1:NAMES = ['a1', 'b2']"),
        ({"pattern": "WIDTH"}, "größe/über: alles.py:1:WIDTH = 1"),
        ({"pattern": "log", "path": ".gitignore"}, ".gitignore:1:*.log"),
        ({"pattern": r"\btotal\b\s*="}, "shop/new.py:1:total = 3"),
        ({"pattern": "-n"}, "(nothing found)"),
        ({"pattern": "no such thing"}, "(nothing found)"),
    ]
    if program != "grep":
        # Plain grep does not know the digit by its letter.
        hits.append(({"pattern": r"'[a-z]\d'"}, "shop/deep/er/names.py:1:NAMES = ['a1', 'b2']"))
    for arguments, hit in hits:
        assert (await use(SEARCH, view, **arguments)).text == hit


async def test_the_draft_is_searched(program: str, tmp_path: Path) -> None:
    project = await opened(tmp_path / "shop")
    view = await view_of(project, PATCH)
    assert (await use(SEARCH, view, pattern="start=0|FRESH")).text.split("\n") == [
        "shop/fresh.py:1:FRESH = 1",
        "shop/prices.py:2:    return sum(prices, start=0)",
    ]
    assert (await use(SEARCH, view, pattern="from shop")).text == "(nothing found)"
    assert not (project.root / "shop/fresh.py").exists()


async def test_outside_a_repository(program: str, tmp_path: Path) -> None:
    root = tmp_path / "plain"
    write_files(root, FILES)
    view = await view_of(await open_project(root, Config(), os.environ))
    out = await use(SEARCH, view, pattern="def ")
    assert out.text.split("\n") == ["shop/prices.py:1:def total(prices):", "shop/prices.py:5:def average(prices):"]


async def test_what_is_wrong_with_a_search(view: DraftView) -> None:
    assert (await refused(view, pattern="(unclosed")).startswith("The search failed: ")
    assert "The pattern is empty." in await refused(view, pattern="")
    assert "The pattern spans lines." in await refused(view, pattern="a\nb")
    assert "is outside the project" in await refused(view, pattern="a", path="../other")
    assert "Did you mean shop/prices.py?" in await refused(view, pattern="a", path="src/prices.py")
    assert "There is nothing at 'etc'" in await refused(view, pattern="a", path="/etc")
    assert "The arguments do not fit" in await refused(view, patern="a")


async def test_long_results_are_cut(program: str, tmp_path: Path) -> None:
    files = {"many.txt": "needle\n" * 250, "wide.txt": "straw" + "x" * 1000 + "\n"}
    view = await view_of(await opened(tmp_path / "shop", files | {"shop/a": ""}))
    lines = (await use(SEARCH, view, pattern="needle")).text.split("\n")
    assert lines[0] == "many.txt:1:needle"
    assert lines[100:] == ["[... 150 more; narrow it down ...]"]
    wide = (await use(SEARCH, view, pattern="straw")).text
    assert wide.startswith("wide.txt:1:strawxxx")
    assert wide.endswith("x [... 607 characters more]")


async def test_bytes_that_are_no_text(program: str, tmp_path: Path) -> None:
    project = await opened(tmp_path / "shop")
    (project.root / "binary.dat").write_bytes(b"needle\0\1\2")
    (project.root / "dos.txt").write_bytes(b"needle one\r\n")
    text = (await use(SEARCH, await view_of(project), pattern="needle")).text
    assert text == "dos.txt:1:needle one"


def program_that(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!{sys.executable}\n{script}")
    (folder / name).chmod(0o755)


async def test_a_program_that_is_not_there_for_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found on the human's PATH need not be visible in the candidate: then the next one is asked."""
    view = await view_of(await opened(tmp_path / "shop"))
    folder = tmp_path / "bin"
    program_that(folder, "rg", "")
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    (folder / "rg").rename(folder / "elsewhere")
    (folder / "rg").symlink_to(folder / "elsewhere")
    programs = list(search._programs("FRESH|WIDTH", "."))
    assert [Path(argv[0]).name for argv in programs] == ["rg", *["git"] * 4, "grep"]
    (folder / "rg").unlink()
    monkeypatch.setattr(search, "_programs", lambda pattern, where: programs)
    assert (await use(SEARCH, view, pattern="FRESH|WIDTH")).text == "größe/über: alles.py:1:WIDTH = 1"


async def test_a_git_without_perl_expressions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git = shutil.which("git")
    script = (
        "import os, sys\n"
        "if '-P' in sys.argv:\n"
        "    sys.stderr.write('fatal: cannot use Perl-compatible regexes when not compiled with USE_LIBPCRE')\n"
        "    sys.exit(128)\n"
        f"os.execv({git!r}, sys.argv)\n"
    )
    root = tmp_path / "shop"
    project = await opened(root)
    # Commands find it because it lies in the project's own tree.
    program_that(root / "bin", "git", script)
    ours = str(root / "bin/git")
    programs = [(ours, *argv[1:]) for argv in search._programs("def a.*e", ".") if argv[0] == "git"]
    assert ["-P" in argv for argv in programs] == [True, True, False, False]
    monkeypatch.setattr(search, "_programs", lambda pattern, where: programs)
    assert (await use(SEARCH, await view_of(project), pattern="def a.*e")).text.endswith(":5:def average(prices):")


async def test_a_search_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "shop"
    project = await opened(root)
    program_that(root, "slow", "import time\ntime.sleep(60)\n")
    monkeypatch.setattr(search, "_SECONDS", 0.3)
    monkeypatch.setattr(search, "_programs", lambda pattern, where: [(str(root / "slow"),)])
    assert "The search took more than 0 s." in await refused(await view_of(project), pattern="x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
async def test_one_unreadable_file_does_not_hide_the_others(program: str, tmp_path: Path) -> None:
    project = await opened(tmp_path / "shop")
    file = project.root / "shop/new.py"
    view = await view_of(project)
    file.chmod(stat.S_IWUSR)
    assert "shop/prices.py:1:def total(prices):" in (await use(SEARCH, view, pattern="total")).text


def test_titles() -> None:
    assert SEARCH.title('{"pattern": "a\\"b", "path": "src"}') == "search 'a\"b' in src"
    assert SEARCH.title('{"pattern": "x"}') == "search 'x'"
    assert SEARCH.title("{") == "search"
