"""Finding the patches in a model's words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from agent_core.patch.find_blocks import head_width, tail_width
from agent_core.patch.find_envelope import BEGIN, END, is_marker
from agent_core.patch.formats import Span
from agent_core.patch.patch_lines import Line, split_patch
from agent_core.patch.path_line import path_of
from agent_core.patch.regions import Found, find_regions


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
