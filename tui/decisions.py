"""The part of the app that hands in commands: each action is one word of the human's to the session."""

from __future__ import annotations

from agent_core.chat_entries import Notice
from agent_core.commands import (
    Accept,
    Answer,
    AnyCommand,
    Approve,
    EndSearch,
    EndTool,
    Fix,
    Interrupt,
    Land,
    RaiseBudget,
    Redo,
    Reject,
    RetryNow,
    SetMode,
    Steer,
    SwitchRepairs,
    TakeRepair,
    Undo,
)
from agent_core.errors import PairloopError
from agent_core.events import Mode
from agent_core.state import State
from tui.life import Life
from tui.screens.main import MainScreen

_MODES: tuple[Mode, ...] = ("step", "until-green", "auto")


class Decisions:
    """What is wanted, handed in; an app inherits it."""

    main: MainScreen
    life: Life
    _rejecting = 0  # the proposal of which the prompt asks why it is rejected

    @property
    def state(self) -> State:
        """What is true of the session now, drawn or not."""
        return self.life.state

    def submit(self, command: AnyCommand) -> None:
        """Hand a command to the session, if there is one."""
        if self.life.session is not None:
            self.life.session.submit(command)

    def decide(self, command: AnyCommand) -> bool:
        """Hand in the answer to a question, unless it has only just appeared; says so then. Whether it was."""
        if self.main.too_early(landing=isinstance(command, Accept | Land)):
            return False
        self.submit(command)
        return True

    @property
    def unread(self) -> bool:
        """Whether a proposal waits that has only just appeared, or is not even drawn; says so then."""
        if self.state.waiting not in {0, self.main.state.waiting}:
            self.main.flash("A proposal has just come: look first, then press again.")
            return True
        return bool(self.main.state.waiting) and self.main.too_early()

    def say(self, text: str) -> None:
        """Say something to the human for a moment."""
        self.main.flash(text)

    def complain(self, error: PairloopError) -> None:
        """Tell the human of what could not be done; it stays in the chat."""
        self.main.chat.note(Notice("warning", error.message, error.hint))
        self.main.flash(error.message)

    def show_in_diff(self, path: str, line: int) -> bool:
        """Go to a line of the new side in the diff, if that has the file; whether it has."""
        proposal = self.main.state.proposal
        if proposal is None or path not in {file.path for file in proposal.patch.files}:
            return False
        self.main.go_to("diff")
        # A pane that was hidden has its size only when it has been laid out.
        self.main.call_after_refresh(self.main.diff.go_to_line, path, line)
        return True

    def refer(self, label: str, text: str) -> None:
        """Put a chip into the prompt: what it says, and what it stands for; nothing is sent."""
        self.main.prompt.put_chip(label, text)
        self.main.prompt.focus()

    def action_accept(self) -> None:
        """Land the waiting proposal: the one that is drawn."""
        self.decide(Accept(self.main.state.waiting))

    def action_reject(self) -> None:
        """Ask for the reason."""
        if not self.main.too_early():
            self._rejecting = self.main.state.waiting
            self.main.prompt.ask_reason()
            self.main.draw_bars()

    def reject(self, reason: str) -> None:
        """Reject the proposal whose reason was asked for, which may be empty; what came meanwhile is not meant."""
        if self._rejecting == self.main.state.waiting:
            self.submit(Reject(self._rejecting, reason))
        else:
            self.main.prompt.give_back(reason)
            self.say("That proposal does not wait any more.")
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

    def _approve(self, *, allowed: bool, always: str = "") -> None:
        approval = self.main.state.approval
        if approval is not None:
            self.decide(Approve(approval.call_id, allowed, always))

    def action_allow(self) -> None:
        """Let the partner do what it wants, this once."""
        self._approve(allowed=True)

    def action_allow_always(self) -> None:
        """Let the partner do it, and exactly that from now on."""
        approval = self.main.state.approval
        self._approve(allowed=True, always=approval.rule if approval is not None else "")

    def action_allow_wider(self) -> None:
        """Let the partner do it, and the like from now on."""
        approval = self.main.state.approval
        self._approve(allowed=True, always=approval.wider if approval is not None else "")

    def action_deny(self) -> None:
        """Do not let the partner do it."""
        self._approve(allowed=False)

    def _choose(self, number: int) -> None:
        question = self.main.state.question
        if question is not None and number <= len(question.options):
            self.decide(Answer(question.call_id, question.options[number - 1]))

    def action_answer_1(self) -> None:
        """Answer with the first option."""
        self._choose(1)

    def action_answer_2(self) -> None:
        """Answer with the second option."""
        self._choose(2)

    def action_answer_3(self) -> None:
        """Answer with the third option."""
        self._choose(3)

    def action_answer_4(self) -> None:
        """Answer with the fourth option."""
        self._choose(4)

    def action_leave_open(self) -> None:
        """Leave the question to the partner."""
        question = self.main.state.question
        if question is not None:
            self.decide(Answer(question.call_id, ""))

    def answer(self, text: str) -> bool:
        """Take what was sent from the prompt for the answer to what the partner asks, or wants to do.

        What was begun before the question was there answers it only when it is sent a second time.

        Returns:
            Whether there was anything to answer; what was too early is in the prompt again.
        """
        question, approval = self.main.state.question, self.main.state.approval
        if question is None and approval is None:
            return False
        meaning = "answers the partner's question with it" if question is not None else "denies it with these words"
        if self.main.too_early() or (self.main.begun_before and not self.main.insists("send", meaning)):
            self.main.prompt.give_back(text)
        elif question is not None:
            number = int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else 0
            chosen = question.options[number - 1] if 0 < number <= len(question.options) else text
            self.submit(Answer(question.call_id, chosen))
        elif approval is not None:
            self.submit(Approve(approval.call_id, allowed=False, reason=text))
        return True

    def action_end_tool(self) -> None:
        """End what the partner runs, and not the task."""
        self.submit(EndTool())

    def _spend(self, times: float) -> None:
        if self.main.state.budget is not None:
            self.decide(RaiseBudget(times))

    def action_spend_more(self) -> None:
        """Allow as much again as the budget was."""
        self._spend(1.0)

    def action_stop_spending(self) -> None:
        """Spend no more, and end the task."""
        self._spend(-1.0)

    def action_no_limit(self) -> None:
        """Go on without a budget."""
        self._spend(0.0)

    def action_resume(self) -> None:
        """Go on with the offered session."""
        self.life.decide_offer(resume=True)

    def action_start_anew(self) -> None:
        """Begin a new session."""
        self.life.decide_offer(resume=False)

    def action_undo(self) -> None:
        """Take the last landing back.

        In the diff the same key takes back marks: once too often pressed it is not to change files.
        """
        # The landing that is drawn is meant: another may have come since.
        landing, among_marks = self.main.state.undoable, self.main.state.waiting and self.main.focus_name == "diff"
        meaning = f"takes landing {landing.number} back; nothing is marked here any more" if landing else ""
        if among_marks and meaning and not self.main.insists("undo", meaning):
            return
        self.submit(Undo(landing.number if landing is not None else 0))

    def action_redo(self) -> None:
        """Land again what was taken back last."""
        landing = self.main.state.redoable
        self.submit(Redo(landing.number if landing is not None else 0))

    def action_interrupt(self) -> None:
        """Stop what is running.

        A question that has only just appeared is not dismissed by it, and a proposal that waits only when it is
        pressed again: nothing but time would bring that back, and esc also closes searches, lists and comments.
        """
        if self.unread or (self.main.state.phase == "approving" and self.main.too_early()):
            return
        search = self.main.state.repairs.search
        if search is not None and not search.beside and search.found and not search.hurried:
            # What is found already is worth more than an end without anything; once more ends it.
            self.main.flash("The search ends with the best it has found; esc again stops it.")
            self.submit(EndSearch())
            return
        waiting = self.main.state.waiting
        if waiting and not self.main.insists("interrupt", f"gives up the task, and proposal {waiting} with it"):
            return
        self.submit(Interrupt())

    def action_take_repair(self) -> None:
        """Have the repair proposed that was found without the model: the one that is drawn."""
        find = self.main.state.repairs.find
        if find is not None and not self.unread:
            self.submit(TakeRepair(find.number))

    def action_repairs(self) -> None:
        """Have repairs looked for beside the model, or no more."""
        self.submit(SwitchRepairs())

    def action_retry_now(self) -> None:
        """Send the request that waits now."""
        self.submit(RetryNow())

    def action_mode(self) -> None:
        """On to the next mode."""
        self.set_mode(_MODES[(_MODES.index(self.state.mode) + 1) % len(_MODES)])

    def set_mode(self, mode: Mode) -> None:
        """Choose a mode; while a proposal waits none that would land it, or send it back, in passing."""
        from agent_core.decisions import decides_now  # noqa: PLC0415 - not needed to paint

        if decides_now(mode, self.state):
            self.main.flash(f"{mode.capitalize()} would decide on what waits: do that first.")
            mode = "step"
        self.submit(SetMode(mode))
