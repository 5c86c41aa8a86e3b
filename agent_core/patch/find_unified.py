"""Where the diff of one file begins and ends; the grammar is in `agent_core.patch.parse_unified`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from agent_core.patch.patch_lines import closes_fence

NUMBERED = re.compile(r"@@+ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_EXTENDED = (
    "old mode ",
    "new mode ",
    "new file mode ",
    "deleted file mode ",
    "rename from ",
    "rename to ",
    "rename old ",
    "rename new ",
    "copy from ",
    "copy to ",
    "similarity index ",
    "dissimilarity index ",
    "Binary files ",
    "GIT binary patch",
)
_BINARY_LINE = re.compile(r"(?:literal|delta) \d+$|[A-Za-z][!-~]*$")
_VERSION = re.compile(r"\d+(?:\.\d+)+\S*$")
_MOST_HEADERS = 14

Answer = Literal["yes", "no", "wait"]


def old_start(numbered: re.Match[str]) -> int | None:
    """The 1-based first old line by a match of `NUMBERED`; None for line 0. An empty range names the line before it."""
    return int(numbered.group(1)) + (numbered.group(2) == "0") or None


def may_open(text: str) -> bool:
    """Whether the diff of a file may begin with this line."""
    return text.startswith(("diff --git ", "--- ")) and text.strip() not in {"---", "diff --git"}


def opens(lines: Sequence[str]) -> Answer:
    """Whether lines, the first of which may open the diff of a file, do so: its header with something to do."""
    if lines[0].startswith("--- "):
        wanted = ("--- ", "+++ ", "@@")[: len(lines)]
        if not all(line.startswith(start) for line, start in zip(lines, wanted, strict=True)):
            return "no"
        return "yes" if len(lines) == 3 else "wait"
    last = lines[-1]
    if len(lines) == 1:
        return "wait"
    if last.startswith(_EXTENDED):
        return "yes"
    before = lines[-2]
    if last.startswith("@@") and before.startswith("+++ "):
        return "yes"
    named = last.startswith("+++ ") and before.startswith("--- ")
    return "wait" if (named or last.startswith(("index ", "--- "))) and len(lines) < _MOST_HEADERS else "no"


class DiffLines:
    """Goes along with the lines of one file's diff, its first one included, and knows where it ends.

    The signs are trusted, not the counts in the ``@@`` lines. Those decide only where the signs do not: whether
    ``--- a`` before ``+++ b`` and ``@@`` are lines of the hunk or the next file's header, and whether blank lines at
    the end of a hunk are context that lost its blank.
    """

    def __init__(self, fence: str) -> None:
        self._fence = fence
        self._part: Literal["header", "hunk", "binary"] = "header"
        self._left: list[int] | None = None
        self._pending: list[str] = []
        self._first = True
        self.ended = False

    def take(self, text: str) -> tuple[int, bool]:
        """Take the next line.

        Returns:
            How many of the lines not yet decided upon are the diff's; whether it ends with them.
        """
        if self._part == "header":
            return self._header(text)
        if self._part == "binary":
            inside = not text or _BINARY_LINE.match(text) is not None
            self.ended = not inside
            return int(inside), self.ended
        return self._hunk(text)

    def finish(self) -> int:
        """The text ends; how many of the lines not yet decided upon are the diff's."""
        if self._pending and self._pending[0]:
            more = self._left is not None and self._left[0] > 0
            return len(self._pending) if more or self._pending[0].startswith("--- ") else 0
        return self._blanks_inside()

    def _header(self, text: str) -> tuple[int, bool]:
        first, self._first = self._first, False
        if text.startswith("@@"):
            self._begin_hunk(text)
        elif text.startswith("GIT binary patch"):
            self._part = "binary"
        elif not (text.startswith((*_EXTENDED, "index ", "--- ", "+++ ")) or (first and may_open(text))):
            self.ended = True
            return 0, True
        return 1, False

    def _begin_hunk(self, text: str) -> None:
        self._part = "hunk"
        found = NUMBERED.match(text)
        self._left = [int(found.group(2) or 1), int(found.group(4) or 1)] if found else None

    def _hunk(self, text: str) -> tuple[int, bool]:
        if self._pending and self._pending[0]:
            return self._undecided(text)
        if not text.strip() and text[:1] != " ":
            self._pending.append("")
            return 0, False
        if text[0] not in " +-\\@" and self._is_outside(text):
            self.ended = True
            return self._blanks_inside(), True
        inside = self._settle_blanks()
        if text.startswith("--- ") or text.rstrip() == "--":
            self._pending = [text]
            return inside, False
        if text.startswith("@@"):
            self._begin_hunk(text)
        else:
            # One without a sign, in the middle of a hunk, too: whoever reads the hunk says so.
            self._count(text)
        return inside + 1, False

    def _is_outside(self, text: str) -> bool:
        if text.startswith("diff --git ") or closes_fence(text, self._fence):
            return True
        if self._left is not None and max(self._left) <= 0:
            return True
        return bool(self._pending) and not self._fence

    def _undecided(self, text: str) -> tuple[int, bool]:
        """Go on after ``--- a``, ``--- a`` and ``+++ b``, or ``--`` alone."""
        pending = self._pending
        if pending[0].startswith("--- "):
            if len(pending) == 1 and text.startswith("+++ "):
                pending.append(text)
                return 0, False
            if len(pending) == 2 and text.startswith("@@") and self._left != [1, 1]:
                self.ended = True
                return 0, True
        elif _VERSION.match(text):
            self.ended = True
            return 0, True
        # They were lines of the hunk after all.
        for line in pending:
            self._count(line)
        self._pending = []
        inside, done = self._hunk(text)
        return len(pending) + inside, done

    def _count(self, text: str) -> None:
        if self._left is not None and text[0] != "\\":
            self._left[0] -= text[0] != "+"
            self._left[1] -= text[0] != "-"

    def _settle_blanks(self) -> int:
        """Blank lines before a line of the hunk are context."""
        count = len(self._pending)
        for _ in range(count):
            self._count(" ")
        self._pending = []
        return count

    def _blanks_inside(self) -> int:
        """How many blank lines at the end of a hunk the counts say are context."""
        return min(len(self._pending), max(min(self._left), 0)) if self._left is not None else 0
