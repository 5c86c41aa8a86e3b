"""Actions of the diff pane."""

from __future__ import annotations

from tui.actions.model import Action

DIFF: tuple[Action, ...] = ()
"""In the order in which help and the line of keys show them."""
