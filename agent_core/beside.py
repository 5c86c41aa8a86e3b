"""Free fixes first: while a model is at work and tests fail, a repair is looked for without it, in the background."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable

import msgspec

from agent_core import events as ev
from agent_core.checks.bench import Trees
from agent_core.checks.model import CheckResult, Verdict
from agent_core.draft import Draft, disk_reader
from agent_core.errors import JournalError, PairloopError
from agent_core.judge import Judge
from agent_core.parts import Parts
from agent_core.patch.diff import unified
from agent_core.repair.desk import Repairs
from agent_core.repair.edited import edited
from agent_core.repair.model import Found, Progress, Repair, Wanted
from agent_core.repair.named import meant
from agent_core.repairing import Told, finder_of
from agent_core.state import State
from agent_core.text import counted
from agent_core.view import DraftView
from agent_core.workspace.tree import Changes, Snapshot

_MOST_JUDGED = 3
_LEAST_SECONDS = 1.0
_A_MOMENT = 0.5  # seconds that are waited without a word
_LOOKED_FOR = "The partner has come to nothing; a repair without it is still looked for. Say something, and it goes on."
_NOTHING = "No repair was found without it either."
_NOT_GREEN = "What the tests pass with is not green by all checks."
_TO_SAY = 0.12  # seconds in which a search that has to stop can say what it has learnt
_TO_END = 2.0  # seconds after which what does not end is not waited for any more
_TURNS = (
    *ev.MOVES,
    ev.Asked,
    ev.TaskFinished,
    ev.PromptSent,
    ev.ToolFinished,
    ev.VerdictReached,
    ev.Decided,
    ev.DecisionAwaited,
    ev.RepairsSwitched,
    ev.RepairFound,
    ev.SettingsTold,
)
_NO_MODELS = frozenset({"offline", "scripted"})
log = logging.getLogger(__name__)


class _Learnt(msgspec.Struct, frozen=True):
    """What is known of repairs of one tree.

    Attributes:
        tree: Its hash.
        tests: What the task names of the tests that fail, as `Wanted.tests`; empty for all.
        used: Seconds that were looked for.
        repairs: What was found and has not been judged by all checks.
        settled: There is nothing more to look for.
        evidence: What the model was told of it.
        word: Why there is nothing to offer, where the search has ended so.
    """

    tree: str = ""
    tests: tuple[str, ...] = ()
    used: float = 0.0
    repairs: tuple[Repair, ...] = ()
    settled: bool = False
    evidence: str = ""
    word: str = ""


class Beside:
    """Looks for repairs of the working tree while a model is at work on a task, and offers those that are green.

    It stops at once when the machine is needed for the model's own proposals, and goes on when that is over.

    Args:
        parts: The session's parts.
        judge: Knows what the checks say.
    """

    def __init__(
        self,
        parts: Parts,
        judge: Callable[[], Judge],
    ) -> None:
        self._parts = parts
        self._judge = judge
        self._finder: Repairs | None = None
        self._group: asyncio.TaskGroup | None = None
        self._work: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._enough = asyncio.Event()
        self._said = asyncio.Event()
        self._needed = 0  # how many need the machine now
        self._learnt = _Learnt()

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Work within a group of tasks from now on."""
        self._group = group

    @property
    def on(self) -> bool:
        """Whether repairs are looked for, by what is set or was switched since."""
        switched = self._parts.state().repairs.switched
        if switched is not None:
            return switched
        return self._parts.config.repair.beside and self._parts.model.info.kind not in _NO_MODELS

    def listen(self, entry: ev.Entry, state: State) -> None:
        """Begin, stop or go on by what happens in the session."""
        if isinstance(entry.event, ev.Steered):
            self._said.set()
        if not isinstance(entry.event, _TURNS):
            return
        if isinstance(entry.event, ev.MOVES):
            self._stop()
            self._learnt = _Learnt()
        if isinstance(entry.event, ev.RepairsSwitched) or (isinstance(entry.event, ev.Asked) and self._learnt.tests):
            # Of the tests that another task did not name nothing is known.
            self._learnt = _Learnt()
        self._turn(state)

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncGenerator[None, None]:
        """Leave the machine to somebody, who waits until nothing of the search is left."""
        self._needed += 1
        await self._halt()
        try:
            yield
        finally:
            # What comes of it is told next: it goes on, or not, by that.
            self._needed -= 1

    async def outcome(self) -> None:
        """Wait until nothing more is looked for in the task that runs, or the human says something.

        For a partner that has come to nothing: that it is waited for is said, as it may take a minute, more where the
        tests do.
        """
        self._said.clear()
        self._turn(self._parts.state())
        said = asyncio.ensure_future(self._said.wait())
        try:
            patience: float | None = _A_MOMENT
            while self._work is not None and not said.done():
                done, _ = await asyncio.wait([self._work, said], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    self._parts.emit(ev.Noted("info", _LOOKED_FOR))
                    patience = None
            if patience is None and not said.done() and self._parts.state().repairs.find is None:
                self._parts.emit(ev.Noted("info", " ".join(filter(None, (_NOTHING, self._learnt.word)))))
        finally:
            said.cancel()

    async def close(self) -> None:
        """End what runs, for good."""
        self._group = None
        self._stop()
        await self._gone()

    # -- when it looks

    def _turn(self, state: State) -> None:
        if not self._is_wanted(state):
            self._stop()
        elif self._work is None and self._group is not None:
            self._enough = asyncio.Event()
            self._work = self._group.create_task(self._guarded())
            self._work.add_done_callback(self._over)

    def _is_wanted(self, state: State) -> bool:
        task, info, proposal = state.task, self._parts.model.info, state.proposal
        if not self.on or info.kind == "offline" or self._needed or self._learnt.settled:
            return False
        if task is None or task.answers:
            return False
        if state.phase == "landing" or proposal is None or proposal.task != task.number:
            return state.phase != "landing"
        return not (proposal.green and proposal.decision is None)

    def _over(self, task: asyncio.Task[None]) -> None:
        if self._work is task:
            self._work = None

    def _stop(self) -> None:
        """End it at once, without waiting."""
        if self._work is not None:
            self._work.cancel()
            self._leaving.add(self._work)
            self._work.add_done_callback(self._leaving.discard)
            self._work = None

    async def _halt(self) -> None:
        """End it, and wait until it has ended; what it has learnt so far it may say."""
        work = self._work
        if work is not None:
            self._enough.set()
            await asyncio.wait([work], timeout=_TO_SAY)
        self._stop()
        await self._gone()

    async def _gone(self) -> None:
        if self._leaving:
            await asyncio.wait(set(self._leaving), timeout=_TO_END)

    # -- looking

    async def _guarded(self) -> None:
        """Look; whatever becomes of it, the task goes on as if nobody had."""
        while self._leaving:
            await asyncio.wait(set(self._leaving))
        try:
            await self._look()
        except JournalError:
            raise
        except PairloopError as error:
            log.warning("no repair was looked for beside the model: %s", error)
            self._settle()
        except Exception:
            log.exception("looking for a repair beside the model failed")
            self._settle()

    def _settle(self) -> None:
        self._learnt = msgspec.structs.replace(self._learnt, settled=True)

    async def _look(self) -> None:
        base = await self._parts.look()
        if self._learnt.tree != base.tree:
            self._learnt = _Learnt(base.tree)
        from agent_core.prompt.repair_words import evidence  # noqa: PLC0415 - with what it says, not needed to paint
        from agent_core.repair.standing import Standing  # noqa: PLC0415 - not before something is looked for

        judge = self._judge()
        async with Standing(lambda heard: judge.standing(base, anew=False, heard=heard)) as standing:
            # The others may take long, and nobody needs to know yet what they say.
            await standing.wait(("pytest",))
            failing = _failing(standing.results)
        named, failing = await asyncio.to_thread(self._named, base, failing)
        if self._learnt.tests != named:
            self._learnt = _Learnt(base.tree, named)
        left = self._parts.config.repair.seconds - self._learnt.used
        if not failing or (left < _LEAST_SECONDS and not self._learnt.repairs):
            self._settle()
            return
        told = Told(self._parts.emit, beside=True)
        self._parts.emit(ev.RepairSought(beside=True, what=counted(len(failing), "failing test")))
        found, say, says = Found(ended="stopped"), "", ""
        green: tuple[Repair, Verdict, Draft] | None = None
        try:
            if not self._learnt.repairs:
                found = await self._find(left, told)
            green, others = await self._judged(base, told)
            says = await self._says(*green) if green is not None else ""
            say = evidence(found, green[0] if green is not None else None, others, self._line)
        finally:
            say = "" if say == self._learnt.evidence else say
            self._learnt = msgspec.structs.replace(self._learnt, evidence=say or self._learnt.evidence)
            self._told_end(found, told.last, int(green is not None), say)
        if green is not None:
            self._offer(base, *green, says)
        elif not self._enough.is_set():
            self._settle()

    def _named(self, base: Snapshot, failing: list[str]) -> tuple[tuple[str, ...], list[str]]:
        """The tests that the task names and those of them that fail; all that fail where it names none of them."""
        from agent_core.partners.offline.wishes import wish_of  # noqa: PLC0415 - as above

        task = self._parts.state().task
        if task is None or not failing:
            return (), failing
        named = wish_of(task.text, DraftView(self._parts.workspace, Draft(base)), 0.0).wanted.tests
        about = [one for one in failing if meant(one, named)]
        return (named, about) if about else ((), failing)

    async def _find(self, seconds: float, told: Told) -> Found:
        if self._finder is None:
            self._finder = await finder_of(self._parts, self._judge(), self._tree)
        try:
            wanted = Wanted(self._learnt.tests, ("tests",), seconds=seconds, spare=True)
            found = await self._finder.find(wanted, told, self._enough)
        finally:
            used = self._learnt.used + told.last.seconds
            self._learnt = msgspec.structs.replace(self._learnt, used=used)
        # What the search says of a repair is no word for who is told that there is none.
        word = _NOT_GREEN if found.repairs else found.word
        self._learnt = msgspec.structs.replace(self._learnt, repairs=found.repairs[:_MOST_JUDGED], word=word)
        return found

    async def _judged(
        self, base: Snapshot, told: Told
    ) -> tuple[tuple[Repair, Verdict, Draft] | None, list[tuple[Repair, Verdict]]]:
        """The first of the repairs that is green by all checks, and those before it with what they break."""
        others: list[tuple[Repair, Verdict]] = []
        while self._learnt.repairs and not self._enough.is_set():
            repair, *rest = self._learnt.repairs
            said = f"{repair.variant.says}, by all checks"
            told(msgspec.structs.replace(told.last, stage="comparing", found=1, trying=said))
            changes = edited(repair.variant.edits, self._parts.workspace.read, base)
            verdict = await self._judge().quietly(Trees(base, changes))
            self._learnt = msgspec.structs.replace(self._learnt, repairs=tuple(rest))
            if verdict.green and verdict.complete and verdict.fixed and not verdict.unable:
                read = disk_reader(self._parts.workspace, base)
                return (repair, verdict, Draft(base, {path: read(path) for path in changes}, changes)), others
            others.append((repair, verdict))
        return None, others

    async def _says(self, repair: Repair, verdict: Verdict, draft: Draft) -> str:
        """A find in a sentence; the files are parsed for it, which takes long where they are."""
        from agent_core.prompt.repair_words import find_says  # noqa: PLC0415 - as above
        from agent_core.repair.project import Project  # noqa: PLC0415 - as above

        project = Project(tuple(draft.changes), self._parts.workspace.read)
        return await asyncio.to_thread(find_says, repair, verdict, project)

    def _offer(self, base: Snapshot, repair: Repair, verdict: Verdict, draft: Draft, says: str) -> None:
        for content in draft.contents().values():
            self._parts.journal.put(content)
        patch = draft.patch()
        finds = self._parts.state().repairs.finds
        tests = next((one.total for one in verdict.results if one.check == "pytest"), repair.passed)
        self._settle()
        self._parts.emit(
            ev.RepairFound(
                1 + (finds[-1].number if finds else 0),
                says,
                patch,
                unified(patch, self._parts.journal.get),
                tests,
                base.tree,
                draft.snapshot.tree,
                whole=repair.whole,
                mends=tuple(one.code for one in verdict.fixed if one.check == "pytest"),
            ),
            durable=True,
        )

    def _told_end(self, found: Found, last: Progress, green: int, say: str) -> None:
        """Say what it came to; with its task it ends without a word, as nothing comes after the end of a task."""
        if self._parts.state().repairs.search is None:
            return
        tried, seconds = found.tried or last.tried, found.seconds or last.seconds
        self._parts.emit(
            ev.RepairEnded(
                beside=True, found=green, word=found.word, tried=tried, seconds=seconds, ended=found.ended, evidence=say
            )
        )

    async def _tree(self) -> tuple[Snapshot, Changes]:
        return await self._parts.look(), {}

    def _line(self, path: str, line: int) -> str:
        """A line of a file, stripped; empty where it is not there."""
        data = self._parts.workspace.read(path)
        lines = data.decode("utf-8", "replace").splitlines() if data is not None else []
        return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def _failing(results: tuple[CheckResult, ...]) -> list[str]:
    """The tests that fail."""
    failed = (one for one in results if one.check == "pytest" and one.outcome == "failed")
    return [finding.code for one in failed for finding in one.findings]
