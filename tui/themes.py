"""The themes: our own, which can be read by everybody, and Textual's."""

from __future__ import annotations

from dataclasses import replace

from textual.app import App
from textual.theme import BUILTIN_THEMES, Theme

ANSI = "ansi"
"""The theme that takes the terminal's own colours, and the one for no colours at all."""

_OWN = (
    replace(BUILTIN_THEMES["tokyo-night"], name="dark"),
    Theme(
        name="light",
        primary="#0550ae",
        secondary="#6639ba",
        accent="#9a3412",
        success="#116329",
        warning="#7d4e00",
        error="#a40e26",
        foreground="#24292f",
        background="#fbfbfa",
        surface="#f1f1ef",
        panel="#e6e6e3",
        dark=False,
        variables={"panel-lighten-2": "#b9b9b4"},
    ),
    Theme(
        name="high-contrast",
        primary="#7cc0ff",
        secondary="#d0b0ff",
        accent="#ffd36b",
        success="#5cf07e",
        warning="#ffc04d",
        error="#ff9b9b",
        foreground="#ffffff",
        background="#000000",
        surface="#0a0a0a",
        panel="#2a2a2a",
        variables={"panel-lighten-2": "#b0b0b0", "least-contrast": "7"},
    ),
    Theme(
        name="high-contrast-light",
        primary="#00308f",
        secondary="#4a1a8f",
        accent="#6b2300",
        success="#00480f",
        warning="#5c3a00",
        error="#8b0010",
        foreground="#000000",
        background="#ffffff",
        surface="#f5f5f5",
        panel="#d8d8d8",
        dark=False,
        variables={"panel-lighten-2": "#404040", "least-contrast": "7"},
    ),
    replace(
        BUILTIN_THEMES["ansi-dark"],
        name=ANSI,
        accent="ansi_cyan",
        secondary="ansi_magenta",
        variables={
            **BUILTIN_THEMES["ansi-dark"].variables,
            "panel-lighten-2": "ansi_bright_black",
            "scrollbar": "ansi_bright_black",
        },
    ),
)
# Those of Textual for the terminal's colours draw no borders.
THEMES = {
    theme.name: theme for theme in (*_OWN, *(one for one in BUILTIN_THEMES.values() if not one.name.startswith(ANSI)))
}
"""All there are, by name, our own first."""


def register(app: App[None]) -> None:
    """Make our own themes known to an app."""
    for theme in _OWN:
        app.register_theme(theme)
