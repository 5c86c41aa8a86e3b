"""What a patch changes, as a name: the same changes have the same, whatever has become of the files around them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from agent_core.patch.model import FilePatch, Patch


def changes(patch: Patch) -> frozenset[str]:
    """Names of the single changes of a patch: one a block, and one for what a file has as a whole."""
    return frozenset(name for file in patch.files for name in changes_of(file))


def changes_of(file: FilePatch) -> tuple[str, ...]:
    """Names of the single changes of one file.

    A block is known by its id, which is made of its path and its text. What has no block, such as a binary file, a
    mode or a move, is known by what it makes of the file.
    """
    blocks = tuple(block.id for block in file.blocks)
    plain = file.blocks and file.kind != "move" and (file.kind != "update" or file.before_mode == file.after_mode)
    if plain:
        return blocks
    content = "" if file.blocks else file.after or ""
    whole = "\0".join((file.kind, file.old_path, file.path, content, f"{file.after_mode:o}"))
    return (*blocks, hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:12])


def fingerprint(names: Iterable[str]) -> str:
    """One name for some changes, whatever their order."""
    return hashlib.sha256("\0".join(sorted(names)).encode()).hexdigest()[:12]
