"""Whose code a candidate's checks judge: never the working tree's, never another candidate's."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from agent_core.process import run
from tests.projects import make_project
from tests.workspace.opening import KINDS, Kind, make_sample, open_with, put

every = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_sample(tmp_path)


@every
async def test_an_editable_install_tests_the_candidates_code(installed: Path, kind: Kind) -> None:
    opened = await open_with(installed, kind)
    assert opened.interpreter.found == ".venv"
    base = await opened.snapshot()
    python = str(opened.interpreter.python)
    ask = [python, "-c", "import sample; print(sample.VALUE)"]
    proposal = await opened.candidate(base, {"src/sample/__init__.py": put("VALUE = 'candidate'\n")}, cache="c")
    unchanged = await opened.candidate(base, {}, cache="b")
    assert (await proposal.run(ask, timeout=20)).text == "candidate\n"
    assert (await unchanged.run(ask, timeout=20)).text == "base\n"
    assert (await run(ask, cwd=installed, timeout=20)).text == "base\n"
    await proposal.close()
    await unchanged.close()


@every
async def test_same_size_in_the_same_second_is_judged_apart(
    project: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    opened = await open_with(project, kind)
    # As if it had been saved a moment later: the candidates' times have to go around it.
    second = int(time.time()) + 1
    os.utime(project / "pkg/one.py", (second, second))
    base = await opened.snapshot()
    # The working tree has compiled files, as it does where its tests have been run.
    await run([sys.executable, "-c", "import pkg.one"], cwd=project, timeout=20)
    assert (project / "pkg/__pycache__").is_dir()
    ask = [sys.executable, "-c", "import os, pkg.one; print(pkg.one.ONE, int(os.stat(pkg.one.__file__).st_mtime))"]
    owners = {second: "1"}
    for value in ("3", "4", "5", "3"):
        candidate = await opened.candidate(base, {"pkg/one.py": put(f"ONE = {value}\n")}, cache="c")
        said, stamp = (await candidate.run(ask, timeout=20)).text.split()
        assert said == value
        assert owners.setdefault(int(stamp), value) == value
        assert int(stamp) >= second - 1
        await candidate.close()


async def test_mypys_cache_is_not_fooled(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"mod.py": "value: int = 123\n", "use.py": "import mod\nx: int = mod.value\n"})
    opened = await open_with(root, "bubblewrap")

    async def judge(text: str) -> int:
        candidate = await opened.candidate(await opened.snapshot(), {"mod.py": put(text)}, cache="m")
        command = [sys.executable, "-m", "mypy", "--cache-dir", str(candidate.cache), "use.py"]
        done = await candidate.run(command, timeout=100)
        await candidate.close()
        return done.code

    assert await judge("value: int = 124\n") == 0
    assert await judge("value: str = '5'\n") == 1
    assert await judge("value: int = 126\n") == 0
    # The human writes, in the very second that a candidate was given, a file of the same size.
    taken = (root / "mod.py").stat().st_mtime_ns // 10**9
    candidate = await opened.candidate(await opened.snapshot(), {"mod.py": put("value: int = 127\n")}, cache="m")
    await candidate.run([sys.executable, "-m", "mypy", "--cache-dir", str(candidate.cache), "use.py"], timeout=100)
    said = await candidate.run(["stat", "-c", "%Y", "mod.py"], timeout=20)
    (root / "mod.py").write_text("value: str = '8'\n")
    os.utime(root / "mod.py", (int(said.stdout), int(said.stdout)))
    assert int(said.stdout) != taken
    base = await opened.candidate(await opened.snapshot(), {}, cache="m")
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(base.cache), "use.py"]
    assert (await base.run(command, timeout=100)).code == 1


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@every
async def test_make_builds_what_the_candidate_changes_and_nothing_else(tmp_path: Path, kind: Kind) -> None:
    makefile = (
        "out/all: out/one out/two\n\tcat $^ >$@\n"
        "out/%: %.txt\n\tmkdir -p out; cp $< $@; echo $@ >>log\n"
        ".PRECIOUS: out/%\n"
    )
    files = {"one.txt": "one\n", "two.txt": "two\n", "Makefile": makefile, ".gitignore": "out/\nlog\n"}
    root = make_project(tmp_path / "p", files)
    # Saved some time ago, and built in the very moment before the candidate is made.
    for name in files:
        os.utime(root / name, (time.time() - 60,) * 2)
    opened = await open_with(root, kind)
    base = await opened.snapshot()
    for value in ("first", "other", "first"):
        await run(["make", "-s"], cwd=root, timeout=20)
        built = (root / "out/one").stat().st_mtime_ns
        candidate = await opened.candidate(base, {"one.txt": put(f"{value}\n")}, cache="c")
        done = await candidate.run(
            ["sh", "-c", "rm -f log; make -s; cat out/all log; stat -c %.9Y one.txt"], timeout=20
        )
        await candidate.close()
        said, _, stamp = done.stdout.decode().rstrip().rpartition("\n")
        assert f"{said}\n" == f"{value}\ntwo\nout/one\n", done.text
        assert int(stamp.replace(".", "")) > built
        shutil.rmtree(root / "out")
