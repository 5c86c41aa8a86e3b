"""The map of a project: what stands on it, and what it costs."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path

import msgspec
import pytest

from agent_core.symbols import service, work
from agent_core.symbols.rank import Wish, parts_of, rank
from agent_core.symbols.repo_map import draw
from agent_core.symbols.service import Symbols
from agent_core.symbols.tags import Tags, tags_of
from agent_core.text import estimate_tokens
from agent_core.workspace.tree import FileState, content_hash

FILES = {
    "shop/prices.py": "def total_price(prices):\n    return sum(prices)\n\n\ndef average_price(it):\n    return 1\n",
    "shop/cart.py": "from shop.prices import total_price\nclass Cart:\n    def checkout(self):\n        total_price(1)",
    "shop/wheels.py": "def parse_wheel_filename(name):\n    return name\n",
    "shop/colours.py": "def mix(a, b):\n    return a\n",
    "tests/test_cart.py": "from shop.cart import Cart\n\n\ndef test_checkout():\n    Cart().checkout()\n",
}


def tags(files: dict[str, str] = FILES) -> dict[str, Tags]:
    return {path: tags_of(path, text.encode()) for path, text in files.items()}


def first(drawn: str) -> str:
    return drawn.split("\n", 1)[0].removesuffix(":")


def test_words_have_parts() -> None:
    assert parts_of("parseWheelFilenames") == parts_of("parse_wheel_filename") == parts_of("parsing wheel filename")
    assert parts_of("the HTTPServer") == {"http", "serv"}


@pytest.mark.parametrize(
    ("task", "path"),
    [
        ("Wheel filenames are parsed wrongly", "shop/wheels.py"),
        ("mix() gives the first colour", "shop/colours.py"),
        ("shop/cart.py: mend it", "shop/cart.py"),
        ("tests/test_cart.py:4: AssertionError", "tests/test_cart.py"),
        ("the average_price is wrong", "shop/prices.py"),
    ],
)
def test_what_the_task_speaks_of_comes_first(task: str, path: str) -> None:
    assert first(draw(tags(), Wish(task), 500)) == path


def test_without_a_task_comes_first_what_others_use() -> None:
    drawn = draw(tags(), Wish(), 500)
    assert first(drawn) == "shop/prices.py"
    assert "    1 def total_price(prices)" in drawn
    assert first(draw(tags(), Wish(recent=("shop/colours.py",)), 500)) == "shop/colours.py"
    assert "shop/prices.py" not in draw(tags(), Wish(), 500, without={"shop/prices.py"})


def test_it_is_the_same_whatever_the_order() -> None:
    drawn = draw(tags(), Wish("price of a cart"), 200)
    for seed in range(5):
        mixed = [*tags().items()]
        random.Random(seed).shuffle(mixed)
        assert draw(dict(mixed), Wish("price of a cart"), 200) == drawn


def test_the_budget_is_kept() -> None:
    many = {f"pack/module{number}.py": f"def function_{number}(a, b):\n    pass\n" * 3 for number in range(60)}
    for tokens in (0, 5, 40, 100, 400):
        assert estimate_tokens(draw(tags(many), Wish("module7"), tokens)) <= tokens
    assert first(draw(tags(many), Wish("pack/module7.py"), 40)) == "pack/module7.py"
    assert draw({}, Wish("x"), 100) == ""


def test_ranks_are_shares() -> None:
    scores, ranked = rank(tags(), Wish("cart"))
    assert set(scores) == set(FILES)
    assert [one.score for one in ranked] == sorted((one.score for one in ranked), reverse=True)


class Project:
    """Files on disk, and what is asked of them."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.root, self.state = folder / "shop", folder / "state"
        self.state.mkdir(parents=True)
        self.states: dict[str, FileState] = {}
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text)
            self.states[path] = FileState(content_hash(text.encode()), 0o100644)
        self.symbols = Symbols(self.root, self.state)


@pytest.fixture(params=["thread", "process"])
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    if request.param == "process":
        monkeypatch.setattr(service, "_IN_THREAD", 0)
    return Project(tmp_path, FILES)


async def test_the_draft_is_on_the_map_and_found(project: Project) -> None:
    wish = Wish("sell wheels")
    drawn, left = await project.symbols.map(project.states, {}, wish, 500)
    assert (drawn, left) == (draw(tags(), wish, 500), 0)
    data = b"def sell_wheel():\n    mix(1, 2)\n"
    drafted = {**project.states, "shop/wheels.py": FileState(content_hash(data), 0o100644)}
    drawn, _ = await project.symbols.map(drafted, {"shop/wheels.py": data}, wish, 500)
    assert "    1 def sell_wheel()" in drawn
    assert "parse_wheel" not in drawn
    found = await project.symbols.find(drafted, {"shop/wheels.py": data}, "mix")
    assert found is not None
    assert [(path, one.line) for path, one in found.definitions] == [("shop/colours.py", 1)]
    assert [(one.path, one.line) for one in found.uses] == [("shop/wheels.py", 2)]
    missed = await project.symbols.find(project.states, {}, "total_prise")
    assert missed is not None
    assert missed.similar[0] == "total_price"
    below = await project.symbols.find(project.states, {}, "total_price", "tests")
    assert below is not None
    assert not below.definitions + below.uses


async def test_what_is_known_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path, FILES)
    drawn, _ = await project.symbols.map(project.states, {}, Wish(), 500)
    read: list[str] = []

    def noted(path: str, data: bytes) -> Tags:
        read.append(path)
        return tags_of(path, data)

    monkeypatch.setattr(work, "tags_of", noted)
    assert (await project.symbols.map(project.states, {}, Wish(), 500))[0] == drawn
    assert read == []
    data = b"def other():\n    pass\n"
    changed = {**project.states, "shop/cart.py": FileState(content_hash(data), 0o100644)}
    await project.symbols.map(changed, {"shop/cart.py": data}, Wish(), 500)
    assert read == ["shop/cart.py"]
    # What was kept is damaged: it is read again, and kept again.
    for damage in (b"no database", b""):
        for file in project.state.iterdir():
            file.write_bytes(damage)
        assert (await project.symbols.map(project.states, {}, Wish(), 500))[0] == drawn
    with sqlite3.connect(project.state / "symbols.sqlite") as database:
        database.execute("UPDATE tags SET tags = x'00'")
    assert (await project.symbols.map(project.states, {}, Wish(), 500))[0] == drawn


def test_when_time_is_short_the_map_is_partial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path, FILES)
    files = tuple((path, state.hash) for path, state in project.states.items())
    asked = work.Request("map", str(project.root), str(project.state / "s.sqlite"), files, tokens=500)
    nothing = work.carry_out(msgspec.structs.replace(asked, seconds=-1.0))
    assert (nothing.text, nothing.left) == ("", len(FILES))
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    wish = Wish("mend wheels.py")
    part = work.carry_out(msgspec.structs.replace(asked, seconds=2.5, wish=wish))
    assert 0 < part.left < len(FILES)
    assert first(part.text) == "shop/wheels.py"
    assert work.carry_out(msgspec.structs.replace(asked, kind="fill")).left == 0


async def test_a_process_that_fails_is_no_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path, FILES)
    monkeypatch.setattr(service, "_IN_THREAD", 0)
    monkeypatch.setattr(service, "_START", "import sys; sys.exit({own!r})")
    assert await project.symbols.map(project.states, {}, Wish(), 500) == ("", len(FILES))
    assert await project.symbols.find(project.states, {}, "mix") is None
