"""Finding the one place in a file that a hunk means, or saying why there is none.

A hunk's old lines are compared with the file at four levels, each over the whole hunk: exact; blanks at line ends
ignored; indentation shifted by a constant; typographic quotes, dashes and blanks read as plain ones. The first level
that matches anywhere counts. There the place must be unique, or be made so by the ``@@`` lines, by the line number
of a unified diff's ``@@``, or by the order of the hunks, which stand from top to bottom. The first of several
matches is never just taken.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from agent_core.patch.closest import already_there, closest_place, span
from agent_core.patch.levels import LEVELS, Index, Shift, find_shift
from agent_core.patch.operations import Hunk, HunkLine
from agent_core.patch.scopes import REACHES, find_scopes, in_scope


class Place(msgspec.Struct, frozen=True):
    """Where a hunk goes.

    Attributes:
        start: 0-based index of the first line of the file that the hunk covers.
        lines: The hunk's lines that count: without blank ones at its end that were mere spacing.
        shift: What its new lines need to fit the file's indentation.
    """

    start: int
    lines: tuple[HunkLine, ...]
    shift: Shift = Shift()

    @property
    def length(self) -> int:
        """How many lines of the file it covers."""
        return sum(line.sign != "+" for line in self.lines)

    @property
    def core(self) -> tuple[int, int]:
        """The half-open range of file lines between its first and its last change."""
        lead = next(index for index, line in enumerate(self.lines) if line.sign != " ")
        trail = next(index for index, line in enumerate(reversed(self.lines)) if line.sign != " ")
        return self.start + lead, self.start + self.length - trail


class Unplaced(msgspec.Struct, frozen=True):
    """Why a hunk has no place, written so that its author can mend it."""

    reason: str


def locate(lines: Sequence[str], hunks: Sequence[Hunk]) -> tuple[Place | Unplaced, ...]:
    """Find the place of every hunk of one file.

    Args:
        lines: The file's lines without their endings.
        hunks: The hunks, as the patch has them from top to bottom.

    Returns:
        One answer a hunk. No two places change the same line.
    """
    index = Index(lines)
    found = [_candidates(index, hunk, last=number == len(hunks) - 1) for number, hunk in enumerate(hunks)]
    chosen = _in_order([places for places in found if isinstance(places, list)])
    ordered = iter(chosen)
    answers: list[Place | Unplaced] = []
    for places in found:
        if isinstance(places, Unplaced):
            answers.append(places)
            continue
        narrowed = next(ordered) or places
        answers.append(narrowed[0] if len(narrowed) == 1 else Unplaced(_several(narrowed)))
    return _without_overlaps(answers)


def _several(places: Sequence[Place]) -> str:
    numbers = [str(place.start + 1) for place in places[:6]]
    listed = ", ".join(numbers[:-1]) + " and " + numbers[-1] if len(places) <= 6 else ", ".join(numbers) + " and more"
    return (
        f"matches at lines {listed}. Give more context lines, "
        "or write the function or class it is in after the '@@', so that only one place is meant."
    )


def _candidates(index: Index, hunk: Hunk, *, last: bool) -> list[Place] | Unplaced:
    """Every place the hunk may mean, at the strictest level that has any."""
    if not any(line.sign != "+" for line in _variants(hunk)[-1]):
        return _addition(index, hunk, last=last)
    for reach in REACHES if hunk.anchors else REACHES[-1:]:
        scopes = find_scopes(index, hunk.anchors, reach)
        if isinstance(scopes, str):
            return Unplaced(scopes)
        for level in range(len(LEVELS)):
            for lines in _variants(hunk):
                places = [
                    place
                    for place in _matches(index, level, lines)
                    if in_scope(scopes, place.start, place.start + place.length)
                ]
                if places:
                    return _preferred(index, hunk, places)
    return Unplaced(_not_found(index, hunk))


def _variants(hunk: Hunk) -> tuple[tuple[HunkLine, ...], ...]:
    """The hunk as it stands, and without the blank lines at its end that may be mere spacing."""
    if not hunk.slack:
        return (hunk.lines,)
    trimmed = hunk.lines[: -hunk.slack]
    # Context of nothing but a blank line would match wherever there is one.
    if any(line.sign != "+" and line.text.strip() for line in trimmed):
        return hunk.lines, trimmed
    return (trimmed,)


def _addition(index: Index, hunk: Hunk, *, last: bool) -> list[Place] | Unplaced:
    """A hunk of nothing but new lines goes to the end of the file, as in Codex; nowhere else by guessing."""
    if (hunk.anchors and not hunk.at_end) or not last:
        return Unplaced("has only '+' lines, so its place is not known. Give the lines that stand before or after it.")
    return [Place(len(index.lines), _variants(hunk)[-1])]


def _matches(index: Index, level: int, lines: tuple[HunkLine, ...]) -> list[Place]:
    """Every place where the old lines stand, at one level."""
    how = LEVELS[level]
    keys, places = index.at(level)
    old = [line.text for line in lines if line.sign != "+"]
    wanted = list(map(how.key, old))
    rarest = min(range(len(wanted)), key=lambda at: len(places.get(wanted[at], ())))
    found = []
    for position in places.get(wanted[rarest], ()):
        start = position - rarest
        if start < 0 or keys[start : start + len(wanted)] != wanted:
            continue
        shift = find_shift(how, index.lines[start : start + len(wanted)], old) if how.shifted else Shift()
        if shift is not None and all(shift.apply(line.text) is not None for line in lines if line.sign == "+"):
            found.append(Place(start, lines, shift))
    return found


def _preferred(index: Index, hunk: Hunk, places: list[Place]) -> list[Place]:
    """Those the patch speaks for by ``*** End of File`` or by a line number, or all."""
    if hunk.at_end:
        end = len(index.lines)
        while end and not index.lines[end - 1].strip():
            end -= 1
        places = [place for place in places if place.start + place.length >= end] or places
    if hunk.old_start is not None and len(places) > 1:
        places = [place for place in places if place.start + 1 == hunk.old_start] or places
    return places


def _in_order(found: list[list[Place]]) -> list[list[Place]]:
    """Leave only the places that fit in with all other hunks when the hunks go from top to bottom.

    A place stays when it can be reached from a place of every hunk before and goes on to one of every hunk
    after. When no order fits at all, every list comes back empty.
    """
    forward: list[list[Place]] = []
    for places in found:
        fits = places
        if forward:
            first = min((place.core[1] for place in forward[-1]), default=None)
            begin = min((place.start for place in forward[-1]), default=None)
            fits = [
                place
                for place in places
                if first is not None and begin is not None and place.core[0] >= first and place.start > begin
            ]
        forward.append(fits)
    kept: list[list[Place]] = []
    for places in reversed(forward):
        fits = places
        if kept:
            starts = [place.start for place in kept[-1]]
            cores = [place.core[0] for place in kept[-1]]
            fits = [
                place
                for place in places
                if max(bisect_left(starts, place.start + 1), bisect_left(cores, place.core[1])) < len(starts)
            ]
        kept.append(fits)
    kept.reverse()
    return kept if all(kept) else [[] for _ in found]


def _without_overlaps(answers: list[Place | Unplaced]) -> tuple[Place | Unplaced, ...]:
    """Refuse a hunk that changes a line another one changes too."""
    placed = sorted((answer.core, number) for number, answer in enumerate(answers) if isinstance(answer, Place))
    reach, owner = -1, -1
    for (first, last), number in placed:
        if first < reach or (owner >= 0 and answers[number] == answers[owner]):
            place = f"(line {first + 1} of the file)"
            answers[number] = Unplaced(
                f"changes the same lines as hunk {owner + 1} {place}. Join the two into one hunk."
            )
        elif last >= reach:
            reach, owner = last, number
    return tuple(answers)


def _not_found(index: Index, hunk: Hunk) -> str:
    """The reason for a hunk whose lines are nowhere, with what is near."""
    lines = _variants(hunk)[-1]
    anchored = f" after the '@@' line {hunk.anchors[-1]!r}" if hunk.anchors else ""
    there = already_there(index.lines, lines)
    if there is not None:
        return f"these lines are already there ({span(*there)}), so there is nothing to change."
    old = [line.text for line in lines if line.sign != "+"]
    near = closest_place(index.lines, old)
    return f"its lines are not in the file{anchored}. {near}".rstrip()
