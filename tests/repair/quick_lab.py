"""A lab for programs of a few lines, which runs them in this very process."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import types
import warnings
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from agent_core.repair.edited import edited
from agent_core.repair.model import Edit, Frame, Look, Plan, TestRun, Trial, TrialOutcome
from agent_core.repair.project import Project

PATH = "shop.py"
# More lines than this no test of a few lines runs.
_MOST_LINES = 3000


class Endless(BaseException):
    """A test ran without end."""


class QuickLab:
    """A lab over one file; see `agent_core.repair.lab.Lab`.

    Args:
        program: The file's text, dedented.
        tests: Each an expression in the file's names, or statements; by id.
        others: The project's other files.
    """

    def __init__(self, program: str, tests: Mapping[str, str], others: Mapping[str, str] | None = None) -> None:
        self.files = {PATH: textwrap.dedent(program).lstrip("\n"), **(others or {})}
        self.tests = {test: textwrap.dedent(code) for test, code in tests.items()}
        self.tried: list[Plan] = []
        self.closed = False
        self.fault = ""
        self.calls: tuple[str, ...] = ()
        # Called after each trial; where tests look in.
        self.after: Callable[[int], None] = lambda _: None

    def project(self, failing: Sequence[TestRun] = ()) -> Project:
        return Project(list(self.files), self.read, tuple(failing), (PATH,))

    def read(self, path: str) -> bytes | None:
        return self.files[path].encode() if path in self.files else None

    def _module(self, edits: Sequence[Edit]) -> dict[str, Any]:
        changes = edited(edits, self.read)
        text = (changes[PATH].data or b"").decode() if PATH in changes else self.files[PATH]
        names: dict[str, Any] = {"__name__": "shop"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(text, PATH, "exec"), names)
        return names

    def run(self, test: str, edits: Sequence[Edit] = ()) -> TestRun:
        """One test, with the lines it executes."""
        lines: set[int] = set()
        count = 0

        def trace(frame: types.FrameType, event: str, _arg: Any) -> Any:
            nonlocal count
            if frame.f_code.co_filename == PATH and event == "line":
                lines.add(frame.f_lineno)
            count += 1
            if count > _MOST_LINES:
                raise Endless
            return trace

        try:
            names = self._module(edits)
            code = compile(self.tests[test], test, "exec")
            before = sys.gettrace()
            sys.settrace(trace)
            try:
                exec(code, names)
            finally:
                sys.settrace(before)
        except Endless:
            return TestRun(test, "hung", 1.0, {PATH: tuple(sorted(lines))}, "Timeout", "did not end")
        except Exception as error:  # noqa: BLE001 - whatever a wrong program raises
            return TestRun(
                test,
                "failed",
                0.001,
                {PATH: tuple(sorted(lines))},
                type(error).__name__,
                str(error),
                _frames(error.__traceback__),
            )
        return TestRun(test, "passed", 0.001, {PATH: tuple(sorted(lines))})

    async def look(
        self, tests: Sequence[str], *, seconds: float, hear: Callable[[TestRun], None] = lambda _: None
    ) -> Look:
        runs = tuple(self.run(test) for test in self.tests)
        for run in runs:
            hear(run)
        return Look(runs)

    async def trials(self, plans: Sequence[Plan], *, seconds: float) -> AsyncGenerator[Trial, None]:
        for plan in plans:
            await asyncio.sleep(0)
            self.tried.append(plan)
            yield self.trial(plan)
            self.after(len(self.tried))

    def trial(self, plan: Plan) -> Trial:
        """One trial."""
        for passed, test in enumerate(plan.tests):
            run = self.run(test, plan.edits)
            if run.bad:
                outcome: TrialOutcome = "hung" if run.outcome == "hung" else "failed"
                return Trial(plan.number, outcome, passed, test, f"{run.error}: {run.message}")
        return Trial(plan.number, "passed", len(plan.tests))

    async def behaviour(self, plans: Sequence[Plan], *, seconds: float) -> tuple[tuple[tuple[str, str], ...], ...]:
        return tuple(tuple((call, self._given(call, plan.edits)) for call in self.calls) for plan in plans)

    def _given(self, call: str, edits: Sequence[Edit]) -> str:
        try:
            return repr(eval(call, self._module(edits)))
        except Exception as error:  # noqa: BLE001 - likewise
            return f"raises {type(error).__name__}"

    async def close(self) -> None:
        self.closed = True


class HangingLab(QuickLab):
    """One whose trials never come to an end."""

    def __init__(self) -> None:
        super().__init__("def f(x):\n    return 2\n", {"a": "assert f(1) == 1"})
        self.running = asyncio.Event()
        self.ended = asyncio.Event()

    async def trials(self, plans: Sequence[Plan], *, seconds: float) -> AsyncGenerator[Trial, None]:
        self.running.set()
        try:
            await asyncio.Event().wait()
            yield Trial(0, "passed")
        finally:
            self.ended.set()


class UnluckyLab(QuickLab):
    """One in which the test ``luck`` fails in every trial."""

    def trial(self, plan: Plan) -> Trial:
        came = super().trial(plan)
        if came.outcome == "passed" and "luck" in plan.tests:
            return Trial(plan.number, "failed", plan.tests.index("luck"), "luck", "no luck")
        return came

    def mends_less(self, plan: Plan) -> bool:
        """Whether a variant fails at another test than that."""
        return not plan.edits or super().trial(plan).outcome != "passed"


def _frames(traceback: types.TracebackType | None) -> tuple[Frame, ...]:
    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == PATH:
            found.append(Frame(PATH, traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    return tuple(found)
