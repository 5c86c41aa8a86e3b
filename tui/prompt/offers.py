"""What can be completed at the cursor, and what is offered for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from agent_core.chat_entries import Edit
from agent_core.checks.model import Finding
from agent_core.state import State
from tui.prompt.chips import count_lines

Kind = Literal["files", "findings", "commands", "arguments", "history", "queue"]
MOST = 50
"""Most choices that are offered."""

_AT = re.compile(r"(?:^|(?<=[\s(\[{\"'`]))@(!?)([^\s@]*)$")
_COMMAND = re.compile(r"/(?!/)([\w-]*)$")
_ARGUMENT = re.compile(r"/([\w-]+)\s+(\S*)$")


class Asked(msgspec.Struct, frozen=True):
    """A word at the cursor that can be completed.

    Attributes:
        kind: Of what.
        start: The column at which it begins, its sign included.
        needle: What is written of it.
        command: For an argument: the command.
    """

    kind: Kind
    start: int
    needle: str
    command: str = ""


class Choice(msgspec.Struct, frozen=True):
    """Something to choose.

    Attributes:
        label: What is shown of it.
        detail: What is said beside it.
        text: What is written for it; where it is a chip: what that stands for.
        chip: The chip's label; empty where it is plain text.
        sends: Choosing it with enter is all there is to say.
    """

    label: str
    detail: str = ""
    text: str = ""
    chip: str = ""
    sends: bool = False


def asked_at(line: str, column: int, *, first: bool) -> Asked | None:
    """What could be completed at a place.

    Args:
        line: The line the cursor is in.
        column: Where in it.
        first: It is the first line.
    """
    before = line[:column]
    if first and (found := _COMMAND.match(before)):
        return Asked("commands", 0, found.group(1))
    if first and (found := _ARGUMENT.match(before)):
        return Asked("arguments", found.start(2), found.group(2), found.group(1))
    if found := _AT.search(before):
        return Asked("findings" if found.group(1) else "files", found.start(), found.group(2))
    return None


def files_first(state: State) -> tuple[str, ...]:
    """The files one is likely to mean: those of the newest proposal, those with findings, those edited last."""
    paths: dict[str, None] = {}
    if state.proposal is not None:
        paths |= dict.fromkeys(file.path for file in state.proposal.patch.files)
    paths |= dict.fromkeys(finding.path for finding in findings(state) if finding.path)
    paths |= dict.fromkeys(edit.path for edit in reversed(state.untold) if isinstance(edit, Edit))
    return tuple(paths)


def findings(state: State) -> list[Finding]:
    """What the checks have to say now: first what the newest proposal breaks."""
    proposal = state.proposal
    broken = proposal.verdict.broken if proposal is not None and proposal.verdict is not None else ()
    found = [*broken]
    for where in ("candidate", "baseline"):
        for check in state.checks:
            if check.where == where and check.result is not None:
                found += check.result.findings
    return list({finding.fingerprint: finding for finding in reversed(found)}.values())[::-1]


def finding_choices(found: Iterable[Finding], needle: str) -> list[Choice]:
    """Findings that have some letters in them, as chips."""
    choices = []
    for finding in found:
        code = finding.code.rpartition("::")[2] or finding.message
        label = f"{finding.check} {finding.place or code}"
        title = " ".join(part for part in (finding.check, finding.place, finding.code) if part)
        text = "\n".join(part for part in (f"{title}: {finding.message}", finding.detail.rstrip()) if part)
        if needle.lower() in f"{title} {finding.message}".lower():
            choices.append(Choice(label, finding.message, text, label))
        if len(choices) == MOST:
            break
    return choices


def text_choices(texts: Sequence[str]) -> list[Choice]:
    """Texts of the human's own, each by its first line."""
    return [Choice(first_line(text), _length(text), text) for text in texts[:MOST]]


def first_line(text: str) -> str:
    """The first line of a text that is not empty."""
    return next((line.strip() for line in text.split("\n") if line.strip()), "")


def _length(text: str) -> str:
    return count_lines(text) if "\n" in text.strip() else ""
