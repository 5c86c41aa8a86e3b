"""The prompt: where tasks, steering and reasons are written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from textual import events
from textual.message import Message

from agent_core.chat_entries import Ran
from agent_core.commands import AnyCommand, Shell, Withdraw
from agent_core.state import State
from agent_core.text import without_surrogates
from tui.actions import BY_ID, key_for, momentary
from tui.panes.pane import told
from tui.prompt import history
from tui.prompt.chips import count_lines, is_long, quoted
from tui.prompt.offers import first_line
from tui.prompt.titles import ASK, REASON
from tui.widgets.completion import Completion
from tui.widgets.prompt_choosing import ChoosingArea
from tui.widgets.prompt_strip import PromptStrip

SentAs = Literal["words", "reason", "slash"]
_RECALLED_LINES = 40


class Prompt(ChoosingArea):
    """A text area that grows, sends with Enter, and can ask for a reason in between.

    A draft is never lost: asking for a reason puts it aside and gives it back.

    Args:
        answer: Asked with what is about to be sent, whether it answers a question; it goes nowhere else then.
        draft: What stands in it at first.
    """

    DEFAULT_CSS = """
    Prompt {
        height: auto; max-height: 10; padding: 0 1;
        border: round $panel-lighten-2; background: $background;
        border-title-color: $foreground 60%;
        &:focus { border: round $primary; border-title-color: $primary; }
        & .text-area--cursor-line { background: $background; }
    }
    """

    class Sent(Message):
        """Enter was pressed.

        Attributes:
            text: What was written.
            kind: What it is: words for the partner, the reason of a rejection, or a command with a slash.
        """

        def __init__(self, text: str, kind: SentAs) -> None:
            super().__init__()
            self.text = text
            self.kind = kind

        @property
        def reason(self) -> bool:
            """Whether it is the reason of a rejection."""
            return self.kind == "reason"

    class Wants(Message):
        """A command for the session.

        Attributes:
            command: What is wanted.
        """

        def __init__(self, command: AnyCommand) -> None:
            super().__init__()
            self.command = command

    class Says(Message):
        """A word to the human, for a moment.

        Attributes:
            text: The word.
        """

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, answer: Callable[[str], bool], draft: str = "") -> None:
        super().__init__(draft, placeholder=ASK)
        self.strip = PromptStrip()
        self.move_cursor(self.document.end)
        self.cursor_blink = False
        self.border_title = "ask"
        self._answer = answer
        self._draft = ""
        self._kept_in: Path | None = None
        self._project = ""
        self._keeping = asyncio.Lock()
        self._runs: set[str] = set()  # commands whose output will be offered
        self._attached: list[tuple[str, str]] = []  # label and text of what goes along

    # -- Keys

    async def _on_key(self, event: events.Key) -> None:
        if self.choosing and (action := momentary(event.key, "popup")):
            event.stop()
            event.prevent_default()
            await self.app.run_action(action)
            return
        # TextArea takes Enter for a newline before bindings get to see it; here the registry has the word.
        if event.key in {"enter", "shift+enter", "ctrl+j"}:
            event.prevent_default()
            await self.act(event)
            return
        await super()._on_key(event)

    def action_delete_left(self) -> None:
        """Delete to the left; at the very beginning drop what was to go along."""
        if self._attached and self.selection.is_empty and self.cursor_location == (0, 0):
            self._attached.pop()
            self._show_strip()
        else:
            super().action_delete_left()

    # -- What the session says

    def show(self, state: State) -> None:
        """Take in what is true now: what waits, which commands have ended, which project this is."""
        old, self.state = self.state, state
        if state.project and state.project != self._project:
            self._project = state.project
            loads = told(self, self._load_history(state.project), "What you wrote before cannot be recalled")
            self.run_worker(loads, exit_on_error=False)
        if self._runs and state.chat is not old.chat:
            for entry in state.chat:
                if isinstance(entry, Ran) and entry.id in self._runs and entry.code is not None:
                    self._runs.discard(entry.id)
                    self._offer_output(entry)
        if state.queued != old.queued:
            self._show_strip()
            self.queue_changed(state.queued)

    def _offer_output(self, ran: Ran) -> None:
        """Offer the output of a command: it goes along with the next message unless it is dropped."""
        if not ran.output.strip():
            return
        ended = ran.killed or f"exit status {ran.code}"
        from tui.widgets.ansi import ansi_lines  # noqa: PLC0415 - not needed to paint

        plain = ("".join(text for text, _ in pieces) for pieces in ansi_lines(ran.output.strip("\n")))
        output = "\n".join(plain)
        text = quoted(f"Output of `{ran.line}` ({ended}):", output)
        self._attached.append((f"[output of !{first_line(ran.line)[:60]}: {count_lines(output)}]", text))
        self._show_strip()

    def _show_strip(self) -> None:
        labels = [label for label, _ in self._attached]
        key = key_for(BY_ID["earlier"], "prompt")
        self.strip.show(self.state.queued, labels, key, max(self.screen.size.width - 4, 20))

    def on_resize(self) -> None:
        """Room for more or less of what waits."""
        self._show_strip()

    # -- Sending

    def send(self) -> None:
        """Hand over what is written and empty the prompt; a backslash before the cursor makes it a newline."""
        row, column = self.cursor_location
        if self.selection.is_empty and self.document[row][:column].endswith("\\"):
            self.replace("\n", (row, column - 1), (row, column), maintain_selection_offset=False)
            return
        if self.asks_reason:
            text = self.expanded
            self.leave_reason(keep=False)
            self.tell(self.Sent(text.strip(), "reason"))
            return
        text = self.expanded
        if self._answer(text):
            return
        if not text.strip():
            if self._attached:
                self.tell(self.Says("Say something about the output, or drop it with backspace."))
            return
        self.keep(text.strip())
        self.load_text("")
        self.close()
        if text.startswith("!"):
            self._shell(text[1:].strip())
        elif text.startswith("/") and not text.startswith("//"):
            self.tell(self.Sent(text.strip(), "slash"))
        else:
            said = text.removeprefix("/").strip() if text.startswith("//") else text.strip()
            attached, self._attached = self._attached, []
            if attached:
                self._show_strip()
            self.tell(self.Sent("\n\n".join([said, *(more for _, more in attached)]), "words"))

    def _shell(self, line: str) -> None:
        if line:
            from secrets import token_hex  # noqa: PLC0415 - not needed to paint

            run = token_hex(6)
            self._runs.add(run)
            self.tell(self.Wants(Shell(run, line)))

    def give_back(self, text: str) -> None:
        """Put back what could not be sent, before what has been written since."""
        since = self.text
        self.put_text(f"{text}\n{since}" if since.strip() else text)

    def put_text(self, text: str) -> None:
        """Put a text in the place of what is written; a very long one as a chip."""
        if text.count("\n") >= _RECALLED_LINES or (is_long(text) and "\n" not in text):
            text = f"{self.chips.add(f'recalled {count_lines(text)}', text)} "
        self.load_text(text)
        self.move_cursor(self.document.end)

    def newline(self) -> None:
        """Begin a new line at the cursor."""
        self.put("\n")
        self.scroll_cursor_visible()

    # -- Earlier words

    def keep(self, text: str) -> None:
        """Note what was sent, for this run and the ones to come."""
        if self.past.add(text) and self._kept_in is not None:
            writes = told(self, self._write_history(self._kept_in, text), "What you write is not kept")
            self.run_worker(writes, exit_on_error=False)

    async def _load_history(self, project: str) -> None:
        self._kept_in, entries = await asyncio.to_thread(_history_of, project)
        self.past.load(entries)

    async def _write_history(self, path: Path, text: str) -> None:
        async with self._keeping:
            try:
                await asyncio.to_thread(history.write, path, text, list(self.past.entries))
            except OSError as error:
                self._kept_in = None
                self.tell(self.Says(f"What you write is not kept: {error.strerror or error}."))

    def action_earlier(self) -> None:
        """Up a row; from the first one to what was sent before; in the empty prompt first to what waits."""
        if not self.text and self.state.queued:
            self.take_back(len(self.state.queued) - 1)
        elif self._cursor_offset[1] > 0 or self.asks_reason:
            self.action_cursor_up()
        elif (entry := self.past.back(self.text)) is not None:
            self.put_text(entry)
            self.close()

    def action_later(self) -> None:
        """Down a row; from the last one to what was sent later."""
        if self._cursor_offset[1] < self.wrapped_document.height - 1 or self.asks_reason:
            self.action_cursor_down()
        elif (entry := self.past.forward()) is not None:
            self.put_text(entry)
            self.close()

    def action_recall(self) -> None:
        """Search in what was sent before."""
        if not self.asks_reason:
            self.open_history()

    # -- Words that wait

    def action_queue(self) -> None:
        """Choose among the messages that wait, to edit or to withdraw one."""
        if self.state.queued:
            self.open_queue(self.state.queued)

    def take_back(self, index: int) -> None:
        """Take a waiting message back into the prompt, before what is written there."""
        if index < len(self.state.queued):
            self.give_back(self.state.queued[index])
            self.withdraw(index)
            self.focus()

    def withdraw(self, index: int) -> None:
        """Take a waiting message back."""
        if index < len(self.state.queued):
            self.tell(self.Wants(Withdraw(index, self.state.queued[index])))

    def clicked(self, clicked: PromptStrip.Clicked | Completion.Clicked) -> None:
        """Something over the prompt was clicked."""
        if isinstance(clicked, Completion.Clicked):
            if clicked.index < len(self.choices):
                self.choose(clicked.index)
        elif clicked.what == "pull":
            self.take_back(clicked.index)
        elif clicked.what == "withdraw":
            self.withdraw(clicked.index)
        elif clicked.index < len(self._attached):
            del self._attached[clicked.index]
            self._show_strip()

    # -- Other ways to write

    def action_undo_writing(self) -> None:
        """Take back what was written last."""
        self.action_undo()

    def action_redo_writing(self) -> None:
        """Write again what was taken back."""
        self.action_redo()

    def action_unfold(self) -> None:
        """Put the chip at the cursor into the text in full."""
        if not self.unfold():
            self.tell(self.Says("There is no chip to unfold."))

    def action_compose(self) -> None:
        """Write in the human's own editor."""
        writes = told(self, self._write_in_editor(), "The editor did not work")
        self.run_worker(writes, exclusive=True, group="editor", exit_on_error=False)

    async def _write_in_editor(self) -> None:
        from tui.editor import EditorError, edit  # noqa: PLC0415 - not needed to paint

        labels = self.chips.found(self.text)
        try:
            text = await edit(self.app, self.expanded, name="pairloop.md")
        except EditorError as error:
            self.tell(self.Says(f"{error.message} {error.hint}".strip()))
            return
        if text is not None:
            self.put_text(self.chips.fold(text.rstrip("\n"), labels))
        self.focus()

    # -- Reasons

    def ask_reason(self) -> None:
        """Put the draft aside and ask why a proposal is rejected."""
        self.asks_reason = True
        self._draft = self.text
        self.clear()
        self.placeholder = REASON
        self.border_title = "reject"
        self.focus()

    def leave_reason(self, *, keep: bool = True) -> None:
        """Give the draft back.

        Args:
            keep: What was written of the reason is not lost, but put after the draft.
        """
        written = self.text if keep else ""
        self.asks_reason = False
        self.put_text("\n".join(part for part in (self._draft, written) if part.strip()))
        self._draft = ""

    def entitle(self, title: str, placeholder: str) -> None:
        """Say what Enter would do now."""
        if self.asks_reason or (self.border_title == title and self.placeholder == placeholder):
            return
        self.border_title = title
        self.placeholder = placeholder


def _history_of(project: str) -> tuple[Path, list[str]]:
    """The file in which the history of a project is kept, and what is in it."""
    from agent_core.places import project_state  # noqa: PLC0415 - not needed to paint

    # As the journal tells it, whatever the name of the folder is made of.
    path = project_state(Path(without_surrogates(project))) / "prompt-history.jsonl"
    return path, history.read(path)
