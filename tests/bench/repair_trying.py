"""One wrong program, repaired as in a session without a model, and what the repair is worth."""

from __future__ import annotations

import ast
import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from agent_core.checks.base_tree import Heard
from agent_core.checks.model import CheckResult, Wish
from agent_core.checks.pytest import PytestCheck
from agent_core.repair.finder import Finder
from agent_core.repair.model import Found, Progress, Repair, Suspect, Wanted, with_edits
from agent_core.workspace.tree import Changes, FileChange, Snapshot
from tests.bench.fresh_inputs import compared
from tests.bench.repair_cases import Case, Result, broken, packages
from tests.bench.repair_trees import Opened, commit, lay, opened

_SUITE = 150.0


def same_program(one: str, other: str) -> bool:
    """Whether two texts of a module are the same program: the same but for layout and comments."""
    try:
        return one == other or ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return False


def place_of(text: str, line: int, lines: int, path: str, suspects: tuple[Suspect, ...]) -> int:
    """The place among the suspects, from 1, of a line of some that are wrong, or of a statement around; 0 for none."""
    wanted = set(range(line, line + max(lines, 1)))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            end = node.end_lineno if not hasattr(node, "body") else node.lineno
            if wanted & set(range(node.lineno, (end or node.lineno) + 1)):
                wanted.add(node.lineno)
    for place, one in enumerate(suspects, 1):
        if one.path == path and one.line in wanted:
            return place
    return 0


def texts_of(repair: Repair, files: Mapping[str, str]) -> dict[str, str]:
    """The files that a repair changes, as they are with it."""
    found: dict[str, str] = {}
    for path in {edit.path for edit in repair.variant.edits}:
        found[path] = with_edits(files[path], [edit for edit in repair.variant.edits if edit.path == path])
    return found


class Trying:
    """Finds repairs of the program in a tree, with its tests alone.

    Args:
        tree: The tree.
        seconds: How long a search may take.
    """

    def __init__(self, tree: Opened, seconds: float) -> None:
        self._tree = tree
        self._seconds = seconds
        self._begun = time.monotonic()
        self._check = PytestCheck(tree.project.interpreter)
        self.first = 0.0

    async def _standing(self, _heard: Heard) -> tuple[CheckResult, ...]:
        candidate = await self._tree.project.candidate(self._tree.base, {}, cache="bench")
        try:
            return (await self._check.run(candidate, Wish()),)
        finally:
            await candidate.close()

    async def _files(self) -> tuple[Snapshot, Changes]:
        return self._tree.base, {}

    def _tell(self, progress: Progress) -> None:
        if progress.found and not self.first:
            self.first = time.monotonic() - self._begun

    async def find(self) -> Found:
        """What is found, the first run of all tests included."""
        finder = Finder(self._tree.project, lambda: (self._check,), self._standing, self._files)
        wanted = Wanted(kinds=("tests",), seconds=self._seconds)
        return await finder.find(wanted, self._tell, asyncio.Event())


async def try_case(case: Case, *, seconds: float) -> Result:
    """Put a wrong program in the place of the right one, have it repaired, and judge the first repair offered.

    Args:
        case: The wrong program.
        seconds: How long the search may take.
    """
    known = packages()
    root = lay(case.package, case.version, known)
    right = (root / case.path).read_bytes().decode()
    wrong = broken(right, case)
    (root / case.path).write_bytes(wrong.encode())
    commit(root, case.name)
    async with opened(root) as tree:
        trying = Trying(tree, seconds)
        begun = time.monotonic()
        found = await trying.find()
        took = time.monotonic() - begun
        result = Result(
            case.name,
            "none",
            seconds=took,
            tried=found.tried,
            ended=found.ended,
            suspect=place_of(wrong, case.line, len(case.now), case.path, found.suspects),
            word=found.word,
        )
        if not found.repairs:
            return result
        return msgspec.structs.replace(
            await _judged(result, case, found, tree, root, right), first=trying.first or took, offers=len(found.repairs)
        )


async def _judged(result: Result, case: Case, found: Found, tree: Opened, root: Path, right: str) -> Result:
    """A result with what the first repair is worth."""

    def text_in(path: str) -> str:
        return (root / path).read_bytes().decode()

    offers = []
    for repair in found.repairs:
        files = {edit.path: text_in(edit.path) for edit in repair.variant.edits}
        offers.append(texts_of(repair, files))
    equal = [set(texts) == {case.path} and same_program(texts[case.path], right) for texts in offers]
    first = found.repairs[0]
    result = msgspec.structs.replace(
        result,
        template=first.variant.template,
        says=first.variant.says,
        equal_at=equal.index(True) + 1 if True in equal else 0,
    )
    if equal[0]:
        return msgspec.structs.replace(result, verdict="equal")
    changes = {path: FileChange(text.encode()) for path, text in offers[0].items()}
    suite = await tree.suite(changes, seconds=_SUITE)
    if suite.failed or suite.hung:
        return msgspec.structs.replace(result, verdict="wrong", word=f"{result.word} {suite.failed[:3]}")
    original = {path: right if path == case.path else text_in(path) for path in {case.path, *offers[0]}}
    repaired = {path: offers[0].get(path, text_in(path)) for path in original}
    fresh = await compared(tree, original, repaired)
    alike = fresh.inputs > 0 and not fresh.differs
    return msgspec.structs.replace(
        result,
        verdict="alike" if alike else "plausible",
        compared=fresh.inputs,
        differs=fresh.differs,
        word=f"{result.word} {fresh.example}".strip(),
    )
