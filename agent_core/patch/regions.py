"""The patches of a whole text, each with its lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from agent_core.patch.find_blocks import cut_unclosed, tail_width
from agent_core.patch.formats import Format
from agent_core.patch.patch_lines import Line
from agent_core.patch.walk import FORMATS, Region, Tagged, Walker


class Found(NamedTuple):
    """A patch in a text.

    Attributes:
        region: What is known of it.
        first: Index of its first line, what is wrapped around it included.
        last: Index after its last.
        body: Its own lines.
        closed: It ends where its lines end; otherwise the text stops in the middle of it.
    """

    region: Region
    first: int
    last: int
    body: tuple[Line, ...]
    closed: bool

    @property
    def format(self) -> Format:
        """The format it is in."""
        return self.region.format


def find_regions(lines: Sequence[Line], forms: Collection[Format] = FORMATS) -> tuple[list[Found], list[Line]]:
    """Find the patches of a text.

    Args:
        lines: The text.
        forms: The formats to look for.

    Returns:
        The patches in order, and the lines that belong to none.
    """
    walker = Walker(forms)
    tagged = [tag for line in lines for tag in walker.push(line)]
    unclosed = walker.open_region
    tagged += walker.finish()
    found: list[Found] = []
    words: list[Line] = []
    at = 0
    while at < len(tagged):
        region, start = tagged[at].region, at
        while at < len(tagged) and tagged[at].region is region:
            at += 1
        if region is None:
            words += [tag.line for tag in tagged[start:at]]
            continue
        here = Found(region, start, at, _body(tagged[start:at]), closed=region is not unclosed)
        found.append(_cut(here, lines) if region is unclosed and region.format == "blocks" else here)
    words += lines[found[-1].last :] if found and found[-1].region is unclosed else []
    return found, words


def _body(tagged: Sequence[Tagged]) -> tuple[Line, ...]:
    return tuple(tag.line for tag in tagged if tag.body)


def _cut(found: Found, lines: Sequence[Line]) -> Found:
    """End a block that has lost its last line where its fence ends."""
    end = cut_unclosed([line.text for line in found.body], found.region.fence)
    if end is None or any(tail_width(line.text) for line in found.body):
        return found
    last = found.last - len(found.body) + end + 1
    return Found(found.region, found.first, min(last, len(lines)), found.body[:end], closed=True)
