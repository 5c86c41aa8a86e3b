"""pairloop memory: what it says, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.projects import git
from tests.support.shop import make_shop
from tui.__main__ import main


def test_lessons_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_shop(tmp_path / "shop")
    monkeypatch.chdir(project)

    def memory(*arguments: str) -> tuple[int, str, str]:
        code = main(["memory", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    assert memory() == (0, "Nothing is remembered of this project yet.\n", "")
    assert git(project, "status", "--porcelain", "--ignored") == ""
    code, out, _ = memory("add", "Tests", "need", "DATABASE_URL\x1b[2J.")
    assert (code, "\x1b" in out) == (0, False)
    name = out.split()[2].rstrip(":")
    assert memory("add", " ")[0] == 1
    memory("add", "We reject bare excepts.")
    assert [text in memory()[1] for text in ("DATABASE_URL", "bare excepts", "from you, on the command line")] == [
        True
    ] * 3
    code, out, _ = memory("search", "database", "--json")
    assert (code, [json.loads(line)["lesson"]["id"] for line in out.splitlines()]) == (0, [name])
    assert memory("search", "nothing-like-it")[:2] == (1, "No lesson has these words in it.\n")
    code, _, err = memory("forget", "own-")
    assert (code, "2 lessons begin with own-." in err) == (1, True)
    assert "no lesson own-00" in memory("keep", "own-00")[2]
    assert memory("forget", name)[0] == 0
    assert name not in memory("list")[1]
    assert "not wanted" in memory("list", "--all")[1]
    assert memory("keep", name, "All", "tests", "need", "it.")[1] == f"Kept {name}: All tests need it.\n"
    assert "- All tests need it. <!--" in (project / ".pairloop/memory.md").read_text()
    assert git(project, "status", "--porcelain") == ""
    assert "`git add .pairloop/memory.md`" in memory("share", "--project", str(project))[1]
    git(project, "add", ".")
    assert git(project, "diff", "--cached", "--name-only").strip() == ".pairloop/memory.md"
    assert "git rm --cached" in memory("share", "--stop")[1]
    (project / ".gitignore").write_text(".pairloop/\n")
    git(project, "rm", "-q", "--cached", ".pairloop/memory.md")
    assert "Another rule of git's" in memory("share")[1]
