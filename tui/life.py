"""The life of the app's sessions: open one, run it to its end, open the next one that is wanted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec

from agent_core.chat_entries import Notice
from agent_core.commands import Ask, Quit, Steer
from agent_core.errors import PairloopError
from agent_core.state import State
from tui.bridge import Bridge
from tui.engine import Engine, Session, SessionSummary
from tui.screens.asking import OFFER_LETTERS
from tui.screens.main import MainScreen
from tui.trouble import ago

QUIT_WAIT = 3.0
_TRIES_AGAIN = "When that is done, send your task here."
_OFFER_ANSWERS = {letter: name == "resume" for name, letter in OFFER_LETTERS.items()}


class Wanted(msgspec.Struct, frozen=True):
    """A session to open.

    Attributes:
        resume: Id of the session to go on with, None for a new one.
    """

    resume: str | None = None


class Life:
    """Opens sessions, one at a time, and tells every end of them.

    Args:
        make_engine: Makes the engine; called in a thread, so it may import what it likes.
        main: The screen they are shown on.
        bridge: Draws their states.
        report: Tells of an unexpected error, and what it means for the human.
        pick: Has the first session chosen from several; gives None where it was not. None to offer the last one.
    """

    def __init__(
        self,
        make_engine: Callable[[], Engine],
        main: MainScreen,
        bridge: Bridge,
        report: Callable[[Exception, str], None],
        pick: Callable[[Engine], Awaitable[Wanted | None]] | None = None,
    ) -> None:
        self.session: Session | None = None
        """The one that runs."""
        self.engine: Engine | None = None
        """What opens sessions, once it has been made."""
        self._make_engine = make_engine
        self._main = main
        self._bridge = bridge
        self._report = report
        self._pick = pick
        self._kept: list[str] = []
        self._offered: asyncio.Future[bool] | None = None
        self._again: asyncio.Event | None = None
        self._next: Wanted | None = None
        self._quitting = False

    # -- Sessions, one after the other

    async def live(self) -> None:
        """All of it; ends when a session has ended and no other is wanted."""
        try:
            self.engine = engine = await asyncio.to_thread(self._make_engine)
            wanted = await self._pick(engine) if self._pick is not None else None
            wanted = wanted or Wanted(await self._which(engine))
            before = ""
            while wanted is not None:
                session = await self._open(engine, wanted, before)
                wanted = await self._run(session)
                before = session.state.session
            if not self._quitting:
                self._note(Notice("info", "The session has ended.", "ctrl+q leaves."))
        except PairloopError as error:
            self._note(Notice("error", error.message, error.hint or "ctrl+q leaves."))
        except Exception as error:  # noqa: BLE001 - whatever it is, the human gets a sentence and the log the rest
            self._report(error, "The session has stopped")
        finally:
            self._main.is_over = True
            self._main.draw_bars()

    async def _open(self, engine: Engine, wanted: Wanted, before: str) -> Session:
        """Open a session; where that fails, the one there was before.

        Where there was none, what is missing, such as a key or a server, may come: what is sent tries again.
        """
        while True:
            try:
                return await engine.open(wanted.resume)
            except PairloopError as error:
                if before:
                    self._note(Notice("error", error.message, error.hint))
                    return await engine.open(before)
                hint = f"{error.hint}{'' if error.hint[-1:] in ('', '.') else '.'} {_TRIES_AGAIN}".strip()
                self._note(Notice("error", error.message, hint))
            await self._sent_again()

    async def _sent_again(self) -> None:
        """Wait until something is sent; what was sent in vain is in the prompt again, so that enter will do."""
        kept, self._kept = self._kept, []
        self._main.chat.keep_for_later(())
        if kept:
            self._main.prompt.give_back("\n".join(kept))
        self._again = asyncio.Event()
        self._main.is_over = True
        self._main.draw_bars()
        try:
            await self._again.wait()
        finally:
            self._again = None
        self._main.is_over = False
        self._main.draw_bars()

    async def _run(self, session: Session) -> Wanted | None:
        """Run a session to its end; gives which is wanted next."""
        main = self._main
        main.diff.attach(session.content)
        main.prompt.attach(lambda: session.paths, session.custom)
        unsubscribe = session.subscribe(self._bridge.listen)
        main.status.surroundings = session.surroundings
        unfollow = session.surroundings.follow(main.draw_bars)
        self.session = session
        main.is_open = True
        try:
            self._bridge.show(session.state)
            self._bridge.frame()
            self._send_kept()
            await session.run()
        finally:
            unsubscribe()
            unfollow()
            main.status.surroundings = None
            self.session = None
            main.is_open = False
        wanted = self._take_next()
        if wanted is not None:
            main.begin_anew()
        return wanted

    def _take_next(self) -> Wanted | None:
        wanted, self._next = self._next, None
        return wanted

    def switch(self, wanted: Wanted) -> None:
        """End the session that runs in an orderly way, and open another one."""
        if self.session is not None and self._next is None and not self._quitting:
            self._next = wanted
            self.session.submit(Quit())

    @property
    def state(self) -> State:
        """What is true of the session now, drawn or not."""
        return self.session.state if self.session is not None else self._main.state

    async def quit(self, run: asyncio.Task[None] | None) -> None:
        """End all of it, within bounds.

        Args:
            run: The task that runs `live`.
        """
        self._quitting = True
        self._next = None
        if self.session is not None:
            self.session.submit(Quit())
        if run is not None:
            if self.session is None:
                run.cancel()
            await asyncio.wait({run}, timeout=QUIT_WAIT)
            run.cancel()

    def _note(self, notice: Notice) -> None:
        self._main.chat.note(notice)

    # -- What is said to it

    def say(self, text: str) -> bool:
        """Give a task, or steer the one that runs; kept until there is a session.

        Returns:
            Whether anybody will hear it.
        """
        if self.session is not None:
            state = self.session.state
            self.session.submit(Steer(text) if state.task is not None or state.waiting else Ask(text))
        elif self._main.is_over and self._again is None:
            return False
        else:
            self._kept.append(text)
            self._main.chat.keep_for_later(tuple(self._kept))
            if self._again is not None:
                self._again.set()
            if self._offered is not None:
                self._main.flash("Kept. First say whether to resume or to begin a new session.")
        return True

    def _send_kept(self) -> None:
        kept, self._kept = self._kept, []
        self._main.chat.keep_for_later(())
        for text in kept:
            self.say(text)

    # -- The offer to resume

    async def _which(self, engine: Engine) -> str | None:
        """Which session to open: asks when there is one to go on with."""
        previous = await engine.previous()
        if previous is None:
            return None
        self._offered = asyncio.get_running_loop().create_future()
        self._main.offer_session(_offer_text(previous))
        try:
            return previous.id if await self._offered else None
        finally:
            self._offered = None
            self._main.offer_session("")

    def answer_offer(self, text: str) -> bool:
        """Whether what is sent answers the offer to resume; it stays in the prompt as long as that is too new."""
        resume = _OFFER_ANSWERS.get(text.strip().lower())
        if self._offered is None or resume is None:
            return False
        if self.decide_offer(resume=resume):
            self._main.prompt.load_text("")
        return True

    def decide_offer(self, *, resume: bool) -> bool:
        """Answer the offer, if it has been there long enough to have been read; whether it was."""
        if self._offered is None or self._offered.done() or self._main.too_early():
            return False
        self._offered.set_result(resume)
        return True


def _offer_text(previous: SessionSummary) -> str:
    title = previous.title if len(previous.title) <= 60 else f"{previous.title[:57]}..."
    pending = "" if previous.finished else ", something is pending"
    return f"Go on with “{title or 'the last session'}” ({ago(time.time() - previous.last)}{pending})?"
