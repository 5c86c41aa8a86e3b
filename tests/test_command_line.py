"""The command line: exit codes, messages, and no traceback whatever is wrong."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from agent_core.events import Entry
from agent_core.fold import replay
from agent_core.journal import SqliteJournal
from agent_core.places import project_state, user_file
from tests.projects import git, make_project
from tests.support.answers import call, error, text
from tests.support.command_line import pairloop, run_pairloop
from tests.support.model_server import ModelServer
from tests.support.shop import (
    BROKEN,
    MENDED,
    NEW_FILE,
    PRICES,
    QUICK_SETTINGS,
    RIGHT_AT_ONCE,
    WRONG,
    make_quick_shop,
    make_shop,
    tree,
)
from tests.test_resume import write_script


def without_mypy() -> None:
    """Have the user's own configuration leave out what takes longest, where a test is about something else."""
    write_settings('[checks]\noff = ["mypy"]\n')


def without_servers() -> None:
    """Of a process of its own `private_home` cannot hide what listens on this machine."""
    write_settings("[partner]\ndiscover = false\n")


def write_settings(text: str) -> None:
    user_file().parent.mkdir(parents=True, exist_ok=True)
    user_file().write_text(text)


def environ(server: ModelServer) -> dict[str, str]:
    return {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "sk-wrong-key-1234"}


async def test_until_green_lands_nothing(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    without_mypy()
    before = tree(project)
    script = write_script(tmp_path / "script.json", WRONG, RIGHT_AT_ONCE)
    code, out, err = await run_pairloop(["exec", "test_total fails", "--script", str(script)], project)
    assert (code, err) == (0, "")
    assert "breaks 1" in out
    assert "green" in out
    assert "+    for price in prices:" in out
    assert tree(project) == before


async def test_auto_lands_and_json_is_the_journal(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    arguments = ["exec", "test_total fails", "--json", "--mode", "auto", "--script", str(script), "--project"]
    code, out, err = await run_pairloop([*arguments, str(project)], tmp_path, anew=True)
    assert (code, err) == (0, "")
    entries = [json.loads(line) for line in out.splitlines()]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    # Of verdicts the last word: there may be others before it.
    events = [entry["event"] for entry in entries]
    kinds = [one["type"] for one in events if one.get("verdict", {}).get("complete", True)]
    wanted = ["Asked", "ProposalMade", "VerdictReached", "Decided", "LandingStarted", "Landed", "TaskFinished"]
    assert [kind for kind in kinds if kind in wanted] == wanted
    assert (project / "shop/prices.py").read_text() == MENDED


BLIND = {
    "crashes": ("tests/conftest.py", 'raise RuntimeError("no database")\n'),
    "is not there": ("pairloop.toml", '[checks.spelling]\nrun = "no-such-program-anywhere"\n'),
}


@pytest.mark.parametrize("mode", ["auto", "until-green"])
@pytest.mark.parametrize("how", BLIND)
async def test_what_a_check_could_not_judge_is_neither_landed_nor_called_green(
    tmp_path: Path, how: str, mode: str
) -> None:
    project = make_shop(tmp_path / "shop")
    without_mypy()
    path, text = BLIND[how]
    (project / path).write_text(text)
    before = tree(project)
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    code, out, err = await run_pairloop(["exec", "mend", "--mode", mode, "--script", str(script)], project)
    assert (code, err) == (5, "")
    assert ("not every check could judge" if mode == "auto" else "could not run") in out
    assert tree(project) == before


async def test_attempts_run_out(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    before = tree(project)
    script = write_script(tmp_path / "script.json", BROKEN, NEW_FILE)
    (project / "pairloop.toml").write_text(QUICK_SETTINGS)
    arguments = ["exec", "-", "--mode", "auto", "--max-attempts", "1", "--script", str(script)]
    async with pairloop(["exec", "mend", *arguments[2:]], project) as process:
        code, out, err = await process.end()
    assert (code, err) == (1, "")
    assert "Not green after 1 attempt" in out
    assert tree(project) == {**before, "pairloop.toml": QUICK_SETTINGS.encode()}


@pytest.mark.parametrize(
    ("toml", "place", "word"),
    [
        ("[loop]\nmode = 'fast'\n", "pairloop.toml:2", "loop.mode"),
        ("[loop]\n\nmax_atempts = 3\n", "pairloop.toml:3", "max_atempts"),
        ("[loop\n", "pairloop.toml:1", "TOML"),
    ],
)
async def test_a_malformed_configuration_names_file_line_and_key(
    tmp_path: Path, toml: str, place: str, word: str
) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "pairloop.toml").write_text(toml)
    code, out, err = await run_pairloop(["exec", "x"], project)
    assert (code, out) == (2, "")
    assert place in err
    assert word in err
    assert "Traceback" not in err


async def test_no_key_and_no_server(tmp_path: Path) -> None:
    without_servers()
    project = make_shop(tmp_path / "shop")
    # Somebody who names a model is not to get anything else.
    code, _, err = await run_pairloop(["exec", "--model", "gpt-x", "x"], project)
    assert code == 2
    assert "OPENAI_API_KEY" in err
    assert "pairloop try" in err
    code, out, err = await run_pairloop(["exec", "write a poem"], project)
    assert (code, err) == (1, "")
    assert "the built-in partner proposes" in out
    assert "I understand no words." in out
    assert "OPENAI_API_KEY" in out


async def test_nobody_listens(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "pairloop.toml").write_text(f"{QUICK_SETTINGS}[partner]\nmax_retries = 0\n")
    code, out, err = await run_pairloop(["exec", "x"], project, {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
    assert (code, err) == (3, "")
    assert "127.0.0.1:9" in out
    assert "Traceback" not in out


@pytest.mark.parametrize(
    ("status", "code", "word"),
    [(401, "invalid_api_key", "OPENAI_API_KEY"), (404, "model_not_found", "no-such-model")],
)
async def test_a_wrong_key_and_an_unknown_model(tmp_path: Path, status: int, code: str, word: str) -> None:
    project = make_quick_shop(tmp_path / "shop")
    async with ModelServer([error(status, f"The model no-such-model or the key {code}", code=code)]) as server:
        arguments = ["exec", "x", "--model", "no-such-model", "--json"]
        # One of them with the client library imported while it runs, as everybody else has it.
        exit_code, out, err = await run_pairloop(arguments, project, environ(server), anew=status == 401)
    assert (exit_code, err) == (3, "")
    last = json.loads(out.splitlines()[-1])["event"]
    assert (last["type"], last["outcome"]) == ("TaskFinished", "failed")
    assert word in last["text"]
    assert "sk-wrong-key-1234" not in out
    assert len(server.requests) == 1


async def test_a_conflict_in_auto_mode(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    without_mypy()
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    arguments = ["exec", "test_total fails", "--json", "--mode", "auto", "--script", str(script)]
    async with pairloop(arguments, project) as process:
        # While the checks run the human writes the same lines in another way.
        assert await process.until("CheckStarted", where="candidate") is not None
        mine = PRICES.replace("for price in prices[1:]:", "for price in list(prices):").lstrip("\n")
        (project / "shop/prices.py").write_text(mine)
        code, out, err = await process.end()
    assert (code, err) == (4, "")
    assert "LandingConflicted" in out
    assert (project / "shop/prices.py").read_text() == mine


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    project = make_shop(tmp_path / "shop")
    before = tree(project)
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE, delay_ms=60_000)
    (project / "pairloop.toml").write_text(QUICK_SETTINGS)
    arguments = ["exec", "x", "--json", "--script", str(script)]
    async with pairloop(arguments, project, anew=number == signal.SIGINT) as process:
        assert await process.until("ToolFinished") is not None
        process.send(number)
        code, out, err = await process.end()
    assert (code, err) == (130, "")
    assert '"interrupted"' in out
    assert tree(project) == {**before, "pairloop.toml": QUICK_SETTINGS.encode()}


async def test_nobody_reads_any_more(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    without_mypy()
    before = tree(project)
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    arguments = ["exec", "test_total fails", "--json", "--mode", "auto", "--script", str(script)]
    async with pairloop(arguments, project) as process:
        assert await process.until("Asked") is not None
        process.close_output()
        code, _, err = await process.end()
    assert (code, err) == (130, "")
    assert tree(project) == before
    journal = SqliteJournal(project_state(project) / "journal.db")
    last = replay(journal.entries(journal.sessions()[0].id))
    journal.close()
    assert [task.outcome for task in last.tasks] == ["interrupted"]


@pytest.mark.parametrize("path", ["../outside.py", "/etc/outside.py", ".git/hooks/pre-commit", "link/outside.py"])
async def test_patches_that_reach_out_are_refused(tmp_path: Path, path: str) -> None:
    project = make_shop(tmp_path / "shop")
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (project / "link").symlink_to(outside)
    (project / "pairloop.toml").write_text(QUICK_SETTINGS)
    before = tree(project)
    patch = f"*** Begin Patch\n*** Add File: {path}\n+import os\n*** End Patch"
    # What may not be done is not asked for again; another root than the project's may be a slip.
    answers = 1 if path != "/etc/outside.py" else 4
    async with ModelServer([call("apply_patch", patch=patch), *(text("I see.") for _ in range(answers))]) as server:
        code, out, _ = await run_pairloop(["exec", "x", "--mode", "auto"], project, environ(server))
        asked = len(server.requests)
        told = str(server.requests[1].body)
    assert code == 1
    assert asked == 1 + answers
    assert "patch refused" in out
    assert "refused" in told
    assert path in told
    assert tree(project) == before
    assert not list(outside.iterdir())
    assert not (project / ".git/hooks/pre-commit").exists()
    assert not (tmp_path / "outside.py").exists()


async def test_a_patch_that_does_not_parse_is_told_to_both(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "pairloop.toml").write_text(QUICK_SETTINGS)
    bad = call("apply_patch", patch="please change the file")
    async with ModelServer([bad, call("apply_patch", patch=RIGHT_AT_ONCE)]) as server:
        code, out, _ = await run_pairloop(["exec", "x", "--mode", "auto"], project, environ(server))
        told = str(server.requests[1].body)
    assert code == 0
    assert "patch refused" in out
    assert "*** Begin Patch" in told
    assert (project / "shop/prices.py").read_text() == MENDED


@pytest.mark.parametrize("state", ["no repository", "no commit", "detached", "dirty", "no tests"])
async def test_projects_in_any_state(tmp_path: Path, state: str) -> None:
    without_mypy()
    if state == "no tests":
        project = make_project(tmp_path / "shop", {"shop/prices.py": PRICES})
    elif state == "no repository":
        project = make_shop(tmp_path / "shop")
        (project / ".git").rename(tmp_path / "git")
    else:
        project = make_shop(tmp_path / "shop")
        if state == "no commit":
            git(project, "update-ref", "-d", "HEAD")
            git(project, "rm", "-rq", "--cached", ".")
        elif state == "detached":
            git(project, "checkout", "-q", "--detach")
        elif state == "dirty":
            (project / "shop/more.py").write_text('"""More."""\n')
            (project / "README.md").write_text("# changed\n")
    before = tree(project)
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    arguments = ["exec", "mend total", "--mode", "auto", "--script", str(script), "--project", str(project)]
    code, out, err = await run_pairloop(arguments, tmp_path)
    assert (code, err) == (0, ""), out
    assert tree(project) == {**before, "shop/prices.py": MENDED.encode()}
    if state == "no tests":
        assert "no tests" in out


async def test_try_without_a_terminal_mends_the_sample(tmp_path: Path) -> None:
    code, out, err = await run_pairloop(["try"], tmp_path, {"TMPDIR": str(tmp_path)})
    assert (code, err) == (0, "")
    assert "the built-in partner (no model)" in out
    assert "green: fixes 1, breaks nothing" in out
    [project] = tmp_path.glob("pairloop-try-*/shop")
    assert "if total >= FREE_FROM:" in (project / "shop/prices.py").read_text()


async def test_no_terminal_no_screen(tmp_path: Path) -> None:
    code, out, err = await run_pairloop([], make_shop(tmp_path / "shop"), anew=True)
    assert (code, out) == (2, "")
    assert "pairloop exec" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["exec"],
        ["exec", " "],
        ["--mode", "fast"],
        ["exec", "x", "--max-attempts", "0"],
        ["exec", "x", "--script", "nowhere.json"],
    ],
)
async def test_usage(tmp_path: Path, arguments: list[str]) -> None:
    code, out, err = await run_pairloop(arguments, make_shop(tmp_path / "shop"))
    assert (code, out) == (2, "")
    assert "pairloop" in err
    assert "Traceback" not in err


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    code, _, err = await run_pairloop(["exec", "x", "--project", str(tmp_path / "nowhere")], tmp_path)
    assert code == 2
    assert "nowhere is not a folder" in err


async def test_terminals_that_lack_letters(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    (project / "pairloop.toml").write_text(QUICK_SETTINGS)
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    code, out, err = await run_pairloop(["doctor"], project, ascii_only)
    assert (code in {0, 1}, err) == (True, "")
    assert "? project " in out
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    code, out, err = await run_pairloop(["exec", "mend it", "--script", str(script)], project, ascii_only)
    assert (code, err) == (0, "")
    assert "? syntax: " in out
    # Events are JSON, and that is UTF-8 everywhere.
    code, out, err = await run_pairloop(["exec", "größer →", "--json", "--script", str(script)], project, ascii_only)
    assert (code, err) == (0, "")
    assert "größer →" in out


async def test_doctor_says_what_it_found(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    async with ModelServer(models=("one", "two")) as server:
        code, out, err = await run_pairloop(["doctor", "--model", "three"], project, environ(server))
    assert (code, err) == (0, "")
    for name in ("project", "python", "candidate", "ruff", "mypy", "pytest", "git", "partner", "terminal"):
        assert name in out
    assert "does not list three" in out
    without_servers()
    code, out, _ = await run_pairloop(["doctor"], project)
    assert code == 0
    assert "the built-in partner" in out
    code, out, _ = await run_pairloop(["doctor", "--partner", "openai"], project)
    assert code == 1
    assert "OPENAI_API_KEY" in out


def test_entries_are_what_json_lines_hold() -> None:
    assert {"seq", "at", "event"} == set(Entry.__struct_fields__)
