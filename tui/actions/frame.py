"""Actions of the frame around the panes: what is shown where, how it looks, and what one can find."""

from __future__ import annotations

from tui.actions.model import Action, Situation


def _roomy(situation: Situation) -> bool:
    return "panes.narrow" not in situation.facts


def _several(situation: Situation) -> bool:
    return "panes.one" not in situation.facts and not situation.in_prompt


def _stacked(situation: Situation) -> bool:
    return "panes.stacked" in situation.facts and situation.focus in {"diff", "checks"}


def _coloured(situation: Situation) -> bool:
    return "colours" in situation.facts


FRAME: tuple[Action, ...] = (
    Action("palette", "all", "Find any action by a few letters, and do it.", "pairloop", {"everywhere": ("ctrl+p",)}),
    Action(
        "jump",
        "jump",
        "Show a letter on every place one can go to; it leads there.",
        "Look",
        {"everywhere": ("ctrl+o",)},
        footer=False,
    ),
    Action(
        "zoom",
        "zoom",
        "Give this pane all the room, or take it back.",
        "Look",
        {"panes": ("0", "f11")},
        target="panes",
        when=_roomy,
        footer=False,
    ),
    Action(
        "layout",
        "layout",
        "Side by side, stacked, or one pane at a time.",
        "Look",
        {"everywhere": ("f10",)},
        when=_roomy,
        footer=False,
    ),
    Action(
        "wider",
        "wider",
        "Make this pane wider; borders can be dragged, too.",
        "Look",
        {"panes": ("greater_than_sign", "ctrl+right")},
        target="panes",
        when=_several,
        footer=False,
    ),
    Action(
        "narrower",
        "narrower",
        "Make this pane narrower.",
        "Look",
        {"panes": ("less_than_sign", "ctrl+left")},
        target="panes",
        when=_several,
        footer=False,
    ),
    Action(
        "taller",
        "taller",
        "Make this pane taller.",
        "Look",
        {"panes": ("plus", "ctrl+up")},
        target="panes",
        when=_stacked,
        footer=False,
    ),
    Action(
        "shorter",
        "shorter",
        "Make this pane shorter.",
        "Look",
        {"panes": ("minus", "ctrl+down")},
        target="panes",
        when=_stacked,
        footer=False,
    ),
    Action(
        "usual_sizes",
        "usual sizes",
        "Make all panes as large as they usually are.",
        "Look",
        {"panes": ("equals_sign",)},
        target="panes",
        when=_several,
        footer=False,
    ),
    Action(
        "theme",
        "theme",
        "Choose the colours; they are tried on while you look.",
        "pairloop",
        {"panes": ("T",)},
        when=_coloured,
        footer=False,
    ),
    Action(
        "suspend",
        "suspend",
        "Back to the shell for a while; fg comes back.",
        "pairloop",
        {"everywhere": ("ctrl+z",)},
        footer=False,
    ),
)
"""In the order in which help and the line of keys show them."""
