"""Comments with a marker are found in any language, and nothing else is taken for one."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from agent_core.comments import lexed
from agent_core.comments.find import may_hold, plain_comments, requests
from agent_core.comments.signs import LONGEST_LINE
from agent_core.process import run_blocking


def said(text: str, path: str = "a.py") -> list[tuple[int, str, str]]:
    """Every request of a text: its line from 1, its kind, its words."""
    data = text.encode("utf-8", "surrogateescape")
    return [(one.comments[0].line + 1, one.kind, "|".join(one.words)) for one in requests(data, path)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "x = 1  # {}"),
        ("a.py", "# {}"),
        ("a.js", "foo(); // {}"),
        ("a.js", "/* {} */ foo();"),
        ("a.tsx", "<p>don't {{/* {} */}}</p>"),
        ("a.ts", "let a: string; // {}"),
        ("a.vue", "<template>\n<!-- {} -->"),
        ("a.c", "int a; /* {} */"),
        ("a.rs", "fn a() {{}} // {}"),
        ("a.go", "// {}"),
        ("a.java", "// {}"),
        ("a.sql", "select 1; -- {}"),
        ("a.lua", "-- {}"),
        ("a.hs", "-- {}"),
        ("a.el", ";; {}"),
        ("a.clj", "; {}"),
        ("a.asm", "; {}"),
        ("a.tex", "Text % {}"),
        ("a.erl", "% {}"),
        ("a.m", "% {}"),
        ("a.vim", 'set nu " {}'),
        ("a.bat", "REM {}"),
        ("a.html", "<p><!-- {} --></p>"),
        ("a.html", "<script>\n// {}\n</script>"),
        ("a.css", "a {{ color: red; /* {} */ }}"),
        ("a.md", "<!-- {} -->"),
        ("a.yaml", "a: 1 # {}"),
        ("a.toml", "a = 1 # {}"),
        ("a.ini", "; {}"),
        ("Makefile", "# {}"),
        ("Dockerfile", "# {}"),
        ("a.sh", "echo 1 # {}"),
        ("a.pl", "# {}"),
        ("a.r", "# {}"),
        ("a.rb", "# {}"),
        ("a.php", "<?php\n// {}"),
        ("a.f90", "! {}"),
        ("a.ml", "(* {} *)"),
        ("a.unheard-of", "code // {}"),
        ("no_ending_at_all", "# {}"),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_in_every_language(path: str, text: str, ends: str) -> None:
    for words in ("AI! do this", "do this AI!", "ai!: do this", "Do this. Ai!!"):
        found = said(text.format(words).replace("\n", ends) + ends, path)
        assert [(kind, words.lower().rstrip(".")) for _, kind, words in found] == [("do", "do this")]
    assert [kind for _, kind, _ in said(text.format("why is this AI?") + ends, path)] == ["answer"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", 's = "# AI! no"'),
        ("a.py", '"""\n# AI! no\n"""'),
        ("a.py", "print('AI!')"),
        ("a.py", "# said ai!=3 and waited"),
        ("a.py", "# ai != 3"),
        ("a.py", "# we used OpenAI!"),
        ("a.py", "# the AI! in between is none"),
        ("a.py", "#!/usr/bin/env ai!"),
        ("a.js", "const s = `\n// AI! no\n`;"),
        ("a.js", "// ai?.close()"),
        ("a.sh", 'echo "# AI! no"'),
        ("a.sql", "select '-- AI! no';"),
        ("a.yaml", 'b: "# AI! no"'),
        ("a.md", "# AI! a heading"),
        ("a.unheard-of", 'say "// AI! no"'),
        ("a.json", '{"a": "// AI! no"}'),
        ("a.py", "# AI this is only context"),
    ],
)
def test_what_is_none(path: str, text: str) -> None:
    assert said(text + "\n", path) == []


def test_comments_in_a_row_are_one_request() -> None:
    assert said("# Make these changes: AI!\n# - add main\n# - use click\n\n# other\n") == [
        (1, "do", "Make these changes:|- add main|- use click")
    ]
    assert said("# make this\n# a class AI!\nclass A: ...\n") == [(1, "do", "make this|a class")]
    assert said("# AI: make this\n# AI: a class\n# AI!\n") == [(1, "do", "make this|a class|")]
    assert said("# AI! one\n# AI? two\n") == [(1, "do", "one|two")]
    # What stands above a comment that begins with the marker is about something else.
    assert said("# Copyright\n# AI! one\n# more\n") == [(2, "do", "one|more")]
    # Nor does it go on in code, after a blank line, or further in.
    assert said("a = 1  # AI! one\nb = 2  # AI! two\n") == [(1, "do", "one"), (2, "do", "two")]
    assert said("# AI! one\n\n# no\n") == [(1, "do", "one")]
    assert said("if a:\n    # AI! one\n# no\n") == [(2, "do", "one")]


def test_a_block_of_several_lines() -> None:
    assert said("/*\n * AI! make\n * it so\n */\nfoo();\n// no\n", "a.js") == [(1, "do", "|make|it so|")]
    assert said("<!-- make\n it so AI! -->\n", "a.html") == [(1, "do", "make|it so")]


def test_plain_comments_are_context() -> None:
    text = "# AI: keep this fast\nx = 1  # never negative AI\n# said nothing\ns = '# AI no'\n# AI! do\n# AIM high\n"
    assert plain_comments(text.encode(), "a.py", 9) == [(1, "keep this fast"), (2, "never negative")]
    assert plain_comments(text.encode(), "a.py", 1) == [(1, "keep this fast")]


def test_bytes_that_are_no_text() -> None:
    assert said("# b\udcff AI! caf\udce9\n") == []
    assert said("# AI! caf\udce9\n") == [(1, "do", "caf\udce9")]
    assert requests(b"# AI! \x00\x00\n", "a.py")[0].words == ("\x00\x00",)


def test_large_files_are_not_even_decoded() -> None:
    assert may_hold(b"# AI! do\n")
    assert not may_hold(b"# AI! do\n" + b"x" * lexed.MOST_BYTES)
    assert not may_hold(b"nothing here\n")
    assert not may_hold(None)


def test_minified_lines_are_left_out() -> None:
    long = "a = 1; " * LONGEST_LINE
    started = time.process_time()
    assert said(f"{long}// AI! no\n// AI! yes\n", "a.js") == [(2, "do", "yes")]
    assert time.process_time() - started < 1


def test_a_lexer_that_takes_long_or_fails_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        name = "Slow"

        def get_tokens_unprocessed(self, _text: str) -> object:
            while True:
                yield 0, (), ""

    class Broken(Slow):
        def get_tokens_unprocessed(self, _text: str) -> object:
            raise RecursionError

    for lexer in (Slow(), Broken()):
        monkeypatch.setattr(lexed, "_lexer", lambda _path, lexer=lexer: lexer)
        found = lexed.comments(['s = "# AI! no"', "# AI! yes", "# and more"], "a.py", [0, 1], budget=0.05)
        assert [(one.line, one.words) for one in found] == [(1, ("AI! yes",)), (2, ("and more",))]


def test_lexers_are_imported_only_when_there_is_something_to_find() -> None:
    code = (
        "import sys, agent_core.comments.listening, agent_core.comments.removing\n"
        "from agent_core.comments.find import requests\n"
        "requests(b'# nothing' * 99, 'a.py')\n"
        "print([name for name in sys.modules if name.startswith('pygments')])"
    )
    root = Path(__file__).resolve().parents[2]
    assert run_blocking([sys.executable, "-c", code], cwd=root, timeout=30).stdout.strip() == b"[]"


def test_thousands_of_markers() -> None:
    started = time.process_time()
    assert len(said("x = 1  # AI! do\n" * 3000)) == 3000
    assert time.process_time() - started < 3
