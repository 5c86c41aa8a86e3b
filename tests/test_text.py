"""Untrusted text is made safe to show, and long text is cut where it says so."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_core.text import cap_text, estimate_tokens, printable

ANY = st.text(st.characters())
"""Any text, lone surrogates and control characters included."""

SHOWN = {
    "colour": ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
    "title": ("\x1b]0;owned\x07", "␛]0;owned␇"),
    "C1 escape": ("\x9b2Jgone", "\ufffd2Jgone"),
    "delete and backspace": ("rm\x7f\x08", "rm␡␈"),
    "overwriting a line": ("good\rbad", "good␍bad"),
    "line ends of Windows": ("one\r\ntwo\r\n", "one\ntwo\n"),
    "two returns": ("one\r\r\n", "one␍\n"),
    "reordered": ("a\u202eb\u2066c\u061cd", "a\ufffdb\ufffdc\ufffdd"),
    "hidden": ("a\u200bb\ufeffc\u2060d\U000e0041e", "a\ufffdb\ufffdc\ufffdd\ufffde"),
    "other line ends": ("a\u2028b\u2029c\x85d", "a\ufffdb\ufffdc\ufffdd"),
    "lone surrogates": ("a\ud800b\udfffc", "a\ufffdb\ufffdc"),
    "what is fine": ("ä\t漢\n👩\u200d💻 {[/b]}", "ä\t漢\n👩\u200d💻 {[/b]}"),
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN.keys())
def test_what_a_terminal_would_obey_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(ANY)
@example("\r\r\n\n")
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    safe = printable(text)
    bad = {char for char in safe if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}} - {"\t", "\n"}
    assert not bad
    assert printable(safe) == safe
    assert safe.encode("utf-8").decode("utf-8") == safe


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@given(ANY, st.integers(0, 60))
@example("x" * 241, 60)
@example("a\n" * 200, 20)
@example("漢" * 100, 13)
@example("\ud800" * 400, 60)
def test_capping_keeps_the_budget_and_names_the_cut(text: str, tokens: int) -> None:
    capped = cap_text(text * 5, tokens)
    if estimate_tokens(text * 5) <= tokens:
        assert capped == text * 5
    else:
        assert re.search(r"\[\.\.\. \d+ (line|character)s? left out \.\.\.\]", capped)
        # The mark itself always fits, even where there is room for nothing else.
        assert estimate_tokens(capped) <= max(tokens, 10)


def test_capping_keeps_head_and_tail() -> None:
    lines = [f"line {number}" for number in range(1000)]
    capped = cap_text("\n".join(lines), 100).split("\n")
    mark = next(index for index, line in enumerate(capped) if line.startswith("[..."))
    head, tail = capped[:mark], capped[mark + 1 :]
    assert head == lines[: len(head)]
    assert tail == lines[-len(tail) :]
    assert capped[mark] == f"[... {1000 - len(head) - len(tail)} lines left out ...]"
    assert min(len(head), len(tail)) > 10


def test_one_long_line_is_cut_inside() -> None:
    capped = cap_text("a" * 5000 + "b" * 5000, 100)
    head, mark, tail = capped.split("\n")
    assert set(head) == {"a"}
    assert set(tail) == {"b"}
    assert mark == f"[... {10_000 - len(head) - len(tail)} characters left out ...]"


def test_tokens_are_a_quarter_of_the_bytes() -> None:
    assert [estimate_tokens(text) for text in ("", "a", "abcd", "abcde", "漢字", "\ud800")] == [0, 1, 1, 2, 2, 1]
