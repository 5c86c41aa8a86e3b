"""Landings by the command line when more than one thing happens: two at a time, a sudden end, a running app."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_core import events as ev
from agent_core.commands import Ask
from agent_core.places import project_state
from tests.projects import make_project
from tests.support.calling import call
from tests.support.running import flags, running
from tests.support.shipping import (
    ENVELOPE,
    MILL,
    TOWN,
    WITH_SCHOOL,
    everything,
    land,
    make_town,
    read,
    replace_line,
    stands,
)
from tests.support.shop import MENDED, QUICK, RIGHT_AT_ONCE, make_shop
from tests.test_resume import write_script


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return make_town(tmp_path / "town")


def test_two_at_once(tmp_path: Path) -> None:
    root = make_project(tmp_path / "p", {"town.txt": TOWN})
    command = [sys.executable, "-m", "tui", "patch", "apply", "--json"]
    processes = []
    for number in range(1, 7):
        patch = replace_line("town.txt", f"house {3 * number}", f"inn {number}")
        process = subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        process.stdin.write(patch)
        process.stdin.close()
        processes.append(process)
    assert [process.wait(60) for process in processes] == [0] * 6
    wanted = TOWN
    for number in range(1, 7):
        wanted = wanted.replace(f"house {3 * number}\n", f"inn {number}\n")
    assert read(root) == wanted
    assert stands(root) == dict.fromkeys(range(1, 7), "landed")


DYING = """
import os, sys
from agent_core.workspace.disk import FileSystem

def dying(step):
    def die(*_):
        os.kill(os.getpid(), 9)
    setattr(FileSystem, step, die)

dying(sys.argv[1])
from tui.__main__ import main
sys.exit(main(sys.argv[2:]))
"""

SEVERAL = """\
*** Begin Patch
*** Update File: town.txt
@@
-house 3
+a school
*** Add File: new/inn.txt
+an inn
*** Delete File: country/road.txt
*** End Patch
"""


def killed_at(step: str, root: Path) -> None:
    """Have a `patch apply` of `SEVERAL` die, as by kill -9, at its first system call of a kind."""
    command = [sys.executable, "-c", DYING, step, "patch", "apply"]
    done = subprocess.run(command, cwd=root, input=SEVERAL.encode(), capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    ("step", "next_command"),
    [
        *((step, ["log"]) for step in ("create", "write", "replace", "unlink", "sync_dir")),
        ("unlink", ["undo"]),
        ("replace", ["patch", "apply"]),
    ],
)
def test_killed_and_mended_by_the_next_command(town: Path, step: str, next_command: list[str]) -> None:
    killed_at(step, town)
    said = call(next_command, town, MILL)
    assert said.code == 0, said.err
    assert "Landing 1 (country/road.txt, new/inn.txt, town.txt) was cut short; it has been completed." in said.err
    assert not [name for name in everything(town) if name.rpartition("/")[2].startswith(".pairloop-")]
    if next_command == ["log"]:
        assert (read(town), read(town, "new/inn.txt")) == (WITH_SCHOOL, "an inn\n")
        assert not (town / "country").exists()
        assert call(["log"], town).err == ""
    elif next_command == ["undo"]:
        assert (read(town), read(town, "country/road.txt")) == (TOWN, "north\nsouth\n")
        assert not (town / "new").exists()
    else:
        assert read(town) == WITH_SCHOOL.replace("house 12\n", "a mill\n")


def test_what_cannot_be_mended_stays_told(town: Path) -> None:
    """A file that somebody changed after the sudden end is theirs; what was written of the others is taken back."""
    killed_at("unlink", town)
    (town / "country/road.txt").write_text("mine\n")
    said = call(["log"], town)
    assert said.code == 0
    assert "it has been taken back" in said.err
    assert "(abandoned, nothing of it was written)" in said.out
    assert (read(town), read(town, "country/road.txt")) == (TOWN, "mine\n")
    assert not (town / "new").exists()
    assert call(["undo", "1"], town).code == 1


@pytest.fixture
def locked(town: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the project's lock."""
    land(town, ENVELOPE)
    lock = project_state(town) / "landing.lock"
    code = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder
        holder.kill()


def test_the_lock_is_waited_for(town: Path, locked: subprocess.Popen[str]) -> None:
    undo = subprocess.Popen([sys.executable, "-m", "tui", "undo"], cwd=town, stdout=subprocess.PIPE, text=True)
    # Looking needs no lock.
    assert call(["log"], town).code == 0
    assert (undo.poll(), read(town)) == (None, WITH_SCHOOL)
    locked.kill()
    assert undo.wait(60) == 0
    assert read(town) == TOWN
    assert undo.stdout is not None
    undo.stdout.close()


async def test_a_running_app_hears_of_it(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop")
    script = write_script(tmp_path / "script.json", RIGHT_AT_ONCE)
    patch = b"*** Begin Patch\n*** Add File: notes.txt\n+a note\n*** End Patch\n"

    def other(*arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "tui", *arguments], cwd=shop, input=patch, check=True, capture_output=True
        )

    settings = flags("auto", off=("ruff", *QUICK), partner={"script": str(script)})
    async with running(shop, settings, watch=True) as here:
        here.submit(Ask("test_total fails"))
        await here.seen(ev.Landed)
        assert (shop / "shop/prices.py").read_text() == MENDED
        # What another process lands is somebody else's edit; that it took back what landed here is told as that.
        await asyncio.to_thread(other, "patch", "apply")
        edit = await here.seen(ev.HumanEdited)
        assert (edit.path, edit.kind) == ("notes.txt", "added")
        await asyncio.to_thread(other, "undo", "1")
        turned = await here.seen(ev.LandingTurned)
        assert (turned.landing, turned.stands, turned.by) == (1, "undone", 3)
        assert here.state.undoable is None
    assert (shop / "shop/prices.py").read_text() != MENDED
