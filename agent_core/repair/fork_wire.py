"""What is said between `ForkingLab` and the process it starts: a request as JSON, records as lines of JSON.

A request has ``what`` (``look``, ``trials``, ``behaviour``), ``seconds``, ``nice``, ``mark`` (what every line begins
with). For a look: ``tests``, ``each`` (seconds for one test at most) and ``again`` (how many failing ones are run a
second time). Else the plans: ``names`` of tests, ``limits`` in seconds by name, ``lists`` of numbers of names,
``plans`` as [number, edits, which list]; and ``workers``, ``lenient`` (tests that may be skipped), ``collecting``
(seconds).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast, get_args

from agent_core.repair.model import Frame, Plan, RunOutcome, TestRun, Trial, TrialOutcome, Value
from agent_core.text import printable

_MAX_ID = 500
_TEXT = 500
_RUN_OUTCOMES = frozenset(get_args(RunOutcome))
_TRIAL_OUTCOMES = frozenset(get_args(TrialOutcome))
_LEAST, _TIMES = 1.5, 5.0
_UNKNOWN = 10.0


def test_name(nodeid: object) -> str:
    """A test's id, as findings have it."""
    return printable(str(nodeid))[:_MAX_ID]


def plans_said(plans: Sequence[Plan], seconds: Mapping[str, float], ids: Mapping[str, str]) -> dict[str, Any]:
    """Plans as they are said; what many have in common is said once.

    Args:
        plans: The plans.
        seconds: How long tests take as the program is, as far as that is known.
        ids: What pytest calls tests whose names are not their ids, as those are long or odd.
    """
    names: dict[str, int] = {}
    lists: dict[tuple[str, ...], int] = {}
    said = []
    for plan in plans:
        which = lists.setdefault(plan.tests, len(lists))
        edits = [[edit.path, edit.start, edit.end, edit.text] for edit in plan.edits]
        said.append([plan.number, edits, which])
    for one in lists:
        for name in one:
            names.setdefault(name, len(names))
    return {
        "names": [ids.get(name, name) for name in names],
        "limits": [max(_LEAST, _TIMES * seconds[name]) if name in seconds else _UNKNOWN for name in names],
        "lists": [[names[name] for name in one] for one in lists],
        "plans": said,
    }


def trial_heard(record: Mapping[str, Any]) -> Trial | None:
    """A trial from its record; None for one that is none."""
    if record.get("trial") not in _TRIAL_OUTCOMES:
        return None
    return Trial(
        int(record["number"]),
        cast("TrialOutcome", record["trial"]),
        passed=int(record["passed"]),
        test=test_name(record["test"]),
        why=printable(str(record["why"]))[:_TEXT],
        seconds=float(record["seconds"]),
    )


def run_heard(record: Mapping[str, Any], lines: Mapping[str, Iterable[int]]) -> TestRun | None:
    """A test's run from its record, and the lines that were told of before; None for one that is none."""
    if record.get("outcome") not in _RUN_OUTCOMES:
        return None
    return TestRun(
        test_name(record["run"]),
        cast("RunOutcome", record["outcome"]),
        float(record["seconds"]),
        {path: tuple(numbers) for path, numbers in lines.items()},
        error=printable(str(record["error"]))[:_TEXT],
        message=printable(str(record["message"]))[:_TEXT],
        frames=tuple(_frame(one) for one in record["frames"]),
    )


def _frame(said: Mapping[str, Any]) -> Frame:
    values = tuple(Value(*(printable(str(part)) for part in one)) for one in said["values"])
    return Frame(printable(str(said["path"])), int(said["line"]), printable(str(said["function"])), values)


def lines_heard(text: str) -> Iterator[int]:
    """The lines that ``3-7,9`` says."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
