"""`pairloop check`: real projects and tools, every exit code, and each way in which a tool does not judge."""

from __future__ import annotations

import json
import os
import signal
import site
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pexpect
import pytest

from agent_core.check_report import Report, Said, Told
from agent_core.places import project_state
from tests.projects import git, make_project, write_files
from tests.support.calling import Done, call
from tests.support.command_line import Process, pairloop

SHOP = "def total(prices):\n    return sum(prices)\n"
TEST = """\
from shop import total

def test_total():
    assert total([1, 2]) == 3

def test_none():
    assert not total([])
"""
QUICK = '[checks]\noff = ["mypy", "pytest"]\n'
TESTED = '[checks]\noff = ["mypy"]\n'
FILES = {"shop.py": SHOP, "test_shop.py": TEST, "pairloop.toml": TESTED}


@pytest.fixture(autouse=True)
def plain_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pytest of these projects does not load what else is installed here."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def check(root: Path, *arguments: str) -> Done:
    return call(["check", *arguments], root)


def report(root: Path, *arguments: str) -> tuple[int, Any]:
    """The exit code and the JSON object; all else is silent."""
    done = check(root, "--json", *arguments)
    assert done.err == ""
    assert done.json["exit"] == done.code
    return done.code, done.json


def kinds(said: Any) -> dict[str, list[str]]:
    """The codes of the findings by their kinds."""
    found: dict[str, list[str]] = {}
    for one in said["findings"]:
        found.setdefault(one["kind"], []).append(one["code"])
    return found


def outcomes(said: Any) -> dict[str, str]:
    return {one["check"]: one["outcome"] for one in said["results"]}


# -- what is told


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
    root = make_project(tmp_path / "p", {"a.py": "x = 1\n", "pairloop.toml": QUICK})
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
    write_files(root, {"a.py": "import os\n", "b.py": "def (\n", "pairloop.toml": QUICK})
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
    write_files(outer / "inner", {"a.py": "import os\n", "pairloop.toml": QUICK})
    code, said = report(outer / "inner")
    assert (code, said["base"], said["project"]) == (1, None, str(outer / "inner"))


def test_only_what_was_asked_for_counts(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"src/a.py": "", "src/deep/b.py": "", "c.py": "", "pairloop.toml": QUICK})
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
        "pairloop.toml": QUICK,
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
    root = make_project(tmp_path / "p", {"gone.py": "import os\n", "b.py": "import re\n", "pairloop.toml": QUICK})
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


# -- exit codes 2 and 5


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--base", "nowhere"], "nowhere"),
        (["--base", "--all"], "expected one argument"),
        (["missing.py"], "missing.py"),
        (["../other"], "outside of the project"),
        (["--stage", "last"], "--stage"),
        (["--watch", "--list"], "not allowed"),
    ],
)
def test_usage(tmp_path: Path, arguments: Sequence[str], word: str) -> None:
    done = check(make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": QUICK}), *arguments)
    assert (done.code, done.out) == (2, "")
    assert word in done.err


def test_configuration_that_cannot_be_used(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": "[checks.x]\nrun = 3\n"})
    done = check(root)
    assert (done.code, done.out) == (2, "")
    assert "pairloop.toml:2: checks.x.run" in done.err
    write_files(root, {"pairloop.toml": '[checks]\ndiscover = false\noff = ["syntax", "ruff", "mypy", "pytest"]\n'})
    done = check(root)
    assert (done.code, done.out) == (2, "")
    assert "No check is on" in done.err


WAYS = {
    "missing": ("run = 'no-such-tool-anywhere'", "missing"),
    "crashing": ("run = 'kill -SEGV $$'", "error"),
    "hanging": ("run = \"trap '' TERM; sleep 60 & wait; sleep 60\"\ntimeout = 0.5", "timeout"),
    "garbage": ("run = 'echo \"{{]\"'\nparse = 'json'", "error"),
    "much": ("run = 'head -c 100000000 /dev/zero | tr \"\\\\0\" x'\nparse = 'sarif'", "error"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_tool_that_does_not_judge_is_never_a_pass(tmp_path: Path, way: str) -> None:
    table, outcome = WAYS[way]
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": f"{QUICK}\n[checks.tool]\n{table}\n"})
    write_files(root, {"a.py": "x = 1\n"})
    code, said = report(root)
    assert (code, said["verdict"], outcomes(said)["tool"]) == (5, "unjudged", outcome)
    # What is broken besides wins.
    write_files(root, {"a.py": "import os\n"})
    done = check(root)
    assert done.code == 1
    assert "Could not run" in done.out.splitlines()
    assert any(line.startswith("  tool: ") for line in done.out.splitlines())


def test_a_tool_that_the_change_keeps_from_judging_is_broken(tmp_path: Path) -> None:
    configuration = f"{QUICK}\n[checks.tool]\nrun = 'sh tool.sh'\nparse = 'gcc'\n"
    root = make_project(tmp_path / "p", {"tool.sh": "exit 0\n", "pairloop.toml": configuration})
    write_files(root, {"tool.sh": "kill -KILL $$\n"})
    code, said = report(root)
    assert (code, kinds(said)) == (1, {"broken": ["no-longer-judges"]})
    # It is nowhere, so it counts whatever was asked for.
    assert report(root, "pairloop.toml")[0] == 1


def test_no_pytest_where_there_are_tests(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {**FILES, ".gitignore": ".venv\n"})
    environment(root)
    code, said = report(root)
    assert (code, outcomes(said)["pytest"]) == (5, "missing")
    (root / "test_shop.py").unlink()
    git(root, "commit", "-qam", "no tests")
    code, said = report(root)
    assert (code, outcomes(said)["pytest"]) == (0, "no_tests")


def test_nobody_who_judges_is_no_pass(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"README": "", "pairloop.toml": QUICK})
    code, said = report(root)
    assert (code, set(outcomes(said).values())) == (5, {"skipped"})
    assert "no check could judge" in said["summary"]


def test_isolation_that_is_insisted_on_and_not_there(tmp_path: Path, private_home: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": QUICK})
    insisted = "seatbelt" if sys.platform != "darwin" else "bubblewrap"
    write_files(private_home / "config", {"pairloop/config.toml": f'[sandbox]\ncandidate = "{insisted}"\n'})
    done = check(root)
    assert (done.code, done.out) == (5, "")
    assert insisted in done.err


# -- real projects


def environment(root: Path, *lines: str) -> None:
    """An environment of the project's own, with lines in a .pth file as editable installs write them."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / ".venv")], check=True, timeout=60)
    [packages] = (root / ".venv/lib").glob("python*/site-packages")
    if lines:
        (packages / "editable.pth").write_text("".join(f"{line}\n" for line in lines))


def test_an_editable_install_with_src_layout(tmp_path: Path) -> None:
    files = {f"src/{path}" if path == "shop.py" else path: text for path, text in FILES.items()}
    root = make_project(tmp_path / "p", {**files, ".gitignore": ".venv\n"})
    environment(root, f"{root}/src", *site.getsitepackages())
    write_files(root, {"src/shop.py": SHOP.replace("sum(prices)", "sum(prices) * 2")})
    code, said = report(root)
    assert (code, outcomes(said)["pytest"]) == (1, "failed")
    # The base imported the files of the base, though the install leads to one and the same place.
    assert kinds(said) == {"broken": ["test_shop.py::test_total"]}


HOSTILE = """
import os
import pathlib
import socket

def test_forks():
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)

def test_leaves_a_child():
    if not os.fork():
        os.setsid()
        os.execvp("sleep", ["sleep", "{number}"])

def test_writes_outside():
    pathlib.Path({outside!r}).write_text("got out")

def test_writes_inside():
    pathlib.Path("shop.py").write_text("got in")

def test_needs_the_network():
    socket.create_connection(("127.0.0.1", {port}), 5)
"""


def running(number: str) -> bool:
    """Whether a process has this number among its arguments."""
    done = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return any(line.split() == ["sleep", number] for line in done.stdout.splitlines())


def unlikely(path: Path) -> str:
    """A number of seconds that nobody else sleeps."""
    return f"7{abs(hash(str(path))) % 10**8:08}"


def test_tests_that_fork_write_outside_and_need_the_network(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", FILES)
    outside, number = tmp_path / "outside", unlikely(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        write_files(root, {"test_bad.py": HOSTILE.format(number=number, outside=str(outside), port=port)})
        code, said = report(root)
        assert code == 1
        assert said["verdict"] == "broken"
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    broken = set(kinds(said)["broken"])
    assert "test_bad.py::test_needs_the_network" in broken
    assert not {"test_bad.py::test_forks", "test_bad.py::test_writes_inside"} & broken
    assert not outside.exists()
    assert (root / "shop.py").read_text() == SHOP
    assert not running(number)


STUBBORN = """
import os
import signal

def test_stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.execvp("sh", ["sh", "-c", "trap '' TERM; sleep {number}"])
"""


def test_tests_that_ignore_to_be_ended(tmp_path: Path) -> None:
    configuration = f"{TESTED}\n[checks.pytest]\ntimeout = 3\n"
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": configuration})
    number = unlikely(tmp_path)
    write_files(root, {"test_bad.py": STUBBORN.format(number=number)})
    code, said = report(root)
    assert (code, outcomes(said)["pytest"]) == (5, "timeout")
    assert not running(number)


# -- --list


def test_the_list_says_what_runs_and_why(tmp_path: Path) -> None:
    files = {"Makefile": "lint:\n\ttrue\n", "pairloop.toml": f"{QUICK}\n[checks.words]\nrun = 'grep -r teh .'\n"}
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


# -- as a process


async def verdict_of(process: Process) -> Any:
    line = await process.line()
    assert line, "it has ended"
    return json.loads(line)


async def lines_to_verdict(process: Process) -> list[str]:
    """What is told up to the last line of a verdict, that included."""
    lines: list[str] = []
    while not lines or not lines[-1].startswith(("✓ green", "✗ breaks", "! ")):
        lines.append((await process.line()).rstrip("\n"))
        assert lines[-1] or lines.count("") < 20, "it has ended"
    return lines


async def test_watching_judges_again_after_each_save(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": QUICK})
    async with pairloop(["check", "--watch", "--json"], root) as process:
        assert (await verdict_of(process))["verdict"] == "unbroken"
        (root / "a.py").write_text("import os\n")
        said = await verdict_of(process)
        assert (said["verdict"], kinds(said)) == ("broken", {"broken": ["F401"]})
        # Another time and the same content is no other tree, and a file that is ignored no news.
        (root / "a.py").touch()
        (root / "a.py").write_text("import os, re\n")
        said = await verdict_of(process)
        assert kinds(said)["broken"] == ["F401", "F401"]
        process.send(signal.SIGINT)
        code, out, err = await process.end()
    assert (code, out, err) == (1, "", "")


async def test_what_was_judged_before_is_shown_again(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": QUICK})
    async with pairloop(["check", "--watch"], root) as process:
        assert {line[:6].strip() for line in await lines_to_verdict(process)} == {"· synt", "✓ ruff", "", "✓ gree"}
        (root / "a.py").write_text("import os\n")
        assert (await lines_to_verdict(process))[-1].startswith("✗ breaks 1")
        (root / "a.py").write_text("")
        back = await lines_to_verdict(process)
        assert any(line.startswith("✓ ruff") and line.endswith("(earlier)") for line in back)
        process.send(signal.SIGINT)
        assert (await process.end())[0] == 0


async def test_what_is_superseded_ends_at_once(tmp_path: Path) -> None:
    number = unlikely(tmp_path)
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": TESTED})
    write_files(root, {"test_bad.py": STUBBORN.format(number=number)})
    async with pairloop(["check", "--watch"], root) as process:
        # One line says that ruff and syntax are through; the test goes on for years.
        assert "✓" in await process.line()
        assert "✓" in await process.line()
        (root / "test_bad.py").write_text("def test_good():\n    pass\n")
        lines = await lines_to_verdict(process)
        assert lines[-1].startswith("✓ green: breaks nothing")
        assert any(one.startswith("✓ pytest") for one in lines)
        assert not running(number)
        process.send(signal.SIGINT)
        assert (await process.end())[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_interrupted_it_takes_everything_along(tmp_path: Path, number: signal.Signals) -> None:
    sleeps = unlikely(tmp_path)
    root = make_project(
        tmp_path / "p", {"a.py": "", "pairloop.toml": f"{QUICK}\n[checks.long]\nrun = 'sleep {sleeps}'\n"}
    )
    async with pairloop(["check"], root) as process:
        assert "ruff" in (await process.line()) + (await process.line())
        process.send(number)
        code, out, err = await process.end()
    assert (code, out, err) == (130, "", "")
    assert not running(sleeps)
    assert not list((project_state(root) / "candidates").iterdir())


@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_on_a_terminal_each_check_has_one_line(tmp_path: Path, settings: Mapping[str, str]) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": QUICK})
    write_files(root, {"a.py": "import os\n"})
    environ = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **settings}
    child = pexpect.spawn(
        sys.executable,
        ["-m", "tui", "check"],
        cwd=str(root),
        env=environ,
        dimensions=(30, 40),
        encoding="utf-8",
        codec_errors="replace",
        timeout=60,
    )
    try:
        child.expect(pexpect.EOF)
    finally:
        child.close()
    assert child.exitstatus == 1
    shown = child.before or ""
    assert ("\x1b[2A" in shown) == (settings.get("TERM") != "dumb"), "drawn again, two lines up"
    assert ("\x1b[31m" in shown) == (not settings)
    drawn = shown.rpartition("\x1b[2A")[2].replace("\x1b[K", "")
    assert sum("ruff  " in line for line in drawn.splitlines()) == 1
    assert "a.py:1: " in drawn


def test_help_tells_the_exit_codes() -> None:
    done = call(["check", "--help"], Path.cwd())
    assert done.code == 0
    assert all(f"  {code} " in done.out for code in (0, 1, 2, 5, 130))
    assert dedent("pairloop check --watch") in done.out
