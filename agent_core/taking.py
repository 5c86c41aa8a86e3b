"""A repair that was found beside the partner, proposed in the place of what the partner is at, or has not come to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal, TypeVar

from agent_core import events as ev
from agent_core.assessor import Assessor
from agent_core.conversation import UserItem
from agent_core.draft import Draft
from agent_core.parts import Parts
from agent_core.prompt import replies
from agent_core.proposals import Proposals
from agent_core.repairs_state import FindState
from agent_core.view import DraftView

INSTEAD = "A repair that was found without a model is proposed first."
AT_LAST = "A repair that was found without a model is proposed instead."
_Result = TypeVar("_Result")


def taken_part(find: FindState, number: int, *, last: bool = False) -> str:
    """What the partner is told of a repair that was found without it and has been proposed.

    Args:
        find: The repair.
        number: Of the proposal that was made of it.
        last: The partner had come to its end; else the human wanted it first.
    """
    by = f"it was proposed as proposal {number}, as you had come to nothing that passes"
    if not last:
        by = f"the human had it proposed as proposal {number} in the place of what you were at"
    return (
        f"[While you were at work a search by the tests found this repair, and {by}; what was in your draft is gone. "
        f"{find.says}]\n\n{find.diff}"
    )


class Taking:
    """Has work given up for a repair that the human wants to have proposed.

    Args:
        parts: The session's parts.
        proposals: The proposals.
        assessor: Judges them.
        outcome: Waits until nothing more is looked for beside the partner, or the human says something.
    """

    def __init__(
        self, parts: Parts, proposals: Proposals, assessor: Assessor, outcome: Callable[[], Awaitable[None]]
    ) -> None:
        self._parts = parts
        self._proposals = proposals
        self._assessor = assessor
        self._outcome = outcome
        self._wanted: FindState | None = None
        self._work: asyncio.Future[Any] | None = None

    @property
    def wanted(self) -> FindState | None:
        """The repair that is to be proposed; None while there is none."""
        return self._wanted

    def want(self, find: FindState) -> None:
        """Have a repair proposed; what is under way for the partner is ended."""
        self._wanted = find
        if self._work is not None:
            self._work.cancel()

    def forget(self) -> None:
        """Want nothing more."""
        self._wanted = None

    async def propose(self, task: int) -> bool:
        """Propose the repair that is wanted; gives whether it could be.

        What the partner was at is ended: its words are kept, what it proposed and nobody decided on is put aside.
        """
        find, self._wanted = self._wanted, None
        assert find is not None, "one is wanted"
        return await self._propose(find, task, last=False)

    async def at_last(self, task: int) -> Literal["proposed", "said", "nothing"]:
        """Propose what was found without the partner, which has come to nothing, if the task asks for just that.

        Waits for a search that is under way.

        Args:
            task: The task, which nothing of has landed.

        Returns:
            Whether one was proposed, or the human has said something instead that the partner has not heard yet.
        """
        state = self._parts.state()
        if state.task is None or state.task.answers:
            return "nothing"
        from agent_core.partners.offline.wishes import asks_for, wish_of  # noqa: PLC0415 - most tasks end otherwise

        files = DraftView(self._parts.workspace, Draft(await self._parts.look()))
        wish = await asyncio.to_thread(wish_of, state.task.text, files, 0.0)
        if not wish.plain:
            return "nothing"
        await self._outcome()
        if self._parts.state().queued:
            return "said"
        find = self._parts.state().repairs.find
        if find is None or not asks_for(wish, find.mends, (file.path for file in find.patch.files), whole=find.whole):
            return "nothing"
        return "proposed" if await self._propose(find, task, last=True) else "nothing"

    async def _propose(self, find: FindState, task: int, *, last: bool) -> bool:
        parts, proposals = self._parts, self._proposals
        await self._assessor.stop()
        parts.append(*replies.cut_short(parts.state().items))
        base = await parts.look()
        if base.tree != find.base_tree:
            parts.emit(ev.AnswerVoided("Files have changed since the repair was found, so it can't be proposed."))
            return False
        open_ = proposals.undecided(task)
        if open_ is not None and open_.decision is None:
            by: Literal["human", "mode"] = "mode" if last else "human"
            parts.emit(ev.Decided(open_.number, "steer", by, AT_LAST if last else INSTEAD), durable=True)
        proposals.propose_found(task, find.patch, base)
        parts.append(UserItem(taken_part(find, proposals.newest.number, last=last)))
        return True

    async def unless(self, work: Coroutine[Any, Any, _Result]) -> _Result | None:
        """Do some work; None where it was ended, or not begun, as a repair is to be proposed."""
        if self._wanted is not None:
            work.close()
            return None
        self._work = asyncio.ensure_future(work)
        try:
            await asyncio.wait([self._work])
        except asyncio.CancelledError:
            self._work.cancel()
            await asyncio.wait([self._work])
            raise
        finally:
            done, self._work = self._work, None
        if done.cancelled() and self.wanted is not None:
            return None
        result: _Result = done.result()
        return result
