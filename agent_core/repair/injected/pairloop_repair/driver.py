"""What is started in a candidate: does what standard input asks for, and tells of it on standard output.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

It runs nothing of the project itself. What it forks does, with its output going nowhere; a line is told as it comes,
with a mark before it that came with the request.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from typing import Any

from .behaving import Behaving
from .crew import Crew, Job, Tell
from .looking import Looking
from .texts import Texts
from .trial import Plan
from .trials import Trials

_COLLECTING = 600.0
_SAID = 2000
# A project in which so many tests hang or crash is not going to be repaired.
_MOST_TIMES = 40


class Driver:
    """Carries a request out.

    Args:
        request: It; `agent_core.repair.fork_wire` says what is in it.
        tell: Tells who asked.
        output: The open file that tells.
    """

    def __init__(self, request: dict[str, Any], tell: Tell, output: int) -> None:
        self._request = request
        self._tell = tell
        self._until = time.monotonic() + request["seconds"]
        self._folder = tempfile.mkdtemp(prefix="look-")
        self._crew = Crew(self._folder, (output,))

    def run(self) -> None:
        """Do it, to its end or until the time is up."""
        try:
            {"look": self._look, "trials": self._trials, "behaviour": self._behaviour}[self._request["what"]]()
        finally:
            self._crew.stop()
            shutil.rmtree(self._folder, ignore_errors=True)

    # -- look

    def _look(self) -> None:
        request = self._request
        # Something is left for a second run of those that fail.
        first_until = time.monotonic() + 0.8 * request["seconds"]
        failing: list[str] = []
        done: dict[str, None] = {}
        for _ in range(_MOST_TIMES):
            whole = self._one_look(done, failing, first_until, None)
            if whole or time.monotonic() > first_until:
                break
        again = [name for name in failing if "::" in name][: request["again"]]
        if again and time.monotonic() < self._until:
            self._one_look({}, [], self._until, again)
        self._tell(finished=True)

    def _one_look(self, done: dict[str, None], failing: list[str], until: float, only: list[str] | None) -> bool:
        """One process that looks; whether it came to its end. What it has run is added to `done` and `failing`."""
        request = self._request
        known = tuple(done)

        def work(tell: Tell) -> None:
            looking = Looking(
                tell,
                self._folder,
                first=request["tests"],
                done=known,
                seconds=request["each"],
                until=until,
                only=only,
            )
            looking.run()

        under_way, begun, collected, over = "", time.monotonic(), False, False
        seconds = max(self._until - time.monotonic(), 1.0)
        self._crew.start(Job("look", self._heard(work), seconds, memory=False))
        while True:
            for _, record, how in self._crew.wait(1.0):
                if record is None:
                    if under_way:
                        outcome = "hung" if how in {"hung", "cpu"} else "crashed"
                        done[under_way] = None
                        failing.append(under_way)
                        self._tell(
                            run=under_way, outcome=outcome, seconds=time.monotonic() - begun, error="",
                            message="it did not come to its end" if outcome == "hung" else "its process " + how,
                            frames=[], again=only is not None,
                        )  # fmt: skip
                        return False
                    if collected and not over:
                        # It ended itself behind a test that hung.
                        return False
                    if not over:
                        self._tell(fault=self._said() or "collecting the tests " + how)
                    return True
                if "begin" in record:
                    under_way, begun = record["begin"], time.monotonic()
                    self._crew.allow("look", min(record["limit"], max(self._until - begun, 0.5)))
                    continue
                if "run" in record:
                    under_way = ""
                    done[record["run"]] = None
                    if record["outcome"] not in {"passed", "skipped"}:
                        failing.append(record["run"])
                    self._crew.allow("look", _COLLECTING)
                collected = collected or "collected" in record
                over = over or "left" in record
                if "run" in record or (only is None and "exit" not in record):
                    self._tell(again=only is not None, **record)

    def _heard(self, work: Any) -> Any:
        """Work whose output, such as what pytest complains of, is kept in a file."""

        def heard(tell: Tell) -> None:
            file = os.open(os.path.join(self._folder, "said"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # noqa: PTH118 - quick
            for number in (1, 2):
                os.dup2(file, number)
            os.close(file)
            work(tell)

        return heard

    def _said(self) -> str:
        """The end of what pytest said."""
        try:
            with open(os.path.join(self._folder, "said"), "rb") as file:  # noqa: PTH118, PTH123 - quick
                file.seek(max(os.fstat(file.fileno()).st_size - _SAID, 0))
                return file.read().decode("utf-8", "replace").strip()
        except OSError:
            return ""

    # -- trials, behaviour

    def _plans(self) -> list[Plan]:
        names, limits = self._request["names"], self._request["limits"]
        lists = [{names[index]: limits[index] for index in one} for one in self._request["lists"]]
        return [
            Plan(number, [tuple(edit) for edit in edits], lists[which])
            for number, edits, which in self._request["plans"]
        ]

    def _trials(self) -> None:
        request = self._request
        trials = Trials(
            self._tell,
            self._crew,
            self._folder,
            plans=self._plans(),
            workers=request["workers"],
            until=self._until,
            lenient=frozenset(request["lenient"]),
            collecting=request["collecting"],
        )
        trials.run()
        self._tell(finished=True)

    def _behaviour(self) -> None:
        plans, texts = self._plans(), Texts()
        until = self._until

        def work(tell: Tell) -> None:
            Behaving(tell, self._folder, plans=plans, texts=texts, until=until).run()

        self._crew.start(Job("behaviour", work, max(until - time.monotonic(), 0.5), memory=False))
        while len(self._crew):
            for _, record, _ in self._crew.wait(1.0):
                if record is not None:
                    self._tell(**record)
        self._tell(finished=True)


def main() -> None:
    """Do what standard input asks for."""
    request = json.loads(sys.stdin.buffer.read())
    output = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 100)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if request["nice"]:
        os.nice(request["nice"])
    tell = Tell(output, request["mark"] + " ")
    tell(hello=sys.version.split()[0])
    Driver(request, tell, output).run()
