"""The verdict: what the checks say about a candidate, compared with what they said about its base. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import msgspec

from agent_core.checks.matching import Compared, compare, renamed
from agent_core.checks.model import UNABLE, CheckResult, Finding, Stage, Verdict, key_of_test
from agent_core.checks.verdict_words import summary_of

LOST = "no-longer-judges"
FEWER = "fewer-tests"
_STAGES: tuple[Stage, ...] = ("first", "affected", "all")
_NAMED = 20


class Waver(msgspec.Struct, frozen=True):
    """A test that does not come to the same result each time.

    Attributes:
        how: What it did, such as ``failed, then passed when run again``.
        failed: It failed on the candidate at least once.
    """

    how: str
    failed: bool


class Aside(msgspec.Struct, frozen=True):
    """What was found out by looking a second time.

    Attributes:
        wavers: Tests that waver, by `key_of_test`.
        hidden: Findings of the base that are gone only because the patch changes what the check looks at, by their
            fingerprints, as often as they occur.
        silenced: New findings that are not seen for the same reason.
        confirmed: More about a failure that came again, by `key_of_test`.
        notes: See `Verdict.notes`.
    """

    wavers: Mapping[str, Waver] = {}
    hidden: Mapping[str, int] = {}
    silenced: tuple[Finding, ...] = ()
    confirmed: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()


def judge(
    base_results: Sequence[CheckResult],
    results: Sequence[CheckResult],
    targets: Collection[Finding] = (),
    *,
    moves: Mapping[str, str] | None = None,
    aside: Aside | None = None,
    waiting: Collection[str] | None = None,
) -> Verdict:
    """Compare a candidate with its base.

    Findings are compared as multisets of fingerprints, check by check. A check that judged the base and does not
    judge the candidate breaks something; one that judges neither is named and blocks nothing. A failing test is mended
    when it passes, not when it does not run any more.

    Args:
        base_results: One result a check, about the base.
        results: One result a check, about the candidate.
        targets: Findings of the base that the task is about; as long as one is left the verdict is not green.
        moves: Old path to new path of every file that the patch moves.
        aside: What a second look found out.
        waiting: Names of the checks that go on, or are still to come, on either tree: the verdict is not complete.
            None when all have said their last word. What is said of the candidate alone counts for nothing yet.
    """
    aside = aside or Aside()
    moves = moves or {}
    before = {result.check: result for result in base_results}
    sum_up = _Sum(aside)
    for result in results:
        base = before.get(result.check)
        if result.judged or result.outcome == "skipped":
            if waiting is None or base is not None:
                sum_up.add(base, result, compare(base, result, moves))
        elif base is not None and base.judged:
            sum_up.broken.append(_lost(result))
            sum_up.known += [renamed(finding, moves) for finding in base.findings]
        if waiting is None and result.judged and base is not None and base.outcome in UNABLE:
            sum_up.notes.append(f"{result.check} could not judge the base: all that it says counts as new")
    wanted = [renamed(finding, moves) for finding in targets]
    left = sum_up.left(wanted)
    # Before the end a target may not have run yet, and what is found may be new.
    alone = [] if waiting is None else [result for result in results if result.check not in before]
    mended = waiting is None or _all_seen(wanted, (*sum_up.fixed, *sum_up.flaky))
    mended = mended and not any(result.findings for result in alone)
    judged = any(result.judged for result in results)
    verdict = Verdict(
        tree=results[0].tree if results else "",
        base_tree=base_results[0].tree if base_results else "",
        green=judged and mended and not sum_up.broken and not left and not aside.silenced,
        results=tuple(results),
        broken=tuple(sum_up.broken),
        fixed=tuple(sum_up.fixed),
        known=tuple(sum_up.known),
        targets_left=tuple(left),
        flaky=tuple(sum_up.flaky),
        stage=_stage(results, waiting, alone),
        complete=waiting is None,
        silenced=aside.silenced,
        gone=tuple(sum_up.gone),
        notes=(*sum_up.notes, *aside.notes),
    )
    lost = {finding.check for finding in sum_up.broken if finding.code == LOST}
    return msgspec.structs.replace(verdict, summary=summary_of(verdict, lost, waiting or ()))


class _Sum:
    """Adds up what the checks say, and sorts out what a second look told."""

    def __init__(self, aside: Aside) -> None:
        self._aside = aside
        self._hidden = Counter(aside.hidden)
        self.broken: list[Finding] = []
        self.fixed: list[Finding] = []
        self.known: list[Finding] = []
        self.flaky: list[Finding] = []
        self.gone: list[str] = []
        self.notes: list[str] = []
        self._by_luck: list[Finding] = []

    def add(self, base: CheckResult | None, result: CheckResult, compared: Compared) -> None:
        """Take in one check."""
        for finding in compared.broken:
            waver = self._waver(finding)
            (self.broken if waver is None else self.flaky).append(self._explained(finding, waver))
        for finding in compared.fixed:
            waver = self._waver(finding)
            if self._hidden[finding.fingerprint] > 0:
                self._hidden[finding.fingerprint] -= 1
                self.known.append(finding)
            elif waver is None:
                self.fixed.append(finding)
            else:
                self.flaky.append(self._explained(finding, waver))
                if waver.failed:
                    self._by_luck.append(finding)
        self.known += compared.known
        self.gone += compared.gone
        if compared.unrun:
            self.known += compared.unrun
            self.gone += [finding.code for finding in compared.unrun]
            self.broken.append(_unrun(result, compared.unrun))
        elif base is not None and compared.fixed and _runs_fewer(base, result):
            self.broken.append(_fewer(base, result))

    def left(self, targets: Sequence[Finding]) -> list[Finding]:
        """Those of the targets that are not mended; one that passes by luck is not."""
        wanted = Counter(finding.fingerprint for finding in targets)
        left = []
        for finding in (*self.known, *self._by_luck):
            if wanted[finding.fingerprint] > 0:
                wanted[finding.fingerprint] -= 1
                left.append(finding)
        return left

    def _waver(self, finding: Finding) -> Waver | None:
        return self._aside.wavers.get(key_of_test(finding.code)) if finding.code else None

    def _explained(self, finding: Finding, waver: Waver | None) -> Finding:
        told = self._aside.confirmed.get(key_of_test(finding.code), "") if waver is None else waver.how
        if not told:
            return finding
        return msgspec.structs.replace(finding, detail="\n\n".join(part for part in (told, finding.detail) if part))


def _all_seen(targets: Sequence[Finding], mended: Sequence[Finding]) -> bool:
    """Whether each of the targets is among what is mended."""
    return not Counter(one.fingerprint for one in targets) - Counter(one.fingerprint for one in mended)


def _stage(results: Sequence[CheckResult], waiting: Collection[str] | None, alone: Sequence[CheckResult]) -> Stage:
    """How far the slowest check got; one without a base to compare it with, nowhere."""
    reached = [_STAGES.index(result.stage) for result in results]
    told = {result.check for result in results}
    if alone or (waiting is not None and any(name not in told for name in waiting)):
        reached.append(0)
    return _STAGES[min(reached, default=0 if waiting is not None else 2)]


def _lost(result: CheckResult) -> Finding:
    """The finding that a check no longer judges."""
    message = f"{result.check} judged the base and cannot judge this: {result.summary}"
    return Finding(result.check, message, code=LOST, detail=result.output)


def _unrun(result: CheckResult, tests: Sequence[Finding]) -> Finding:
    """The finding that tests which failed are not there any more: a test that does not run is not mended."""
    names = [finding.code for finding in tests]
    what = f"{names[0]}, which failed before, does" if len(names) == 1 else f"{len(names)} tests that failed before do"
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    message = f"{what} not run any more: removing, renaming or skipping a failing test mends nothing"
    return Finding(result.check, message, code=FEWER, detail="\n".join((*names[:_NAMED], *more)))


def _runs_fewer(base: CheckResult, result: CheckResult) -> bool:
    """Whether tests that are known by their number only are fewer, though every file could be collected."""
    uncollected = any("::" not in finding.code for finding in result.findings)
    named = result.passed or base.passed
    return result.check == "pytest" and not named and base.total > result.total and not uncollected


def _fewer(base: CheckResult, result: CheckResult) -> Finding:
    """The finding that failures are gone and tests too."""
    missing = base.total - result.total
    what = "1 test that ran before does" if missing == 1 else f"{missing} tests that ran before do"
    return Finding(
        result.check, f"{what} not run any more: removing or skipping a failing test mends nothing", code=FEWER
    )
