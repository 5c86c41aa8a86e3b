"""The early word about types: soon, marked as such, right about what was asked, and never in the way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from agent_core.checks import mypy_early
from agent_core.checks.base_tree import BASE_CACHE
from agent_core.checks.bench import Trees
from agent_core.checks.model import CheckResult, Verdict, Wish
from agent_core.checks.mypy import MypyCheck
from agent_core.checks.mypy_early import EarlyTypes, Setup
from agent_core.checks.runner import Slots
from agent_core.events import AnyEvent, CheckFinished, CheckStaged
from agent_core.judge import Judge
from agent_core.protocols import Candidate
from agent_core.sandbox.guard import use_of
from agent_core.workspace.project import Project
from tests.checks.conftest import THIS_PYTHON, Open, candidate_of, changes

SHOP = {
    "mypy.ini": "[mypy]\nfiles = shop, till.py\n",
    "shop/__init__.py": "",
    "shop/sums.py": "def total(prices: list[int]) -> int:\n    return sum(prices)\n",
    "till.py": "from shop.sums import total\n\npaid: int = total([1])\n",
}
WRONG: dict[str, str | None] = {"shop/sums.py": "def total(prices: list[str]) -> int:\n    return len(prices)\n"}
PLUGIN = "from mypy.plugin import Plugin\n\ndef plugin(version: str) -> type[Plugin]:\n    return Plugin\n"


class Asked:
    """A check with an early word, and what it has said, in order."""

    def __init__(self, project: Project, early: EarlyTypes) -> None:
        self.project = project
        self.early = early
        self.check = MypyCheck(THIS_PYTHON, early=early)

    async def about(self, files: dict[str, str | None]) -> list[CheckResult]:
        """All that is said about the project with changes, the exact word last."""
        said: list[CheckResult] = []
        candidate = await candidate_of(self.project, files)
        try:
            async with asyncio.timeout(60):
                said.append(await self.check.run(candidate, Wish(partial=said.append)))
        finally:
            await candidate.close()
        # The last one was appended when those before it were there.
        return said

    async def held(self) -> None:
        """Have somebody to ask."""
        await self.about({})
        async with asyncio.timeout(60):
            assert await self.early.settled(), self.early.reason


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy finds out about the standard library, which takes it longest."""
    folder = tmp_path_factory.mktemp("library")
    (folder / "empty.py").touch()
    argv = [sys.executable, "-m", "mypy", f"--cache-dir={folder / 'cache'}", "empty.py"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True, timeout=60)
    return folder / "cache"


@pytest.fixture
def shop(opened: Open, library: Path) -> Open:
    """Makes a project and opens it; of the standard library mypy knows all."""

    async def make(files: Mapping[str, str]) -> Project:
        project = await opened({**SHOP, **files})
        known = project.state / "cache" / BASE_CACHE / "mypy"
        await asyncio.to_thread(shutil.copytree, library, known)
        return project

    return make


@contextlib.asynccontextmanager
async def asking(project: Project) -> AsyncIterator[Asked]:
    """A check with an early word."""
    early = EarlyTypes(project, Slots().spare)
    try:
        yield Asked(project, early)
    finally:
        await early.close()


def found(said: CheckResult) -> list[tuple[str, str, str]]:
    return [(finding.place, finding.code, finding.fingerprint) for finding in said.findings]


def ours() -> int:
    """How many processes there are below this one."""
    return len(use_of(os.getpid(), 100).pids)


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exact run, quick as it is in a small project, begins when nothing early is to come any more."""
    ask, exact = EarlyTypes.ask, MypyCheck._exact
    asked: WeakKeyDictionary[Candidate, asyncio.Event] = WeakKeyDictionary()

    async def asking(self: EarlyTypes, candidate: Candidate, setup: Setup) -> list[str] | None:
        try:
            return await ask(self, candidate, setup)
        finally:
            asked.setdefault(candidate, asyncio.Event()).set()

    async def waiting(self: MypyCheck, candidate: Candidate, *more: Any) -> CheckResult:
        if self.early is not None:
            await asked.setdefault(candidate, asyncio.Event()).wait()
        return await exact(self, candidate, *more)

    monkeypatch.setattr(EarlyTypes, "ask", asking)
    monkeypatch.setattr(MypyCheck, "_exact", waiting)
    monkeypatch.setattr("agent_core.checks.mypy.SLOW", 0.0)


async def test_an_early_word_comes_first_and_agrees(shop: Open) -> None:
    async with asking(await shop({})) as asked:
        assert [one.early for one in await asked.about(WRONG)] == [False], "there is nobody to ask yet"
        await asked.held()
        early, exact = await asked.about(WRONG)
        assert (early.early, exact.early) == (True, False)
        assert early.tree == exact.tree
        assert found(exact)[0][:2] == ("till.py:3", "list-item")
        assert (early.outcome, found(early)) == (exact.outcome, found(exact))
        right, _ = await asked.about({"till.py": "paid: int = 1\n"})
        assert (right.early, right.outcome, right.summary) == (True, "passed", "no type errors")
        here, there = SHOP["shop/sums.py"], "from shop.plus.sums import total\n\npaid: int = total([1])\n"
        cases: list[dict[str, str | None]] = [
            {"shop/sums.py": None},
            {"shop/sums.py": None, "shop/plus/sums.py": here, "shop/plus/__init__.py": "", "till.py": there},
            {"shop/more.py": "x: int = ''\n"},
            {"till.py": "def broken(:\n"},
            {},
        ]
        for files in cases:
            early, exact = await asked.about(files)
            assert (early.early, early.outcome, found(early)) == (True, exact.outcome, found(exact)), files
        # The settings name this file: without it mypy judges nothing.
        (exact,) = await asked.about({"till.py": None})
        assert exact.outcome == "error"


async def test_it_follows_the_humans_edits(shop: Open) -> None:
    project = await shop({})
    sums, new = project.root / "shop" / "sums.py", project.root / "shop" / "new.py"
    async with asking(project) as asked:
        await asked.held()
        before = await candidate_of(project, {"till.py": "paid: int = ''\n"})
        sums.write_text(WRONG["shop/sums.py"] or "")
        new.write_text("x: int = ''\n")
        # It stands on a file that is not there any more: nothing is told about it.
        held = asked.early._held
        assert held is not None
        assert await asked.early.ask(before, held.setup) is None
        await before.close()
        early, exact = await asked.about({})
        assert early.early
        assert found(early) == found(exact)
        assert {place for place, _, _ in found(exact)} == {"till.py:3", "shop/new.py:1"}
        new.unlink()
        sums.write_text(SHOP["shop/sums.py"])
        os.utime(sums, (5, 5))
        (project.root / "shop" / "more.py").write_text("from shop.sums import total\n\ntotal(['1'])\n")
        early, exact = await asked.about({})
        assert [one.early for one in (early, exact)] == [True, False]
        assert found(early) == found(exact)
        assert [place for place, _, _ in found(exact)] == ["shop/more.py:3"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"mypy.ini": "[mypy]\nfiles = a.py\nplugins = own.py\n", "own.py": PLUGIN}, "own.py"),
        ({"mypy.ini": "[mypy]\nfiles = a.py\nfollow_imports = silent\n"}, "follow-imports"),
    ],
)
async def test_where_it_cannot_be_had_there_is_none(shop: Open, files: dict[str, str], reason: str) -> None:
    async with asking(await shop({**files, "a.py": "x: int = 1\n"})) as asked:
        (exact,) = await asked.about({})
        assert exact.outcome == "passed", exact
        async with asyncio.timeout(60):
            assert not await asked.early.settled()
        assert reason in asked.early.reason
        assert [one.early for one in await asked.about({"a.py": "x: int = ''\n"})] == [False]


async def test_it_begins_anew_for_other_settings_and_when_it_has_died(shop: Open) -> None:
    async with asking(await shop({})) as asked:
        await asked.held()
        strict: dict[str, str | None] = {"mypy.ini": SHOP["mypy.ini"] + "strict = true\n"}
        assert [one.early for one in await asked.about(strict)] == [False]
        assert [one.early for one in await asked.about(WRONG)] == [True, False], "that was the patch's doing"
        (asked.project.root / "mypy.ini").write_text(SHOP["mypy.ini"] + "disallow_any_expr = true\n")
        assert [one.early for one in await asked.about(WRONG)] == [False]
        await asked.held()
        early, exact = await asked.about(
            {"till.py": "from typing import Any\n\ndef f(x: Any) -> None:\n    print(x)\n"}
        )
        assert [one.early for one in (early, exact)] == [True, False]
        assert found(early) == found(exact) != []
        for pid in use_of(os.getpid(), 100).pids[1:]:
            # What has ended meanwhile needs no end.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if b"serve.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, 9)
        # It is asked and dies, or is dead already: the exact word comes in any case.
        assert [one.early for one in await asked.about(WRONG)] == [False]
        await asked.held()
        assert [one.early for one in await asked.about(WRONG)] == [True, False]


async def test_a_question_given_up_and_the_end_leave_no_process(shop: Open) -> None:
    before = ours()
    project = await shop({})
    async with asking(project) as asked:
        await asked.held()
        for _ in range(3):
            running = asyncio.create_task(asked.about(WRONG))
            await asyncio.wait([running], timeout=0.02)
            running.cancel()
            await asyncio.wait([running])
        early, _ = await asked.about(WRONG)
        assert early.early, "it goes on with the next question"
    await project.close()
    assert ours() == before
    left = [path.name for path in (project.state / "cache" / mypy_early._CACHE).iterdir()]
    assert left == []


async def test_it_never_completes_a_verdict(shop: Open) -> None:
    project = await shop({})
    events: list[AnyEvent] = []
    judge = Judge(project, [MypyCheck(THIS_PYTHON)], events.append, early=True)
    try:
        base = await project.snapshot()
        async with asyncio.timeout(60):
            await judge.compare(Trees(base, changes({"till.py": "paid: int = 2\n"})))
            assert judge._early is not None
            assert not await judge.settled()
            events.clear()
            told: list[Verdict] = []
            last = await judge.compare(Trees(base, changes(WRONG)), None, told.append)
    finally:
        await judge.close()
    assert last.complete
    assert not any(said.early for said in last.results)
    early = [verdict for verdict in told if any(said.early for said in verdict.results)]
    assert early
    assert not any(verdict.complete for verdict in early)
    assert all("a quick look" in verdict.summary for verdict in early)
    order = [type(event) for event in events if isinstance(event, (CheckStaged, CheckFinished))]
    assert order == [CheckStaged, CheckFinished]
