"""A second look at what one run of the checks leaves in doubt: what was remembered, what wavers, what is silenced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence

import msgspec

from agent_core.checks.baseline import bound_to
from agent_core.checks.bench import Bench, Trees
from agent_core.checks.matching import compare, renamed
from agent_core.checks.model import CheckResult, Finding, Wish, key_of_test, unheard
from agent_core.checks.pytest import PytestCheck
from agent_core.checks.runner import run_check
from agent_core.checks.silencing import Silencing
from agent_core.checks.verdict import Waver
from agent_core.checks.wavering import Again, Doubt, Settled, recalled, settle
from agent_core.protocols import Candidate, Check

_MOST_HIDDEN = 200

Said = Mapping[str, CheckResult]


class Without(msgspec.Struct, frozen=True):
    """What the checks say without what the patch changes of what they look at; see `agent_core.checks.verdict.Aside`.

    Attributes:
        hidden: Findings of the base that are there still, by fingerprint.
        silenced: New findings that are not shown.
        notes: What a human is told.
    """

    hidden: Mapping[str, int] = {}
    silenced: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


class SecondLook:
    """Looks again.

    Args:
        bench: What comparisons share.
        trees: What is compared.
        changed: The paths in which they differ.
        moves: Old path to new path of moved files.
    """

    def __init__(self, bench: Bench, trees: Trees, changed: tuple[str, ...], moves: Mapping[str, str]) -> None:
        self._bench = bench
        self._trees = trees
        self._changed = changed
        self._moves = moves

    async def confirmed(
        self, base: tuple[CheckResult, ...], results: tuple[CheckResult, ...]
    ) -> tuple[CheckResult, ...]:
        """The base's results; what comes from an earlier session is judged anew where it would make a difference."""
        corrected: dict[str, CheckResult] = {}
        anew: set[str] = set()
        for check, old, new in zip(self._bench.checks, base, results, strict=True):
            if not old.cached:
                continue
            if isinstance(check, PytestCheck) and new.judged:
                verified = self._bench.memory.verified.setdefault(old.tree, set())
                better = await recalled(old, new, self._moves, self._on_base(check), verified)
                if better is None:
                    anew.add(check.name)
                elif better is not old:
                    corrected[check.name] = better
                    self._bench.baseline.put(check, better)
                continue
            compared = compare(old, new, self._moves)
            if compared.broken or compared.fixed or not new.judged:
                anew.add(check.name)
        if anew:
            trees = self._trees
            base = await self._bench.baseline.anew(anew, trees.base, self._changed, changes=trees.before)
        return tuple(corrected.get(said.check, said) for said in base)

    def _on_base(self, check: Check) -> Again:
        def again(wish: Wish) -> Awaitable[CheckResult]:
            trees, baseline = self._trees, self._bench.baseline
            return baseline.again(check, trees.base, wish, changes=trees.before, paths=self._changed)

        return again

    def doubt(
        self, checks: Sequence[Check], before: Said, after: Said, targets: Sequence[Finding]
    ) -> tuple[PytestCheck, Doubt] | None:
        """The tests to run again, and who runs them; None where there are none."""
        for check in checks:
            if not isinstance(check, PytestCheck):
                continue
            base, result = before[check.name], after[check.name]
            if not (base.judged and result.judged):
                continue
            compared = compare(base, result, self._moves)
            wanted = {renamed(finding, self._moves).fingerprint for finding in targets}
            doubt = Doubt(
                tuple(finding for finding in compared.broken if "::" in finding.code),
                tuple(one for one in compared.fixed if "::" in one.code and one.fingerprint in wanted),
            )
            if doubt:
                return check, doubt
        return None

    async def settled(
        self, candidate: Candidate, doubt: tuple[PytestCheck, Doubt] | None, before: Said, after: Said
    ) -> Settled:
        """What running doubtful tests again shows."""
        if doubt is None:
            return Settled()
        check, tests = doubt

        async def on_candidate(wish: Wish) -> CheckResult:
            with self._bench.slots.taken():
                return await run_check(check, candidate, "candidate", unheard, wish)

        return await settle(
            tests,
            before[check.name],
            after[check.name],
            self._moves,
            on_candidate=on_candidate,
            on_base=self._on_base(check),
            known=self._bench.memory.wavers,
        )

    def remembered(self, doubt: tuple[PytestCheck, Doubt] | None) -> dict[str, Waver]:
        """Tests that wavered before in this session: that they pass now is no merit of the patch.

        What has been run again speaks for itself.
        """
        again = {key_of_test(one.code) for one in (*doubt[1].broken, *doubt[1].mended)} if doubt is not None else set()
        before = "It wavered before in this session."
        return {key: Waver(before, failed=False) for key in self._bench.memory.wavers if key not in again}

    async def without(self, silencing: Silencing, before: Said, after: Said) -> Without:
        """What the checks say without what the patch changes of what they look at."""
        bench, trees = self._bench, self._trees
        hidden: Counter[str] = Counter()
        silenced: list[Finding] = []
        notes: list[str] = []
        if not silencing.checks:
            return Without()
        strict = await bench.workspace.candidate(trees.base, {**trees.after, **silencing.without}, cache="strict")
        try:
            for check in bench.checks:
                base, result = before[check.name], after[check.name]
                if check.name not in silencing.checks or not result.judged:
                    continue
                shown = compare(base, result, self._moves)
                wish = Wish()
                if isinstance(check, PytestCheck):
                    wish = Wish(only=tuple(one.code for one in shown.fixed if "::" in one.code)[:_MOST_HIDDEN])
                    if not wish.only:
                        notes += silencing.notes(check.name)
                        continue
                with bench.slots.taken():
                    said = await run_check(bound_to(check, strict, self._changed), strict, "candidate", unheard, wish)
                if not said.judged:
                    notes.append(f"{silencing.note(check.name)}, and without that it could not judge")
                    continue
                seen = compare(base, said, self._moves)
                gone = Counter(one.fingerprint for one in shown.fixed) & Counter(one.fingerprint for one in seen.known)
                there = Counter(one.fingerprint for one in shown.broken)
                unseen = [one for one in seen.broken if not _taken(there, one.fingerprint)]
                hidden += gone
                silenced += unseen
                notes += silencing.notes(check.name, gone.total(), len(unseen))
        finally:
            await strict.close()
        return Without(hidden, tuple(silenced), tuple(notes))


def _taken(counts: Counter[str], key: str) -> bool:
    """Take one of a kind away; False when there is none left."""
    if counts[key] <= 0:
        return False
    counts[key] -= 1
    return True
