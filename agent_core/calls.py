"""Carrying out the calls of one answer: patches into the draft, tools at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from itertools import groupby

import msgspec

from agent_core import events as ev
from agent_core.consent import CALL, Consent
from agent_core.conversation import ToolCallItem, ToolResultItem, ToolSpec
from agent_core.decisions import Inbox
from agent_core.diagnosis.stall import Repeats
from agent_core.errors import JournalError, PairloopError, PatchRefusedError, PatchUnwantedError, first_cause
from agent_core.forms import Forms
from agent_core.judge import Judge
from agent_core.keys.known import KNOWN
from agent_core.parts import Parts
from agent_core.prompt import replies
from agent_core.proposals import Proposals
from agent_core.tool_run import Run
from agent_core.tools.base import Tool, ToolOutput
from agent_core.tools.looking import looking_tools
from agent_core.tools.toolbox import APPLY_PATCH, RUN_CHECKS, Toolbox
from agent_core.view import shown

_MOST_REPEATS = 3
log = logging.getLogger(__name__)


class _Tried(msgspec.Struct, frozen=True):
    """A patch of the answer: how it was read, or why it was not taken."""

    call: ToolCallItem
    note: str = ""
    refusal: PatchRefusedError | None = None


class Calls:
    """Carries out what the partner calls.

    Args:
        parts: The session's parts.
        judge: Checks drafts.
        proposals: Takes patches.
        inbox: Where the human's answers arrive.
        make_room: Ends what runs in the background, before a tool that runs something itself.
        forms: Is told which patches came to nothing.
    """

    def __init__(
        self,
        parts: Parts,
        judge: Judge,
        proposals: Proposals,
        inbox: Inbox,
        make_room: Callable[[], Awaitable[None]],
        *,
        forms: Forms,
    ) -> None:
        self._parts = parts
        self._judge = judge
        self._proposals = proposals
        self._inbox = inbox
        self._make_room = make_room
        self._forms = forms
        self._consent = Consent(parts, inbox)
        self._toolbox = Toolbox(
            self._consent.approve,
            parts.config.tools,
            looking=looking_tools(parts, self._consent.approve),
            ask=self._consent.ask,
            planned=lambda steps: parts.emit(ev.PlanUpdated(steps)),
            printed=self._printed,
        )
        self._running: dict[str, Run] = {}
        self._held: list[str] = []  # notes on the patches that are in the draft but in no proposal
        self._repeats = Repeats()
        self._repeated = ""

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the partner is offered."""
        return self._toolbox.specs

    def _note(self, text: str, hint: str) -> None:
        self._parts.emit(ev.Noted("warning" if hint else "info", text, hint))

    async def begin(self) -> None:
        """Start a task: nothing is held back. The first one waits until all tools are there."""
        await self._parts.partner_known()
        self._toolbox.settle(small=self._parts.model.info.reads_little)
        await self._toolbox.gather(self._parts.sources, self._note)
        self._consent.begin()
        self._held = []
        self._repeats, self._repeated = Repeats(), ""

    def forgive(self) -> None:
        """The partner is to write its patches in another form: what was refused so far does not count any more."""
        self._repeats, self._repeated = Repeats(), ""

    @property
    def repeated(self) -> str:
        """Why the patch is refused that the partner sends again and again; empty when it does not."""
        return self._repeated

    async def carry_out(self, calls: tuple[ToolCallItem, ...], task: int) -> tuple[int, bool]:
        """Carry out the calls of one answer, in order; those that only look, side by side, at the same time.

        The patches of an answer belong together: when one is refused, no proposal is made of the others. They stay in
        the draft until the refused one comes again.

        Returns:
            How many patches were refused, and whether a proposal was made. The call that made it stays unanswered until
            it is decided on.
        """
        tried: list[_Tried] = []
        others: list[ToolCallItem] = []
        for call in calls:
            if call.name != APPLY_PATCH:
                others.append(call)
                continue
            # What comes before a patch does not see it, and what comes behind it does.
            await self._use_all(others)
            others.clear()
            alone = not self._held and all(one.refusal for one in tried)
            try:
                tried.append(_Tried(call, note=await self._proposals.take(call, may_replace=alone)))
            except PatchRefusedError as error:
                times = 0 if error.already else self._repeats.add(call.arguments, str(error))
                message = replies.refused_again(times) if times > 1 else str(error)
                self._parts.emit(ev.PatchRejected(call.call_id, message, already=error.already))
                if times >= _MOST_REPEATS:
                    self._repeated = error.message
                if not self._proposals.draft.changes:
                    tried = self._lost(tried)
                tried.append(_Tried(call, refusal=error))
        await self._use_all(others)
        taken = [one for one in tried if one.refusal is None]
        refused = [one for one in tried if one.refusal is not None]
        failed = [one for one in tried if one.refusal is not None and not one.refusal.already]
        proposed = taken[-1].call.call_id if taken and not failed else ""
        for one in taken:
            if one.call.call_id != proposed:
                words = replies.HELD if failed else replies.TAKEN
                self._parts.append(ToolResultItem(one.call.call_id, words))
        for one in refused:
            self._parts.append(await self._refused(one, others=bool(taken)))
        if failed or (refused and not taken and self._proposals.undecided(task) is None):
            self._unfit(failed or refused)
        elif taken:
            self._forms.worked()
        self._held += [one.note for one in taken]
        if proposed:
            self._propose(task, proposed)
        return len(failed), bool(proposed)

    def _unfit(self, refused: list[_Tried]) -> None:
        """Patches that came to nothing speak against their form; but what is not wanted is so in any."""
        for one in refused:
            if one.refusal is not None and not isinstance(one.refusal, PatchUnwantedError):
                self._forms.failed(one.call, one.refusal.failures)
                return

    def propose_held(self, task: int) -> bool:
        """Propose what was held back, as nothing more comes to it.

        Returns:
            Whether there was anything.
        """
        # The human may have done in the meantime what was held back.
        if not self._held or not self._proposals.draft.changes:
            return False
        self._held.append("A patch that came with it was refused and has not come again.")
        self._propose(task, "")
        return True

    def _propose(self, task: int, call_id: str) -> None:
        self._proposals.propose(task, call_id, " ".join(note for note in self._held if note))
        self._held = []

    def _lost(self, tried: list[_Tried]) -> list[_Tried]:
        """The draft is gone, and with it the patches that were taken: those of this answer are answered so."""
        self._held = []
        for one in tried:
            if one.refusal is None:
                self._parts.append(ToolResultItem(one.call.call_id, replies.LOST, ok=False))
        return [one for one in tried if one.refusal is not None]

    async def _refused(self, one: _Tried, *, others: bool) -> ToolResultItem:
        """The answer to a patch that was not taken.

        Args:
            one: The patch.
            others: Patches of the same answer were taken.
        """
        refusal = one.refusal
        assert refusal is not None
        if refusal.already:
            return ToolResultItem(one.call.call_id, replies.already(str(refusal)))
        paths = replies.updated_files(one.call.arguments)
        files = await shown(self._proposals.view, paths, self._parts.tool_tokens, self._parts.state().items)
        return ToolResultItem(one.call.call_id, replies.refused(str(refusal), files, others=others), ok=False)

    async def _use_all(self, calls: Iterable[ToolCallItem]) -> None:
        """Carry out calls that change nothing: neighbours that only look at the same time, the others one by one."""
        for looking, group in groupby(calls, key=self._looks):
            if looking:
                await self._look(tuple(group))
                continue
            for call in group:
                self._parts.append(await self._use(call))

    def _looks(self, call: ToolCallItem) -> bool:
        tool = self._toolbox.get(call.name)
        return tool is not None and tool.looks

    async def _look(self, calls: tuple[ToolCallItem, ...]) -> None:
        """Carry out calls at the same time; their results are told in the order of the calls, each once it can be."""
        results: list[ToolResultItem | None] = [None] * len(calls)
        gate, told = asyncio.Semaphore(self._parts.config.tools.parallel), 0

        async def one(at: int, call: ToolCallItem) -> None:
            nonlocal told
            async with gate:
                results[at] = await self._use(call)
            while told < len(results) and (result := results[told]) is not None:
                told += 1
                self._parts.append(result)

        try:
            async with asyncio.TaskGroup() as group:
                for at, call in enumerate(calls):
                    group.create_task(one(at, call))
        except BaseExceptionGroup as errors:
            raise first_cause(errors) from errors

    async def _use(self, call: ToolCallItem) -> ToolResultItem:
        """Carry out a call that changes nothing; gives its result, whatever became of it."""
        parts, tool = self._parts, self._toolbox.get(call.name)
        title = "run the checks" if call.name == RUN_CHECKS else tool.title(call.arguments) if tool else call.name
        looks = self._looks(call)
        parts.emit(ev.ToolStarted(call.call_id, call.name, title, looks))
        if not looks:
            await self._make_room()
        before = CALL.set(call.call_id)
        # A task of its own, as it can be ended by itself; it knows whose it is by its context.
        run = Run(call.call_id, asyncio.ensure_future(self._output(call, tool)), parts.emit)
        CALL.reset(before)
        self._running[call.call_id] = run
        try:
            output = await run.outcome()
        finally:
            self._running.pop(call.call_id, None)
        if said := self._consent.reason(call.call_id):
            output = msgspec.structs.replace(output, text=f"{output.text}\n{said}")
        parts.emit(ev.ToolFinished(call.call_id, output.ok, output.summary))
        # Before it is cut: of half a key nobody knows what it is.
        text = msgspec.structs.replace(output, text=KNOWN.redact(output.text)).within(parts.tool_tokens)
        if tool is not None and tool.looks and replies.was_told(parts.state().items, call, text):
            text = replies.SAME_RESULT
        return ToolResultItem(call.call_id, text, ok=output.ok)

    async def _output(self, call: ToolCallItem, tool: Tool | None) -> ToolOutput:
        try:
            if call.name == RUN_CHECKS:
                text = await self._judge.report(self._proposals.draft)
                return ToolOutput(text, text.split("\n", 1)[0])
            if tool is None:
                raise self._toolbox.unknown(call.name)
            return await tool.run(call.arguments, self._proposals.view)
        except JournalError:
            raise
        except PairloopError as error:
            return ToolOutput(str(error), error.message, ok=False)
        except Exception as error:
            # A defect of one tool is no reason to lose what the task has come to.
            log.exception("the tool %s failed", call.name)
            return ToolOutput(f"The tool itself failed: {type(error).__name__}. Go on without it.", "failed", ok=False)

    def end(self, call_id: str) -> bool:
        """End what a call runs, without ending the task.

        Args:
            call_id: The call; empty for the one that was begun last.

        Returns:
            Whether there is such a call, which waits for no word of the human's.
        """
        state = self._parts.state()
        asked = {one.call_id for one in (state.approval, state.question) if one is not None}
        found = [run for name, run in self._running.items() if name not in asked and call_id in {"", name}]
        if found:
            found[-1].end()
        return bool(found)

    def _printed(self, line: str) -> None:
        """A command has printed a line."""
        if (run := self._running.get(CALL.get())) is not None:
            run.printed(line)
