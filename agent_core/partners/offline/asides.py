"""What the built-in partner says beside the conversation: the message of a commit, out of the change itself."""

from __future__ import annotations

import re

from agent_core.conversation import Request, UserItem
from agent_core.prompt.commit_message import INSTRUCTIONS, made_from

_LOG = "The newest subjects of this project's log:\n"
_CHANGE = "The change:\n"
_TOKEN = re.compile(r"\w+|[^\w\s]=|\*\*|//|->|<<|>>|[^\w\s]")
_DEFINED = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
_LONGEST = 40


def said_aside(request: Request) -> str:
    """The answer to a request that is no part of the conversation; empty where pairloop's own words are better.

    A summary is one of those: without a model it is put together from the conversation itself.
    """
    if request.instructions != INSTRUCTIONS:
        return ""
    text = "\n".join(item.text for item in request.items if isinstance(item, UserItem))
    before, _, diff = text.rpartition(_CHANGE)
    log = before.rpartition(_LOG)[2].partition("\n\n")[0].splitlines() if _LOG in before else []
    return made_from(what_changes(diff), (), log)


def what_changes(diff: str) -> str:
    """A change in a few words, such as ``Mend total: <= for <``.

    Args:
        diff: It, as a unified diff.
    """
    name = first = ""
    files: list[str] = []
    removed: list[str] = []
    added: list[str] = []
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path = line[4:].strip().removeprefix("b/")
            files.append(path)
            name = ""
        elif line.startswith(("--- ", "diff ", "index ", "\\")):
            continue
        elif line.startswith(("-", "+")):
            first = first or name or _stem(files)
            (removed if line[0] == "-" else added).append(line[1:].strip())
        elif found := _DEFINED.match(line.strip()):
            name = found.group(1)
    subject = first if len(files) <= 1 else ", ".join(dict.fromkeys(_stem([path]) for path in files[:3]))
    words = _replaced(" ".join(removed), " ".join(added)) if len(files) == 1 else ""
    return f"Mend {subject}{': ' if words else ''}{words}" if subject else ""


def _stem(files: list[str]) -> str:
    return files[-1].rpartition("/")[2].removesuffix(".py") if files else ""


def _replaced(old: str, new: str) -> str:
    """What of a line was replaced by what; empty where that is more than a few words."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    while before and after and before[0] == after[0]:
        before, after = before[1:], after[1:]
    while before and after and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    gone, come = " ".join(before), " ".join(after)
    if max(len(gone), len(come)) > _LONGEST or not (gone or come):
        return ""
    if not gone:
        return f"add {come}"
    return f"{come} for {gone}" if come else f"drop {gone}"
