"""Blame: the blocks a failure comes from, on real projects and by its laws."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.checks.model import Verdict
from agent_core.checks.pytest import PytestCheck
from agent_core.checks.ruff import RuffCheck
from agent_core.checks.runner import run_checks
from agent_core.checks.syntax import SyntaxCheck
from agent_core.checks.verdict import judge
from agent_core.config_tables import Config
from agent_core.diagnosis.blame import Blamer, Found, kind_of
from agent_core.diagnosis.isolate import Answer, OutOfBudgetError, Parts, idle_parts, isolate
from agent_core.draft import Draft
from agent_core.protocols import Check
from agent_core.workspace.project import Project, open_project
from agent_core.workspace.tree import FileChange, content_hash
from tests.checks.conftest import THIS_PYTHON
from tests.projects import make_project

PYPROJECT = '[tool.pytest.ini_options]\npythonpath = ["."]\n'


class Case:
    """A project, a change of it, and what the checks say of it."""

    def __init__(self, root: Path, files: Mapping[str, str], checks: tuple[Check, ...]) -> None:
        self.root = make_project(root, {"pyproject.toml": PYPROJECT, ".gitignore": "__pycache__/\n", **files})
        self.checks = checks
        self.contents: dict[str, bytes] = {}
        self.project: Project | None = None

    async def judged(self, changes: Mapping[str, str]) -> tuple[Draft, Verdict]:
        environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        self.project = await open_project(self.root, Config(), environ)
        base = await self.project.snapshot()
        after = {path: FileChange(dedent(text).lstrip("\n").encode()) for path, text in changes.items()}
        old = {path: self.project.read(path) for path in after}
        before = {path: None if data is None else FileChange(data) for path, data in old.items()}
        for change in (*before.values(), *after.values()):
            if change is not None and change.data is not None:
                self.contents[content_hash(change.data)] = change.data
        results = []
        for tree in ({}, after):
            candidate = await self.project.candidate(base, tree, cache="candidate")
            results.append(await run_checks(self.checks, candidate, "candidate", lambda _: None))
            await candidate.close()
        return Draft(base, before, after), judge(results[0], results[1])

    async def blame(self, draft: Draft, verdict: Verdict, **bounds: int) -> Found:
        assert self.project is not None
        return await Blamer(self.project, self.checks, **bounds).blame(draft, verdict, self.contents.__getitem__)


def block_with(draft: Draft, text: str) -> str:
    """The id of the block that writes some text."""
    (found,) = (block.id for file in draft.patch().files for block in file.blocks if text in "".join(block.added))
    return found


MODULE = """
    def one():
        return 1


    def two():
        return 2


    def three():
        return 3


    def four():
        return 4
"""
TESTS = """
    import pytest

    from numbers_ import four, one, three, two


    def test_one():
        assert one() == 1


    def test_two():
        assert two() == 2


    def test_sum():
        assert one() + two() + three() + four() == 10
"""
FILES = {"numbers_.py": MODULE, "tests/test_numbers.py": TESTS}


async def test_it_lets_what_somebody_waits_for_go_first(tmp_path: Path) -> None:
    # With the new mark the test is content only in a run that gives way, and only runs for blame are such.
    tests = f"""
        import os

        from numbers_ import MARK, one


        def test_one():
            assert one() == 1 and (MARK == "old" or os.nice(0) > {os.nice(0)})
    """
    module = 'def one():\n    return 1\n\n\nGAP = 1\n\n\nMARK = "old"\n'
    case = Case(
        tmp_path / "project",
        {"numbers_.py": module, "tests/test_numbers.py": tests},
        (PytestCheck(THIS_PYTHON, timeout=60),),
    )
    draft, verdict = await case.judged({"numbers_.py": module.replace("return 1", "return 7").replace("old", "new")})
    found = await case.blame(draft, verdict)
    assert [one.blocks for one in found.blames] == [(block_with(draft, "return 7"),)]


@pytest.fixture
def pytest_only(tmp_path: Path) -> Case:
    return Case(tmp_path / "project", FILES, (PytestCheck(THIS_PYTHON, timeout=60),))


async def test_the_one_block_that_breaks_a_test_is_blamed_and_the_idle_ones_are_told(pytest_only: Case) -> None:
    new = (
        MODULE.replace("return 1", "return 0 + 1").replace("return 2", "return 20").replace("return 4", "return 2 + 2")
    )
    draft, verdict = await pytest_only.judged({"numbers_.py": new})
    assert {finding.code.partition("::")[2] for finding in verdict.broken} == {"test_two", "test_sum"}
    found = await pytest_only.blame(draft, verdict)
    wrong = block_with(draft, "20")
    assert {blame.finding for blame in found.blames} == {finding.fingerprint for finding in verdict.broken}
    assert {blame.blocks for blame in found.blames} == {(wrong,)}
    assert found.unneeded == (block_with(draft, "0 + 1"), block_with(draft, "2 + 2"))


async def test_a_block_that_only_holds_another_one_up_is_not_to_blame(tmp_path: Path) -> None:
    files = {
        "maths.py": "\n\ndef rate():\n    return 1\n\n\ndef price(net):\n    return net\n",
        "tests/test_maths.py": "from maths import price\n\n\ndef test_price():\n    assert price(10) == 10\n",
    }
    case = Case(tmp_path / "project", files, (PytestCheck(THIS_PYTHON, timeout=60),))
    new = files["maths.py"].replace("return 1", "return FACTOR").replace("return net", "return net * FACTOR")
    draft, verdict = await case.judged({"maths.py": f"FACTOR = 2\n{new}"})
    found = await case.blame(draft, verdict)
    assert [blame.blocks for blame in found.blames] == [(block_with(draft, "net * FACTOR"),)]
    # Without the definition the function fails in another way: it is needed, and no evidence.
    assert block_with(draft, "FACTOR = 2") not in found.unneeded
    assert block_with(draft, "return FACTOR") in found.unneeded


async def test_blocks_that_fail_only_together_are_blamed_together(tmp_path: Path) -> None:
    files = {
        "pair.py": "\n\ndef left():\n    return 1\n\n\ndef right():\n    return 1\n\n\ndef idle():\n    return 0\n",
        "tests/test_pair.py": (
            "from pair import left, right\n\n\ndef test_pair():\n    assert left() + right() <= 3\n"
        ),
    }
    case = Case(tmp_path / "project", files, (PytestCheck(THIS_PYTHON, timeout=60),))
    new = files["pair.py"].replace("return 0", "return 5")
    head, _, tail = new.partition("def right")
    draft, verdict = await case.judged(
        {"pair.py": head.replace("return 1", "return 2") + "def right" + tail.replace("return 1", "return 2", 1)}
    )
    found = await case.blame(draft, verdict)
    blocks = tuple(block.id for block in draft.patch().files[0].blocks)
    assert [blame.blocks for blame in found.blames] == [blocks[:2]]
    assert found.unneeded == blocks[2:]


async def test_findings_of_tools_that_read_the_code_are_blamed_too(tmp_path: Path) -> None:
    checks: tuple[Check, ...] = (SyntaxCheck(THIS_PYTHON), RuffCheck(THIS_PYTHON))
    case = Case(tmp_path / "project", {"numbers_.py": MODULE}, checks)
    new = MODULE.replace("return 1", "return one_").replace("return 4", "return 2 + 2")
    draft, verdict = await case.judged({"numbers_.py": new, "notes.md": "# Notes\n"})
    found = await case.blame(draft, verdict)
    assert [(blame.check, blame.blocks) for blame in found.blames] == [("ruff", (block_with(draft, "one_"),))]
    assert set(found.unneeded) == {block_with(draft, "2 + 2"), block_with(draft, "# Notes")}


async def test_where_the_budget_ends_nothing_is_guessed(pytest_only: Case) -> None:
    new = (
        MODULE.replace("return 1", "return 0 + 1").replace("return 2", "return 20").replace("return 4", "return 2 + 2")
    )
    draft, verdict = await pytest_only.judged({"numbers_.py": new})
    assert await pytest_only.blame(draft, verdict, most_runs=1) == Found()
    assert await pytest_only.blame(draft, verdict, most_seconds=0) == Found()


async def test_a_human_edit_meanwhile_makes_it_worth_nothing(pytest_only: Case) -> None:
    draft, verdict = await pytest_only.judged({"numbers_.py": MODULE.replace("return 1", "return 0").replace("4", "5")})
    (pytest_only.root / "README.md").write_text("# Mine\n")
    assert await pytest_only.blame(draft, verdict) == Found()


async def test_one_block_and_green_verdicts_are_not_looked_into(pytest_only: Case) -> None:
    draft, verdict = await pytest_only.judged({"numbers_.py": MODULE.replace("return 2", "return 20")})
    assert not verdict.green
    assert await pytest_only.blame(draft, verdict) == Found()


def test_kinds_of_failures() -> None:
    assert kind_of("assert 1 == 2") == kind_of("AssertionError: assert 3 == 4") == "AssertionError"
    assert kind_of("KeyError: 'a'") == kind_of("KeyError: 'b'") == "KeyError"
    assert kind_of("NameError: name 'a' is not defined") != kind_of("NameError: name 'b' is not defined")
    assert kind_of("shop.errors.StockError: 3 left") == "StockError"


# -- its laws

PARTS = tuple("abcdefgh")
CAUSES = st.lists(st.frozensets(st.sampled_from(PARTS), min_size=1, max_size=3), min_size=1, max_size=2)


class World:
    """Fails where all parts of one of the causes are there; comes to nothing where a part lacks what it needs."""

    def __init__(self, causes: list[Parts], needs: Mapping[str, str]) -> None:
        self.causes, self.needs = causes, needs
        self.tried: set[Parts] = set()

    async def attempt(self, chosen: Parts) -> Answer:
        self.tried.add(chosen)
        if any(part in chosen and need not in chosen for part, need in self.needs.items()):
            return "open"
        return "fails" if any(cause <= chosen for cause in self.causes) else "passes"


@settings(max_examples=300)
@given(CAUSES)
def test_without_what_is_found_it_does_not_fail_and_with_less_of_it_neither(causes: list[Parts]) -> None:
    world = World(causes, {})
    found = frozenset(asyncio.run(isolate(PARTS, world.attempt)))
    assert not any(cause <= frozenset(PARTS) - found for cause in causes)
    # Every part found belongs to a cause that is found whole.
    whole = [cause for cause in causes if cause <= found]
    assert found == frozenset[str]().union(*whole)


@settings(max_examples=200)
@given(st.sampled_from(PARTS), st.dictionaries(st.sampled_from(PARTS), st.sampled_from(PARTS), max_size=3))
def test_what_others_need_is_told_apart_from_what_fails(culprit: str, needs: dict[str, str]) -> None:
    needs = {part: need for part, need in needs.items() if part != need and need != culprit}
    world = World([frozenset(culprit)], needs)
    found = asyncio.run(isolate(PARTS, world.attempt))
    assert culprit in found
    alone = World([frozenset(culprit)], {part: need for part, need in needs.items() if part == culprit})
    if not alone.needs:
        assert set(found) <= {culprit} | set(needs) | set(needs.values())


@settings(max_examples=200)
@given(st.sampled_from(PARTS))
def test_a_single_cause_among_eight_takes_few_runs(culprit: str) -> None:
    world = World([frozenset(culprit)], {})
    assert asyncio.run(isolate(PARTS, world.attempt)) == (culprit,)
    assert len(world.tried) <= 8


@settings(max_examples=200)
@given(st.frozensets(st.sampled_from(PARTS)), st.integers(0, 20))
def test_parts_are_idle_only_if_they_can_be_left_out_together(needed: Parts, budget: int) -> None:
    runs = 0

    async def good(chosen: Parts) -> bool:
        nonlocal runs
        if runs >= budget:
            raise OutOfBudgetError
        runs += 1
        return needed <= chosen

    idle = asyncio.run(idle_parts(PARTS, PARTS, good))
    assert not idle & needed
    if budget > 15:
        assert idle == frozenset(PARTS) - needed
