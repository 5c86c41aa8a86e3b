"""What comes near to a repair, and what is said where nothing could be tried at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from agent_core.prompt.repair_words import evidence
from agent_core.repair import words
from agent_core.repair.hunt import Hunt, hunt_for
from agent_core.repair.model import Edit, Found, Partial, Plan, Trial, TrialOutcome, Variant
from agent_core.repair.ordering import Line
from agent_core.repair.partial import partial_repairs
from agent_core.text import estimate_tokens
from tests.repair.quick_lab import PATH, QuickLab
from tests.repair.test_search import search

PROGRAM = "def f(x):\n    return x + 2\n"
TESTS = {"a": "assert f(1) == 2", "b": "assert f(2) == 3", "c": "assert f(3) == 9", "good": "assert f(0) == 2"}


class FaultyLab(QuickLab):
    """One whose process ends before anything is tried."""

    def __init__(self) -> None:
        super().__init__(PROGRAM, TESTS)
        self.series = 0

    async def trials(self, plans: Sequence[Plan], *, seconds: float) -> AsyncGenerator[Trial, None]:
        self.series += 1
        self.fault = "what runs the tests ended with 3: no space left on device"
        nothing: tuple[Trial, ...] = ()
        for trial in nothing:
            yield trial


class CrashingLab(QuickLab):
    """One in which every variant ends its process."""

    def trial(self, plan: Plan) -> Trial:
        outcome: TrialOutcome = "crashed"
        return Trial(plan.number, outcome, why="pytest was killed by signal 9")


def hunt_over(lab: QuickLab) -> Hunt:
    runs = [lab.run(test) for test in lab.tests]
    failing = [run for run in runs if run.bad]
    passing = [run for run in runs if not run.bad]
    return hunt_for(failing, passing, lab.project(failing), lambda path: path == PATH)


def variant(text: str, cost: float = 1.0) -> Variant:
    return Variant((Edit(PATH, 21, 26, text),), "test", cost, f"{text} for x + 2", 2)


def test_those_come_first_that_mend_most_and_few_that_mend_the_same() -> None:
    hunt = hunt_over(QuickLab(PROGRAM, TESTS))
    line = Line(hunt.suspects[0])
    for text, at, mends in [
        ("x + 1", "c", ("a", "b")),
        ("1 + x", "c", ("a", "b")),
        ("x - -1", "c", ("a", "b")),
        ("2", "b", ("a",)),
        ("x ** 2", "a", ()),
    ]:
        hunt.failed(variant(text), line, at=at, gain=2.0, mends=mends)
    found = partial_repairs([hunt, hunt], ("a", "b", "c"))
    assert [(one.mends, one.fails, one.breaks) for one in found] == [
        (("a", "b"), "c", False),
        (("a", "b"), "c", False),
        (("a",), "b", False),
    ]
    hunt.failed(variant("odd(x)"), line, at="good", gain=3.0, mends=("a", "b", "c"))
    assert partial_repairs([hunt], ("a", "b", "c"))[0] == Partial(
        variant("odd(x)"), ("a", "b", "c"), "good", breaks=True
    )
    assert partial_repairs([hunt], ()) == (), "what has a repair needs nothing that comes near to one"


async def test_a_search_without_a_repair_tells_what_came_near() -> None:
    tests = {"a": "assert f(1) == 4", "b": "assert f(0) == 2", "c": "assert f(2) == 4", "d": "assert f(5) == 7"}
    outcome = await search(QuickLab(PROGRAM, tests), seconds=2)
    assert outcome.left == ("a",)
    near = outcome.partial[0]
    assert (near.mends, near.breaks) == (("a",), True)
    assert near.fails in {"b", "c", "d"}


def test_the_model_is_told_what_came_near_in_plain_words_and_few() -> None:
    failing = tuple(QuickLab(PROGRAM, TESTS).run(test) for test in ("a", "b", "c"))
    some = Partial(variant("x + 1"), ("a", "b"), "c", breaks=False)
    every = Partial(variant("odd(x)"), ("a", "b", "c"), "good", breaks=True)
    text = evidence(Found(failing=failing, partial=(some, every)), None, [], lambda *_: "")
    assert (
        "- No repair: changing `x + 1` for `x + 2` (shop.py:2) makes 2 of the 3 failing tests pass (a and 1 more), but "
        "does not mend c." in text
    )
    assert "makes all failing tests pass, but breaks good." in text
    long = Partial(variant("x" * 5000), ("a" * 5000,), "c" * 5000, breaks=False)
    assert estimate_tokens(evidence(Found(failing=failing, partial=(long,) * 9), None, [], lambda *_: "")) <= 200


async def test_a_lab_that_fails_every_time_is_not_asked_for_ever_and_its_fault_is_told() -> None:
    lab = FaultyLab()
    outcome = await search(lab, seconds=20)
    assert lab.series <= 4
    assert "no space left" in outcome.fault
    assert words.untried(outcome.fault, outcome.tried) == (
        "No repair could be tried: what runs the tests with a change in them fails: what runs the tests ended with 3: "
        "no space left on device."
    )


async def test_where_every_change_ends_its_process_that_is_told() -> None:
    outcome = await search(CrashingLab(PROGRAM, TESTS), seconds=2)
    assert outcome.tried > 0
    assert outcome.fault == "pytest was killed by signal 9"
    assert (await search(QuickLab(PROGRAM, TESTS), seconds=1)).fault == ""
