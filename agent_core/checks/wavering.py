"""Tests that waver: what fails newly is run again, on the candidate and on the base, before the patch is blamed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableSet, Sequence

import msgspec

from agent_core.checks.matching import moved_test
from agent_core.checks.model import CheckResult, Finding, Wish, key_of_test
from agent_core.checks.runner import side_by_side
from agent_core.checks.verdict import Waver

Again = Callable[[Wish], Awaitable[CheckResult]]

_MOST = 20
_SECONDS = 60.0
_WHOLE_SECONDS = 20.0


class Doubt(msgspec.Struct, frozen=True):
    """What is not certain after one run of the tests.

    Attributes:
        broken: Tests that fail on the candidate and did not on the base.
        mended: The task's own tests, which pass now.
    """

    broken: tuple[Finding, ...] = ()
    mended: tuple[Finding, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.broken or self.mended)


class Settled(msgspec.Struct, frozen=True):
    """What running them again showed; tests by `key_of_test`.

    Attributes:
        wavers: Those that do not come to the same result each time.
        confirmed: More about failures that came again.
    """

    wavers: Mapping[str, Waver] = {}
    confirmed: Mapping[str, str] = {}


async def settle(
    doubt: Doubt,
    base: CheckResult,
    result: CheckResult,
    moves: Mapping[str, str],
    *,
    on_candidate: Again,
    on_base: Again,
    known: Collection[str] = (),
) -> Settled:
    """Run doubtful tests again, at most 20 of a kind and for at most a minute, and say what came of it.

    A test is broken when it fails again on the candidate and passes again on the base. One that passes alone on the
    candidate is run once more among the others (all tests, where they take no more than 20 seconds, else those of its
    file): failing there again it depends on the tests before it, which is the patch's doing, as on the base it does
    not. Else it wavers, as does one that fails on the base when run again. A target of the task must pass twice.

    Args:
        doubt: The tests.
        base: What was said about the base.
        result: What was said about the candidate.
        moves: Old path to new path of moved files.
        on_candidate: Runs the check on the candidate.
        on_base: Runs the check on the base.
        known: Tests that wavered before in this session: these are not run among the others.
    """
    back = {new: old for old, new in moves.items()}
    there = {key_of_test(node) for node in (*base.passed, *(finding.code for finding in base.findings))}
    first = _ids((*doubt.broken[:_MOST], *doubt.mended[:_MOST]))
    asked = (moved_test(node, back) for node in _ids(doubt.broken[:_MOST]))
    old = [node for node in asked if key_of_test(node) in there]
    try:
        async with asyncio.timeout(_SECONDS):
            now, then = await side_by_side(_outcomes(on_candidate, first), _outcomes(on_base, old))
            then = {key_of_test(moved_test(node, moves)): passed for node, passed in then.items()}
            now = {key_of_test(node): passed for node, passed in now.items()}
            suspects = [
                finding
                for finding in doubt.broken[:_MOST]
                if now.get(key_of_test(finding.code)) and then.get(key_of_test(finding.code), True)
            ]
            doubtful = [finding for finding in suspects if key_of_test(finding.code) not in known]
            together = await _together(doubtful, result, on_candidate)
    except TimeoutError:
        return Settled()
    wavers: dict[str, Waver] = {}
    confirmed: dict[str, str] = {}
    for finding in doubt.broken[:_MOST]:
        key = key_of_test(finding.code)
        if then.get(key) is False:
            wavers[key] = Waver("Flaky: run again it fails on the base too, where it passed before.", failed=True)
        elif now.get(key) and together.get(key) is False:
            confirmed[key] = (
                "It passes when run by itself and fails, twice now, among the other tests; on the base it does not: the"
                " patch makes it depend on what ran before."
            )
        elif now.get(key):
            how = (
                "passed when run again, by itself and among the other tests" if key in together else "passed by itself"
            )
            wavers[key] = Waver(f"Flaky: it failed once and then {how}.", failed=True)
    for finding in doubt.mended[:_MOST]:
        key = key_of_test(finding.code)
        if now.get(key) is False:
            wavers[key] = Waver("Flaky: it passed and then failed when run again.", failed=True)
    return Settled(wavers, confirmed)


async def recalled(
    base: CheckResult, result: CheckResult, moves: Mapping[str, str], on_base: Again, verified: MutableSet[str]
) -> CheckResult | None:
    """What the base says now, where it came from an earlier session: tests that fail on either tree are run again.

    What tests depend on cannot all be seen, so a remembered result never decides what a patch broke or mended.

    Args:
        base: What was said about the base, in an earlier session.
        result: What is said about the candidate.
        moves: Old path to new path of moved files.
        on_base: Runs the check on the base.
        verified: Its tests that have been run again already; these are added to it.

    Returns:
        The corrected result, or the same if there is nothing to do; None where too much is in doubt, so that all of it
        has to be judged anew.
    """
    back = {new: old for old, new in moves.items()}
    there = {*base.passed, *(finding.code for finding in base.findings)}
    failing = (*_ids(base.findings), *(moved_test(node, back) for node in _ids(result.findings)))
    ids = [node for node in dict.fromkeys(failing) if node in there and node not in verified]
    if not ids:
        return base
    if len(ids) > 2 * _MOST or any("::" not in node for node in ids):
        return None
    try:
        async with asyncio.timeout(_SECONDS):
            said = await on_base(Wish(only=tuple(ids)))
    except TimeoutError:
        return None
    if not said.judged:
        return None
    told = _told(said)
    if any(node not in told for node in ids):
        return None
    verified |= set(ids)
    findings = [finding for finding in base.findings if finding.code not in told]
    passed = [node for node in base.passed if node not in told]
    return msgspec.structs.replace(
        base,
        outcome="failed" if findings or said.findings else "passed",
        findings=(*findings, *said.findings),
        passed=(*passed, *(node for node, passes in told.items() if passes)),
    )


def _ids(findings: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.code for finding in findings))


async def _outcomes(again: Again, ids: Sequence[str]) -> dict[str, bool]:
    """Whether tests pass when nothing but they is run; those of which that is not known are left out."""
    if not ids:
        return {}
    said = await again(Wish(only=tuple(ids)))
    if not said.judged and not said.passed:
        return {}
    return _told(said)


async def _together(findings: Sequence[Finding], result: CheckResult, again: Again) -> dict[str, bool]:
    """Whether tests pass among others, in their natural order."""
    if not findings:
        return {}
    if result.seconds <= _WHOLE_SECONDS:
        said = await again(Wish())
    else:
        files = {finding.code.partition("::")[0] for finding in findings}
        all_ids = (*result.passed, *(finding.code for finding in result.findings))
        said = await again(Wish(only=tuple(node for node in all_ids if node.partition("::")[0] in files)))
    return {key_of_test(node): passed for node, passed in _told(said).items()} if said.judged else {}


def _told(said: CheckResult) -> dict[str, bool]:
    failed = {finding.code: False for finding in said.findings if "::" in finding.code}
    return {**dict.fromkeys(said.passed, True), **failed}
