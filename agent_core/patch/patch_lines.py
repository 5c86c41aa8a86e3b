"""The lines of a patch text, and how a refusal speaks of them."""

from __future__ import annotations

import re
from typing import NamedTuple

from agent_core.errors import PatchRefusedError

# A line that opens or closes a patch, or names a file, is never longer than this.
LONGEST = 4000

_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([^`]*)$")
_HEREDOC = re.compile(
    r"\s*(?:[$>]\s*)?(?:(?:bash|sh|zsh|cat|git apply|patch|apply_?patch)\b.*?)?<<-?\s*(['\"]?)(\w+)\1\s*\)?\s*(?:\||$)"
)


class Line(NamedTuple):
    r"""A line of the patch text.

    Attributes:
        number: Its 1-based number there.
        text: The line without its ending.
        crlf: It ends with ``\r\n``.
    """

    number: int
    text: str
    crlf: bool = False


def split_patch(text: str) -> list[Line]:
    r"""The lines of a text, ended by ``\n`` or ``\r\n``."""
    lines = text.removesuffix("\n").split("\n")
    return [Line(number, line.removesuffix("\r"), line.endswith("\r")) for number, line in enumerate(lines, 1)]


def fence_mark(text: str) -> str:
    """The backticks or tildes of a line that opens or closes a Markdown fence, else empty."""
    found = _FENCE.match(text) if len(text) <= LONGEST else None
    return found.group(1) if found else ""


def fence_info(text: str) -> str:
    """What stands behind the marks of a fence."""
    found = _FENCE.match(text)
    return found.group(2).strip() if found else ""


def closes_fence(text: str, mark: str) -> bool:
    """Whether a line ends a fence: the same marks, at least as many, and nothing behind them (CommonMark 4.5)."""
    word = text.strip()
    return bool(mark) and len(word) >= len(mark) and word == mark[0] * len(word)


def heredoc_word(text: str) -> str:
    """The word that ends the here-document a line opens (``apply_patch <<'EOF'``), else empty."""
    found = _HEREDOC.match(text) if len(text) <= LONGEST and "<<" in text else None
    return found.group(2) if found else ""


def short(text: str) -> str:
    """A line of a patch, quoted, cut to a readable length."""
    return repr(text if len(text) <= 80 else text[:77] + "...")


def refused(line: Line, what: str) -> PatchRefusedError:
    """A refusal because of one line of the patch.

    Args:
        line: The line.
        what: What is wrong with it and what to write instead, as the rest of a sentence.
    """
    return PatchRefusedError(f"Line {line.number} of the patch, {short(line.text)}, {what}")
