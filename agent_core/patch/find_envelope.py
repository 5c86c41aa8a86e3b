"""Where an apply_patch envelope begins and ends; its grammar is in `agent_core.patch.parse_envelope`."""

from __future__ import annotations

import re

from agent_core.patch.patch_lines import LONGEST

HEADER = re.compile(r"\*\*\* (Add|Update|Delete) File:\s*(.*)", re.IGNORECASE)
MOVE = re.compile(r"\*\*\* (?:Move|Rename) to:\s*(.*)", re.IGNORECASE)
HEADERS = "'*** Add File: path', '*** Update File: path' or '*** Delete File: path'"
BEGIN = "*** begin patch"
END = "*** end patch"
_SIGNS = "+-@* \\"


def is_marker(text: str, marker: str) -> bool:
    """Whether a line is a marker, blanks around it and case apart."""
    return len(text) <= LONGEST and text.strip().casefold() == marker


def is_header(text: str) -> bool:
    """Whether a line begins the section of a file."""
    return "***" in text[:LONGEST] and HEADER.match(text.lstrip()) is not None


def goes_on_below(text: str) -> bool:
    """Whether a line below the header of a file shows that the header is one, not words about it."""
    return bool(text.strip()) and (
        text[0] in "@+- " or is_header(text) or is_marker(text, END) or MOVE.match(text) is not None
    )


class EnvelopeLines:
    """Goes along with the lines of an envelope, its first one included, and knows where it ends.

    At ``*** End Patch``; without it where what is wrapped around the envelope closes, or at the end of the text. An
    indented end marker may be a line of context: it is one when a line of a patch follows.

    Args:
        closers: What ends the wrapper: marks of a fence, the word of a here-document.
    """

    def __init__(self, closers: tuple[str, ...] = ()) -> None:
        self._closers = closers
        self._indent: str | None = None
        self._padded = False
        self._header_seen = False
        # An end that may be none, then blank lines; the first is the envelope's own only where it is an end marker.
        self._pending = 0
        self._own = 0
        self.ended = False

    def take(self, text: str) -> tuple[int, bool]:
        """Take the next line.

        Returns:
            How many of the lines not yet decided upon are the envelope's; whether it ends with them.
        """
        if self._indent is None:
            self._indent = text[: len(text) - len(text.lstrip())]
            self._padded = bool(self._indent)
            self._header_seen = is_header(text)
            return 1, False
        text = text.removeprefix(self._indent)
        before, self._pending = self._pending, 0
        if before and not text.strip():
            self._pending = before + 1
            return 0, False
        if before and text[0] not in _SIGNS:
            self.ended = True
            return self._own, True
        return self._line(text, before)

    def _line(self, text: str, before: int) -> tuple[int, bool]:
        """Take a line after which those before it, if any were undecided, are the envelope's."""
        if not self._header_seen and text.strip():
            self._header_seen = True
            self._padded = self._padded or text[:1].isspace()
        if is_marker(text, END):
            if self._padded or not text[:1].isspace():
                self.ended = True
                return before + 1, True
            self._pending, self._own = 1, 1
            return before, False
        if text[:1] not in tuple(" +-") and text.strip() in self._closers:
            self._pending, self._own = 1, 0
            return before, False
        return before + 1, False

    def finish(self) -> int:
        """The text ends; how many of the lines not yet decided upon are the envelope's."""
        return self._own if self._pending else 0
