"""What functions give for the calls that tests make, and for calls near to those, with each of several variants.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

Calls are recorded while tests run, with copies of what they were given; calls near to them are made up. Then every
variant answers all of them in a fork, so that none can tell what another one did.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Any

from .answering import answers
from .calls import Call, Recorder, near_calls, touched
from .crew import Crew, Job, Tell
from .session import Session
from .swap import Live
from .texts import Texts
from .traced import key_of
from .trial import Plan
from .witnessed import Hung, at_most

if TYPE_CHECKING:
    from .calls import Function
    from .traced import Key

_RECORDING = 0.5
_ONE_TEST = 2.0
_PIECE = 50
_MOST_AT_ONCE = 2


class Behaving:
    """See the module.

    Args:
        tell: Tells the parent: ``calls`` as texts, then of each ``plan`` its ``results``.
        folder: A private folder.
        plans: The variants.
        texts: The files as they are.
        until: When to end, by the monotonic clock.
    """

    def __init__(self, tell: Tell, folder: str, *, plans: list[Plan], texts: Texts, until: float) -> None:
        self._tell = tell
        self._folder = folder
        self._plans = plans
        self._texts = texts
        self._until = until
        self._tests = tuple(dict.fromkeys(name for plan in plans for name in plan.tests))
        self._session = Session(folder, self._run_all, self._tests)

    def run(self) -> None:
        """Collect, record, and compare."""
        self._session.run()

    def _run_all(self, session: Session) -> None:
        self._run(session)
        # As when looking.
        self._tell.done()

    def _run(self, session: Session) -> None:
        functions = self._functions()
        if session.threads() or not functions:
            return
        live = Live(session.places, set())
        calls = self._record(session, functions)
        calls = near_calls(calls)
        if not calls or not self._tell.mine:
            return
        gc.collect()
        gc.freeze()
        answered = self._compare(live, calls)
        stable = self._stable(answered)
        if stable:
            self._say([calls[index].text for index in stable], answered, stable)

    def _functions(self) -> dict[Key, Function]:
        found: dict[Key, Function] = {}
        for plan in self._plans:
            for function in touched(self._texts, plan.edits):
                found.setdefault(function.key, function)
        return found

    def _record(self, session: Session, functions: dict[Key, Function]) -> list[Call]:
        """The calls that the tests make, those of failing ones first as their tests are."""
        recorder = Recorder(functions, lambda code: key_of(code, session.places))
        end = time.monotonic() + _RECORDING * max(self._until - time.monotonic(), 0.0)
        for name in self._tests:
            for item in session.find(name):
                if time.monotonic() > end or recorder.full:
                    return recorder.calls
                try:
                    with at_most(_ONE_TEST), recorder:
                        session.run_test(item, None)
                except Hung:
                    pass
                if not self._tell.mine:
                    return []
        return recorder.calls

    def _compare(self, live: Live, calls: list[Call]) -> dict[int, list[str]]:
        """What each plan gives, by its index; the first one is asked twice, the second time as number -1."""
        crew = Crew(self._folder, (self._tell.file,))
        waiting = [-1, *range(len(self._plans))][::-1]
        answered: dict[int, list[str]] = {index: [] for index in waiting}
        while (waiting or len(crew)) and time.monotonic() < self._until:
            while waiting and len(crew) < _MOST_AT_ONCE:
                index = waiting.pop()
                plan = self._plans[max(index, 0)]
                work = answers(live, self._texts, plan.edits, calls)
                crew.start(Job(index, work, max(self._until - time.monotonic(), 0.1)))
            for key, record, _ in crew.wait(0.2):
                if record is not None and "results" in record:
                    answered[key] += record["results"]
        crew.stop()
        return answered

    @staticmethod
    def _stable(answered: dict[int, list[str]]) -> list[int]:
        """The calls that have the same result when the same variant is asked twice."""
        once, again = answered[0], answered[-1]
        return [index for index in range(min(len(once), len(again))) if once[index] == again[index]]

    def _say(self, texts: list[str], answered: dict[int, list[str]], stable: list[int]) -> None:
        for at in range(0, len(texts), _PIECE):
            self._tell(calls=texts[at : at + _PIECE])
        for index, plan in enumerate(self._plans):
            own: list[Any] = [answered[index][one] if one < len(answered[index]) else "?" for one in stable]
            for at in range(0, len(own), _PIECE):
                self._tell(plan=plan.number, results=own[at : at + _PIECE])
