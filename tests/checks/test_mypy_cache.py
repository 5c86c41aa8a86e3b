"""mypy's cache: a new one begins with what is known of the base, and a damaged one is no trouble."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from agent_core.checks.base_tree import BASE_CACHE
from agent_core.checks.model import CheckResult, Wish
from agent_core.checks.mypy import MypyCheck
from agent_core.checks.mypy_cache import cache_of
from agent_core.workspace.project import Project
from tests.checks.conftest import THIS_PYTHON, Open, candidate_of

MYPY = MypyCheck(THIS_PYTHON)
SHOP = {
    "mypy.ini": "[mypy]\nfiles = shop.py, till.py\n",
    "shop.py": "def total(prices: list[int]) -> int:\n    return sum(prices)\n",
    "till.py": "from shop import total\n\npaid: int = total([1])\n",
}


async def judged(project: Project, cache: str, files: dict[str, str | None] | None = None) -> CheckResult:
    """What mypy says of a tree, with caches of this name."""
    candidate = await candidate_of(project, files, cache=cache)
    try:
        return await MYPY.run(candidate, Wish())
    finally:
        await candidate.close()


def entries(folder: Path) -> Iterator[tuple[str, float]]:
    """What mypy keeps of modules, with the time when it was written."""
    for file in sorted(folder.rglob("*.db")):
        with closing(sqlite3.connect(file)) as database:
            yield from database.execute("SELECT path, mtime FROM files2")


async def test_a_new_cache_begins_with_what_is_known_of_the_base(opened: Open) -> None:
    project = await opened(SHOP)
    await judged(project, BASE_CACHE)
    base = dict(entries(project.state / "cache" / BASE_CACHE / "mypy"))
    result = await judged(project, "candidate", {"till.py": "from shop import total\n\npaid: str = total([1])\n"})
    assert [finding.place for finding in result.findings] == ["till.py:3"]
    after = dict(entries(project.state / "cache" / "candidate" / "mypy"))
    kept = [path for path, then in base.items() if path.endswith(".data.ff") and after.get(path) == then]
    builtins = [path for path in base if path.endswith("builtins.data.ff")]
    assert builtins, sorted(base)
    assert set(builtins) <= set(kept), "the standard library was looked at once more"
    assert not list((project.state / "cache").glob("*.new"))


async def test_the_first_candidate_waits_for_the_bases_run_and_takes_its_cache(opened: Open) -> None:
    project = await opened(SHOP)
    base = await candidate_of(project, cache=BASE_CACHE)
    candidate = await candidate_of(project, {"till.py": "paid: int = ''\n"})
    async with asyncio.timeout(60), cache_of(base) as folder:
        waiting = asyncio.create_task(MYPY.run(candidate, Wish()))
        (folder / "3").mkdir(parents=True)
        (folder / "3" / "old").write_text("told")
        os.utime(folder / "3" / "old", (5, 5))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done
    result = await asyncio.wait_for(waiting, 60)
    assert result.outcome == "failed"
    taken = candidate.cache / "mypy" / "3" / "old"
    assert (taken.read_text(), taken.stat().st_mtime) == ("told", 5)
    await base.close()
    await candidate.close()


async def test_two_runs_at_a_time_have_two_caches(opened: Open) -> None:
    project = await opened(SHOP)
    one = await candidate_of(project)
    two = await candidate_of(project, {"till.py": ""})
    async with asyncio.timeout(60), cache_of(one) as first:
        async with cache_of(two) as second:
            assert first != second
        async with cache_of(two) as again:
            assert again == second
    async with cache_of(two) as third:
        assert third == first


async def test_a_base_never_begins_with_what_a_candidate_left(opened: Open) -> None:
    project = await opened(SHOP)
    await judged(project, "candidate")
    base = await candidate_of(project, cache=BASE_CACHE)
    async with cache_of(base) as folder:
        assert not folder.exists()
    await base.close()


async def test_a_damaged_cache_is_harmless(opened: Open) -> None:
    project = await opened(SHOP)
    await judged(project, BASE_CACHE)
    for file in (project.state / "cache" / BASE_CACHE / "mypy").rglob("*.db"):
        file.write_bytes(b"no database at all, but long enough to be taken for one" * 40)
    broken: dict[str, str | None] = {"till.py": "paid: int = ''\n"}
    result = await judged(project, "candidate", broken)
    assert [(finding.place, finding.code) for finding in result.findings] == [("till.py:1", "assignment")]
    assert (await judged(project, BASE_CACHE)).outcome == "passed"


async def test_no_link_in_a_cache_is_followed(opened: Open, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    (secret / "deep").mkdir(parents=True)
    (secret / "key").write_text("private")
    project = await opened(SHOP)
    base = project.state / "cache" / BASE_CACHE / "mypy"
    base.mkdir(parents=True)
    (base / "fine").write_text("fine")
    (base / "key").symlink_to(secret / "key")
    (base / "folder").symlink_to(secret)
    os.mkfifo(base / "pipe")
    candidate = await candidate_of(project)
    candidate.cache.mkdir(parents=True, exist_ok=True)
    (candidate.cache / "mypy").symlink_to(secret)
    async with asyncio.timeout(20), cache_of(candidate) as folder:
        assert sorted(path.name for path in folder.iterdir()) == ["fine"]
        assert not folder.is_symlink()
    assert sorted(path.name for path in secret.iterdir()) == ["deep", "key"]
    await candidate.close()
