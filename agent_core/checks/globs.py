"""Globs on the paths of a project: ``*`` and ``?`` within a name, ``**`` over folders, ``[...]``, ``{a,b}``."""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Iterable, Sequence

_MOST_ALTERNATIVES = 200
_BRACES = re.compile(r"\{([^{}]*)\}")

# Folder names and the file's one after another; None stands for any number of folders.
_Pattern = tuple[re.Pattern[str] | None, ...]


def matching(globs: Sequence[str], paths: Iterable[str]) -> tuple[str, ...]:
    """The paths that at least one of the globs matches, in their order.

    Args:
        globs: Patterns for whole paths, relative to the project; one without a ``/`` is for names in any folder, one
            that ends with ``/`` is for everything below.
        paths: Relative paths with ``/``.
    """
    patterns = [pattern for glob in globs for pattern in _parsed(glob)]
    return tuple(path for path in paths if any(_fits(pattern, path.split("/")) for pattern in patterns))


def _fits(pattern: _Pattern, names: Sequence[str]) -> bool:
    """Follows all ways at once, so that no pattern takes long."""
    places = _opened({0}, pattern)
    for name in names:
        stepped = set()
        for place in places:
            if place < len(pattern):
                part = pattern[place]
                if part is None:
                    stepped.add(place)
                elif part.match(name):
                    stepped.add(place + 1)
        places = _opened(stepped, pattern)
    return len(pattern) in places


def _opened(places: set[int], pattern: _Pattern) -> set[int]:
    """The same places, and those behind a ``**`` that stands for no folder."""
    for place in sorted(places):
        behind = place
        while behind < len(pattern) - 1 and pattern[behind] is None:
            behind += 1
            places.add(behind)
    return places


@functools.lru_cache(maxsize=1000)
def _parsed(glob: str) -> tuple[_Pattern, ...]:
    found = []
    for text in _alternatives(glob.removeprefix("./")):
        parts = text.split("/")
        if len(parts) == 1:
            parts.insert(0, "**")
        if not parts[-1]:
            parts[-1] = "*"
            parts.insert(-1, "**")
        elif parts[-1] == "**":
            parts.append("*")
        # fnmatch's expressions do not go back over what a star has taken.
        found.append(tuple(None if part == "**" else re.compile(fnmatch.translate(part)) for part in parts))
    return tuple(found)


def _alternatives(glob: str) -> list[str]:
    """The globs that one with braces stands for; as it is where they are too many."""
    waiting, done = [glob], []
    while waiting:
        text = waiting.pop()
        braces = _BRACES.search(text)
        if braces is None:
            done.append(text)
        else:
            waiting += [text[: braces.start()] + part + text[braces.end() :] for part in braces[1].split(",")]
        if len(waiting) + len(done) > _MOST_ALTERNATIVES:
            return [glob]
    return done
