"""The app: paints first, then opens the engine, then draws what is true and hands in what is wanted."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual import events, on
from textual.binding import Binding
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from agent_core.chat_entries import Notice
from agent_core.commands import Shell
from agent_core.state import State
from tui.actions import applies, bind, use_keys
from tui.bridge import Bridge
from tui.engine import Custom, Engine, Session
from tui.garbage import Collector
from tui.keeping import Keeping
from tui.life import Life, Wanted
from tui.notify import Notifier
from tui.panes.pane import Trouble
from tui.screens.main import MainScreen
from tui.settings import Settings
from tui.terminal import TerminalDriver
from tui.themes import ANSI, register
from tui.trouble import Log
from tui.widgets.prompt import Prompt

_MAX_FAILURES = 10
_ENDED_BY = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class PairloopApp(Keeping, inherit_bindings=False):
    """The terminal pair-programmer.

    Args:
        engine_factory: Makes the engine; called in a thread after the first paint, so it may import what it likes.
        draft: What stands in the prompt at first.
        clock: Gives seconds; monotonic.
        settings: What the screen is set to, and which keys do what.
        pick: Have a session chosen first, where there are several.
    """

    TITLE = "pairloop"
    CSS_PATH = "styles/app.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (150, "-wide")]  # noqa: RUF012 - typed so by Textual
    BINDINGS: ClassVar = [Binding("ctrl+c", "say_quit", show=False, system=True)]

    def __init__(
        self,
        engine_factory: Callable[[], Engine],
        *,
        draft: str = "",
        clock: Callable[[], float] = time.monotonic,
        settings: Settings | None = None,
        pick: bool = False,
    ) -> None:
        # Without colours it is Textual's way for the terminal's own that leaves all of them out.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.settings = settings or Settings()
        screen = self.settings.screen
        register(self)
        self.theme = ANSI if self.no_color else screen.theme
        self.animation_level = "full" if screen.animation else "none"
        use_keys(self.settings.keys)
        bind(self, "everywhere")
        self.main = MainScreen(clock, self._answer_offer, draft, self.settings)
        self.failures: list[Exception] = []
        """Unexpected errors so far; each is in the log and on screen."""
        self._bridge = Bridge(self._draw, self._later, clock, self.call_after_refresh)
        self.life = Life(engine_factory, self.main, self._bridge, self._report, self.pick_session if pick else None)
        self.notifier = Notifier(self._would_be_missed, self._write, os.environ)
        self._log_file = Log()
        self._collector = Collector()
        self._run: asyncio.Task[None] | None = None
        self._quitting = False

    @property
    def session(self) -> Session | None:
        """The session that runs, if there is one."""
        return self.life.session

    def _answer_offer(self, text: str) -> bool:
        return self.life.answer_offer(text)

    def get_default_screen(self) -> MainScreen:
        """The screen it starts with."""
        return self.main

    # -- Coming up

    def on_mount(self) -> None:
        """Have the engine opened as soon as there is something to see."""
        self.app_resume_signal.subscribe(self, self._come_back)
        self.call_after_refresh(self._after_paint)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something after so many seconds.

        Not by `set_timer`: a timer of Textual's whose time is over before it has begun to wait, as happens on a busy
        machine, never comes; and the screen would stay as it is for good.
        """
        asyncio.get_running_loop().call_later(seconds, self.call_next, call)

    def _come_back(self, _: object) -> None:
        """After ctrl+z and fg: the terminal shows what the shell left, and Textual takes it for what it drew."""
        self.refresh(layout=True)

    def _after_paint(self) -> None:
        # Whoever started us may have put collection off until there was something to see.
        self._collector.begin()
        self._log_file.open()
        loop = asyncio.get_running_loop()
        if not self.is_headless:
            for number in _ENDED_BY:
                loop.add_signal_handler(number, self._end, number)
        self._run = loop.create_task(self.life.live())

    def get_driver_class(self) -> type[Driver]:
        """The driver that Textual would take; in a terminal one that survives the terminal (Textual calls this)."""
        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found

    def _watch_app_focus(self, focus: bool) -> None:  # noqa: FBT001 - Textual calls it so
        """The terminal got or lost the focus, which `app_focus` says; what has it on the screen keeps it.

        Who comes back may have committed meanwhile.

        Textual would take it away, which closes searches and lists, changes the line of keys and costs a layout, and
        all of it again on the way back.
        """
        if focus and self.session is not None:
            self.session.surroundings.look()

    def _would_be_missed(self) -> bool:
        """Whether what is shown now is to be told on the desktop too."""
        return self.settings.screen.notify and not self.app_focus and not self.is_web

    def _write(self, sequence: str) -> None:
        """Write to the terminal what is nothing on the screen."""
        if self._driver is not None:
            self._driver.write(sequence)

    # -- Trouble

    def _report(self, error: Exception, meaning: str) -> None:
        """Tell the human of an unexpected error, and the log all of it."""
        self.failures.append(error)
        self._log_file.error(meaning, error)
        path = self._log_file.path
        where = f"The details are in {path}." if path else "The log could not be written."
        self.main.chat.note(Notice("error", f"{meaning}: {type(error).__name__}: {error}", where))

    @on(Trouble)
    def _trouble(self, trouble: Trouble) -> None:
        self._report(trouble.error, trouble.meaning)

    def _draw(self, state: State) -> None:
        """Draw; a defect in it costs one frame, not the session."""
        try:
            self.main.draw(state)
            self.notifier.hear(state)
        except Exception as error:
            if len(self.failures) >= _MAX_FAILURES:
                raise
            self._report(error, "This could not be drawn")

    async def run_action(self, *args: Any, **named: Any) -> bool:
        """Run an action (Textual calls this for every key); a defect in it is told and ends nothing."""
        try:
            return await super().run_action(*args, **named)
        except Exception as error:  # noqa: BLE001 - told to the human, and in the log
            self._report(error, "That did not work")
            return True

    def _fatal_error(self) -> None:
        """Textual comes here with what it cannot go on after; its own way is a traceback on the terminal."""
        error = self._exception or RuntimeError("unknown")
        self._log_file.error("this cannot be gone on from", error)
        path = self._log_file.path
        words = f"pairloop has to stop: {type(error).__name__}. The session is kept."
        self._exit_renderables.append(Text(f"{words} The details are in {path}." if path else words))
        self._close_messages_no_wait()

    async def on_event(self, event: events.Event) -> None:
        """Textual hands every event in here first: what is typed is drawn before anything else."""
        if isinstance(event, events.Key | events.Paste | events.MouseScrollDown | events.MouseScrollUp):
            self._bridge.key()
        await super().on_event(event)

    # -- What is wanted

    def switch(self, resume: str | None) -> None:
        """Leave the session in an orderly way and open another one.

        Args:
            resume: Its id, None for a new one.
        """
        self._collector.look_at_all()
        self.life.switch(Wanted(resume))

    @on(Prompt.Sent)
    async def _sent(self, sent: Prompt.Sent) -> None:
        if sent.reason:
            self.reject(sent.text)
        elif sent.kind == "slash":
            from tui import slash  # noqa: PLC0415 - not needed to paint

            if trouble := await slash.carry_out(self, sent.text):
                self.main.prompt.give_back(sent.text)
                self.say(trouble)
        elif self.unread:
            # What was typed before it was there would send it back.
            self.main.prompt.give_back(sent.text)
        elif self.answer(sent.text):
            pass
        elif not self.life.say(sent.text):
            self.main.prompt.give_back(sent.text)
            self.main.flash("There is no session to send it to.")

    @on(Prompt.Wants)
    def _wanted(self, wanted: Prompt.Wants) -> None:
        if self.life.session is not None:
            self.submit(wanted.command)
            return
        if isinstance(wanted.command, Shell):
            self.main.prompt.give_back(f"!{wanted.command.line}")
        self.say("There is no session for that now.")

    @property
    def custom(self) -> Custom | None:
        """Commands of the human's or the project's own; None where there is no session."""
        return self.life.session.custom if self.life.session is not None else None

    def ask(self, text: str) -> bool:
        """Give a task; gives whether anybody will hear it."""
        return not self.unread and self.life.say(text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action can be done now."""
        if action != "do":
            return True
        name = str(parameters[0])
        if self.screen is not self.main:
            return name in {"quit", "suspend"}
        return applies(name, self.main.situation)

    def action_send(self) -> None:
        """Send what is in the prompt."""
        self.main.prompt.send()

    def action_newline(self) -> None:
        """Begin a new line in the prompt."""
        self.main.prompt.newline()

    def action_say_quit(self) -> None:
        """Whoever presses ctrl+c to leave is told how."""
        self.main.flash("ctrl+q leaves, esc stops what is running.")

    # -- Going down

    async def action_quit(self) -> None:
        """Leave: the session writes down what it has to, within bounds."""
        if self._quitting:
            self.exit()
            return
        self._quitting = True
        self.main.flash("closing ...")
        self.run_worker(self._leave(), exit_on_error=False)

    def _end(self, number: int) -> None:
        """Somebody wants the process gone: the session is left in order, and the terminal is given back as it was."""
        if self._quitting:
            self.exit(return_code=128 + number)
            return
        self._quitting = True
        self.run_worker(self._leave(128 + number), exit_on_error=False)

    async def _leave(self, code: int = 0) -> None:
        await self.life.quit(self._run)
        self.exit(return_code=code)

    def on_unmount(self) -> None:
        """Give back what is open."""
        self._collector.end()
        self._log_file.close()
