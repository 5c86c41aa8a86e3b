"""What the human must never see: tracebacks go to a log file, and a word about them to the screen."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from pathlib import Path

_MAX_LOG = 1_000_000


def log_error(error: BaseException) -> Path | None:
    """Write an unexpected error with its traceback to the log.

    Returns:
        The log's path, None when it could not be written.
    """
    from agent_core.config import state_dir  # noqa: PLC0415 - not needed to paint

    path = state_dir() / "pairloop.log"
    text = "".join(traceback.format_exception(error))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = "w" if path.exists() and path.stat().st_size > _MAX_LOG else "a"
        with path.open(mode, encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z {text}\n")
    except OSError:
        return None
    return path


def ago(seconds: float) -> str:
    """How long something is past, for a human."""
    minutes = max(int(seconds // 60), 0)
    if minutes < 1:
        return "just now"
    for size, word in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {word}{'s' if count != 1 else ''} ago"
    return "just now"
