"""The map of a project: its files' most important names for a task, within a budget."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from agent_core.symbols.rank import Ranked, Wish, rank
from agent_core.symbols.tags import Definition, Tags
from agent_core.text import estimate_tokens, printable

_MOST_OF_FILE = 12
"""One file does not fill the map."""
_MOST_FILES = 200


def draw(files: Mapping[str, Tags], wish: Wish, tokens: int, *, without: Collection[str] = ()) -> str:
    """The map: each file with some of its definitions, those that matter most for the task first.

    Args:
        files: What the files have, by path.
        wish: What it is for.
        tokens: Most tokens of the map.
        without: Files that are shown elsewhere.

    Returns:
        Files, the most important first, and below each its names by line. Empty when there is nothing to draw, or no
        room.
    """
    scores, ranked = rank(files, wish)
    order = sorted((path for path in scores if files[path].definitions), key=lambda path: (-scores[path], path))
    order = [path for path in order if path not in without][:_MOST_FILES]
    chosen = _chosen(order, ranked, tokens)
    return "\n".join(line for path in order if path in chosen for line in (_heading(path), *_lines(chosen[path])))


def outlined(definitions: Sequence[Definition]) -> str:
    """The definitions of a file by line, those in others farther in."""
    return "\n".join(_lines(definitions))


def _heading(path: str) -> str:
    return f"{_plain(path)}:"


def _plain(path: str) -> str:
    return printable(path).replace("\n", "\u240a")


def _lines(definitions: Sequence[Definition]) -> list[str]:
    return [
        f"{one.line:>5} {'  ' * one.depth}{one.head}"
        for one in sorted(definitions, key=lambda one: (one.line, one.name))
    ]


def _chosen(order: Sequence[str], ranked: Sequence[Ranked], tokens: int) -> dict[str, list[Definition]]:
    """Which definitions to show: first the best one of each of the best files, then the best of all that are left."""
    by_file: dict[str, list[Ranked]] = {path: [] for path in order}
    for one in ranked:
        if one.path in by_file:
            by_file[one.path].append(one)
    chosen: dict[str, list[Definition]] = {}
    left = tokens
    # Half of the room is for knowing of many files, half for knowing more of the best.
    for path in order:
        if not by_file[path]:
            continue
        best = by_file[path][0].definition
        cost = estimate_tokens(f"{_heading(path)}\n{_lines([best])[0]}\n")
        if left - cost < (tokens // 2 if chosen else 0):
            break
        chosen[path] = [best]
        left -= cost
    for one in ranked:
        mine = chosen.get(one.path)
        if mine is None or len(mine) >= _MOST_OF_FILE or any(other is one.definition for other in mine):
            continue
        cost = estimate_tokens(f"{_lines([one.definition])[0]}\n")
        if cost > left:
            continue
        mine.append(one.definition)
        left -= cost
    return chosen
