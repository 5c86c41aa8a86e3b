"""What a parsed patch asks for, before anybody has looked whether it can be done."""

from __future__ import annotations

from typing import Literal

import msgspec

Sign = Literal[" ", "-", "+"]


class HunkLine(msgspec.Struct, frozen=True):
    """One line of a hunk.

    Attributes:
        sign: `` `` stays, ``-`` goes, ``+`` comes.
        text: The line without its ending.
        bare: The patch says that this line ends the file without a newline.
        ending: How the line ends (LF or CRLF) where the patch tells it; empty where the file decides.
    """

    sign: Sign
    text: str
    bare: bool = False
    ending: str = ""


class Hunk(msgspec.Struct, frozen=True):
    """One place to be changed.

    Attributes:
        lines: Context, removed and added lines from top to bottom. A hunk of nothing but context changes nothing; it
            says what stands above the hunk after it (SEARCH/REPLACE blocks with elided lines).
        number: 1-based line of the patch text on which it begins.
        anchors: Texts of the ``@@`` lines before it, outermost first.
        at_end: It stands at the end of the file.
        old_start: 1-based line of the old file, where the patch names one; a hint, never trusted alone.
        slack: How many lines at its end are blank and had no sign: context, or mere spacing in the patch.
        unsigned: 1-based line of the patch text with the first line that is not blank and had no sign; 0 without one.
            It counts as context, which it can only be where it stands in the file as it is here.
    """

    lines: tuple[HunkLine, ...]
    number: int
    anchors: tuple[str, ...] = ()
    at_end: bool = False
    old_start: int | None = None
    slack: int = 0
    unsigned: int = 0

    @property
    def idle(self) -> bool:
        """Whether it removes and adds, and the lines are the same afterwards."""
        old = [(line.text, line.bare, line.ending) for line in self.lines if line.sign != "+"]
        new = [(line.text, line.bare, line.ending) for line in self.lines if line.sign != "-"]
        return old == new and any(line.sign != " " for line in self.lines)


class AddFile(msgspec.Struct, frozen=True):
    """Make a new file.

    Attributes:
        path: As the patch writes it.
        text: Its content.
        number: Line of the patch text with its header.
        mode: Git-style mode (0o100644, 0o100755) where the patch names one; 0 where it does not.
    """

    path: str
    text: str
    number: int = 0
    mode: int = 0


class DeleteFile(msgspec.Struct, frozen=True):
    """Remove a file.

    Attributes:
        path: As the patch writes it.
        number: Line of the patch text with its header.
        lines: The file's lines, where the patch shows them: it is removed only when it holds these.
    """

    path: str
    number: int = 0
    lines: tuple[HunkLine, ...] | None = None


class UpdateFile(msgspec.Struct, frozen=True):
    """Change a file, or move it, or both.

    Attributes:
        path: As the patch writes it.
        move_to: The new path of a move.
        hunks: The places to be changed.
        number: Line of the patch text with its header.
        mode: Git-style mode it gets (0o100644, 0o100755) where the patch names one; 0 where it stays.
        ordered: The format promises that the hunks stand from top to bottom (the envelope, unified diffs). Where it
            does not (SEARCH/REPLACE blocks), they may come in any order, and a later one may build on an earlier one.
    """

    path: str
    move_to: str | None
    hunks: tuple[Hunk, ...]
    number: int = 0
    mode: int = 0
    ordered: bool = True


class WriteFile(msgspec.Struct, frozen=True):
    """Give a file a new text, all of it; make the file where there is none.

    Attributes:
        path: As the patch writes it.
        text: Its new text.
        number: Line of the patch text where it begins.
    """

    path: str
    text: str
    number: int = 0


Operation = AddFile | DeleteFile | UpdateFile | WriteFile
