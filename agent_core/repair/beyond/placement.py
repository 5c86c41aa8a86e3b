"""Slips that Python sees only when it compiles, or that are about the order of things."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent_core.repair.beyond.bench import Bench
from agent_core.repair.beyond.slips import Change, Slip, exchange, put
from agent_core.repair.beyond.tokens import PAIRS, Token

_NAME = re.compile(r"[Nn]ame '(\w+)'|binding for nonlocal '(\w+)'|argument '(\w+)'|repeated: (\w+)")
_FUTURE = re.compile(r"^from __future__ import [^\r\n]*(?:\r\n|\r|\n)", re.MULTILINE)


def placement(bench: Bench) -> Iterator[Slip]:
    """What stands where it may not."""
    message = bench.fault.message
    named = _NAME.search(message)
    name = next((one for one in named.groups() if one), "") if named else ""
    if "outside async function" in message or "outside of async function" in message or "asynchronous" in message:
        yield from _async(bench)
    if "from __future__ imports must occur" in message:
        yield from _future(bench)
    if (
        "follows keyword argument" in message
        or "follows default" in message
        or "parameter without a default" in message
    ):
        yield from _order(bench)
    if "duplicate argument" in message or "argument repeated" in message:
        yield from _twice(bench, name)
    if "global declaration" in message or "nonlocal declaration" in message:
        yield from _declared_late(bench, name)
    if "no binding for nonlocal" in message or "not allowed at module level" in message:
        for one in bench.by_line.get(bench.fault.line, ()):
            if one.text == "nonlocal":
                yield exchange(1.0, one.start, one.end, "global", "global for nonlocal")
    if "is parameter and" in message:
        line = bench.fault.line
        if line < bench.lines:
            yield exchange(1.2, bench.starts[line - 1], bench.starts[line], "", "the declaration left out")


def _async(bench: Bench) -> Iterator[Slip]:
    """An await outside of an asynchronous function: the function becomes one, or the await goes."""
    line = bench.fault.line
    width = len(bench.indent(line).expandtabs())
    for number in range(line - 1, 0, -1):
        tokens = bench.by_line.get(number, [])
        if tokens and len(bench.indent(number).expandtabs()) < width:
            if tokens[0].text == "def":
                yield put(1.0, tokens[0].start, "async ", "async put in")
                break
            width = len(bench.indent(number).expandtabs())
    for one in bench.by_line.get(line, ()):
        if one.text in {"await", "async"}:
            yield exchange(1.8, one.start, one.end + 1, "", f"{one.text} left out")


def _future(bench: Bench) -> Iterator[Slip]:
    """An import of the future goes to the top, behind the module's docstring."""
    found = list(_FUTURE.finditer(bench.text))
    tokens = bench.tokens
    if not found or not tokens:
        return
    first = tokens[1] if tokens[0].kind == "string" and len(tokens) > 1 else tokens[0]
    top = bench.starts[first.line - 1]
    late = [match for match in found if match.start() > top]
    if late:
        moved = "".join(match.group() for match in late)
        changes: tuple[Change, ...] = ((top, top, moved), *((one.start(), one.end(), "") for one in late))
        yield Slip(1.0, "the import of __future__ at the top", changes)


def _items(bench: Bench) -> tuple[list[tuple[int, int]], int]:
    """The items between the brackets that the fault is in, and which of them it is in."""
    stack: list[tuple[Token, list[int]]] = []
    for one in bench.tokens:
        if one.text in PAIRS and one.kind == "op":
            stack.append((one, []))
        elif one.text in PAIRS.values() and stack:
            opener, seps = stack.pop()
            if opener.start < bench.at <= one.start:
                starts = [opener.end, *(sep + 1 for sep in seps)]
                ends = [*seps, one.start]
                items = [
                    (start + len(text) - len(text.lstrip()), start + len(text.rstrip()))
                    for start, end in zip(starts, ends, strict=True)
                    if (text := bench.text[start:end]).strip()
                ]
                # What is told may be the bracket behind the last one.
                place = next((at for at, item in enumerate(items) if item[1] >= bench.at), len(items) - 1)
                return items, place
        elif one.text == "," and stack:
            stack[-1][1].append(one.start)
    return [], 0


def _plain(text: str) -> bool:
    """Whether an item is given by its place alone."""
    return re.match(r"\s*(?:\w+(?:\s*:[^=]*)?\s*=(?!=)|\*)", text) is None


def _order(bench: Bench) -> Iterator[Slip]:
    """Items with a default or a name stand before plain ones: the plain ones first, or a default for them."""
    items, _ = _items(bench)
    texts = [bench.text[start:end] for start, end in items]
    plain = [text for text in texts if _plain(text)]
    named = [text for text in texts if not _plain(text)]
    if not plain or not named:
        return
    star = next((at for at, text in enumerate(texts) if text.startswith("*")), len(texts))
    head = [text for text in texts[:star] if _plain(text)] + [text for text in texts[:star] if not _plain(text)]
    changes = tuple(
        (*item, text)
        for item, text in zip(items, [*head, *texts[star:]], strict=True)
        if bench.text[slice(*item)] != text
    )
    if changes:
        yield Slip(1.2, "what is given by its place in front", changes)
    if "default" in bench.fault.message:
        seen = False
        missing: list[Change] = []
        for (_, end), text in zip(items[:star], texts[:star], strict=True):
            seen = seen or not _plain(text)
            if seen and _plain(text):
                missing.append((end, end, " = None" if ":" in text else "=None"))
        if missing:
            yield Slip(1.4, "None as the default of what follows a default", tuple(missing))


def _twice(bench: Bench, name: str) -> Iterator[Slip]:
    """An argument that is there twice goes once."""
    items, _ = _items(bench)
    if not items:
        return
    own = [at for at, (start, end) in enumerate(items) if re.match(rf"\**{re.escape(name)}\b", bench.text[start:end])]
    for rank, at in enumerate(reversed(own)):
        start, end = items[at]
        if at:
            start = items[at - 1][1]
        elif at + 1 < len(items):
            end = items[at + 1][0]
        yield exchange(1.0 + 0.2 * rank, start, end, "", f"{name} left out once")


def _declared_late(bench: Bench, name: str) -> Iterator[Slip]:
    """A global or nonlocal declaration goes to the top of its function."""
    line = bench.fault.line
    tokens = bench.by_line.get(line, [])
    if not tokens or tokens[0].text not in {"global", "nonlocal"} or line >= bench.lines:
        return
    width = len(bench.indent(line).expandtabs())
    for number in range(line - 1, 0, -1):
        above = bench.by_line.get(number, [])
        if above and above[0].text in {"def", "async"} and len(bench.indent(number).expandtabs()) < width:
            body = bench.code_after(number)
            at = bench.starts[body - 1]
            said = (
                f"{bench.indent(body)}{tokens[0].text} {name}{bench.text[bench.starts[line] - 1 : bench.starts[line]]}"
            )
            gone = (bench.starts[line - 1], bench.starts[line], "")
            yield Slip(1.0, f"{tokens[0].text} {name} at the top of the function", ((at, at, said), gone))
            return
