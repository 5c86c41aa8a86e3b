"""Slips with indentation, and blocks without anything in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent_core.repair.beyond.bench import Bench
from agent_core.repair.beyond.slips import Change, Slip, exchange, put

_ON_LINE = re.compile(r"on line (\d+)")
_CLAUSES = frozenset({"else", "elif", "except", "finally", "case"})
_RUN = 400
_LEVELS = 6
_NEAR = 12


def indentation(bench: Bench) -> Iterator[Slip]:
    """Lines that are indented too much or too little."""
    message, line = bench.fault.message, bench.fault.line
    if "TabError" in message or "\t" in bench.indent(line):
        yield from _tabs(bench)
    if "expected an indented block" in message:
        yield from _missing_block(bench)
    elif "unexpected indent" in message:
        yield from _too_deep(bench, line)
    elif "unindent does not match" in message:
        yield from _between(bench, line)
    if "indent" in message:
        yield from _out_of_step(bench, line)
    first = bench.by_line.get(line, [None])[0]
    if first is not None and first.text in _CLAUSES:
        yield from _clause(bench, line)
    if "expected 'except' or 'finally'" in message:
        yield from _bare_try(bench, line)


def _levels(bench: Bench, line: int) -> list[str]:
    """The indentations that stand above a line, each of a block that may go on; the innermost first."""
    found: list[str] = []
    least = 10**6
    for number in range(line - 1, max(line - _RUN, 0), -1):
        if number not in bench.by_line:
            continue
        indent = bench.indent(number)
        width = len(indent.expandtabs())
        if not found and bench.line(number).rstrip().endswith(":"):
            found.append(indent + bench.unit)
            least = len(found[0].expandtabs())
        if width < least:
            found.append(indent)
            least = width
        if not width or len(found) >= _LEVELS:
            break
    return found


def _run(bench: Bench, line: int) -> list[int]:
    """The lines from one on that are indented as it is or deeper, as far as the next that is not."""
    least = len(bench.indent(line).expandtabs())
    lines = []
    for number in range(line, min(line + _RUN, bench.lines) + 1):
        if number in bench.by_line:
            if len(bench.indent(number).expandtabs()) < least:
                break
            lines.append(number)
    return lines


def _moved(bench: Bench, lines: list[int], old: str, new: str) -> tuple[Change, ...]:
    """The changes that put lines with one indentation at another one, those below them with them."""
    changes: list[Change] = []
    for number in lines:
        indent = bench.indent(number)
        start = bench.starts[number - 1]
        if indent.startswith(old):
            changes.append((start, start + len(old), new))
    return tuple(change for change in changes if bench.text[change[0] : change[1]] != change[2])


def _slip(bench: Bench, cost: float, lines: list[int], old: str, new: str) -> Iterator[Slip]:
    changes = _moved(bench, lines, old, new)
    if changes:
        deeper = "indented more" if len(new.expandtabs()) > len(old.expandtabs()) else "indented less"
        yield Slip(cost, deeper if len(changes) == 1 else f"{len(changes)} lines {deeper}", changes)


def _tabs(bench: Bench) -> Iterator[Slip]:
    """Tabs as so many blanks, and blanks as tabs, in the white space before the code."""
    for cost, width in ((1.0, 4), (1.1, 8), (1.3, 2)):
        changes: list[Change] = []
        for number in sorted(bench.by_line):
            indent = bench.indent(number)
            if "\t" in indent:
                start = bench.starts[number - 1]
                changes.append((start, start + len(indent), indent.expandtabs(width)))
        if changes:
            yield Slip(cost, "blanks for tabs before the code", tuple(changes))
    line = bench.fault.line
    above = bench.code_before(line)
    if above:
        for cost, indent in ((0.9, bench.indent(above)), (1.0, bench.indent(above) + bench.unit)):
            yield from _slip(bench, cost, _run(bench, line), bench.indent(line), indent)


def _missing_block(bench: Bench) -> Iterator[Slip]:
    line = bench.fault.line
    told = _ON_LINE.search(bench.fault.message)
    head = int(told.group(1)) if told else bench.code_before(line)
    own, unit = bench.indent(head), bench.unit
    inner = own + unit
    # Where the head goes over several lines, nothing can be put behind its first one.
    last = bench.code_before(line) if line in bench.by_line else max(bench.by_line, default=head)
    ends = "\r\n" if "\r\n" in bench.text else "\n"
    tokens = bench.by_line.get(line, [])
    opens = bench.by_line[head][0].text if head in bench.by_line else ""
    ended = line not in bench.by_line or len(bench.indent(line).expandtabs()) < len(own.expandtabs())
    apart = line > last + 1 and not any(bench.line(one).strip() for one in range(last + 1, line))
    fresh = bool(tokens) and tokens[0].text in {
        "def",
        "class",
        "@",
        "elif",
        "else",
        "except",
        "finally",
        "async",
        "import",
    }
    behind = bench.starts[last - 1] + len(bench.line(last).rstrip()) if last else 0
    yield put(1.0 if ended or apart or fresh else 2.6, behind, f"{ends}{inner}pass", "an empty block")
    if ended and not tokens:
        return
    old = bench.indent(line)
    wide = opens in {"def", "class", "async", "@", "try", "with"}
    block = _run(bench, line)
    paragraph = [line]
    for one in block[1:]:
        if one > paragraph[-1] + 1:
            break
        paragraph.append(one)
    # As far as the next clause of the same statement, which is not part of the block.
    for lines in (block, paragraph):
        for place, one in enumerate(lines):
            if bench.indent(one) == old and bench.by_line[one][0].text in _CLAUSES:
                del lines[place:]
                break
    yield from _slip(bench, 1.1 if wide else 1.4, paragraph, old, inner)
    yield from _slip(bench, 1.2 if wide else 1.6, block, old, inner)
    single = [line, *(one for one in block if one > line and len(bench.indent(one)) > len(old))]
    nested = [line]
    for one in single[1:]:
        if any(other not in single for other in range(line, one) if other in bench.by_line):
            break
        nested.append(one)
    yield from _slip(bench, 1.5 if wide else 1.1, nested, old, inner)
    for count in range(2, min(len(paragraph), 9)):
        yield from _slip(bench, 1.7 + 0.05 * count, paragraph[:count], old, inner)


def _too_deep(bench: Bench, line: int) -> Iterator[Slip]:
    above = bench.code_before(line)
    old, outer = bench.indent(line), bench.indent(above) if above else ""
    run = _run(bench, line)
    for rank, level in enumerate(dict.fromkeys((outer, *_levels(bench, line), ""))):
        if len(level.expandtabs()) < len(old.expandtabs()):
            yield from _slip(bench, 1.0 + 0.4 * rank, run, old, level)
            yield from _slip(bench, 1.15 + 0.4 * rank, [line], old, level)
    if not above:
        return
    # Else what stands above is indented too little, or should open a block.
    yield from _slip(bench, 1.5, [above], outer, old)
    paragraph = [above]
    while (before := bench.code_before(paragraph[-1])) and bench.indent(before) == outer:
        paragraph.append(before)
        yield from _slip(bench, 1.6 + 0.05 * len(paragraph), list(paragraph), outer, old)
        if len(paragraph) > 6:
            break
    last = bench.by_line[above][-1]
    if last.text != ":":
        yield put(1.1 if bench.heads_block(above) else 2.8, last.end, ":", "the colon at the end of the line")


def _between(bench: Bench, line: int) -> Iterator[Slip]:
    """A line that stands between two levels: it goes to either, or those above come to it."""
    old = bench.indent(line)
    width = len(old.expandtabs())
    run = _run(bench, line)
    same = []
    for one in run:
        if bench.indent(one) != old and len(bench.indent(one).expandtabs()) <= width:
            break
        same.append(one)
    above = bench.code_before(line)
    levels = _levels(bench, line)
    if above and bench.line(above).rstrip().endswith(":"):
        levels.insert(0, bench.indent(above) + bench.unit)
    for level in dict.fromkeys((bench.indent(above) if above else "", *levels)):
        off = abs(len(level.expandtabs()) - width)
        # What stands below and is in step does not go with it.
        inner = len(bench.indent(same[1]).expandtabs()) if len(same) > 1 else width
        alone = inner > width and inner == len((level + bench.unit).expandtabs())
        yield from _slip(bench, (1.15 if alone else 1.0) + 0.1 * off, same, old, level)
        yield from _slip(bench, (1.0 if alone else 1.1) + 0.1 * off, [line], old, level)
    if above:
        outer = bench.indent(above)
        lines = [above]
        while (before := bench.code_before(lines[-1])) and bench.indent(before) == outer:
            lines.append(before)
        yield from _slip(bench, 1.3, lines, outer, old)


def _out_of_step(bench: Bench, line: int) -> Iterator[Slip]:
    """Lines near the fault that stand at no multiple of what the text is indented by."""
    unit = len(bench.unit.expandtabs())
    for number in range(max(line - _NEAR, 1), min(line + 1, bench.lines) + 1):
        old = bench.indent(number)
        width = len(old.expandtabs())
        if number not in bench.by_line or not width % unit or "\t" in old:
            continue
        low = width - width % unit
        for rank, new in enumerate(sorted((low, low + unit), key=lambda one: abs(one - width))):
            yield from _slip(bench, 1.2 + 0.1 * rank, [number], old, " " * new)


def _clause(bench: Bench, line: int) -> Iterator[Slip]:
    """``else`` and its like belong to a statement at another level."""
    old = bench.indent(line)
    below = bench.code_after(line)
    body = _run(bench, below) if below else []
    for rank, level in enumerate(dict.fromkeys((*_levels(bench, line), ""))):
        if level != old:
            yield from _slip(bench, 1.3 + 0.2 * rank, [line], old, level)
            if body and len(bench.indent(below)) > len(old):
                alone = _moved(bench, [line], old, level)
                yield Slip(
                    1.4 + 0.2 * rank,
                    "a clause and its block indented otherwise",
                    (*alone, *_moved(bench, body, old, level)),
                )
    # What stands above is outside of the statement that the clause belongs to, and should be in it.
    above = bench.code_before(line)
    if above and bench.indent(above) == old:
        yield from _slip(bench, 1.2, [above], old, old + bench.unit)


def _bare_try(bench: Bench, line: int) -> Iterator[Slip]:
    """A try without an end: it is closed, or is none."""
    width = len(bench.indent(line).expandtabs()) if line in bench.by_line else 0
    ends = "\r\n" if "\r\n" in bench.text else "\n"
    for number in range(min(line - 1, bench.lines), 0, -1):
        tokens = bench.by_line.get(number, [])
        if tokens and tokens[0].text == "try" and len(bench.indent(number).expandtabs()) >= width:
            own = bench.indent(number)
            last = bench.code_before(line) if line in bench.by_line else max(bench.by_line)
            behind = bench.starts[last - 1] + len(bench.line(last).rstrip())
            said = f"{ends}{own}finally:{ends}{own}{bench.unit}pass"
            yield put(2.6, behind, said, "an empty finally for a try without an end")
            body = [one for one in range(number + 1, last + 1) if one in bench.by_line]
            inner = bench.indent(body[0]) if body else own
            start = bench.starts[number - 1]
            changes = ((start, bench.starts[number], ""), *_moved(bench, body, inner, own))
            yield Slip(2.3, "a try without an end left out", changes)
            return


def stray_block(bench: Bench) -> Iterator[Slip]:
    """A statement at another level than where it may stand: ``return`` outside of a function, ``break`` of a loop."""
    if not re.search(r"'(?:return|yield|await|break|continue)'.* (?:outside|not properly in)", bench.fault.message):
        return
    line = bench.fault.line
    old = bench.indent(line)
    above = bench.code_before(line)
    tried = [bench.indent(above)] if above else []
    number = line
    for _ in range(8):
        number = bench.code_before(number)
        if not number:
            break
        tried.append(bench.indent(number))
    for rank, level in enumerate(dict.fromkeys(one for one in tried if len(one) > len(old))):
        yield from _slip(bench, 1.2 + 0.2 * rank, [line], old, level)
        yield from _slip(bench, 1.3 + 0.2 * rank, _run(bench, line), old, level)
    loop = "loop" in bench.fault.message
    word = next((one for one in bench.by_line.get(line, ()) if one.text in {"break", "continue"}), None)
    if loop and word is not None:
        yield exchange(2.4, word.start, word.end, "return", f"return for {word.text}")
        yield exchange(2.6, word.start, word.end, "pass", f"pass for {word.text}")
