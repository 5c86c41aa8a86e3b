"""Calls that a model writes as JSON in its words, told as calls while they are being written.

`agent_core.partners.text_calls` reads the calls of a whole answer. Until it is whole, this says what of the words is
the arguments of ``apply_patch``, so that the patch is seen growing and not its JSON, and what is a call of another
tool, which nobody wants to read. It goes by how such a call begins: at the beginning of a line, perhaps in a fence,
tags or brackets, the tool's name first. A patch may stand in it with its newlines as they are, as small models write
it: then it goes on to the line that ends it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Literal, NamedTuple

from agent_core.partners.builtin_patch import PATCH_TOOL

# What may stand before a call or behind it, and the beginnings of it.
_BEFORE = re.compile(r"\s*(?:(?:`{3,}|~{3,})[\w.+-]*[ \t]*\n|<tool_call>|<tools>|\[|\{(?=\s*\{))")
_BEFORE_BEGUN = re.compile(r"\s*(?:`{1,2}|~{1,2}|(?:`{3,}|~{3,})[\w.+-]*[ \t]*)$")
_BEHIND = re.compile(r"[\s\]},]+|</?tool_call>|</?tools>|(?:`{3,}|~{3,})[ \t]*(?=\n|$)")
_TAGS = ("<tool_call>", "<tools>", "</tool_call>", "</tools>")
# How a call begins but for its spaces.
_OUTER = tuple(
    f'{outer}"{name}":"'
    for outer in ("{", '{"type":"function","function":{', '{"function":{')
    for name in ("name", "function", "tool")
)
_HEADS = tuple(
    f'{outer}{PATCH_TOOL}","{given}":{{"patch":{quote}'
    for outer in _OUTER
    for given in ("arguments", "parameters", "args")
    for quote in ('"', "'", "`")
)
# How many of those characters belong to the arguments.
_INSIDE = len('{"patch":"')
# The first line of a patch, ended as JSON has it.
_FIRST_LINE = re.compile(r'[^"\n]*?\\n')
_FIRST_LINE_BEGUN = re.compile(r'"{0,2}[^"\n]*$')
# How a call begins that is written as a tag, and what may become such a beginning; see `agent_core.partners.tag_calls`.
_TAG = re.compile(
    r"<(?:(function)=[\"']?|(?:function|invoke|tool|tool_call)\s+name=[\"'])([\w.-]+)"
    r"(?:[\"']\s*(?=\S)|\s+(?=\S)|(?=>))"
)
_TAG_BEGUN = re.compile(r"<(\w*)(?:=[\"']?[\w.-]*[\"']?|\s+(?:n|na|nam|name|name=|name=[\"'][\w.-]*[\"']?))?\s*$")
_TAG_NAMES = ("function", "invoke", "tool", "tool_call")
_TAG_END = re.compile(r"</(?:function|invoke|tool|tool_call)>")
_TAG_WITH_ATTRIBUTES_END = re.compile(r"[\"']\s*/>|</(?:function|invoke|tool|tool_call)>")
_LONGEST_END = len("</tool_call>")
# More than this is not held back: so long a beginning is none.
_MOST_HELD = 1000
_QUOTES = ('"""', "'''", '"', "'", "`")
# Of a patch with newlines as they are: its last line and what stands behind it, what shows that it goes on behind that,
# and a line that is nothing but the end of the string.
_LAST_LINE = re.compile(
    r"([ \t]*\*\*\* End Patch[ \t]*|>{5,9} ?REPLACE[ \t]*|[ \t]*`{3,}[ \t]*)((?:\"{3}|'{3}|[\"'`])?)([}\]\s,]*)$"
)
_GOES_ON = re.compile(r"[ \t]*\*\*\* (?:Begin Patch|(?:Add|Update|Delete) File:)")
_CLOSING_LINE = re.compile(r"\s*(?:\"{3}|'{3}|[\"'`])([}\]\s,]*)$")


class Told(NamedTuple):
    """Some more of an answer.

    Attributes:
        kind: Words, arguments of ``apply_patch``, or a call of another tool, as it was written.
        text: What is new.
    """

    kind: Literal["words", "patch", "call"]
    text: str


class StreamedCalls:
    """Takes words in pieces of any size, and gives them out as words, as arguments of ``apply_patch``, and as calls.

    What is wrapped around a call is left out. Words are held back only while they may begin a call.

    Args:
        tools: Names of the tools on offer.

    Attributes:
        count: How many patches have begun.
    """

    def __init__(self, tools: Collection[str] = (PATCH_TOOL,)) -> None:
        self._rest = ""
        self._mode: Literal["words", "arguments", "raw", "call", "tag", "attributes", "behind"] = "words"
        self._names = tuple(tools)
        self._ended = False
        self._blank = ""
        self._line_begins = True
        self._depth = 0
        self._in_text = False
        self._escaped = False
        self._tagged = False
        self.count = 0

    def feed(self, delta: str) -> Iterator[Told]:
        """Take more; gives what is decided by it, the arguments as they are written."""
        self._rest += delta
        while self._rest:
            before = (self._mode, len(self._rest))
            if self._mode == "words":
                yield from self._take_words()
            elif self._mode == "raw":
                yield from self._take_lines()
            elif self._mode in {"tag", "attributes"}:
                yield from self._take_tag()
            elif self._mode in {"arguments", "call"}:
                yield from self._take_arguments("patch" if self._mode == "arguments" else "call")
            else:
                yield from self._take_behind()
            if before == (self._mode, len(self._rest)):
                return

    def close(self) -> Iterator[Told]:
        """The words end; gives what was held back."""
        if self._mode == "raw":
            if self._rest:
                yield from self._take_line(self._rest, "")
            if self._mode == "raw":
                yield Told("patch", '"}')
        elif self._rest and self._mode in {"words", "tag", "attributes"}:
            yield Told("words" if self._mode == "words" else "call", self._rest)
        elif self._rest and self._mode == "behind" and self._tagged:
            yield Told("call", self._rest)
        self._rest = ""

    def _take_words(self) -> Iterator[Told]:
        if self._line_begins:
            found = _head(self._rest, self._names)
            if found == "open" and len(self._rest) <= _MOST_HELD:
                return
            if isinstance(found, tuple):
                self._mode, start = found
                before, self._rest = self._rest[:start], self._rest[start:]
                self._tagged = self._mode in {"tag", "attributes"}
                if self._tagged and before:
                    yield Told("call", before)
                self._depth, self._in_text, self._escaped = 0, False, False
                self.count += self._mode in {"arguments", "raw"}
                if self._mode == "raw":
                    self._ended, self._blank = False, ""
                    yield Told("patch", '{"patch": "')
                return
        end = self._rest.find("\n") + 1
        said, self._rest = (self._rest[:end], self._rest[end:]) if end else (self._rest, "")
        self._line_begins = bool(end)
        yield Told("words", said)

    def _take_lines(self) -> Iterator[Told]:
        """The lines of a patch whose newlines stand in it as they are."""
        while self._mode == "raw" and "\n" in self._rest:
            line, _, self._rest = self._rest.partition("\n")
            yield from self._take_line(line, "\n")

    def _take_line(self, line: str, ending: str) -> Iterator[Told]:
        if self._ended:
            if not line.strip():
                self._blank += line + ending
                return
            if not _GOES_ON.match(line):
                closing = _CLOSING_LINE.match(line)
                yield from self._end_lines((closing.group(1) if closing else line) + ending)
                return
            yield _escaped(self._blank)
            self._ended, self._blank = False, ""
        if (last := _LAST_LINE.match(line)) is not None and (last.group(2) or last.group(1)[:1] != "`"):
            text, quote, behind = last.groups()
            yield _escaped(text.rstrip() + "\n")
            if quote or behind.strip():
                yield from self._end_lines(behind + ending)
            else:
                self._ended = "End Patch" in text
        elif (closing := _CLOSING_LINE.match(line)) is not None:
            yield from self._end_lines(closing.group(1) + ending)
        else:
            yield _escaped(line.replace('\\"', '"') + ending)

    def _end_lines(self, behind: str) -> Iterator[Told]:
        """The patch is over; what stands behind it is looked at anew."""
        self._mode, self._rest = "behind", behind + self._rest
        yield Told("patch", '"}')

    def _take_arguments(self, kind: Literal["patch", "call"]) -> Iterator[Told]:
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
                    yield Told(kind, said)
                    return
        said, self._rest = self._rest, ""
        yield Told(kind, said)

    def _take_tag(self) -> Iterator[Told]:
        end = (_TAG_END if self._mode == "tag" else _TAG_WITH_ATTRIBUTES_END).search(self._rest)
        # The end may have come in part.
        at = end.end() if end is not None else max(0, len(self._rest) - _LONGEST_END)
        said, self._rest = self._rest[:at], self._rest[at:]
        if end is not None:
            self._mode = "behind"
        if said:
            yield Told("call", said)

    def _take_behind(self) -> Iterator[Told]:
        if (found := _BEHIND.match(self._rest)) is not None:
            behind, self._rest = self._rest[: found.end()], self._rest[found.end() :]
            if self._tagged and behind:
                # It may come out that it was no call: then nothing of it may be missing.
                yield Told("call", behind)
        elif not any(tag.startswith(self._rest) for tag in _TAGS) and self._rest not in {"`", "``", "~", "~~"}:
            self._mode, self._line_begins = "words", True


def _escaped(text: str) -> Told:
    """Some of a patch as it stands in JSON."""
    return Told("patch", json.dumps(text, ensure_ascii=False)[1:-1])


def _head(
    text: str, tools: Collection[str]
) -> tuple[Literal["arguments", "raw", "call", "tag", "attributes"], int] | Literal["open", "no"]:
    """Whether a line begins a call: what comes, and from where on; ``open`` while more has to be seen."""
    at = 0
    while (before := _BEFORE.match(text, at)) is not None:
        at = before.end()
    rest = text[at:]
    bare = rest.lstrip()
    if not bare or any(tag.startswith(bare) for tag in _TAGS) or _BEFORE_BEGUN.match(rest):
        return "open"
    if bare[0] == "<":
        return _tag_head(bare, tools)
    compact = "".join(rest.split())
    for head in _HEADS:
        if compact.startswith(head):
            return _patch_head(text, at, head)
        if head.startswith(compact):
            return "open"
    return _call_head(text, at, compact, tools)


def _tag_head(bare: str, tools: Collection[str]) -> tuple[Literal["tag", "attributes"], int] | Literal["open", "no"]:
    """Whether a call of another tool begins that is written as a tag; patches in tags are found as what they are."""
    if (tag := _TAG.match(bare)) is not None:
        if tag[2] not in tools or tag[2] == PATCH_TOOL:
            return "no"
        return "tag" if tag[1] or bare[tag.end()] == ">" else "attributes", 0
    begun = _TAG_BEGUN.match(bare)
    return "open" if begun is not None and any(name.startswith(begun[1]) for name in _TAG_NAMES) else "no"


def _patch_head(text: str, at: int, head: str) -> tuple[Literal["arguments", "raw"], int] | Literal["open", "no"]:
    """How the patch of a call begins, whose quote has been opened."""
    patch = _place_of(text, at, len(head))
    if head[-1] == '"' and not text.startswith('""', patch):
        if _FIRST_LINE.match(text, patch):
            return "arguments", _place_of(text, at, len(head) - _INSIDE)
        if _FIRST_LINE_BEGUN.match(text, patch):
            return "open"
    quote = next((one for one in _QUOTES if text.startswith(one, patch - 1)), head[-1])
    start = patch - 1 + len(quote)
    line, newline, _ = text[start:].partition("\n")
    if not newline:
        return "open" if len(line) <= _MOST_HELD else "no"
    # A quote in the first line: the patch is a short text, or something else.
    return ("raw", start if line.strip() else start + len(line) + 1) if '"' not in line else "no"


def _call_head(
    text: str, at: int, compact: str, tools: Collection[str]
) -> tuple[Literal["call"], int] | Literal["open", "no"]:
    """Whether the call of another tool begins, or one of the patch tool with other arguments than a patch."""
    found: Literal["open", "no"] = "no"
    for outer in _OUTER:
        for name in tools:
            head = f'{outer}{name}",'
            if compact.startswith(head):
                return "call", _place_of(text, at, 0)
            if head.startswith(compact):
                found = "open"
    return found


def _place_of(text: str, at: int, count: int) -> int:
    """Where so many characters that are no spaces have come, counted from a place."""
    while count:
        count -= not text[at].isspace()
        at += 1
    return at
