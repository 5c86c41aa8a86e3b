"""What an action is, and what decides whether it can be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from agent_core.state import State

Group = Literal["Decide", "Review", "Talk", "Look", "Checks", "Sessions", "pairloop"]
Focus = Literal["prompt", "chat", "diff", "checks", "search", "popup", "editor", "comment"]
"""``search``: what is typed is searched for in a pane; ``popup``: the prompt, with a list to choose from over it;
``editor`` and ``comment``: new lines of a block, or words about it, are written over the diff."""

Place = Literal["everywhere", "panes", "chat", "diff", "checks", "prompt", "search", "popup", "editor", "comment"]
Target = Literal["app", "main", "panes", "chat", "diff", "checks", "prompt"]
"""Whose method does it: the app's, the main screen's, or that of the widget of that name on it."""


class Situation(msgspec.Struct, frozen=True):
    """What decides which actions apply.

    Attributes:
        state: The session's state.
        offered: An earlier session is offered for resuming.
        reason: The prompt asks why a proposal is rejected.
        focus: Where the keys go.
        open: There is a session.
        facts: What the widgets say of themselves, each as its name and a word, such as ``diff.blocks``.
    """

    state: State
    offered: bool = False
    reason: bool = False
    focus: Focus = "prompt"
    open: bool = True
    facts: frozenset[str] = frozenset()

    @property
    def in_prompt(self) -> bool:
        """Whether the prompt has the focus."""
        return self.focus in {"prompt", "popup"}

    @property
    def writing(self) -> bool:
        """Whether something is written over the diff, which a decision would pass by."""
        return self.focus in {"editor", "comment"}

    @property
    def asked(self) -> bool:
        """Whether something else than a proposal waits for the human's word, which letters answer."""
        state = self.state
        return state.approval is not None or state.budget is not None or self.offered

    @property
    def deciding(self) -> bool:
        """Whether a proposal waits for the human's word."""
        asked = self.state.approval is not None or self.state.budget is not None
        return bool(self.state.waiting) and not asked and not self.reason and not self.writing


def always(situation: Situation) -> bool:
    """For what can always be done."""
    del situation
    return True


def unsaid(situation: Situation) -> str:
    """For what is always called the same."""
    del situation
    return ""


class Action(msgspec.Struct, frozen=True):
    """Something the human can do.

    Attributes:
        id: Name of the target's method, without ``action_``; what a key is given in the settings is named by it.
        label: A word or two for the line of keys.
        help: What it does, in a sentence.
        group: Where help lists it.
        keys: Its keys by the place in which they act: everywhere (the prompt included, so only such as are no text),
            in all panes (letters, so that typing never decides), in one of them, in the prompt.
        target: Whose method it is.
        when: Whether it can be done.
        footer: Whether the line of keys shows it.
        words: What it is called where that depends on what there is, instead of its label; empty for its label.
    """

    id: str
    label: str
    help: str
    group: Group
    keys: Mapping[Place, tuple[str, ...]]
    target: Target = "app"
    when: Callable[[Situation], bool] = always
    footer: bool = True
    words: Callable[[Situation], str] = unsaid

    def label_in(self, situation: Situation) -> str:
        """What it is called now."""
        return self.words(situation) or self.label

    def keys_in(self, focus: Focus) -> tuple[str, ...]:
        """The keys that do it while the focus is there, the most particular first."""
        near = self.keys.get(focus, ())
        writing: dict[Focus, tuple[str, ...]] = dict.fromkeys(("prompt", "search", "editor", "comment"), ())
        writing["popup"] = self.keys.get("prompt", ())
        shared = writing.get(focus, self.keys.get("panes", ()))
        return (*near, *shared, *self.keys.get("everywhere", ()))
