"""Finding paths by a few letters of them: quick for 100,000 paths, and the file one means comes first.

Files whose name begins with the letters come before those whose name has them in it, then those whose path has them,
then those in which the letters follow each other with gaps. Among equals the shorter path wins.
"""

from __future__ import annotations

import heapq
import itertools
import re
from collections.abc import Iterable, Sequence

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
        self.paths = sorted(sorted(paths), key=len)
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
            rest = sorted(self.paths[: 20 * most], key=lambda path: path.count("/"))
            return list(dict.fromkeys([*first, *rest]))[:most]
        prefer = frozenset(first)
        lower, names = self._lower, self._name_at

        def best(found: Iterable[int]) -> list[int]:
            """Those that matter now, then the shorter ones: as many as are still wanted."""
            found = list(found)
            matter = [index for index in found if self.paths[index] in prefer] if prefer else []
            return list(dict.fromkeys([*matter, *itertools.islice(found, most)]))[: most - len(chosen)]

        # A worse class is not looked at while a better one suffices.
        chosen: list[int] = []
        inside = [index for index, path in enumerate(lower) if wanted in path]
        chosen += best(index for index in inside if lower[index].startswith(wanted, names[index]))
        if len(chosen) < most:
            known = set(chosen)
            chosen += best(index for index in inside if index not in known and wanted in lower[index][names[index] :])
        if len(chosen) < most:
            known = set(chosen)
            chosen += best(index for index in inside if index not in known)
        if len(chosen) < most and len(wanted) > 1:

            def badness(index: int) -> tuple[bool, int, int]:
                return self.paths[index] not in prefer, _spread(wanted, lower[index]), index

            chosen += heapq.nsmallest(most - len(chosen), self._with_gaps(wanted), key=badness)
        return [self.paths[index] for index in chosen]

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
