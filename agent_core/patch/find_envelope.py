"""Finding apply_patch envelopes in a model's words: where they begin and end, and what is wrapped around them."""

from __future__ import annotations

import re
from typing import NamedTuple

from agent_core.errors import PatchRefusedError

BEGIN = "*** begin patch"
END = "*** end patch"
HEADER = re.compile(r"\*\*\* (Add|Update|Delete) File:\s*(.*)", re.IGNORECASE)
HEADERS = "'*** Add File: path', '*** Update File: path' or '*** Delete File: path'"
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1\s*\)?\s*$")
_SHAPE = "Write '*** Begin Patch', file headers with their hunks, '*** End Patch'."


class Line(NamedTuple):
    """A line of the patch text with its number there."""

    number: int
    text: str


class Envelope(NamedTuple):
    """The lines between two markers.

    Attributes:
        body: Without the markers themselves.
        padded: Its markers are indented, so an indented marker inside a hunk is one too.
    """

    body: list[Line]
    padded: bool


def is_marker(text: str, marker: str) -> bool:
    """Whether a line is a marker, blanks around it and case apart."""
    return text.strip().casefold() == marker


def is_header(text: str) -> bool:
    """Whether a line begins the section of a file."""
    return HEADER.match(text.strip()) is not None


def _lines(text: str) -> list[Line]:
    return [Line(number, line.removesuffix("\r")) for number, line in enumerate(text.removesuffix("\n").split("\n"), 1)]


def _next_text(lines: list[Line], start: int) -> str:
    """The next line that is not blank, empty at the end."""
    return next((line.text for line in lines[start:] if line.text.strip()), "")


def _closers(lines: list[Line]) -> tuple[str, ...]:
    """What may end the wrapper that was opened before an envelope: a fence, the word of a here-document."""
    found: list[str] = []
    for line in lines:
        if fence := _FENCE.match(line.text):
            mark = fence.group(1)
            found = [word for word in found if word != mark] if mark in found else [*found, mark]
        if heredoc := _HEREDOC.search(line.text):
            found.append(heredoc.group(2))
    return tuple(found)


def _cut_wrapper(body: list[Line], closers: tuple[str, ...]) -> list[Line]:
    """End an envelope without end marker where what was opened around it closes."""
    for index, line in enumerate(body):
        if line.text.strip() in closers and line.text[:1] not in {" ", "+", "-"}:
            return body[:index]
    return body


def _dedent(body: list[Line], indent: str) -> list[Line]:
    """Take the begin marker's indentation off, if every line has it."""
    if indent and all(line.text.startswith(indent) or not line.text.strip() for line in body):
        return [Line(line.number, line.text[len(indent) :]) for line in body]
    return body


def _envelopes(text: str) -> list[Envelope]:
    """Every envelope of a text, in order."""
    lines = _lines(text)
    found: list[Envelope] = []
    index = after_last = 0
    while index < len(lines):
        if not (is_marker(lines[index].text, BEGIN) and is_header(_next_text(lines, index + 1))):
            index += 1
            continue
        begin = lines[index].text
        indent = begin[: len(begin) - len(begin.lstrip())]
        rest = _dedent_prefix(lines[index + 1 :], indent)
        padded = bool(indent) or _next_text(rest, 0)[:1].isspace()
        end = _end_of(rest, padded=padded)
        body = rest[:end] if end is not None else _cut_wrapper(rest, _closers(lines[after_last:index]))
        found.append(Envelope(body, padded))
        index = after_last = len(lines) if end is None else index + 1 + end + 1
    return found


def _dedent_prefix(lines: list[Line], indent: str) -> list[Line]:
    """Dedent the lines up to the end marker, or all of them."""
    end = next((i for i, line in enumerate(lines) if line.text.rstrip().casefold() == indent + END), None)
    if end is None:
        return _dedent(lines, indent)
    return _dedent(lines[: end + 1], indent) + lines[end + 1 :]


def _end_of(lines: list[Line], *, padded: bool) -> int | None:
    """Where the end marker is.

    An indented one could be a line of context. It is a marker when the others are indented too, or when
    nothing but the end of a wrapper follows.
    """
    for index, line in enumerate(lines):
        if not is_marker(line.text, END):
            continue
        if padded or not line.text[:1].isspace():
            return index
        rest = [other.text.strip() for other in lines[index + 1 :] if other.text.strip()]
        if not any(word.startswith(("***", "@@", "+", "-")) for word in rest):
            return index
    return None


def find_envelope(text: str) -> str | None:
    """Find a patch in a model's prose.

    Args:
        text: Any text.

    Returns:
        Everything between the markers, with them (several envelopes become one); None when there is no patch.
    """
    found = _envelopes(text)
    if not found:
        return None
    body = [line.text for envelope in found for line in envelope.body]
    return "\n".join(["*** Begin Patch", *body, "*** End Patch"])


def envelopes(text: str) -> list[Envelope]:
    """Every envelope of a patch text; at least one.

    Raises:
        PatchRefusedError: There is none.
    """
    return _envelopes(text) or [_bare(text)]


def _bare(text: str) -> Envelope:
    """The envelope of a text that has no begin marker but starts with a file header."""
    lines = _lines(text)
    begin = next((index for index, line in enumerate(lines) if is_marker(line.text, BEGIN)), None)
    if begin is not None:
        line = next((line for line in lines[begin + 1 :] if line.text.strip()), None)
        if line is None or is_marker(line.text, END):
            raise PatchRefusedError(f"The patch is empty: after '*** Begin Patch' comes {HEADERS}.", _SHAPE)
        message = f"Line {line.number} of the patch, {short(line.text)}, is not a file header."
        raise PatchRefusedError(message, f"After '*** Begin Patch' comes {HEADERS}.")
    start = next((index for index, line in enumerate(lines) if is_header(line.text)), None)
    before = lines[: start or 0]
    if start is None or any(
        line.text.strip() and not _FENCE.match(line.text) and not _HEREDOC.search(line.text) for line in before
    ):
        raise PatchRefusedError("This is not a patch: there is no line '*** Begin Patch'.", _SHAPE)
    rest = lines[start:]
    padded = rest[0].text[:1].isspace()
    end = _end_of(rest, padded=padded)
    return Envelope(rest[:end] if end is not None else _cut_wrapper(rest, _closers(before)), padded)


def short(text: str) -> str:
    """A line of a patch, quoted, cut to a readable length."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
