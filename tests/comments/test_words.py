"""What a partner is told of comments in the code, and the human sees of them."""

from __future__ import annotations

from agent_core.comments.words import context_of, heading, told
from agent_core.events import Marker

LONG = "\n\n\n".join(f"def f{at}():\n" + "".join(f"    x{line} = {at}\n" for line in range(9)) for at in range(40))


def marker(line: int, text: str = "make it so", kind: str = "do", path: str = "a.py", count: int = 1) -> Marker:
    return Marker(path, line, count, text, "answer" if kind == "answer" else "do")


def said(data: str, *markers: Marker, context: tuple[str, ...] = ()) -> str:
    return told(markers, context, {"a.py": data.encode()}.get, lambda text: text.replace("hunter2", "[secret]"))


def test_a_small_file_is_shown_whole() -> None:
    text = said("# AI! make it so\nx = 1\n", marker(1))
    assert text.startswith("[The human asks for this by comments in their files.")
    assert "\na.py:1: make it so\n" in text
    assert text.endswith("[The code around, as it is now:]\na.py:\n```\n# AI! make it so\nx = 1\n```")


def test_of_a_large_one_the_function_around() -> None:
    lines = LONG.split("\n")
    at = lines.index("def f20():") + 4
    lines.insert(at, "    # AI! make it so")
    text = said("\n".join(lines), marker(at + 1))
    code = text[text.index("```\n") + 4 : text.rindex("\n```")]
    assert code.split("\n")[0] == "def f20():"
    assert code.split("\n")[-1] == "    x8 = 20"
    assert f"a.py, lines {at - 3} to {at + 7}:" in text


def test_above_a_function_it_is_that() -> None:
    lines = LONG.split("\n")
    at = lines.index("def f20():")
    lines.insert(at, "# AI! make it so")
    text = said("\n".join(lines), marker(at + 1))
    code = text[text.index("```\n") + 4 : text.rindex("\n```")]
    assert code.startswith("# AI! make it so\ndef f20():\n    x0 = 20")
    assert code.endswith("x8 = 20")


def test_without_functions_it_is_what_is_near() -> None:
    lines = [f"word {at}" for at in range(1000)]
    text = said("\n".join(lines), marker(501), marker(505))
    assert "word 480\n" in text
    assert "word 524\n```" in text
    assert "word 479\n" not in text
    # Both are near each other: it is shown once.
    assert text.count("word 500\n") == 1


def test_however_large_it_is_the_partner_is_told_a_bounded_text() -> None:
    line = "x = '" + "y" * 5000 + "'\n"
    assert len(said(line * 100, marker(50))) < 16_000
    assert len(said(line * 9000, *(marker(at * 400 + 1) for at in range(20)))) < 16_000


def test_questions_are_to_be_answered() -> None:
    text = said("x = 1  # AI?\n", marker(1, "why", "answer"))
    assert text.startswith("[The human asks this by comments in their files. Answer in words")
    assert "asks for this" not in text
    both = said("x = 1\n", marker(1, "why", "answer"), marker(1))
    assert both.index("asks for this") < both.index("make it so") < both.index("asks this") < both.index("why")


def test_words_for_the_human() -> None:
    markers = (marker(1, "use hunter2\n\nwith care"), marker(9, "", "answer"))
    assert heading(markers, lambda text: text.replace("hunter2", "[secret]")) == (
        "use [secret]\nwith care\n\u21b3 AI! a.py:1\n(see the comments marked with AI)\n\u21b3 AI? a.py:9"
    )
    assert "hunter2" not in said("# hunter2\n", marker(1, "hunter2"), context=("b.py:1: hunter2",))


def test_context_comes_from_the_whole_project_the_nearest_first() -> None:
    files = {
        "far/c.py": b"# AI: far away\n",
        "near/a.py": b"# AI! make it so\n# AI: and so\nx = 1  # AI keep it small\n",
        "near/b.py": b"# AI: near\ns = '# AI: none'\n",
        "z.bin": b"\x00AI\xff",
    }
    asked = marker(1, "make it so\nand so", path="near/a.py", count=2)
    assert context_of([asked], files, files.get) == (
        "near/a.py:3: keep it small",
        "near/b.py:1: near",
        "far/c.py:1: far away",
    )
    many = {f"{at:03}.py": b"# AI: one\n" for at in range(200)}
    assert len(context_of([asked], many, many.get)) == 12
