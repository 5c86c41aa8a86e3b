"""What becomes of each command."""

from __future__ import annotations

import asyncio
import logging

from agent_core import commands
from agent_core import events as ev
from agent_core.comments.listening import Words
from agent_core.crew import Crew
from agent_core.decisions import Decision, Word
from agent_core.errors import LOGGED, JournalError, PairloopError
from agent_core.outfit import Outfit

log = logging.getLogger(__name__)


class Obeying:
    """Has the members of a session do what is wanted.

    Args:
        crew: The members.
        outfit: What the session works with.
        group: Where what takes long goes on.
    """

    def __init__(self, crew: Crew, outfit: Outfit, group: asyncio.TaskGroup) -> None:
        self._crew = crew
        self._outfit = outfit
        self._group = group

    async def obey(self, command: commands.AnyCommand) -> None:
        """Carry out a command; one that fails is told to the human, and the session goes on.

        Raises:
            JournalError: What happens cannot be written down any more.
        """
        emit = self._crew.parts.emit
        try:
            await self._carry_out(command)
        except JournalError:
            raise
        except PairloopError as error:
            emit(ev.Noted("error", error.message, error.hint))
        except Exception as error:
            log.exception("%s failed", type(command).__name__)
            emit(ev.Noted("error", f"This could not be done: {type(error).__name__}: {error}.", LOGGED))

    async def _carry_out(  # noqa: C901, PLR0912, PLR0915 - one arm a command reads best as one match
        self, command: commands.AnyCommand
    ) -> None:
        crew = self._crew
        match command:
            case commands.Ask(text):
                crew.tasks.ask(Words(text))
            case commands.Steer(text):
                crew.tasks.steer(text)
                await crew.repairing.heed(text)
            case commands.Accept(number):
                crew.tasks.decide(Decision(number, "accept"))
            case commands.Reject(number, reason):
                crew.tasks.decide(Decision(number, "reject", reason))
            case commands.Fix(number):
                crew.tasks.decide(Decision(number, "fix"))
            case commands.Land(number, reason):
                crew.tasks.decide(Decision(number, "land", reason))
            case commands.Take() | commands.Comment() | commands.Unmark() | commands.Rewrite() | commands.Settle():
                crew.tasks.decide(command)
            case commands.Withdraw(index, text):
                crew.tasks.withdraw(index, text)
            case commands.Shell(name, line):
                crew.shells.start(name, line, self._group)
            case commands.Approve(call_id, allowed, always, reason):
                crew.tasks.approve(call_id, Word(allowed, always, reason))
            case commands.Answer(call_id, text):
                crew.tasks.answer(call_id, text)
            case commands.EndTool(call_id):
                crew.tasks.end_tool(call_id)
            case commands.ForgetRule(rule):
                self._forget_rule(rule)
            case commands.RaiseBudget(times):
                crew.budget.answer(times)
            case commands.SetMode(mode):
                crew.parts.emit(ev.ModeChanged(mode))
                crew.inbox.edited()
            case commands.Interrupt():
                await self._interrupt()
            case commands.UsePartner():
                crew.choice.obey(command)
            case commands.RetryNow():
                crew.tasks.retry_now()
            case commands.TakeRepair(number):
                await crew.tasks.take_repair(number)
            case commands.EndSearch():
                if not crew.repairing.hurry():
                    crew.parts.emit(ev.Noted("info", "No repair is looked for now."))
            case commands.SwitchRepairs(on):
                crew.parts.emit(ev.RepairsSwitched(not crew.beside.on if on is None else on))
            case commands.Undo(landing):
                await crew.landings.undo(landing)
                crew.inbox.edited()
            case commands.Redo(landing):
                await crew.landings.redo(landing)
                crew.inbox.edited()
            case commands.Memorize():
                crew.notes.obey(command)
            case commands.Compact() | commands.Uncompact():
                crew.loop.compactor.obey(command, self._group)
            case commands.Teach() | commands.KeepLesson() | commands.DropLesson():
                await crew.remembering.obey(command)
            case commands.DraftCommit() | commands.Commit():
                crew.committing.obey(command)
            case commands.Tell(of):
                if self._outfit.extras is not None:
                    crew.parts.emit(await self._outfit.extras.told(of))
            case commands.Quit():
                pass

    def _forget_rule(self, rule: str) -> None:
        book = self._outfit.permissions
        if book is not None and book.forget(rule):
            self._crew.parts.emit(ev.Noted("info", f"Asked again from now on: {rule}"))
        else:
            self._crew.parts.emit(ev.Noted("warning", f"There is no rule “{rule}” that was kept for this project."))

    async def _interrupt(self) -> None:
        crew = self._crew
        await crew.shells.stop()
        await crew.committing.stop()
        await crew.loop.compactor.stop()
        await crew.tasks.interrupt()
