"""A text that cannot be parsed, with its first fault: what slips are looked for in."""

from __future__ import annotations

import ast
import bisect
import warnings
from functools import cached_property

import msgspec

from agent_core.repair.beyond.tokens import BLOCKS, Token, tokens_of

_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)


class Fault(msgspec.Struct, frozen=True):
    """What Python says is wrong.

    Attributes:
        message: In its words; with the kind before it where that is not ``SyntaxError``.
        line: The line.
        column: The place in the line, as an index; -1 where it names none.
        end: Line and index at which the wrong part ends; the place itself where that is not told.
    """

    message: str
    line: int
    column: int
    end: tuple[int, int]


def fault_of(text: str, *, compiled: bool = False) -> Fault | None:
    """What is wrong with a text; None where it can be parsed.

    Args:
        text: The text.
        compiled: Ask for more than that it can be parsed: that it can be compiled.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if compiled:
                compile(text, "<text>", "exec", dont_inherit=True)
            else:
                ast.parse(text)
    except SyntaxError as error:
        line, column = error.lineno or 1, (error.offset or 0) - 1
        end = (error.end_lineno or line, (error.end_offset or 0) - 1)
        kind = "" if type(error) is SyntaxError else f"{type(error).__name__}: "
        return Fault(kind + str(error.msg), line, column, max(end, (line, column)))
    except _UNPARSABLE as error:
        return Fault(f"{type(error).__name__}: {error}", 1, -1, (1, -1))
    return None


class Bench:
    """A broken text and its first fault.

    Args:
        text: The text.
        fault: The fault.
    """

    def __init__(self, text: str, fault: Fault) -> None:
        self.text = text
        self.fault = fault

    @cached_property
    def starts(self) -> list[int]:
        """The index at which each line begins; a line of its own behind the last line end."""
        starts = [0]
        at = 0
        for line in self.text.replace("\r\n", "\n\n").replace("\r", "\n").split("\n")[:-1]:
            at += len(line) + 1
            starts.append(at)
        # A CRLF became two line ends above, to keep the indices: the line between them is none.
        return [at for at in starts if not (at and self.text.startswith("\r\n", at - 1))]

    @cached_property
    def tokens(self) -> list[Token]:
        """All words and signs but comments and line ends."""
        return [one for one in tokens_of(self.text) if one.kind not in {"comment", "newline"}]

    @cached_property
    def by_line(self) -> dict[int, list[Token]]:
        """The words and signs that begin on each line."""
        lines: dict[int, list[Token]] = {}
        for one in self.tokens:
            lines.setdefault(one.line, []).append(one)
        return lines

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return len(self.starts)

    def line(self, number: int) -> str:
        """A line without its end; empty where there is none."""
        if not 0 < number <= len(self.starts):
            return ""
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end].rstrip("\r\n")

    def index(self, line: int, column: int) -> int:
        """The index of a place; of the line's first sign where the column is none."""
        line = min(max(line, 1), len(self.starts))
        start, said = self.starts[line - 1], self.line(line)
        return start + (min(column, len(said)) if column >= 0 else len(said) - len(said.lstrip()))

    @cached_property
    def at(self) -> int:
        """The index of the fault."""
        return self.index(self.fault.line, self.fault.column)

    @cached_property
    def near(self) -> int:
        """Which of the tokens is the first that does not end before the fault."""
        return bisect.bisect_right([one.end for one in self.tokens], self.at)

    def code_before(self, line: int) -> int:
        """The number of the nearest line above one with code on it; 0 where there is none."""
        return next((one for one in range(line - 1, 0, -1) if one in self.by_line), 0)

    def code_after(self, line: int) -> int:
        """The number of the nearest line below one with code on it; 0 where there is none."""
        return next((one for one in range(line + 1, self.lines + 1) if one in self.by_line), 0)

    @cached_property
    def around(self) -> tuple[int, ...]:
        """Lines with code that the fault may be in, the likeliest first: its own, the one before, the one after."""
        line = self.fault.line
        some = (line, self.code_before(line), self.fault.end[0], self.code_after(line))
        return tuple(one for one in dict.fromkeys(some) if one in self.by_line)

    def indent(self, line: int) -> str:
        """The white space a line begins with."""
        said = self.line(line)
        return said[: len(said) - len(said.lstrip(" \t\f"))]

    @cached_property
    def unit(self) -> str:
        """By what one block is indented within another, in this text."""
        for number, said in ((one, self.line(one)) for one in sorted(self.by_line)):
            if said.rstrip().endswith(":") and (below := self.code_after(number)):
                outer, inner = self.indent(number), self.indent(below)
                if inner.startswith(outer) and inner != outer and len(inner) - len(outer) in {1, 2, 3, 4, 8}:
                    step = inner[len(outer) :]
                    if step == "\t" or len(step) > 1:
                        return step
        return "\t" if any(self.line(one).startswith("\t") for one in self.by_line) else "    "

    def heads_block(self, line: int) -> bool:
        """Whether a line begins with a word that opens a block."""
        tokens = self.by_line.get(line)
        return bool(tokens) and tokens[0].text in BLOCKS  # type: ignore[index]  # there are some
