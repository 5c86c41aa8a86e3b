"""A patch that a model writes as a JSON call in its words, told while it is being written.

`agent_core.partners.text_calls` reads the calls of a whole answer. Until it is whole, this says what of the words is
the arguments of ``apply_patch``, so that the patch is seen growing and not its JSON. It goes by how such a call begins:
at the beginning of a line, perhaps in a fence, tags or brackets, the tool's name first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from agent_core.partners.builtin_patch import PATCH_TOOL
from agent_core.patch.scan import Piece

# What may stand before a call or behind it, and the beginnings of it.
_BEFORE = re.compile(r"\s*(?:(?:`{3,}|~{3,})[\w.+-]*[ \t]*\n|<tool_call>|<tools>|\[|\{(?=\s*\{))")
_BEFORE_BEGUN = re.compile(r"\s*(?:`{1,2}|~{1,2}|(?:`{3,}|~{3,})[\w.+-]*[ \t]*)$")
_BEHIND = re.compile(r"[\s\]},]+|</?tool_call>|</?tools>|(?:`{3,}|~{3,})[ \t]*(?=\n|$)")
_TAGS = ("<tool_call>", "<tools>", "</tool_call>", "</tools>")
# How a call begins but for its spaces.
_HEADS = tuple(
    f'{outer}"{name}":"{PATCH_TOOL}","{given}":{{"patch":"'
    for outer in ("{", '{"type":"function","function":{', '{"function":{')
    for name in ("name", "function", "tool")
    for given in ("arguments", "parameters", "args")
)
# How many of those characters belong to the arguments.
_INSIDE = len('{"patch":"')
# The first line of a patch, ended as JSON has it: where the line just ends it is no JSON, whatever is around it.
_FIRST_LINE = re.compile(r'[^"\n]*?\\n')
_FIRST_LINE_BEGUN = re.compile(r'[^"\n]*$')
# More than this is not held back: so long a beginning is none.
_MOST_HELD = 1000


class StreamedCalls:
    """Takes words in pieces of any size, and gives them out as words and as arguments of ``apply_patch``.

    What is wrapped around the arguments is left out. Words are held back only while they may begin a call.

    Attributes:
        count: How many calls have begun.
    """

    def __init__(self) -> None:
        self._rest = ""
        self._mode: Literal["words", "arguments", "behind"] = "words"
        self._line_begins = True
        self._depth = 0
        self._in_text = False
        self._escaped = False
        self.count = 0

    def feed(self, delta: str) -> Iterator[Piece]:
        """Take more; gives what is decided by it, the arguments as they are written."""
        self._rest += delta
        while self._rest:
            before = (self._mode, len(self._rest))
            if self._mode == "words":
                yield from self._take_words()
            elif self._mode == "arguments":
                yield from self._take_arguments()
            else:
                self._take_behind()
            if before == (self._mode, len(self._rest)):
                return

    def close(self) -> Iterator[Piece]:
        """The words end; gives what was held back."""
        rest, self._rest = self._rest, ""
        if rest and self._mode == "words":
            yield Piece("words", rest)

    def _take_words(self) -> Iterator[Piece]:
        if self._line_begins:
            found = _head(self._rest)
            if found == "open" and len(self._rest) <= _MOST_HELD:
                return
            if isinstance(found, int):
                self._rest = self._rest[found:]
                self._mode, self._depth = "arguments", 0
                self.count += 1
                return
        end = self._rest.find("\n") + 1
        said, self._rest = (self._rest[:end], self._rest[end:]) if end else (self._rest, "")
        self._line_begins = bool(end)
        yield Piece("words", said)

    def _take_arguments(self) -> Iterator[Piece]:
        for at, sign in enumerate(self._rest):
            if self._escaped:
                self._escaped = False
            elif self._in_text:
                self._escaped = sign == "\\"
                self._in_text = sign != '"'
            elif sign == '"':
                self._in_text = True
            elif sign in "{[":
                self._depth += 1
            elif sign in "}]":
                self._depth -= 1
                if self._depth == 0:
                    said, self._rest = self._rest[: at + 1], self._rest[at + 1 :]
                    self._mode = "behind"
                    yield Piece("patch", said)
                    return
        said, self._rest = self._rest, ""
        yield Piece("patch", said)

    def _take_behind(self) -> None:
        if (found := _BEHIND.match(self._rest)) is not None:
            self._rest = self._rest[found.end() :]
        elif not any(tag.startswith(self._rest) for tag in _TAGS) and self._rest not in {"`", "``", "~", "~~"}:
            self._mode, self._line_begins = "words", True


def _head(text: str) -> int | Literal["open", "no"]:
    """Whether a line begins a call: where its arguments begin; ``open`` while more has to be seen."""
    at = 0
    while (before := _BEFORE.match(text, at)) is not None:
        at = before.end()
    rest = text[at:]
    bare = rest.lstrip()
    if not bare or any(tag.startswith(bare) for tag in _TAGS) or _BEFORE_BEGUN.match(rest):
        return "open"
    compact = "".join(rest.split())
    for head in _HEADS:
        if compact.startswith(head):
            patch = _place_of(text, at, len(head))
            if _FIRST_LINE.match(text, patch):
                return _place_of(text, at, len(head) - _INSIDE)
            return "open" if _FIRST_LINE_BEGUN.match(text, patch) else "no"
        if head.startswith(compact):
            return "open"
    return "no"


def _place_of(text: str, at: int, count: int) -> int:
    """Where so many characters that are no spaces have come, counted from a place."""
    while count:
        count -= not text[at].isspace()
        at += 1
    return at
