"""An envelope that names no file: it is for the one file that has all of its old lines, if there is just one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from agent_core.patch.encoding import readable

_NAMELESS = re.compile(r"\A\s*\*\*\* Begin Patch[ \t]*\r?\n(?:[ \t]*\r?\n)*(?=@@|[-+ ])")
_NAMED = re.compile(r"^[ \t]*(?:\*\*\* (?:Add|Update|Delete) File:|\+\+\+ |--- )", re.MULTILINE)
_MOST_FILES = 3000
_LARGEST = 400_000  # bytes; what people and models patch by hand is smaller


def with_name(text: str, paths: Iterable[str], read: Callable[[str], bytes | None]) -> tuple[str, str]:
    """A patch with the name of its file, where it names none and its old lines tell which it is.

    Weak models leave out the line ``*** Update File: path`` when only one file has been spoken of.

    Args:
        text: The patch.
        paths: The files there are; of very many only the first are looked at.
        read: Gives a file's bytes.

    Returns:
        The patch, and a note on the name; the patch as it is, without a note, where it names files, or where no file
        or more than one has all of its old lines.
    """
    begin = _NAMELESS.match(text)
    if begin is None or _NAMED.search(text):
        return text, ""
    lines = text[begin.end() :].splitlines()
    old = {line[1:].strip() for line in lines if line[:1] in {"-", " "}} - {""}
    if not any(line.startswith("-") and line[1:].strip() for line in lines):
        return text, ""
    fitting = [path for path in [*paths][:_MOST_FILES] if _has(path, old, read)]
    if len(fitting) != 1:
        return text, ""
    head, rest = text[: begin.end()].rstrip(), text[begin.end() :]
    note = f"It names no file; of all files only {fitting[0]} has its old lines."
    return f"{head}\n*** Update File: {fitting[0]}\n{rest}", note


def _has(path: str, lines: set[str], read: Callable[[str], bytes | None]) -> bool:
    data = read(path)
    if data is None or len(data) > _LARGEST:
        return False
    text = readable(data)
    return text is not None and lines <= {line.strip() for line in text.splitlines()}
