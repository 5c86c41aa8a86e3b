"""The working tree as a session saw it last, kept for when it goes on: what changed meanwhile is told then."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from agent_core import events as ev
from agent_core.small_files import put_in_place
from agent_core.text import encodable
from agent_core.workspace.git_state import GitState
from agent_core.workspace.tree import Snapshot

_FOLDER = "seen"
_MOST = 6
"""So many sessions' trees are kept; of an older one it is not known what changed."""
log = logging.getLogger(__name__)


class Seen(msgspec.Struct, frozen=True):
    """What there was at a moment.

    Attributes:
        seq: The session's last event by then.
        landing: The number of the project's next landing.
        files: Path to content hash.
        git: Where git stood; None where there was no repository.
    """

    seq: int
    landing: int
    files: Mapping[str, str]
    git: GitState | None = None

    def with_events(self, entries: Iterable[ev.Entry]) -> dict[str, str]:
        """The files as they were known to be at the session's end, which may have come without a word.

        Args:
            entries: The session's events; those it has seen are left out.
        """
        files, landings = dict(self.files), dict[int, ev.LandingStarted]()
        for entry in entries:
            match entry.event:
                case ev.LandingStarted() as started:
                    landings[started.landing] = started
                case ev.Landed(number) if entry.seq > self.seq and number in landings:
                    for file in landings[number].files:
                        put(files, file.path, file.after)
                case ev.HumanEdited(path, after=after) if entry.seq > self.seq:
                    put(files, path, after)
        return files


def put(files: dict[str, str], path: str, digest: str | None) -> None:
    """Note what a file holds, by hash; None that there is none."""
    if digest is None:
        files.pop(path, None)
    else:
        files[path] = digest


class LastSeen:
    """Keeps what one session saw last.

    Args:
        state: The project's state folder.
        session: The session's id.
    """

    def __init__(self, state: Path, session: str) -> None:
        self._folder = state / _FOLDER
        self._file = self._folder / f"{session}.msgpack"

    def load(self) -> Seen | None:
        """What was kept; None where nothing was, or it cannot be read."""
        try:
            return msgspec.msgpack.decode(self._file.read_bytes(), type=Seen)
        except (OSError, ValueError):
            return None

    def keep(self, seen: Seen) -> None:
        """Keep something, in the place of what was kept; blocks for as long as it takes to write a few megabytes."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            put_in_place(self._file, msgspec.msgpack.encode(seen))
            kept = sorted(self._folder.glob("*.msgpack"), key=lambda file: file.stat().st_mtime, reverse=True)
            for old in kept[_MOST:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            # It costs a word at the next start, never the session.
            log.warning("what was seen last could not be kept: %s", error)


def files_of(tree: Snapshot) -> dict[str, str]:
    """The contents of a tree by path, as far as they can be kept: names that are no text are not."""
    return {path: state.hash for path, state in tree.files.items() if path.isprintable() or encodable(path)}
