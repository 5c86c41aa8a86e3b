"""The tasks of a session, one at a time: begun, told what the human says and decides, stopped."""

from __future__ import annotations

import asyncio
import logging

from agent_core import events as ev
from agent_core.comments.listening import Words
from agent_core.decisions import Decision, Inbox, Mark, Word
from agent_core.ending import Ending
from agent_core.errors import LOGGED, JournalError
from agent_core.loop import Loop
from agent_core.parts import Parts
from agent_core.state import State
from agent_core.taking import INSTEAD

log = logging.getLogger(__name__)


class Tasks:
    """Runs the tasks of one session.

    Args:
        parts: The session's parts.
        loop: Works on a task.
        inbox: Where what the human decides reaches the loop.
    """

    def __init__(self, parts: Parts, loop: Loop, inbox: Inbox) -> None:
        self._parts = parts
        self._loop = loop
        self._inbox = inbox
        self._ending = Ending(parts)
        self._group: asyncio.TaskGroup | None = None
        self._work: asyncio.Task[None] | None = None

    @property
    def _state(self) -> State:
        return self._parts.state()

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Work within a group of tasks from now on."""
        self._group = group

    def take_up(self) -> None:
        """Go on where a resumed session was left."""
        if (task := self._state.task) is not None:
            self._ending.left(task.number, self._start)

    # -- words

    def ask(self, words: Words) -> None:
        """Begin a task; while one runs it is steered instead."""
        if not words.text.strip():
            return
        if self._state.task is not None:
            self.steer(words.text)
            return
        number = len(self._state.tasks) + 1
        self._parts.emit(ev.Asked(number, words.text, words.markers, words.told, words.covers), durable=True)
        self._start(number)

    def steer(self, text: str) -> None:
        """Words for the partner: the decision on a waiting proposal, or news for its next step."""
        if self._state.waiting:
            self.decide(Decision(self._state.waiting, "steer", text))
        elif self._state.task is None:
            self.ask(Words(text))
        elif text.strip():
            self._parts.emit(ev.Steered(text), durable=True)

    def withdraw(self, index: int, text: str) -> None:
        """Take back words that the partner has not heard yet.

        Args:
            index: Which of those that wait.
            text: The words, as they may have moved up meanwhile; may be empty.
        """
        queued = self._state.queued
        if text and not (0 <= index < len(queued) and queued[index] == text):
            index = queued.index(text) if text in queued else -1
        if 0 <= index < len(queued):
            self._parts.emit(ev.Withdrawn(index, queued[index]), durable=True)
        else:
            self._parts.emit(ev.Noted("info", "The partner has been told already, so it can't be taken back."))

    # -- decisions

    def decide(self, decision: Decision | Mark) -> None:
        """Hand in what is decided on the proposal that waits, or a mark in it."""
        if self._state.waiting == decision.proposal != 0:
            self._inbox.decide(decision)
        else:
            self._parts.emit(ev.Noted("info", f"Proposal {decision.proposal} does not wait for a decision now."))

    async def take_repair(self, number: int) -> None:
        """Have a repair proposed that was found beside the partner; it may be what a task of its own is.

        Args:
            number: The find's; 0 for the newest.
        """
        await self._parts.look()
        repairs = self._state.repairs
        known = [one for one in repairs.finds if one.number == number]
        find = known[0] if known else None if number else repairs.find
        if find is None or find.stands != "open":
            gone = find is not None and find.stands == "gone"
            text = "Files have changed since that repair was found." if gone else "There is no repair to take now."
            self._parts.emit(ev.Noted("info", text))
            return
        self._loop.taking.want(find)
        if self._state.waiting:
            self.decide(Decision(self._state.waiting, "steer", INSTEAD))
        elif self._state.task is None:
            self.ask(Words(f"Take the repair that was found without a model: {find.says}"))

    def approve(self, call_id: str, word: Word) -> None:
        """Hand in the answer to what waits to be allowed."""
        # Servers give the same id twice: a word said twice must not allow the next command.
        if self._state.approval is not None and self._state.approval.call_id == call_id:
            self._inbox.approve(call_id, word)

    def answer(self, call_id: str, text: str) -> None:
        """Hand in the answer to the partner's question that waits for one; empty leaves it to the partner."""
        if self._state.question is not None and self._state.question.call_id == call_id:
            self._inbox.reply(call_id, text.strip())

    def end_tool(self, call_id: str) -> None:
        """End what a tool call runs, or whatever runs; the task goes on."""
        if not self._loop.calls.end(call_id):
            self._parts.emit(ev.Noted("info", "Nothing runs that could be ended by itself."))

    def retry_now(self) -> None:
        """Send a request that failed again now, instead of waiting."""
        if self._parts.waits.hurry():
            self._parts.emit(ev.RetryHurried())
        else:
            self._parts.emit(ev.Noted("info", "No request waits to be sent again now."))

    # -- the one that runs

    async def interrupt(self) -> None:
        """Stop the task that runs, and end it."""
        task = self._state.task
        if task is None:
            return
        await self.stop()
        if self._state.task is not None:
            self._ending.interrupted(task.number)

    async def stop(self) -> None:
        """Cancel the loop and wait until it is gone; the task can be gone on with."""
        if self._work is not None and not self._work.done():
            self._work.cancel()
            await asyncio.wait([self._work])
        self._work = None

    def _start(self, task: int) -> None:
        assert self._group is not None, "begin was called"
        self._work = self._group.create_task(self._guarded(task))

    async def _guarded(self, task: int) -> None:
        """Run the loop; a defect in it ends the task with a word to the human, never the session."""
        try:
            await self._loop.run(task)
        except JournalError:
            raise
        except Exception as error:
            log.exception("task %d failed", task)
            text = f"pairloop itself failed: {type(error).__name__}: {error}. {LOGGED}"
            self._ending.close(task, "failed", text)
