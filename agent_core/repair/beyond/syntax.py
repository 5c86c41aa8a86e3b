"""Files that cannot be parsed: slips undone, the most ordinary first, until the whole file can be.

A search for the cheapest way, best first. A state is a text with some slips undone; from each, what Python says is
wrong leads to slips that may have been made there. Those that let the text around the fault be parsed are tried on the
whole file; where that has another fault farther down, it is a state again. What is tried at each is a window of the
text, the function around the fault: most files are long, and most faults are in one place.
"""

from __future__ import annotations

import ast
import heapq
import itertools
import math
import re
from collections.abc import Iterator

import msgspec

from agent_core.patch.line_diff import changed_ranges
from agent_core.repair.beyond.any_token import any_token
from agent_core.repair.beyond.bench import Bench, Fault, fault_of
from agent_core.repair.beyond.brackets import brackets, calls, commas
from agent_core.repair.beyond.conflicts import conflicts
from agent_core.repair.beyond.indents import indentation, stray_block
from agent_core.repair.beyond.oddness import oddness
from agent_core.repair.beyond.placement import placement
from agent_core.repair.beyond.quotes import escapes, fields, lookalikes, quotes
from agent_core.repair.beyond.slips import Slip
from agent_core.repair.beyond.words import colons, elses, equals, imports, keywords, older_pythons, signs
from agent_core.repair.model import Edit, Variant

_MOST_FAULTS = 5
_MOST_VARIANTS = 24
# Characters given to the parser in all: about two seconds' worth.
_MOST_PARSED = 4_000_000
# How much odder than the best one a variant may be.
_WORSE = 2.0
_ORDINARY = 2.0
_SMALL = 400
# What a text costs at least, however short it is.
_LEAST = 500
# From how many characters on a part takes long to parse, and what is tried on the whole file is little.
_LARGE, _FEW = 20_000, 3
# How many functions beyond the one with the fault the slip may be in.
_BEYOND = 3
# What is tried on the whole file of one fault, and how many texts with another fault are gone on with.
_WHOLE, _FURTHER = 12, 4
_HEADER = "if 1:\n"
_GENERATORS = (
    conflicts, lookalikes, older_pythons, colons, keywords, imports, elses, signs, equals, brackets, commas, calls,
    quotes, escapes, fields, indentation, stray_block, placement, any_token,
)  # fmt: skip
_OF_SIGNS = re.compile(
    r"unterminated|never closed|unindent|invalid character|unmatched|does not match|non-printable|Tab"
)
_CODE = re.compile(
    r"^[ \t]*(?:(?:async )?def \w+\(|class \w+[(:]|return\b|from [\w.]+ import |import \w+$)", re.MULTILINE
)


_Tried = tuple[float, Slip, str]


class _State(msgspec.Struct, frozen=True):
    """A text on the way to one that can be parsed."""

    text: str
    fault: Fault
    cost: float = 1.0
    faults: int = 0
    says: tuple[str, ...] = ()


class _Window(msgspec.Struct, frozen=True):
    """A part of a text that has its fault.

    Attributes:
        start: Where it begins in the text.
        end: Where it ends.
        header: What stands in front of it, so that it can be parsed by itself.
        bench: It, with its fault.
        line: The line of that fault in the whole text.
    """

    start: int
    end: int
    header: str
    bench: Bench
    line: int = 0


def syntax_variants(path: str, text: str) -> Iterator[Variant]:
    """The ways in which a file that cannot be parsed could be mended.

    Args:
        path: The file.
        text: Its text, without a byte order mark.

    Yields:
        Variants with which the whole file can be compiled: fewest, most ordinary and nearest slips first. Nothing for
        a file that is well.
    """
    seen: set[str] = set()
    for cost, mended, says in _Search(text).run():
        if mended not in seen:
            seen.add(mended)
            edits = edits_between(path, text, mended)
            line = text.count("\n", 0, edits[0].start) + 1
            yield Variant(edits, "syntax", cost, ", and ".join(dict.fromkeys(says)), line)
            if len(seen) >= _MOST_VARIANTS:
                return


class _Search:
    def __init__(self, text: str) -> None:
        self._text = text
        self._parsed = 0
        self._count = itertools.count()
        self._heap: list[tuple[float, int, _State | None, str, tuple[str, ...]]] = []
        self._seen: set[str] = {text}

    def run(self) -> Iterator[tuple[float, str, tuple[str, ...]]]:
        fault = self._fault(self._text)
        if fault is None:
            return
        self._push(_State(self._text, fault))
        most, deepest = math.inf, _MOST_FAULTS
        while self._heap and self._heap[0][0] <= most:
            cost, _, state, text, says = heapq.heappop(self._heap)
            if state is None:
                most = min(most, cost + _WORSE)
                if cost < _ORDINARY:
                    # Nobody makes two slips where a single ordinary one explains all.
                    deepest = min(deepest, len(says))
                yield cost, text, says
            elif state.faults < deepest and self._parsed < _MOST_PARSED:
                self._expand(state)

    def _push(self, state: _State) -> None:
        heapq.heappush(self._heap, (state.cost, next(self._count), state, state.text, state.says))
        self._seen.add(state.text)

    def _parse(self, text: str) -> Fault | None:
        self._parsed += max(len(text), _LEAST)
        return fault_of(text)

    def _fault(self, text: str) -> Fault | None:
        """What is wrong with a whole file: it cannot be parsed, or not be compiled."""
        found = self._parse(text)
        if found is not None:
            return found
        self._parsed += 3 * len(text)
        return fault_of(text, compiled=True)

    # -- one fault

    def _expand(self, state: _State) -> None:
        """Find what may be put right next, in the smallest part of the text in which something is found."""
        for window in self._windows(state):
            good, further = self._tried(window)
            if self._take(state, window, good, further) or self._parsed >= _MOST_PARSED:
                return

    def _take(self, state: _State, window: _Window, good: list[_Tried], further: list[_Tried]) -> bool:
        """Try on the whole file what is good in a part of it; gives whether any of it is good there."""
        before, after = state.text[: window.start], state.text[window.end :]
        kept, found = 0, False
        for cost, slip, text in good[:_WHOLE]:
            whole = before + text[len(window.header) :] + after
            if whole in self._seen or self._parsed >= _MOST_PARSED:
                continue
            fault = self._fault(whole)
            # What is put right is no step: each fault counts by how odd it is only.
            total, says = state.cost + cost - 1.0, (*state.says, slip.says)
            if fault is None:
                found = True
                self._seen.add(whole)
                heapq.heappush(self._heap, (total, next(self._count), None, whole, says))
            elif kept < _FURTHER and _is_further(fault, state.fault, len(whole) - len(state.text)):
                kept += 1
                self._push(_State(whole, fault, total + 0.3, state.faults + 1, says))
        for cost, slip, text in further[:_FURTHER]:
            whole = before + text[len(window.header) :] + after
            if whole not in self._seen and (fault := self._fault(whole)) is not None:
                self._push(_State(whole, fault, state.cost + cost - 0.5, state.faults + 1, (*state.says, slip.says)))
        return found or kept > 0

    def _tried(self, window: _Window) -> tuple[list[_Tried], list[_Tried]]:
        """The slips after which a window can be parsed, and those after which its fault is farther down."""
        bench, limit = window.bench, len(window.header)
        good: list[_Tried] = []
        further: list[_Tried] = []
        shapes: set[str] = set()
        texts = {bench.text}
        # Something has to be left for trying on the whole file what is good here.
        most = self._parsed + (_MOST_PARSED - self._parsed) // 2
        many = _WHOLE if len(bench.text) < _LARGE else _FEW
        for slip in sorted((one for one in _slips(bench) if min(one.changes)[0] >= limit), key=lambda one: one.cost):
            if self._parsed >= most or (len(good) >= many and slip.cost > sorted(good)[_FEW - 1][0] + 0.5):
                break
            text = slip.on(bench.text)
            if text in texts:
                continue
            texts.add(text)
            fault = self._parse(text)
            if fault is None:
                tree = ast.parse(text)
                shape = ast.dump(tree)
                if shape not in shapes:
                    shapes.add(shape)
                    good.append((slip.cost + oddness(tree), slip, text))
            elif slip.cost < 2.0 and _is_further(fault, bench.fault, len(text) - len(bench.text)):
                further.append((slip.cost - 0.05 * min(fault.line - bench.fault.line, 10), slip, text))
        if good:
            # What was odd before the slip is no fault of it.
            least = min(cost - slip.cost for cost, slip, _ in good)
            good = sorted((cost - least, slip, text) for cost, slip, text in good)
        return good, sorted(further)

    def _windows(self, state: _State) -> Iterator[_Window]:
        """Parts of a text that have its fault, the smallest first; at last the whole text."""
        bench = Bench(state.text, state.fault)
        swallowed = _swallowed(bench) if "triple-quoted" in state.fault.message else 0
        if swallowed:
            told = Bench(state.text, Fault(state.fault.message, swallowed, 0, (swallowed, 0)))
            for first, last in itertools.islice(_parts(told), 2):
                if (window := self._part(state.text, told, first, last)) is not None:
                    yield window
        if len(state.text) > _SMALL and not any(mark in state.text for mark in ("\n<<<<<<< ", "\n>>>>>>> ")):
            for first, last in _parts(bench):
                window = self._part(state.text, bench, first, last)
                if window is not None and window.line == state.fault.line:
                    yield window
        yield _Window(0, len(state.text), "", bench)

    def _part(self, text: str, bench: Bench, first: int, last: int) -> _Window | None:
        """The lines of a text from one on as far as another one; None where nothing is wrong with them."""
        start = bench.starts[first - 1]
        end = bench.starts[last - 1] if last <= bench.lines else len(text)
        header = _HEADER if bench.indent(first) else ""
        part = header + text[start:end]
        fault = self._parse(part)
        if fault is None:
            return None
        return _Window(start, end, header, Bench(part, fault), fault.line + first - 1 - len(header.splitlines()))


def _swallowed(bench: Bench) -> int:
    """The line on which a string begins that has code in it: from there on, text and code have changed places.

    Python itself names only the last string, which has no end.
    """
    for one in bench.tokens:
        if one.kind in {"string", "open"} and "\n" in one.text and _CODE.search(one.text):
            return one.line
    return 0


def _slips(bench: Bench) -> Iterator[Slip]:
    for generator in _GENERATORS:
        yield from generator(bench)


def _is_further(fault: Fault, before: Fault, grown: int) -> bool:
    """Whether it is another fault: one farther down, or one that was hidden.

    Where signs do not fit together Python looks for strings and brackets without an end first, in all of the text.

    Args:
        fault: What is wrong now.
        before: What was wrong.
        grown: How much longer the text is now.
    """
    if _OF_SIGNS.search(before.message) and fault.line != before.line:
        return fault.line > 0
    if fault.line == before.line:
        # What is put in before it moves a fault, and is no progress.
        return fault.column > before.column + max(grown, 0)
    return fault.line > before.line


def _parts(bench: Bench) -> Iterator[tuple[int, int]]:
    """Parts of a text around its fault, the smallest first: their first line and the one behind the last."""
    line = min(bench.fault.line, bench.lines)
    last = max(line, min(bench.fault.end[0], bench.lines))
    width = len(bench.indent(line)) if bench.line(line).strip() else 10**6
    if width == 0:
        yield line, _end(bench, last, 0)
    more = _BEYOND
    for number in range(line, 0, -1):
        said = bench.line(number).lstrip()
        own = len(bench.indent(number))
        if own <= width and said.startswith(("def ", "class ", "async def ")):
            yield number, _end(bench, last, own)
            width = max(own - 1, 0)
            if not own:
                # A string without an end ends where the next one begins, which may be in the next function.
                last = _end(bench, last, 0) - 1
                more -= 1
                if not more:
                    return


def _end(bench: Bench, line: int, width: int) -> int:
    """The first line below one at which a block that is indented so far has come to its end."""
    for number in range(line + 1, bench.lines + 1):
        said = bench.line(number).lstrip()
        if said and said[0] not in "#)]}" and len(bench.indent(number)) <= width:
            return number
    return bench.lines + 1


def edits_between(path: str, before: str, after: str) -> tuple[Edit, ...]:
    """The edits that make one text of another; each within the lines that differ, as small as it can be."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0, *itertools.accumulate(map(len, old))]
    edits = []
    for i1, i2, j1, j2 in changed_ranges(old, new):
        # Line by line where there are as many, so that each keeps what it shares.
        rows = [(at, at + 1, j1 + at - i1, j1 + at - i1 + 1) for at in range(i1, i2)]
        for o1, o2, n1, n2 in rows if i2 - i1 == j2 - j1 else [(i1, i2, j1, j2)]:
            edits.append(_trimmed(path, starts[o1], "".join(old[o1:o2]), "".join(new[n1:n2])))
    return tuple(edits)


def _trimmed(path: str, start: int, old: str, new: str) -> Edit:
    most = min(len(old), len(new))
    head = next((at for at in range(most) if old[at] != new[at]), most)
    tail = next((at for at in range(most - head) if old[-1 - at] != new[-1 - at]), most - head)
    return Edit(path, start + head, start + len(old) - tail, new[head : len(new) - tail])
