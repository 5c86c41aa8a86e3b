"""A process that has collected the tests, and forks a child for each variant that it is asked to try.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

It is asked on a pipe, by indices of plans that it was born with, a line each; it ends with the pipe.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable

from .crew import Crew, Job, Tell
from .session import Session, places_here
from .swap import Live, Refused
from .texts import Texts
from .traced import Executed
from .trial import Plan, run_tests

_START = 5.0
_FOREVER = 3600.0


class Server:
    """See the module.

    Args:
        tell: Tells the parent.
        asked: The pipe on which it is asked.
        folder: A private folder.
        plans: The plans.
        tests: Ids of all tests of any of them.
        texts: The files as they are.
        lenient: See `run_tests`.
    """

    def __init__(
        self,
        tell: Tell,
        asked: int,
        folder: str,
        *,
        plans: list[Plan],
        tests: Iterable[str],
        texts: Texts,
        lenient: frozenset[str],
    ) -> None:
        self._tell = tell
        self._asked = asked
        self._folder = folder
        self._plans = plans
        self._texts = texts
        self._lenient = lenient
        self._executed = Executed(places_here())
        self._session = Session(folder, self._serve, tests)

    def run(self) -> None:
        """Collect, and serve until nothing more comes."""
        self._tell(exit=self._session.run())

    def _serve(self, session: Session) -> None:
        live = Live(session.places, self._executed.stop())
        threads = session.threads()
        self._tell(ready=True, threads=threads)
        if threads:
            return
        gc.collect()
        gc.freeze()
        crew = Crew(self._folder, (self._asked, self._tell.file))
        os.set_blocking(self._asked, False)
        crew.listen(self._asked)
        unread = b""
        open_still = True
        while open_still or len(crew):
            for key, record, how in crew.wait(_FOREVER):
                if record is None:
                    self._tell(plan=key, how=how)
                else:
                    if "limit" in record:
                        crew.allow(key, record["limit"])
                    self._tell(plan=key, **record)
            try:
                data = os.read(self._asked, 65536)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data and open_still:
                open_still = False
                crew.deaf(self._asked)
                crew.stop()
            *lines, unread = (unread + data).split(b"\n")
            for line in lines:
                self._start(crew, live, int(line))

    def _start(self, crew: Crew, live: Live, index: int) -> None:
        plan = self._plans[index]

        def work(tell: Tell) -> None:
            try:
                live.swap(self._texts, plan.edits)
            except Refused as refused:
                tell(refused=str(refused))
                return
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                tell(trial="unusable", why=type(error).__name__ + ": " + str(error)[:300])
                return
            self._session.own_folder(os.environ["TMPDIR"])
            run_tests(self._session, plan, tell, self._lenient, 0, len(plan.tests))

        crew.start(Job(index, work, _START, cpu=plan.cpu))
