"""What other editing tools are called with, as a patch: models call ``apply_patch`` with the arguments they know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_PATHS = ("path", "file", "file_path", "filepath", "filename", "file_name")
_TEXTS = ("content", "contents", "text", "new_text", "new_content", "file_text", "code")
_OLD = ("old", "old_text", "old_string", "old_str", "search", "find")
_NEW = ("new", "new_text", "new_string", "new_str", "replace", "replacement")


def patch_of_arguments(arguments: Mapping[str, object]) -> str | None:
    """The patch that the arguments of other editing tools amount to; None where they are of no such tool.

    Taken are a path with a file's text, with an old and a new text, or with a diff; and several of them as ``files`` or
    ``edits``.

    Args:
        arguments: The decoded JSON.
    """
    for key in ("files", "edits", "changes"):
        several = arguments.get(key)
        if isinstance(several, list) and several and all(isinstance(one, Mapping) for one in several):
            shared = {name: value for name, value in arguments.items() if name != key}
            parts = [patch_of_arguments({**shared, **one}) for one in several]
            return "\n".join(part for part in parts if part) if all(parts) else None
    path = _first(arguments, _PATHS)
    if not path:
        return _first(arguments, ("input", "diff"))
    return None if "\n" in path else _change(path, arguments)


def _change(path: str, arguments: Mapping[str, object]) -> str | None:
    """The change of one file."""
    if (diff := _first(arguments, ("diff", "patch"))) is not None:
        body = diff.strip("\n")
        return f"*** Begin Patch\n*** Update File: {path}\n{body}\n*** End Patch\n"
    if old := _first(arguments, _OLD):
        new = _first(arguments, _NEW) or ""
        return f"{path}\n<<<<<<< SEARCH\n{_line(old)}=======\n{_line(new)}>>>>>>> REPLACE\n"
    text = _first(arguments, _TEXTS)
    return None if text is None else whole_file(path, text)


def whole_file(path: str, text: str) -> str:
    """A whole file as it is written in place of a patch."""
    longest = max((len(run) for run in re.findall(r"^[ \t]*(`{3,})", text, re.MULTILINE)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{path}\n{fence}\n{_line(text)}{fence}\n"


def _line(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _first(arguments: Mapping[str, object], keys: Sequence[str]) -> str | None:
    """The first of some keys that holds words; a list of them counts as lines."""
    for key in keys:
        value = arguments.get(key)
        if isinstance(value, list) and all(isinstance(line, str) for line in value):
            return "\n".join(line.removesuffix("\n") for line in value)
        if isinstance(value, str):
            return value
    return None
