"""The part of the app that hands in commands: each action is one word of the human's to the session."""

from __future__ import annotations

from agent_core.commands import (
    Accept,
    AnyCommand,
    Approve,
    Fix,
    Interrupt,
    Redo,
    Reject,
    SetMode,
    Steer,
    Undo,
)
from agent_core.events import Mode
from agent_core.state import State
from tui.life import Life
from tui.screens.main import MainScreen

_MODES: tuple[Mode, ...] = ("step", "until-green", "auto")


class Decisions:
    """What is wanted, handed in; an app inherits it."""

    main: MainScreen
    life: Life

    @property
    def state(self) -> State:
        """What is true of the session now, drawn or not."""
        return self.life.state

    def submit(self, command: AnyCommand) -> None:
        """Hand a command to the session, if there is one."""
        if self.life.session is not None:
            self.life.session.submit(command)

    def decide(self, command: AnyCommand) -> None:
        """Hand in the answer to a question, unless it has only just appeared; says so then."""
        if not self.main.too_early():
            self.submit(command)

    def action_accept(self) -> None:
        """Land the waiting proposal: the one that is drawn."""
        self.decide(Accept(self.main.state.waiting))

    def action_reject(self) -> None:
        """Ask for the reason."""
        if not self.main.too_early():
            self.main.prompt.ask_reason()
            self.main.draw_bars()

    def reject(self, reason: str) -> None:
        """Reject what waits, with a reason that may be empty."""
        if self.main.state.waiting:
            self.submit(Reject(self.main.state.waiting, reason))
        self.main.draw_bars()

    def action_leave_reason(self) -> None:
        """Leave the reason unsaid."""
        self.main.prompt.leave_reason()
        self.main.draw_bars()

    def action_go_on(self) -> None:
        """Let the partner revise from the verdict."""
        self.decide(Steer())

    def action_fix(self) -> None:
        """Have the tools mend what they can in the waiting proposal."""
        self.decide(Fix(self.main.state.waiting))

    def _approve(self, *, allowed: bool) -> None:
        approval = self.main.state.approval
        if approval is not None:
            self.decide(Approve(approval.call_id, allowed))

    def action_allow(self) -> None:
        """Let the command run."""
        self._approve(allowed=True)

    def action_deny(self) -> None:
        """Do not let the command run."""
        self._approve(allowed=False)

    def action_resume(self) -> None:
        """Go on with the offered session."""
        self.life.decide_offer(resume=True)

    def action_start_anew(self) -> None:
        """Begin a new session."""
        self.life.decide_offer(resume=False)

    def action_undo(self) -> None:
        """Take the last landing back."""
        self.submit(Undo())

    def action_redo(self) -> None:
        """Land again what was taken back last."""
        self.submit(Redo())

    def action_interrupt(self) -> None:
        """Stop what is running; a question that has only just appeared is not dismissed by it."""
        if self.main.state.phase in {"deciding", "approving"} and self.main.too_early():
            return
        self.submit(Interrupt())

    def action_mode(self) -> None:
        """On to the next mode."""
        self.set_mode(_MODES[(_MODES.index(self.state.mode) + 1) % len(_MODES)])

    def set_mode(self, mode: Mode) -> None:
        """Choose a mode; while a proposal waits not auto, which would land it (or give it up) in passing."""
        if mode == "auto" and self.state.waiting:
            mode = "step"
            self.main.flash("Auto would decide on what waits: do that first.")
        self.submit(SetMode(mode))
