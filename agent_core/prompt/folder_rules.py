"""The rules of a folder, told when a file in it comes into play: once, at the end of the conversation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

from agent_core.conversation import Item, ToolCallItem, UserItem
from agent_core.prompt import replies
from agent_core.prompt.project_docs import RULES, cut_head, document, rules_heading

_LONGEST = 4096
_DEEPEST = 64
_ADDED = re.compile(r"^\*\*\* Add File:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_HEADING = re.compile(rf"^# (?P<path>.+/{re.escape(RULES)}) \(the rules for ", re.MULTILINE)


class FolderRules:
    """Watches which folders a partner works in.

    Args:
        read: Gives the bytes of a file as the partner sees it.
    """

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._heard = 0
        self._told: set[str] = set()

    def news(self, items: Sequence[Item], tokens: int) -> tuple[UserItem, ...]:
        """The rules that apply to what was read or patched since this was last asked, and were not told before.

        Args:
            items: The conversation so far. A shorter one than before is another one.
            tokens: Most tokens of the rules of one folder.
        """
        if len(items) < self._heard:
            self._heard, self._told = 0, set()
        new, self._heard = items[self._heard :], len(items)
        for item in new:
            if isinstance(item, UserItem):
                self._told |= {found["path"] for found in _HEADING.finditer(item.text)}
        found: list[UserItem] = []
        for item in new:
            if not isinstance(item, ToolCallItem):
                continue
            for path in dict.fromkeys(rules for touched in _touched(item) for rules in _above(touched)):
                if path in self._told:
                    continue
                self._told.add(path)
                if (text := document(self._read, path)) and (body := cut_head(text, path, tokens)):
                    found.append(UserItem(f"{rules_heading(path)}\n\n{body}"))
        return tuple(found)


def _touched(call: ToolCallItem) -> tuple[str, ...]:
    """The files that a call is about."""
    if call.name == "apply_patch":
        text = call.arguments.replace("\\n", "\n")
        return (*replies.updated_files(call.arguments), *_ADDED.findall(text))
    try:
        arguments = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return ()
    path = arguments.get("path") if isinstance(arguments, dict) else None
    return (path,) if isinstance(path, str) else ()


def _above(path: str) -> Iterator[str]:
    """Where the rules for a file can stand below the project's own, the outermost first."""
    if len(path) > _LONGEST or "\0" in path or path.startswith("/"):
        return
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts or len(parts) > _DEEPEST:
        return
    # A folder may be meant itself.
    for depth in range(1, len(parts) + 1):
        yield str(PurePosixPath(*parts[:depth], RULES))
