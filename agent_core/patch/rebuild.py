r"""Putting located hunks into a text, byte for byte.

Only the patch's ``+`` lines are new; everything else stays as the file has it, however the patch wrote it. A new line
takes the ending (``\n`` or ``\r\n``) of the file's line before it. A file without a final newline stays so, unless
its last line becomes one of the patch's and the patch says otherwise by ``\ No newline at end of file``.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.patch.document import Document
from agent_core.patch.place import Edit, Place


def rebuild(document: Document, places: Sequence[Place]) -> str:
    """The text with hunks in it.

    Args:
        document: The file.
        places: Where the hunks go; no two of them change the same line.
    """
    # Every piece is a line; of one that ends with "\r\n" the "\r" is still part.
    pieces = document.body.split(document.separator)
    bare = pieces[-1] != ""
    if not bare:
        pieces.pop()
    out: list[str] = []
    at = 0
    ends_bare = False
    edits = sorted(((edit, place) for place in places for edit in place.edits), key=lambda item: item[0].core)
    for edit, place in edits:
        if at < edit.start:
            out += pieces[at : edit.start]
            ends_bare = bare and edit.start == len(pieces)
        at = edit.end
        if not edit.lines:
            continue
        if ends_bare:
            out[-1] += _usual(pieces, bare=bare)
        ending = _ending(pieces, edit, bare=bare)
        out += [line.text + ending for line in edit.lines]
        last = edit.lines[-1]
        ends_bare = at == len(pieces) and (last.bare if place.says_end else bare)
        if ends_bare:
            out[-1] = last.text
    if at < len(pieces):
        out += pieces[at:]
        ends_bare = bare
    return document.bom + document.separator.join(out) + ("" if ends_bare or not out else document.separator)


def _ending(pieces: Sequence[str], edit: Edit, *, bare: bool) -> str:
    r"""The ``\r`` that new lines end with, or nothing: as the file's line before them does."""
    near = max(edit.end - 1, 0)
    if near + bare >= len(pieces):
        return _usual(pieces, bare=bare)
    return "\r" if pieces[near].endswith("\r") else ""


def _usual(pieces: Sequence[str], *, bare: bool) -> str:
    r"""The ``\r`` that most lines end with, or nothing."""
    ended = len(pieces) - bare
    return "\r" if sum(piece.endswith("\r") for piece in pieces[:ended]) * 2 > ended else ""
