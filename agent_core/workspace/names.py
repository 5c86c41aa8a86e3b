"""What names tell by themselves: which are the same one where case does not count, and which folders they lie in."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from agent_core.patch.names import fold


def case_twins(paths: Iterable[str]) -> frozenset[str]:
    """Paths that are the same one where case (and the way accents are written) does not count."""
    names: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        names.setdefault((folder, fold(name)), []).append(path)
    return frozenset(path for same in names.values() if len(same) > 1 for path in same)


def has_exactly(path: Path) -> bool:
    """Whether a folder lists a name just as it is written, whatever else the file system finds under it."""
    try:
        return path.name in os.listdir(path.parent)  # noqa: PTH208 - names are compared, not paths
    except OSError:
        return False


def folders_above(path: str) -> list[str]:
    """The folders above a path, from the top."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
