"""The help: every action with its keys, and what the signs mean."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from tui.actions import ACTIONS, PLACES
from tui.actions.keys import key_name
from tui.actions.model import Place
from tui.widgets.lines import BLANK, Line, LinesView

_FAR: tuple[Place, ...] = ("prompt", "everywhere")
_SIGNS = (
    ("✓", "good", "green: passed, landed, done"),
    ("✗", "bad", "red: failed, broken, refused"),
    ("◌", "accent", "under way, or well so far: not the last word"),
    ("~", "warn", "flaky: failed and passed when run again, and is not held against the patch"),
    ("?", "warn", "a check that did not judge: never a pass"),
    ("●", "warn", "was red before and is what the task is about"),
    ("◆", "accent", "a proposal: nothing of it is in your files yet"),
    ("⤓", "good", "a landing: written to your files, can be undone"),
    ("✎", "primary", "you changed a file yourself; the partner is told"),
    ("!", "warn", "worth knowing"),
    ("↪", "faint", "a long line goes on"),
    ("⋯", "faint", "left out here"),
)


def help_lines() -> list[Line]:
    """What the help shows."""
    lines: list[Line] = []
    for group in dict.fromkeys(action.group for action in ACTIONS):
        lines += [Line(((group, "heading"),)), BLANK]
        for action in (one for one in ACTIONS if one.group == group):
            near = [key for place in PLACES if place not in _FAR for key in action.keys.get(place, ())]
            pane = " ".join(key_name(key) for key in near)
            everywhere = " ".join(key_name(key) for place in _FAR for key in action.keys.get(place, ()))
            lead = ((f"  {pane:<5}", "key"), (f"{everywhere:<17}", "key"))
            lines.append(Line(((action.help, "text"),), lead=lead))
        lines.append(BLANK)
    note = "The first column acts while a pane has the focus; the second everywhere, or in the prompt."
    lines += [Line(((note, "dim"),)), BLANK, Line((("Signs", "heading"),)), BLANK]
    lines += [Line(((words, "text"),), lead=((f"  {sign}   ", style),)) for sign, style, words in _SIGNS]
    return lines


class HelpView(LinesView):
    """The help's text."""

    follow = False

    def on_mount(self) -> None:
        """Fill it."""
        self.border_title = "help"
        self.border_subtitle = "esc closes"
        self.set_lines(help_lines())


class HelpScreen(ModalScreen[None]):
    """Lies over the panes until a key closes it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpView { width: 90; max-width: 100%; height: 90%; border: round $primary; padding: 0 1; background: $background; }
    """
    BINDINGS: ClassVar = [Binding(key, "dismiss", show=False) for key in ("escape", "q", "f1", "question_mark")]

    def compose(self) -> ComposeResult:
        """Its one widget."""
        yield HelpView()
