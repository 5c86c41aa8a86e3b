"""Taking requests out of files: the comment goes, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_core.comments.find import requests
from agent_core.comments.removal import without
from agent_core.events import Marker


def markers(text: str, path: str = "a.py") -> list[Marker]:
    return [one.marker(path, "") for one in requests(text.encode(), path)]


def taken(text: str, path: str = "a.py") -> str:
    data, found = without(text.encode(), path, markers(text, path))
    assert len(found) == len(markers(text, path)) > 0
    return data.decode()


@pytest.mark.parametrize(
    ("path", "text", "left"),
    [
        ("a.py", "# AI! do\nx = 1\n", "x = 1\n"),
        ("a.py", "x = 1  # AI! do\ny = 2\n", "x = 1\ny = 2\n"),
        ("a.py", "x = 1\n    # do\n    # it AI!\ny = 2\n", "x = 1\ny = 2\n"),
        ("a.py", "x = 1\n\n\n# AI! do\n\n\ny = 2\n", "x = 1\n\n\ny = 2\n"),
        ("a.py", "x = 1\n\n# AI! do\n\n\ny = 2\n", "x = 1\n\n\ny = 2\n"),
        ("a.py", "# AI! do\n\nx = 1\n", "x = 1\n"),
        ("a.py", "x = 1\n\n# AI! do\n", "x = 1\n"),
        ("a.py", "x = 1\n# AI! do", "x = 1"),
        ("a.py", "# AI! do\n", ""),
        ("a.py", "x = 1  # AI! do\r\ny = 2\r\n", "x = 1\r\ny = 2\r\n"),
        ("a.py", "x = 1\r\n# AI! do\r\ny = 2\r\n", "x = 1\r\ny = 2\r\n"),
        ("a.js", "/* AI! do */ foo();\n", "foo();\n"),
        ("a.js", "foo(/* AI! do */ 1);\n", "foo(1);\n"),
        ("a.js", "a();\n/*\n * AI! do\n */\nb();\n", "a();\nb();\n"),
        ("a.tsx", "<p>\n  {/* AI! do */}\n</p>\n", "<p>\n</p>\n"),
        ("a.tsx", "<p>a{/* AI! do */}b</p>\n", "<p>ab</p>\n"),
        ("a.html", "<p>\n<!-- AI! do -->\n</p>\n", "<p>\n</p>\n"),
        ("a.py", "x = 1  # AI! one\n# AI! two\ny = 2\n", "x = 1\ny = 2\n"),
    ],
)
def test_what_is_left(path: str, text: str, left: str) -> None:
    assert taken(text, path) == left


def test_one_that_was_moved_is_found_by_what_it_says() -> None:
    asked = markers("def f():\n    # AI! do\n    return 1\n")
    data, found = without(
        b"def g():\n    return 2\n\n\nclass A:\n    def f(self):\n        #  AI! do\n        return 1\n", "a.py", asked
    )
    assert data == b"def g():\n    return 2\n\n\nclass A:\n    def f(self):\n        return 1\n"
    assert found == tuple(asked)


def test_one_that_was_changed_stays() -> None:
    asked = markers("# AI! do\nx = 1\n")
    for text in (b"# AI! do more\nx = 1\n", b"# AI? do\nx = 1\n", b"# do\nx = 1\n", b"x = 1\n", b"s = '# AI! do'\n"):
        assert without(text, "a.py", asked) == (text, ())


def test_of_two_that_say_the_same_the_nearest_goes() -> None:
    text = "# AI! do\nx = 1\n# AI! do\ny = 2\n"
    first, second = markers(text)
    assert without(text.encode(), "a.py", [first])[0] == b"x = 1\n# AI! do\ny = 2\n"
    assert without(text.encode(), "a.py", [second])[0] == b"# AI! do\nx = 1\ny = 2\n"
    assert without(text.encode(), "a.py", [first, second])[0] == b"x = 1\ny = 2\n"


def test_a_comment_beside_it_that_is_no_part_of_it_stays() -> None:
    asked = [Marker("a.py", 2, 1, "make it two", "do")]
    assert without(b"# Returns one.\n# make it two AI!\nx = 1\n", "a.py", asked)[0] == b"# Returns one.\nx = 1\n"


@given(
    st.lists(st.sampled_from(["x = 1", "# said", "", "    y = 2", "s = '# AI! no'", "caf\udce9 = 1"]), max_size=12),
    st.lists(st.sampled_from(["# AI! do", "    # do AI!", "z = 3  # AI! do", "# AI? why"]), max_size=3),
    st.randoms(use_true_random=False),
    st.sampled_from(["\n", "\r\n"]),
)
def test_nothing_else_is_lost(lines: list[str], asked: list[str], random: object, end: str) -> None:
    mixed = list(lines)
    for one in asked:
        mixed.insert(random.randrange(len(mixed) + 1), one)  # type: ignore[attr-defined]
    data = end.join([*mixed, ""]).encode("utf-8", "surrogateescape")
    wanted = [one.marker("a.py", "") for one in requests(data, "a.py")]
    left, found = without(data, "a.py", wanted)
    kept = [line.strip() for line in left.decode("utf-8", "surrogateescape").split(end) if line.strip()]
    code = [line.partition("  # AI!")[0].strip() for line in mixed if line.strip() and not line.strip().startswith("#")]
    assert [line for line in kept if not line.startswith("#")] == code
    assert len(found) == len(wanted)
    assert requests(left, "a.py") == []
