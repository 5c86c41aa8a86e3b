"""The life of a plain session: opened, talked with, interrupted, left."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent_core import commands as cmd
from agent_core.errors import PairloopError, PartnerError
from agent_core.headless import GREEN, NOT_GREEN, PARTNER, USAGE
from agent_core.output import complain
from agent_core.text import counted
from tui.engine import Engine, Session, SessionSummary
from tui.plain.asking import Asking
from tui.plain.console import Console, Typed
from tui.plain.status import doing_of
from tui.plain.talk import Talk
from tui.trouble import Log, ago

if TYPE_CHECKING:
    from agent_core.shelf import SessionCard

_QUIT_WAIT = 5.0
_TWICE = 3.0  # seconds within which a second ctrl+c leaves
_QUIET = 15.0  # seconds of silence before it is said what goes on
_MOST_QUIET = 240.0
_TICK = 0.5
_MOST_OFFERED = 9


class Plain:
    """Runs one session in lines.

    Args:
        engine: Opens it.
        choose: Offer all earlier sessions, not only what was left open.
        draft: A task to offer.
    """

    def __init__(self, engine: Engine, *, choose: bool = False, draft: str = "") -> None:
        self._engine = engine
        self._choose = choose
        self._draft = draft
        self._console = Console(sys.stdin.fileno(), sys.stdout, self._gone)
        self._asking = Asking(self._console)
        self._session: Session | None = None
        self._talk: Talk | None = None
        self._kept: list[Typed] = []
        self._work: asyncio.Task[int] | None = None
        self._stopped_at = -_TWICE
        self._leaving = False
        self._ended = False
        self._quiet = _QUIET  # seconds of silence after which something is said
        self._spoke_at = 0.0  # when the last line was written, of whatever kind
        self._heard_at = 0.0  # when the last one was that had news
        self._log = Log()

    async def run(self) -> int:
        """All of it.

        Returns:
            The exit code: 0; 1 for a defect; 2 where it could not be opened; 3 where the partner was the reason.
        """
        self._log.open()
        loop = asyncio.get_running_loop()
        signals = {signal.SIGINT: self._interrupt, signal.SIGTERM: self._leave, signal.SIGHUP: self._leave}
        for number, handler in signals.items():
            # Not every loop can: off the main thread there is nobody to press ctrl+c either.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, handler)
        self._console.start()
        helpers = [loop.create_task(self._hear()), loop.create_task(self._watch())]
        self._work = loop.create_task(self._live())
        try:
            return await self._work
        except asyncio.CancelledError:
            return GREEN
        finally:
            for helper in helpers:
                helper.cancel()
            self._console.stop()
            self._log.close()

    async def _live(self) -> int:
        try:
            resume = await self._which()
            self._session = session = await self._engine.open(resume)
            self._talk = talk = Talk(
                session,
                self._console,
                self._asking,
                leave=self._leave,
                interrupt=self._interrupt,
                draft=self._draft,
            )
            if resume is not None:
                talk.begin()
            unsubscribe = session.subscribe(talk.told)
            kept, self._kept = self._kept, []
            for typed in kept:
                self._take(typed)
            if self._leaving:
                session.submit(cmd.Quit())
            try:
                await session.run()
            finally:
                unsubscribe()
                talk.close()
                self._session = None
        except PairloopError as error:
            complain(str(error))
            return PARTNER if isinstance(error, PartnerError) and error.kind != "script" else USAGE
        except Exception as error:  # noqa: BLE001 - whatever it is, the human gets a sentence and the log the rest
            self._report(error, "The session has stopped")
            return NOT_GREEN
        self._console.say("The session has ended. It is kept.")
        return GREEN

    async def _offered(self) -> Sequence[SessionSummary | SessionCard]:
        """The sessions that can be gone on with, of those that are to be offered."""
        if self._choose:
            cards = await self._engine.shelf().cards()
            return [card for card in cards if not card.in_use][:_MOST_OFFERED]
        previous = await self._engine.previous()
        return [previous] if previous is not None else []

    async def _which(self) -> str | None:
        """Which session to open: asks when there is one to go on with."""
        offered = await self._offered()
        if not offered:
            return None
        lines = [f"{number} go on with {_described(one)}" for number, one in enumerate(offered, 1)]
        lines.append(f"{len(offered) + 1} begin a new session")
        while True:
            answer = await self._asking.ask("Which session do you want?", *lines, sudden=True)
            if answer == str(len(offered) + 1):
                return None
            if answer in {str(number) for number in range(1, len(offered) + 1)}:
                return offered[int(answer) - 1].id
            if answer.lower() == "quit":
                self._leave()
            elif answer:
                self._kept.append(Typed(answer, self._console.clock()))
                self._console.say("That is kept for the session. First say which one.")

    # -- what is typed

    async def _hear(self) -> None:
        """Take lines until there are no more."""
        while (typed := await self._console.line()) is not None:
            try:
                self._take(typed)
            except Exception as error:  # noqa: BLE001 - a defect in one line ends nothing
                self._report(error, "That did not work")
        self._ended = True
        if self._console.is_terminal:
            self._leave()

    def _take(self, typed: Typed) -> None:
        if self._talk is not None:
            self._talk.hear(typed)
        elif self._asking.waits:
            if self._asking.too_early(typed):
                self._console.say(f"That was typed before question {self._asking.number}: {typed.text}")
                self._asking.remind()
            else:
                self._asking.give(typed.text.strip())
        else:
            self._kept.append(typed)

    # -- silence, and the end of the input

    async def _watch(self) -> None:
        """Say now and then that something still goes on; leave when a pipe has ended and there is nothing to wait for.

        That is what a screen has a moving sign for.
        """
        while True:
            await asyncio.sleep(_TICK)
            talk, session = self._talk, self._session
            if self._ended and not self._leaving and (self._asking.waits or (talk is not None and talk.rests)):
                self._console.say("The input has ended.")
                self._leave()
            if talk is None or session is None or talk.dialogs.is_editing:
                continue
            if self._console.spoke_at != self._spoke_at:
                self._spoke_at = self._heard_at = self._console.spoke_at
                self._quiet = _QUIET
            silent = self._console.clock() - self._heard_at
            doing = doing_of(session.state)
            if doing and silent >= self._quiet:
                self._quiet = min(self._quiet * 2, _MOST_QUIET)
                self._console.say(f"{doing}. Nothing new for {counted(round(silent), 'second')}.")
                self._spoke_at = self._console.spoke_at

    # -- leaving

    def _interrupt(self) -> None:
        """Stop what is running; the second time leave."""
        talk, now = self._talk, self._console.clock()
        if talk is not None and talk.dialogs.is_editing:
            return
        if now - self._stopped_at < _TWICE:
            self._leave()
            return
        self._stopped_at = now
        again = "Ctrl+C again leaves."
        if talk is None or self._session is None:
            self._console.say("", f"Nothing is running yet. {again}")
        elif talk.dialogs.leave():
            self._console.say("", f"Left the question. {again}")
        elif self._asking.is_new:
            self._console.say("", f"Question {self._asking.number} has just come up, so nothing is stopped. {again}")
        elif talk.works:
            self._console.say("", f"Stopping. {again}")
            self._session.submit(cmd.Interrupt())
        else:
            self._console.say("", f"Nothing is running. {again}")

    def _gone(self) -> None:
        """Nobody reads any more."""
        self._leave(silently=True)

    def _leave(self, *, silently: bool = False) -> None:
        """End it in an orderly way, within bounds; at once the second time."""
        if self._work is None:
            return
        if self._leaving:
            self._work.cancel()
            return
        self._leaving = True
        if self._session is None:
            self._work.cancel()
        else:
            self._session.submit(cmd.Quit())
            asyncio.get_running_loop().call_later(_QUIT_WAIT, self._work.cancel)
        if not silently:
            self._console.say("Leaving.")

    def _report(self, error: Exception, meaning: str) -> None:
        self._log.error(meaning, error)
        path = self._log.path
        where = f" The details are in {path}." if path else ""
        self._console.say(f"{meaning}: {type(error).__name__}: {error}.{where}")


def _described(one: SessionSummary | SessionCard) -> str:
    """A session in a few words."""
    finished = one.finished if hasattr(one, "finished") else not one.pending
    pending = "" if finished else ", something is pending"
    return f"{one.title or 'a session without a title'}, {ago(time.time() - one.last)}{pending}"
