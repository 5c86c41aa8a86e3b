"""Runs the tests as the program is, one after the other, and tells of each what it executed and how it went.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

A test that hangs is interrupted where it stands; where that does not help, the whole process is ended from outside,
and another one goes on behind it.
"""

from __future__ import annotations

import multiprocessing.util
import os
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from .children import Children, together
from .crew import Tell
from .session import Session
from .traced import Lines
from .witnessed import Hung, Witness, at_most

_LEAST, _TIMES = 2.0, 10.0
_GRACE = 1.5
_LARGEST = 30_000
_MOST_LINES = 3000


class Looking:
    """One process that looks.

    Args:
        tell: Tells the parent.
        folder: A private folder.
        first: Ids of the tests that come first, or beginnings of ids.
        done: Ids of those that have been run already.
        seconds: Most time for one test, however long the others take.
        until: When to begin no other one, by the monotonic clock.
        only: Run nothing but these, without looking at lines; None for all.
    """

    def __init__(
        self,
        tell: Tell,
        folder: str,
        *,
        first: Sequence[str],
        done: Iterable[str],
        seconds: float,
        until: float,
        only: Sequence[str] | None = None,
    ) -> None:
        self._tell = tell
        self._first = tuple(first)
        self._done = frozenset(done)
        self._seconds = seconds
        self._until = until
        self._only = None if only is None else frozenset(only)
        self._times: list[float] = []
        self._clock = time.monotonic
        self._starts_python = False
        self._folder = folder
        self._children: Children | None = None
        self._session = Session(folder, self._run_all, only)
        self._witness = Witness(self._session.places)
        self._session.seen = self._witness.tell

    def run(self) -> None:
        """Collect and run."""
        status = self._session.run()
        if self._session.unloaded is not None:
            path, evidence = self._session.unloaded
            self._tell(collected=0, threads=0)
            self._tell(run=path, outcome="error", seconds=0.0, lines={}, **evidence)
            self._tell(left=0)
        self._tell(exit=status)

    def _run_all(self, session: Session) -> None:
        self._run(session)
        # pytest's own end takes long where much is imported, and tells nothing.
        self._tell.done()

    def _run(self, session: Session) -> None:
        for nodeid, (report, evidence) in session.faults.items():
            said = evidence or {"error": "", "message": str(report.longrepr)[:500], "frames": []}
            self._tell(run=nodeid or ".", outcome="error", seconds=0.0, lines={}, **said)
        wanted = [item for item in session.items if self._only is None or item.nodeid in self._only]
        items = [item for item in self._ordered(wanted) if item.nodeid not in self._done]
        self._tell(collected=len(session.items), threads=session.threads())
        if self._only is None:
            sys.addaudithook(self._hear)
            self._hear_spawned()
            self._children = Children(self._folder, session.places)
        lines = None if self._only is not None else Lines(session.places)
        for number, item in enumerate(items):
            if self._clock() > self._until:
                self._tell(left=len(items) - number)
                return
            following = items[number + 1] if number + 1 < len(items) else None
            if not self._look(session, item, following, lines):
                return
        self._tell(left=0)

    def _ordered(self, items: list[Any]) -> list[Any]:
        """Those asked for, the others of their files, the rest."""
        if not self._first:
            return items
        exact, parts = (
            frozenset(self._first),
            tuple(one for first in self._first for one in (first + "::", first + "[")),
        )
        named = {item.nodeid for item in items if item.nodeid in exact or item.nodeid.startswith(parts)}
        files = {name.partition("::")[0] for name in (*self._first, *named)}

        def rank(item: Any) -> int:
            return 0 if item.nodeid in named else 1 if item.nodeid.partition("::")[0] in files else 2

        return sorted(items, key=rank)

    def _look(self, session: Session, item: Any, following: Any, lines: Lines | None) -> bool:
        """Run one test; whether to go on in this process."""
        usual = statistics.median(self._times) if self._times else 0.0
        limit = min(max(_LEAST, _TIMES * usual), self._seconds)
        self._tell(begin=item.nodeid, limit=limit + _GRACE)
        self._starts_python = False
        start = self._clock()
        executed: dict[str, list[int]] = {}
        if self._children is not None:
            # Of what has outlived the test before.
            self._children.taken()
        outcome, why = "hung", ""
        try:
            with at_most(limit):
                if lines is not None:
                    lines.begin()
                try:
                    outcome, why = session.run_test(item, following)
                finally:
                    if lines is not None:
                        executed = lines.end()
        except Hung:
            pass
        if not self._tell.mine:
            # What a test has forked comes back here if it does not end itself.
            os._exit(0)
        if self._children is not None:
            executed = together(executed, self._children.taken())
        seconds = self._clock() - start
        self._times.append(seconds)
        told = session.evidence or {"error": "", "message": why, "frames": []}
        hung = outcome == "hung" or told.pop("hung", False)
        if hung:
            outcome, told["message"] = "hung", "it did not come to an end within %.1f s" % limit  # noqa: UP031 - old Pythons
        elif outcome in {"passed", "skipped"}:
            told = {"error": "", "message": "", "frames": []}
        for part in _parts(executed):
            self._tell(lines=part, of=item.nodeid)
        self._tell(run=item.nodeid, outcome=outcome, seconds=seconds, python=self._starts_python, **told)
        return not hung

    def _hear(self, event: str, args: Any) -> None:
        """Whether a test starts a Python of its own, which knows nothing of what is put in place here."""
        if event in {"subprocess.Popen", "os.posix_spawn", "os.exec"}:
            words = [str(args[0]), *map(str, args[1] if isinstance(args[1], (list, tuple)) else ())]
            self._starts_python = self._starts_python or any(
                word.rpartition(os.sep)[2].startswith("python") for word in words[:2]
            )

    def _hear_spawned(self) -> None:
        """Likewise by `multiprocessing`, which no audit event tells of."""
        util: Any = multiprocessing.util
        spawn = util.spawnv_passfds

        def heard(path: Any, args: Any, files: Any) -> Any:
            # That which only keeps count of shared memory runs nothing of the project.
            if not any("resource_tracker" in str(word) for word in args):
                self._starts_python = True
            return spawn(path, args, files)

        util.spawnv_passfds = heard


def _parts(executed: dict[str, list[int]]) -> list[dict[str, str]]:
    """Lines by file in short, ``3-7,9``, in pieces that are no longer than a line may be."""
    parts: list[dict[str, str]] = []
    size = _LARGEST
    for path, lines in executed.items():
        for at in range(0, len(lines), _MOST_LINES):
            text = _ranges(lines[at : at + _MOST_LINES])
            if size + len(text) + len(path) > _LARGEST or path in parts[-1]:
                parts.append({})
                size = 0
            parts[-1][path] = text
            size += len(text) + len(path)
    return parts


def _ranges(lines: list[int]) -> str:
    found: list[list[int]] = []
    for line in lines:
        if found and found[-1][1] == line - 1:
            found[-1][1] = line
        else:
            found.append([line, line])
    return ",".join("%d" % a if a == b else "%d-%d" % (a, b) for a, b in found)  # noqa: UP031 - old Pythons
