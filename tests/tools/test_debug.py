"""The debugger: what it sees at lines, at a failure and in a hanging test, in the draft and nowhere else."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from agent_core.checks.pytest_plugin.pairloop_pytest.lines import find_place
from agent_core.text import estimate_tokens
from agent_core.tools.base import ToolError, ToolOutput
from agent_core.tools.debug import Debug
from agent_core.view import DraftView
from tests.support.shop import tree
from tests.tools.looking import opened, use, view_of

USERS = '''
"""Users."""

LIMIT = 3


def find(rows, number):
    """Find one."""
    # Look at each.
    for row in rows:
        name = row["name"]
        if row["id"] == number:
            return name
    return None


def load(rows, password="hunter2x"):
    try:
        return find(
            rows,
            number=7,
        )
    except KeyError as error:
        raise ValueError("broken") from error


async def later(n):
    total = n + 1
    return total


def count(n):
    for i in range(n):
        yield i * 2


def never():
    return 1
'''
TESTS = """
import asyncio
import threading
import time
import unittest

import pytest

from shop.users import count, find, later, load


def test_load():
    print("going to load")
    assert load([{"id": 1, "name": "a"}, {"id": 7}]) == "x"


@pytest.mark.parametrize("n", [1, 2])
def test_find(n):
    assert find([{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], n) in "ab"


def test_later():
    assert asyncio.run(later(2)) == 3


def test_thread():
    thread = threading.Thread(target=find, args=([{"id": 1, "name": "t"}], 1), name="finder")
    thread.start()
    thread.join()


class TestCount(unittest.TestCase):
    def test_count(self):
        self.assertEqual(list(count(100)), [i * 2 for i in range(100)])


def test_hang():
    waited = 0
    while True:
        waited += 1
        time.sleep(0.01)
"""
AT_LOOP = "shop/users.py:9"


@pytest.fixture
async def view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DraftView:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    files = {
        "shop/__init__.py": "",
        "shop/users.py": USERS,
        "tests/test_users.py": TESTS,
        "tests/test_bad.py": "import nowhere\n",
    }
    return await view_of(await opened(tmp_path / "shop", files))


async def debugged(view: DraftView, test: str, *breakpoints: str, see: object = ()) -> ToolOutput:
    return await use(Debug(), view, test=f"tests/test_users.py::{test}", breakpoints=breakpoints, expressions=see)


async def test_values_and_variables_at_lines(view: DraftView) -> None:
    out = await debugged(view, "test_load", AT_LOOP, "shop/users.py:10 if row['id'] == 7", "shop/users.py:12")
    assert out.ok
    assert out.summary == "fails: ValueError: broken at shop/users.py:23; 2 of 3 breakpoints hit"
    assert "shop/users.py:9: hit 2 times.\n  hit 1:\n      rows = [{'id': 1, 'name': 'a'}, {'id': 7}]" in out.text
    assert "called from shop/users.py:18 in load < tests/test_users.py:13 in test_load" in out.text
    assert "shop/users.py:10 if row['id'] == 7: hit once, reached 2 times." in out.text
    assert "shop/users.py:12: never reached. In find the nearest lines that ran: line 11." in out.text
    assert "which came from:" in out.text, "the whole chain of exceptions"
    assert "going to load" in out.text, "what it printed"
    out = await debugged(view, "test_load", AT_LOOP, see=["number", "[row for row in rows if row['id'] == number]"])
    assert "  hit 1:\n      number = 7\n      [row for row in rows if row['id'] == number] = [{'id': 7}]\n" in out.text
    assert "hit 2:\n      number = 7" in out.text


async def test_expressions_where_it_fails(view: DraftView) -> None:
    see = "row\nnope\n1/0\nx =\npassword\nrows.clear()\nrows\nexit(3)"
    out = await debugged(view, "test_load", see=see)
    rows = out.text.split("Where it fails:\n")[1].split("\n\n")[0].splitlines()
    assert [row.strip() for row in rows] == [
        "row = {'id': 7}  (in find)",
        "nope = raised NameError: name 'nope' is not defined  (in load)",
        "1/0 = raised ZeroDivisionError: division by zero  (in load)",
        "x = = is no expression: invalid syntax (<expression>, line 1)  (in load)",
        "password = '***'  (in load)",
        "rows.clear() = None  (in load)",
        "rows = []  (in load)",
        "exit(3) = raised SystemExit: 3  (in load)",
    ]
    assert "hunter2x" not in out.text


async def test_lines_that_cannot_be_stopped_at(view: DraftView) -> None:
    out = await debugged(
        view, "test_find[2]", "shop/users.py:8", "shop/users.py:36", "shop/users.py:3", "shop/__init__.py:1"
    )
    assert "test_find[2] passes." in out.text
    assert "shop/users.py:9 (for line 8: the next line with a statement): hit 2 times." in out.text
    assert "shop/users.py:37 (for line 36: the first statement of never): never reached." in out.text
    assert "never was not called." in out.text
    assert "shop/users.py:3: hit once.\n  hit 1, before the test began:" in out.text
    assert "shop/__init__.py:1: no breakpoint is possible: there is no statement in it" in out.text


async def test_coroutines_generators_threads_and_unittest(view: DraftView) -> None:
    out = await debugged(view, "test_later", "shop/users.py:28", see="total")
    assert "hit 1:\n      total = 3" in out.text
    out = await debugged(view, "test_thread", AT_LOOP, see="rows[0]['name']")
    assert "hit 1, thread finder:\n      rows[0]['name'] = 't'" in out.text
    out = await debugged(view, "TestCount::test_count", "shop/users.py:33", "tests/test_users.py:34 if i > 40")
    assert "shop/users.py:33: hit 100 times, 5 of them shown; a condition chooses others." in out.text
    assert "the condition raised NameError: name 'i' is not defined: reached" in out.text
    assert "passes." in out.text


async def test_what_hangs_is_told_and_ended(view: DraftView, monkeypatch: pytest.MonkeyPatch) -> None:
    out = await debugged(view, "test_find[1]", AT_LOOP, see=["sum(1 for _ in iter(int, 1))", "number"])
    assert "sum(1 for _ in iter(int, 1)) = did not come to an end within 2 s\n      number = 1" in out.text
    monkeypatch.setattr("agent_core.tools.debug._SECONDS", 3.5)
    out = await debugged(view, "test_find[1]", AT_LOOP, see=["__import__('time').sleep(60)"])
    assert "shop/users.py:9: reached once, and nothing could be told of it" in out.text
    assert "It hangs while evaluating __import__('time').sleep(60), here:\n    shop/users.py:9 in find" in out.text
    out = await debugged(view, "test_hang")
    assert not out.ok
    assert "test_hang did not end within" in out.text
    assert "It hangs, here:\n    tests/test_users.py:4" in out.text
    assert "      waited = " in out.text


async def test_the_draft_is_debugged_and_the_project_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    project = await opened(
        tmp_path / "shop", {"shop/__init__.py": "", "shop/users.py": USERS, "tests/test_users.py": TESTS}
    )
    patch = "*** Begin Patch\n*** Update File: shop/users.py\n@@\n-LIMIT = 3\n+LIMIT = 44\n*** End Patch"
    view = await view_of(project, patch)
    before = tree(tmp_path / "shop")
    see = ["LIMIT", "open('shop/users.py', 'w').write('')", "open('made.txt', 'w').close()"]
    out = await debugged(view, "test_find[1]", AT_LOOP, see=see)
    assert "      LIMIT = 44\n      open('shop/users.py', 'w').write('') = 0\n" in out.text
    assert tree(tmp_path / "shop") == before
    assert "test_find[1] passes." in (await debugged(view, "test_find[1]")).text


async def test_what_is_wrong_with_a_call(view: DraftView) -> None:
    async def refused(**arguments: object) -> str:
        with pytest.raises(ToolError) as error:
            await Debug().run(json.dumps(arguments), view)
        return str(error.value)

    assert "tests/test_users.py::test_find[2]" in await refused(test="tests/test_users.py::test_fin")
    assert "Did you mean tests/test_users.py" in await refused(test="tests/test_user.py::test_find")
    assert "it is in tests/test_users.py" in await refused(test="test_count")
    assert "No test file has 'test_nothing'" in await refused(test="test_nothing")
    assert "no test is named" in (await refused(test=" ")).lower()
    assert "shop/users.py" in await refused(test="test_find", breakpoints="shop/user.py:3")
    assert "is no breakpoint" in await refused(test="test_find", breakpoints=["shop/users.py"])
    assert "too many" in await refused(test="test_find", breakpoints=[AT_LOOP] * 11)
    out = await use(Debug(), view, test="tests/test_bad.py::test_x")
    assert "cannot be collected: ModuleNotFoundError: No module named 'nowhere' at tests/test_bad.py:1" in out.text


async def test_arguments_are_read_leniently(view: DraftView) -> None:
    point = {"path": "./shop/users.py", "line": 10, "condition": "row['id'] == 2"}
    out = await Debug().run(
        json.dumps({"test": "pytest test_find[2]", "breakpoints": [point], "expressions": '["name"]'}), view
    )
    assert out.text.startswith("tests/test_users.py::test_find[2] passes.")
    assert "hit once, reached 2 times.\n  hit 1:\n      name = 'a'" in out.text
    titles = [Debug().title(text) for text in ("{", '{"test": "a.py::t", "breakpoints": "b.py:3"}')]
    assert titles == ["debug", "debug a.py::t at b.py:3"]


async def test_what_is_said_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    names = "\n".join(f"    v{n} = 'x' * 10_000" for n in range(60))
    text = f"def test_big():\n{names}\n    print('y' * 100_000)\n    assert v0 == v1 + 'z'\n"
    view = await view_of(await opened(tmp_path / "shop", {"shop/__init__.py": "", "tests/test_big.py": text}))
    points = [f"tests/test_big.py:{n}" for n in range(52, 62)]
    out = await use(Debug(), view, test="tests/test_big.py::test_big", breakpoints=points)
    assert estimate_tokens(out.text) <= 4000
    assert all(f"{point}: hit once." in out.text for point in points)


SOURCE = b'''\
"""Doc."""
import os

@property
def one(
    a,
):
    """Doc."""

    return (a
        + 1)


def two(): return 2


class Three:
    x = 1
    def four(self):
        if (os.sep and
                os.name):
            pass
        else:
            y = [n
                 for n in (1, 2)
                 if n]
        # the end
'''


@pytest.mark.parametrize(
    ("asked", "line", "function"),
    [
        (1, 2, "<module>"),
        (4, 10, "one"),
        (6, 10, "one"),
        (8, 10, "one"),
        (9, 10, "one"),
        (10, 10, "one"),
        (11, 11, "one"),
        (14, 14, "two"),
        (19, 20, "four"),
        (23, 24, "four"),
        (27, 24, "four"),
    ],
)
def test_where_a_breakpoint_stands(asked: int, line: int, function: str) -> None:
    place = find_place(SOURCE, asked)
    assert (place.line, place.function) == (line, function)
    assert bool(place.moved) == (asked != line)


def test_the_plugin_is_for_old_pythons_too() -> None:
    folder = Path(find_place.__code__.co_filename).parent
    for path in folder.glob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 8))
