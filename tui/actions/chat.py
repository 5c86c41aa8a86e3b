"""Actions of the chat pane."""

from __future__ import annotations

from tui.actions.model import Action

CHAT: tuple[Action, ...] = ()
"""In the order in which help and the line of keys show them."""
