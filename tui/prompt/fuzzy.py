"""Finding paths by a few letters of them: quick for 100,000 paths, and the file one means comes first.

Files whose name begins with the letters come before those whose name has them in it, then those whose path has them,
then those in which the letters follow each other with gaps. Among equals the shorter path wins.
"""

from __future__ import annotations

import heapq
import itertools
import re
from collections.abc import Sequence

_MOST_SPREAD = 2_000
_BOUNDARY = "/_-. "


def _spread(needle: str, path: str) -> int:
    """How badly letters with gaps fit a path: less where they lie close together and begin words; from the end on."""
    at = len(path)
    cost = 0
    for letter in reversed(needle):
        found = path.rfind(letter, 0, at)
        if found < 0:
            return 1_000_000
        begins = found == 0 or path[found - 1] in _BOUNDARY
        cost += (at - found - 1) * (1 if begins else 2)
        at = found
    return cost


class PathIndex:
    """Paths that can be searched.

    Args:
        paths: Relative paths, with ``/``.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        # Shorter ones first, so that where there are too many to look at, those that are looked at matter more.
        self.paths = sorted(paths, key=lambda path: (len(path), path))
        self._lower = [path.lower() for path in self.paths]
        self._name_at = [path.rfind("/") + 1 for path in self.paths]

    def search(self, needle: str, most: int = 50, first: Sequence[str] = ()) -> list[str]:
        """The paths that fit some letters best.

        Args:
            needle: The letters; capitals do not matter.
            most: How many to give.
            first: Paths that matter now: they are given for no letters at all, and win among equals.

        Returns:
            The best first.
        """
        wanted = needle.lower().replace(" ", "")
        if not wanted:
            rest = heapq.nsmallest(most, self.paths, key=lambda path: (path.count("/"), len(path), path))
            return list(dict.fromkeys([*first, *rest]))[:most]
        prefer = frozenset(first)
        lower, names = self._lower, self._name_at
        inside = [index for index, path in enumerate(lower) if wanted in path]
        ranked: list[tuple[int, int]] = []  # a worse class is not looked at while a better one suffices
        begins = [index for index in inside if lower[index].startswith(wanted, names[index])]
        ranked += [(0, index) for index in begins]
        if len(ranked) < most:
            ranked += [
                (1, index)
                for index in inside
                if not lower[index].startswith(wanted, names[index]) and wanted in lower[index][names[index] :]
            ]
        if len(ranked) < most:
            known = {index for _, index in ranked}
            ranked += [(2, index) for index in inside if index not in known]

        def key(entry: tuple[int, int]) -> tuple[int, bool, int, int]:
            rank, index = entry
            return rank, self.paths[index] not in prefer, 0 if rank < 3 else _spread(wanted, lower[index]), index

        if len(ranked) < most and len(wanted) > 1:
            ranked += [(3, index) for index in self._with_gaps(wanted)]
        return [self.paths[index] for _, index in heapq.nsmallest(most, ranked, key=key)]

    def _with_gaps(self, wanted: str) -> list[int]:
        """Paths in which the letters follow each other, but not all at once."""
        # Most paths lack one of the letters, which is found out far quicker than their order.
        rest: Sequence[int] = range(len(self._lower))
        lower = self._lower
        for letter in sorted(set(wanted), key="etaoinsrlhducpmfgybwvkjxqz_/.".find):
            rest = [index for index in rest if letter in lower[index]]
        between = "".join(f"[^{re.escape(letter)}]*{re.escape(letter)}" for letter in wanted[1:])
        follow = re.compile(re.escape(wanted[0]) + between).search
        fits = (index for index in rest if wanted not in lower[index] and follow(lower[index]))
        return list(itertools.islice(fits, _MOST_SPREAD))
