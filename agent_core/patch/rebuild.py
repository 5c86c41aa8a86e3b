r"""Putting located hunks into a text, byte for byte.

Only the patch's ``+`` lines are new; everything else stays as the file has it, however the patch wrote it. A new line
takes the ending (``\n`` or ``\r\n``) of the file's line before it, unless the patch shows another. A file without a
final newline stays so, unless its last line becomes one of the patch's and the patch says otherwise by
``\ No newline at end of file``.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.patch.document import Document
from agent_core.patch.place import Place


def rebuild(document: Document, places: Sequence[Place]) -> str:
    """The text with hunks in it.

    Args:
        document: The file.
        places: Where the hunks go; no two of them change the same line.
    """
    body, separator = document.body, document.separator
    bare = bool(body) and not body.endswith(separator)
    out: list[str] = []
    at = 0
    ends_bare = False
    edits = sorted(((edit, place) for place in places for edit in place.edits), key=lambda item: item[0].core)
    for edit, place in edits:
        start, end = document.offset(edit.start), document.offset(edit.end)
        if at < start:
            out.append(body[at:start])
            ends_bare = bare and start == len(body)
        at = end
        if not edit.lines:
            continue
        if ends_bare:
            out.append(_usual(document))
        ending = _ending(document, end, bare=bare)
        out += [line.text + (line.ending or ending) for line in edit.lines]
        last = edit.lines[-1]
        ends_bare = end == len(body) and (last.bare if place.says_end else bare)
        if ends_bare:
            out[-1] = last.text
    return document.bom + "".join(out) + body[at:]


def _ending(document: Document, end: int, *, bare: bool) -> str:
    """What new lines end with: the same as the file's line before them, or after them at its top."""
    body = document.body
    if not end:
        end = document.offset(1)
    if bare and end == len(body):
        return _usual(document)
    return "\r\n" if body.endswith("\r\n", 0, end) else document.separator


def _usual(document: Document) -> str:
    """What most lines end with."""
    crlf = document.body.count("\r\n")
    return "\r\n" if crlf * 2 > document.body.count(document.separator) else document.separator
