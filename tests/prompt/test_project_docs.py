"""What the partner is told about the project."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent_core.prompt.project_docs import cut_head, file_listing, project_context, shares
from agent_core.text import estimate_tokens

ROOT = Path("/somewhere/shop")


def context(files: dict[str, str | bytes], budget: int = 8000) -> str:
    def read(path: str) -> bytes | None:
        data = files.get(path)
        return data.encode() if isinstance(data, str) else data

    return project_context(ROOT, read, list(files), budget)


def headings(words: str) -> list[str]:
    return [line for line in words.splitlines() if line.startswith("# ")]


def test_documents_come_in_order_each_under_its_name() -> None:
    words = context(
        {
            "README.md": "A shop.",
            "pyproject.toml": "[project]\nname = 'shop'",
            "web/AGENTS.md": "Web rules.",
            "web/admin/AGENTS.md": "Admin rules.",
            "AGENTS.md": "Root rules.",
            "docs/README.md": "Not this one.",
            "shop/cart.py": "x = 1",
        }
    )
    assert headings(words) == [
        "# AGENTS.md (the rules of this project)",
        "# README.md (what this project is)",
        "# pyproject.toml (how it is built and written)",
        "# web/AGENTS.md (the rules for web/)",
        "# web/admin/AGENTS.md (the rules for web/admin/)",
        "# The files of shop",
    ]
    for part in ("A shop.", "\n\nshop\n\n", "Root rules.", "Web rules.", "Admin rules.", "shop/cart.py"):
        assert part in words
    assert "Not this one." not in words


def test_a_project_without_documents_has_its_listing() -> None:
    assert context({"b.py": "", "a.py": ""}) == "# The files of shop\n\na.py\nb.py"
    assert context({}) == ""


def test_what_is_cut_is_named() -> None:
    readme = "\n".join(f"line {number} of the story" for number in range(1000))
    words = context({"AGENTS.md": "Root rules.", "README.md": readme, "web/AGENTS.md": "Web rules.\n" * 300}, 600)
    assert estimate_tokens(words) <= 600
    assert "Root rules." in words
    assert "line 0 of the story" in words
    assert "more lines of README.md left out: read_file shows them]" in words
    assert "line 999" not in words
    # A long README leaves the rules of a folder their part.
    assert words.count("Web rules.") > 10
    assert "more lines of web/AGENTS.md left out" in words
    shown = words.count("of the story")
    assert f"[... {1000 - shown} more lines of README.md" in words


def test_documents_that_are_too_many_are_named() -> None:
    files: dict[str, str | bytes] = {f"part{number:02}/AGENTS.md": "A rule.\n" * 99 for number in range(40)}
    words = context(files, 1000)
    assert estimate_tokens(words) <= 1000
    assert words.count("# part") == 5
    assert "[Not shown here: part05/AGENTS.md, part06/AGENTS.md" in words
    assert "and 25 more. read_file shows them.]" in words


@given(st.lists(st.integers(0, 1000)), st.integers(0, 5000))
def test_shares_are_fair(sizes: list[int], total: int) -> None:
    given_out = shares(sizes, total)
    assert sum(given_out) <= total
    assert all(got <= size for got, size in zip(given_out, sizes, strict=True))
    if sum(sizes) <= total:
        assert given_out == sizes
    short = [got for got, size in zip(given_out, sizes, strict=True) if got < size]
    # Whoever gets less than it needs gets no less than anybody else, a rest of the division apart.
    assert not short or max(given_out) - min(short) <= 1


def test_binary_empty_and_hostile_files() -> None:
    words = context(
        {
            "README": b"\x00\x01",
            "AGENTS.md": "",
            "pyproject.toml": '[project]\nname = "\\u001b[2J\\u202e"',
            "bad\x1b\n.py": "",
        }
    )
    assert headings(words) == ["# pyproject.toml (how it is built and written)", "# The files of shop"]
    assert "\x1b" not in words
    assert "\u202e" not in words
    assert "\n.py" not in words


def test_readmes_of_other_kinds() -> None:
    assert "# readme.rst (what" in context({"readme.rst": "A shop."})
    assert "# README.md (what" in context({"README.md": "A shop.", "README.txt": "Another."})


def test_deep_folders_are_counted() -> None:
    paths = ["a/b/c/d.py", *(f"a/b/c/d/{number}.py" for number in range(7)), "a/b/c/e/f/g.py", "z.py"]
    assert file_listing(paths, 1000).splitlines() == ["a/b/c/d.py", "a/b/c/d/ (7 files)", "a/b/c/e/ (1 files)", "z.py"]


def test_long_listings_are_cut() -> None:
    listing = file_listing([f"file{number:05}.py" for number in range(5000)], 100_000).splitlines()
    assert len(listing) == 401
    assert listing[-1] == "[... 4600 more left out: list_files shows them]"


@given(
    st.dictionaries(
        st.sampled_from(
            ["AGENTS.md", "a/AGENTS.md", "b/AGENTS.md", "README.md", "pyproject.toml", "x.py", "d/e/f/g/h.py"]
        ),
        st.text(st.characters(codec="utf-8"), max_size=400).map(lambda one: one * 9),
    ),
    st.integers(0, 1500),
)
def test_the_budget_holds(files: dict[str, str], budget: int) -> None:
    assert estimate_tokens(context(dict(files), budget)) <= budget


@given(st.text(max_size=300), st.integers(0, 100))
def test_a_cut_text_begins_as_the_text_does(words: str, tokens: int) -> None:
    cut = cut_head(words, "a.md", tokens)
    assert estimate_tokens(cut) <= max(tokens, 0)
    *kept, last = cut.split("\n")
    if cut != words and cut:
        assert words.startswith("\n".join(kept))
        assert last.endswith("of a.md left out: read_file shows them]")


def test_rules_of_others_where_there_are_none_of_ours() -> None:
    others: dict[str, str | bytes] = {"CLAUDE.md": "Be kind.", ".github/copilot-instructions.md": "Be quick."}
    assert headings(context(others))[0] == "# CLAUDE.md (the rules of this project)"
    assert "Be quick." not in context(others)
    assert "Be kind." not in context({**others, "AGENTS.md": "Be right."})
    # Rules of a folder are no rules of the project.
    assert "Be kind." in context({**others, "web/AGENTS.md": "Be right."})


def test_contributing_comes_last_and_in_part() -> None:
    long = "How to send a pull request.\n" * 1000
    words = context({"CONTRIBUTING.md": long, "README.md": "A shop.", "AGENTS.md": "Rules."})
    assert headings(words)[2] == "# CONTRIBUTING.md (how to contribute)"
    assert "more lines of CONTRIBUTING.md left out: read_file shows them]" in words
    assert estimate_tokens(words) < 1000


def test_the_humans_own_rules_come_first() -> None:
    words = project_context(ROOT, {"AGENTS.md": b"Theirs."}.get, ["AGENTS.md"], 2000, "Mine.")
    assert headings(words)[0].startswith("# AGENTS.md (the human's own rules")
    assert words.index("Mine.") < words.index("Theirs.")
