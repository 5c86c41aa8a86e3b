"""Finding the patches in a text: in its lines, and in a model's words, each so that it can be read by itself."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from typing import NamedTuple

from agent_core.patch.find_blocks import cut_unclosed, head_width, tail_width
from agent_core.patch.find_envelope import BEGIN, END, is_marker
from agent_core.patch.formats import Format, Span
from agent_core.patch.patch_lines import Line, split_patch
from agent_core.patch.path_line import path_of
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


def find_patches(text: str) -> tuple[Span, ...]:
    """Find patches in prose.

    What only looks like a patch is none: a listing, a quoted marker, a merge conflict, a table, a rule
    (`agent_core.patch.walk` says what it takes). Patches of one format with nothing but blank lines between them are
    one.

    Args:
        text: Any text.

    Returns:
        Where they stand, in order, none inside another; each can be read by itself.
    """
    lines = split_patch(text)
    found, _ = find_regions(lines)
    offsets = [0, *itertools.accumulate(len(line) + 1 for line in text.removesuffix("\n").split("\n"))]
    groups: list[list[Found]] = []
    for patch in found:
        last = groups[-1][-1] if groups else None
        if last is not None and last.format == patch.format and not _words(lines[last.last : patch.first]):
            groups[-1].append(patch)
        else:
            groups.append([patch])
    return tuple(
        Span(
            offsets[group[0].first],
            min(offsets[group[-1].last], len(text)),
            group[0].format,
            "".join(f"{line}\n" for patch in group for line in _text(patch)),
        )
        for group in groups
    )


def _words(lines: Sequence[Line]) -> bool:
    return any(line.text.strip() for line in lines)


def _text(patch: Found) -> list[str]:
    """The lines of a patch so that they can be read without those around it."""
    body = [line.text for line in patch.body]
    if patch.format == "envelope":
        begin = [] if is_marker(body[0], BEGIN) else ["*** Begin Patch"]
        return [*begin, *body, *([] if is_marker(body[-1], END) else ["*** End Patch"])]
    if patch.format == "blocks":
        tail = [] if tail_width(body[-1]) or not patch.closed else [">" * head_width(body[0]) + " REPLACE"]
        path = patch.region.path
        return [path if path_of(path) is not None else f"`{path}`", *body, *tail]
    return body
