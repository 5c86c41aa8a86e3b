"""What git is in the midst of: a rebase, a merge, a bisect. Read from its folder, which costs a few looks at files."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Literal

import msgspec

Operation = Literal["rebase", "am", "merge", "cherry-pick", "revert", "bisect"]

# In this order: a rebase goes by cherry-picks, and a merge may be a step of it.
MARKS: tuple[tuple[str, Operation], ...] = (
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)
"""What lies in git's folder while something is under way."""

_WORDS: dict[Operation, str] = {
    "rebase": "a rebase",
    "am": "applying mails (git am)",
    "merge": "a merge",
    "cherry-pick": "a cherry-pick",
    "revert": "a revert",
    "bisect": "a bisect",
}
_ENDS: dict[Operation, str] = {
    "rebase": "`git rebase --continue` or `--abort`",
    "am": "`git am --continue` or `--abort`",
    "merge": "`git commit` or `git merge --abort`",
    "cherry-pick": "`git cherry-pick --continue` or `--abort`",
    "revert": "`git revert --continue` or `--abort`",
    "bisect": "`git bisect reset`",
}
_LINK = 4096


class GitFolder(msgspec.Struct, frozen=True):
    """Where git keeps what it knows of a work tree.

    Attributes:
        own: Of this work tree: HEAD, the index, what is under way.
        common: Of all its work trees: branches, the stash; the same folder where there is but one.
    """

    own: Path
    common: Path


def git_folder(top: Path) -> GitFolder | None:
    """Git's folder for a work tree, which may be a linked one or a submodule.

    Args:
        top: The top of the work tree.

    Returns:
        None where there is no repository.
    """
    marker = top / ".git"
    if marker.is_dir():
        return GitFolder(marker, marker)
    if not marker.is_file():
        # Neither is a pipe, from which nothing would ever come.
        return None
    try:
        own = Path(os.path.realpath(top / _line(marker).removeprefix("gitdir:").strip()))
    except OSError:
        return None
    common = own
    with contextlib.suppress(OSError):
        common = Path(os.path.realpath(own / _line(own / "commondir")))
    return GitFolder(own, common) if own.is_dir() else None


def operation_in(folder: GitFolder) -> Operation | None:
    """What is under way by git's folder; None when nothing is."""
    for name, operation in MARKS:
        if (folder.own / name).exists():
            applying = name == "rebase-apply" and (folder.own / name / "applying").exists()
            return "am" if applying else operation
    return None


def rebased_branch(folder: GitFolder) -> str:
    """The branch that is being rebased, while HEAD is none; empty where none is."""
    for name in ("rebase-merge", "rebase-apply"):
        with contextlib.suppress(OSError):
            head = _line(folder.own / name / "head-name")
            return head.removeprefix("refs/heads/") if head.startswith("refs/heads/") else ""
    return ""


def operation_words(operation: Operation) -> str:
    """An operation as words, such as ``a rebase``."""
    return _WORDS[operation]


def how_to_end(operation: Operation) -> str:
    """What ends an operation, for a human."""
    return _ENDS[operation]


def _line(path: Path) -> str:
    """The first line of one of git's small files; what is no text in it stays, as a name of a file may hold it."""
    with path.open("rb") as file:
        return os.fsdecode(file.read(_LINK)).split("\n")[0].strip()
