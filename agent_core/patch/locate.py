"""Finding the one place in a file that a hunk means, or saying why there is none.

A hunk's old lines are compared with the file at several levels (`agent_core.patch.levels`), each over the whole
hunk: exact; blanks at line ends ignored; indentation shifted by a constant, then in another unit; typographic
quotes, dashes and blanks read as plain ones; blanks of any kind ignored; and last by similarity
(`agent_core.patch.similar`). The first level that matches anywhere counts. There the place must be unique, or be made
so by the ``@@`` lines, by the line number of a unified diff's ``@@``, or by the order of the hunks. The first of
several matches is never just taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from agent_core.patch.blanks import find_but_for_blanks, there_but_for_blanks
from agent_core.patch.closest import already_there, closest_place
from agent_core.patch.document import Document
from agent_core.patch.indentation import shift_of, table_of
from agent_core.patch.levels import EXACT, LEVELS, SPACELESS, Level, indent, tokens
from agent_core.patch.operations import Hunk, HunkLine
from agent_core.patch.order import by_number, by_order, changes_nothing, without_overlaps
from agent_core.patch.place import Place, Spot, Unplaced, indent_pairs, settle
from agent_core.patch.scopes import REACHES, Reach, find_scopes, in_block, in_scope, outer_lines
from agent_core.patch.similar import find_similar
from agent_core.patch.unsigned import with_first_blank

# So many hunks of one file may be nowhere in it before the rest is not looked for closely: it is another file by then.
_MOST_LOST = 24
# Lines with words that a hunk needs to be found apart from its header.
_TELLING = 2
# Old lines that are looked up one by one when a hunk is refused; each takes a pass over the file.
_MOST_LOOKED_UP = 20

Scopes = Sequence[tuple[int, int]]


def locate(document: Document, hunks: Sequence[Hunk], *, ordered: bool = True) -> tuple[Place | Unplaced, ...]:
    """Find the place of every hunk of one file, all of them as the file is before any is applied.

    Args:
        document: The file.
        hunks: The hunks, as the patch has them.
        ordered: They stand from top to bottom.

    Returns:
        One answer a hunk. No two places change the same line.
    """
    found: list[list[Spot] | Unplaced] = []
    lost = 0
    for number, hunk in enumerate(hunks):
        above = () if ordered else leading(hunks, number)
        lenient = lost < _MOST_LOST
        spots = candidates(document, hunk, above=above, last=number == len(hunks) - 1, lenient=lenient)
        lost += isinstance(spots, Unplaced) or (len(spots) == 1 and spots[0].level is None)
        found.append(spots)
    narrowed = by_order(hunks, by_number(hunks, found), ordered=ordered)
    answers = [
        answer if isinstance(answer, Unplaced) else _decide(document, hunk, answer, ordered=ordered)
        for hunk, answer in zip(hunks, narrowed, strict=True)
    ]
    return without_overlaps(answers, ordered=ordered)


def leading(hunks: Sequence[Hunk], number: int) -> Sequence[Hunk]:
    """The stretches that stand above a hunk in the same SEARCH/REPLACE block, with lines left out between them."""
    first = number
    while first and hunks[first - 1].number == hunks[number].number:
        first -= 1
    return hunks[first:number]


def _decide(document: Document, hunk: Hunk, spots: Sequence[Spot], *, ordered: bool) -> Place | Unplaced:
    """The place that is left, or the refusal of several."""
    if len(spots) == 1 or changes_nothing(hunk):
        # What changes nothing may stand in several places: what comes below it has to be unique.
        return settle(document, spots[0])
    return Unplaced(several(document, spots, ordered=ordered))


def several(document: Document, spots: Sequence[Spot], *, ordered: bool) -> str:
    """The refusal of a hunk that may mean several spots, with what each of them is in."""
    numbers = [str(spot.start + 1) for spot in spots[:6]]
    listed = ", ".join(numbers[:-1]) + " and " + numbers[-1] if len(spots) <= 6 else ", ".join(numbers) + " and more"
    named = ", or write the function or class it is in after the '@@'," if ordered else ""
    levels = zip(*(outer_lines(document.lines, spot.core[0]) for spot in spots[:6]), strict=True)
    heads = next((heads for heads in levels if len(set(heads)) == len(heads)), ())
    shown = [f"line {number} is in {head[:60]!r}" for number, head in zip(numbers, heads, strict=False) if head]
    tell = f" ({'; '.join(shown)})" if shown else ""
    return f"matches at lines {listed}. Give more context lines{named} so that only one place is meant{tell}."


def candidates(
    document: Document, hunk: Hunk, *, above: Sequence[Hunk] = (), last: bool, lenient: bool = True
) -> list[Spot] | Unplaced:
    """Every spot a hunk may mean, at the strictest level that has any.

    Args:
        document: The file.
        hunk: The hunk.
        above: Hunks whose old lines stand above it, with anything between.
        last: No hunk comes after it.
        lenient: What is only similar is found too, or told as the closest place.
    """
    if not any(line.sign != "+" for line in _variants(hunk)[-1]):
        return _addition(document, hunk, last=last)
    scopes: Scopes = ()
    for reach in REACHES if hunk.anchors or above else REACHES[-1:]:
        reached = _reached(document, hunk, above, reach)
        if isinstance(reached, str):
            return Unplaced(reached)
        scopes = reached
        spots = _at_levels(document, hunk, scopes, below=bool(above))
        if isinstance(spots, Unplaced) or spots:
            return spots
    lines = _variants(hunk)[-1]
    there = already_there(document, lines) or there_but_for_blanks(document, lines)
    if there is not None:
        reason = f"these lines are already there ({there}), so there is nothing to change."
        return Unplaced(reason, already=True)
    if lenient and not above and (spots := _guessed(document, hunk, lines, scopes)):
        return spots
    return _not_found(document, hunk, lines, above=bool(above), near=lenient)


def _guessed(document: Document, hunk: Hunk, lines: tuple[HunkLine, ...], scopes: Scopes) -> list[Spot]:
    """The spots of a hunk whose lines do not stand together in the file, by what is known to go wrong in writing it."""
    spots = _below_headers(document, hunk)
    if spots or changes_nothing(hunk):
        return spots
    spots = find_but_for_blanks(document, lines, scopes, unsigned=bool(hunk.unsigned))
    # What has no sign may be a new line that has lost its '+': similarity could leave it out.
    if spots or hunk.unsigned:
        return spots
    similar = find_similar(document, lines, scopes)
    return [similar] if similar is not None else []


def _below_headers(document: Document, hunk: Hunk) -> list[Spot]:
    """Every spot of a hunk that begins with the header of its block and leaves out what stands between.

    Models write ``class A:`` as a line of context where ``@@ class A:`` is meant. Read as that only where it can be
    nothing else: all below it is deeper; it begins with a line that is in the file, so that what is new has its
    neighbour; it does not stand right below the header, where the lines as they are have been refused; and no other
    place in the block has all of its lines but one: that may be the place meant, changed by somebody since.
    """
    scopes = find_scopes(document, hunk.anchors, REACHES[0])
    lines = hunk.lines
    while not isinstance(scopes, str) and _opens_block(lines):
        scopes = in_block(document, lines[0].text, scopes)
        lines = lines[1:]
        spots = _at_levels(document, msgspec.structs.replace(hunk, lines=lines), scopes, below=True)
        if isinstance(spots, Unplaced) or spots:
            heads = {first + 1 for first, _ in scopes}
            if isinstance(spots, Unplaced) or any(spot.start in heads for spot in spots):
                return []
            return [] if _has_rival(document, spots, scopes) else spots
    return []


def _has_rival(document: Document, spots: Sequence[Spot], scopes: Scopes) -> bool:
    """Whether another place has all lines but one of those at some spots, or that would be no line at all."""
    keys = document.keys(SPACELESS)
    telling: dict[str, list[int]] = {}
    for at, key in enumerate(keys[spots[0].start : spots[0].end]):
        if any(map(str.isalnum, key)):
            telling.setdefault(key, []).append(at)
    count = sum(map(len, telling.values()))
    if count < _TELLING:
        return True
    votes: Counter[int] = Counter()
    for first, last in scopes:
        for line in range(first + 1, min(last + 1, len(keys))):
            votes.update(line - at for at in telling.get(keys[line], ()))
    known = {spot.start for spot in spots}
    return any(alike >= count - 1 for start, alike in votes.items() if start not in known)


def _opens_block(lines: Sequence[HunkLine]) -> bool:
    """Whether a hunk's first line is the header of a block that all its other lines are in."""
    if len(lines) < 2 or lines[0].sign != " " or not lines[0].text.strip() or lines[1].sign == "+":
        return False
    depth = len(indent(lines[0].text))
    return all(len(indent(line.text)) > depth for line in lines[1:] if line.text.strip())


def _reached(document: Document, hunk: Hunk, above: Sequence[Hunk], reach: Reach) -> Scopes | str:
    """The ranges of lines a hunk may be in; or why there are none."""
    scopes: Scopes | str = find_scopes(document, hunk.anchors, reach)
    for context in above:
        if isinstance(scopes, str):
            break
        if any(line.sign != "+" for line in context.lines):
            scopes = _below(document, context, scopes, reach)
    return scopes


def _below(document: Document, context: Hunk, scopes: Scopes, reach: Reach) -> Scopes | str:
    """The ranges of lines that stand below the old lines of a hunk, as far as the outermost of these reaches."""
    spots = _at_levels(document, context, scopes, below=False)
    if isinstance(spots, Unplaced):
        return spots.reason
    ranges = []
    for spot in spots:
        lines = document.lines[spot.start : spot.end]
        depth = min((len(indent(line)) for line in lines if line.strip()), default=0)
        head = max(at for at, line in enumerate(lines) if not line.strip() or len(indent(line)) == depth)
        ranges.append((spot.end, reach(document.lines, spot.start + head)))
    return ranges


def _variants(hunk: Hunk) -> tuple[tuple[HunkLine, ...], ...]:
    """The hunk as it stands, and without the blank lines at its end that may be mere spacing."""
    if not hunk.slack:
        return (hunk.lines,)
    trimmed = hunk.lines[: -hunk.slack]
    # Context of nothing but a blank line would match wherever there is one.
    if any(line.sign != "+" and line.text.strip() for line in trimmed):
        return hunk.lines, trimmed
    return (trimmed,)


def _addition(document: Document, hunk: Hunk, *, last: bool) -> list[Spot] | Unplaced:
    """A hunk of nothing but new lines goes to the end of the file, as in Codex; nowhere else by guessing."""
    end = document.length
    elsewhere = hunk.old_start is not None and hunk.old_start <= end
    if (hunk.anchors and not hunk.at_end) or not last or elsewhere:
        return Unplaced("has only '+' lines, so its place is not known. Give the lines that stand before or after it.")
    return [Spot(end, end, (end, end), _variants(hunk)[-1], EXACT)]


def _at_levels(document: Document, hunk: Hunk, scopes: Scopes, *, below: bool) -> list[Spot] | Unplaced:
    """Every spot inside some ranges of lines, at the strictest level that has any."""
    for level in LEVELS:
        for lines in _variants(hunk):
            spots = _matches(document, level, lines)
            if isinstance(spots, Unplaced):
                return spots
            within = [
                spot
                for spot in spots
                if in_scope(scopes, spot.start, spot.end)
                and (not below or any(first <= spot.start <= last for first, last in scopes))
            ]
            if hunk.unsigned:
                within = [
                    spot._replace(lines=with_first_blank(document, lines, range(spot.start, spot.end)))
                    for spot in within
                ]
            if within:
                return _at_end(document, hunk, within)
    return []


def _matches(document: Document, level: Level, lines: tuple[HunkLine, ...]) -> list[Spot] | Unplaced:
    """Every spot where the old lines stand, at one level."""
    old = [line.text for line in lines if line.sign != "+"]
    if level is not EXACT and not any(map(str.strip, old)):
        # Blank lines say too little to be found by anything but themselves.
        return []
    keys = list(map(level.key, old))
    starts = document.find(level, keys)
    if not starts:
        return []
    most = document.most_places(keys)
    if len(starts) > most:
        return Unplaced(f"matches at more than {most} places. Give more context lines.")
    lead = next((at for at, line in enumerate(lines) if line.sign != " "), 0)
    trail = next((at for at, line in enumerate(reversed(lines)) if line.sign != " "), 0)
    spots = []
    for start in starts:
        spot = Spot(start, start + len(old), (start + lead, start + len(old) - trail), lines, level)
        if _fits(document, level, old, spot):
            spots.append(spot)
    return spots


def _fits(document: Document, level: Level, old: Sequence[str], spot: Spot) -> bool:
    """Whether lines whose keys are the same differ only as they may at that level."""
    if level.indents == "same":
        return True
    if level.indents == "free":
        # A lone bracket matches wherever it stands.
        said = list(map(tokens, old))
        return any(any(len(token) > 2 for token in line) for line in said) and all(
            ours == theirs
            for ours, theirs in zip(map(tokens, document.lines[spot.start : spot.end]), said, strict=True)
        )
    found = indent_pairs(document, spot.lines, range(spot.start, spot.end))
    pairs = [pair for pair in found if pair is not None]
    return (shift_of(pairs) if level.indents == "shifted" else table_of(pairs)) is not None


def _at_end(document: Document, hunk: Hunk, spots: list[Spot]) -> list[Spot]:
    """Those at the end of the file, where ``*** End of File`` says so and there are any."""
    if not hunk.at_end:
        return spots
    end = document.length
    while end and not document.lines[end - 1].strip():
        end -= 1
    return [spot for spot in spots if spot.end >= end] or spots


def _not_found(document: Document, hunk: Hunk, lines: Sequence[HunkLine], *, above: bool, near: bool) -> Unplaced:
    """The refusal of a hunk whose lines are nowhere, with what is near where that is wanted."""
    where = f" after the '@@' line {hunk.anchors[-1]!r}" if hunk.anchors else ""
    where = " below the lines that stand above it" if above else where
    place = closest_place(document, [line.text for line in lines if line.sign != "+"]) if near else ""
    sign = f" Line {hunk.unsigned} of the patch, which begins with neither ' ', '-' nor '+', was read as one of them."
    reason = f"its lines are not in the file{where}.{sign if hunk.unsigned else ''} {place}".rstrip()
    return Unplaced(reason + (_changed_context(document, lines) if near else ""))


def _changed_context(document: Document, lines: Sequence[HunkLine]) -> str:
    """What to tell where one line alone keeps a hunk from its place: it was changed instead of being marked."""
    old = [line for line in lines if line.sign != "+" and line.text.strip()]
    if not _TELLING <= len(old) <= _MOST_LOOKED_UP:
        return ""
    lost = [line for line in old if not document.find(SPACELESS, [SPACELESS.key(line.text)], 0)]
    if len(lost) != 1 or lost[0].sign != " ":
        return ""
    return (
        f"\n  The line {lost[0].text.strip()[:60]!r} is nowhere in the file. If it is to come, write the file's line "
        "with '-' and yours below it with '+'."
    )
