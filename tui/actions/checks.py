"""Actions of the check log pane."""

from __future__ import annotations

from tui.actions.model import Action

CHECKS: tuple[Action, ...] = ()
"""In the order in which help and the line of keys show them."""
