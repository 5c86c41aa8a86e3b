"""Standing still: the same patch, the same failure, there and back again."""

from __future__ import annotations

import msgspec

from agent_core.checks.model import Finding, Verdict
from agent_core.diagnosis.stall import Repeats, stalled, stalls
from agent_core.patch.model import FilePatch, Patch


class Attempt(msgspec.Struct, frozen=True):
    attempt: int
    patch: Patch
    verdict: Verdict | None = None


def patch(after: str) -> Patch:
    return Patch((FilePatch("a.py", "update", "old", after, 0o100644, 0o100644, ()),))


def red(message: str, *, complete: bool = True) -> Verdict:
    finding = Finding("pytest", message, "a.py", 1, "tests/test_a.py::test_a")
    return Verdict("t", "b", False, (), (finding,), complete=complete)


GREEN = Verdict("t", "b", True, ())


def attempts(*tried: tuple[str, Verdict | None]) -> list[Attempt]:
    return [Attempt(number, patch(text), verdict) for number, (text, verdict) in enumerate(tried, 1)]


def test_there_and_back_again_is_named_with_what_was_tried_in_between() -> None:
    earlier = attempts(("one", red("KeyError: 'a'")), ("two", red("KeyError: 'b'")))
    said = stalled(red("KeyError: 'a'"), patch("three"), earlier)
    assert said == (
        "Attempt 1 failed in exactly this way, with another patch: KeyError: 'a' at a.py:1. You go back and forth: "
        "attempt 2 failed with KeyError: 'b' at a.py:1. Find a change that mends both."
    )
    same = stalled(red("KeyError: 'a'"), patch("one"), earlier)
    assert same.startswith("Attempt 1 already did this: the patch is the same; it failed with KeyError: 'a' at a.py:1.")
    assert "attempt 2 failed with KeyError: 'b'" in same
    # What lies before is no way back.
    assert "back and forth" not in stalled(red("KeyError: 'b'"), patch("three"), earlier)


def test_standstills_are_counted_over_all_attempts() -> None:
    one, other = red("KeyError: 'a'"), red("KeyError: 'b'")
    tried = attempts(("one", one), ("two", one), ("three", other), ("one", one), ("five", GREEN), ("six", None))
    assert [stalls(tried[:count]) for count in range(len(tried) + 1)] == [0, 0, 1, 1, 2, 2, 2]
    # What is known so far is no failure to stand still at.
    assert stalls(attempts(("one", one), ("two", red("KeyError: 'a'", complete=False)))) == 0


def test_refusals_repeat_when_both_what_was_sent_and_the_reason_are_the_same() -> None:
    repeats = Repeats()
    assert [repeats.add("a", "why"), repeats.add("b", "why"), repeats.add("a", "other"), repeats.add("a", "why")] == [
        1,
        1,
        1,
        2,
    ]
