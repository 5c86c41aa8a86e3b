"""The text of a patch inside a tool call's JSON arguments, whole or while it is being written."""

from __future__ import annotations

import json
import re

from agent_core.patch.arguments import patch_of_arguments

# What names a file in a patch, in any format.
_HEADED = re.compile(r"^\s*(?:\*\*\* |--- |\+\+\+ |diff --git |<{5,9} ?SEARCH|[`~]{3})", re.MULTILINE)
_START = re.compile(r'"patch"\s*:\s*"')
_BODY = re.compile(r'(?:[^"\\]|\\.)*', re.DOTALL)
_ESCAPE = re.compile(r"\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
# What may yet become longer: a unicode escape that is not whole, or half of a surrogate pair.
_UNFINISHED = re.compile(r"(?<!\\)(?:\\\\)*(\\u(?:[0-9a-fA-F]{0,3}|[dD][89abAB]\w\w(?:\\(?:u\w{0,3})?)?))$")


def _unescape(match: re.Match[str]) -> str:
    try:
        text = str(json.loads(f'"{match.group()}"'))
    except ValueError:
        return match.group()[1:]
    return text.encode("utf-8", "replace").decode("utf-8")


def patch_text(arguments: object) -> str | None:
    """The patch in whole arguments; None when there is none.

    Args:
        arguments: The decoded JSON. A bare string is taken too, and a list of lines, as notebooks have their texts;
            and what other editing tools are given (`agent_core.patch.arguments.patch_of_arguments`).
    """
    if isinstance(arguments, dict) and (path_and_text := _other_form(arguments)) is not None:
        return path_and_text
    value = arguments.get("patch") if isinstance(arguments, dict) else arguments
    if isinstance(value, list) and value and all(isinstance(line, str) for line in value):
        return "\n".join(line.removesuffix("\n") for line in value)
    return value if isinstance(value, str) else None


def _other_form(arguments: dict[str, object]) -> str | None:
    """The patch of arguments that are no patch by themselves."""
    patch = arguments.get("patch")
    if isinstance(patch, str) and (_HEADED.search(patch) or not patch.strip()):
        return None
    return None if isinstance(patch, list) else patch_of_arguments(arguments)


class PatchText:
    """Decodes the string value of ``"patch"`` as the arguments stream in.

    JSON's string escapes (RFC 8259, section 7) are decoded; an escape cut in two waits for its rest. What follows the
    string's end is ignored.
    """

    def __init__(self) -> None:
        self._raw = ""
        self._begun = False
        self._ended = False

    def feed(self, delta: str) -> str:
        """Take the next piece of the arguments; gives what it adds to the patch."""
        if self._ended:
            return ""
        self._raw += delta
        if not self._begun:
            start = _START.search(self._raw)
            if start is None:
                return ""
            self._begun = True
            self._raw = self._raw[start.end() :]
        found = _BODY.match(self._raw)
        body = found.group() if found else ""
        self._ended = self._raw.startswith('"', len(body))
        unfinished = _UNFINISHED.search(body)
        if unfinished and not self._ended:
            body = body[: unfinished.start(1)]
        self._raw = self._raw[len(body) :]
        return _ESCAPE.sub(_unescape, body)
