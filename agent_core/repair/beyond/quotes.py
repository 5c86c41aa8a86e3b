"""Slips with strings: a quote forgotten or of another kind, braces of f-strings, signs that are no ASCII."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from agent_core.repair.beyond.bench import Bench
from agent_core.repair.beyond.slips import Change, Slip, exchange, put
from agent_core.repair.beyond.tokens import Token

_PREFIX = re.compile(r"[A-Za-z]*")
# What a word processor, a web page or another keyboard puts in the place of a sign.
_LOOKALIKES = {
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u00ab": '"', "\u00bb": '"', "\u2033": '"',
    "\uff02": '"', "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'", "\u00b4": "'", "`": "'",
    "\uff07": "'", "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2010": "-", "\u2011": "-", "\u00d7": "*",
    "\u00f7": "/", "\u2264": "<=", "\u2265": ">=", "\u2260": "!=", "\u2026": "...", "\uff08": "(", "\uff09": ")",
    "\uff3b": "[", "\uff3d": "]", "\uff0c": ",", "\u3001": ",", "\uff1a": ":", "\uff1b": ":", "\uff1d": "=",
    "\u2192": "->", "\u21d2": "->", "\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2009": " ", "\u202f": " ",
    "\u3000": " ", "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": "", "\u00ad": "", "\u200e": "",
    "\u200f": "", "\x00": "", "\x1a": "", "\uff0b": "+", "\uff0d": "-", "\uff0a": "*", "\uff0f": "/", "\u2215": "/",
}  # fmt: skip
_ENDS = re.compile(r"[)\]},:;]+\s*$")


def _prefix(one: Token) -> str:
    """The letters before a string's first quote."""
    found = _PREFIX.match(one.text)
    return found.group() if found else ""


def lookalikes(bench: Bench) -> Iterator[Slip]:
    """Signs that only look like those of Python, or cannot be seen: on the line of the fault, and in all the code."""
    if all(sign not in bench.text for sign in _LOOKALIKES):
        return
    inside = [(one.start, one.end) for one in bench.tokens if one.kind == "string"]

    def changes(first: int, last: int) -> tuple[Change, ...]:
        found: list[Change] = []
        for at in range(first, last):
            said = _LOOKALIKES.get(bench.text[at])
            if said is not None and not any(start < at < end for start, end in inside):
                found.append((at, at + 1, said))
        return tuple(found)

    line = bench.fault.line
    start = bench.starts[line - 1] if line <= bench.lines else 0
    here, everywhere = changes(start, start + len(bench.line(line))), changes(0, len(bench.text))
    if here:
        yield Slip(1.0, "plain signs for those that only look alike", here)
    if len(everywhere) > len(here):
        yield Slip(0.9, "plain signs for those that only look alike", everywhere)


def quotes(bench: Bench) -> Iterator[Slip]:
    """A string without an end."""
    for one in bench.tokens:
        if one.kind == "string" and one.text.endswith(('"""', "'''")):
            # It took the next string's beginning for its end.
            behind = one.line + one.text.count("\n")
            if behind > one.line and abs(behind - bench.fault.line) < 2:
                yield from _triple(bench, one)
        if one.kind != "open":
            continue
        if one.text.lstrip("bBrRuUfFtT")[:3] in {'"""', "'''"}:
            yield from _triple(bench, one)
        else:
            yield from _single(bench, one)
    yield from _apostrophes(bench)
    yield from _empty(bench)


def _single(bench: Bench, one: Token) -> Iterator[Slip]:
    at = len(_prefix(one))
    quote, body = one.text[at], one.text[at + 1 :]
    start, end = one.start + at, one.end
    other = "'" if quote == '"' else '"'
    code = body.rstrip()
    yield put(1.2, start + 1 + len(code), quote, f"{quote} put in")
    # Before what follows a string in a statement: brackets, a comma, a colon, an operator.
    tail = _ENDS.search(code)
    if tail is not None:
        for back in range(tail.start(), len(code)):
            yield put(1.0 + 0.1 * (back - tail.start()), start + 1 + back, quote, f"{quote} put in")
    for found in re.finditer(r"\s*(?:#|[)\]},:;]|\s[%+=]\s|\s(?:in|if|else|and|or|for|not|is)\s|\.\w+\()", code):
        yield put(1.4 + 0.01 * found.start(), start + 1 + found.start(), quote, f"{quote} put in")
    for found in re.finditer(re.escape(other), body):
        yield exchange(1.1, start + 1 + found.start(), start + 2 + found.start(), quote, f"{quote} for {other}")
    if other in body:
        yield exchange(1.2, start, start + 1, other, f"{other} for {quote}")
    yield exchange(1.9, one.start, start + 1, "", f"{quote} left out")
    # The string has its end, and what opens it is missing: the quote found here closes it.
    words = [before for before in bench.by_line.get(one.line, ()) if before.end <= one.start]
    for far, before in enumerate(reversed(words)):
        if before.kind in {"name", "number"} or before.text in {"/", ".", "-"}:
            yield put(1.4 + 0.1 * far, before.start, quote, f"{quote} put in")
    if not body.strip():
        yield put(1.3, end, quote, f"{quote} put in")


def _triple(bench: Bench, one: Token) -> Iterator[Slip]:
    at = len(_prefix(one))
    marks = one.text[at : at + 3]
    quote = marks[0]
    says = f"{marks} put in"
    body = one.start + at + 3
    lines = [(number, bench.line(number)) for number in range(one.line, min(one.line + 60, bench.lines + 1))]
    first = lines[0][1]
    room = len(first) - len(first.rstrip())
    yield put(1.2, bench.starts[one.line - 1] + len(first) - room, marks, says)
    for found in re.finditer(rf"(?<!{quote}){quote}{{1,2}}(?!{quote})", one.text[at + 3 :]):
        yield exchange(1.0 + 0.001 * found.start(), body + found.start(), body + found.end(), marks, f"{marks} closed")
    own = bench.indent(one.line)
    for far, (number, said) in enumerate(lines[1:], 1):
        before = lines[far - 1][1]
        blank = not said.strip()
        outer = bool(said.strip()) and len(bench.indent(number)) < len(own)
        word = said.strip().split(" ")[0].rstrip(":(")
        begins = word in {
            "def",
            "class",
            "import",
            "from",
            "return",
            "if",
            "for",
            "while",
            "with",
            "try",
            "raise",
            "self",
        }
        if blank or outer or begins or re.match(r"\s*[\w.]+ *(?:[-+*/]?=|\()", said):
            # Behind the last words, or alone on a line as in a docstring of several.
            place = bench.starts[number - 2] + len(before.rstrip())
            if before.strip():
                yield put(1.2 + 0.05 * far, place, marks, says)
                ends = "\r\n" if "\r\n" in bench.text else "\n"
                yield put(1.2 + 0.05 * far - 0.02 * (far > 2), place, f"{ends}{own}{marks}", says)
    yield put(1.6, len(bench.text.rstrip()), marks, says)
    if one.kind == "open":
        yield exchange(1.5, one.start + at, body, quote, f"{quote} for {marks}")


def _empty(bench: Bench) -> Iterator[Slip]:
    """Two quotes where three were meant: an empty string with words behind it."""
    for line in bench.around[:2]:
        for one, after in itertools.pairwise(bench.by_line[line]):
            if one.text in {'""', "''"} and after.start == one.end:
                closed = one.text[0] * 3 in bench.line(line)[1:]
                yield put(0.8 if closed else 1.2, one.end, one.text[0], f"{one.text[0] * 3} for {one.text}")


def _apostrophes(bench: Bench) -> Iterator[Slip]:
    """An apostrophe within a string between apostrophes: the string between double quotes, or a mark before it."""
    for line in bench.around[:2]:
        start, said = bench.starts[line - 1], bench.line(line)
        for quote, other in (("'", '"'), ('"', "'")):
            places = [start + found.start() for found in re.finditer(rf"(?<!\\){quote}", said)]
            if len(places) < 3:
                continue
            for place in range(1, len(places) - 1):
                first, middle, last = places[place - 1], places[place], places[place + 1]
                if quote == "'" and not bench.text[middle - 1 : middle].isalnum():
                    continue
                if other not in bench.text[first:last]:
                    both: tuple[Change, ...] = ((first, first + 1, other), (last, last + 1, other))
                    yield Slip(1.0, f"{other} around a string with {quote} in it", both)
                yield put(1.1, middle, "\\", f"\\ before {quote}")


def escapes(bench: Bench) -> Iterator[Slip]:
    """A backslash that Python takes for an escape, or for the line going on."""
    message = bench.fault.message
    if "unicode error" in message or "truncated" in message or "malformed" in message:
        for line in bench.around:
            for one in bench.by_line[line]:
                if one.kind == "string" and "\\" in one.text and one.text[0] in "\"'":
                    yield put(1.0, one.start, "r", "a raw string")
    if "line continuation" in message or "EOF" in message:
        yield from _going_on(bench)
    bytes_only, mixed = "bytes can only contain ASCII" in message, "cannot mix bytes" in message
    if bytes_only or mixed:
        for one in bench.by_line.get(bench.fault.line, ()):
            if bytes_only and one.kind == "string" and one.text[:1] in "bB":
                both: tuple[Change, ...] = ((one.start, one.start + 1, ""), (one.end, one.end, ".encode()"))
                yield Slip(1.2, "a string that is encoded, for bytes", both)
            if mixed and one.kind == "string" and one.text[:1] in "\"'":
                yield put(1.2, one.start, "b", "bytes for a string")


def _going_on(bench: Bench) -> Iterator[Slip]:
    """A backslash at the end of a line, with something behind it or nothing below it."""
    line = bench.fault.line
    said, start = bench.line(line), bench.starts[min(line, bench.lines) - 1]
    stripped = said.rstrip()
    if stripped.endswith("\\") and stripped != said:
        yield exchange(1.0, start + len(stripped), start + len(said), "", "white space after \\ left out")
    for found in re.finditer(r"\\", said):
        yield exchange(1.3, start + found.start(), start + found.end(), "", "\\ left out")
    end = len(bench.text.rstrip())
    if bench.text[end - 1 : end] == "\\":
        yield exchange(1.0, end - 1, end, "", "\\ left out")


def fields(bench: Bench) -> Iterator[Slip]:
    """Braces and quotes of f-strings."""
    for line in bench.around:
        for one in bench.by_line[line]:
            if one.kind not in {"string", "open"} or "f" not in _prefix(one).lower():
                continue
            yield from _braces(one)
            said = next((one.text[at] for at in range(len(one.text)) if one.text[at] in "\"'"), "")
            after = [other for other in bench.by_line[line] if other.start >= one.end]
            closing = [other for other in after if other.text.endswith(said) and other.kind in {"string", "open"}]
            if said and closing:
                # The same quotes within a field as around the string: the inner ones become others.
                other = "'" if said == '"' else '"'
                last = closing[-1]
                inner = range(one.start + one.text.index(said) + 1, last.end - 1)
                changes = tuple((at, at + 1, other) for at in inner if bench.text[at] == said)
                if changes and other not in bench.text[one.start : last.end]:
                    yield Slip(1.0, f"{other} within the fields of an f-string", changes)


def _braces(one: Token) -> Iterator[Slip]:
    text = one.text
    ends = len(text) - (1 if one.kind == "string" else 0)
    for found in re.finditer(r"\{(?!\{)", text):
        for place in re.finditer(r"[^\w.\[\]()'\"]|$", text[found.end() : ends]):
            yield put(1.1 + 0.02 * place.start(), one.start + found.end() + place.start(), "}", "the closing brace")
    for found in re.finditer(r"\}(?!\})", text):
        at = one.start + found.start()
        yield put(1.3, at, "}", "}} for }")
        yield exchange(1.4, at, at + 1, "", "} left out")
        for place in re.finditer(r"(?<=[\s\"'(=:])(?=\w)", text[: found.start()]):
            yield put(1.2 + 0.01 * (found.start() - place.start()), one.start + place.start(), "{", "the opening brace")
    for found in re.finditer(r"\{(?!\{)", text):
        yield put(1.5, one.start + found.start(), "{", "{{ for {")
    for found in re.finditer(r"\{\s*\}", text):
        yield exchange(1.3, one.start + found.start(), one.start + found.end(), "{{}}", "{{}} for {}")
