"""`pairloop check` where something does not judge: wrong usage, broken tools, real projects, hostile tests."""

from __future__ import annotations

import site
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.projects import git, make_project, write_files
from tests.support.checking import (
    FILES,
    SHOP,
    STUBBORN,
    TESTED,
    check,
    goes,
    kinds,
    outcomes,
    report,
    unlikely,
)
from tests.support.shop import QUICK_SETTINGS


@pytest.fixture(autouse=True)
def plain_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pytest of these projects does not load what else is installed here."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


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
    done = check(make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": QUICK_SETTINGS}), *arguments)
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
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": f"{QUICK_SETTINGS}\n[checks.tool]\n{table}\n"})
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
    configuration = f"{QUICK_SETTINGS}\n[checks.tool]\nrun = 'sh tool.sh'\nparse = 'gcc'\n"
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
    root = make_project(tmp_path / "p", {"README": "", "pairloop.toml": QUICK_SETTINGS})
    code, said = report(root)
    assert (code, set(outcomes(said).values())) == (5, {"skipped"})
    assert "no check could judge" in said["summary"]


def test_isolation_that_is_insisted_on_and_not_there(tmp_path: Path, private_home: Path) -> None:
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": QUICK_SETTINGS})
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
    assert goes(number)


def test_tests_that_ignore_to_be_ended(tmp_path: Path) -> None:
    configuration = f"{TESTED}\n[checks.pytest]\ntimeout = 3\n"
    root = make_project(tmp_path / "p", {"a.py": "", "pairloop.toml": configuration})
    number = unlikely(tmp_path)
    write_files(root, {"test_bad.py": STUBBORN.format(number=number)})
    code, said = report(root)
    assert (code, outcomes(said)["pytest"]) == (5, "timeout")
    assert goes(number)
