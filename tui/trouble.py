"""What the human must never see: tracebacks go to a log file, and a word about them to the screen."""

from __future__ import annotations

import logging
from pathlib import Path

_MAX_LOG = 1_000_000


class _Formatter(logging.Formatter):
    """Writes what is logged without the keys that are known, in tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as text."""
        from agent_core.keys.known import KNOWN  # noqa: PLC0415 - not needed to paint

        return KNOWN.redact(super().format(record))


class Log:
    """The log file, ``pairloop.log`` in the state folder; begun anew when it has grown too large.

    Attributes:
        path: Where it is, None while it is not open or when it cannot be written.
    """

    def __init__(self) -> None:
        self.path: Path | None = None
        self._handler: logging.Handler | None = None

    def open(self) -> None:
        """Take what any part of pairloop logs, from warnings on."""
        from agent_core.places import state_dir  # noqa: PLC0415 - not needed to paint

        if self._handler is not None:
            return
        path = state_dir() / "pairloop.log"
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            mode = "w" if path.exists() and path.stat().st_size > _MAX_LOG else "a"
            handler = logging.FileHandler(path, mode, encoding="utf-8", errors="backslashreplace")
        except OSError:
            return
        handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handler.setLevel(logging.WARNING)
        logging.getLogger().addHandler(handler)
        self.path, self._handler = path, handler

    def error(self, meaning: str, error: BaseException) -> None:
        """Write down an unexpected error with its traceback."""
        self.open()
        logging.getLogger("tui").error(meaning, exc_info=error)

    def close(self) -> None:
        """Give the file back."""
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()
            self._handler = None


def ago(seconds: float) -> str:
    """How long something is past, for a human."""
    minutes = max(int(seconds // 60), 0)
    for size, word in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {word}{'s' if count != 1 else ''} ago"
    return "just now"
