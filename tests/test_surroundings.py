"""What a session stands in: looked at when something can have changed it, and never more often than it may."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_core import events as ev
from agent_core.state import State
from agent_core.surroundings import Heard, Surroundings
from agent_core.workspace.git import GitStatus

EDIT = ev.Entry(1, 0.0, ev.HumanEdited("a.py", "changed", "", None, None))
NOTE = ev.Entry(2, 0.0, ev.Noted("info", "x"))


class Repository:
    """Says where it stands, and counts how often it was asked."""

    def __init__(self) -> None:
        self.status: GitStatus | None = GitStatus("main")
        self.error: Exception | None = None
        self.asked = 0

    async def __call__(self, _root: Path) -> GitStatus | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.status


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - of whatever kind it is
            await asyncio.sleep(0.002)


async def test_a_look_follows_what_can_have_changed_it_and_nothing_else() -> None:
    repository, told = Repository(), []
    around = Surroundings(Path(), lambda: "watched", ask=repository, at_most=0.0)
    end = around.follow(lambda: told.append(around.git))
    await until(lambda: told)
    assert told == [GitStatus("main")]
    repository.status = GitStatus("main", dirty=1)
    around.listen(NOTE, State())
    await asyncio.sleep(0.02)
    assert repository.asked == 1
    around.listen(EDIT, State())
    await until(lambda: len(told) == 2)
    assert around.git == GitStatus("main", dirty=1)
    around.look()
    await until(lambda: repository.asked == 3)
    await asyncio.sleep(0.01)
    assert len(told) == 2
    end()
    around.look()
    await asyncio.sleep(0.02)
    assert repository.asked == 3


async def test_many_changes_are_few_looks() -> None:
    repository = Repository()
    around = Surroundings(Path(), lambda: "watched", ask=repository, at_most=0.2)
    end = around.follow(lambda: None)
    await until(lambda: repository.asked)
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < 0.3:
        around.listen(EDIT, State())
        await asyncio.sleep(0.001)
    assert repository.asked <= 3
    # The last change is not lost.
    repository.status = None
    around.listen(EDIT, State())
    await until(lambda: around.git is None)
    end()


async def test_a_repository_that_cannot_answer_costs_nothing_but_the_answer() -> None:
    repository, told = Repository(), []
    around = Surroundings(Path(), lambda: "watched", ask=repository, at_most=0.0)
    end = around.follow(lambda: told.append(around.git))
    await until(lambda: told)
    repository.error = OSError("gone")
    around.look()
    await until(lambda: around.git is None)
    repository.error = None
    around.look()
    await until(lambda: around.git == GitStatus("main"))
    assert told == [GitStatus("main"), None, GitStatus("main")]
    end()


async def test_that_saves_are_heard_by_now_is_told() -> None:
    heard: list[Heard] = [""]
    told = []
    repository = Repository()
    around = Surroundings(Path(), lambda: heard[0], ask=repository, at_most=0.01)
    end = around.follow(lambda: told.append(around.heard))
    await until(lambda: told)
    heard[0] = "watched"
    await until(lambda: told[-1] == "watched")
    assert repository.asked == 1
    end()


async def test_that_saves_are_heard_no_more_is_told_though_nothing_happens() -> None:
    heard: list[Heard] = ["watched"]
    told = []
    repository = Repository()
    around = Surroundings(Path(), lambda: heard[0], ask=repository, at_most=0.0, still=0.01)
    end = around.follow(lambda: told.append(around.heard))
    await until(lambda: told == ["watched"])
    await asyncio.sleep(0.05)
    heard[0] = "lost"
    await until(lambda: told == ["watched", "lost"])
    assert repository.asked == 1
    end()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit and a file that is not in it."""
    for command in ("init -q -b trunk", "config user.name x", "config user.email x@y.test"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True, timeout=20)
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "a"], cwd=tmp_path, check=True, timeout=20)
    (tmp_path / "new.py").write_text("x = 1\n")
    return tmp_path


async def test_a_real_repository_says_its_branch_and_what_differs(repository: Path) -> None:
    around = Surroundings(repository, lambda: "watched")
    seen = asyncio.Event()
    end = around.follow(seen.set)
    async with asyncio.timeout(20):
        await seen.wait()
    assert around.git == GitStatus("trunk", dirty=1)
    end()
