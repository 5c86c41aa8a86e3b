"""Landings committed: at the human's word, after each landing, from the command line; by real sessions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from agent_core import commands
from agent_core import events as ev
from agent_core.chat_entries import Notice
from tests.projects import git
from tests.support.answers import call as calls
from tests.support.answers import fault, text
from tests.support.calling import call
from tests.support.command_line import run_pairloop
from tests.support.model_server import ModelServer
from tests.support.running import flags, running, server_settings
from tests.support.shipping import ENVELOPE, MILL, land, make_town, replace_line
from tests.support.shop import MENDED, NEW_FILE, QUICK_SETTINGS, RIGHT_AT_ONCE, make_shop
from tests.test_resume import write_script

OFF = ("ruff", "mypy", "pytest")
TASK = "Mend the sum of all prices"


def settings(server: ModelServer, mode: str = "auto", **git_table: Any) -> dict[str, Any]:
    return flags(mode, off=OFF, **server_settings(server.base_url, "chat"), git=git_table)


def scripted(tmp_path: Path, *patches: str, mode: str = "auto", **git_table: Any) -> dict[str, Any]:
    script = write_script(tmp_path / "script.json", *patches)
    return flags(mode, off=OFF, partner={"script": str(script)}, git=git_table)


def log(project: Path) -> list[str]:
    return git(project, "log", "--format=%s").splitlines()


async def test_the_partner_writes_the_message_and_the_human_has_the_last_word(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    for subject in ("docs: say so", "fix: count them all"):
        git(project, "commit", "-q", "--allow-empty", "-m", subject)
    answers = [calls("apply_patch", patch=RIGHT_AT_ONCE), text("fix: sum all prices\n\nThe first was left out.")]
    async with ModelServer(answers) as server:
        made = settings(server, "step", trailer="Assisted-by: {model}")
        async with running(project, made) as here:
            here.submit(commands.Ask(TASK))
            await here.until(lambda state: state.waiting == 1)
            here.submit(commands.Accept(1))
            await here.seen(ev.TaskFinished)
            # Nothing is committed, nor staged, that nobody asked for.
            assert git(project, "status", "--porcelain") == " M shop/prices.py\n"
            here.submit(commands.DraftCommit())
            drafted = await here.seen(ev.CommitDrafted)
            wanted = "fix: sum all prices\n\nThe first was left out.\n\nAssisted-by: test-model"
            assert (drafted.landing, drafted.message, drafted.trouble) == (1, wanted, "")
            # What it took to write it counts, too.
            side = here.all(ev.AsideFinished)[-1]
            assert side.about == "commit"
            assert 0 < side.usage.input == here.state.spending.aside.input
            assert git(project, "status", "--porcelain") == " M shop/prices.py\n"
            asked = str(server.requests[1].body)
            for told in (TASK, "fix: count them all", "Conventional Commits", "-    for price in prices[1:]"):
                assert told in asked
            # What was said of it is no part of the conversation.
            assert "one git commit" not in str(here.state.items)
            here.submit(commands.Commit(1, "fix: sum them all"))
            committed = await here.seen(ev.Committed)
            assert (committed.landing, committed.branch, committed.message) == (1, "main", "fix: sum them all")
            assert log(project) == ["fix: sum them all", "fix: count them all", "docs: say so", "start"]
            assert git(project, "status", "--porcelain") == ""
            assert here.state.commit is None
            here.submit(commands.Undo())
            await here.until(lambda state: state.landings[0].stands == "undone")
            said = [entry for entry in here.state.chat if isinstance(entry, Notice) and "Took back" in entry.text]
            assert f"Commit {committed.commit[:8]} stays in git" in said[-1].hint
            # The undo is something to commit, too.
            last = here.state.committable
            assert last is not None
            here.submit(commands.Commit(last.number, "Back"))
            await here.seen(ev.Committed, 2)
            assert git(project, "diff", "HEAD~2", "HEAD") == ""


async def test_without_the_partner_there_is_a_message_all_the_same(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with ModelServer([calls("apply_patch", patch=RIGHT_AT_ONCE), fault("drop")]) as server:
        made = settings(server)
        made["partner"]["max_retries"] = 0
        async with running(project, made) as here:
            here.submit(commands.Ask(f"{TASK}\n\nAnd be quick."))
            await here.seen(ev.TaskFinished)
            here.submit(commands.DraftCommit())
            assert (await here.seen(ev.CommitDrafted)).message == TASK
            # Left: nothing waits any more, and nothing happened.
            here.submit(commands.Commit(1, ""))
            await here.until(lambda state: state.commit is None)
            assert log(project) == ["start"]


async def test_no_secret_that_the_human_said_gets_into_a_message(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE, commit=True)) as here:
        here.submit(commands.Ask("Mend it, with sk-abcdefghij0123456789abcd"))
        await here.seen(ev.Committed)
    assert git(project, "log", "-1", "--format=%B").strip() == "Mend it, with [secret]"


async def test_each_landing_is_committed_where_that_is_wanted(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "README.md").write_text("# mine\n")
    git(project, "add", "README.md")
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE, commit=True)) as here:
        here.submit(commands.Ask(TASK))
        await here.seen(ev.Committed)
        assert log(project) == [TASK, "start"]
        assert git(project, "show", "HEAD:shop/prices.py") == MENDED
        assert git(project, "status", "--porcelain") == "M  README.md\n"


async def test_a_hook_that_refuses_leaves_the_landing_and_the_message(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    hook = project / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no: $(git diff --cached --name-only); exit 1\n")
    hook.chmod(0o755)
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE)) as here:
        here.submit(commands.Ask(TASK))
        await here.seen(ev.TaskFinished)
        here.submit(commands.Commit(1, "Mine"))
        await here.until(lambda state: state.commit is not None and bool(state.commit.trouble))
        refused = here.all(ev.CommitDrafted)[-1]
        assert refused.message == "Mine"
        assert refused.trouble.startswith("The hook pre-commit refused.")
        assert "no: shop/prices.py" in refused.hint
        assert here.state.landings[0].stands == "landed"
        assert (project / "shop/prices.py").read_text() == MENDED
        hook.write_text("#!/bin/sh\nexit 0\n")
        here.submit(commands.DraftCommit(1))
        await here.until(lambda state: state.commit is not None and not state.commit.trouble)
        assert here.all(ev.CommitDrafted)[-1].message == "Mine"


def test_a_landing_upon_another_takes_it_along(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")

    async def first() -> None:
        async with running(project, scripted(tmp_path, RIGHT_AT_ONCE)) as here:
            here.submit(commands.Ask(TASK))
            await here.seen(ev.TaskFinished)

    asyncio.run(first())
    again = RIGHT_AT_ONCE.replace("prices[1:]", "prices").replace(
        "+    for price in prices:", "+    for price in list(prices):"
    )
    assert call(["patch", "apply"], project, again).code == 0
    assert call(["patch", "apply"], project, NEW_FILE).code == 0
    done = call(["commit", "2", "-m", "Both"], project)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("committed landing 1 and 2 as ")
    assert git(project, "status", "--porcelain", "-uall") == "?? shop/notes.py\n"
    lines = call(["log", "--json"], project).lines
    head = git(project, "rev-parse", "HEAD").strip()
    assert {line["landing"]: line["commit"] for line in lines} == {1: head, 2: head, 3: None}
    assert f"committed as {head[:8]}" in call(["log", "2"], project).out


def test_pairloop_commit(tmp_path: Path) -> None:
    town = make_town(tmp_path / "town")
    assert call(["commit"], town).code == 1
    land(town, ENVELOPE, MILL)
    assert call(["commit", "9"], town).code == 1
    shown = call(["commit", "--show"], town)
    assert (shown.code, shown.out) == (0, "Mend town.txt: a mill for house 12\n")
    assert log(town) == ["start"]
    done = call(["commit"], town)
    assert (done.code, done.err) == (0, "")
    assert log(town) == ["Mend town.txt: a mill for house 12", "start"]
    assert git(town, "diff", "--stat").splitlines()[0].startswith(" town.txt | 2")
    again = call(["commit", "2"], town)
    assert (again.code, "is committed already" in again.err) == (3, True)
    assert call(["commit", "1", "-m", "School"], town).code == 0
    assert git(town, "status", "--porcelain") == ""
    assert call(["commit"], town).code == 1
    back = call(["undo", "2"], town)
    assert "stays in git: `pairloop commit 3` commits this as well" in back.out
    assert call(["commit"], town).code == 0
    assert git(town, "diff", "HEAD~3", "HEAD", "--", "town.txt").count("\n+a ") == 1
    (town / "country/road.txt").write_text("mine\nsouth\n")
    land(town, replace_line("country/road.txt", "mine", "landed"))
    refused = call(["commit"], town)
    assert (refused.code, "cannot be told from changes that are not committed" in refused.err) == (3, True)


async def test_a_task_without_a_screen_is_committed_before_it_ends(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    (project / "pairloop.toml").write_text(QUICK_SETTINGS)
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "settings")
    arguments = ["exec", TASK, "--mode", "auto", "--commit", "--script", str(script), "--worktree=topic"]
    code, out, err = await run_pairloop(arguments, project)
    assert code == 0, out + err
    tree = tmp_path / "shop.worktrees/topic"
    assert "Committed landing 1" in out
    assert log(tree) == [TASK, "settings", "start"]
    assert (log(project), git(project, "status", "--porcelain")) == (["settings", "start"], "")
    assert f"The worktree stays in {tree}, on branch topic (1 commit of its own)." in err


async def test_the_story_of_a_session_tells_of_commits(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with running(project, scripted(tmp_path, RIGHT_AT_ONCE, commit=True)) as here:
        here.submit(commands.Ask(TASK))
        committed = await here.seen(ev.Committed)
    code, out, _ = await run_pairloop(["export"], project)
    assert code == 0
    assert f"Committed landing 1 as {committed.commit[:8]} on main: {TASK}" in out
