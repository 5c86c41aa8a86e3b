"""Only what a human has just written is news: by what it says, not by where it stands."""

from __future__ import annotations

from agent_core.comments.news import MOST, Saved, news


def save(old: str, new: str, path: str = "a.py", origin: str | None = None) -> Saved:
    start = old if origin is None else origin
    return Saved(path, f"hash of {path}", old.encode(), new.encode(), start.encode())


def texts(*saves: Saved) -> list[tuple[int, str]]:
    return [(one.line, one.text) for one in news(saves).markers]


CODE = "def f():\n    return 1\n"


def test_a_new_comment() -> None:
    found = news([save(CODE, f"# AI! name it better\n{CODE}")])
    (marker,) = found.markers
    assert (marker.path, marker.line, marker.count, marker.text, marker.kind, marker.file) == (
        "a.py",
        1,
        1,
        "name it better",
        "do",
        "hash of a.py",
    )
    assert (found.left, found.gone) == (0, ())


def test_what_was_there_is_not_new_wherever_it_goes() -> None:
    asked = f"# AI! name it better\n{CODE}"
    assert texts(save(asked, f"{asked}x = 1\n")) == []
    assert texts(save(asked, f"import os\n\n{asked}")) == []
    assert texts(save(asked, f"{CODE}    # AI! name it better\n")) == []
    # As a formatter writes it.
    assert texts(save("#AI!   name it  better\n", "# AI! name it better\n")) == []
    # Into another file, in the same moment.
    assert texts(save(asked, CODE), save(CODE, asked, "b.py")) == []
    assert texts(save(CODE, f"{CODE}s = '# AI! name it'\n")) == []


def test_another_text_is_new() -> None:
    asked = f"# AI! name it better\n{CODE}"
    assert texts(save(asked, f"# AI! name it worse\n{CODE}")) == [(1, "name it worse")]
    assert texts(save(asked, f"# AI? name it better\n{CODE}")) == [(1, "name it better")]
    assert texts(save(f"# name it better\n{CODE}", asked)) == [(1, "name it better")]
    # The same words once more are asked for at the new place.
    assert texts(save(f"{CODE}# AI! here\n", f"# AI! here\n{CODE}# AI! here\n")) == [(1, "here")]
    assert texts(save(f"# AI! here\n{CODE}", f"# AI! here\n{CODE}# AI! here\n")) == [(4, "here")]


def test_what_was_taken_out_is_told() -> None:
    found = news([save("# AI! one\n", "x = 1\n"), save("# AI! two\n", "# AI! two\n# more\n", "b.py")])
    assert found.gone == ("a.py", "b.py")
    assert [one.text for one in found.markers] == ["two\nmore"]


def test_a_comment_that_was_there_is_no_part_of_a_request() -> None:
    old = f"# Returns one.\n{CODE}"
    (marker,) = news([save(old, f"# Returns one.\n# make it two AI!\n{CODE}")]).markers
    assert (marker.line, marker.count, marker.text) == (2, 1, "make it two")
    (marker,) = news([save(old, f"# make it two AI!\n# Returns one.\n{CODE}")]).markers
    assert (marker.line, marker.count, marker.text) == (1, 1, "make it two")


def test_a_comment_that_was_saved_while_it_was_written() -> None:
    half = f"# make it\n{CODE}"
    (marker,) = news([save(half, f"# make it\n# two AI!\n{CODE}", origin=CODE)]).markers
    assert (marker.line, marker.count, marker.text) == (1, 2, "make it\ntwo")


def test_thousands_at_once_are_cut() -> None:
    found = news([save("", "".join(f"x = {at}  # AI! do {at}\n" for at in range(3000)))])
    assert [one.text for one in found.markers] == [f"do {at}" for at in range(MOST)]
    assert found.left == 3000 - MOST


def test_files_in_which_nothing_else_is_new() -> None:
    asking = f"# AI! name it better\n{CODE}"
    assert news([save(CODE, asking)]).only == ("a.py",)
    assert news([save(CODE, f"{CODE}x = 1  # AI! name it better\n")]).only == ()
    assert news([save(CODE, CODE.replace("return 1", "return 1  # AI! name it"))]).only == ("a.py",)
    assert news([save(f"# AI! name\n{CODE}", asking, origin=CODE)]).only == ("a.py",)
    assert news([save(CODE, asking), save("", "x = 1\n", "b.py")]).only == ("a.py",)
    assert news([save(asking, CODE)]).only == ()
