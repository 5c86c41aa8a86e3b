"""One variant tried in a child: its tests are run in order, up to the first that does not pass.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .crew import Tell
from .loading import put_in_place
from .session import Session
from .texts import Texts

if TYPE_CHECKING:
    from .texts import Edit

_COLLECTING = 20.0
_ENDING = 10.0


class Plan:
    """What is to be tried.

    Args:
        number: By which it is known.
        edits: What changes.
        tests: Ids of the tests it must pass: id -> how long it may take.
    """

    def __init__(self, number: int, edits: Sequence[Edit], tests: dict[str, float]) -> None:
        self.number = number
        self.edits = edits
        self.tests = tests
        # Set where it was given up in company: it is tried again by itself, so that nobody else is blamed.
        self.alone = False

    @property
    def cpu(self) -> int:
        """The most seconds of processor time for all of it."""
        return int(sum(self.tests.values()) + _COLLECTING) + 1


def run_tests(  # noqa: PLR0917 - each says what it is
    session: Session, plan: Plan, tell: Tell, lenient: frozenset[str], start: int, end: int
) -> None:
    """Run the tests of a plan, and tell what came of it: ``trial``, how many ``passed``, and the ``test`` it ended at.

    Args:
        session: It is collected.
        plan: The plan.
        tell: Tells it.
        lenient: Tests that may be skipped, as they are without the variant; those of whole files may be, too.
        start: The first of its tests to run.
        end: The one behind the last.
    """
    passed = start
    queue: list[tuple[str, Any]] = []
    # How many of its tests have passed when one of the queue has.
    ends: dict[int, int] = {}
    for name in list(plan.tests)[start:end]:
        items = session.find(name)
        if not items and not session.is_empty(name):
            tell(trial="missing", test=name, passed=passed, **_missing(session, name))
            return
        queue += [(name, item) for item in items]
        ends[len(queue) - 1] = ends.get(len(queue) - 1, 0) + 1
    passed += ends.get(-1, 0)
    for number, (name, item) in enumerate(queue):
        tell(limit=plan.tests[name], test=item.nodeid, passed=passed)
        outcome, why = session.run_test(item, queue[number + 1][1] if number + 1 < len(queue) else None)
        if not tell.mine:
            # What a test has forked comes back here if it does not end itself.
            os._exit(0)
        # Which tests are skipped of a file that could not be imported, nobody has seen.
        may_skip = name in lenient or (name != item.nodeid and "::" not in name)
        if outcome != "passed" and not (outcome == "skipped" and may_skip):
            memory = why.startswith("MemoryError")
            why = "it was skipped" if outcome == "skipped" else why
            tell(trial="memory" if memory else "failed", test=item.nodeid, why=why, passed=passed)
            return
        passed += ends.get(number, 0)
        if number + 2 == len(queue):
            # With the last one go the fixtures of the whole session.
            tell(limit=plan.tests[name] + _ENDING, test=item.nodeid, passed=passed)
    tell(trial="passed", passed=passed)


def _missing(session: Session, name: str) -> dict[str, Any]:
    """Why there is no such test."""
    for nodeid, (report, _) in session.faults.items():
        if not nodeid or name == nodeid or name.startswith((nodeid + "::", nodeid + "/")):
            lines = [line[1:].strip() for line in str(report.longrepr).splitlines() if line.startswith("E ")]
            return {"unusable": True, "why": (lines[-1] if lines else str(report.longrepr).strip()[:300])[:300]}
    return {"unusable": False, "why": "it is not collected"}


def try_anew(  # noqa: PLR0917 - each says what it is
    plan: Plan, texts: Texts, folder: str, lenient: frozenset[str], start: int, end: int
) -> Callable[[Tell], None]:
    """The work of a child that imports everything anew, with the edited files in place.

    Args:
        plan: The plan.
        texts: The files as they are.
        folder: A private folder.
        lenient: See `run_tests`.
        start: Likewise.
        end: Likewise.
    """

    def work(tell: Tell) -> None:
        try:
            whole = texts.whole(plan.edits)
            for path, data in whole.items():
                compile(data, path, "exec", dont_inherit=True)
        except (OSError, ValueError, SyntaxError, RecursionError, MemoryError) as error:
            tell(trial="unusable", why=type(error).__name__ + ": " + str(error)[:300])
            return
        put_in_place(whole)

        def run(session: Session) -> None:
            run_tests(session, plan, tell, lenient, start, end)
            # pytest's own end takes long where much is imported, and tells nothing.
            tell.done()

        status = Session(folder, run, only=list(plan.tests)[start:end]).run()
        # Told only where nothing was run before; the first word counts.
        tell(trial="unusable", why="pytest could not collect with it (exit status %d)" % status)  # noqa: UP031 - old Pythons

    return work
