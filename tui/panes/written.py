"""A patch while the partner writes it: as far as it has come, a line at a time, in any of the three formats.

This is not a parser: it says what each line looks like as soon as the line is there, and never refuses one. What it
shows gives way to the proposal, which is made from what the parsers in `agent_core.patch` read.
"""

from __future__ import annotations

import re
from typing import Literal

from agent_core.patch.diff_names import DEV_NULL
from agent_core.patch.line_diff import changed_ranges
from agent_core.patch.patch_lines import fence_mark
from agent_core.patch.path_line import path_of, path_of_fence
from tui.panes.written_git import file_name, git_path, tells_of_file
from tui.panes.written_rows import WrittenFile, place_row, row, signed_row
from tui.widgets.lines import BLANK, MAX_CHARS, Line

_HEADER = re.compile(r"\s*\*\*\* (Add|Update|Delete) File: ?(.*)$", re.IGNORECASE)
_MOVE = re.compile(r"\s*\*\*\* (?:Move|Rename) to: ?(.*)$", re.IGNORECASE)
_BEGIN = re.compile(r"\s*\*\*\* Begin Patch\s*$", re.IGNORECASE)
_END = re.compile(r"\s*\*\*\* End Patch\s*$", re.IGNORECASE)
_END_OF_FILE = re.compile(r"\s*\*\*\* End of File\s*$", re.IGNORECASE)
_KINDS = {"add": "new", "delete": "deleted", "update": ""}

_SEARCH = re.compile(r"\s*<{5,9} ?SEARCH\b.*$")
_DIVIDER = re.compile(r"\s*={5,9}\s*$")
_REPLACE = re.compile(r"\s*>{5,9} ?REPLACE\b.*$")

_GIT = re.compile(r"diff --git (.*)$")
_RANGE = re.compile(r"@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")

# The beginning of a line that is, or may become, a marker: shown when it is whole, or not at all.
_UNDECIDED = re.compile(
    r"\s*(?:\*{1,2}$|\*\*\*|[`~]{1,2}$|[`~]{3}|<{1,4}$|<{5})|"
    r"diff --git|index |rename |similarity |-{1,3}$|\+{1,3}$|--- |\+\+\+ "
)
_UNDECIDED_IN_BLOCK = re.compile(r"\s*(?:<+|=+|>+)(?: [SREACHPL]*)?$")

# How much of its beginning and end tells a text from another.
_TOLD_BY = 4096
_LOOK_BACK = 3

Mode = Literal["", "envelope", "unified", "search", "replace"]


class WrittenPatch:
    """Turns a patch that is still growing into rows.

    Attributes:
        lines: What it shows so far, the line without an end included.
        recounted: Indices of rows shown before the last update whose counts have changed by it.
    """

    def __init__(self) -> None:
        self._at = 0  # characters of whole lines taken
        self._seen = 0  # characters looked at
        self._ends = ("", "")  # how what was looked at begins and ends
        self._partial = False
        self._keep = 0
        self._mode: Mode = ""
        self._padded = False
        self._file: WrittenFile | None = None
        self._first: int | None = None  # the header that was open when the last update was over
        self._before: list[tuple[int, str]] = []  # lines outside of patches: where their row is, and their text
        self._old_name: tuple[int, str] | None = None  # a line that may be a unified diff's first header
        self._left: tuple[int, int] | None = None  # old and new lines yet to come, where the hunk's header counts them
        self._search: list[str] = []
        self._replace: list[str] = []
        self._block = (0, 0, 0)  # the row the block begins at, and the file's counts there
        self.lines: list[Line] = []
        self.recounted: list[int] = []

    def goes_on(self, text: str) -> bool:
        """Whether a text is the same patch, further on.

        A long text is told by its beginning and by what stands where this one ends: comparing all of it for each piece
        would cost more than showing it.
        """
        head, tail = self._ends
        return len(text) >= self._seen and text.startswith(head) and text.startswith(tail, self._seen - len(tail))

    def update(self, text: str) -> int:
        """Take what is new.

        Args:
            text: The whole text so far; it goes on from what it was at the last call, see `goes_on`.

        Returns:
            How many of the rows shown before are still as they were, but for those in `recounted`.
        """
        end = text.rfind("\n", self._seen)
        self._seen = len(text)
        self._ends = (text[:_TOLD_BY], text[max(self._seen - _TOLD_BY, 0) :])
        self.recounted = []
        if self._partial and end < 0 and self._seen - self._at > MAX_CHARS:
            return len(self.lines)  # no more is shown of so long a line
        if self._partial:
            self.lines.pop()
            self._partial = False
        self._keep = len(self.lines)
        if end >= 0:
            for line in text[self._at : end].split("\n"):
                self._take(line.removesuffix("\r"))
            self._at = end + 1
        if self._shows(text[self._at : self._at + MAX_CHARS]):
            sign = {"search": "-", "replace": "+"}.get(self._mode, "")
            self.lines.append(signed_row(sign + text[self._at :]))
            self._partial = True
        if end >= 0:
            self._recount()
        self._first = None if self._file is None else self._file.at
        return self._keep

    def _shows(self, rest: str) -> bool:
        """Whether a line without an end is shown: not while it may become a marker."""
        undecided = _UNDECIDED_IN_BLOCK if self._mode in {"search", "replace"} else _UNDECIDED
        return bool(rest.strip()) and not undecided.match(rest)

    def _recount(self) -> None:
        if self._file is not None:
            self.lines[self._file.at] = self._file.header()
        if self._first is not None and self._first < self._keep:
            self.recounted = [self._first]

    def _cut(self, index: int) -> None:
        """Take rows back, from one on."""
        del self.lines[index:]
        self._keep = min(self._keep, index)

    def _open(self, path: str, kind: str = "") -> WrittenFile:
        """Begin a file."""
        if self._file is not None:
            self.lines[self._file.at] = self._file.header()
        if self.lines:
            self.lines.append(BLANK)
        self._file = file = WrittenFile(len(self.lines), path, kind)
        self.lines.append(file.header())
        self._before.clear()
        self._old_name = None
        return file

    def _take(self, line: str) -> None:
        """Take a whole line."""
        if self._mode in {"search", "replace"}:
            self._take_in_block(line)
        elif self._mode == "envelope":
            self._take_in_envelope(line)
        elif self._mode == "unified":
            self._take_in_unified(line)
        else:
            self._take_outside(line)

    def _show(self, line: str) -> None:
        """Show a line with its sign, and count it."""
        if self._file is not None:
            self._file.count(line[:1])
            self._file.begun = True
        self.lines.append(signed_row(line))

    def _take_outside(self, line: str) -> None:
        if self._begins_patch(line) or not line.strip():
            return
        self._before = [*self._before[1 - _LOOK_BACK :], (len(self.lines), line)]
        if not fence_mark(line):
            # Without a header before it, it may be a bare hunk; after a patch it is mere words.
            bare = self._file is None and line.startswith(("+", "-", " ", "@@"))
            self.lines.append(signed_row(line) if bare else row("", line))

    def _begins_patch(self, line: str) -> bool:
        """Take a line that begins a patch of any format."""
        if _BEGIN.match(line) or _HEADER.match(line):
            self._mode, self._padded = "envelope", line[:1].isspace()
            self._take_in_envelope(line)
        elif _SEARCH.match(line):
            self._begin_block()
        elif git := _GIT.match(line):
            self._mode = "unified"
            self._open(git_path(git.group(1)))
        elif self._begins_file(line):
            self._mode = "unified"
        else:
            return False
        return True

    def _take_in_envelope(self, line: str) -> None:
        if line[:1].isspace() and not self._padded:
            self._show(line)
        elif header := _HEADER.match(line):
            self._open(header.group(2).strip(), _KINDS[header.group(1).lower()])
        elif _END.match(line):
            self._mode = ""
        elif (move := _MOVE.match(line)) and self._file is not None:
            self._file.kind = f"moves to {move.group(1).strip()}"
        elif not (_BEGIN.match(line) or _END_OF_FILE.match(line) or self._names_again(line)):
            self._show(line)

    def _names_again(self, line: str) -> bool:
        """Pass over a unified diff's file names below an envelope's header."""
        if self._old_name is not None and line.startswith("+++ "):
            self._take_back_name()
            return True
        self._old_name = None
        if self._file is not None and not self._file.begun and line.startswith("--- "):
            self._old_name = (len(self.lines), line[4:])
        return False

    def _take_in_unified(self, line: str) -> None:
        file = self._file
        if _GIT.match(line) or _BEGIN.match(line) or _HEADER.match(line) or _SEARCH.match(line):
            self._mode = ""
            self._begins_patch(line)
        elif (file is not None and tells_of_file(file, line)) or self._begins_file(line):
            return
        elif line.startswith("@@"):
            self._begin_hunk(line)
        elif line[:1] in {"", " ", "+", "-", "\\"} and not (line == "-- " and self._left == (0, 0)):
            if line or self._left not in {None, (0, 0)}:
                self._show(line)
            if self._left is not None and not line.startswith("\\"):
                old, new = self._left
                self._left = (max(old - (line[:1] != "+"), 0), max(new - (line[:1] != "-"), 0))
        else:
            self._mode = ""
            self._take_outside(line)

    def _begin_hunk(self, line: str) -> None:
        ranges = _RANGE.match(line)
        self._left = (int(ranges.group(1) or 1), int(ranges.group(2) or 1)) if ranges else None
        self._old_name = None
        heading = line[ranges.end() :].strip() if ranges else ""
        self.lines.append(place_row(heading or line.removeprefix("@@").removesuffix("@@").strip()))
        if self._file is not None:
            self._file.begun = True

    def _begins_file(self, line: str) -> bool:
        """Take a ``+++`` line that stands below a ``---`` line and names a file; remember a ``---`` line."""
        held, self._old_name = self._old_name, None
        if held is not None and line.startswith("+++ "):
            old, new = file_name(held[1]), file_name(line[4:])
            if self._left in {None, (0, 0)} or old == new or DEV_NULL in {old, new}:
                self._old_name = held
                self._take_back_name()
                self._name(old, new)
                return True
        if line.startswith("--- "):
            self._old_name = (len(self.lines), line[4:])
        return False

    def _take_back_name(self) -> None:
        """What was shown as a removed line is the first half of a header."""
        if self._old_name is not None:
            self._cut(self._old_name[0])
            if self._file is not None and self._mode:
                self._file.count("-", -1)
            self._old_name = None

    def _name(self, old: str, new: str) -> None:
        """Begin the file that a pair of header lines names, or name the one that git's header began."""
        self._left = None
        kind = "new" if old == DEV_NULL else "deleted" if new == DEV_NULL else ""
        path = old if new == DEV_NULL else new
        file = self._file
        if self._mode == "unified" and file is not None and file.at == len(self.lines) - 1:
            moves = file.kind.startswith("moves")
            file.path, file.kind = (old if moves else path), kind or file.kind
            file.begun = True
        else:
            self._open(path, kind)

    def _begin_block(self) -> None:
        at, path = self._path_before()
        self._cut(at)
        file = self._file
        if file is None or (path and path != file.path):
            file = self._open(path or "⋯")
        elif self.lines:
            self.lines.append(place_row())
        self._mode = "search"
        self._search, self._replace = [], []
        self._block = (len(self.lines), file.added, file.removed)

    def _path_before(self) -> tuple[int, str]:
        """The file named above a block, and the row of the line that names it; no name where none does."""
        for at, line in reversed(self._before):
            if fence_mark(line):
                if path := path_of_fence(line):
                    return at, path
            else:
                named = path_of(line)
                return (at, named.path) if named else (len(self.lines), "")
        return len(self.lines), ""

    def _take_in_block(self, line: str) -> None:
        if _REPLACE.match(line):
            self._end_block()
        elif _SEARCH.match(line):
            loose = self._loose_ends()
            self._end_block()
            self._before = [(len(self.lines), one) for one in loose if one.strip()]
            self._begin_block()
        elif self._mode == "search" and _DIVIDER.match(line):
            self._mode = "replace"
        else:
            sign = "-" if self._mode == "search" else "+"
            (self._search if sign == "-" else self._replace).append(line)
            self.lines.append(row(sign, line))
            if self._file is not None:
                self._file.count(sign)

    def _loose_ends(self) -> list[str]:
        """A fence and a path that stand where the block before forgot its end: they belong to the next one."""
        lines = self._replace
        at = len(lines)
        while at and len(lines) - at <= _LOOK_BACK and _is_between(lines[at - 1]):
            at -= 1
        loose = lines[at:]
        if not any(fence_mark(one) for one in loose):
            return []
        del lines[at:]
        return loose

    def _end_block(self) -> None:
        """Show the block as a change: lines that are on both sides stay."""
        file, (at, added, removed) = self._file, self._block
        self._mode = ""
        self._before.clear()
        if file is None:
            return
        file.added, file.removed = added, removed
        file.begun = True
        if not self._search and self._replace and at == file.at + 1:
            file.kind = "new"
        self._cut(at)
        following = 0
        for first, last, start, end in [*changed_ranges(self._search, self._replace), (len(self._search),) * 4]:
            self.lines += [row(" ", line) for line in self._search[following:first]]
            self.lines += [row("-", line) for line in self._search[first:last]]
            self.lines += [row("+", line) for line in self._replace[start:end]]
            file.removed += last - first
            file.added += end - start
            following = last


def _is_between(line: str) -> bool:
    """Whether a line may stand between two SEARCH/REPLACE blocks."""
    return not line.strip() or bool(fence_mark(line)) or path_of(line) is not None
