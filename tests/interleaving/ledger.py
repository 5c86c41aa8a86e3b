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

Tree = Mapping[str, bytes]
_NAME = re.compile(rb"\b[hbp]\d+(?= *=)")


def names(data: bytes | None) -> Counter[str]:
    """The lines that a text holds, by name."""
    return Counter(one.decode() for one in _NAME.findall(data or b""))


def humans(found: Iterable[str]) -> set[str]:
    """Those of them that a human wrote."""
    return {one for one in found if not one.startswith("p")}


class Written(msgspec.Struct, frozen=True):
    """What a landing does to lines, all files together, and to those of each file.

    Attributes:
        removed: Lines that are fewer after it.
        added: Lines that are more after it.
        touched: By path, the human's lines that come or go.
        home: Where lines that come stand.
    """

    removed: Counter[str]
    added: Counter[str]
    touched: dict[str, set[str]]
    home: dict[str, str]


def written(files: Iterable[tuple[str, bytes | None, bytes | None]]) -> Written:
    """What a landing does, given path, content before and after of each of its files."""
    before, after = Counter[str](), Counter[str]()
    touched: dict[str, set[str]] = {}
    home: dict[str, str] = {}
    for path, old, new in files:
        was, now = names(old), names(new)
        before, after = before + was, after + now
        touched[path] = humans((was - now) | (now - was))
        home |= dict.fromkeys(humans(now), path)
    return Written(before - after, after - before, touched, home)


class Ledger:
    """Follows the human's lines.

    Args:
        tree: The files there are.
    """

    def __init__(self, tree: Tree) -> None:
        self.home: dict[str, str] = {}
        self.gone: set[str] = set()
        self.open: set[str] = set()
        self.landing: dict[int, Written] = {}
        self._saving: set[str] = set()
        self._everywhere = False
        for path, data in tree.items():
            self._put(path, humans(names(data)))

    # -- what the human does

    def begin(self, *paths: str, everywhere: bool = False) -> None:
        """The human begins to write files, or git does for them."""
        self._saving, self._everywhere = set(paths), everywhere
        for one in self.landing.values():
            self._overlap(one)

    def saved(self, path: str, old: bytes | None, new: bytes | None) -> None:
        """The human has put one content in the place of another that they had read; None for no file."""
        self._drop(humans(names(old)) - humans(names(new)), path)
        self._put(path, humans(names(new)))

    def moved_by_git(self, before: Tree, after: Tree) -> None:
        """Git has made one tree of another, at the human's word."""
        old, new = _homes(before), _homes(after)
        self._drop(old.keys() - new.keys())
        for name, paths in new.items():
            if self.home.get(name) not in paths:
                self._put(min(paths), {name})

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
        if what is None or not landed:
            return
        self._overlap(what)
        self._drop(humans(what.removed) - self.open)
        for name, path in what.home.items():
            if name in what.added or (name in self.home and self.home[name] in what.touched):
                self._put(path, {name} - self.open)

    def _overlap(self, what: Written) -> None:
        for path, touched in what.touched.items():
            if self.at_work(path):
                self.open |= touched

    # -- what comes of it

    def wrong(self, tree: Tree) -> list[str]:
        """What is not as it has to be."""
        found = _homes(tree)
        unsure = self.open.union(*(names for one in self.landing.values() for names in one.touched.values()))
        lost = [
            f"{name} is not in {path} but {', '.join(found.get(name, {'nowhere'}))}"
            for name, path in sorted(self.home.items())
            if path not in found.get(name, ()) and name not in unsure
        ]
        back = sorted((self.gone - unsure) & found.keys())
        return lost + [f"{name} was deleted and is back in {', '.join(found[name])}" for name in back]

    def rest(self, tree: Tree) -> None:
        """Everything is at rest: what was left open is as it is."""
        found = _homes(tree)
        for name in self.open:
            if name in found:
                self._put(min(found[name]), {name})
            else:
                self._drop({name})
        self.open.clear()

    def _put(self, path: str, found: Iterable[str]) -> None:
        for name in found:
            self.home[name] = path
            self.gone.discard(name)

    def _drop(self, found: Iterable[str], path: str = "") -> None:
        for name in found:
            if not path or self.home.get(name) == path:
                self.home.pop(name, None)
                self.gone.add(name)


def _homes(tree: Tree) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path, data in tree.items():
        for name in humans(names(data)):
            found.setdefault(name, set()).add(path)
    return found
