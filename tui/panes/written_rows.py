"""The rows of a patch that is being written: file headers with counts, and lines with their signs."""

from __future__ import annotations

from tui.panes.diff_signs import counts
from tui.widgets.lines import Line, Piece, clean

_STYLES = {"+": ("text", "add-row", "good-bold"), "-": ("text", "del-row", "bad-bold"), "@": ("faint", "", "faint")}


class WrittenFile:
    """The file that lines belong to.

    Args:
        at: Index of its header among the rows.
        path: Its name, as far as it is known.
        kind: What is done to it, in a word or two; empty for a plain change.
    """

    def __init__(self, at: int, path: str, kind: str = "") -> None:
        self.at = at
        self.path = path
        self.kind = kind
        self.added = 0
        self.removed = 0
        self.begun = False  # lines of it have been shown

    def header(self) -> Line:
        """Its header as it is now."""
        pieces: list[Piece] = [(clean(self.path), "strong"), ("  ", ""), *counts(self.added, self.removed)]
        if self.kind:
            pieces.append((f"  {clean(self.kind)}", "dim"))
        return Line(pieces, lead=((" ", ""),), base="file-row", words=False)

    def count(self, sign: str, by: int = 1) -> None:
        """Count a line by its sign."""
        self.added += by * (sign == "+")
        self.removed += by * (sign == "-")


def row(sign: str, text: str) -> Line:
    """A line of a hunk; any other sign than ``+`` and ``-`` is context."""
    style, base, mark = _STYLES.get(sign, ("dim", "", "faint"))
    return Line(((clean(text), style),), lead=((f" {clean(sign)} ", mark),), base=base, words=False)


def place_row(text: str = "") -> Line:
    """A line that says where the next lines belong, such as an ``@@`` line's text."""
    style, base, _ = _STYLES["@"]
    return Line(((clean(text) or "⋯", style),), lead=(("  ", ""),), base=base, words=False)


def signed_row(line: str) -> Line:
    """A line of an envelope or a unified diff, sign and all."""
    return place_row(line[2:].strip()) if line.startswith("@@") else row(line[:1] or " ", line[1:])
