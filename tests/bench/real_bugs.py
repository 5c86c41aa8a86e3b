"""Makes the table of real bugs: what was mended in packages between two releases, put back as it was before.

    python tests/bench/real_bugs.py [--each 8] [--most 40] [--package NAME]

Packages ship their tests with each release. A function or method that two releases in a row both have, under the same
name and with the same parameters, and that differs in 20 lines at most, is put into the newer one as the older one has
it; where tests of the newer one fail then, it is a bug that somebody mended and wrote a test for, or now and then a
small feature. Newest releases first, in the order of files and lines, so many of each package and in all; nothing is
picked. Releases that do not pass their own tests here are passed over. Needs the network once.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import difflib
import itertools
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.repair_cases import DATA, Case, between, cases, packages, write_lines
from tests.bench.repair_trees import Opened, changed, lay, opened, python_files, sdist, shut_in

_LIMIT = 120.0
_MOST_LINES = 20
_MOST_FAILING = 50
"""A mistake at which more tests fail than that is a feature that is not there, rather than a bug."""


class Part(msgspec.Struct, frozen=True):
    """A function or method, those within others apart.

    Attributes:
        start: Its first line, from 0.
        end: The line behind it.
        shape: Its parameters, which must be the same in another release.
        tree: Its syntax tree without docstrings, as text.
    """

    start: int
    end: int
    shape: str
    tree: str


def _bare(node: ast.stmt) -> str:
    """A statement's syntax tree without what has no effect: docstrings and annotations."""
    node = ast.parse(ast.unparse(node)).body[0]
    for one in ast.walk(node):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            one.returns = None
            if ast.get_docstring(one) is not None:
                one.body = one.body[1:] or [ast.Pass()]
        elif isinstance(one, ast.arg):
            one.annotation = None
        elif isinstance(one, ast.AnnAssign):
            one.annotation = ast.Constant(None)
    return ast.dump(node)


def parts(text: str) -> dict[str, Part]:
    """The parts of a file by their names; of those that have the same name none."""
    found: dict[str, Part] = {}
    twice: set[str] = set()

    def enter(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                enter(node.body, f"{prefix}{node.name}.")
                continue
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            name, first = node.name, min([node.lineno, *(one.lineno for one in node.decorator_list)])
            args = node.args
            every = (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg)
            shape = ",".join(one.arg if one else "-" for one in every)
            if prefix + name in found:
                twice.add(prefix + name)
            found[prefix + name] = Part(first - 1, node.end_lineno or first, shape, _bare(node))

    enter(ast.parse(text).body, "")
    return {name: part for name, part in found.items() if name not in twice}


def reverted(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Each changed part of a file put back.

    Gives:
        The part's name, and the new text with it as it is in the old one.
    """
    before, after = parts(old), parts(new)
    old_lines, new_lines = old.split("\n"), new.split("\n")
    for name, part in sorted(after.items(), key=lambda item: item[1].start):
        was = before.get(name)
        if was is None or was.shape != part.shape or was.tree == part.tree:
            continue
        mine, theirs = new_lines[part.start : part.end], old_lines[was.start : was.end]
        changes = sum(line[:2] in {"- ", "+ "} for line in difflib.ndiff(mine, theirs))
        if changes <= _MOST_LINES:
            yield name, "\n".join((*new_lines[: part.start], *theirs, *new_lines[part.end :]))


def texts(name: str, version: str, sha256: str) -> dict[str, str]:
    """The Python files of a release by their paths."""
    found: dict[str, str] = {}
    with tarfile.open(sdist(name, version, sha256)) as archive:
        for member in archive:
            path = member.name.partition("/")[2]
            opened_file = archive.extractfile(member) if path.endswith(".py") and member.isfile() else None
            if opened_file is not None:
                found[path] = opened_file.read().decode("utf-8", "replace")
    return found


def _old_path(path: str, old: dict[str, str]) -> str:
    """Where a file was: under the same name, else where a module became a package or moved below ``src``."""
    folder = path.removeprefix("src/")
    other = (path, folder, f"src/{path}", folder.removesuffix("/__init__.py") + ".py")
    return next((one for one in other if one in old), "")


async def _bugs_between(
    tree: Opened, name: str, versions: tuple[str, str], sources: tuple[str, ...], most: int
) -> list[Case]:
    """The bugs that the newer of two releases mended, so many at most."""
    newer, older = versions
    releases = packages().by_name[name].releases
    old, found = texts(name, older, releases[older]), list[Case]()
    for path in python_files(tree.project.root, sources):
        text = (tree.project.root / path).read_bytes().decode()
        for part, wrong in reverted(old.get(_old_path(path, old), ""), text):
            if len(found) == most:
                return found
            suite = await tree.suite(changed(path, wrong), seconds=_LIMIT)
            line, was, now = between(text, wrong)
            print(f"{name} {newer} {path}:{line} {part}: {len(suite.failed)} {suite.failed[:1]}", flush=True)
            if suite.failed and len(suite.failed) <= _MOST_FAILING and suite.failed[0] != "all of them":
                what = f"{part}, as in {older}"
                found.append(Case("", name, newer, path, line, was, now, what, len(suite.failed), suite.failed[0]))
    return found


async def bugs_of(name: str, *, each: int) -> list[Case]:
    """The bugs of one package."""
    known = packages()
    found: list[Case] = []
    for versions in itertools.pairwise(known.by_name[name].releases):
        root = lay(name, versions[0], known)
        async with opened(root) as tree:
            right = await tree.suite({}, seconds=_LIMIT)
            if right.failed or right.hung:
                print(f"{name} {versions[0]} does not pass its own tests here: {right.failed[:3]} {right.said[-200:]}")
                continue
            found += await _bugs_between(tree, name, versions, known.by_name[name].sources, each - len(found))
        if len(found) >= each:
            break
    return [msgspec.structs.replace(case, name=f"bug-{name}-{at + 1:02}") for at, case in enumerate(found)]


def main() -> None:
    """Make the table, or one package's part of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=8, help="bugs of each package")
    parser.add_argument("--most", type=int, default=40, help="bugs in all")
    parser.add_argument("--package", default="", help="only this one; the others stay as they are")
    options = parser.parse_args()
    shut_in()
    begun = time.perf_counter()
    found = [case for case in cases("bugs") if options.package and case.package != options.package]
    for name, package in packages().by_name.items():
        if len(package.releases) > 1 and options.package in {"", name} and len(found) < options.most:
            found += asyncio.run(bugs_of(name, each=options.each))[: options.most - len(found)]
            write_lines(DATA / "repair_bugs.jsonl", found)
    print(f"{len(found)} bugs, {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
