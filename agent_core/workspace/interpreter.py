"""Which Python runs the project's checks, and why that one."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Interpreter(msgspec.Struct, frozen=True):
    """The Python that runs the project's checks.

    Attributes:
        python: Absolute path of the executable (not resolved: a venv's symlink makes it a venv).
        found: How it was found, such as ``.venv`` or ``VIRTUAL_ENV``.
        prefix: The environment's folder, None for a plain system Python.
    """

    python: Path
    found: str
    prefix: Path | None = None
