"""Context that has lost its sign: an indented line whose first blank was taken for one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agent_core.patch.document import Document
from agent_core.patch.operations import HunkLine


def with_first_blank(
    document: Document, lines: Sequence[HunkLine], aligned: Sequence[int | None]
) -> tuple[HunkLine, ...]:
    """The lines of a hunk in which some have lost their sign, with the blank back that is no sign.

    In such a hunk the lines that go and come are indented as they are meant, and context by one blank less.

    Args:
        document: The file.
        lines: The hunk's lines.
        aligned: For each old line the line of the file that it is.
    """
    rows = iter(aligned)
    given: list[HunkLine] = []
    for line in lines:
        row = None if line.sign == "+" else next(rows)
        lost = line.sign == " " and row is not None and document.lines[row] == f" {line.text}"
        given.append(msgspec.structs.replace(line, text=f" {line.text}") if lost else line)
    return tuple(given)
