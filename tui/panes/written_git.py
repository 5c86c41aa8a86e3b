"""What the header lines of git's diffs say about a file (``git help diff``, "Generating patch text with -p")."""

from __future__ import annotations

from tui.panes.written_rows import WrittenFile

NOWHERE = "/dev/null"

_KINDS = {"new file mode": "new", "deleted file mode": "deleted", "GIT binary": "binary", "Binary files": "binary"}
_OTHERS = ("rename ", "index ", "similarity ", "dissimilarity ", "old mode ", "new mode ", "copy ")


def file_name(text: str) -> str:
    """The file named by a ``---`` or ``+++`` line, or by one half of git's header."""
    name = text.partition("\t")[0].strip().strip('"')
    return name[2:] if name.startswith(("a/", "b/")) else name


def git_path(text: str) -> str:
    """The file named by what stands behind ``diff --git``: twice the same, but for a move."""
    half = len(text) // 2
    old, new = file_name(text[:half]), file_name(text[half + 1 :])
    return new if old == new and text[half : half + 1] == " " else file_name(text.rpartition(" ")[2])


def tells_of_file(file: WrittenFile, line: str) -> bool:
    """Take a line of git's header that says what becomes of a file; whether it was one."""
    if file.begun:
        return False
    for words, kind in _KINDS.items():
        if line.startswith(words):
            file.kind = kind
            return True
    if line.startswith("rename from "):
        file.path = line.removeprefix("rename from ")
    elif line.startswith("rename to "):
        file.kind = f"moves to {line.removeprefix('rename to ')}"
    elif line.startswith("new mode "):
        file.kind = "now executable" if line.endswith("755") else "no longer executable"
    return line.startswith(_OTHERS)
