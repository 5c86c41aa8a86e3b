"""`pairloop undo`, `redo` and `log`: over all landings of a project, whoever made them."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent_core.journal import SqliteJournal
from agent_core.landing_commands import LandingLine
from agent_core.output import complain_of_conflict
from agent_core.places import project_state
from tests.projects import make_project
from tests.support.calling import call
from tests.support.command_line import run_pairloop
from tests.support.shipping import ENVELOPE, MILL, ROAD, TOWN, WITH_SCHOOL, everything, land, make_town, read, stands
from tests.support.shop import MENDED, RIGHT_AT_ONCE, make_quick_shop
from tests.test_resume import write_script

HEAVY = (
    "openai",
    "git",
    "watchfiles",
    "pygments",
    "textual",
    "rich",
    "httpx",
    "pydantic",
    "pytest",
    "agent_core.build",
)


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return make_town(tmp_path / "town")


# -- nothing there


def test_before_anything_landed(town: Path) -> None:
    assert call(["log"], town) == (0, "Nothing has landed here yet.\n", "")
    assert call(["log", "--json"], town) == (0, "", "")
    for command in (["undo"], ["undo", "3"], ["redo"], ["log", "3"]):
        done = call(command, town)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("pairloop: ")
    # To look is not to leave anything behind.
    assert not project_state(town).exists()


def test_numbers_that_are_not_there(town: Path) -> None:
    land(town, ENVELOPE)
    for command in ("undo", "redo", "log"):
        done = call([command, "7"], town)
        assert (done.code, done.out) == (1, "")
        assert "There is no landing 7" in done.err
    assert "stands" in call(["redo", "1"], town).err
    assert call(["redo", "1"], town).code == 1
    assert call(["undo"], town).code == 0
    again = call(["undo", "1"], town)
    assert (again.code, again.out) == (1, "")
    assert "undone already (by 2)" in again.err
    assert call(["undo"], town).code == 1
    assert read(town) == TOWN


# -- back and forth


def test_what_undo_and_redo_say(town: Path) -> None:
    land(town, ENVELOPE)
    done = call(["undo"], town)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "took back landing 1 (pairloop patch apply)",
        "  update town.txt +1 -1",
        "landing 2; `pairloop redo 1` lands it again",
    ]
    assert read(town) == TOWN
    done = call(["redo"], town)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "landed landing 1 again (pairloop patch apply)",
        "  update town.txt +1 -1",
        "landing 3; `pairloop undo 1` takes it back",
    ]
    assert read(town) == WITH_SCHOOL
    assert stands(town) == {1: "landed", 2: "undone", 3: "landed"}


@pytest.mark.parametrize("order", ["123", "213", "312"])
def test_undone_and_redone_in_any_order(town: Path, order: str) -> None:
    before = read(town)
    land(town, ENVELOPE, MILL, ROAD)
    after = read(town)
    for number in order:
        assert call(["undo", number], town).code == 0
    assert (read(town), read(town, "country/road.txt")) == (before, "north\nsouth\n")
    for number in order:
        assert call(["redo", number], town).code == 0
    assert (read(town), read(town, "country/road.txt")) == (after, "west\nsouth\n")


def test_what_a_human_wrote_since_stays(town: Path) -> None:
    land(town, ENVELOPE)
    (town / "town.txt").write_text(read(town).replace("house 18\n", "a pond\n"))
    assert call(["undo"], town).code == 0
    assert read(town) == TOWN.replace("house 18\n", "a pond\n")
    assert call(["redo"], town).code == 0
    assert read(town) == WITH_SCHOOL.replace("house 18\n", "a pond\n")


def test_lines_in_the_way_are_named_and_nothing_is_written(town: Path) -> None:
    land(town, ENVELOPE)
    (town / "town.txt").write_text(read(town).replace("a school\n", "a large school\n"))
    before = everything(town)
    done = call(["undo"], town)
    assert (done.code, done.out) == (3, "")
    assert re.search(r"\n  town\.txt:3\b", done.err)
    assert everything(town) == before
    assert stands(town) == {1: "landed"}


def test_what_is_taken_back_by_hand_already(town: Path) -> None:
    land(town, ENVELOPE)
    (town / "town.txt").write_text(TOWN)
    done = call(["undo"], town)
    assert done.code == 0
    assert "there was nothing left to write" in done.out
    assert stands(town) == {1: "undone", 2: "landed"}


def test_outside_of_git(tmp_path: Path) -> None:
    (tmp_path / "town.txt").write_text(TOWN)
    land(tmp_path, ENVELOPE)
    assert call(["undo"], tmp_path).code == 0
    assert read(tmp_path) == TOWN


# -- the log


async def test_the_log_is_that_of_all_sessions(tmp_path: Path) -> None:
    shop = make_quick_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    arguments = ["exec", "test_total fails\nplease mend it", "--mode", "auto", "--script", str(script)]
    code, out, err = await run_pairloop(arguments, shop)
    assert (code, err) == (0, ""), out
    patch = "*** Begin Patch\n*** Add File: notes.txt\n+a note\n*** End Patch\n"
    assert (await asyncio.to_thread(call, ["patch", "apply"], shop, patch)).code == 0
    shown = await asyncio.to_thread(call, ["log"], shop)
    heads = [line.split("  ") for line in shown.out.splitlines() if not line.startswith(" ")]
    assert [(number, title, state) for number, _, title, state in heads] == [
        ("2", "pairloop patch apply", "(landed)"),
        ("1", "test_total fails", "(landed)"),
    ]
    assert "    update shop/prices.py +" in shown.out
    # Taken back from the command line, and again by it.
    assert (shop / "shop/prices.py").read_text() == MENDED
    assert (await asyncio.to_thread(call, ["undo", "1"], shop)).code == 0
    assert (shop / "shop/prices.py").read_text() != MENDED
    assert (shop / "notes.txt").exists()
    lines = (await asyncio.to_thread(call, ["log", "--json"], shop)).lines
    assert [(line["landing"], line["kind"], line["about"], line["stands"], line["by"]) for line in lines] == [
        (3, "undo", 1, "landed", None),
        (2, "landing", None, "landed", None),
        (1, "landing", None, "undone", 3),
    ]
    assert len({line["session"] for line in lines}) == 3


def test_the_log_in_json(town: Path) -> None:
    land(town, ENVELOPE)
    [line] = call(["log", "--json", "-p"], town).lines
    assert set(line) == set(LandingLine.__struct_fields__)
    assert line["diff"].startswith("diff --git a/town.txt b/town.txt\n")
    assert (line["title"], line["proposal"]) == ("pairloop patch apply", None)
    assert [(file["kind"], file["path"], file["added"], file["removed"]) for file in line["files"]] == [
        ("update", "town.txt", 1, 1)
    ]
    assert call(["log", "--json"], town).json["diff"] is None


def test_a_few_of_the_log(town: Path) -> None:
    land(town, ENVELOPE, MILL, ROAD)

    def numbers(*arguments: str) -> list[int]:
        return [line["landing"] for line in call(["log", "--json", *arguments], town).lines]

    assert numbers() == [3, 2, 1]
    assert numbers("-n", "2") == [3, 2]
    assert numbers("-n", "9") == [3, 2, 1]
    assert numbers("2") == [2]
    shown = call(["log", "-p", "2"], town).out
    assert "-house 12\n+a mill\n" in shown
    assert "school" not in "".join(line for line in shown.splitlines() if line[:1] in "+-")
    assert "\x1b" not in shown


def test_titles_and_diffs_are_shown_not_obeyed(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"a.txt": "a\n"})
    land(root, "*** Begin Patch\n*** Update File: a.txt\n@@\n-a\n+\x1b]0;owned\x07\n*** End Patch\n")
    shown = call(["log", "-p"], root).out
    assert "\u241b]0;owned\u2407" in shown
    assert "\x1b" not in shown


def _on_a_terminal(arguments: list[str], cwd: Path, environ: dict[str, str]) -> str:
    """What pairloop writes to a terminal."""
    here, there = pty.openpty()
    with os.fdopen(here, "rb", buffering=0) as read_end:
        with os.fdopen(there, "wb") as write_end:
            process = subprocess.Popen(
                [sys.executable, "-m", "tui", *arguments], cwd=cwd, env={**os.environ, **environ}, stdout=write_end
            )
        said = b""
        try:
            while block := read_end.read(65536):
                said += block
        except OSError:
            # Linux says the end of a terminal this way.
            pass
        assert process.wait(60) == 0
    return said.decode()


def test_colours_are_for_terminals_that_want_them(town: Path) -> None:
    land(town, ENVELOPE)
    coloured = _on_a_terminal(["log", "-p"], town, {"TERM": "xterm"})
    assert "\x1b[31m-house 3\x1b[0m" in coloured
    assert "\x1b[32m+a school\x1b[0m" in coloured
    assert "\x1b" not in _on_a_terminal(["log", "-p"], town, {"TERM": "xterm", "NO_COLOR": "1"})
    assert "\x1b" not in _on_a_terminal(["log", "-p"], town, {"TERM": "dumb"})


def test_a_reader_who_leaves(town: Path) -> None:
    land(town, ENVELOPE, MILL)
    for command, stdin in ((["log", "-p"], b""), (["patch", "apply"], ROAD.encode()), (["undo", "1"], b"")):
        here, there = os.pipe()
        os.close(here)
        program = [sys.executable, "-m", "tui", *command]
        process = subprocess.run(program, cwd=town, input=stdin, stdout=there, stderr=subprocess.PIPE, check=False)
        os.close(there)
        assert process.stderr == b""
        # What was done is done, whether anybody reads of it or not.
        assert process.returncode == (1 if command[0] == "log" else 0)
    assert read(town, "country/road.txt") == "west\nsouth\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_streams_that_are_closed_or_full(town: Path) -> None:
    def shell(command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        program = ["sh", "-c", f'"{sys.executable}" -m tui {command}']
        return subprocess.run(program, cwd=town, input=stdin, capture_output=True, text=True, check=False)

    done = shell("patch apply <&-")
    assert (done.returncode, done.stdout) == (1, "")
    assert "The patch is empty" in done.stderr
    # What was done is done, and the code says so.
    done = shell("patch apply >&-", ENVELOPE)
    assert (done.returncode, done.stderr) == (0, "")
    done = shell("undo >/dev/full")
    assert done.returncode == 0
    assert done.stderr == "pairloop: the output cannot be written: No space left on device.\n"
    assert read(town) == TOWN
    # Where telling is all there is to do, it has failed.
    for command in ("log", "log -p", "log --json", "doctor", "log --project .."):
        done = shell(f"{command} >/dev/full")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "No space left on device" in done.stderr


def test_a_conflict_names_each_place_once(capsys: pytest.CaptureFixture[str]) -> None:
    complain_of_conflict("Nothing was written: a: too big.", ("a: too big", "b: gone"), "Try again.")
    said = "pairloop: Nothing was written: a: too big.\n  b: gone\nTry again.\n"
    assert capsys.readouterr().err == said


def test_a_state_folder_that_cannot_be_made(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAIRLOOP_STATE_DIR", "/dev/null")
    done = call(["patch", "apply"], town, ENVELOPE)
    assert (done.code, done.out) == (2, "")
    assert "PAIRLOOP_STATE_DIR" in done.err
    assert read(town) == TOWN


@pytest.mark.parametrize("command", ["log", "undo", "patch apply"])
def test_a_folder_that_was_removed_meanwhile(tmp_path: Path, command: str) -> None:
    (tmp_path / "gone").mkdir()
    program = ["sh", "-c", f'rmdir ../gone && "{sys.executable}" -P -m tui {command}']
    done = subprocess.run(program, cwd=tmp_path / "gone", input="", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "The current folder has been removed" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_heavy_is_imported(town: Path) -> None:
    code = f"""
import sys
from tui.__main__ import main
code = main(sys.argv[1:])
print(code, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    for arguments, stdin in ((["patch", "apply"], ENVELOPE), (["log", "-p"], ""), (["undo"], ""), (["redo"], "")):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=town, input=stdin, capture_output=True, text=True, check=True
        )
        assert done.stderr == "0 []\n"


def test_a_journal_of_a_newer_pairloop(town: Path) -> None:
    land(town, ENVELOPE)
    journal = SqliteJournal(project_state(town) / "journal.db")
    journal._db.execute("PRAGMA user_version=99")
    journal.close()
    for command in (["log"], ["undo"], ["redo"], ["patch", "apply"]):
        done = call(command, town, MILL)
        assert (done.code, done.out) == (2, "")
        assert "newer pairloop" in done.err
    assert read(town) == WITH_SCHOOL
