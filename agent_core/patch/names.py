"""Which names stand in a tree while a patch is applied to it, which are alike, and which a missing one may mean.

Some file systems take names for the same that differ by case or by the form of their accents (APFS, NTFS, ext4 folders
with casefold). Names are compared here as Unicode defines caseless matching (The Unicode Standard, 3.13, D145), so
that a patch never makes a project that such a file system cannot hold.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from heapq import nsmallest
from itertools import islice, takewhile
from unicodedata import normalize

_OFFERED = 3
_RANKED = 20
_COMPARED = 1000
_SEARCHES = 10


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
        self._new_folders: Counter[str] = Counter()
        self._gone: set[str] = set()
        self._children: dict[str, dict[str, list[str]]] = {}
        self._searches = 0

    def __contains__(self, path: object) -> bool:
        return path in self._new or (path in self._known and path not in self._gone)

    def is_old(self, path: str) -> bool:
        """Whether the tree has a file of exactly this name, whatever the patch does to it."""
        return path in self._known

    def add(self, path: str) -> None:
        """A file stands here from now on."""
        self._gone.discard(path)
        if path not in self._known and path not in self._new:
            self._new[path] = None
            self._new_folders.update(_above(path))

    def remove(self, path: str) -> None:
        """No file stands here any more."""
        if path in self._new:
            del self._new[path]
            self._new_folders.subtract(_above(path))
        self._gone.add(path)

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._known)

    @cached_property
    def _by_last_part(self) -> dict[str, list[str]]:
        """The tree's files by what their last part folds to."""
        files: dict[str, list[str]] = {}
        for name in self._sorted:
            files.setdefault(fold(name.rpartition("/")[2]), []).append(name)
        return files

    def _children_of(self, folder: str) -> dict[str, list[str]]:
        """The tree's files and folders directly in a folder, by what their last part folds to."""
        if folder not in self._children:
            children: dict[str, list[str]] = {}
            prefix = f"{folder}/" if folder else ""
            at = bisect_left(self._sorted, prefix)
            while at < len(self._sorted) and self._sorted[at].startswith(prefix):
                part, below, _ = self._sorted[at][len(prefix) :].partition("/")
                children.setdefault(fold(part), []).append(prefix + part)
                # Past all that is in a folder: "0" is the character after "/".
                at = bisect_left(self._sorted, f"{prefix}{part}0", at + 1) if below else at + 1
            self._children[folder] = children
        return self._children[folder]

    def _old_below(self, folder: str) -> Iterator[str]:
        """The tree's files in a folder and in its folders that are still there."""
        prefix = f"{folder}/" if folder else ""
        for at in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            name = self._sorted[at]
            if not name.startswith(prefix):
                break
            if name not in self._gone:
                yield name

    def below(self, folder: str) -> Iterator[str]:
        """The files in a folder and in its folders, those of the tree in order first."""
        yield from self._old_below(folder)
        yield from (name for name in self._new if not folder or name.startswith(f"{folder}/"))

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder of this name: one that has files."""
        return self._new_folders[path] > 0 or next(self._old_below(path), None) is not None

    def file_above(self, path: str) -> str:
        """The file that a path leads through, empty when there is none."""
        return next((folder for folder in _above(path) if folder in self), "")

    def alike(self, path: str) -> str:
        """Another file of the tree whose path differs from this one by case or form of accents only; else empty."""
        *_, (_, there) = self._walk(path)
        return next((name for name in there if name != path and name in self._known), "")

    def _walk(self, path: str) -> Iterator[tuple[str, list[str]]]:
        """A path's parts from the outside in, each with what the tree has there under names that fold to the same."""
        places = [""]
        for place in reversed([path, *_above(path)]):
            key = fold(place.rpartition("/")[2])
            places = [child for folder in places for child in self._children_of(folder).get(key, ())]
            yield place, places

    def collision(self, path: str) -> tuple[str, str] | None:
        """What a new path cannot stand beside where case and form of accents do not count.

        Args:
            path: A path that stands.

        Returns:
            The path up to the part that collides, and the file or folder it collides with; None when nothing does.
        """
        for place, there in self._walk(path):
            # A folder that the tree has beside its like is none of the patch's making.
            if place != path and place in there:
                continue
            others = [*there, self._places_of_new.get(fold(place), place)]
            other = next((name for name in others if name != place and (name in self or self.is_folder(name))), "")
            if other:
                return place, other
        return None

    @cached_property
    def _places_of_new(self) -> dict[str, str]:
        """Every new path and every folder above one, by what it folds to; the first of each."""
        places: dict[str, str] = {}
        for path in self._new:
            for place in (path, *_above(path)):
                if places.setdefault(fold(place), place) != place:
                    break
        return places

    def close(self, path: str) -> list[str]:
        """Names that a missing one may mean, likeliest first.

        First comes the same path with folders in front taken off or put there; then files of the same name in other
        folders, by how many folders agree from the end and how much the rest is alike; then names that are spelt
        much like it. When many names are missing only the first are looked for.
        """
        if self._searches >= _SEARCHES:
            return []
        self._searches += 1
        parts = path.split("/")
        found = [name for name in ("/".join(parts[at:]) for at in range(1, len(parts))) if name in self]
        named = [name for name in self._by_last_part.get(fold(parts[-1]), ()) if name in self and name != path]
        found += [name for name in named if name.endswith(f"/{path}")]
        same = nsmallest(_RANKED, named[:_COMPARED], key=lambda name: -_common(name, parts))
        same.sort(key=lambda name: (-_common(name, parts), -difflib.SequenceMatcher(None, name, path).ratio(), name))
        found += same
        if len(found) < _OFFERED:
            folder = next((folder for folder in _above(path) if self.is_folder(folder)), "")
            near = difflib.get_close_matches(path, islice(self.below(folder), _COMPARED), n=_OFFERED)
            found += [name for name in near if name != path]
        return list(dict.fromkeys(found))[:_OFFERED]


def _above(path: str) -> list[str]:
    """The folders above a path, from the inside out."""
    parts = path.split("/")
    return ["/".join(parts[:at]) for at in range(len(parts) - 1, 0, -1)]


def _common(name: str, parts: Sequence[str]) -> int:
    """How many parts a path has in common with another one from the end."""
    pairs = zip(reversed(name.split("/")), reversed(parts), strict=False)
    return sum(1 for _ in takewhile(lambda pair: fold(pair[0]) == fold(pair[1]), pairs))
