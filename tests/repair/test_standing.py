"""What the checks say of a tree, heard one by one."""

from __future__ import annotations

import asyncio

import pytest

from agent_core.checks.base_tree import Heard
from agent_core.checks.model import CheckResult, Outcome, Stage
from agent_core.errors import SandboxError
from agent_core.repair.standing import Standing


def said(check: str, outcome: Outcome = "passed", stage: Stage = "all", *, early: bool = False) -> CheckResult:
    return CheckResult(check, outcome, "tree", "", stage=stage, early=early)


async def soon(standing: Standing, *checks: str) -> bool:
    """Whether some checks have spoken, without waiting for anything that is not there."""
    try:
        async with asyncio.timeout(0.05):
            return await standing.wait(checks or None)
    except TimeoutError:
        return False


async def test_one_check_is_heard_while_another_is_at_work() -> None:
    go = asyncio.Event()

    async def ask(heard: Heard) -> tuple[CheckResult, ...]:
        heard(said("pytest", stage="first"))
        heard(said("mypy", "failed", early=True))
        await go.wait()
        heard(said("pytest", "failed"))
        await asyncio.Event().wait()
        return ()

    async with asyncio.timeout(30), Standing(ask) as standing:
        assert not await soon(standing, "pytest"), "a word on the way is not the last one"
        waiting = asyncio.create_task(standing.wait(("pytest",)))
        go.set()
        assert await waiting
        assert (standing.of("pytest") or said("")).outcome == "failed"
        assert standing.of("mypy") is None
        assert not standing.whole
        assert not await soon(standing)


async def test_all_have_spoken_and_of_one_that_nobody_asks_there_is_no_word() -> None:
    async def ask(heard: Heard) -> tuple[CheckResult, ...]:
        heard(said("ruff"))
        return said("pytest"), said("ruff")

    async with asyncio.timeout(30), Standing(ask) as standing:
        assert await standing.wait(("mypy",))
        assert standing.whole
        assert [one.check for one in standing.results] == ["pytest", "ruff"]


async def test_what_went_wrong_is_raised_where_it_is_waited_for() -> None:
    async def ask(heard: Heard) -> tuple[CheckResult, ...]:
        heard(said("ruff"))
        raise SandboxError("no tree")

    async with asyncio.timeout(30), Standing(ask) as standing:
        with pytest.raises(SandboxError, match="no tree"):
            await standing.wait(("pytest",))
        assert not standing.whole


async def test_nobody_asks_any_more_behind_its_end() -> None:
    ended: list[bool] = []

    async def ask(_heard: Heard) -> tuple[CheckResult, ...]:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        return ()

    async with asyncio.timeout(30), Standing(ask) as standing:
        assert not await soon(standing)
    assert ended == [True]
