"""A repair that was found beside the partner, proposed in the place of what the partner is at."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from agent_core import events as ev
from agent_core.assessor import Assessor
from agent_core.conversation import UserItem
from agent_core.parts import Parts
from agent_core.prompt import replies
from agent_core.proposals import Proposals
from agent_core.repairs_state import FindState

INSTEAD = "A repair that was found without a model is proposed first."
_Result = TypeVar("_Result")


def taken_part(find: FindState, number: int) -> str:
    """What the partner is told of a repair that the human has had proposed.

    Args:
        find: The repair.
        number: Of the proposal that was made of it.
    """
    return (
        f"[While you were at work a search by the tests found this repair, and the human had it proposed as proposal "
        f"{number} in the place of what you were at; what was in your draft is gone. {find.says}]\n\n{find.diff}"
    )


class Taking:
    """Has work given up for a repair that the human wants to have proposed.

    Args:
        parts: The session's parts.
        proposals: The proposals.
        assessor: Judges them.
    """

    def __init__(self, parts: Parts, proposals: Proposals, assessor: Assessor) -> None:
        self._parts = parts
        self._proposals = proposals
        self._assessor = assessor
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
        parts, proposals = self._parts, self._proposals
        await self._assessor.stop()
        parts.append(*replies.cut_short(parts.state().items))
        base = await parts.look()
        if base.tree != find.base_tree:
            parts.emit(ev.AnswerVoided("Files have changed since the repair was found, so it can't be proposed."))
            return False
        open_ = proposals.undecided(task)
        if open_ is not None and open_.decision is None:
            parts.emit(ev.Decided(open_.number, "steer", "human", INSTEAD), durable=True)
        proposals.propose_found(task, find.patch, base)
        parts.append(UserItem(taken_part(find, proposals.newest.number)))
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
