"""The lab that forks: a process in a candidate has imported the tests, and each variant is tried in a fork of it.

The process is `agent_core/repair/injected/pairloop_repair`, started anew for each look and each series of trials. It
takes pytest, its options and its interpreter from the test check, so that tests have the same ids and go the same way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import shutil
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from agent_core.checks.affected import warm_modules
from agent_core.checks.pytest_run import ABSENT, BEGIN, OLDEST, PLUGIN, TOO_OLD
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.repair.fork_wire import lines_heard, plans_said, run_heard, trial_heard
from agent_core.repair.model import Look, Plan, TestRun, Trial
from agent_core.sandbox.limits import PATIENT
from agent_core.text import printable
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.leftovers import run_folder

log = logging.getLogger(__name__)
_INJECTED = Path(__file__).with_name("injected") / "pairloop_repair"
_START = f"{BEGIN}from pairloop_repair.driver import main\nmain()\n"
_FOLDER = "repair"
_WARM = ("pytest", "_pytest")
# What starting Python and pytest takes at most beside the time that something may take.
_MARGIN = 15.0
_EACH_SHARE = 0.2
_LEAST_EACH = 2.0
_AGAIN = 30
_COLLECTING_LEAST, _COLLECTING_TIMES = 5.0, 5.0
_FAULT = 300
_MOST_STARTS = 8
_ALL_ENDED = "it ended more than its own process"


class ForkingLab:
    """A `agent_core.repair.lab.Lab` that forks.

    Args:
        candidate: The tree; closed with the lab.
        interpreter: The project's Python.
        workers: How many variants are tried at a time.
        spare: Let everything else go first.
    """

    def __init__(self, candidate: Candidate, interpreter: Interpreter, *, workers: int, spare: bool) -> None:
        self._candidate = candidate
        self._interpreter = interpreter
        self._workers = max(workers, 1)
        self._nice = PATIENT if spare else 0
        self._seconds: dict[str, float] = {}
        self._skipped: set[str] = set()
        self._ids: dict[str, str] = {}
        self._collecting = 20.0
        self._fault = ""

    @property
    def fault(self) -> str:
        """Why what runs the tests ended too early; see `agent_core.repair.lab.TrialLab`."""
        return self._fault

    async def look(
        self, tests: Sequence[str], *, seconds: float, hear: Callable[[TestRun], None] = lambda _: None
    ) -> Look:
        """Run tests as the program is; see `agent_core.repair.lab.Lab`.

        Tests that fail are run again, by themselves, to see which of them waver.
        """
        looked = _Looked(hear)
        each = max(seconds * _EACH_SHARE, _LEAST_EACH)
        request = {"what": "look", "tests": list(tests), "each": each, "again": _AGAIN}
        end = ""
        async with contextlib.aclosing(self._records(request, seconds)) as records:
            async for record in records:
                if "ended" in record:
                    end = record["ended"]
                else:
                    looked.take(record)
        if looked.collecting:
            self._collecting = max(_COLLECTING_LEAST, _COLLECTING_TIMES * looked.collecting)
        self._ids.update(looked.ids)
        for run in looked.runs.values():
            if "::" in run.test:
                # How long the tests take of what could not be imported, nobody knows.
                self._seconds[run.test] = run.seconds
            if run.outcome == "skipped":
                self._skipped.add(run.test)
        return looked.look(end)

    async def trials(self, plans: Sequence[Plan], *, seconds: float) -> AsyncGenerator[Trial, None]:
        """Try variants; see `agent_core.repair.lab.Lab`."""
        self._fault = ""
        left = {plan.number: plan for plan in plans}
        until = time.monotonic() + seconds
        suspects: list[int] = []
        # Where tests end even the process that watches over them, another one goes on with what they left: first with
        # those that were under way, one at a time, until it is known whose doing it was.
        for _ in range(_MOST_STARTS):
            now = [left[number] for number in suspects or left]
            request = self._with_plans("trials", now, workers=1 if suspects else self._workers)
            under_way: dict[int, float] = {}
            end = ""
            async with contextlib.aclosing(self._records(request, max(until - time.monotonic(), 0.1))) as records:
                async for record in records:
                    if "ended" in record:
                        end = record["ended"]
                    elif "begin" in record:
                        under_way[int(record["begin"])] = time.monotonic()
                    elif (trial := trial_heard(record)) is not None and left.pop(trial.number, None) is not None:
                        under_way.pop(trial.number, None)
                        yield trial
            if end and len(under_way) == 1:
                number, since = under_way.popitem()
                del left[number]
                yield Trial(number, "crashed", why=_ALL_ENDED, seconds=time.monotonic() - since)
            elif end and not under_way:
                log.warning("%d variants could not be tried: %s", len(left), end)
                self._fault = end
                return
            if not left or time.monotonic() > until or not (end or suspects):
                return
            suspects = [number for number in under_way if number in left]

    async def behaviour(self, plans: Sequence[Plan], *, seconds: float) -> tuple[tuple[tuple[str, str], ...], ...]:
        """What functions that variants touch give; see `agent_core.repair.lab.Lab`."""
        calls: list[str] = []
        results: dict[int, list[str]] = {}
        async with contextlib.aclosing(self._records(self._with_plans("behaviour", plans), seconds)) as records:
            async for record in records:
                if "calls" in record:
                    calls += [printable(str(call)) for call in record["calls"]]
                elif "results" in record:
                    results.setdefault(int(record["plan"]), []).extend(printable(str(one)) for one in record["results"])
        if not calls:
            return tuple(() for _ in plans)
        told = []
        for plan in plans:
            own = results.get(plan.number, [])
            told.append(tuple(zip(calls, [*own, *["?"] * (len(calls) - len(own))], strict=False)))
        return tuple(told)

    async def close(self) -> None:
        """Give back the tree."""
        await self._candidate.close()

    # -- one run of the process

    def _with_plans(self, what: str, plans: Sequence[Plan], *, workers: int = 1) -> dict[str, Any]:
        return {
            "what": what,
            **plans_said(plans, self._seconds, self._ids),
            "workers": workers,
            "lenient": sorted(self._ids.get(name, name) for name in self._skipped),
            "collecting": self._collecting,
        }

    async def _records(self, request: dict[str, Any], seconds: float) -> AsyncGenerator[dict[str, Any], None]:
        """Run the process; gives what it says as it comes, and in the end ``ended``: why too early, or nothing."""
        mark = secrets.token_hex(8)
        said: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

        def heard(line: str) -> None:
            if line.startswith(mark):
                with contextlib.suppress(ValueError):
                    said.put_nowait(json.loads(line[len(mark) :]))

        folder = await asyncio.to_thread(self._folder)
        whole = {**request, "seconds": seconds, "nice": self._nice, "mark": mark}
        running = asyncio.create_task(
            self._candidate.run(
                (str(self._interpreter.python), "-c", _START, str(folder)),
                timeout=seconds + _MARGIN,
                stdin=json.dumps(whole).encode(),
                on_line=heard,
                warm=(*_WARM, *warm_modules(self._candidate.cache)),
            )
        )
        running.add_done_callback(lambda _: said.put_nowait(None))
        finished = False
        try:
            while (record := await said.get()) is not None:
                finished = finished or "finished" in record
                yield record
            yield {"ended": "" if finished else self._why(await running)}
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _folder(self) -> Path:
        """A new folder in the candidate's cache with what the process runs, which is readable in every sandbox."""
        folder = run_folder(self._candidate.cache, _FOLDER)
        for package in (_INJECTED, PLUGIN):
            shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
        return folder

    def _why(self, done: Completed) -> str:
        if done.timed_out:
            return "its time was up"
        if done.code == ABSENT:
            return f"pytest is not installed in {self._interpreter.found}"
        if done.code == TOO_OLD:
            return f"the tests are run by pytest {OLDEST} or newer"
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return f"what runs the tests ended with {done.code}: {printable(lines[-1])[:_FAULT] if lines else 'no word'}"


class _Looked:
    """What a look has told so far."""

    def __init__(self, hear: Callable[[TestRun], None]) -> None:
        self._hear = hear
        self._lines: dict[str, dict[str, list[int]]] = {}
        self._fault = ""
        self._left = 1
        self._safe = True
        self._start = time.monotonic()
        self.runs: dict[str, TestRun] = {}
        # Of what has another name than its id.
        self.ids: dict[str, str] = {}
        self.collecting = 0.0

    def take(self, record: dict[str, Any]) -> None:
        """Take in a record."""
        if "of" in record:
            of = self._lines.setdefault(record["of"], {})
            for path, text in record["lines"].items():
                of.setdefault(path, []).extend(lines_heard(text))
        elif "run" in record:
            self._run(record)
        elif "collected" in record:
            self.collecting = self.collecting or time.monotonic() - self._start
            self._safe = self._safe and not record["threads"]
        elif "left" in record:
            self._left = int(record["left"])
        elif "fault" in record:
            self._fault = _short(str(record["fault"]))

    def _run(self, record: dict[str, Any]) -> None:
        run = run_heard(record, self._lines.pop(record["run"], {}))
        if run is None:
            return
        if run.test != record["run"]:
            self.ids[run.test] = record["run"]
        if record["again"]:
            first = self.runs.get(run.test)
            if first is not None and run.outcome == "passed":
                self.runs[run.test] = msgspec.structs.replace(first, wavers=True)
            return
        if record.get("python") and run.bad:
            # What that Python imports is not what is put in place in a fork.
            self._safe = False
        self.runs[run.test] = run
        self._hear(run)

    def look(self, end: str) -> Look:
        """All of it."""
        return Look(
            tuple(self.runs.values()),
            self._fault or ("" if self.runs else end),
            self._safe,
            whole=not self._left and not self._fault and not end,
            starting=self.collecting,
        )


def _short(text: str) -> str:
    """The line of what pytest said that tells most."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "rror" in line or line.startswith("E ")]
    return printable((telling or lines or [""])[-1])[:_FAULT]
