"""Who works in a session, made and put together once: each hears of what concerns it, and is given whom it needs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence

from agent_core import events as ev
from agent_core.attribution import Attribution
from agent_core.beside import Beside
from agent_core.budget import Budget
from agent_core.comments.listening import Comments
from agent_core.committing import Committing
from agent_core.conversation import UserItem
from agent_core.decisions import Inbox
from agent_core.errors import ConfigError, LandingConflictError
from agent_core.hearing import Hearing
from agent_core.hooks import Hooks
from agent_core.judge import Judge
from agent_core.landings import Landings
from agent_core.loop import Loop
from agent_core.meanwhile import Meanwhile
from agent_core.memory.notes import Notes
from agent_core.outfit import Outfit
from agent_core.partner_choice import PartnerChoice
from agent_core.parts import Emit, Parts, nobody
from agent_core.process import wait_for
from agent_core.remembering import Remembering
from agent_core.repairing import Repairing
from agent_core.shell import Shells
from agent_core.state import State
from agent_core.surroundings import Surroundings
from agent_core.tasks import Tasks
from agent_core.workspace.edits import EditTracker
from agent_core.workspace.tree import Snapshot

_PARTNER_SECONDS = 3.0
Listener = Callable[[ev.Entry, State], None]
log = logging.getLogger(__name__)


class Crew:
    """The members of one session.

    Args:
        session: Its id.
        outfit: What it works with.
        emit: Has an event happen.
        state: Gives what is true now.

    Attributes:
        listeners: Those of them that hear of all events, in the order in which they do.
    """

    def __init__(self, session: str, outfit: Outfit, *, emit: Emit, state: Callable[[], State]) -> None:
        self._outfit = outfit
        self._emit = emit
        self._state = state
        self._asked = asyncio.Event()
        self.inbox = Inbox(emit)
        self.tracker = EditTracker(outfit.workspace, outfit.mask)
        self.surroundings = Surroundings(outfit.workspace.root, lambda: self.hearing.heard)
        attribution = Attribution(session, outfit.workspace, outfit.journal, outfit.mask, isolated=outfit.isolated)
        self.hearing = Hearing(
            self.tracker,
            attribution,
            emit,
            looked=self._looked,
            edited=self._edited,
            stirred=self.surroundings.look,
        )
        self.landings = Landings(
            session, outfit.journal, outfit.lander, self.tracker, emit, state=state, look=self._look_before_writing
        )
        self.meanwhile = Meanwhile(
            outfit.seen, self.tracker, attribution, self.hearing, lambda: outfit.journal.entries(session)
        )
        self.budget = Budget(outfit.config.budget, emit, state)
        parts = self.parts = Parts(
            session=session,
            config=outfit.config,
            workspace=outfit.workspace,
            model=outfit.model,
            journal=outfit.journal,
            emit=emit,
            state=state,
            look=self.hearing.look,
            recall=self._recall,
            followed=outfit.watcher is not None,
            mask=outfit.mask,
            sources=outfit.sources,
            other=outfit.partners.model.aside if outfit.partners is not None else nobody,
            permissions=outfit.permissions,
            gate=self.budget.gate,
            partner_known=self._partner_known,
        )
        self.choice = PartnerChoice(parts, outfit.partners)
        self.comments = Comments(parts, self.tracker.text, outfit.mask, self.inbox.news)
        self.shells = Shells(parts)
        self.hooks = Hooks(parts)
        self.committing = Committing(parts, outfit.lander)
        self.notes = Notes(parts)
        self.remembering = Remembering(parts, outfit.lessons)
        self.beside = Beside(parts, lambda: self.judge)
        # Where nobody looks on, nobody has anything of an early word.
        self.judge = Judge(outfit.workspace, outfit.checks, emit, early=parts.followed, alone=self.beside.alone)
        self.loop = Loop(parts, self.judge, self.landings, self.inbox, self.beside.outcome)
        self.tasks = Tasks(parts, self.loop, self.inbox)
        self.repairing = Repairing(parts, self.judge, lambda: self.loop.draft, lambda: self.tracker.seen)
        if outfit.desk is not None:
            outfit.desk.open(self.repairing)
        self.listeners: list[Listener] = [
            attribution.listen,
            self.meanwhile.listen,
            self.surroundings.listen,
            self.comments.listen,
            self.hooks.listen,
            self.committing.listen,
            self.remembering.listen,
            self.beside.listen,
            self.repairing.listen,
        ]

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Work within a group of tasks from now on."""
        self.committing.begin(group)
        self.choice.work_in(group)
        self.tasks.begin(group)
        self.beside.begin(group)

    def work(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Begin what goes on in the background, in an opened session; gives what has to be cancelled at its end."""
        self.judge.warm(self.tracker.seen)
        return [
            group.create_task(self.hearing.watch(self._outfit.watcher)),
            group.create_task(self.meanwhile.run()),
            group.create_task(self._warm()),
            group.create_task(self.comments.run(self.tasks.ask)),
            group.create_task(self.remembering.run()),
            group.create_task(self.hooks.run()),
            group.create_task(self.tracker.read_ahead()),
            group.create_task(self._read_names()),
            *(group.create_task(source.begin(self._warn)) for source in self._outfit.sources),
        ]

    async def finish(self) -> None:
        """End what is under way, and let end what must not be cut short."""
        await self.beside.close()
        await self.tasks.stop()
        await self.shells.stop()
        await self.choice.stop()
        await self.committing.finish()
        await self.loop.close()
        await self.remembering.settled()
        await self.hooks.finish()

    # -- what they are to each other

    async def _look_before_writing(self, paths: Collection[str]) -> None:
        """Hear of the human's saves; nothing is written over what they have in an editor and did not save yet.

        Raises:
            LandingConflictError: There is something.
        """
        await self.hearing.look(paths)
        unsaved = await self._outfit.unsaved(paths) if self._outfit.unsaved is not None else ()
        if unsaved:
            raise LandingConflictError(
                f"{', '.join(unsaved)} {'has' if len(unsaved) == 1 else 'have'} changes in your editor that are not "
                "saved, so nothing was written.",
                tuple(f"{path}: not saved" for path in unsaved),
                "Save or discard them, then decide again.",
            )

    async def _recall(self) -> tuple[UserItem, ...]:
        extras = self._outfit.extras
        skills = await extras.skills.news(self._state().items) if extras is not None else ()
        return (*skills, *await self.remembering.recall())

    def _warn(self, text: str) -> None:
        self._emit(ev.Noted("warning", text))

    def _edited(self, edits: Sequence[ev.HumanEdited], now: Snapshot) -> None:
        # Where nobody looks on, one task was given, and no other is taken up.
        if self._outfit.watcher is not None:
            self.comments.heard(edits, now)

    def _looked(self, *, changed: bool) -> None:
        # What changed may be what another session of this project has taken back.
        self.landings.catch_up()
        self._choose_checks()
        if changed:
            self.inbox.edited()

    def _choose_checks(self) -> None:
        """Have other checks judge where a file has changed, by the human or a landing, that says which there are."""
        if self._outfit.choosing is None:
            return
        try:
            anew = self._outfit.choosing.anew()
        except ConfigError as error:
            self._emit(ev.Noted("warning", f"{error.message} The checks stay as they were.", error.hint))
            return
        if anew is not None:
            self.judge.renew(anew.checks)
            self._emit(ev.Noted("info", anew.text))
            self.judge.warm(self.tracker.seen)

    # -- in the background

    async def _warm(self) -> None:
        try:
            if self._outfit.warm is not None:
                await self._outfit.warm()
        except Exception:
            # The first request will meet the same, and tell it.
            log.exception("the partner's library could not be got ready")
        else:
            self.parts.tell_partner()
        finally:
            self._asked.set()

    async def _partner_known(self) -> None:
        """Wait a little for what the partner's server says of itself: what it is offered stays for the session.

        Also where a model of that name is known to read more: its server may have less room for it.
        """
        await wait_for(self._asked, _PARTNER_SECONDS)

    async def _read_names(self) -> None:
        """Get ready what a map of the project is drawn from, where that takes long."""
        if self.parts.map_tokens:
            try:
                await self.parts.symbols.fill(self.tracker.seen.files)
            except OSError:
                log.exception("the names in the project could not be read")
