"""A variant's edits carried out: what its files become."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from agent_core.file_modes import REGULAR
from agent_core.repair.model import Edit, with_edits
from agent_core.workspace.tree import Changes, FileChange, Snapshot

_BOM = b"\xef\xbb\xbf"


def edited(edits: Iterable[Edit], read: Callable[[str], bytes | None], snapshot: Snapshot | None = None) -> Changes:
    """What files become by edits, byte order marks and modes kept.

    Args:
        edits: The edits, of any number of files.
        read: Gives a file's bytes as they are before; None where it is not there.
        snapshot: The tree they are of, for the files' modes; None for ordinary ones.

    Raises:
        ValueError: A file is not there or no UTF-8, or edits overlap.
    """
    changes: dict[str, FileChange] = {}
    for path, some in groupby(sorted(edits), key=lambda edit: edit.path):
        data = read(path)
        if data is None:
            raise ValueError(f"{path} is not there")
        mark = _BOM if data.startswith(_BOM) else b""
        state = None if snapshot is None else snapshot.files.get(path)
        text = with_edits(data[len(mark) :].decode("utf-8"), some)
        changes[path] = FileChange(mark + text.encode("utf-8"), REGULAR if state is None else state.mode)
    return changes
