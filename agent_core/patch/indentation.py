r"""How deep a hunk's new lines stand in the file, when the hunk is indented otherwise than the file.

What a hunk's indentation stands for is learnt from its old lines and the file's lines they were found at:

* an indentation that was seen on an old line stands for what the file has there;
* one that was not seen is moved by the constant by which all seen ones differ; or it is counted in the hunk's unit
  and written in the file's (tabs for blanks and back, two blanks for four), when the seen ones prove both units.

Old lines that show neither a constant nor another unit show that the hunk's indentation is wrong in places.

A reading that is only likely is none: then the line has no indentation, and its hunk is refused. So is a hunk whose old
lines alone are indented wrongly: there a new line stands where it should as it is written, and not when it is moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import gcd
from typing import NamedTuple

from agent_core.patch.levels import indent

Pair = tuple[str, str]

# What the line above may end with when a line stands deeper; a comment may follow.
_OPENS = re.compile(r"(?:[:{(\[,\\=]|\b(?:then|do|else|begin))\s*(?:(?:#|//).*)?$")


class OldLine(NamedTuple):
    """An old line of a hunk that is not blank.

    Attributes:
        text: As the hunk has it.
        theirs: Its indentation in the hunk.
        ours: Its indentation in the file.
    """

    text: str
    theirs: str
    ours: str


def shift_of(pairs: Iterable[Pair]) -> Pair | None:
    """The constant by which indentations differ.

    Args:
        pairs: The hunk's indentation and the file's, of the same lines.

    Returns:
        What the hunk has in front and the file has not, and the other way round (one of them is empty); None when
        there is no such constant.
    """
    found: Pair | None = None
    for theirs, ours in pairs:
        if found is None:
            if ours.endswith(theirs):
                found = "", ours.removesuffix(theirs)
            elif theirs.endswith(ours):
                found = theirs.removesuffix(ours), ""
            else:
                return None
        if found[1] + theirs != found[0] + ours:
            return None
    return found or ("", "")


def table_of(pairs: Iterable[Pair]) -> dict[str, str] | None:
    """What each of the hunk's indentations is in the file.

    Args:
        pairs: The hunk's indentation and the file's, of the same lines.

    Returns:
        The table; None unless all differ by a constant, or are the same depths in another unit.
    """
    table: dict[str, str] = {}
    for theirs, ours in pairs:
        if table.setdefault(theirs, ours) != ours:
            return None
    return table if shift_of(table.items()) is not None or _in_proportion(table) else None


def _in_proportion(table: Mapping[str, str]) -> bool:
    """Whether all widths have one ratio, in one character each."""
    if len(set("".join(table))) > 1 or len(set("".join(table.values()))) > 1:
        return False
    theirs, ours = (max(map(len, some)) for some in (table.keys(), table.values()))
    return all(len(one) * ours == len(other) * theirs for one, other in table.items())


def learn(table: Mapping[str, str], fresh: Iterable[str], step: int | None) -> dict[str, str]:
    """What indentations of new lines are in the file.

    Args:
        table: What each of the old lines' indentations is there.
        fresh: The new lines' indentations.
        step: By how many blanks the file mostly indents, None when it is not known.

    Returns:
        What it is in the file, for each of the old and new lines' indentations for which that is certain.
    """
    unseen = sorted(set(fresh) - table.keys())
    if not unseen or not table:
        return dict(table)
    shift = shift_of(table.items())
    if shift == ("", ""):
        return {**table, **{one: one for one in unseen}}
    if len(table) > 1:
        # Two that differ by the same prove that hunk and file indent alike.
        deduced = _moved(shift, table, unseen) if shift is not None else _scaled(table, unseen, step)
    else:
        deduced = _from_one(table, unseen, step)
    return {**table, **deduced}


def _char(texts: Iterable[str]) -> str | None:
    """The one character that some indentations are made of; None when there are several."""
    chars = set("".join(texts))
    return chars.pop() if len(chars) == 1 else None


def _moved(shift: Pair, table: Mapping[str, str], unseen: Sequence[str]) -> dict[str, str]:
    """All moved by a constant; what is indented by other characters than the rest cannot be."""
    cut, add = shift
    if _char([*table, *table.values(), *unseen]) is None:
        return {}
    return {one: add + one.removeprefix(cut) for one in unseen if one.startswith(cut)}


def _scaled(table: Mapping[str, str], unseen: Sequence[str], step: int | None) -> dict[str, str]:
    """In the proportion in which several were seen."""
    theirs, ours = _char([*table, *unseen]), _char(table.values())
    if theirs is None or ours is None:
        return {}
    deepest = max(table, key=len)
    found = {}
    for one in unseen:
        width, rest = divmod(len(table[deepest]) * len(one), len(deepest))
        if theirs == ours == " ":
            # Blanks that are no whole number of steps are there to line something up, which no unit explains.
            rest = rest or (width % step if step else len(one) % gcd(*map(len, table)))
        if not rest:
            found[one] = ours * width
    return found


def _from_one(table: Mapping[str, str], unseen: Sequence[str], step: int | None) -> dict[str, str]:
    """From one pair: how many steps deeper, written in the file's steps.

    Code gets deeper one step at a time, so the least of the new indentations is one step. It has to be the file's own
    step, or the one that puts the hunk's old lines as deep as the file's. Of what is less deep nothing is known.
    """
    ((theirs, ours),) = table.items()
    a, b = _char([theirs, *unseen]), _char([ours]) or " "
    each = 1 if b == "\t" else step
    unit = min(map(len, unseen)) - len(theirs)
    if a is None or not each or unit <= 0 or len(theirs) % unit:
        return {}
    is_same_step = a == b and unit == each
    is_same_depth = bool(theirs and ours) and len(theirs) * each == len(ours) * unit
    if not (is_same_step or is_same_depth):
        return {}
    steps = {one: divmod(len(one) - len(theirs), unit) for one in unseen}
    return {one: ours + b * (each * count) for one, (count, rest) in steps.items() if not rest}


def misread(
    fresh: Sequence[str], old: Sequence[OldLine], above: int, gone: int, known: Mapping[str, str]
) -> int | None:
    """Which new line looks wrong where the old lines' indentation would put it, and right as it is written.

    Args:
        fresh: New lines that come together, none of them blank.
        old: The hunk's old lines.
        above: How many of these stand above the new ones.
        gone: How many of those after that go for them.
        known: What the new lines' indentations are in the file.

    Returns:
        Its number; None when there is no such line.
    """
    over = old[above - 1] if above else None
    going = old[above : above + gone]
    under = old[above + gone] if above + gone < len(old) else None
    here = {line.ours for line in (over, *going, under) if line is not None}
    last = ""
    for number, line in enumerate(fresh):
        depth = indent(line)
        if known.get(depth, depth) != depth:
            if number:
                looks_right = len(depth) <= len(indent(last)) or _OPENS.search(last) is not None
                is_own = depth in here
            else:
                looks_right, is_own = (_begins_well(depth, side, over, going, under) for side in (1, 2))
            if is_own and not looks_right:
                return number
        last = line
    return None


def _begins_well(depth: str, side: int, over: OldLine | None, going: Sequence[OldLine], under: OldLine | None) -> bool:
    """Whether the first of some new lines is as deep as what it replaces, or fits in with what is around it.

    Args:
        depth: Its indentation.
        side: Whether it is compared with the hunk's (1) or the file's (2).
        over: The line above.
        going: The lines it replaces.
        under: The line below.
    """
    if going:
        return depth == going[0][side]
    if under is not None and depth == under[side]:
        return True
    if over is None:
        return False
    return len(depth) > len(over[side]) if _OPENS.search(over.text) else depth == over[side]
