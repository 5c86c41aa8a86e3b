"""Which process has a session: one that is open belongs to one process, until that ends."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import IO

from agent_core.errors import JournalError

# Whoever asks whether a session is in use holds it for less than a moment.
_TRIES, _MOMENT = 3, 0.02


def _file(state: Path, session: str) -> Path:
    return state / "sessions" / f"{session}.lock"


def hold(state: Path, session: str) -> IO[bytes]:
    """Make this process the only one that writes to a session.

    Args:
        state: Where the project's journal lives.
        session: The session's id.

    Returns:
        The open file that holds it: as long as this is there, and no longer than the process.

    Raises:
        JournalError: Another process has it, or the file cannot be locked.
    """
    file = _file(state, session)
    file.parent.mkdir(parents=True, exist_ok=True)
    held = file.open("ab")
    for left in reversed(range(_TRIES)):
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            if left:
                time.sleep(_MOMENT)
                continue
            held.close()
            raise JournalError(
                f"Session {session} is open in another pairloop.", "Close that one, or start a new session."
            ) from error
        except OSError as error:
            held.close()
            raise JournalError(f"{file}: cannot be locked: {error.strerror or error}.") from error
    return held


def in_use(state: Path, session: str) -> bool:
    """Whether a session is open, in this process or in another."""
    file = _file(state, session)
    if not file.exists():
        return False
    with file.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
