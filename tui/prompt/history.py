"""What was sent from the prompt, kept between runs for each project: one JSON string a line, the newest last."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

MOST = 1_000
"""Most entries that are kept."""

_MOST_CHARS = 20_000


def read(path: Path) -> list[str]:
    """The entries of a file, oldest first; none where it cannot be read, and without lines that are damaged."""
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    import json  # noqa: PLC0415 - not needed to paint

    found: list[str] = []
    for line in lines[-2 * MOST :]:
        with contextlib.suppress(ValueError):
            if isinstance(entry := json.loads(line), str):
                found.append(entry)
    return found[-MOST:]


def write(path: Path, entry: str, entries: list[str]) -> None:
    """Add an entry to a file that nobody else may read; written anew when it has grown to twice its size.

    Args:
        path: The file.
        entry: What to add.
        entries: All there are, the new one included.

    Raises:
        OSError: It cannot be written.
    """
    import json  # noqa: PLC0415 - not needed to paint

    from agent_core.places import make_private  # noqa: PLC0415 - as above
    from agent_core.small_files import put_in_place  # noqa: PLC0415 - as above

    make_private(path.parent)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab") as file:
        file.write(f"{json.dumps(entry)}\n".encode())
        grown = file.tell() > 2 * sum(len(json.dumps(one)) + 1 for one in entries) + _MOST_CHARS
    if grown:
        put_in_place(path, "".join(f"{json.dumps(one)}\n" for one in entries).encode())


class History:
    """The entries of one project, and where one is in them."""

    def __init__(self) -> None:
        self.entries: list[str] = []
        self._at: int | None = None  # index of what is shown; None while that is the draft
        self._draft = ""

    def load(self, entries: list[str]) -> None:
        """Put the entries of earlier runs before those of this one."""
        self.entries = [*entries, *self.entries][-MOST:]
        self._at = None

    def add(self, entry: str) -> bool:
        """Note what was sent; gives whether it is anything new."""
        self._at = None
        if not entry.strip() or len(entry) > _MOST_CHARS or (self.entries and self.entries[-1] == entry):
            return False
        self.entries.append(entry)
        del self.entries[:-MOST]
        return True

    def back(self, draft: str) -> str | None:
        """The entry before the one shown; None at the first one.

        Args:
            draft: What is in the prompt; kept for the way back where it is no entry.
        """
        if self._at is None:
            self._draft = draft
            at = len(self.entries)
        else:
            at = self._at
        if at == 0:
            return None
        self._at = at - 1
        return self.entries[self._at]

    def forward(self) -> str | None:
        """The entry after the one shown, and after the last one the draft; None while that is what is shown."""
        if self._at is None:
            return None
        self._at += 1
        if self._at < len(self.entries):
            return self.entries[self._at]
        self._at = None
        return self._draft

    def leave(self) -> None:
        """What is shown is the draft now: it was edited."""
        self._at = None

    def search(self, words: str) -> list[str]:
        """The entries that have all of some words in them, the newest first, each once."""
        wanted = words.lower().split()
        found = dict.fromkeys(reversed(self.entries))
        return [entry for entry in found if all(word in entry.lower() for word in wanted)]
