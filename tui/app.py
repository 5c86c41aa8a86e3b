"""The app: paints first, then opens the engine, then draws what is true and hands in what is wanted."""

from __future__ import annotations

import asyncio
import gc
import inspect
import time
from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import App
from textual.binding import Binding

from agent_core.commands import (
    Accept,
    AnyCommand,
    Approve,
    Ask,
    Fix,
    Interrupt,
    Quit,
    Redo,
    Reject,
    SetMode,
    Steer,
    Undo,
)
from agent_core.errors import PairloopError
from agent_core.events import Mode
from agent_core.state import Notice, State
from tui.actions import BY_ID, applies, bindings
from tui.bridge import Bridge
from tui.engine import Engine, Session, SessionSummary
from tui.panes.pane import Trouble
from tui.screens.main import MainScreen
from tui.trouble import Log, ago
from tui.widgets.prompt import Prompt

_QUIT_WAIT = 3.0
_MAX_FAILURES = 10
_MODES: tuple[Mode, ...] = ("step", "until-green", "auto")
_OFFER_ANSWERS = {"y": "resume", "n": "start_anew"}


class PairloopApp(App[None], inherit_bindings=False):
    """The terminal pair-programmer.

    Args:
        engine_factory: Makes the engine; called in a thread after the first paint, so it may import what it likes.
        draft: What stands in the prompt at first.
        clock: Gives seconds; monotonic.
    """

    TITLE = "pairloop"
    CSS_PATH = "styles/app.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (150, "-wide")]  # noqa: RUF012 - typed so by Textual
    BINDINGS: ClassVar = [*bindings("everywhere"), Binding("ctrl+c", "say_quit", show=False, system=True)]

    def __init__(
        self,
        engine_factory: Callable[[], Engine],
        *,
        draft: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.theme = "tokyo-night"
        self.animation_level = "none"  # scrolling in steps is many frames for one key
        self.session: Session | None = None
        self.main = MainScreen(clock, self._answer_offer, draft)
        self.failures: list[Exception] = []
        """Unexpected errors so far; each is in the log and on screen."""
        self._engine_factory = engine_factory
        self._bridge = Bridge(self._draw, self.set_timer, clock)
        self._log_file = Log()
        self._kept: list[str] = []
        self._offered: asyncio.Future[bool] | None = None
        self._run: asyncio.Task[None] | None = None
        self._quitting = False

    def get_default_screen(self) -> MainScreen:
        """The screen it starts with."""
        return self.main

    # -- Coming up

    def on_mount(self) -> None:
        """Have the engine opened as soon as there is something to see."""
        self.call_after_refresh(self._after_paint)

    def _after_paint(self) -> None:
        # Whoever started us may have put collection off until there was something to see; what is alive by now
        # stays alive, and need not be looked at again.
        gc.freeze()
        gc.enable()
        self._log_file.open()
        self._run = asyncio.get_running_loop().create_task(self._live())

    async def _live(self) -> None:
        """The whole life of the session; every end of it is told."""
        try:
            engine = await asyncio.to_thread(self._engine_factory)
            session = await engine.open(await self._which(engine))
            self.main.diff.attach(session.content)
            unsubscribe = session.subscribe(self._bridge.listen)
            self.session = session
            self.main.is_open = True
            self._bridge.show(session.state)
            self._bridge.frame()
            self._send_kept()
            try:
                await session.run()
            finally:
                unsubscribe()
            if not self._quitting:
                self._note(Notice("info", "The session has ended.", "ctrl+q leaves."))
        except PairloopError as error:
            self._note(Notice("error", error.message, error.hint or "ctrl+q leaves."))
        except Exception as error:  # noqa: BLE001 - whatever it is, the human gets a sentence and the log the rest
            self._report(error, "The session has stopped")
        finally:
            self.session = None
            self.main.is_open = False
            self.main.is_over = True
            self.main.draw_bars()

    async def _which(self, engine: Engine) -> str | None:
        """Which session to open: asks when there is one to go on with."""
        previous = await engine.previous()
        if previous is None:
            return None
        self._offered = asyncio.get_running_loop().create_future()
        self.main.offer_session(_offer_text(previous))
        try:
            return previous.id if await self._offered else None
        finally:
            self._offered = None
            self.main.offer_session("")

    def _answer_offer(self, letter: str) -> bool:
        """Whether a letter typed into the empty prompt answers the offer to resume."""
        if self._offered is None or letter not in _OFFER_ANSWERS or self.main.is_new:
            return False
        self._decide_offer(resume=letter == "y")
        return True

    def _decide_offer(self, *, resume: bool) -> None:
        if self._offered is not None and not self._offered.done() and not self.main.too_early():
            self._offered.set_result(resume)

    def _send_kept(self) -> None:
        kept, self._kept = self._kept, []
        self.main.chat.keep_for_later(())
        for text in kept:
            self._say(text)

    # -- Trouble

    def _note(self, notice: Notice) -> None:
        self.main.chat.note(notice)

    def _report(self, error: Exception, meaning: str) -> None:
        """Tell the human of an unexpected error, and the log all of it."""
        self.failures.append(error)
        self._log_file.error(meaning, error)
        path = self._log_file.path
        where = f"The details are in {path}." if path else "The log could not be written."
        self._note(Notice("error", f"{meaning}: {type(error).__name__}: {error}", where))

    @on(Trouble)
    def _trouble(self, trouble: Trouble) -> None:
        self._report(trouble.error, trouble.meaning)

    def _draw(self, state: State) -> None:
        """Draw; a defect in it costs one frame, not the session."""
        try:
            self.main.draw(state)
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

    # -- What is wanted

    def submit(self, command: AnyCommand) -> None:
        """Hand a command to the session, if there is one."""
        if self.session is not None:
            self.session.submit(command)

    @property
    def state(self) -> State:
        """What is true of the session now, drawn or not."""
        return self.session.state if self.session is not None else self.main.state

    def _say(self, text: str) -> None:
        state = self.state
        self.submit(Steer(text) if state.task is not None or state.waiting else Ask(text))

    @on(Prompt.Sent)
    def _sent(self, sent: Prompt.Sent) -> None:
        if sent.reason:
            if self.main.state.waiting:
                self.submit(Reject(self.main.state.waiting, sent.text))
            self.main.draw_bars()
        elif self.session is not None:
            self._say(sent.text)
        elif self.main.is_over:
            self.main.prompt.give_back(sent.text)
            self.main.flash("There is no session to send it to.")
        else:
            self._kept.append(sent.text)
            self.main.chat.keep_for_later(tuple(self._kept))
            if self._offered is not None:
                self.main.flash("Kept. First say whether to resume or to begin a new session.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action can be done now."""
        if action != "do":
            return True
        name = str(parameters[0])
        if self.screen is not self.main:
            return name == "quit"
        return applies(name, self.main.situation)

    async def action_do(self, name: str) -> None:
        """Do an action of the registry, on whatever it is a method of."""
        action = BY_ID[name]
        target = self if action.target == "app" else self.main.part(action.target)
        done = getattr(target, f"action_{name}")()
        if inspect.isawaitable(done):
            await done

    def _decide(self, command: AnyCommand) -> None:
        if not self.main.too_early():
            self.submit(command)

    def action_accept(self) -> None:
        """Land the waiting proposal: the one that is drawn."""
        self._decide(Accept(self.main.state.waiting))

    def action_reject(self) -> None:
        """Ask for the reason."""
        if not self.main.too_early():
            self.main.prompt.ask_reason()
            self.main.draw_bars()

    def action_leave_reason(self) -> None:
        """Leave the reason unsaid."""
        self.main.prompt.leave_reason()
        self.main.draw_bars()

    def action_go_on(self) -> None:
        """Let the partner revise from the verdict."""
        self._decide(Steer())

    def action_fix(self) -> None:
        """Have the tools mend what they can in the waiting proposal."""
        self._decide(Fix(self.main.state.waiting))

    def _approve(self, *, allowed: bool) -> None:
        approval = self.main.state.approval
        if approval is not None:
            self._decide(Approve(approval.call_id, allowed))

    def action_allow(self) -> None:
        """Let the command run."""
        self._approve(allowed=True)

    def action_deny(self) -> None:
        """Do not let the command run."""
        self._approve(allowed=False)

    def action_resume(self) -> None:
        """Go on with the offered session."""
        self._decide_offer(resume=True)

    def action_start_anew(self) -> None:
        """Begin a new session."""
        self._decide_offer(resume=False)

    def action_undo(self) -> None:
        """Take the last landing back."""
        self.submit(Undo())

    def action_redo(self) -> None:
        """Land again what was taken back last."""
        self.submit(Redo())

    def action_send(self) -> None:
        """Send what is in the prompt."""
        self.main.prompt.send()

    def action_newline(self) -> None:
        """Begin a new line in the prompt."""
        self.main.prompt.newline()

    def action_interrupt(self) -> None:
        """Stop what is running; a question that has only just appeared is not dismissed by it."""
        if self.main.state.phase in {"deciding", "approving"} and self.main.too_early():
            return
        self.submit(Interrupt())

    def action_mode(self) -> None:
        """On to the next mode; while a proposal waits not to auto, which would land it (or give it up) in passing."""
        state = self.state
        mode = _MODES[(_MODES.index(state.mode) + 1) % len(_MODES)]
        if mode == "auto" and state.waiting:
            mode = "step"
            self.main.flash("Auto would decide on what waits: do that first.")
        self.submit(SetMode(mode))

    def action_next_pane(self) -> None:
        """Move the focus on."""
        self.main.cycle(1)

    def action_previous_pane(self) -> None:
        """Move the focus back."""
        self.main.cycle(-1)

    def action_chat(self) -> None:
        """Show the chat."""
        self.main.go_to("chat")

    def action_diff(self) -> None:
        """Show the diff."""
        self.main.go_to("diff")

    def action_checks(self) -> None:
        """Show the checks."""
        self.main.go_to("checks")

    def action_scroll_up(self) -> None:
        """Scroll the pane in front."""
        self.main.pane.scroll_page_up(animate=False)

    def action_scroll_down(self) -> None:
        """Scroll the pane in front."""
        self.main.pane.scroll_page_down(animate=False)

    def action_prompt(self) -> None:
        """Back to the prompt."""
        self.main.prompt.focus()

    async def action_help(self) -> None:
        """Show the help."""
        from tui.screens.help import HelpScreen  # noqa: PLC0415 - not needed to paint

        await self.push_screen(HelpScreen())

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
        self.submit(Quit())
        self.run_worker(self._leave(), exit_on_error=False)

    def on_unmount(self) -> None:
        """Give back what is open."""
        self._log_file.close()

    async def _leave(self) -> None:
        if self._run is not None:
            if self.session is None:
                self._run.cancel()
            await asyncio.wait({self._run}, timeout=_QUIT_WAIT)
            self._run.cancel()
        self.exit()


def _offer_text(previous: SessionSummary) -> str:
    title = previous.title if len(previous.title) <= 60 else f"{previous.title[:57]}..."
    pending = "" if previous.finished else ", something is pending"
    return f"Go on with “{title or 'the last session'}” ({ago(time.time() - previous.last)}{pending})?"
