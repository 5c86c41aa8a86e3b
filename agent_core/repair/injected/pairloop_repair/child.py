"""In a Python that a test starts: gathers the lines that it executes, from its first one to its end.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

Nothing of pytest is imported here: the program is to find what it would without us, as soon as it would.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import sys
from typing import Any

from .traced import Lines


class _Within:
    """Files in a folder; whoever started this Python knows which of them are the project's own."""

    def __init__(self, root: str) -> None:
        self._start = root + os.sep

    def inside(self, filename: str) -> str | None:
        # What Python has no file for goes by another name, and a script by that which it was called by.
        name = "" if filename.startswith("<") else os.path.abspath(filename)  # noqa: PTH100 - quick
        return name if name.startswith(self._start) and "site-packages" not in name else None


def begin(root: str, folder: str, hook: str) -> None:
    """Gather lines from now on, and write them down in the end.

    Args:
        root: The project's folder.
        folder: Where they are written to: a file of JSON, path -> lines.
        hook: The folder on Python's path by which this came to be called.
    """
    _instead_of(hook)
    places: Any = _Within(root)
    lines = Lines(places)
    lines.begin()
    atexit.register(_tell, lines, folder)


def _instead_of(hook: str) -> None:
    """Have the ``sitecustomize`` run that would have been, without us."""
    sys.path[:] = [path for path in sys.path if path != hook]
    ours = sys.modules.pop("sitecustomize", None)
    try:
        importlib.import_module("sitecustomize")
    except ImportError:
        if ours is not None:
            sys.modules["sitecustomize"] = ours


def _tell(lines: Lines, folder: str) -> None:
    found = lines.end()
    name = os.path.join(folder, "%d-%s" % (os.getpid(), os.urandom(4).hex()))  # noqa: PTH118, UP031 - old Pythons
    try:
        with open(name + ".part", "w", encoding="utf-8") as file:  # noqa: PTH123 - quick
            json.dump(found, file)
        os.replace(name + ".part", name + ".json")  # noqa: PTH105 - quick
    except OSError:
        # Whoever started it is gone, or keeps it from writing there.
        return
