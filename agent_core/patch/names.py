"""Which names stand in a tree while a patch is applied to it, which are alike, and which a missing one may mean.

Some file systems take names for the same that differ by case or by the form of their accents (APFS, NTFS, ext4 folders
with casefold). Names are compared here as Unicode defines caseless matching (The Unicode Standard, 3.13, D145), so
that a patch never makes a project that such a file system cannot hold.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from heapq import nsmallest
from itertools import islice, takewhile
from unicodedata import normalize

_OFFERED = 3
_RANKED = 20
_COMPARED = 1000
_SEARCHES = 5


def fold(name: str) -> str:
    """What names have in common that a file system may take for the same."""
    return name.lower() if name.isascii() else normalize("NFD", normalize("NFD", name).casefold())


class Names:
    """The names of a tree's files, and what a patch does to them.

    The tree's names are gone through once, when a name is first found missing or new.

    Args:
        known: Paths of the tree's files.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._known = known if isinstance(known, AbstractSet | Mapping) else frozenset(known)
        self._new: dict[str, None] = {}
        self._gone: set[str] = set()
        self._searches = 0

    def __contains__(self, path: object) -> bool:
        return path in self._new or (path in self._known and path not in self._gone)

    def add(self, path: str) -> None:
        """A file stands here from now on."""
        self._gone.discard(path)
        if path not in self._known:
            self._new[path] = None

    def remove(self, path: str) -> None:
        """No file stands here any more."""
        self._new.pop(path, None)
        self._gone.add(path)

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._known)

    @cached_property
    def _alike(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """Files of the tree by their folded last part, and its folders by their folded path."""
        files: dict[str, list[str]] = {}
        parents: set[str] = set()
        for name in self._sorted:
            parent, _, base = name.rpartition("/")
            files.setdefault(fold(base), []).append(name)
            parents.add(parent)
        folders: dict[str, list[str]] = {}
        seen = {""}
        for folder in sorted(parents):
            while folder not in seen:
                seen.add(folder)
                folders.setdefault(fold(folder), []).append(folder)
                folder = folder.rpartition("/")[0]  # noqa: PLW2901 - up to the root
        return files, folders

    def below(self, folder: str) -> Iterator[str]:
        """The files in a folder and in its folders, those of the tree in order first."""
        prefix = f"{folder}/" if folder else ""
        for at in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            name = self._sorted[at]
            if not name.startswith(prefix):
                break
            if name not in self._gone:
                yield name
        yield from (name for name in self._new if name.startswith(prefix))

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder of this name: one that has files."""
        return next(self.below(path), None) is not None

    def file_above(self, path: str) -> str:
        """The file that a path leads through, empty when there is none."""
        parent = path.rpartition("/")[0]
        while parent and parent not in self:
            parent = parent.rpartition("/")[0]
        return parent

    def alike(self, path: str) -> str:
        """Another file of the tree whose path differs from this one by case or form of accents only; else empty."""
        key = fold(path)
        files = self._alike[0].get(fold(path.rpartition("/")[2]), ())
        return next((name for name in files if name != path and fold(name) == key), "")

    def collision(self, path: str) -> tuple[str, str] | None:
        """What a new path cannot stand beside where case and form of accents do not count.

        Args:
            path: A path that stands.

        Returns:
            The path up to the part that collides, and the file or folder it collides with; None when nothing does.
        """
        place = path
        found: tuple[str, str] | None = None
        while place:
            key = fold(place)
            files, folders = self._alike
            others = [name for name in files.get(fold(place.rpartition("/")[2]), ()) if fold(name) == key]
            others = [name for name in (*others, *folders.get(key, ())) if name != place and self._stands(name)]
            if others and not (place != path and self._was_folder(place)):
                found = place, others[0]
            place = place.rpartition("/")[0]
        return found or self._collision_of_new(path)

    def _stands(self, name: str) -> bool:
        return name in self or self.is_folder(name)

    def _was_folder(self, place: str) -> bool:
        return place in self._alike[1].get(fold(place), ())

    @cached_property
    def _places_of_new(self) -> dict[str, str]:
        """Every new path and every folder above one, by what it folds to; the first of each."""
        places: dict[str, str] = {}
        for path in self._new:
            place = path
            while place and places.setdefault(fold(place), place) == place:
                place = place.rpartition("/")[0]
        return places

    def _collision_of_new(self, path: str) -> tuple[str, str] | None:
        place = path
        while place:
            other = self._places_of_new.get(fold(place), place)
            if other != place and not self._was_folder(place):
                return place, other
            place = place.rpartition("/")[0]
        return None

    def close(self, path: str) -> list[str]:
        """Names that a missing one may mean, likeliest first.

        First come files of the same name in other folders, by how many folders agree from the end and how much the
        rest is alike; then names that are spelt much like it.
        """
        tail = fold(path).split("/")[::-1]
        named = self._alike[0].get(fold(path.rpartition("/")[2]), ())
        same = nsmallest(
            _RANKED, (name for name in named if name in self and name != path), key=lambda name: -_common(name, tail)
        )
        same.sort(key=lambda name: (-_common(name, tail), -difflib.SequenceMatcher(None, name, path).ratio(), name))
        if len(same) >= _OFFERED or self._searches >= _SEARCHES:
            return same[:_OFFERED]
        self._searches += 1
        folder = path.rpartition("/")[0]
        while folder and not self.is_folder(folder):
            folder = folder.rpartition("/")[0]
        near = difflib.get_close_matches(path, islice(self.below(folder), _COMPARED), n=_OFFERED)
        return list(dict.fromkeys([*same, *(name for name in near if name != path)]))[:_OFFERED]


def _common(name: str, tail: Sequence[str]) -> int:
    """How many parts a path has in common with another one, whose folded parts are given from the end."""
    parts = zip(reversed(fold(name).split("/")), tail, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], parts))
