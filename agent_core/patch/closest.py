"""What to tell about a hunk that is nowhere in its file: the closest place, or that it is there already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from agent_core.patch.document import Document
from agent_core.patch.levels import LEVELS, SHIFTED
from agent_core.patch.line_diff import changed_ranges
from agent_core.patch.operations import HunkLine
from agent_core.patch.place import WORD, span

# What stands at more places than this does not tell where a hunk belongs.
_COMMON = 60
# Looking up a word takes one pass over the file.
_MOST_WORDS = 24
_SHOWN = 14


def already_there(document: Document, hunk: Sequence[HunkLine]) -> str | None:
    """Whether a hunk's new lines stand in the file, as if it had been applied.

    Args:
        document: The file.
        hunk: The hunk's lines.

    Returns:
        Where, in words; None when they are not there or say too little to tell.
    """
    new = [line.text for line in hunk if line.sign != "-"]
    if not any(line.sign == "+" and WORD.search(line.text) for line in hunk):
        return None
    for level in LEVELS:
        starts = document.find(level, list(map(level.key, new)))
        if starts:
            return " and ".join(span(start + 1, start + len(new)) for start in starts[:3])
    return None


def closest_place(document: Document, old: Sequence[str]) -> str:
    """Describe the place in a file that is most like some lines.

    Every line and every rare word of `old` votes for the places where it would put the first line.

    Args:
        document: The file.
        old: What was looked for.

    Returns:
        A sentence with line numbers and a small diff; empty when nothing is like it.
    """
    start = _vote(document, old)
    if start is None:
        return ""
    first, last = max(start, 0), min(start + len(old), document.length)
    there = document.lines[first:last]
    changed = _compare(old, there)
    legend = "'-' is the patch, '+' is the file"
    if sum(line[:1] != " " for line in changed) > len(old) + len(there) // 2:
        # Where nearly all differs the file's own lines say more than a diff does.
        changed, legend = [f"  {line}" for line in there], "as the file has it"
    if len(changed) > _SHOWN:
        changed = [*_from_first_difference(changed), "  ..."]
    listing = "\n".join(f"    {line}" for line in changed)
    return f"The closest place is {span(first + 1, last)} ({legend}):\n{listing}"


def _from_first_difference(changed: Sequence[str]) -> list[str]:
    """As many lines as are shown, with the first that differs among them."""
    first = next((at for at, line in enumerate(changed) if line[0] != " "), 0)
    skip = max(first - 3, 0)
    return [*(["  ..."] if skip else []), *changed[skip : skip + _SHOWN]]


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


def _vote(document: Document, old: Sequence[str]) -> int | None:
    """The line of the file where the first of some lines would stand, by what most of them say."""
    votes: Counter[int] = Counter()
    strange: list[int] = []
    for key, positions in _positions(list(map(SHIFTED.key, old))).items():
        found = document.find(SHIFTED, [key], _COMMON)
        if not found:
            strange += positions
        elif len(found) <= _COMMON:
            for at in positions:
                votes.update({place - at: 4 for place in found})
    for word, positions in _rare_words(old, sorted(strange)):
        places = _places(document, word)
        for at in positions:
            votes.update(place - at for place in places)
    if not votes:
        return None
    best = max(votes.values())
    return min(start for start, count in votes.items() if count == best)


def _positions(keys: Sequence[str]) -> dict[str, list[int]]:
    """Where each line that says something stands among some lines."""
    found: dict[str, list[int]] = {}
    for at, key in enumerate(keys):
        if key:
            found.setdefault(key, []).append(at)
    return found


def _rare_words(old: Sequence[str], strange: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
    """The words most likely to tell where lines belong that are not in the file, with where they stand."""
    places: dict[str, list[int]] = {}
    for at in strange:
        for word in set(WORD.findall(old[at])):
            places.setdefault(word, []).append(at)
    # Few lines have it, and it is long; from each line in turn, so that all of the hunk has a say.
    by_line = {at: sorted(set(WORD.findall(old[at])), key=lambda w: (len(places[w]), -len(w), w)) for at in strange}
    chosen: dict[str, None] = {}
    for rank in range(max(map(len, by_line.values()), default=0)):
        words = [words[rank] for words in by_line.values() if rank < len(words)]
        stride = -(-len(words) // max(_MOST_WORDS - len(chosen), 1))
        chosen.update(dict.fromkeys(words[::stride]))
        if len(chosen) >= _MOST_WORDS:
            break
    for word in chosen:
        yield word, places[word]


def _places(document: Document, word: str) -> list[int]:
    """The lines that have a word, unless many do."""
    view = document.view(SHIFTED)
    found: list[int] = []
    counted = line = 0
    at = view.find(word)
    while at >= 0:
        line += view.count("\n", counted, at)
        counted = at
        if not found or found[-1] != line - 1:
            found.append(line - 1)
        if len(found) > _COMMON:
            return []
        at = view.find(word, at + len(word))
    return found
