"""What repairs are measured on, as tables: packages, wrong programs made of them, and what came of each.

A case is a release of a package in which some lines of one file are others. Both tables of cases are kept in
``data/``; they are made by `mutants` and `real_bugs`, and say enough to be tried again without either.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

DATA = Path(__file__).parent / "data"
Verdict = Literal["equal", "alike", "plausible", "wrong", "none", "no word"]
"""Of the first repair offered: it is the original's syntax tree; behaves like it on all fresh inputs; passes all tests
only; does not pass them; there is none; nothing came back."""

T = TypeVar("T", bound=msgspec.Struct)

GOOD: frozenset[Verdict] = frozenset({"equal", "alike"})
PASSING: frozenset[Verdict] = frozenset({"equal", "alike", "plausible"})


class Package(msgspec.Struct, frozen=True):
    """A package on PyPI.

    Attributes:
        sources: Folders and modules of its tree that are the program; the first that is there counts.
        releases: Version to SHA-256 of the sdist.
        mutants: The version that mutants are made of; empty for none.
    """

    sources: tuple[str, ...]
    releases: dict[str, str]
    mutants: str = ""


class Packages(msgspec.Struct, frozen=True):
    """The packages, and what is installed for them.

    Attributes:
        tools: Requirements of the environments in which their tests run.
        mutator: Requirements of the tool that makes mutants.
        by_name: Name to package.
    """

    tools: tuple[str, ...]
    mutator: tuple[str, ...]
    by_name: dict[str, Package]


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """A wrong program.

    Attributes:
        name: By which it is known, such as ``mutant-humanize-07``.
        package: The package.
        version: The release that is right.
        path: The file that is wrong.
        line: The first line that is.
        was: The lines as they are in the release.
        now: The lines in their place.
        what: The operator that made it, or the release and the function the lines come from.
        failing: How many tests fail.
        first: One of them.
    """

    name: str
    package: str
    version: str
    path: str
    line: int
    was: tuple[str, ...]
    now: tuple[str, ...]
    what: str
    failing: int = 0
    first: str = ""

    @property
    def table(self) -> str:
        """Which table it is of: the first word of its name."""
        return self.name.partition("-")[0]


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a case.

    Attributes:
        name: Of the case.
        verdict: Of the first repair offered.
        first: Seconds until there was a repair; 0 where there was none.
        seconds: Seconds until it was offered, or it was given up.
        offers: How many repairs there were.
        equal_at: The number of the first repair that equals the original, from 1; 0 where none does.
        template: What made the first repair.
        says: What it does.
        tried: How many variants were tried.
        ended: How the search ended.
        suspect: The place of the wrong line among the suspects, from 1; 0 where it is none.
        compared: On how many fresh inputs the first repair was compared with the original.
        differs: On how many of them it does something else.
        word: What was said beside it.
    """

    name: str
    verdict: Verdict
    first: float = 0.0
    seconds: float = 0.0
    offers: int = 0
    equal_at: int = 0
    template: str = ""
    says: str = ""
    tried: int = 0
    ended: str = ""
    suspect: int = 0
    compared: int = 0
    differs: int = 0
    word: str = ""


def packages() -> Packages:
    """The table of packages."""
    data = tomllib.loads((DATA / "repair_packages.toml").read_text())
    tools, mutator = data.pop("tools"), data.pop("mutator")
    return Packages(tuple(tools), tuple(mutator), msgspec.convert(data, dict[str, Package]))


def read_lines(path: Path, kind: type[T]) -> list[T]:
    """The structs of a file of JSON lines; none where there is no such file."""
    if not path.exists():
        return []
    return [msgspec.json.decode(line, type=kind) for line in path.read_bytes().splitlines() if line.strip()]


def write_lines(path: Path, structs: Iterable[msgspec.Struct]) -> None:
    """Write structs as JSON lines."""
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in structs))


def cases(table: str) -> list[Case]:
    """The cases of a table: ``mutants`` or ``bugs``."""
    return read_lines(DATA / f"repair_{table}.jsonl", Case)


def between(right: str, wrong: str) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """What two texts differ in.

    Returns:
        The first line that differs, the lines there of the first text, those of the second.
    """
    one, other = right.split("\n"), wrong.split("\n")
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return start + 1, tuple(one[start : len(one) - end]), tuple(other[start : len(other) - end])


def broken(text: str, case: Case) -> str:
    """The text of a case's file with the wrong lines in it.

    Raises:
        ValueError: The text is not that of the release.
    """
    lines = text.split("\n")
    start, end = case.line - 1, case.line - 1 + len(case.was)
    if tuple(lines[start:end]) != case.was:
        raise ValueError(f"{case.name}: {case.path} of {case.package} {case.version} has other lines at {case.line}")
    return "\n".join((*lines[:start], *case.now, *lines[end:]))


def chosen(found: Sequence[Case], *, package: str = "", limit: int = 0) -> list[Case]:
    """Some cases of a table: of one package, and so many at most, evenly from all of them."""
    some = [case for case in found if not package or case.package == package]
    if not limit or limit >= len(some):
        return some
    return [some[at * len(some) // limit] for at in range(limit)]
