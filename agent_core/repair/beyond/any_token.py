"""At last any token near the fault: one put in, left out, exchanged, or swapped with the next."""

from __future__ import annotations

from collections.abc import Iterator

from agent_core.repair.beyond.bench import Bench
from agent_core.repair.beyond.slips import Slip, exchange, put
from agent_core.repair.beyond.tokens import KEYWORDS, PAIRS, Token

_BEFORE, _BEHIND = 9, 4
_TIGHT = {",": 1.6, ":": 1.7, ".": 1.9, "(": 2.4, "[": 2.6, "()": 2.2, "=": 1.9}
_SPACED = {
    "=": 1.9, "==": 2.2, "in": 2.0, "import": 2.0, "as": 2.2, "from": 2.1, "if": 2.2, "else": 2.3, "for": 2.2,
    "def": 1.9, "class": 2.2, "is": 2.5, "not": 2.6, "and": 2.4, "or": 2.4, "+": 2.4, "-": 2.6, "*": 2.5, "/": 2.7,
    "%": 2.5, "<": 2.8, ">": 2.8, "!=": 2.9, "|": 2.9, "&": 3.0, "->": 2.3, "lambda": 2.8, "return": 2.6, "elif": 2.4,
    "while": 2.6, "with": 2.5, "except": 2.6, "raise": 2.8, "try": 2.8, "del": 3.0, "await": 2.9, "yield": 3.0,
    "assert": 3.0, "@": 2.7, "//": 2.9, "+=": 2.8, ":=": 2.9, "**": 2.9, "<=": 2.9, ">=": 2.9, "^": 3.2, "<<": 3.2,
    ">>": 3.2, "~": 3.2, "None": 3.4, "global": 2.7, "nonlocal": 2.8, "async": 2.9, "pass": 3.0,
}  # fmt: skip
_INSTEAD = {
    "=": (":", ",", ".", "-", "in", "+", "("), ":": (",", ";", "."), ";": (",", ":"), ",": (".", ":", "="),
    ".": (",", ":"), "-": ("=", "_"), "+": ("=",), "{": ("(", "["), "<": (",",), ">": (".",), "in": ("=", "is"),
    "is": ("in", "="), "of": ("in",), "to": ("in",), "as": ("=", "in", "is"), "[": ("(",), "(": ("[",),
    "from": ("import", "for"), "import": ("from",), "/": (",",), "@": ("=",), "*": (".", ","), "%": (",",),
    "|": (",",),
}  # fmt: skip


def any_token(bench: Bench) -> Iterator[Slip]:
    """All slips with one token, of those that stand near the fault."""
    tokens, near = bench.tokens, bench.near
    for place in range(max(near - _BEFORE, 0), min(near + _BEHIND, len(tokens))):
        far = 0.08 * abs(place - near)
        one = tokens[place]
        before = tokens[place - 1] if place else None
        if one.line > bench.fault.line + 1:
            break
        yield from _put_in(bench.text, before, one, far)
        yield from _left_out(bench.text, before, one, far)
        for text in _INSTEAD.get(one.text, ()):
            yield exchange(1.9 + far, one.start, one.end, text, f"{text} for {one.text}")
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        if after is not None and after.text != one.text and after.line == one.line:
            between = bench.text[one.end : after.start]
            said = f"{after.text}{between}{one.text}"
            if before is not None and before.end == one.start and before.kind == "name" == after.kind:
                continue
            yield exchange(2.2 + far, one.start, after.end, said, f"{one.text} and {after.text} swapped")
    if tokens:
        last = tokens[min(near, len(tokens) - 1)]
        for text, cost in {**_SPACED, **_TIGHT}.items():
            if text in {")", "pass", "None", ":", "()", "]"} or text in PAIRS:
                yield put(cost + 0.2, last.end, f" {text}" if text.isalpha() else text)


def _put_in(text: str, before: Token | None, one: Token, far: float) -> Iterator[Slip]:
    starts_line = before is None or before.line < one.line
    end = one.start if before is None else before.end
    if not starts_line:
        gap = " " if end == one.start else ""
        for sign, cost in _TIGHT.items():
            said = sign + gap if sign in ",:" else sign
            yield put(cost + far, end, said)
    elif before is not None:
        for sign in (",", ":", ")", "]", "}", "()"):
            yield put(1.9 + far, end, sign)
    for word, cost in _SPACED.items():
        lead = "" if text[one.start - 1 : one.start] in {" ", "\t", "\n", "\r", "", "("} else " "
        yield put(cost + far + 0.1 * (starts_line and word not in KEYWORDS), one.start, f"{lead}{word} ")


def _left_out(text: str, before: Token | None, one: Token, far: float) -> Iterator[Slip]:
    if before is not None and before.text == one.text:
        # Written twice.
        foreign = one.text in {"&", "|", "=", "+", "-"} and before.end == one.start
        yield exchange((1.8 if foreign else 1.1) + far, before.end, one.end, "", f"{one.text} left out")
        return
    cost = {"op": 1.8, "stray": 1.6, "name": 2.5, "number": 2.7}.get(one.kind, 3.0)
    cost -= 0.4 * (one.text in {",", ";", ":", ")", "]", "}"}) + 0.3 * (one.text in KEYWORDS)
    end = one.end + (text[one.end : one.end + 1] == " " and text[one.start - 1 : one.start] in {" ", "\n", "", "("})
    yield exchange(cost + far, one.start, end, "", f"{one.text} left out")
