"""What the checks say of the newest proposal: found out in the background, told as it comes, and explained."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Sequence

import msgspec

from agent_core import events as ev
from agent_core.checks.model import CheckResult, Finding, Stage, Verdict
from agent_core.diagnosis.blame import Blamer
from agent_core.diagnosis.evidence import diagnose
from agent_core.diagnosis.stall import stalled, stalls
from agent_core.draft import Draft
from agent_core.errors import PairloopError
from agent_core.judge import Judge
from agent_core.parts import Parts
from agent_core.state import ProposalState

_NAMED = 5
_STUCK = 2
_USABLE: frozenset[Stage] = frozenset({"affected", "all"})
_WAY_OUT = "Steer it with what it misses, choose another model, or make the change yourself: it will build on that."
log = logging.getLogger(__name__)


def usable(verdict: Verdict | None) -> bool:
    """Whether a human can decide by a verdict: what the change can affect has been looked at."""
    return verdict is not None and (verdict.complete or verdict.stage in _USABLE)


def may_land(verdict: Verdict | None) -> bool:
    """Whether a human who decides by a verdict may have it land: it is usable, and no early word is in it."""
    return verdict is not None and usable(verdict) and not any(one.early for one in verdict.results)


class Assessor:
    """Judges one proposal at a time; whatever it was about before is given up at once.

    Args:
        parts: The session's parts.
        judge: Checks drafts.
        blamer: Finds the blocks that failures come from.
        news: Called when there is something new to look at.
    """

    def __init__(self, parts: Parts, judge: Judge, blamer: Blamer, news: Callable[[], None]) -> None:
        self._parts = parts
        self._judge = judge
        self._blamer = blamer
        self._news = news
        self._judging: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()  # judgements that are being given up
        self._subject = ""
        self._blaming: asyncio.Task[None] | None = None
        self._error: PairloopError | None = None
        self._void = False
        self._unexplained: tuple[int, Draft, Verdict] | None = None  # what the blocks to blame are not known of yet

    @property
    def busy(self) -> bool:
        """Whether the checks are still at work."""
        return self._judging is not None and not self._judging.done()

    @property
    def void(self) -> bool:
        """Whether what was judged last was a tree that is no more, so that nothing was said of it."""
        return self._void

    @property
    def subject(self) -> str:
        """Hash of the tree that is judged, or was judged last; empty when that was given up."""
        return self._subject

    def trouble(self) -> None:
        """Say why nothing could be judged.

        Raises:
            PairloopError: That is so.
        """
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    async def begin(self, proposal: ProposalState, draft: Draft, *, part: bool = False) -> None:
        """Begin to judge a proposal.

        Args:
            proposal: The newest one.
            draft: What it is of.
            part: The draft is what the human took of it. What is said of that explains nothing about the whole.
        """
        self.give_up()
        await self.quiet()
        self._error, self._void, self._subject = None, False, draft.snapshot.tree
        text = next((task.text for task in self._parts.state().tasks if task.number == proposal.task), "")
        if not part:
            self._unexplained = None
        assess = self._assess_part if part else self._assess
        self._judging = asyncio.create_task(self._guarded(assess(proposal.number, draft, text), self._gone()))

    def give_up(self) -> None:
        """Give up at once what is being judged, without waiting until it has ended."""
        self._subject = ""
        if self._judging is not None and not self._judging.done():
            self._judging.cancel()
            self._leaving.add(self._judging)
            self._judging.add_done_callback(self._leaving.discard)
        self._judging = None

    async def _gone(self) -> None:
        """Wait until nothing is left of what was given up."""
        while self._leaving:
            await asyncio.wait(set(self._leaving))

    def holds(self, tree: str) -> None:
        """Say that what was judged before is what counts again; what explains it goes on where it was cut off."""
        self._subject = tree
        if self._unexplained is not None and self._unexplained[2].tree == tree and self._blaming is None:
            self._blaming = asyncio.create_task(self._blame(*self._unexplained))

    async def stop(self) -> None:
        """Give up everything that is under way."""
        self.give_up()
        await self.quiet()
        await self._gone()

    async def quiet(self) -> None:
        """Give up what nobody waits for, as something else needs the machine."""
        await _ended(self._blaming)
        self._blaming = None

    def diagnosis(self, proposal: ProposalState, verdict: Verdict) -> tuple[str, str]:
        """Summary for the human and evidence for the partner."""
        earlier = self._attempts(proposal)[:-1]
        return diagnose(verdict, proposal, earlier, self._parts.tool_tokens)

    # -- judging

    async def _guarded(self, work: Coroutine[None, None, None], before: Coroutine[None, None, None]) -> None:
        """Keep what went wrong for whoever waits for the verdict; it begins after something else."""
        try:
            with contextlib.closing(work):
                await before
                await work
        except PairloopError as error:
            self._error = error
            log.warning("judging ended: %s", error)
        except Exception as error:
            log.exception("judging failed")
            self._error = PairloopError(f"Judging the proposal failed: {type(error).__name__}: {error}.")
        finally:
            self._news()

    async def _assess(self, number: int, draft: Draft, text: str) -> None:
        told: list[Verdict] = []

        def so_far(verdict: Verdict) -> None:
            if verdict.tree == draft.snapshot.tree == self._tree(number) and not self._has_landed(number):
                told.append(verdict)
                self._parts.emit(ev.VerdictReached(number, _kept(verdict)))
                self._news()

        verdict = await self._judge.verdict(draft, text, so_far)
        now = await self._parts.look()
        if self._has_landed(number):
            self._late(number, verdict, told[-1] if told else None, unchanged=now.tree == verdict.tree)
        elif not verdict.complete or now.tree != draft.base.tree or draft.snapshot.tree != self._tree(number):
            self._void = True
        else:
            self._conclude(number, draft, verdict)

    async def _assess_part(self, number: int, draft: Draft, text: str) -> None:
        tree = draft.snapshot.tree

        def so_far(verdict: Verdict) -> None:
            proposal = self._parts.state().proposal
            if proposal is not None and (proposal.number, proposal.part_tree) == (number, tree) == (
                number,
                verdict.tree,
            ):
                self._parts.emit(ev.VerdictReached(number, _kept(verdict)))
                self._news()

        verdict = await self._judge.verdict(draft, text, so_far)
        now = await self._parts.look()
        if not verdict.complete or now.tree != draft.base.tree:
            self._void = True
        else:
            so_far(verdict)

    def _conclude(self, number: int, draft: Draft, verdict: Verdict) -> None:
        """The last word on a proposal; where it is bad, why."""
        emit = self._parts.emit
        emit(ev.VerdictReached(number, _kept(verdict)))
        proposal = self._parts.state().proposal
        if verdict.green or proposal is None or proposal.number != number:
            return
        emit(ev.Diagnosed(number, *self.diagnosis(proposal, verdict)))
        self._tell_stall(proposal, verdict)
        self._unexplained = number, draft, verdict
        self._blaming = asyncio.create_task(self._blame(number, draft, verdict))

    def _late(self, number: int, verdict: Verdict, before: Verdict | None, *, unchanged: bool) -> None:
        """What came in after the human had landed it. The base is gone by then, so nothing is compared with it."""
        if not unchanged:
            text = (
                f"The rest of the checks of proposal {number} counts for nothing: files have changed since it landed."
            )
            self._parts.emit(ev.Noted("info", text))
            return
        told = () if before is None else (*before.broken, *before.known, *before.targets_left, *before.flaky)
        new = _new_failures(verdict.results, told)
        silent = [one.check for one in verdict.results if not one.judged and one.outcome != "skipped"]
        head = f"The rest of the checks of proposal {number}, which has landed,"
        if not new and not silent:
            self._parts.emit(ev.Noted("info", f"{head} found nothing more."))
            return
        names = ", ".join(one.code or one.message for one in new[:_NAMED])
        more = f" and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
        said = [f"fails in {names}{more}" if new else "", f"did not judge: {', '.join(silent)}" if silent else ""]
        hint = "Undo takes the landing back; or ask for it to be mended."
        self._parts.emit(ev.Noted("warning", f"{head} {'; '.join(part for part in said if part)}.", hint))

    def _tree(self, number: int) -> str:
        """Hash of the tree that a proposal makes by now, which is another once somebody has rewritten some of it."""
        return next((one.tree for one in self._parts.state().proposals if one.number == number), "")

    def _has_landed(self, number: int) -> bool:
        landings = self._parts.state().landings
        return any(one.proposal == number and not one.undoes and one.stands != "abandoned" for one in landings)

    # -- explaining

    def _tell_stall(self, proposal: ProposalState, verdict: Verdict) -> None:
        """Tell the human once when the partner goes round in circles."""
        attempts = self._attempts(proposal)
        why = stalled(verdict, proposal.patch, attempts[:-1])
        if why and stalls(attempts) == _STUCK:
            self._parts.emit(ev.Noted("warning", f"The partner does not get on. {why}", _WAY_OUT))

    def _attempts(self, proposal: ProposalState) -> list[ProposalState]:
        """The attempts at the same task up to this one."""
        every = self._parts.state().proposals
        return [one for one in every if one.task == proposal.task and one.number <= proposal.number]

    async def _blame(self, number: int, draft: Draft, verdict: Verdict) -> None:
        try:
            found = await self._blamer.blame(draft, verdict, self._parts.journal.get)
        except Exception:
            # It is an extra; what it might have said is not worth a failed task.
            log.exception("the blocks to blame could not be found")
            return
        self._unexplained = None
        if found.blames or found.unneeded:
            self._parts.emit(ev.Blamed(number, verdict.tree, found.blames, found.unneeded))


def _kept(verdict: Verdict) -> Verdict:
    """A verdict as events tell it: without what would fill a journal and has been told, or will be."""
    brief = {"passed": ()} if verdict.complete else {"passed": (), "findings": ()}
    results = tuple(msgspec.structs.replace(result, **brief) for result in verdict.results)
    return msgspec.structs.replace(verdict, results=results)


def _new_failures(results: Sequence[CheckResult], told: Sequence[Finding]) -> list[Finding]:
    known = {finding.fingerprint for finding in told}
    return [finding for result in results for finding in result.findings if finding.fingerprint not in known]


async def _ended(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait until it is gone."""
    if task is not None and not task.done():
        task.cancel()
        await asyncio.wait([task])
