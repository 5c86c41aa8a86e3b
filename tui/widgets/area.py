"""The text area of ours: keys act in their order, pastes are shown, not obeyed, being taken away breaks no frame."""

from __future__ import annotations

from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import TextArea

from agent_core.text import printable


class Area(TextArea):
    """A text area for what the human writes."""

    def paste(self, text: str) -> None:
        """Write what was pasted at the cursor.

        Args:
            text: With newlines only; what a terminal would obey may be in it.
        """
        self.insert(printable(text), maintain_selection_offset=False)

    async def _on_key(self, event: events.Key) -> None:
        if event.key != "enter" and not event.is_printable:
            await self.act(event)

    async def act(self, event: events.Key) -> None:
        """Do at once what a key is bound to here.

        Textual does so when the key has gone up through all that the area is in, while letters are written at once:
        of what is typed faster than the app draws, letters would overtake the backspaces and arrows before them.

        Args:
            event: The key; it is used up where something is done.
        """
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if not binding.priority and await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        # Terminals send returns for the newlines of a paste.
        self.paste(event.text.replace("\r\n", "\n").replace("\r", "\n"))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Its rows as they are; blank where it was taken from the screen.

        Textual takes a widget's styles away before it lays out the screen without it, and a frame may fall in between:
        a text area, which asks for its styles with each frame, would end the app.
        """
        if not self.is_attached:
            return [Strip.blank(crop.width)] * crop.height
        return super().render_lines(crop)
