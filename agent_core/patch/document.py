r"""The text of a file as hunks are looked up in it: searched as one string, split into lines only when it must be.

A hunk's old lines, joined, are searched for by ``str.find`` in the file's text, which looks at a fraction of its
characters. The lenient levels do the same in a copy of the text in which every line is what it counts as there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

from agent_core.patch.encoding import MARK
from agent_core.patch.levels import EXACT, SHIFTED, Level, spaceless, typographic

# A hunk that stands at more places than this says nothing; they need not all be known.
_MOST_PLACES = 50_000
# Places of all hunks together, and characters of all places of one: what is long is not looked for over and over.
_MOST_IN_ALL = 250_000
_MOST_CHARACTERS = 5_000_000
# After so many searches an index of the lines is worth its while; lines at more places than this need none.
_MANY = 64
_RARE = 1_000


class Document:
    r"""A file's text, its lines, and where runs of lines stand in it.

    Lines end with ``\n`` or ``\r\n``; only in a text without any ``\n`` with ``\r`` (as on old Macs).

    Args:
        text: The text; a byte order mark at its start belongs to no line.
        hunks: How many hunks are looked up in it.
    """

    def __init__(self, text: str, hunks: int = 1) -> None:
        self._share = min(_MOST_PLACES, max(_MOST_IN_ALL // max(hunks, 1), 50))
        self._searches: Counter[str] = Counter()
        self._index: dict[str, dict[str, list[int]]] = {}
        self.bom = MARK if text.startswith(MARK) else ""
        self.body = text[len(self.bom) :]
        self.separator = "\r" if "\r" in self.body and "\n" not in self.body else "\n"
        self._views: dict[str, str] = {}
        self._keys: dict[str, list[str]] = {}
        # Lines whose offsets are known, ascending, and the offsets: in each view of the line's "\n" in front, in the
        # body of its first character. In a body without "\r" that is the same number as in the exact view.
        self._marks: dict[str, tuple[list[int], list[int]]] = {}
        self._offsets = "body" if "\r" in self.body else EXACT.view

    @cached_property
    def lines(self) -> list[str]:
        """Its lines without their endings."""
        return _lines(self.view(EXACT))

    @cached_property
    def length(self) -> int:
        """How many lines it has."""
        return self.view(EXACT).count("\n") - 1

    @cached_property
    def step(self) -> int | None:
        """By how many blanks it mostly indents a line below the one before; None when it never does."""
        depths = [len(line) - len(line.lstrip(" ")) for line in self.lines if line.strip()]
        steps = Counter(below - above for above, below in pairwise(depths) if below - above > 1)
        return steps.most_common(1)[0][0] if steps else None

    def view(self, level: Level) -> str:
        r"""All lines as they count at a level, every one of them between two ``\n``."""
        if level.view not in self._views:
            self._views[level.view] = self._make_view(level)
        return self._views[level.view]

    def keys(self, level: Level) -> list[str]:
        """The lines as they count at a level."""
        if level.view not in self._keys:
            self._keys[level.view] = _lines(self.view(level))
        return self._keys[level.view]

    def most_places(self, wanted: Sequence[str]) -> int:
        """How many places of some lines are found at most; where there are more of them they tell nothing."""
        return min(self._share, max(_MOST_CHARACTERS // (sum(map(len, wanted)) + len(wanted)), 2))

    def find(self, level: Level, wanted: Sequence[str], most: int | None = None) -> list[int]:
        """Where some lines stand.

        Args:
            level: How lines are compared.
            wanted: The lines, at least one, as they count at that level.
            most: More places than this need not all be found; `most_places` by default.

        Returns:
            0-based first lines, ascending; at most `most` and one more.
        """
        most = self.most_places(wanted) if most is None else most
        known = self._looked_up(level, wanted)
        if known is not None:
            return known[: most + 1]
        view = self.view(level)
        needle = "\n" + "\n".join(wanted) + "\n"
        found: list[int] = []
        at = view.find(needle)
        if at < 0:
            return found
        lines, offsets = self._marks.setdefault(level.view, ([0], [0]))
        mark = bisect_right(offsets, at) - 1
        line, counted = lines[mark], offsets[mark]
        while at >= 0 and len(found) <= most:
            line += view.count("\n", counted, at)
            counted = at
            found.append(line)
            at = view.find(needle, at + 1)
        if counted > offsets[mark]:
            lines.insert(mark + 1, line)
            offsets.insert(mark + 1, counted)
        return found

    def _looked_up(self, level: Level, wanted: Sequence[str]) -> list[int] | None:
        """Where some lines stand, by an index of all lines; None where searching the text is quicker."""
        self._searches[level.view] += 1
        if self._searches[level.view] < _MANY:
            return None
        keys = self.keys(level)
        if level.view not in self._index:
            index = self._index[level.view] = {}
            for at, key in enumerate(keys):
                index.setdefault(key, []).append(at)
        index = self._index[level.view]
        rarest, places = min(
            ((number, index.get(key, [])) for number, key in enumerate(wanted)), key=lambda item: len(item[1])
        )
        if len(places) > _RARE:
            return None
        lines, count = list(wanted), len(wanted)
        return [at - rarest for at in places if at >= rarest and keys[at - rarest : at - rarest + count] == lines]

    def offset(self, line: int) -> int:
        """Where a line begins in the body; the end of the body for the line after the last."""
        lines, offsets = self._marks.setdefault(self._offsets, ([0], [0]))
        mark = bisect_right(lines, line) - 1
        at = offsets[mark]
        for _ in range(line - lines[mark]):
            at = self.body.find(self.separator, at) + 1
            if not at:
                return len(self.body)
        if line > lines[mark]:
            lines.insert(mark + 1, line)
            offsets.insert(mark + 1, at)
        return at

    def _make_view(self, level: Level) -> str:
        if level.view == "exact":
            body = self.body.replace("\r", "\n") if self.separator == "\r" else self.body
            body = body.replace("\r\n", "\n") if "\r" in body else body
            return "\n" + body if body.endswith("\n") or not body else f"\n{body}\n"
        exact = self.view(EXACT)
        if level.view == "ends":
            return _joined(list(map(str.rstrip, self.lines)))
        if level.view == "strip":
            return _joined(list(map(str.strip, self.lines)))
        # What is plain already need not be made so.
        plain = exact if exact.isascii() and "\r" not in exact else typographic(exact)
        if level.view == "typographic":
            if plain is exact:
                return self.view(SHIFTED)
            return _joined(list(map(str.strip, _lines(plain))))
        return _joined(list(map(spaceless, _lines(plain))))


def _lines(view: str) -> list[str]:
    return view[1:-1].split("\n") if len(view) > 1 else []


def _joined(keys: Sequence[str]) -> str:
    return "\n" + "\n".join(keys) + "\n" if keys else "\n"
