r"""Putting located hunks into a text, byte for byte.

Only the patch's ``+`` lines are new; everything else stays as the file has it, however the patch wrote it. A new line
takes the ending (``\n`` or ``\r\n``) of the file's line before it. A file without a final newline stays so, unless
its last line becomes one of the patch's and the patch says otherwise by ``\ No newline at end of file``.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.patch.locate import Place

BOM = "\ufeff"


def split(text: str) -> list[tuple[str, str]]:
    r"""The lines of a text with their endings apart.

    Args:
        text: Any text; a byte order mark at its start is left out.

    Returns:
        Pairs of a line and its ending: ``\n``, ``\r\n``, or nothing on a last line that has none.
    """
    pieces = text.removeprefix(BOM).split("\n")
    last = pieces.pop()
    lines = [(line[:-1], "\r\n") if line.endswith("\r") else (line, "\n") for line in pieces]
    return [*lines, (last, "")] if last else lines


def rebuild(text: str, places: Sequence[Place]) -> str:
    """The text with hunks in it.

    Args:
        text: The file's text.
        places: Where the hunks go; no two of them change the same line.
    """
    lines = split(text)
    crlf = sum(end == "\r\n" for _, end in lines)
    usual = "\r\n" if crlf * 2 > sum(end != "" for _, end in lines) else "\n"
    out: list[tuple[str, str]] = []
    at = 0
    final: str | None = None
    for place in sorted(places, key=lambda place: place.core):
        first, at_next = place.core
        out += lines[at:first]
        final = _put(out, lines, place, usual)
        at = at_next
    out += lines[at:]
    if not out:
        return text[: len(BOM)] if text.startswith(BOM) else ""
    body = [line + (end or usual) for line, end in out[:-1]]
    line, end = out[-1]
    if at == len(lines) and final is not None:
        end = final
    return (BOM if text.startswith(BOM) else "") + "".join(body) + line + end


def _put(out: list[tuple[str, str]], lines: Sequence[tuple[str, str]], place: Place, usual: str) -> str | None:
    """Add what a hunk makes of its core.

    Returns:
        The ending of the text if it stops here, None when the last line is the file's own and keeps its ending.
    """
    first, last = place.core
    at = place.start
    final: str | None = None
    ours = False
    said = any(line.bare for line in place.lines)
    was_bare = bool(lines) and not lines[-1][1]
    for line in place.lines:
        if line.sign == "+":
            near = lines[at - 1][1] if at else lines[0][1] if lines else ""
            out.append((place.shift.apply(line.text) or "", near or usual))
            final = "" if (line.bare if said else was_bare) else near or usual
            ours = True
            continue
        if line.sign == " " and first <= at < last:
            out.append(lines[at])
            ours = False
        at += 1
    return final if ours else None
