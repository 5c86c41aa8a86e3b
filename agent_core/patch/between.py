"""A text that lies between two contents of a file: made of lines of both, and written like them."""

from __future__ import annotations

from agent_core.errors import SelectionError
from agent_core.patch import encoding
from agent_core.patch.diff import split_lines
from agent_core.patch.encoding import MARK, NotTextError, text_of


def lines_of(data: bytes | None) -> list[str]:
    """The lines of a content; none of no file."""
    return split_lines(text_of(data) or "") if data else []


def mend_mark(lines: list[str], old: bytes | None, new: bytes | None) -> bool:
    """Put a byte order mark where it belongs: it is in the first line's text, and that may stay away or come second.

    Args:
        lines: The text that is made of the two; changed in place.
        old: The content before.
        new: The content of the whole patch.

    Returns:
        Whether anything had to be mended.
    """
    texts = [text for text in (text_of(data) for data in (old, new) if data) if text]
    marked = {text.split("\n", 1)[0] for text in texts if text.startswith(MARK)}
    if not marked:
        return False
    was = list(lines)
    bare = (line.removeprefix(MARK) if line.rstrip("\n") in marked else line for line in lines[1:])
    lines[1:] = [line for line in bare if line]
    if all(text.startswith(MARK) for text in texts) and (lines or len(texts) > 1):
        lines[:1] = [MARK + line.removeprefix(MARK) for line in lines[:1] or [""]]
    return lines != was


def written(path: str, lines: list[str], old: bytes | None, new: bytes | None) -> bytes:
    """The bytes of a text between two contents, in their encoding.

    Args:
        path: Path of the file, for the refusal.
        lines: The text.
        old: The content before the patch.
        new: The content after it.

    Raises:
        SelectionError: The encoding cannot hold it.
    """
    text = "".join(lines)
    refusal = None
    for data in (old, new):
        if data is not None and text_of(data) == text:
            return data
    # An empty file has no encoding to keep.
    for data in filter(None, (old, new)):
        try:
            written = encoding.rewrite(data, text)
            if encoding.decode(written)[0] == text:
                return written
        except NotTextError as error:
            refusal = refusal or error
    if not text:
        return b""
    why = f" {refusal.message}" if refusal else " no encoding holds it."
    raise SelectionError(f"{path}: with this part of the patch it{why}", "Take the whole file or none of it.")
