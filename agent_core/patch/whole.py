"""Whole files in the place of patches: a path, and below it the new text of the file in a fence.

It is the last resort of models that cannot copy lines into a patch. What it costs them is that nothing of the file may
be left out; weak models do that all the same ("... rest of the code unchanged"), and such a text is refused.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agent_core.errors import PatchRefusedError
from agent_core.patch.formats import Span
from agent_core.patch.operations import WriteFile
from agent_core.patch.patch_lines import Line, closes_fence, fence_mark, refused, short, split_patch
from agent_core.patch.path_line import mentions, path_of, path_of_fence

WHOLE_SHAPE = "A whole file is its path on a line of its own, and below it all of its new text between ``` lines."

_COMMENT = re.compile(
    r"\s*(?:#+|//+|/\*+|<!--+|--+|;+|%+|\"{3}|'{3}|\(\*)\s*(.*?)\s*(?:\*+/|--+>|\*\)|\"{3}|'{3})?\s*$"
)
_THINGS = r"(?:code|file|functions?|methods?|class(?:es)?|contents?|implementation|imports?|tests?|lines)"
_LEFT_OUT = re.compile(
    rf"\.{{3}}|…|.*\b(?:(?:the )?rest of (?:the |this |your )?{_THINGS}"
    rf"|(?:existing|previous|remaining|other|original) {_THINGS}"
    r"(?:\W+(?:here|above|below|goes|unchanged|omitted))*\W*$"
    rf"|{_THINGS} (?:is |are |stays? |remains? )?(?:unchanged|omitted|the same)|remains? (?:the same|unchanged)"
    r"|(?:same|as) (?:as )?before\W*$|unchanged\W*$)",
    re.IGNORECASE,
)
# Files of fewer lines are soon written anew; for longer ones it takes this much less of them to look like a loss.
_FEW = 6
_SHOWN = 3
# A line that stands for others is short.
_LONGEST = 200
_MARKDOWN = (".md", ".markdown", ".mdx")


def parse_whole(lines: Sequence[Line]) -> tuple[WriteFile, ...]:
    """Read the whole files of a text.

    Args:
        lines: The text. Words between the files are passed over.

    Returns:
        The files, in order; none where no fence has a path.

    Raises:
        PatchRefusedError: A file is not written to its end.
    """
    found: list[WriteFile] = []
    for one in _fenced(lines):
        if not one.closed:
            raise refused(lines[one.fence], f"opens the text of {one.path}, which is never closed. {WHOLE_SHAPE}")
        text = "".join(f"{line.text}\n" for line in lines[one.fence + 1 : one.end])
        found.append(WriteFile(one.path, text, lines[one.fence].number))
    return tuple(found)


def find_whole(text: str) -> tuple[Span, ...]:
    """Find whole files in prose, in order; those that are not written to their end too."""
    lines = split_patch(text)
    offsets = [0, *itertools.accumulate(len(line) + 1 for line in text.removesuffix("\n").split("\n"))]
    found = []
    for one in _fenced(lines):
        last = min(one.end + 1, len(lines))
        body = "".join(f"{line.text}\n" for line in lines[one.fence : last])
        patch = f"{one.path}\n{body}"
        found.append(Span(offsets[one.first], min(offsets[last], len(text)), "whole", patch))
    return tuple(found)


class _Fenced(NamedTuple):
    """A fence with a path: the lines where it is named, where the fence opens and where it ends."""

    path: str
    first: int
    fence: int
    end: int
    closed: bool


def _fenced(lines: Sequence[Line]) -> Iterator[_Fenced]:
    at, above = 0, -1
    while at < len(lines):
        text = lines[at].text
        mark = fence_mark(text)
        if not mark:
            above = at if text.strip() else above
            at += 1
            continue
        named = path_above(lines[above].text) if above >= 0 else ""
        path = path_of_fence(text) or named
        end = _end(lines, at, mark, path)
        if path:
            alone = named and path_of(lines[above].text) is not None
            yield _Fenced(path, above if alone else at, at, len(lines) if end is None else end, end is not None)
        at, above = (len(lines) if end is None else end) + 1, -1


def path_above(text: str) -> str:
    """The path that a line above a fence names: nothing but it, or the only file of a sentence that ends in a colon."""
    named = path_of(text)
    if named is not None and named.plain:
        return named.path
    spoken = mentions(text) if text.rstrip(" *_").endswith(":") else set()
    return spoken.pop() if len(spoken) == 1 else ""


def _end(lines: Sequence[Line], start: int, mark: str, path: str) -> int | None:
    """Where a fence ends. In Markdown fences stand in the text itself: there it is the last before the next file."""
    closing: int | None = None
    nests = path.lower().endswith(_MARKDOWN)
    for at in range(start + 1, len(lines)):
        text = lines[at].text
        if closing is not None and fence_mark(text) and _names_file(lines, at):
            return closing
        if closes_fence(text, mark):
            closing = at
            if not nests:
                return at
    return closing


def _names_file(lines: Sequence[Line], at: int) -> bool:
    above = next((line.text for line in reversed(lines[:at]) if line.text.strip()), "")
    return bool(path_of_fence(lines[at].text) or path_above(above))


def check_whole(path: str, old: str, new: str) -> None:
    """See that a new text of a file is all of it.

    Args:
        path: The file.
        old: Its text so far.
        new: Its text as it is to be.

    Raises:
        PatchRefusedError: Lines stand for others that are left out, or most of the file is gone.
    """
    before = Counter(filter(None, map(str.strip, old.splitlines())))
    after = Counter(filter(None, map(str.strip, new.splitlines())))
    for number, line in enumerate(new.splitlines(), 1):
        if line.strip() not in before and is_elision(line):
            raise PatchRefusedError(
                f"{path}: this is not the whole file: its line {number}, {short(line)}, stands for lines that are left "
                "out.",
                f"Send {path} again with every line of it written out, also those that stay as they are.",
            )
    lost = before - after
    total = before.total()
    if total > _FEW and lost.total() * 2 >= total and after.total() * 3 < total * 2:
        gone = ", ".join(short(line) for line in list(lost)[:_SHOWN])
        raise PatchRefusedError(
            f"{path}: {lost.total()} of its {total} lines would be gone, such as {gone}.",
            f"Send {path} again with every line of it, also those that stay as they are; lines that are really to go "
            "have to be named as '-' lines of a patch.",
        )


def as_before(old: str, new: str) -> str:
    """A new text with the line endings, the byte order mark and the end that the old one has."""
    if old.startswith("\N{ZERO WIDTH NO-BREAK SPACE}") and not new.startswith("\N{ZERO WIDTH NO-BREAK SPACE}"):
        new = "\N{ZERO WIDTH NO-BREAK SPACE}" + new
    if old and not old.endswith("\n"):
        new = new.removesuffix("\n")
    crlf = old.count("\r\n")
    return new.replace("\n", "\r\n") if crlf and crlf == old.count("\n") and "\r\n" not in new else new


def is_elision(line: str) -> bool:
    """Whether a line stands for others, as in ``# ... rest of the code``."""
    if line.rstrip() in {"...", "…"} or len(line) > _LONGEST:
        return len(line) <= _LONGEST
    comment = _COMMENT.match(line)
    said = comment.group(1) if comment else ""
    return _LEFT_OUT.match(said.lstrip("[(")) is not None
