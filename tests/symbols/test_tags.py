"""What is found in a file, in every language there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.symbols.languages import language_of
from agent_core.symbols.tags import outline, tags_of, uses

PYTHON = b'''
LIMIT = 3


class Shop(Base):
    """A shop."""

    @property
    def total(self) -> int:
        def inner():
            return 1
        return sum(self.prices)  # total of them

    async def buy(
        self,
        name: str,
    ) -> None: ...


def main():
    print(Shop().total, "total")
'''

FILES = {
    "a.js": ("class Shop { total() {} }\nconst buy = (x) => x\nfunction main() { buy(1) }", "Shop total buy main"),
    "a.ts": (
        "interface Wares { n: number }\nexport class Shop { total(): void {} }\ntype Id = string",
        "Wares Shop total Id",
    ),
    "a.tsx": ("export function View() { return <b>x</b> }", "View"),
    "a.go": (
        "package a\ntype Shop struct{}\nfunc (s Shop) Total() int { return 1 }\nfunc main() {}",
        "Shop Total main",
    ),
    "a.rs": (
        "struct Shop;\nimpl Shop { fn total(&self) {} }\ntrait Sells { fn sell(&self); }",
        "Shop Shop total Sells sell",
    ),
    "a.java": ("class Shop { Shop() {} int total() { return 1; } }", "Shop Shop total"),
    "a.c": (
        "struct shop { int n; };\nint total(struct shop *s) { return 1; }\nchar *name(void) { return 0; }",
        "shop total name",
    ),
    "a.cpp": (
        "class Shop { int total(); };\nint Shop::total() { return 1; }\nnamespace n { void f() {} }",
        "Shop total total n f",
    ),
    "a.cs": ("class Shop { public int Total { get; } void Buy() {} }", "Shop Total Buy"),
    "a.rb": ("module Mall\n  class Shop\n    def total = 1\n  end\nend", "Mall Shop total"),
    "a.php": ("<?php class Shop { function total() {} }\nfunction main() {}", "Shop total main"),
    "a.sh": ("buy() { echo hi; }\nbuy", "buy"),
}


def test_python_is_outlined_by_line() -> None:
    found = [(one.name, one.kind, one.line, one.end, one.depth, one.inside) for one in outline("a.py", PYTHON)]
    assert found == [
        ("LIMIT", "constant", 2, 2, 0, False),
        ("Shop", "class", 5, 17, 0, False),
        ("total", "function", 9, 12, 1, False),
        ("inner", "function", 10, 11, 2, True),
        ("buy", "function", 14, 17, 1, False),
        ("main", "function", 20, 21, 0, False),
    ]
    assert outline("a.py", PYTHON)[4].head == "async def buy( self, name: str, ) -> None"


def test_uses_are_those_in_code() -> None:
    defined, used = uses("a.py", PYTHON, "total")
    assert [one.line for one in defined] == [9]
    assert [(one.line, one.text) for one in used] == [(21, 'print(Shop().total, "total")')]
    assert uses("a.py", PYTHON, "tot") == ((), ())


@pytest.mark.parametrize("path", FILES)
def test_every_language_has_its_names(path: str) -> None:
    text, names = FILES[path]
    tags = tags_of(path, text.encode())
    assert [one.name for one in tags.definitions] == names.split()
    assert tags.words[names.split()[0]] >= 1


def test_what_is_no_code_has_no_names() -> None:
    for path, data in (
        ("a.txt", b"def a(): pass"),
        ("Makefile", b"a: b"),
        ("a.py", b"\0def a(): pass"),
        ("min.js", b"function a(){}" * 2000),
        ("a.py", b"def a(): pass\n" * 50_000),
    ):
        assert tags_of(path, data).definitions == ()
    assert language_of("shop/Prices.PY") == "python"
    assert language_of("py") == language_of(".py.orig") == ""


@given(
    st.binary(max_size=300) | st.text("def class(){}=>:\n abz'\"\\", max_size=200).map(str.encode),
    st.sampled_from([*FILES, "a.py"]),
)
def test_nothing_breaks_it(data: bytes, path: str) -> None:
    for one in tags_of(path, data).definitions:
        assert 1 <= one.line <= one.end <= data.count(b"\n") + 1
        assert "\x1b" not in one.name + one.head
        assert "\n" not in one.head
