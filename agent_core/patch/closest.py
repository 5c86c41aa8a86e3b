"""What to tell about a hunk that is nowhere in its file: the closest place, or that it is there already."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from agent_core.patch.line_diff import changed_ranges
from agent_core.patch.operations import HunkLine

_WORD = re.compile(r"\w+")
_COMMON = 60
_SHOWN = 14


def already_there(lines: Sequence[str], hunk: Sequence[HunkLine]) -> tuple[int, int] | None:
    """Whether a hunk's new lines stand in the file, as if it had been applied.

    Args:
        lines: The file's lines without endings.
        hunk: The hunk's lines.

    Returns:
        First and last line, 1-based; None when they are not there or say too little to tell.
    """
    new = [line.text.rstrip() for line in hunk if line.sign != "-"]
    if not any(line.sign == "+" and line.text.strip() for line in hunk):
        return None
    stripped = [line.rstrip() for line in lines]
    for start in range(len(stripped) - len(new) + 1):
        if stripped[start] == new[0] and stripped[start : start + len(new)] == new:
            return start + 1, start + len(new)
    return None


def span(first: int, last: int) -> str:
    """A range of lines in words."""
    return f"line {first}" if first == last else f"lines {first}-{last}"


def closest_place(lines: Sequence[str], old: Sequence[str]) -> str:
    """Describe the place in a file that is most like some lines.

    Every line and every rare word of `old` votes for the places where it would put the first line.

    Args:
        lines: The file's lines without endings.
        old: What was looked for.

    Returns:
        A sentence with line numbers and a small diff; empty when nothing is like it.
    """
    start = _vote(lines, old)
    if start is None:
        return ""
    first, last = max(start, 0), min(start + len(old), len(lines))
    there = lines[first:last]
    changed = _compare(old, there)
    legend = "'-' is the patch, '+' is the file"
    if sum(line[:1] != " " for line in changed) > len(old) + len(there) // 2:
        # Where nearly all differs the file's own lines say more than a diff does.
        changed, legend = [f"  {line}" for line in there], "as the file has it"
    if len(changed) > _SHOWN:
        changed = [*changed[:_SHOWN], "  ..."]
    listing = "\n".join(f"    {line}" for line in changed)
    return f"The closest place is {span(first + 1, last)} ({legend}):\n{listing}"


def _compare(old: Sequence[str], there: Sequence[str]) -> list[str]:
    """All lines of both, signed by where they stand."""
    out: list[str] = []
    at = 0
    for a, b, c, d in changed_ranges(old, there):
        out += [f"  {line}" for line in old[at:a]]
        out += [f"- {line}" for line in old[a:b]]
        out += [f"+ {line}" for line in there[c:d]]
        at = b
    return out + [f"  {line}" for line in old[at:]]


def _vote(lines: Sequence[str], old: Sequence[str]) -> int | None:
    places: dict[str, list[int]] = {}
    wanted: dict[str, list[int]] = {}
    for at, line in enumerate(old):
        for token in _tokens(line):
            wanted.setdefault(token, []).append(at)
    for at, line in enumerate(lines):
        for token in _tokens(line):
            if token in wanted:
                places.setdefault(token, []).append(at)
    votes: Counter[int] = Counter()
    for token, found in places.items():
        if len(found) > _COMMON:
            continue
        for at in wanted[token]:
            for place in found:
                votes[place - at] += 4 if token.startswith("=") else 1
    if not votes:
        return None
    best = max(votes.values())
    return min(start for start, count in votes.items() if count == best)


def _tokens(line: str) -> set[str]:
    """What a line is known by: its whole text (marked by ``=``) and its words."""
    text = line.strip()
    return {f"={text}", *_WORD.findall(text)} if text else set()
