"""The rules on what the partner may do: those that are kept for the project, which can be forgotten, and the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from agent_core.permission_book import KnownRule
from tui.screens.choose import Entry

QUESTION = "rules on what the partner may do; enter forgets one that you have kept, esc leaves"
_SIGNS = {"allow": "✓", "ask": "?", "deny": "✗"}
_WORDS = {"allow": "allowed without asking", "ask": "always asked", "deny": "never"}


def entries_of(rules: Sequence[KnownRule], forget: Callable[[str], None], say: Callable[[str], None]) -> list[Entry]:
    """All rules, a line each.

    Args:
        rules: The rules.
        forget: Forgets one that is kept.
        say: Says why another cannot be forgotten here.
    """
    return [
        Entry(
            f"{_SIGNS[one.answer]} {one.rule}",
            f"{_WORDS[one.answer]}, {'kept for this project' if one.kept else 'by the configuration'}",
            do=partial(forget, one.rule)
            if one.kept
            else partial(say, "That rule is in a configuration file: [permissions] there."),
        )
        for one in rules
    ] or [Entry("There are no rules yet.", "you are asked before anything is run")]
