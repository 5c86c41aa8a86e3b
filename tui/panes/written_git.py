"""What the header lines of git's diffs say about a file (``git help diff``, "Generating patch text with -p")."""

from __future__ import annotations

from agent_core.patch.diff_names import read_git_names, read_name
from tui.panes.written_rows import WrittenFile

_KINDS = {"new file mode": "new", "deleted file mode": "deleted", "GIT binary": "binary", "Binary files": "binary"}
_OTHERS = ("rename ", "index ", "similarity ", "dissimilarity ", "old mode ", "new mode ", "copy ")


def file_name(text: str) -> str:
    """The file named by a ``---`` or ``+++`` line, or by one half of git's header."""
    name = read_name(text)
    return name[2:] if name.startswith(("a/", "b/")) else name


def git_path(text: str) -> str:
    """The file named by what stands behind ``diff --git``: twice the same, but for a move."""
    names = read_git_names(text)
    return file_name(names[1] if names is not None else text.rpartition(" ")[2])


def tells_of_file(file: WrittenFile, line: str) -> bool:
    """Take a line of git's header that says what becomes of a file; whether it was one."""
    if file.begun:
        return False
    for words, kind in _KINDS.items():
        if line.startswith(words):
            file.kind = kind
            return True
    if line.startswith("rename from "):
        file.path = read_name(line.removeprefix("rename from "))
    elif line.startswith("rename to "):
        file.kind = f"moves to {read_name(line.removeprefix('rename to '))}"
    elif line.startswith("new mode "):
        file.kind = "now executable" if line.endswith("755") else "no longer executable"
    return line.startswith(_OTHERS)
