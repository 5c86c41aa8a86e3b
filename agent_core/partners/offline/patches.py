"""A repair as a patch that the patch engine reads back to exactly the same files."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from agent_core.errors import PatchRefusedError
from agent_core.patch.apply import apply_operations
from agent_core.patch.diff import make_patch, unified
from agent_core.patch.encoding import MARK, NotTextError, decode, encode
from agent_core.patch.model import FilePatch, Patch
from agent_core.patch.read import read_patch
from agent_core.repair.model import Edit, with_edits
from agent_core.workspace.tree import FileChange, Reader, content_hash

_NOWHERE = Path("/nonexistent/pairloop")
"""Against this folder the paths of a patch are checked that is only tried out: what is on disk does not matter."""


class UnwritableError(ValueError):
    """A change that no patch can ask for."""


def edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    """A file with edits carried out, in its own encoding and with its own byte order mark.

    Args:
        data: The file.
        edits: Edits of it; their positions do not count a byte order mark.

    Raises:
        UnwritableError: It is no text, the edits do not belong to it, or its encoding cannot hold what they bring.
    """
    try:
        text, codec = decode(data)
        mark = MARK if text.startswith(MARK) else ""
        return encode(mark + with_edits(text.removeprefix(MARK), edits), codec)
    except (NotTextError, ValueError) as error:
        raise UnwritableError(str(error)) from error


def envelope(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """The patch that makes of some files what they are to be.

    Args:
        before: The files, by path, as they are.
        after: The same files as they are to be.

    Raises:
        UnwritableError: Nothing changes, or it cannot be written so that the patch engine reads exactly this change.
    """
    changed = {path: data for path, data in after.items() if before.get(path) != data}
    if not changed:
        raise UnwritableError("nothing changes")
    old = {path: before[path].removeprefix(BOM_UTF8) for path in changed}
    new = {path: FileChange(data.removeprefix(BOM_UTF8)) for path, data in changed.items()}
    patch = make_patch(new, _reader(old), {})
    contents = {content_hash(data): data for data in (*old.values(), *(one.data or b"" for one in new.values()))}
    # In an envelope line ends are those that the file has; where it mixes them, a diff as git writes it says which.
    for write in (_enveloped, unified):
        try:
            text = write(patch, contents.__getitem__)
            made = _makes(text, before)
        except UnicodeEncodeError as error:
            raise UnwritableError(str(error)) from error
        if made == changed:
            return text
    raise UnwritableError("it cannot be written as a patch")


def arguments(patch: str, **more: object) -> str:
    """The arguments of a call of ``apply_patch``.

    Args:
        patch: The patch.
        more: What else stands in them: the tool passes over it.
    """
    return json.dumps({"patch": patch, **more}, ensure_ascii=False)


def _reader(files: Mapping[str, bytes]) -> Reader:
    return lambda path: FileChange(files[path]) if path in files else None


def _enveloped(patch: Patch, content: Callable[[str], bytes]) -> str:
    return "".join(("*** Begin Patch\n", *(_section(file, content) for file in patch.files), "*** End Patch\n"))


def _section(file: FilePatch, content: Callable[[str], bytes]) -> str:
    """A file of the patch: its hunks are those of a unified diff, whose numbers tell equal places apart."""
    diff = unified(Patch((file,)), content)
    return f"*** Update File: {file.path}\n{diff[diff.find(chr(10) + '@@ ') + 1 :]}"


def _makes(patch: str, before: Mapping[str, bytes]) -> dict[str, bytes | None] | None:
    """What a patch makes of some files; None where it is refused."""
    try:
        result = apply_operations(read_patch(patch).operations, _reader(before), before, _NOWHERE)
    except PatchRefusedError:
        return None
    return {path: change.data for path, change in result.changes.items()}
