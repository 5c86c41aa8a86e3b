"""Slips with words: a keyword misspelt, a colon forgotten, what other languages and older Pythons write."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from agent_core.repair.beyond.bench import Bench
from agent_core.repair.beyond.nearest import distance
from agent_core.repair.beyond.slips import Change, Slip, exchange, put
from agent_core.repair.beyond.tokens import BLOCKS, KEYWORDS, Token

# What a line can begin with.
_OPENERS = BLOCKS | frozenset(
    ("import", "from", "return", "raise", "pass", "break", "continue", "del", "global", "nonlocal", "assert", "yield")
)
_FOREIGN = {
    "function": "def", "func": "def", "fn": "def", "fun": "def", "sub": "def", "define": "def",
    "elseif": "elif", "elsif": "elif", "catch": "except", "throw": "raise", "switch": "match", "foreach": "for",
    "struct": "class", "interface": "class", "unless": "if not", "until": "while not", "using": "with",
    "require": "import", "include": "import", "var": "", "let": "", "const": "", "new": "", "then": ":", "do": ":",
}  # fmt: skip
_SIGNS = (
    ("===", "=="), ("!==", "!="), ("&&", " and "), ("||", " or "), ("=>", ">="), ("=<", "<="), ("=!", "!="),
    ("<>", "!="), ("++", " += 1"), ("--", " -= 1"), ("::", ":"), ("->", "."), ("=+", "+="), ("=-", "-="),
    ("=*", "*="), ("=/", "/="), ("..", "."), (",,", ","), (";", ":"), ("//", "#"), ("?", ""), ("!", "not "),
)  # fmt: skip


_PARTED = frozenset(
    (
        "==",
        "!=",
        "<=",
        ">=",
        "+=",
        "-=",
        "*=",
        "/=",
        "//=",
        "%=",
        "**=",
        "|=",
        "&=",
        "^=",
        "->",
        ":=",
        "**",
        "//",
        ">>",
        "<<",
    )
)


def colons(bench: Bench) -> Iterator[Slip]:
    """A colon forgotten at the end of a line that opens a block, or another sign in its place."""
    for rank, line in enumerate(bench.around):
        tokens = bench.by_line[line]
        # The head of a block may go over several lines: it ends where the brackets are closed.
        if not bench.heads_block(line) and not (rank == 0 and ")" in {one.text for one in tokens}):
            continue
        last = tokens[-1]
        cost = 1.0 + 0.3 * rank + (0.0 if bench.heads_block(line) else 0.8)
        if last.text != ":":
            yield put(cost, last.end, ":", "the colon at the end of the line")
        if last.text in {";", ",", ".", "=", "-", "::", "_"} and len(tokens) > 1:
            yield exchange(cost, last.start, last.end, ":", f"a colon for {last.text} at the end of the line")
        if last.text in {"then", "do", "{"} and len(tokens) > 1:
            yield exchange(cost, tokens[-2].end, last.end, ":", f"a colon for {last.text}")
        for one, after in itertools.pairwise(tokens):
            if one.text in {"else", "try", "finally"} and after.text != ":":
                yield put(cost + 0.2, one.end, ":", f"the colon after {one.text}")
    # `if x` with its statement behind it on the same line.
    if bench.fault.message == "expected ':'":
        tokens = bench.by_line.get(bench.fault.line, [])
        before = [one for one in tokens if one.end <= bench.at]
        if before and bench.heads_block(bench.fault.line):
            yield put(1.3, before[-1].end, ":", "the colon")


def keywords(bench: Bench) -> Iterator[Slip]:
    """A keyword misspelt, in two parts, grown together with the next word, or of another language."""
    for rank, line in enumerate(bench.around):
        tokens = bench.by_line[line]
        for place, one in enumerate(tokens):
            if one.kind != "name":
                continue
            far = 0.3 * rank + 0.05 * abs(one.start - bench.at) / 10
            yield from _misspelt(one, far, first=place == 0)
            after = tokens[place + 1] if place + 1 < len(tokens) else None
            if after is not None and after.kind == "name":
                yield from _two(one, after, far)


def _misspelt(one: Token, far: float, *, first: bool) -> Iterator[Slip]:
    word, lowered = one.text, one.text.lower()
    if word in KEYWORDS:
        return
    said = _FOREIGN.get(lowered)
    if said is not None:
        end = one.end + (1 if not said else 0)
        yield exchange(1.2 + far, one.start, end, said, f"{said} for {word}" if said else f"{word} left out")
    for keyword in sorted(_OPENERS | KEYWORDS if first else KEYWORDS):
        if lowered == keyword.lower():
            yield exchange(1.0 + far, one.start, one.end, keyword, f"{keyword} for {word}")
        elif len(word) > 1 and abs(len(word) - len(keyword)) < 3:
            off = distance(word, keyword, 2)
            if off == 1 or (off == 2 and len(keyword) > 3):
                bare = 0.0 if first == (keyword in _OPENERS) else 0.5
                short = 0.6 if len(keyword) < 3 else 0.0
                yield exchange(
                    0.6 + 0.5 * off + far + bare + short, one.start, one.end, keyword, f"{keyword} for {word}"
                )
        if len(word) > len(keyword) > 1 and word[: len(keyword)] == keyword:
            yield put(1.3 + far - 0.02 * len(keyword), one.start + len(keyword), " ", f"a space after {keyword}")
        if len(word) > len(keyword) > 1 and word.endswith(keyword):
            yield put(1.6 + far - 0.02 * len(keyword), one.end - len(keyword), " ", f"a space before {keyword}")


def _two(one: Token, after: Token, far: float) -> Iterator[Slip]:
    both = one.text + after.text
    if both in KEYWORDS and after.start > one.end:
        yield exchange(1.2 + far, one.start, after.end, both, f"{both} in one word")
    if (one.text, after.text) == ("else", "if"):
        yield exchange(1.0 + far, one.start, after.end, "elif", "elif for else if")
    if (one.text, after.text) in {("is", "not"), ("not", "in")}:
        return
    if (one.text, after.text) in {("not", "is"), ("in", "not"), ("def", "async"), ("if", "else"), ("with", "async")}:
        said = f"{after.text} {one.text}"
        yield exchange(1.1 + far, one.start, after.end, said, f"{said} for {one.text} {after.text}")


def elses(bench: Bench) -> Iterator[Slip]:
    """``else`` with a condition, which is ``elif``; a conditional expression without its ``else``."""
    for rank, line in enumerate(bench.around):
        tokens = bench.by_line[line]
        if tokens[0].text == "else" and len(tokens) > 1 and tokens[1].text not in {":", "if"}:
            yield exchange(1.3 + 0.3 * rank, tokens[0].start, tokens[0].end, "elif", "elif for else")
        if tokens[0].text == "elif" and len(tokens) < 3:
            yield exchange(1.3 + 0.3 * rank, tokens[0].start, tokens[0].end, "else", "else for elif")
    if "expected 'else'" in bench.fault.message:
        yield put(2.2, bench.index(*bench.fault.end), " else None", "else None")


def imports(bench: Bench) -> Iterator[Slip]:
    """``import name from module``, as other languages have it."""
    for line in bench.around[:1]:
        tokens = bench.by_line[line]
        words = [one.text for one in tokens]
        if words[0] == "import" and "from" in words[2:]:
            place = words.index("from")
            names = bench.text[tokens[1].start : tokens[place - 1].end]
            module = bench.text[tokens[place].end : tokens[-1].end].strip()
            names = names.strip("{} ")
            said = f"from {module} import {names}"
            yield exchange(1.0, tokens[0].start, tokens[-1].end, said, "from in front of import")


def signs(bench: Bench) -> Iterator[Slip]:
    """Operators as other languages write them, or with their parts in the wrong order."""
    for rank, line in enumerate(bench.around[:2]):
        for one, after in itertools.pairwise(bench.by_line[line]):
            both = one.text + after.text
            if one.end < after.start and one.kind == after.kind == "op" and both in _PARTED:
                yield exchange(1.1 + 0.3 * rank, one.start, after.end, both, f"{both} without a space in it")
        start, said = bench.starts[line - 1], bench.line(line)
        for wrong, right in _SIGNS:
            for found in re.finditer(re.escape(wrong), said):
                at = start + found.start()
                if any(one.start < at < one.end and one.kind == "string" for one in bench.by_line[line]):
                    continue
                before = said[: found.start()]
                text = right.lstrip() if before.endswith((" ", "(")) else right
                text = text.rstrip() if said[found.end() : found.end() + 1] == " " else text
                what = f"{right.strip()} for {wrong}" if right else f"{wrong} left out"
                yield exchange(1.2 + 0.3 * rank + 0.01 * abs(at - bench.at), at, at + len(wrong), text, what)
                if wrong == ";":
                    yield exchange(1.5 + 0.3 * rank, at, at + 1, "", "; left out")


def equals(bench: Bench) -> Iterator[Slip]:
    """``=`` where ``==`` was meant, and the other way round."""
    close = 0.0 if "=" in bench.fault.message else 0.6
    for rank, line in enumerate(bench.around[:2]):
        for one in bench.by_line[line]:
            off = close + 0.3 * rank + 0.02 * abs(one.start - bench.at) / 4
            if one.text == "=":
                yield exchange(1.0 + off, one.start, one.end, "==", "== for =")
                yield exchange(2.0 + off, one.start, one.end, ":=", ":= for =")
                yield exchange(1.6 + off, one.start, one.end, ":", ": for =")
            elif one.text in {"==", ":="}:
                yield exchange(1.2 + off, one.start, one.end, "=", f"= for {one.text}")
            elif one.text == ":":
                yield exchange(1.6 + off, one.start, one.end, "=", "= for :")


def older_pythons(bench: Bench) -> Iterator[Slip]:
    """Statements and numbers of Python 2, on the line of the fault; and on all such lines, where there are more."""
    line = bench.fault.line
    single = tuple(_older(bench, line))
    yield from single
    if single:
        changes: list[Change] = []
        for other in sorted(bench.by_line):
            first = next(_older(bench, other), None)
            if first is not None and first.says == single[0].says:
                changes += first.changes
        if len(changes) > len(single[0].changes):
            yield Slip(single[0].cost - 0.1, f"{single[0].says}, and the same on other lines", tuple(changes))


def _older(bench: Bench, line: int) -> Iterator[Slip]:
    tokens = bench.by_line.get(line, [])
    if not tokens:
        return
    first, last = tokens[0], tokens[-1]
    if first.text in {"print", "exec"} and (len(tokens) == 1 or tokens[1].text not in {"=", ".", ":"}):
        yield from _print(bench, tokens)
    elif first.text == "raise" and len(tokens) > 3 and tokens[2].text == ",":
        yield Slip(1.0, "the message in brackets", ((tokens[1].end, tokens[3].start, "("), (last.end, last.end, ")")))
    elif first.text == "except" and len(tokens) > 4 and tokens[-3].text == ",":
        comma, name = tokens[-3], tokens[-2]
        yield exchange(1.1 if name.text[:1].islower() else 1.5, comma.start, name.start, " as ", "as for the comma")
        if tokens[1].text != "(":
            around: tuple[Change, ...] = ((tokens[1].start, tokens[1].start, "("), (name.end, name.end, ")"))
            yield Slip(1.5 if name.text[:1].islower() else 1.1, "the exceptions in brackets", around)
    yield from _numbers(tokens)


def _numbers(tokens: list[Token]) -> Iterator[Slip]:
    """Literals of Python 2, and a number that is grown together with a name."""
    for one, after in itertools.pairwise(tokens):
        joined = one.end == after.start
        if joined and one.kind == "number" and after.text in {"L", "l"}:
            yield exchange(1.0, after.start, after.end, "", f"{after.text} left out")
        elif joined and one.kind == "name" and one.text.lower() == "ur" and after.kind == "string":
            yield exchange(1.0, one.start, one.end, "r", f"r for {one.text}")
    for one in tokens:
        if one.kind == "number" and re.fullmatch(r"0[0-7_]+", one.text):
            yield exchange(1.1, one.start, one.end, f"0o{one.text[1:]}", f"0o{one.text[1:]} for {one.text}")
        if one.kind == "number" and re.fullmatch(r"0[0-9_]+", one.text):
            plain = one.text.lstrip("0_") or "0"
            yield exchange(1.3, one.start, one.end, plain, f"{plain} for {one.text}")
        if one.kind == "number" and (bare := re.fullmatch(r"(\d[\d_]*)", one.text)):
            after_it = next((other for other in tokens if other.start == one.end), None)
            if after_it is not None and after_it.kind == "name":
                yield put(1.5, bare.end() + one.start, " * ", f"{one.text} * {after_it.text}")


def _print(bench: Bench, tokens: list[Token]) -> Iterator[Slip]:
    first, last = tokens[0], tokens[-1]
    if len(tokens) == 1 or (tokens[1].text == "(" and last.text == ")"):
        return
    changes: list[Change] = [(first.end, tokens[1].start, "(")]
    rest = tokens[1:]
    if rest[0].text == ">>":
        comma = next((place for place, one in enumerate(rest) if one.text == ","), len(rest))
        target = bench.text[rest[1].start : rest[comma - 1].end] if comma > 1 else ""
        if not target:
            return
        start = rest[comma + 1].start if comma + 1 < len(rest) else last.end
        body = bench.text[start : last.end]
        said = f"({body}, file={target})" if body else f"(file={target})"
        yield exchange(1.0, first.end, last.end, said, f"brackets around what {first.text} is given")
        return
    if last.text == ",":
        changes.append((last.start, last.end, ', end=" ")'))
    else:
        changes.append((last.end, last.end, ")"))
    yield Slip(1.0, f"brackets around what {first.text} is given", tuple(changes))
