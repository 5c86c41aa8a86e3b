"""Which failing tests a task is about, and what a test reaches through imports."""

from __future__ import annotations

import pytest

from agent_core.checks.imports import ImportGraph
from agent_core.checks.model import CheckResult, Finding
from agent_core.checks.targets import find_targets

FILES = {
    "src/shop/__init__.py": "from .prices import total\n",
    "src/shop/prices.py": "from shop import taxes\nfrom . import names as n\n",
    "src/shop/taxes.py": "",
    "src/shop/names.py": "from ..shop.deep import *\n",
    "src/shop/deep/__init__.py": "from .inner import x\n",
    "src/shop/deep/inner.py": "",
    "src/shop/alone.py": "def broken(:\n",
    "src/shop/far.py": "import shop.alone\n",
    "tests/conftest.py": "import helper\n",
    "tests/helper.py": "import os\n",
    "tests/test_shop.py": "def test_total():\n    import shop\n",
    "tests/unit/test_far.py": "from shop.far import x\n",
    "tests/unit/test_bad.py": "def test(:\n",
    "tests/test_none.py": "",
}


def read(path: str) -> bytes | None:
    text = FILES.get(path)
    return None if text is None else text.encode()


def test_imports_are_followed_through_src_relative_and_conftest() -> None:
    graph = ImportGraph(FILES, read)
    assert graph.reached("tests/test_shop.py") == {
        "tests/test_shop.py",
        "tests/conftest.py",
        "tests/helper.py",
        *(f"src/shop/{name}.py" for name in ("__init__", "prices", "taxes", "names", "deep/__init__", "deep/inner")),
    }
    far = graph.reached("tests/unit/test_far.py")
    assert {"src/shop/far.py", "src/shop/alone.py", "src/shop/__init__.py", "tests/helper.py"} <= far
    assert graph.reached("tests/unit/test_bad.py") == {
        "tests/unit/test_bad.py",
        "tests/conftest.py",
        "tests/helper.py",
    }


def test_imports_in_a_circle_end() -> None:
    files = {"a.py": b"import b\n", "b.py": b"import a\n"}
    assert ImportGraph(files, files.get).reached("a.py") == {"a.py", "b.py"}


NODES = (
    "tests/test_shop.py::test_total",
    "tests/test_shop.py::TestCart::test_add[1-2]",
    "tests/unit/test_far.py::test_far",
    "tests/unit/test_bad.py",
    "tests/test_none.py::test_total_of_none",
)


def targets(task: str, changed: tuple[str, ...]) -> list[str]:
    findings = tuple(Finding("pytest", "E", "x.py", 1, node) for node in NODES)
    results = [
        CheckResult("pytest", "failed", "t", "s", findings),
        CheckResult("mypy", "failed", "t", "s", (Finding("mypy", "test_total", "tests/test_shop.py", 1, "x"),)),
    ]
    return [one.code for one in find_targets(task, results, changed, FILES, read)]


@pytest.mark.parametrize(
    ("task", "numbers"),
    [
        ("make test_total pass", [0]),
        ("make test_total() pass.", [0]),
        ("fix tests/test_shop.py::test_total please", [0]),
        ("fix tests/test_shop.py", [0, 1]),
        ("fix test_total in tests/test_shop.py", [0]),
        ("TestCart is red", [1]),
        ("test_add fails", [1]),
        ("tests/unit/test_bad.py can't be collected", [3]),
    ],
)
def test_named_tests_are_the_targets(task: str, numbers: list[int]) -> None:
    assert targets(task, ("src/shop/far.py",)) == [NODES[number] for number in numbers]


@pytest.mark.parametrize(
    ("changed", "numbers"),
    [
        (("src/shop/taxes.py",), [0, 1, 2]),
        (("src/shop/alone.py",), [2]),
        (("tests/helper.py",), [0, 1, 2, 3, 4]),
        (("tests/unit/test_bad.py",), [3]),
        (("README.md",), []),
    ],
)
def test_without_names_the_targets_are_what_reaches_the_change(changed: tuple[str, ...], numbers: list[int]) -> None:
    assert targets("it is broken, total is wrong", changed) == [NODES[number] for number in numbers]


def test_a_run_that_did_not_judge_has_no_targets() -> None:
    crashed = CheckResult("pytest", "error", "t", "s", (Finding("pytest", "E", "x.py", 1, NODES[0]),))
    assert find_targets("test_total", [crashed], (), FILES, read) == ()
