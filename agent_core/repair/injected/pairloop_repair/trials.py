"""Tries variants, several at a time, in about the order given: by a server, and by children that import anew.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from typing import Any

from .crew import Crew, Job, Tell
from .server import Server
from .texts import Texts
from .trial import Plan, try_anew

_MOST_SERVERS = 6
_SERVER = "server"


class Trials:
    """See the module.

    Args:
        tell: Tells who asked.
        crew: Its own.
        folder: A private folder.
        plans: What to try.
        workers: How many at a time.
        until: When to begin no other one and end those under way, by the monotonic clock.
        lenient: Tests that may be skipped.
        collecting: How long collecting may take.
    """

    def __init__(
        self,
        tell: Tell,
        crew: Crew,
        folder: str,
        *,
        plans: list[Plan],
        workers: int,
        until: float,
        lenient: frozenset[str],
        collecting: float,
    ) -> None:
        self._tell = tell
        self._crew = crew
        self._folder = folder
        self._plans = plans
        self._workers = workers
        self._until = until
        self._lenient = lenient
        self._collecting = collecting
        self._texts = Texts()
        self._swaps: deque[int] = deque()
        self._anew: deque[int] = deque()
        self._under_way: dict[int, dict[str, Any]] = {}
        self._in_server: dict[int, None] = {}
        self._asking = -1
        self._ready = False
        self._servers = 0

    def run(self) -> None:
        """Try all, until the time is up."""
        for index, plan in enumerate(self._plans):
            (self._swaps if self._texts.swappable(plan.edits) else self._anew).append(index)
        while (self._swaps or self._anew or self._under_way) and time.monotonic() < self._until:
            if self._swaps and self._asking < 0:
                self._start_server()
            self._deal_out()
            for key, record, how in self._crew.wait(max(self._until - time.monotonic(), 0.0)):
                if key == _SERVER:
                    self._from_server(record, how)
                else:
                    self._said(key, record, how)
        self._crew.stop()

    # -- who is tried next

    def _deal_out(self) -> None:
        while len(self._under_way) < self._workers:
            if any(self._plans[index].alone for index in self._under_way):
                return
            swaps = self._swaps if self._ready else ()
            if swaps and (not self._anew or swaps[0] < self._anew[0]):
                if self._plans[swaps[0]].alone and self._under_way:
                    return
                self._ask(self._swaps.popleft())
            elif self._anew:
                self._start_anew(self._anew.popleft(), 0)
            else:
                return

    def _begin(self, index: int) -> None:
        self._under_way[index] = {"start": time.monotonic()}
        # Where it ends even this process, it is known whose doing that was.
        self._tell(begin=self._plans[index].number)

    def _ask(self, index: int) -> None:
        self._begin(index)
        self._in_server[index] = None
        with contextlib.suppress(OSError):
            # Where the server is gone its end is heard of soon.
            os.write(self._asking, b"%d\n" % index)

    def _start_anew(self, index: int, start: int) -> None:
        """Try one in a child that imports anew: first with the tests of its first file, which tell most."""
        plan = self._plans[index]
        if start == 0:
            self._begin(index)
        names = list(plan.tests)
        file = names[start].partition("::")[0] if names else ""
        end = start
        while end < len(names) and (start > 0 or names[end].partition("::")[0] == file):
            end += 1
        self._under_way[index]["end"] = end
        work = try_anew(plan, self._texts, self._folder, self._lenient, start, end)
        self._crew.start(Job(index, work, self._collecting, cpu=plan.cpu + int(self._collecting)))

    # -- the server

    def _start_server(self) -> None:
        theirs, self._asking = os.pipe()
        self._crew.private.add(self._asking)
        self._ready = False
        self._servers += 1
        tests = {name for plan in self._plans for name in plan.tests}

        def work(tell: Tell) -> None:
            server = Server(
                tell,
                theirs,
                self._folder,
                plans=self._plans,
                tests=tests,
                texts=self._texts,
                lenient=self._lenient,
            )
            server.run()

        seconds = max(self._until - time.monotonic(), 0.1)
        self._crew.start(Job(_SERVER, work, seconds, memory=False))
        os.close(theirs)

    def _from_server(self, record: dict[str, Any] | None, how: str) -> None:
        if record is None:
            self._lost_server()
        elif "ready" in record:
            self._ready = not record["threads"]
            if not self._ready:
                # A fork of a process with threads may stand still for ever.
                self._all_anew()
        elif "plan" in record:
            self._said(record.pop("plan"), record if "how" not in record else None, record.get("how", ""))
        del how

    def _lost_server(self) -> None:
        """It is gone: by itself, as nothing could be collected, or as something that ran in it ended it."""
        self._crew.private.discard(self._asking)
        os.close(self._asking)
        self._asking = -1
        lost = list(self._in_server)
        self._in_server.clear()
        for index in lost:
            plan = self._plans[index]
            if plan.alone or len(lost) == 1:
                # Not again in a child of this process, which it would end as well.
                self._tell_trial(index, "crashed", why="it ended more than its own process")
            else:
                plan.alone = True
                self._under_way.pop(index, None)
                self._swaps.append(index)
        if not self._ready or self._servers >= _MOST_SERVERS:
            self._all_anew()
        self._ready = False

    def _all_anew(self) -> None:
        self._anew = deque(sorted((*self._anew, *self._swaps)))
        self._swaps.clear()

    # -- what came of them

    def _said(self, index: int, record: dict[str, Any] | None, how: str) -> None:
        state = self._under_way.get(index)
        if state is None:
            return
        if record is None:
            self._ended(index, state, how)
        elif "limit" in record:
            state["at"] = record
            if index not in self._in_server:
                self._crew.allow(index, record["limit"])
        elif "trial" in record or "refused" in record or "broke" in record:
            # What is told after the first word is told by somebody who should be gone.
            state.setdefault("said", record)

    def _ended(self, index: int, state: dict[str, Any], how: str) -> None:
        served = index in self._in_server
        self._in_server.pop(index, None)
        said = state.get("said")
        if said is None:
            outcome = "hung" if how in {"hung", "cpu"} else "crashed"
            at = state.get("at", {})
            why = "" if outcome == "hung" else "its process " + how
            self._tell_trial(index, outcome, passed=at.get("passed", 0), test=at.get("test", ""), why=why)
        elif "refused" in said or (served and said.get("trial") == "missing"):
            # What could not be collected as it is, may be with it.
            del self._under_way[index]
            self._anew.append(index)
            self._anew = deque(sorted(self._anew))
        elif "broke" in said:
            self._tell_trial(index, "memory" if said["memory"] else "crashed", why=said["broke"])
        elif said["trial"] == "missing":
            outcome = "unusable" if said["unusable"] else "failed"
            self._tell_trial(index, outcome, passed=said["passed"], test=said["test"], why=said["why"])
        elif said["trial"] == "passed" and not served and state["end"] < len(self._plans[index].tests):
            state.pop("said")
            self._start_anew(index, state["end"])
        else:
            self._tell_trial(
                index, said["trial"], passed=said.get("passed", 0), test=said.get("test", ""), why=said.get("why", "")
            )

    def _tell_trial(self, index: int, outcome: str, *, passed: int = 0, test: str = "", why: str = "") -> None:
        state = self._under_way.pop(index, {})
        seconds = time.monotonic() - state.get("start", time.monotonic())
        number = self._plans[index].number
        self._tell(trial=outcome, number=number, passed=passed, test=test, why=why, seconds=round(seconds, 4))
