"""Which of what it can do a text asks for."""

import pytest

from agent_core.partners.offline.wishes import Wish, agrees, asks_for, wish_of
from tests.partners.offline.trying import Files

FILES = Files({
    "lib/clamp.py": b"def clamp(x): ...\n\n\nclass Box:\n    def fit_in(self): ...\n",
    "lib/deep/one_file.py": b"async def run_all(): ...\n",
    "lib/binary.py": b"\0",
    "tests/test_clamp.py": b"def test_low(): ...\n\n\nclass TestBox:\n    def test_fit(self): ...\n",
    "README.md": b"# clamp\n",
})  # fmt: skip


LOW, IN_CLASS = "tests/test_clamp.py::test_low", "tests/test_clamp.py::TestBox::test_fit[a-1]"


def wish(text: str) -> Wish:
    return wish_of(text, FILES, 60.0)


@pytest.mark.parametrize(
    ("text", "tests", "kinds", "paths"),
    [
        ("fix", (), (), ()),
        ("Fix it!", (), (), ()),
        ("go on", (), (), ()),
        ("fix the failing tests", (), ("tests",), ()),
        ("mypy", (), ("types",), ()),
        ("fix the types and ruff, please", (), ("lint", "types"), ()),
        ("syntax errors", (), ("syntax",), ()),
        ("missing imports?", (), ("names",), ()),
        (f"{LOW} fails: find the cause and mend it.", (LOW,), ("tests",), ()),
        (f"./{IN_CLASS}", (IN_CLASS,), ("tests",), ()),
        ("fix test_clamp.py", ("tests/test_clamp.py",), ("tests",), ()),
        ("fix tests/", ("tests/",), ("tests",), ()),
        ("test_fit is red", ("test_fit",), ("tests",), ()),
        ("Why does test_low fail?", ("test_low",), ("tests",), ()),
        ("fix clamp()", (), (), ("lib/clamp.py",)),
        ("repair `run_all` and fit_in", (), (), ("lib/clamp.py", "lib/deep/one_file.py")),
        ("fix lib/deep/", (), (), ("lib/deep/one_file.py",)),
        ("test_low in tests/test_clamp.py fails", ("test_low",), ("tests",), ()),
        ("Make the tests pass.", (), ("tests",), ()),
        ("make test_low pass", ("test_low",), ("tests",), ()),
        ("please make everything green again!", (), (), ()),
        ("it doesn't work", (), (), ()),
        ("make mypy happy", (), ("types",), ()),
        ("make `clamp` work", (), (), ("lib/clamp.py",)),
        ("no, only lib/clamp.py", (), (), ("lib/clamp.py",)),
        ("fix the types in lib/clamp.py", (), ("types",), ("lib/clamp.py",)),
    ],
)  # fmt: skip
def test_wishes(text: str, tests: tuple[str, ...], kinds: tuple[str, ...], paths: tuple[str, ...]) -> None:
    found = wish(text)
    assert found.plain
    assert (found.wanted.tests, found.wanted.kinds, found.wanted.paths) == (tests, kinds, paths)
    assert found.missing == ()


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "Write a parser for dates",
        "add tests for clamp()",
        "explain lib/clamp.py",
        "refactor Box",
        "make a parser that works with dates",
        "make clamp() faster",
        "let the user pass a flag",
        "not lib/clamp.py",
        "42",
        "clamp",
    ],
)
def test_what_it_cannot_do(text: str) -> None:
    assert not wish(text).plain


@pytest.mark.parametrize(
    ("text", "yes"), [("Yes, do it", True), ("ok.", True), ("yes, explain it", False), ("", False)]
)
def test_words_that_say_yes(text: str, *, yes: bool) -> None:
    assert agrees(text) is yes
    assert not wish(text).plain


@pytest.mark.parametrize(
    ("text", "mends", "path", "whole", "asked"),
    [
        ("fix", LOW, "lib/clamp.py", False, True),
        ("fix test_low", LOW, "lib/clamp.py", False, True),
        ("fix test_fit", LOW, "lib/clamp.py", False, False),
        ("fix test_fit", LOW, "lib/clamp.py", True, True),
        ("fix clamp()", LOW, "lib/clamp.py", False, True),
        ("fix clamp()", LOW, "lib/deep/one_file.py", True, False),
        ("fix the types", LOW, "lib/clamp.py", True, False),
        ("explain lib/clamp.py", LOW, "lib/clamp.py", True, False),
    ],
)
def test_what_has_been_found_already_is_asked_for(
    text: str, mends: str, path: str, *, whole: bool, asked: bool
) -> None:
    assert asks_for(wish(text), (mends,), (path,), whole=whole) is asked


def test_what_is_not_there_is_said() -> None:
    assert wish("fix tests/test_other.py::test_x and test_nothing").missing == (
        "tests/test_other.py::test_x",
        "test_nothing",
    )
    assert wish("fix tests/test_other.py::test_x").wanted.tests == ()
