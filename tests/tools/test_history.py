"""What the partner sees of the history; and that a repository that means no good runs nothing by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_core.masking import Masker
from agent_core.tools.base import ToolError
from agent_core.tools.history import GitHistory
from agent_core.view import DraftView
from agent_core.workspace.project import Project
from tests.projects import git, write_files
from tests.tools.looking import opened, use, view_of

KEY = "sk-abcdefghijklmnopqrstuvwxyz012345"


class History:
    def __init__(self, project: Project, view: DraftView) -> None:
        self.root, self.view = project.root, view
        self.tool = GitHistory(project.root, Masker({}))

    async def ask(self, action: str, **arguments: object) -> str:
        return (await use(self.tool, self.view, action=action, **arguments)).text

    async def refused(self, **arguments: object) -> str:
        with pytest.raises(ToolError) as caught:
            await self.tool.run(json.dumps(arguments), self.view)
        return str(caught.value)


@pytest.fixture
async def here(tmp_path: Path) -> History:
    project = await opened(tmp_path / "shop", candidate="copy")
    write_files(project.root, {"shop/prices.py": f"KEY = '{KEY}'\n\n\ndef total(prices):\n    return 1\n"})
    git(project.root, "commit", "-q", "-am", "Total is one\n\nBecause.")
    return History(project, await view_of(project))


async def test_log_show_blame_and_a_file(here: History) -> None:
    log = (await here.ask("log")).split("\n")
    assert [line.split(": ", 1)[1] for line in log] == ["Total is one", "start"]
    assert "start" not in await here.ask("log", path="shop/prices.py", revision="HEAD~1..HEAD")
    assert (await here.ask("log", text="def average")).count("\n") == 1
    shown = await here.ask("show", revision="HEAD")
    assert "Because." in shown
    assert "-    return sum(prices)" in shown
    assert "shop/prices.py" not in await here.ask("show", revision="HEAD", path="README.md")
    blamed = await here.ask("blame", path="shop/prices.py", start=4, end=4)
    assert blamed.startswith("[Lines as they are in HEAD")
    assert "def total(prices):" in blamed
    assert blamed.count("\n") == 1
    was = await here.ask("file", path="shop/prices.py", revision="HEAD~1", start=5, end=5)
    assert was == "    5 | def average(prices):"
    assert here.tool.title('{"action": "log", "path": "a"}') == "git log a"
    assert here.tool.title("{}") == "git"


async def test_secrets_stay_in_it(here: History) -> None:
    for said in (await here.ask("show", revision="HEAD"), await here.ask("file", path="shop/prices.py")):
        assert KEY not in said
        assert "[secret]" in said


async def test_what_cannot_be_said(here: History) -> None:
    for wish, said in (
        ({"action": "show", "revision": "--output=x"}, "is no revision"),
        ({"action": "log", "revision": "-p"}, "is no revision"),
        ({"action": "show", "revision": "HEAD:README.md"}, "is no revision"),
        ({"action": "show", "revision": "nosuch"}, "git show:"),
        ({"action": "file", "path": "../x"}, "outside the project"),
        ({"action": "file", "path": "/etc/passwd"}, "outside the project"),
        ({"action": "blame"}, "needs the path"),
        ({"action": "blame", "path": "shop/price.py"}, "shop/prices.py"),
        ({"action": "push"}, "do not fit"),
    ):
        assert said in await here.refused(**wish)
    assert not (here.root / "x").exists()


async def test_nothing_of_the_repository_runs(here: History, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program.sh"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> "{ran}"\ncat\n')
    program.chmod(0o755)
    for name in (
        *("core.pager", "pager.log", "pager.show", "diff.external", "diff.evil.command", "diff.evil.textconv"),
        *("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "core.fsmonitor", "gpg.program"),
        *("core.sshCommand", "core.editor", "interactive.diffFilter"),
    ):
        git(here.root, "config", name, str(program))
    git(here.root, "config", "log.showSignature", "true")
    git(here.root, "config", "alias.log", f"!{program}")
    (here.root / ".git/info/attributes").write_text("* diff=evil filter=evil\n")
    await here.ask("log", text="def average")
    await here.ask("show", revision="HEAD")
    await here.ask("blame", path="shop/prices.py")
    await here.ask("file", path="shop/prices.py", revision="HEAD~1")
    assert not ran.exists()


async def test_escapes_and_long_lines(here: History) -> None:
    (here.root / "wide.txt").write_text("x" * 5000 + "\n\x1b[2J\n")
    git(here.root, "add", "wide.txt")
    git(here.root, "commit", "-q", "-m", "wide \x1b[31m")
    said = await here.ask("show", revision="HEAD")
    assert "\x1b" not in said
    assert max(map(len, said.split("\n"))) < 500
    assert "more characters]" in said


async def test_no_repository(tmp_path: Path) -> None:
    project = await opened(tmp_path / "shop", candidate="copy")
    view = await view_of(project)
    with pytest.raises(ToolError, match="no git repository"):
        await GitHistory(tmp_path).run('{"action": "log"}', view)
