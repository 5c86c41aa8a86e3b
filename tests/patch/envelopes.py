"""Writing envelopes, for tests: the opposite of the parser, and applying in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent_core.patch.apply import Result, apply_operations
from agent_core.patch.diff import make_blocks, split_lines
from agent_core.patch.read import read_patch
from agent_core.workspace.tree import FileChange
from tests.support.patch_writers import signed


def update_section(path: str, old: str, new: str, context: int) -> list[str]:
    """The lines of an update of one file, one hunk a block."""
    out = [f"*** Update File: {path}"]
    lines = split_lines(old)
    for block in make_blocks(path, old.encode(), new.encode()):
        first, last = block.old_start - 1, block.old_start - 1 + len(block.removed)
        out.append("@@")
        for line in lines[max(first - context, 0) : first]:
            out += signed(" ", line)
        for line in block.removed:
            out += signed("-", line)
        for line in block.added:
            out += signed("+", line)
        for line in lines[last : last + context]:
            out += signed(" ", line)
    return out


def envelope(*sections: list[str]) -> str:
    """Sections between their markers."""
    return "\n".join(["*** Begin Patch", *(line for section in sections for line in section), "*** End Patch", ""])


def apply(root: Path, files: Mapping[str, bytes | FileChange], text: str) -> Result:
    """Parse and apply a patch to files in memory."""
    tree = {path: FileChange(data) if isinstance(data, bytes) else data for path, data in files.items()}
    return apply_operations(read_patch(text).operations, tree.get, tree, root)


def applied(root: Path, files: Mapping[str, bytes], text: str) -> dict[str, bytes | None]:
    """The contents a patch changes."""
    return {path: change.data for path, change in apply(root, files, text).changes.items()}
