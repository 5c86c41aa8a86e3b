"""The keys of the memory view, as they are shown below it: those of the row under the cursor first."""

from __future__ import annotations

from collections.abc import Sequence

from tui.screens.memory_rows import Row
from tui.widgets.lines import Line, Piece

Keys = Sequence[tuple[str, str]]
_NBSP = "\u00a0"
_EVERYWHERE = (("n", "new note"), ("/", "search"), ("tab", "next part"), ("C", "sum up now"), ("esc", "back"))
_OF_ENTRY = (("enter", "unfold"), ("e", "rewrite"), ("d", "forget"))
_OF_PROPOSED = (("y", "keep"), ("n", "drop"), ("e", "reword"), ("enter", "unfold"))
_OF_KEPT = (("enter", "unfold"), ("e", "reword"), ("d", "forget"))
_OF_CONTEXT = (("enter", "unfold"),)


def keys_line(row: Row | None, *, compacted: bool) -> Line:
    """The keys that do something now.

    Args:
        row: The row under the cursor, if there is one.
        compacted: Some of the conversation is a summary.
    """
    pieces: list[Piece] = []
    for key, word in (*_own(row, compacted=compacted), *_shared(row)):
        # Key and words stay together where the line is broken, and no blank begins a row.
        pieces += [(key, "key"), (f"{_NBSP}{word.replace(' ', _NBSP)}{_NBSP}{_NBSP} ", "dim")]
    return Line(pieces)


def _proposed(row: Row | None) -> bool:
    return row is not None and row.lesson is not None and row.lesson.stands == "proposed"


def _shared(row: Row | None) -> Keys:
    # There n says no to a lesson.
    return [one for one in _EVERYWHERE if one[0] != "n"] if _proposed(row) else _EVERYWHERE


def _own(row: Row | None, *, compacted: bool) -> Keys:
    if row is None or row.what == "plain":
        return ()
    if row.lesson is not None:
        return _OF_PROPOSED if _proposed(row) else _OF_KEPT
    if row.entry is None:
        return (*_OF_CONTEXT, ("u", "undo the summary")) if compacted else _OF_CONTEXT
    own = [one for one in _OF_ENTRY if one[0] != "d"] if row.entry.forgotten else [*_OF_ENTRY]
    return [*own, ("u", "as it was")] if row.entry.back else own
