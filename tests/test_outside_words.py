"""What others did to the project, told to the human and to the partner; and what a formatter is known by."""

from __future__ import annotations

import pytest

from agent_core import events as ev
from agent_core.chat_entries import Edit, Edits, GitMove
from agent_core.layout_only import only_layout
from agent_core.outside_words import edits_words, move_words
from agent_core.prompt.edit_words import edits_item
from agent_core.text import estimate_tokens

EDITS = Edits(tuple(f"f{number:03}.py" for number in range(200)), 1, 1200, 0, "unknown")
MOVE = GitMove("checkout: moving from main to topic", "main", "topic", ("a.py", "b.py"), 42)
STAYED = GitMove("stash push", "main", "main", (), 0)


def test_for_the_human() -> None:
    assert edits_words(EDITS) == "someone added 1 file, changed 1,200 files: f000.py, f001.py, f002.py and 1,198 more"
    assert edits_words(ev.FilesEdited(("a", "b"), 0, 0, 2)) == "you deleted 2 files: a, b"
    assert move_words(MOVE) == "git checkout: moving from main to topic, 42 files changed"
    assert move_words(GitMove("rebase onto x", "1a2b3c4d", "x", (), 1)).startswith("git rebase onto x (1a2b3c4d -> x),")
    assert move_words(STAYED) == "git stash push (on main), no file changed"
    assert move_words(ev.BranchChanged("reset: x", "main", "main", "c", ("a",), 1)).endswith(
        "(on main), 1 file changed"
    )


def test_for_the_partner_it_is_one_item_that_is_bounded() -> None:
    own, formatted = Edit("a.py", "changed", "-a\n+b"), Edit("b.py", "changed", "-c\n+d", "formatter")
    text = edits_item((own, Edit("c.py", "deleted", ""), formatted, MOVE, own, EDITS))
    assert text.count("[The human changed files in their editor.") == 2
    assert "a.py was changed.\n-a\n+b\nc.py was deleted.\n[A formatter went over what had just landed." in text
    assert "By it changed: a.py, b.py and 40 more." in text
    assert "1201 files at once (1 added, 1200 changed): f000.py" in text
    assert "f199.py and 1001 more." in text
    long = Edit("x" * 50_000, "changed", "y" * 50_000)
    assert estimate_tokens(edits_item((long, MOVE))) <= 1500


PYTHON = 'def f(a, b):\n    """Doc.\n\n    More."""\n    return "x" + a  # why\n'


@pytest.mark.parametrize(
    ("path", "old", "new", "same"),
    [
        ("a.py", PYTHON, PYTHON.replace('"x"', "'x'").replace("a, b", "\n    a,\n    b,\n"), True),
        ("a.py", PYTHON, PYTHON.replace('More."""', 'More.\n    """'), True),
        ("a.py", PYTHON, PYTHON.replace('"x"', '"y"'), False),
        ("a.py", PYTHON, PYTHON.replace("# why", "# because"), False),
        ("a.py", PYTHON, PYTHON.replace("  # why", ""), False),
        ("a.py", PYTHON, "def f(:\n", False),
        ("a.py", "def (:\n", "def (: \n", False),
        ("a.ts", "const a = 'x'\nf(a,\n  b)\n", 'const a = "x";\nf(\n  a,\n  b,\n);\n', True),
        ("a.ts", "let a = 'x  y'\n", "let a = 'x y'\n", False),
        ("a.ts", "return a\n", "returna\n", False),
        ("a.ts", "a // one\n", "a // two\n", False),
        ("a.go", "a := []int{1,2}\n", "a := []int{\n\t1,\n\t2,\n}\n", True),
        ("a.rs", "let a = (x,);\n", "let a = (x);\n", False),
        ("a.c", "a;\n", "a\n", False),
        ("a.yaml", "a:\n  b: 1\n", "a:\n    b: 1\n", False),
        ("a.py", PYTHON, PYTHON, False),
    ],
)
def test_a_formatter_is_known_by_changing_nothing_but_layout(path: str, old: str, new: str, same: bool) -> None:
    assert only_layout(path, old.encode(), new.encode()) is same


def test_what_is_no_text_shows_nothing() -> None:
    assert not only_layout("a.py", b"\x00\xff", b"\x00\xff\n")
