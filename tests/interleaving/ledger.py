"""What a human knows of their own lines: which there have to be, and in which file; which they have deleted.

Every line has a name that no other line has. A line of the human's goes when they delete it, when a landing they
accepted deletes it, or when their git does; it comes back when they write it again, take such a landing back, or have
git bring it. Where a landing and a save of the same file overlap in time and the landing deletes or brings back a line,
either order is right: such lines are left open until everything is at rest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from agent_core.patch.model import Patch

Tree = Mapping[str, bytes]
_NAME = re.compile(rb"\b[hbp]\d+(?= *=)")


def names(data: bytes | None) -> Counter[str]:
    """The lines that a text holds, by name."""
    return Counter(one.decode() for one in _NAME.findall(data or b""))


def all_names(tree: Tree) -> Counter[str]:
    """The lines of all files, by name."""
    return sum((names(data) for data in tree.values()), Counter[str]())


def named(patch: Patch) -> tuple[Counter[str], Counter[str]]:
    """The lines that a patch deletes and adds."""
    blocks = [block for file in patch.files for block in file.blocks]
    removed, added = (
        "".join(line for block in blocks for line in getattr(block, side)) for side in ("removed", "added")
    )
    return names(removed.encode()), names(added.encode())


def humans(found: Iterable[str]) -> set[str]:
    """Those of them that a human wrote."""
    return {one for one in found if not one.startswith("p")}


Lines = set[tuple[str, str]]
"""Lines and the files that they stand in."""


class Written(msgspec.Struct, frozen=True):
    """What a landing does to lines.

    Attributes:
        removed: Lines that are fewer after it, all files together.
        added: Lines that are more after it.
        paths: Its files.
        left: The human's lines that a file does not hold any more.
        come: The human's lines that a file holds from then on.
    """

    removed: Counter[str]
    added: Counter[str]
    paths: frozenset[str]
    left: Lines
    come: Lines


def written(files: Iterable[tuple[str, bytes | None, bytes | None]]) -> Written:
    """What a landing does, given path, content before and after of each of its files."""
    before, after = Counter[str](), Counter[str]()
    was, now, paths = Lines(), Lines(), set()
    for path, old, new in files:
        before, after = before + names(old), after + names(new)
        was |= _lines(path, old)
        now |= _lines(path, new)
        paths.add(path)
    return Written(before - after, after - before, frozenset(paths), was - now, now - was)


class Ledger:
    """Follows the human's lines.

    Args:
        tree: The files there are.
    """

    def __init__(self, tree: Tree) -> None:
        self.there = _all(tree)
        self.open = Lines()
        self.landing: dict[int, Written] = {}
        self._saving: set[str] = set()
        self._everywhere = False

    # -- what the human does

    def begin(self, *paths: str, everywhere: bool = False) -> None:
        """The human begins to write files, or git does for them."""
        self._saving, self._everywhere = set(paths), everywhere
        for one in self.landing.values():
            self._overlap(one)

    def saved(self, path: str, old: bytes | None, new: bytes | None) -> None:
        """The human has put one content in the place of another that they had read; None for no file."""
        self._turn(_lines(path, old) - _lines(path, new), _lines(path, new))

    def moved_by_git(self, before: Tree, after: Tree) -> None:
        """Git has made one tree of another, at the human's word."""
        self._turn(_all(before) - _all(after), _all(after) - _all(before))

    def at_work(self, path: str) -> bool:
        """Whether the human is writing a file, or git everything."""
        return self._everywhere or path in self._saving

    def end(self) -> None:
        """What was begun is done."""
        self._saving, self._everywhere = set(), False

    # -- what landings do

    def started(self, number: int, what: Written) -> None:
        """A landing is about to be written."""
        self.landing[number] = what
        self._overlap(what)

    def ended(self, number: int, *, landed: bool) -> None:
        """It is, or has been given up."""
        what = self.landing.pop(number, None)
        if what is not None and landed:
            self._overlap(what)
            self._turn(what.left - self.open, what.come - self.open)

    def _overlap(self, what: Written) -> None:
        self.open |= {line for line in what.left | what.come if self.at_work(line[1])}

    # -- what comes of it

    def wrong(self, tree: Tree) -> list[str]:
        """What is not as it has to be."""
        unsure = self.open.union(*(one.left | one.come for one in self.landing.values()))
        found = _all(tree)
        return [
            *(f"{name} is not in {path} any more" for name, path in sorted(self.there - found - unsure)),
            *(f"{name} is in {path}, where nobody put it" for name, path in sorted(found - self.there - unsure)),
        ]

    def rest(self, tree: Tree) -> None:
        """Everything is at rest: what was left open is as it is."""
        self._turn(self.open, self.open & _all(tree))
        self.open.clear()

    def _turn(self, left: Lines, come: Lines) -> None:
        self.there = (self.there - left) | come


def _lines(path: str, data: bytes | None) -> Lines:
    return {(name, path) for name in humans(names(data))}


def _all(tree: Tree) -> Lines:
    return Lines().union(*(_lines(path, data) for path, data in tree.items()))
