"""The main checkout that a linked git worktree belongs to, by git's files alone: it is asked before anything else."""

from __future__ import annotations

from pathlib import Path

from agent_core.workspace.git_operation import git_folder


def main_checkout(root: Path) -> Path | None:
    """The folder of the main checkout that a folder of a linked worktree stands for.

    Args:
        root: A folder of the worktree.

    Returns:
        None for a folder that is in no linked worktree, or whose main checkout has no such folder.
    """
    for top in (root, *root.parents):
        if not (top / ".git").exists():
            continue
        folder = git_folder(top)
        if folder is None or folder.own == folder.common or folder.common.name != ".git":
            return None
        found = folder.common.parent / root.relative_to(top)
        return found if found.is_dir() else None
    return None
