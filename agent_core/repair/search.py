"""The search for repairs: variants of suspicious lines are tried until one passes all tests, and then some more.

A variant is tried on the failing tests first, which ends with most of them at the first test. What passes those is
tried on the tests that pass without it: those that execute what it touches, then the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import msgspec

from agent_core.repair.aim import Aim, Outcome
from agent_core.repair.assembling import choices, common, passing
from agent_core.repair.batches import Batches
from agent_core.repair.hearing import trials_of
from agent_core.repair.hunt import Hunt, Survivor, Try, hunt_for, plainly_apart, split
from agent_core.repair.lab import TrialLab
from agent_core.repair.model import Plan, Progress, Stage, TestRun, Trial, Variant
from agent_core.repair.others import Others
from agent_core.repair.partial import partial_repairs
from agent_core.repair.project import Project

_MOST_REPAIRS = 12
# How long somebody waits for the variants of a batch, where they are not made yet.
_MAKING_SECONDS = 0.5
_MOST_LOOKED_OVER = 5
# After so many series of which nothing came, nothing will come of another one.
_MOST_IN_VAIN = 3
# So many changes a test may reject that mend what fails, before it is looked whether it passes at all times.
_DOUBTED = 2
_MOSTLY = 0.5
_GO_ON, _SHARE_SURE = (2.0, 20.0), 0.2
_TELL_EVERY = 0.2
# By when tests are taken apart that no single change mends, and how many changes are tried before; by when what mends
# not all is put together with others; as shares of the time.
_APART_AFTER, _APART_TRIED, _APART_LATEST = 0.3, 200, 0.6
_PAIRS_AFTER = 0.5
# The share of the time that the tests may take which do not execute what is touched.
_REST = 0.25
# What putting repairs together and comparing them may take of the time, and at most.
_AFTERWARDS_SHARE, _AFTERWARDS = 0.1, 6.0


class Search:
    """One search.

    Args:
        lab: Where variants are tried.
        project: The project.
        aim: What it is about.
        tell: Told how it gets on.
        enough: Set when it is to end with what it has.
        objection: Tells what the checks that read the code have against a variant, if anything; None where nobody asks.
    """

    def __init__(
        self,
        lab: TrialLab,
        project: Project,
        aim: Aim,
        tell: Callable[[Progress], None],
        enough: asyncio.Event,
        *,
        objection: Callable[[Variant], Awaitable[str]] | None = None,
    ) -> None:
        self._lab = lab
        self._project = project
        self._aim = aim
        self._tell = tell
        self._enough = enough
        self._objection = objection
        self._numbers = itertools.count(1)
        self._others = Others(aim.passing, project, _REST * aim.limit)
        self._before: dict[str, str] = {}
        self._sure: set[str] = set()
        self._hunts: list[Hunt] = []
        self._apart = False
        # All failing tests at once, where it goes on beside the hunts for parts of them.
        self._whole: Hunt | None = None
        self._whole_next = False
        self._start = time.monotonic()
        self._found_at: float | None = None
        self._tried = 0
        self._lines: set[tuple[str, int]] = set()
        self._batches = Batches()
        self._told = 0.0
        self._stage: Stage = "trying"
        # Series one after the other of which nothing came as what runs the tests ended, and why.
        self._in_vain = 0
        self._fault = ""
        self._crashed = 0

    async def run(self) -> Outcome:
        """Search.

        Raises:
            SandboxError: A tree could not be made.
        """
        aim = self._aim
        whole = await self._hunt(aim.failing)
        self._hunts = [whole]
        if plainly_apart(aim.failing, whole.suspects) and await self._take_apart():
            self._whole = None
        while not self._over():
            hunt = self._turn()
            if hunt is None:
                break
            batch = await self._batch(hunt)
            if batch:
                await self._attempt(hunt, batch)
            elif hunt.ordering.exhausted:
                if again := await self._doubted(hunt):
                    await self._attempt(hunt, again)
                elif not await self._another_way(hunt):
                    hunt.done = True
        survivors = await self._assembled()
        mended = survivors[0].mends if survivors else ()
        left = tuple(run.test for run in aim.failing if run.test not in mended)
        if left:
            survivors = tuple(msgspec.structs.replace(one, whole=False) for one in survivors)
        return Outcome(
            survivors,
            whole.suspects,
            self._tried,
            len(self._lines),
            left,
            all(hunt.done for hunt in self._hunts) and (self._whole is None or self._whole.done),
            partial_repairs((whole, *self._hunts), left),
            self._fault if self._in_vain >= _MOST_IN_VAIN or self._crashed == self._tried else "",
        )

    # -- what is next

    async def _hunt(self, failing: Sequence[TestRun]) -> Hunt:
        aim = self._aim
        return await asyncio.to_thread(hunt_for, failing, aim.passing, self._project, aim.allowed)

    def _left(self) -> float:
        """How much time there is for trials; some of it is kept for what is done with what was found."""
        kept = min(_AFTERWARDS_SHARE * self._aim.limit, _AFTERWARDS) if self._found() else 0.0
        return self._aim.until - kept - time.monotonic()

    def _over(self) -> bool:
        if self._enough.is_set() or self._left() <= 0 or self._in_vain >= _MOST_IN_VAIN:
            return True
        if not all(hunt.survivors for hunt in self._hunts):
            return False
        now = time.monotonic()
        if self._found_at is None:
            self._found_at = now
        clean = all(any(one.clean for one in hunt.survivors) for hunt in self._hunts)
        sure = all(hunt.is_sure for hunt in self._hunts)
        longer = how_much_longer(self._found_at - self._start, clean=clean, sure=sure)
        return now >= self._found_at + longer or (clean and self._found() >= _MOST_REPAIRS * len(self._hunts))

    def _found(self) -> int:
        return sum(len(hunt.survivors) for hunt in self._hunts)

    def _spent(self) -> float:
        """Which share of the time is over."""
        return (time.monotonic() - self._start) / max(self._aim.until - self._start, 0.001)

    def _long_enough_together(self) -> bool:
        """Whether it was tried for long to mend all tests by one change."""
        spent = self._spent()
        return spent > _APART_LATEST or (spent > _APART_AFTER and self._tried >= _APART_TRIED)

    def _turn(self) -> Hunt | None:
        """Whose turn it is: of those without a repair, if there are any, the one with the fewest tried so far."""
        self._whole_next = not self._whole_next
        if self._whole is not None and not self._whole.done and self._whole_next:
            return self._whole
        going = [hunt for hunt in self._hunts if not hunt.done]
        bare = [hunt for hunt in going if not hunt.survivors]
        return min(bare or going, key=lambda hunt: len(hunt.ended), default=None)

    async def _batch(self, hunt: Hunt) -> list[Try]:
        """What is tried next; nothing where all that came up is known not to do, or nothing came."""
        size = self._batches.size
        self._stage = "trying"
        exhausted = hunt.ordering.exhausted
        if not hunt.survivors and (exhausted or self._spent() > _PAIRS_AFTER):
            hunt.by_pairs = exhausted or not hunt.by_pairs
            if hunt.by_pairs and (pairs := await asyncio.to_thread(hunt.pairs, size)):
                self._stage = "pairs"
                return [(None, pair) for pair in pairs]
        taken = await hunt.ordering.take(size, max(_MAKING_SECONDS, self._batches.starting))
        return [(line, variant) for line, variant in taken if hunt.ended.get(variant.edits, "") not in hunt.tests]

    async def _another_way(self, hunt: Hunt) -> bool:
        """Whether there is another way where one has nothing more to try: as if there were several reasons."""
        return not self._apart and not hunt.survivors and await self._take_apart()

    async def _take_apart(self) -> bool:
        """Go on as if the tests failed for several reasons; False where they cannot be told apart."""
        self._apart = True
        aim, whole = self._aim, self._hunts[0]
        groups = await asyncio.to_thread(split, aim.failing, aim.passing, self._project, aim.allowed)
        if len(groups) < 2:
            return False
        self._whole = whole
        self._hunts = [await self._hunt(group) for group in groups]
        for one in self._hunts:
            one.ended = dict(whole.ended)
        return True

    # -- trying

    async def _attempt(self, hunt: Hunt, batch: Sequence[Try]) -> None:
        """Try some variants: on the failing tests, and those that pass on the others."""
        planned = {next(self._numbers): one for one in batch}
        ordered = self._aim.ordered
        plans = [self._plan(number, variant, hunt, others=ordered) for number, (_, variant) in planned.items()]
        self._batches.begin()
        passed: list[Try] = []
        ahead = asyncio.create_task(hunt.ordering.ahead())
        try:
            async with contextlib.aclosing(self._trials(plans)) as trials:
                async for trial in trials:
                    self._tried += 1
                    self._batches.end_one()
                    if trial.outcome == "passed" and not ordered:
                        passed.append(planned[trial.number])
                    else:
                        self._took(hunt, planned[trial.number], trial)
                    if self._over():
                        break
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
        self._in_vain = self._in_vain + 1 if not self._batches.ended and self._lab.fault else 0
        self._fault = self._lab.fault or self._fault
        self._batches.end()
        if passed:
            await self._confirm(hunt, passed)
        if again := await self._doubted(hunt):
            await self._attempt(hunt, again)
        if hunt is self._whole and hunt.survivors:
            # It is one fault.
            self._hunts, self._whole = [hunt], None
        await self._spread(hunt)
        await self._look_over(hunt)
        if not self._apart and not hunt.survivors and self._long_enough_together():
            await self._take_apart()

    async def _confirm(self, hunt: Hunt, passed: Sequence[Try]) -> None:
        """Try variants that mend a hunt's tests on the tests that pass without them."""
        planned = {next(self._numbers): one for one in passed}
        plans = [self._plan(number, variant, hunt, others=True) for number, (_, variant) in planned.items()]
        async with contextlib.aclosing(self._trials(plans)) as trials:
            async for trial in trials:
                self._took(hunt, planned[trial.number], trial)

    def _plan(self, number: int, variant: Variant, hunt: Hunt, *, others: bool) -> Plan:
        if not others:
            return Plan(number, variant.edits, hunt.tests)
        return Plan(number, variant.edits, (*hunt.tests, *self._others.of(variant)))

    def _trials(self, plans: Sequence[Plan]) -> AsyncGenerator[Trial, None]:
        return trials_of(self._lab, plans, self._enough, self._left())

    def _took(self, hunt: Hunt, tried: Try, trial: Trial) -> None:
        """Take down what came of a variant that was tried."""
        line, variant = tried
        self._lines.add((variant.path, variant.line))
        if trial.outcome == "crashed":
            self._crashed, self._fault = self._crashed + 1, trial.why
        if trial.outcome == "passed":
            weight = line.weight if line is not None else 0.0
            whole = self._aim.whole and self._others.whole(variant)
            hunt.survivors.append(Survivor(variant, weight, trial.passed, whole, hunt.tests))
        elif trial.test in self._others:
            hunt.breaks(tried, trial.test)
        else:
            hunt.learn(tried, trial, before=self._before.setdefault(trial.test, trial.why))
        self._say(f"{variant.says} in {variant.path}:{variant.line}", news=trial.outcome == "passed")

    async def _doubted(self, hunt: Hunt) -> list[Try]:
        """Look whether the tests that reject much pass at all times without any change; gives what others rejected."""
        if hunt.survivors:
            return []
        least = 1 if hunt.ordering.exhausted else _DOUBTED
        doubtful = [test for test, tried in hunt.rejected.items() if len(tried) >= least and test not in self._sure]
        if doubtful:
            self._sure.update(doubtful)
            planned = {next(self._numbers): test for test in doubtful}
            plans = [Plan(number, (), (test,)) for number, test in planned.items()]
            async with contextlib.aclosing(self._trials(plans)) as trials:
                async for trial in trials:
                    if trial.outcome != "passed":
                        self._others.drop(planned[trial.number])
        # Another hunt may have found out about some of them.
        return [one for test in list(hunt.rejected) if test not in self._others for one in hunt.rejected.pop(test)]

    # -- what came of it

    async def _spread(self, hunt: Hunt) -> None:
        """Try what mends one part on the tests of the others that have no repair: it may have been one fault."""
        bare = [one for one in self._hunts if not one.survivors]
        new, hunt.spread = hunt.survivors[hunt.spread :], len(hunt.survivors)
        if not bare or not new:
            return
        planned = {next(self._numbers): (one, other) for one in new for other in bare}
        plans = [Plan(number, one.variant.edits, other.tests) for number, (one, other) in planned.items()]
        async with contextlib.aclosing(self._trials(plans)) as trials:
            async for trial in trials:
                one, other = planned[trial.number]
                if trial.outcome == "passed":
                    passed = one.passed - len(one.mends) + len(other.tests)
                    other.survivors.append(msgspec.structs.replace(one, mends=other.tests, passed=passed))
                    other.spread = len(other.survivors)

    async def _look_over(self, hunt: Hunt) -> None:
        """Ask about the survivors, until one is clean."""
        if self._objection is None or any(one.clean for one in hunt.survivors[: hunt.looked_over]):
            return
        for number in range(hunt.looked_over, min(len(hunt.survivors), _MOST_LOOKED_OVER)):
            one = hunt.survivors[number]
            objection = await self._objection(one.variant)
            hunt.survivors[number] = msgspec.structs.replace(one, objection=objection)
            hunt.looked_over = number + 1
            if not objection:
                break

    async def _assembled(self) -> tuple[Survivor, ...]:
        """What mends all, put together of what mends a part; where a part has no repair, what mends the others."""
        parts = [hunt.survivors for hunt in self._hunts if hunt.survivors]
        mended = sum(len(hunt.tests) for hunt in self._hunts if hunt.survivors)
        if self._whole is not None and mended < _MOSTLY * len(self._aim.failing):
            # What mends one test of many that seem to fail for the same reason, fits that test and nothing else.
            return ()
        if len(parts) < 2:
            return tuple(parts[0]) if parts else ()
        if shared := common(parts):
            return tuple(shared)
        # Who has had enough waits for this: it makes one of what was found.
        left = 0.0 if self._enough.is_set() else self._left()
        made = choices(parts, _MOST_REPAIRS)
        return await passing(self._lab, made, self._others.names, left, self._numbers) or tuple(parts[0])

    def _say(self, trying: str, *, news: bool) -> None:
        now = time.monotonic()
        if news or now - self._told >= _TELL_EVERY:
            self._told = now
            self._tell(Progress(self._stage, self._tried, 0, self._found(), trying))


def how_much_longer(took: float, *, clean: bool, sure: bool) -> float:
    """How many seconds are looked on for other repairs when there is one.

    Args:
        took: How many it took to that one.
        clean: Nobody objects to it; what only tests are content with is worth to look further for longer.
        sure: It is an ordinary slip at the most suspicious line: what comes behind it is less likely each time, and
            there is time enough for what is about as ordinary there.
    """
    least, most = _GO_ON
    longer = min(max(took, least), most) if clean else most
    return min(longer, least + _SHARE_SURE * longer) if sure else longer
