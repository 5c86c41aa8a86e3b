"""How the checks get on: on a terminal a line a check, redrawn; elsewhere a line as each one ends."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

import msgspec

from agent_core.check_report import SIGNS
from agent_core.checks.model import CheckResult
from agent_core.events import AnyEvent, CheckFinished, CheckProgressed, CheckStaged, CheckStarted
from agent_core.output import reader
from agent_core.text import printable

_COLOURS = {"bad": "31", "good": "32", "weak": "2", "strong": "1"}
_RUNNING = "…"


def is_terminal(out: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether lines can be drawn again on what is written to."""
    return out.isatty() and environ.get("TERM", "dumb") not in {"", "dumb"}


def painter(out: TextIO, environ: Mapping[str, str]) -> Painter:
    """Colours for what is written to, if it shows any; see https://no-color.org."""
    return Painter(on=is_terminal(out, environ) and not environ.get("NO_COLOR"))


@dataclass(frozen=True)
class Painter:
    """Puts texts into colour.

    Attributes:
        on: Whether it does.
    """

    on: bool

    def __call__(self, text: str, colour: str) -> str:
        """A text in a colour: ``bad``, ``good``, ``weak``, ``strong``."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self.on else text


@dataclass
class _Line:
    """One check."""

    done: int = 0
    total: int = 0
    started: bool = False
    staged: CheckResult | None = None
    result: CheckResult | None = None
    base: str = ""


class Board:
    """Shows how the checks get on; an `emit` for judges.

    Args:
        out: Where to; None to show nothing.
        environ: The environment.
    """

    def __init__(self, out: TextIO | None, environ: Mapping[str, str]) -> None:
        self._out = out
        self._live = out is not None and is_terminal(out, environ)
        self._paint = painter(out, environ) if out is not None else Painter(on=False)
        self._lines: dict[str, _Line] = {}
        self._drawn = 0
        self._shown = False
        self.based: set[str] = set()
        """The checks that have ended on the base."""

    def begin(self, names: Sequence[str]) -> None:
        """Begin anew with these checks."""
        self._lines = {name: _Line() for name in names}
        self._drawn = 0
        self._shown = True
        self.based = set()

    def __call__(self, event: AnyEvent) -> None:
        """Hear of something."""
        match event:
            case CheckStarted(check, where):
                self._line(check).started |= where == "candidate"
                self._note(check, where, "the base, too" if where == "baseline" else "")
            case CheckProgressed(check, "candidate", done, total):
                line = self._line(check)
                line.done, line.total = done, total
            case CheckProgressed(check, where, done, total):
                self._note(check, where, f"base {done}/{total}" if total else "")
            case CheckStaged("candidate", result):
                self._line(result.check).staged = result
            case CheckFinished("candidate", result):
                self._line(result.check).result = result
                if not self._live:
                    self._write(f"{self._text(result.check)}\n")
            case CheckFinished("baseline", result):
                self.based.add(result.check)
                self._note(result.check, "baseline", "")
            case _:
                return
        self._draw()

    def recall(self, results: Iterable[CheckResult]) -> None:
        """Show what was judged earlier in this session, and so does not run again."""
        for result in results:
            if self._line(result.check).result is None:
                self(CheckFinished("candidate", msgspec.structs.replace(result, cached=True)))

    def give_up(self) -> None:
        """What was begun is superseded: nothing more is said of it, and its lines go."""
        if self._live and self._shown and self._drawn:
            self._write(f"\x1b[{self._drawn}A\r\x1b[J")
        self._drawn = 0
        self._shown = False

    def end(self) -> None:
        """All has been said; what is drawn stays."""
        for line in self._lines.values():
            line.base = ""
        self._draw()
        self._drawn = 0
        self._shown = False

    def _line(self, check: str) -> _Line:
        return self._lines.setdefault(check, _Line())

    def _note(self, check: str, where: str, text: str) -> None:
        if where == "baseline":
            self._line(check).base = text

    def _text(self, name: str) -> str:
        line = self._line(name)
        width = max(len(one) for one in self._lines)
        sign, colour, text = "·", "weak", "waits"
        if line.result is not None:
            sign = SIGNS.get(line.result.outcome, "!")
            colour = {"✓": "good", "·": "weak"}.get(sign, "bad")
            took = "earlier" if line.result.cached else f"{line.result.seconds:.1f} s"
            text = f"{line.result.summary} ({took})"
        elif line.started:
            so_far = f"{line.staged.summary} so far" if line.staged is not None else ""
            sign, text = _RUNNING, ", ".join(part for part in (_count(line), so_far) if part) or "runs"
        base = f" [{line.base}]" if line.base and self._live else ""
        text = " ".join(printable(f"{name:<{width}}  {text}{base}").split("\n"))
        return f"{self._paint(sign, colour)} {self._fitted(text)}"

    def _fitted(self, text: str) -> str:
        if not self._live or self._out is None:
            return text
        try:
            columns = os.get_terminal_size(self._out.fileno()).columns
        except (OSError, io.UnsupportedOperation):
            columns = 80
        # A line that wraps would be two to go up over.
        room = max(columns, 20) - 3
        return text if len(text) <= room else text[: room - 1] + "…"

    def _draw(self) -> None:
        if not (self._live and self._shown):
            return
        up = f"\x1b[{self._drawn}A\r" if self._drawn else ""
        lines = [f"{self._text(name)}\x1b[K\n" for name in self._lines]
        self._drawn = len(lines)
        self._write(up + "".join(lines))

    def _write(self, text: str) -> None:
        if self._out is not None and self._shown:
            with reader(self._out):
                self._out.write(text)


def _count(line: _Line) -> str:
    return f"{line.done}/{line.total}" if line.total else ""
