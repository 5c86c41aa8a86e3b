"""Whether a repaired program does what the original does, on inputs that neither its tests nor the search have seen.

Into the functions that differ a call of a probe is put, in the original and in the repaired program; then the
package's tests are run. Each time a test calls such a function it is called with inputs near to the test's, too, and
what it gives, raises and leaves of its arguments is written down; see ``fresh/fresh_probe.py``. The original is run
twice: what it does otherwise the second time tells nothing.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from agent_core.workspace.tree import FileChange
from tests.bench.repair_trees import Opened

_PROBE = Path(__file__).with_name("fresh")
_LIMIT = 150.0
_SEED = "fresh"
Functions = list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]


class Comparison(msgspec.Struct, frozen=True):
    """What came of comparing two programs.

    Attributes:
        inputs: On how many inputs they were compared.
        differs: On how many they do not do the same.
        example: One of these, and what each does.
    """

    inputs: int
    differs: int
    example: str = ""


def functions(tree: ast.Module) -> Functions:
    """The functions and methods of a module by their qualified names, those within others apart."""

    def enter(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for node in body:
            if isinstance(node, ast.ClassDef):
                yield from enter(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + node.name, node

    return list(enter(tree.body, ""))


def touched(original: str, other: str) -> set[str]:
    """The functions that two texts of a module differ in; all of them where they differ outside of functions."""
    before, after = ast.parse(original), ast.parse(other)
    one = {name: ast.dump(node) for name, node in functions(before)}
    two = {name: ast.dump(node) for name, node in functions(after)}
    for tree in (before, after):
        for _, node in functions(tree):
            node.body = [ast.Pass()]
            node.decorator_list = []
            node.args = ast.arguments([], [], None, [], [], None, [])
            node.returns = None
    if ast.dump(before) != ast.dump(after):
        return {*one} & {*two}
    return {name for name in one if name in two and one[name] != two[name]}


def probed(text: str, names: Collection[str]) -> str:
    """A module's text with a call of the probe at the beginning of some functions."""
    lines = text.split("\n")
    at: dict[int, tuple[int, str, bool]] = {}
    for name, node in functions(ast.parse(text)):
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        if name not in names or not body:
            continue
        first = body[0]
        call = f"__import__('fresh_probe').seen(__name__, {name!r}, locals())"
        decorators = getattr(first, "decorator_list", [])
        line = min([first.lineno, *(one.lineno for one in decorators)])
        column = len(lines[first.lineno - 1].encode()[: first.col_offset].decode())
        at[line] = (column, call, not hasattr(first, "body"))
    for line, (column, call, simple) in at.items():
        was = lines[line - 1]
        lines[line - 1] = f"{was[:column]}{call}; {was[column:]}" if simple else f"{' ' * column}{call}\n{was}"
    return "\n".join(lines)


async def _answers(tree: Opened, files: Mapping[str, tuple[str, set[str]]]) -> dict[str, tuple[str, str]]:
    """What a program's functions give for inputs near to those of its tests."""
    changes = {path: FileChange(probed(text, names).encode()) for path, (text, names) in files.items()}
    candidate = await tree.project.candidate(tree.base, changes, cache="bench")
    try:
        out = candidate.cache / "fresh.json"
        out.unlink(missing_ok=True)
        env = {"FRESH_OUT": str(out), "FRESH_SEED": _SEED, "PYTHONPATH": str(_PROBE), "PYTHONHASHSEED": "0"}
        argv = [str(tree.project.interpreter.python), "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider"]
        await candidate.run(argv, timeout=_LIMIT, env=env)
        answers: dict[str, tuple[str, str]] = json.loads(out.read_text("utf-8")) if out.exists() else {}
        return answers
    finally:
        await candidate.close()


async def compared(tree: Opened, original: Mapping[str, str], repaired: Mapping[str, str]) -> Comparison:
    """Compare a repaired program with the original.

    Args:
        tree: A tree of the package.
        original: The files that differ as they are in the original.
        repaired: They as they are in the repaired program.
    """
    names = {path: touched(original[path], repaired[path]) for path in original}
    before = {path: (original[path], names[path]) for path in original}
    first, again = await _answers(tree, before), await _answers(tree, before)
    after = await _answers(tree, {path: (repaired[path], names[path]) for path in original})
    known = [key for key in first if key in after and first[key] == again.get(key) and first[key][1] != "?"]
    other = [key for key in known if first[key][1] != after[key][1]]
    example = f"{first[other[0]][0]}: {first[other[0]][1]}, but {after[other[0]][1]}" if other else ""
    return Comparison(len(known), len(other), example[:600])
