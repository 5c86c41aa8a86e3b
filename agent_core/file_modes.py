"""The modes that a file can have, in git's notation."""

from __future__ import annotations

REGULAR, EXECUTABLE, SYMLINK = 0o100644, 0o100755, 0o120000
