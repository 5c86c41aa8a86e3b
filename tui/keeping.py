"""The part of the app that knows of sessions as a whole: the picker, the timeline, forks, what is remembered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agent_core.commands import ForgetRule
from agent_core.errors import PairloopError
from tui.engine import Engine
from tui.life import Wanted
from tui.looking import Looking
from tui.panes.pane import told

if TYPE_CHECKING:
    from tui.screens.choose import Entry


class Keeping(Looking):
    """Sessions looked through, opened and forked, their memory, and commits; the app inherits it."""

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._commits_begun: dict[tuple[str, int], str] = {}  # messages that were not handed in

    async def action_sessions(self) -> None:
        """Look through the sessions of the project."""
        from tui.screens.sessions import SessionsScreen  # noqa: PLC0415 - not needed to paint

        if (engine := self.life.engine) is None:
            return
        try:
            shelf = engine.shelf()
        except PairloopError as error:
            self.complain(error)
            return
        await self.push_screen(SessionsScreen(shelf, self.state.session, busy=self._at_work), self._switch_to)

    def _at_work(self) -> bool:
        return self.state.phase not in {"idle", "deciding", "approving"}

    async def action_timeline(self) -> None:
        """Look at the attempts of this session."""
        from tui.screens.timeline import TimelineScreen  # noqa: PLC0415 - not needed to paint

        session = self.life.session
        if session is None or not session.state.proposals:
            return

        def done(proposal: int | None) -> None:
            if proposal is not None:
                forks = told(self, self._fork_at(session.state.session, proposal), "The session could not be forked")
                self.run_worker(forks, exit_on_error=False)

        await self.push_screen(TimelineScreen(session.state, session.content, self.settings, self._at_work), done)

    async def action_memory(self) -> None:
        """Look at what is remembered of this session."""
        from tui.screens.memory import MemoryScreen  # noqa: PLC0415 - not needed to paint

        if self.life.session is not None:
            await self.push_screen(MemoryScreen(self.life.session))

    async def action_model(self) -> None:
        """Choose who proposes."""
        from tui.screens.partners import PartnerList  # noqa: PLC0415 - not needed to paint

        if self.life.session is not None:
            await self.push_screen(PartnerList(self.life.session.partners.offers, self.submit, self.say), self._do)

    def _do(self, entry: Entry | None) -> None:
        if entry is not None and entry.do is not None:
            entry.do()

    def use_partner(self, words: str) -> str:
        """Have another partner propose.

        Args:
            words: A partner's name, one and a model, or a model.

        Returns:
            Why it cannot be, empty where it can: what comes of it is in the session's events.
        """
        if self.life.session is None:
            return "There is no session yet."
        self.submit(self.life.session.partners.meant(words))
        return ""

    async def action_permissions(self) -> None:
        """Look at the rules on what the partner may do."""
        from tui.screens.choose import Chooser  # noqa: PLC0415 - not needed to paint
        from tui.screens.permissions import QUESTION, entries_of  # noqa: PLC0415 - as above

        session = self.life.session
        if session is None:
            return
        try:
            rules = await asyncio.to_thread(session.rules)
        except PairloopError as error:
            self.complain(error)
            return

        def done(entry: Entry | None) -> None:
            if entry is not None and entry.do is not None:
                entry.do()

        entries = entries_of(rules, lambda rule: self.submit(ForgetRule(rule)), self.say)
        await self.push_screen(Chooser(entries, QUESTION), done)

    async def action_commit(self) -> None:
        """Go over the message of the commit of the last landing."""
        from tui.screens.commit import CommitScreen  # noqa: PLC0415 - not needed to paint

        session = self.life.session
        # What is drawn is meant: another may have landed since.
        landing = self.main.state.committable
        if session is None or landing is None:
            return
        key = (session.state.session, landing.number)

        def done(left: str | None) -> None:
            if left:
                self._commits_begun[key] = left
                self.say("Kept: K goes on with it.")
            else:
                self._commits_begun.pop(key, None)

        begun = self._commits_begun.get(key, "")
        await self.push_screen(CommitScreen(session, landing, begun, self.main.clock), done)

    async def _fork_at(self, session: str, proposal: int) -> None:
        assert self.life.engine is not None
        try:
            self._switch_to(Wanted(await self.life.engine.shelf().fork_at(session, proposal)))
        except PairloopError as error:
            self.complain(error)

    def _switch_to(self, wanted: Wanted | None) -> None:
        if wanted is not None:
            self.life.switch(wanted)

    async def pick_session(self, engine: Engine) -> Wanted | None:
        """Have one of several sessions chosen before any is open.

        Returns:
            What is wanted; None where there is nothing to choose from, or nothing was chosen.
        """
        from tui.screens.sessions import SessionsScreen  # noqa: PLC0415 - not needed to paint

        shelf = engine.shelf()
        if len(await shelf.cards()) < 2:
            return None
        chosen: asyncio.Future[Wanted | None] = asyncio.get_running_loop().create_future()

        def done(wanted: Wanted | None) -> None:
            if not chosen.done():
                chosen.set_result(wanted)

        self.main.begin_question()
        await self.push_screen(SessionsScreen(shelf, "", self.main.too_early), done)
        return await chosen
