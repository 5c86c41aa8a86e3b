"""Requests in the code as words: short for the human, with the code around them for the partner."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from agent_core.comments.find import lines_of, may_hold_plain, plain_comments
from agent_core.events import Marker
from agent_core.patch.document import Document
from agent_core.patch.scopes import in_block, outer_lines
from agent_core.text import cap_text

ARROW = "\u21b3"
"""Stands before the place of a comment, where it is told."""

_AROUND = 20
_MOST_LINES = 80
_WHOLE_LINES = 120
_LONGEST_LINE = 400
_CODE_TOKENS = 3000
_CONTEXT_TOKENS = 800
_MOST_CONTEXT = 12
_LOOK_SECONDS = 0.6

_DO = (
    "[The human asks for this by comments in their files. pairloop takes these comments out together with your patch: "
    "do not leave an answer in their place.]"
)
_ANSWER = (
    "[The human asks this by comments in their files. Answer in words, for the human to read; send no patch, change "
    "nothing.]"
)
_CONTEXT = (
    "[Other comments in the project that are marked with AI, for you to know; they ask for nothing by themselves:]"
)

Read = Callable[[str], bytes | None]


def heading(markers: Sequence[Marker], mask: Callable[[str], str]) -> str:
    """Requests as the human wrote them, and where.

    Args:
        markers: The requests.
        mask: Takes secrets out of a text.
    """
    return mask("\n".join(f"{_said(one)}\n{ARROW} {_sign(one)} {one.path}:{one.line}" for one in markers))


def told(markers: Sequence[Marker], context: Sequence[str], read: Read, mask: Callable[[str], str]) -> str:
    """Requests for the partner: what they say, where, the code around them, and the comments that are context.

    Args:
        markers: The requests.
        context: Other comments, see `context_of`.
        read: Gives the bytes of a file.
        mask: Takes secrets out of a text.
    """
    parts = []
    for intro, kind in ((_DO, "do"), (_ANSWER, "answer")):
        if mine := [one for one in markers if one.kind == kind]:
            parts.append("\n".join([intro, *(f"{one.path}:{one.line}: {_said(one)}" for one in mine)]))
    by_path: dict[str, list[Marker]] = {}
    for one in markers:
        by_path.setdefault(one.path, []).append(one)
    code = "\n\n".join(part for path, mine in by_path.items() if (part := _excerpt(path, mine, read(path))))
    if code:
        parts.append(f"[The code around, as it is now:]\n{cap_text(code, _CODE_TOKENS)}")
    if context:
        parts.append("\n".join([_CONTEXT, cap_text("\n".join(context), _CONTEXT_TOKENS)]))
    return mask("\n\n".join(parts))


def asks_only(text: str) -> bool:
    """Whether words for the partner, of which `told` is a part, want an answer by comments and have nothing done."""
    return _ANSWER in text and _DO not in text


def context_of(markers: Sequence[Marker], paths: Iterable[str], read: Read) -> tuple[str, ...]:
    """The comments of a project that are marked with a plain ``AI``, those of the nearest files first.

    Looks for a moment only: what a large project holds far away may be left out.

    Args:
        markers: The requests; what belongs to them is no context.
        paths: The project's files.
        read: Gives the bytes of a file.
    """
    until = time.monotonic() + _LOOK_SECONDS
    own = {one.path for one in markers}
    folders = {path.rpartition("/")[0] for path in own}
    asked = {(one.path, line) for one in markers for line in range(one.line, one.line + one.count)}
    found: list[str] = []
    for path in sorted(paths, key=lambda path: (path not in own, path.rpartition("/")[0] not in folders, path)):
        if len(found) >= _MOST_CONTEXT or time.monotonic() > until:
            break
        data = read(path)
        if data is None or not may_hold_plain(data):
            continue
        said = plain_comments(data, path, _MOST_CONTEXT)
        found += [f"{path}:{line}: {words}" for line, words in said if (path, line) not in asked]
    return tuple(found[:_MOST_CONTEXT])


def _said(marker: Marker) -> str:
    return "\n".join(line for line in marker.text.split("\n") if line) or "(see the comments marked with AI)"


def _sign(marker: Marker) -> str:
    return "AI!" if marker.kind == "do" else "AI?"


def _excerpt(path: str, markers: Sequence[Marker], data: bytes | None) -> str:
    """The code around some requests of a file, without line numbers: small models copy them into their patches."""
    if data is None:
        return ""
    lines = lines_of(data)
    if len(lines) <= _WHOLE_LINES:
        ranges = {(0, len(lines))}
    else:
        document = Document("\n".join(lines))
        ranges = {_around(document, one.line - 1, one.count) for one in markers}
    parts = []
    for start, last in _joined(ranges):
        end = last
        while start < end < len(lines) and not lines[end - 1].strip():
            end -= 1
        text = "\n".join(line[:_LONGEST_LINE] for line in lines[start:end]).rstrip()
        text = text.encode("utf-8", "replace").decode("utf-8")
        where = path if (start, end) == (0, len(lines)) else f"{path}, lines {start + 1} to {end}"
        parts.append(f"{where}:\n```\n{text}\n```")
    return "\n\n".join(parts)


def _around(document: Document, line: int, count: int) -> tuple[int, int]:
    """The function that some lines are in, or stand above; else the lines near them."""
    lines, whole = document.lines, [(-1, document.length)]
    below = next((at for at in range(line + count, min(line + count + 3, len(lines))) if lines[at].strip()), line)
    headers = (*outer_lines(lines, line), lines[below] if below < len(lines) else "")
    for header in filter(str.strip, headers):
        for start, last in in_block(document, header, whole):
            end = min(last + 1, len(lines))
            if end - start <= _MOST_LINES and (start < line < end or start == below) and end - start > 1:
                return min(start, line), max(end, line + count)
    return max(line - _AROUND, 0), min(line + count + _AROUND, len(lines))


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges of lines in order, those joined that touch."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
