"""Where a line breaks. Cheap for any length: plain arithmetic for ASCII, graphemes for the rest."""

from __future__ import annotations

from rich.cells import cell_len, split_graphemes

_TAB = 4


def expand_tabs(text: str) -> str:
    """Replace tabs by spaces up to the next stop, counting cells."""
    if "\t" not in text:
        return text
    if text.isascii():
        return text.expandtabs(_TAB)
    pieces: list[str] = []
    column = 0
    for index, piece in enumerate(text.split("\t")):
        if index:
            gap = _TAB - column % _TAB
            pieces.append(" " * gap)
            column += gap
        pieces.append(piece)
        column += cell_len(piece)
    return "".join(pieces)


def _ascii_breaks(text: str, width: int, *, words: bool) -> list[int]:
    if not words:
        return list(range(0, len(text), width))
    starts = [0]
    start = 0
    while len(text) - start > width:
        space = text.rfind(" ", start, start + width + 1)
        start = space + 1 if space > start and text[start:space].strip() else start + width
        if start < len(text):
            starts.append(start)
    return starts


def _wide_breaks(text: str, width: int, *, words: bool) -> list[int]:
    starts = [0]
    cells = 0  # of the row so far
    space = -1  # where the row could break, and the cells up to there
    space_cells = 0
    for start, end, counted in split_graphemes(text)[0]:
        # Behind joiners that join nothing stands what takes room, though it is counted as part of them.
        size = counted or (cell_len(text[start:end]) if end - start > 1 else 0)
        if cells + size > width and start > starts[-1]:
            if text[start:end] == " " and words:
                # The space that would begin the next row ends this one unseen.
                starts.append(end)
                cells, space = 0, -1
                continue
            if words and space > starts[-1]:
                starts.append(space)
                cells -= space_cells
            # What follows the space may still be too much for a row of its own.
            if cells + size > width and start > starts[-1]:
                starts.append(start)
                cells = 0
            space = -1
        cells += size
        # A space that carries an accent is to be seen, so it is no place to break.
        if text[start:end] == " ":
            space, space_cells = end, cells
    if starts[-1] >= len(text) and len(starts) > 1:
        starts.pop()
    return starts


def breaks(text: str, width: int, *, words: bool) -> list[int]:
    """Where the rows of a text begin.

    Args:
        text: One line, without tabs and control characters.
        width: Cells of a row, at least 2.
        words: Break at spaces where there are some.

    Returns:
        Indices into the text, the first one 0. No row is wider than `width`, spaces at its end apart.
    """
    if text.isascii():
        return [0] if len(text) <= width else _ascii_breaks(text, width, words=words)
    if 2 * len(text) <= width or cell_len(text) <= width:
        return [0]
    return _wide_breaks(text, width, words=words)
