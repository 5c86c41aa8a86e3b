"""Slips with brackets and with what separates items: one forgotten, one too many, one of another kind."""

from __future__ import annotations

import builtins
import itertools
from collections import Counter
from collections.abc import Iterator

from agent_core.repair.beyond.bench import Bench
from agent_core.repair.beyond.slips import Slip, exchange, put
from agent_core.repair.beyond.tokens import PAIRS, Token

_REACH = 12
_BUILTINS = frozenset(dir(builtins))
_OPENERS = {closer: opener for opener, closer in PAIRS.items()}


def brackets(bench: Bench) -> Iterator[Slip]:
    """Brackets that have no partner: one put in for them where it may have stood, or they are left out."""
    for opener, closer in _unpaired(bench.tokens):
        if opener is not None and closer is not None:
            yield exchange(1.0, closer.start, closer.end, PAIRS[opener.text], f"{PAIRS[opener.text]} for {closer.text}")
            other = _OPENERS[closer.text]
            yield exchange(1.2, opener.start, opener.end, other, f"{other} for {opener.text}")
            yield put(1.3, closer.start, PAIRS[opener.text])
        if opener is not None:
            yield from _closed(bench, opener)
            yield exchange(1.8, opener.start, opener.end, "", f"{opener.text} left out")
        if closer is not None:
            yield from _glued(bench, closer)
            yield exchange(1.2, closer.start, closer.end, "", f"{closer.text} left out")
            yield from _opened(bench, closer)


def _unpaired(tokens: list[Token]) -> list[tuple[Token | None, Token | None]]:
    """Brackets without partners; both of two that do not fit one another."""
    stack: list[Token] = []
    wrong: list[tuple[Token | None, Token | None]] = []
    for one in tokens:
        if one.kind != "op":
            continue
        if one.text in PAIRS:
            stack.append(one)
        elif one.text in _OPENERS:
            if stack and PAIRS[stack[-1].text] == one.text:
                stack.pop()
            elif stack:
                wrong.append((stack.pop(), one))
            else:
                wrong.append((None, one))
    wrong += [(opener, None) for opener in reversed(stack)]
    return wrong[:6]


def _closed(bench: Bench, opener: Token) -> Iterator[Slip]:
    """The bracket that closes one, after each token of its line, and at the end of the lines below."""
    closer = PAIRS[opener.text]
    line = opener.line
    tokens = [one for one in bench.tokens if one.start > opener.start and one.line <= line + _REACH]
    depth = 0
    for place, one in enumerate(tokens):
        depth += (one.text in PAIRS) - (one.text in _OPENERS)
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        ends_line = after is None or after.line > one.line
        if depth < 0:
            break
        if one.line == line or ends_line or (after is not None and after.text == ":"):
            # Most often it is forgotten at the end of the line, in front of what belongs to the statement.
            late = ends_line or (after is not None and after.text in {":", ")", "]", "}"})
            cost = (1.0 if late else 1.5) + 0.15 * (one.line - line) + 0.2 * (depth > 0)
            cost += 0.4 * (one.text in {",", "=", ".", "+", "-", "*", ":"}) + 0.3 * (one.text == ":")
            yield put(cost, one.end, closer)
            if ends_line and one.text == "," and opener.text == "(":
                yield exchange(cost + 0.2, one.start, one.end, closer, f"{closer} for ,")
            if ends_line and one.text == ":":
                yield put(cost - 0.3, one.start, closer)
        if ends_line and after is not None and after.line > one.line:
            # A bracket that stands alone on the line below, as the opener's line is indented.
            own = len(bench.indent(line))
            if one.line > line and len(bench.indent(after.line)) <= own and one.text in {",", "(", "[", "{"}:
                text = bench.indent(line) + closer + ("\r\n" if "\r\n" in bench.text else "\n")
                yield put(1.1 + 0.05 * (one.line - line), bench.starts[after.line - 1], text, f"{closer} put in")
                return
    if not tokens:
        yield put(1.2, opener.end, closer)


def _opened(bench: Bench, closer: Token) -> Iterator[Slip]:
    """The bracket that opens one, before each token of its line and of the one above."""
    opener = _OPENERS[closer.text]
    above = bench.code_before(closer.line)
    for one in (*bench.by_line.get(closer.line, ()), *bench.by_line.get(above, ())):
        if one.start >= closer.start or one.text in {",", ".", "=", ":"}:
            continue
        before = bench.text[max(one.start - 1, 0) : one.start]
        after_word = before.isalnum() or before == "_"
        cost = 1.5 + 0.3 * (one.line != closer.line) + 0.002 * (closer.start - one.start) + 0.2 * after_word
        yield put(cost, one.start, opener)
        if one.kind == "name" and opener in "([":
            # A call or an index: the bracket follows the word at once.
            gap = bench.text[one.end : one.end + 1] == " "
            yield exchange(cost + 0.1 * (not gap), one.end, one.end + gap, opener, f"{opener} put in")


def _glued(bench: Bench, closer: Token) -> Iterator[Slip]:
    """The bracket that opens one stood within what is one word now: ``def namefirst)``."""
    words = Counter(one.text for one in bench.tokens if one.kind == "name")
    line = bench.by_line.get(closer.line, [])
    for before, one in zip([None, *line], line, strict=False):
        if one.kind != "name" or one.start >= closer.start or words[one.text] > 1:
            continue
        defines = before is not None and before.text == "def"
        for cut in range(1, len(one.text)):
            head, tail = one.text[:cut], one.text[cut:]
            known = (defines or words[head] or head in _BUILTINS) and words[tail]
            if known and head.isidentifier() and tail.isidentifier():
                # The longer the word that is known, the less it is so by chance.
                yield put(1.6 - 0.02 * len(tail) - 0.02 * len(head) * bool(words[head]), one.start + cut, "(")


def commas(bench: Bench) -> Iterator[Slip]:
    """A comma forgotten between two values."""
    close = 0.0 if "forgot a comma" in bench.fault.message else 0.5
    first, last = bench.at, bench.index(*bench.fault.end)
    for line in sorted(
        {*bench.around, *range(bench.fault.line, min(bench.fault.end[0], bench.fault.line + _REACH) + 1)}
    ):
        tokens = bench.by_line.get(line, [])
        below = bench.code_after(line)
        following = [*tokens[1:], *bench.by_line.get(below, [])[:1]]
        for one, after in zip(tokens, following, strict=False):
            ends = one.operand or one.text in _OPENERS or one.kind == "open"
            begins = after.operand or after.text in PAIRS or after.text in {"lambda", "*", "**", "not", "-"}
            if ends and begins:
                far = 0.0 if first <= one.end <= last else 0.4
                yield put(1.0 + close + far, one.end, "," if one.end < after.start else ", ", "the comma")
        # One too many: ``f(a,, b)`` is a sign; a comma before an operator or a colon is seen here.
        for one, after in itertools.pairwise(tokens):
            if one.text == "," and (after.text in {",", ":", "=", "."} or after.text in {"and", "or", "in", "if"}):
                yield exchange(1.4, one.start, one.end, "", "a comma left out")


def calls(bench: Bench) -> Iterator[Slip]:
    """The brackets of a function without parameters, or of a comprehension's tuple."""
    message = bench.fault.message
    if message == "expected '('":
        before = [one for one in bench.by_line.get(bench.fault.line, ()) if one.end <= bench.at]
        if before:
            yield put(1.0, before[-1].end, "()")
    if "parentheses around the comprehension target" in message or "must be parenthesized" in message:
        start, end = bench.at, bench.index(*bench.fault.end)
        if start < end:
            yield Slip(1.0, "brackets around it", ((start, start, "("), (end, end, ")")))
    if "trailing comma not allowed" in message:
        commas_there = [one for one in bench.by_line.get(bench.fault.line, ()) if one.text == ","]
        if commas_there:
            yield exchange(1.0, commas_there[-1].start, commas_there[-1].end, "", "the last comma left out")
