"""A place to write that lies over a pane for a moment: new lines of a block, or a comment on it."""

from __future__ import annotations

from typing import Literal

from textual import events
from textual.content import Content
from textual.geometry import Region

from agent_core.text import printable
from tui.actions import momentary
from tui.widgets.area import Area

Kind = Literal["editor", "comment"]
_LEAST = 5


class Writing(Area):
    """A text area at the bottom of a pane, over what is there; nothing is laid out anew for it.

    Args:
        kind: ``editor`` for code, ``comment`` for words; the keys that act in it are those of the place of that name.
        about: Tells what it is about from all else.
        text: What stands in it at first.
        line: 1-based number of its first line, for code.
        title: Stands in its border.
        subtitle: Stands in its lower border.
    """

    DEFAULT_CSS = """
    Writing {
        overlay: screen; position: absolute; padding: 0 1;
        border: round $accent; background: $background; border-title-color: $accent;
        &:focus { border: round $accent; }
        & .text-area--cursor-line { background: $background; }
    }
    """

    def __init__(self, kind: Kind, about: str, text: str, *, line: int = 1, title: str, subtitle: str) -> None:
        code = kind == "editor"
        super().__init__(
            printable(text),
            soft_wrap=not code,
            show_line_numbers=code,
            line_number_start=line,
            tab_behavior="indent" if code else "focus",
            highlight_cursor_line=False,
        )
        self.kind: Kind = kind
        self.about = about
        self.before = self.text
        """What stood in it at first."""
        self.rows = 0
        """How many rows it takes."""
        self.at_top = False
        """It lies over the upper part of the pane, as what it is about is at the end of a short one."""
        self.cursor_blink = False
        # As a text it would be read as markup, and a path may have brackets.
        self.border_title = Content(title)
        self.border_subtitle = subtitle
        if kind == "comment":
            self.move_cursor(self.document.end)

    @property
    def changed(self) -> bool:
        """Whether something was written."""
        return self.text != self.before

    def place(self, pane: Region) -> None:
        """Lie over the lower part of a pane, or the upper one.

        Args:
            pane: Where it is on the screen.
        """
        wanted = self.document.line_count + 3
        self.rows = height = min(max(wanted, _LEAST), max(pane.height * 2 // 3, _LEAST), pane.height)
        self.styles.width, self.styles.height = pane.width, height
        self.styles.offset = (pane.x, pane.y if self.at_top else pane.bottom - height)

    async def _on_key(self, event: events.Key) -> None:
        # A text area takes some keys for text before bindings get to see them; here the registry has the word.
        if action := momentary(event.key, self.kind):
            event.stop()
            event.prevent_default()
            await self.app.run_action(action)
            return
        await super()._on_key(event)
