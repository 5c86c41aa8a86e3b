"""How large patches and the files they change may be."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.errors import PatchRefusedError
from agent_core.patch.operations import AddFile, DeleteFile, Operation, WriteFile

MAX_BYTES = 8_000_000
"""Files with more bytes are not changed by patches."""

MAX_PATCH = 16_000_000
"""A patch with more characters in its lines is not applied."""


def check_size(path: str, data: bytes) -> None:
    """See that a file is not too large.

    Raises:
        PatchRefusedError: It is.
    """
    if len(data) > MAX_BYTES:
        raise PatchRefusedError(f"{path}: is larger than {MAX_BYTES // 1_000_000} MB, which patches may not be.")


def check_patch(operations: Sequence[Operation]) -> None:
    """See that there is a patch, and that it is not too large.

    Raises:
        PatchRefusedError: There is none, or it is.
    """
    if not operations:
        raise PatchRefusedError("The patch is empty.", "Name at least one file in it.")
    if sum(map(_size, operations)) > MAX_PATCH:
        raise PatchRefusedError(
            f"The patch is larger than {MAX_PATCH // 1_000_000} MB, which is more than is taken.", "Send it in parts."
        )


def _size(operation: Operation) -> int:
    """How many characters an operation brings."""
    if isinstance(operation, AddFile | WriteFile):
        return len(operation.text)
    if isinstance(operation, DeleteFile):
        return sum(len(line.text) for line in operation.lines or ())
    return sum(len(line.text) for hunk in operation.hunks for line in hunk.lines)
