"""`pairloop check`: what is told, how far it goes, and what counts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent_core.check_report import Report, Said, Told
from agent_core.places import project_state
from tests.projects import git, make_project, write_files
from tests.support.calling import call
from tests.support.checking import FILES, SHOP, TESTED, check, kinds, outcomes, report
from tests.support.shop import QUICK_SETTINGS


@pytest.fixture(autouse=True)
def plain_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pytest of these projects does not load what else is installed here."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def test_broken_fixed_and_known_against_the_last_commit(tmp_path: Path) -> None:
    root = make_project(
        tmp_path / "p",
        {
            **FILES,
            "a.py": "import os\nimport re\n",
            "test_red.py": "def test_red():\n    assert False\n\ndef test_stays():\n    assert False\n",
        },
    )
    clean, said = report(root)
    assert (clean, said["verdict"], set(kinds(said))) == (0, "unbroken", {"known"})
    write_files(
        root,
        {
            "a.py": "import re\n",
            "shop.py": SHOP.replace("sum(prices)", "sum(prices) + 1"),
            "test_red.py": "def test_red():\n    assert True\n\ndef test_stays():\n    assert False\n",
            "new.py": "import json\n",
        },
    )
    code, said = report(root)
    assert (code, said["verdict"], said["base"], said["complete"]) == (1, "broken", "HEAD", True)
    assert said["commit"] == git(root, "rev-parse", "HEAD").strip()
    assert {kind: sorted(codes) for kind, codes in kinds(said).items()} == {
        "broken": ["F401", "test_shop.py::test_none", "test_shop.py::test_total"],
        "fixed": ["F401", "test_red.py::test_red"],
        "known": ["F401", "test_red.py::test_stays"],
    }
    # Committed, it is what was there before.
    git(root, "add", "-A")
    git(root, "commit", "-qm", "next")
    code, said = report(root)
    assert (code, said["elsewhere"]) == (0, 0)
    assert len(kinds(said)["known"]) == 5
    assert said["tree"] == said["base_tree"]
    # Against the commit before it is still broken, though nothing differs from HEAD.
    code, earlier = report(root, "--base", "HEAD~1")
    assert (code, earlier["base"], earlier["tree"]) == (1, "HEAD~1", said["tree"])
    assert len(kinds(earlier)["broken"]) == 3


def test_lines_for_a_human_lead_editors_to_the_place(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {**FILES, "old.py": "import re\n", "sub/x.txt": ""})
    write_files(root, {"shop.py": SHOP.replace("sum", "max"), "sub/new.py": "x = 1\nimport json\n"})
    done = check(root)
    assert (done.code, done.err) == (1, "")
    assert "\x1b" not in done.out
    lines = done.out.splitlines()
    assert sum(line.startswith("✗ ruff") for line in lines) == 1
    assert "Broken since HEAD" in lines
    assert any(line.startswith("  sub/new.py:2: ") and line.endswith("[F401] (ruff)") for line in lines)
    assert any(line.startswith("  shop.py:2: ValueError: ") and line.endswith("(pytest)") for line in lines)
    assert "      test_shop.py::test_none" in lines
    assert "old.py" not in done.out
    assert lines[-1].startswith("✗ breaks 3 (ruff 1, pytest 2), 1 known")
    # From below, as seen from there; what is known only when asked for.
    below = check(root / "sub", "--stage", "first", "--all")
    assert any(line.startswith("  new.py:2: ") for line in below.out.splitlines())
    assert any(line.startswith("  ../old.py:1: ") for line in below.out.splitlines())
    assert below.out.splitlines().index("Broken since HEAD") < below.out.splitlines().index("Known: there before")


def test_nothing_is_left_out_where_all_is_asked_for(tmp_path: Path) -> None:
    same = "def same():\n    assert total([]) == 1, 'word ' * 600\n"
    tests = "\n".join(f"def test_{number}():\n    same()" for number in range(20))
    files = {**FILES, "test_many.py": f"from shop import total\n{same}{tests}\n"}
    root = make_project(tmp_path / "p", files, commit=False)
    brief, full = check(root), check(root, "--all")
    assert (brief.code, full.code) == (1, 1)
    names = [f"test_many.py::test_{number}" for number in range(20)]
    assert sum(f"      {name}\n" in brief.out for name in names) == 8
    assert "      ... and 12 more\n" in brief.out
    assert sum(f"      {name}\n" in full.out for name in names) == 20
    assert len(full.out) > len(brief.out) + 1000
    assert "more\n" not in full.out


def test_files_that_cannot_be_collected_for_one_reason_are_told_once(tmp_path: Path) -> None:
    tests = {f"test_{name}.py": "from a import f\n\ndef test():\n    f()\n" for name in "xyz"}
    root = make_project(tmp_path / "p", {"a.py": "def f(): ...\n", **tests, "pairloop.toml": TESTED})
    write_files(root, {"a.py": "import nowhere_at_all\n"})
    done = check(root, "--base", "HEAD", "a.py")
    lines = done.out.splitlines()
    told = [number for number, line in enumerate(lines) if "No module named 'nowhere_at_all' (pytest)" in line]
    assert len(told) == 1
    assert lines[told[0]].startswith("  a.py:1: 3 files cannot be collected: ModuleNotFoundError")
    assert [line.strip() for line in lines[told[0] + 1 : told[0] + 4]] == sorted(tests)


def test_what_files_hold_is_never_obeyed_by_a_terminal(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": TESTED})
    write_files(root, {"test_a.py": "def test_a():\n    raise ValueError('\\x1b]0;owned\\x07 \\u202e')\n"})
    done = check(root)
    assert done.code == 1
    assert "owned" in done.out
    assert not {"\x1b", "\x07", "\u202e"} & set(done.out)


def test_the_json_has_its_stable_shape(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "x = 1\n", "pairloop.toml": QUICK_SETTINGS})
    write_files(root, {"a.py": "import os\n"})
    code, said = report(root)
    assert set(said) == set(Report.__struct_fields__)
    [finding] = said["findings"]
    assert set(finding) == set(Told.__struct_fields__)
    assert all(set(one) == set(Said.__struct_fields__) for one in said["results"])
    assert (finding["kind"], finding["check"], finding["path"], finding["line"]) == ("broken", "ruff", "a.py", 1)
    assert (code, said["project"], len(said["tree"])) == (1, str(root), 64)
    assert said["tree"] != said["base_tree"]


def test_nothing_to_compare_with_tells_everything(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    write_files(root, {"a.py": "import os\n", "b.py": "def (\n", "pairloop.toml": QUICK_SETTINGS})
    code, said = report(root)
    assert (code, said["base"], said["base_tree"]) == (1, None, "")
    assert set(kinds(said)) == {"found"}
    assert {one["check"] for one in said["findings"]} == {"syntax", "ruff"}, "every file is parsed, not a changed one"
    assert "Found" in check(root).out.splitlines()
    write_files(root, {"a.py": "", "b.py": ""})
    code, said = report(root)
    assert (code, said["findings"], outcomes(said)) == (0, [], {"syntax": "passed", "ruff": "passed"})
    # A repository before its first commit, and a folder that the repository around it ignores.
    git(root, "init", "-q")
    assert report(root)[1]["base"] is None
    outer = make_project(tmp_path / "outer", {".gitignore": "inner\n"})
    write_files(outer / "inner", {"a.py": "import os\n", "pairloop.toml": QUICK_SETTINGS})
    code, said = report(outer / "inner")
    assert (code, said["base"], said["project"]) == (1, None, str(outer / "inner"))


def test_only_what_was_asked_for_counts(tmp_path: Path) -> None:
    root = make_project(
        tmp_path / "p", {"src/a.py": "", "src/deep/b.py": "", "c.py": "", "pairloop.toml": QUICK_SETTINGS}
    )
    write_files(root, {"src/deep/b.py": "import os\n", "c.py": "import re\n"})
    for paths, code, found, elsewhere in (
        (["src"], 1, ["src/deep/b.py"], 1),
        (["src/a.py"], 0, [], 2),
        (["src/a.py", "c.py"], 1, ["c.py"], 1),
        (["."], 1, ["c.py", "src/deep/b.py"], 0),
    ):
        done, said = report(root, *paths)
        assert (done, said["elsewhere"]) == (code, elsewhere), paths
        assert sorted(one["path"] for one in said["findings"]) == found
    # They are relative to where one stands, or to the project that is named.
    assert [one["path"] for one in report(root / "src", "deep")[1]["findings"]] == ["src/deep/b.py"]
    named = call(["check", "--json", "--project", str(root), "src"], tmp_path)
    assert [one["path"] for one in named.json["findings"]] == ["src/deep/b.py"]
    assert "2 more in files that were not asked for" in check(root, "src/a.py").out


def test_files_of_the_base_are_compared_by_content(tmp_path: Path) -> None:
    files = {
        "a.py": "import os\n",
        "crlf.py": "import re\n",
        ".gitattributes": "crlf.py eol=crlf\n",
        "pairloop.toml": QUICK_SETTINGS,
    }
    root = make_project(tmp_path / "p", files)
    (root / "crlf.py").write_bytes(b"import re\r\n")
    # git was told not to look; a new content of the same size and time changes its verdict all the same.
    git(root, "update-index", "--assume-unchanged", "a.py")
    before = (root / "a.py").stat()
    (root / "a.py").write_text("import io\n")
    os.utime(root / "a.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    code, said = report(root)
    assert code == 1
    assert {(one["kind"], one["path"]) for one in said["findings"]} == {
        ("broken", "a.py"),
        ("fixed", "a.py"),
        ("known", "crlf.py"),
    }
    assert outcomes(said)["syntax"] == "passed"
    assert next(one for one in said["results"] if one["check"] == "syntax")["total"] == 1, "crlf.py did not change"


def test_a_file_that_went_was_there_and_one_that_came_was_not(tmp_path: Path) -> None:
    root = make_project(
        tmp_path / "p", {"gone.py": "import os\n", "b.py": "import re\n", "pairloop.toml": QUICK_SETTINGS}
    )
    (root / "gone.py").unlink()
    (root / "b.py").rename(root / "moved.py")
    code, said = report(root)
    assert code == 0
    assert {(one["kind"], one["path"]) for one in said["findings"]} == {("fixed", "gone.py"), ("known", "moved.py")}
    # git and its index are as they were.
    assert sorted(git(root, "status", "--porcelain").splitlines()) == [" D b.py", " D gone.py", "?? moved.py"]


def test_stages(tmp_path: Path) -> None:
    root = make_project(
        tmp_path / "p",
        {**FILES, "other.py": "x = 1\n", "test_other.py": "import other\n\ndef test_x():\n    assert other.x\n"},
    )
    write_files(root, {"shop.py": f"import os\n{SHOP.replace('sum', 'max')}"})
    code, said = report(root, "--stage", "first")
    assert (code, outcomes(said)) == (1, {"syntax": "passed", "ruff": "failed"})
    code, said = report(root, "--stage", "affected")
    assert code == 1
    assert sorted(kinds(said)["broken"]) == ["F401", "test_shop.py::test_none", "test_shop.py::test_total"]
    # It has stopped there, or been through with all of them before it could be.
    assert said["stage"] in {"affected", "all"}
    assert said["complete"] == (said["stage"] == "all")


def test_the_list_says_what_runs_and_why(tmp_path: Path) -> None:
    files = {
        "Makefile": "lint:\n\ttrue\n",
        "pairloop.toml": f"{QUICK_SETTINGS}\n[checks.words]\nrun = 'grep -r teh .'\n",
    }
    root = make_project(tmp_path / "p", files)
    done = check(root, "--list", "--json")
    assert (done.code, done.err, done.json["project"]) == (0, "", str(root))
    found = {one["name"]: one for one in done.json["checks"]}
    assert {name for name, one in found.items() if not one["on"]} >= {"mypy", "pytest"}
    assert found["words"] == {
        "name": "words",
        "on": True,
        "source": "configured",
        "runs": "grep -r teh .",
        "why": "the configuration has it",
    }
    assert {one["source"] for one in found.values()} == {"built-in", "configured", "found"}
    lines = check(root, "--list").out.splitlines()
    assert len(lines) == len(found)
    assert any(line.startswith("off  mypy ") and "checks.off" in line for line in lines)
    assert not list((project_state(root)).glob("candidates/*"))
