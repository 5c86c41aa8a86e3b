"""Repositories that mean no good, or are just odd: what git keeps is untrusted, and may be anything."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from agent_core import commands
from agent_core import events as ev
from agent_core.conversation import UserItem
from agent_core.workspace.linked import main_checkout
from tests.projects import git
from tests.support.running import Running, running, stored
from tests.support.shop import RIGHT_AT_ONCE, make_shop
from tests.test_attribution import watching
from tests.test_resume import settings, write_script
from tests.workspace.test_git_commit import Desk


def signer(folder: Path, ran: Path) -> Path:
    """A program that signs, and says that a signature is good."""
    program = folder / "signer.sh"
    program.write_text(
        f'#!/bin/sh\necho ran >> "{ran}"\ncase "$*" in\n'
        "*--verify*) echo '[GNUPG:] GOODSIG 0 x'; echo 'gpg: Good signature' >&2 ;;\n"
        "*) cat > /dev/null; echo '[GNUPG:] SIG_CREATED ' >&2; echo '-----BEGIN PGP SIGNATURE-----'; echo x;\n"
        "   echo '-----END PGP SIGNATURE-----' ;;\nesac\n"
    )
    program.chmod(0o755)
    return program


async def test_whoever_has_signatures_shown_can_commit(tmp_path: Path) -> None:
    desk = Desk(tmp_path, {"a.txt": b"one\n"})
    ran = tmp_path / "ran"
    desk.git("config", "gpg.program", str(signer(tmp_path, ran)))
    desk.git("config", "commit.gpgSign", "true")
    desk.git("config", "log.showSignature", "true")
    landed = await desk.land({"a.txt": "two\n"})
    made = await desk.commit(landed, message="Two")
    assert made.message == "Two"
    assert desk.git("show", "HEAD:a.txt") == "two\n"
    # To look at what was committed starts nothing of the repository's.
    ran.unlink()
    assert await desk.commits.log(5) == ("Two", "start")
    assert not ran.exists()


async def test_a_branch_whose_name_is_no_text(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    name = os.fsdecode(b"br\xff")
    git(project, "checkout", "-q", "-b", name)
    script = settings(write_script(tmp_path / "script.json", RIGHT_AT_ONCE), "step")
    async with running(project, script, watch=True) as here:
        await watching(here)
        git(project, "checkout", "-q", "-b", "plain")
        move = await here.seen(ev.BranchChanged)
        assert move.was.startswith("br")
        git(project, "checkout", "-q", name)
        await here.seen(ev.BranchChanged, 2)
        session = here.session.id
        live = here.state
        here.submit(commands.Quit())
    assert stored(project, session).chat[: len(live.chat)] == live.chat
    async with running(project, script, watch=True, resume=session) as here:
        await here.until(lambda state: bool(state.chat))


async def test_what_git_was_told_does_not_tell_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_shop(tmp_path / "shop")
    git(project, "branch", "-M", "main")
    git(project, "checkout", "-q", "-b", "topic")
    (project / "new.txt").write_text("new\n")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "new")
    git(project, "checkout", "-q", "main")
    script = settings(write_script(tmp_path / "script.json", RIGHT_AT_ONCE), "step")
    async with running(project, script, watch=True) as here:
        await watching(here)
        monkeypatch.setenv("GIT_REFLOG_ACTION", "pull https://me:hunter2hunter2@example.invalid/x main")
        git(project, "merge", "-q", "topic")
        here.submit(commands.Ask("mend total"))
        await here.until(lambda state: bool(state.waiting))
        move = await here.seen(ev.BranchChanged)
        assert "pull" in move.what
        assert "hunter2" not in move.what
        told = "\n".join(item.text for item in here.state.items if isinstance(item, UserItem))
        assert "hunter2" not in told


def test_a_pipe_in_the_place_of_gits_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".git")
    assert main_checkout(tmp_path) is None


async def test_a_repository_made_while_a_session_runs_is_followed(tmp_path: Path) -> None:
    project = tmp_path / "p"
    project.mkdir()
    (project / "a.py").write_text("A = 1\n")
    script = settings(write_script(tmp_path / "script.json", RIGHT_AT_ONCE), "step")
    async with running(project, script, watch=True) as here:
        await watching(here)
        branch: asyncio.Queue[str] = asyncio.Queue()
        end = here.session.surroundings.follow(lambda: branch.put_nowait(_branch(here)))
        git(project, "init", "-q", "-b", "main")
        git(project, "add", "-A")
        git(project, "commit", "-q", "-m", "start")
        git(project, "checkout", "-q", "-b", "topic")
        (project / "a.py").write_text("A = 2\n")
        git(project, "commit", "-q", "-am", "two")
        async with asyncio.timeout(20):
            while await branch.get() != "topic":
                pass
        # Its branch is shown by somebody else than follows its moves.
        await here.session._crew.hearing.look()
        git(project, "checkout", "-q", "main")
        move = await here.seen(ev.BranchChanged, len(here.all(ev.BranchChanged)) + 1)
        assert (move.branch, move.paths) == ("main", ("a.py",))
        end()


def _branch(here: Running) -> str:
    now = here.session.surroundings.git
    return now.branch if now is not None else ""
