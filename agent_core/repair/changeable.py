"""Which files a search may change: no tests, no ``conftest.py``, nothing that is generated, no links."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent_core.checks.affected import TEST_FILE
from agent_core.file_modes import SYMLINK
from agent_core.protocols import Candidate

_GENERATED = re.compile(rb"@generated|(?i:\bdo not (?:edit|modify)\b|\b(?:auto(?:matically)?[- ]?)generated\b)")
_HEAD = 600


class Changeable:
    """Knows what may be changed in one tree.

    Args:
        candidate: The tree.
        paths: Files and folders that somebody named; empty for all.
    """

    def __init__(self, candidate: Candidate, paths: Sequence[str]) -> None:
        self._candidate = candidate
        self._paths = paths
        self._known: dict[str, bool] = {}

    def by_tests(self, path: str) -> bool:
        """Whether something may be changed in a file to make tests pass."""
        if path not in self._known:
            self._known[path] = self._may_change(path)
        return self._known[path]

    def by_checks(self, path: str) -> bool:
        """Whether something may be changed to mend what tools say: in tests too, as a finding is gone or it is not."""
        state = self._candidate.snapshot.files.get(path)
        return state is not None and state.mode != SYMLINK

    def _may_change(self, path: str) -> bool:
        if not path.endswith(".py") or not self.by_checks(path):
            return False
        if TEST_FILE.search(path) or path.rpartition("/")[2] == "conftest.py":
            return False
        if self._paths and not any(path == one or path.startswith(f"{one}/") for one in self._paths):
            return False
        return not _GENERATED.search((self._candidate.read(path) or b"")[:_HEAD])
