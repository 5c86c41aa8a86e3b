"""Names of styles, resolved from the theme: lines say ``good`` or ``add``, never a colour."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color

_SYNTAX = {
    "keyword": "text-accent",
    "string": "text-success",
    "number": "text-warning",
    "function": "text-primary",
    "class": "text-warning",
    "builtin": "text-secondary",
    "decorator": "text-warning",
}


def _color(variables: Mapping[str, str], name: str, fallback: str) -> Color:
    """A theme variable as a colour; those that are no plain colour (``auto 60%``, ``ansi_...``) give way."""
    try:
        found = Color.parse(variables.get(name, fallback))
    except ValueError:
        return Color.parse(fallback)
    return Color.parse(fallback) if found.ansi is not None else found


class Palette:
    """Every named style of one theme.

    A name may carry another one after a ``+``, which is laid over it (``keyword+add-word``), and an action after an
    ``@`` (``key@app.accept``): the text is then clickable.

    Args:
        variables: The theme's CSS variables.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        back = _color(variables, "background", "#121212")
        fore = _color(variables, "foreground", "#e0e0e0")
        good = _color(variables, "success", "#4ebf71")
        bad = _color(variables, "error", "#b93c5b")
        warn = _color(variables, "warning", "#fea62b")
        accent = _color(variables, "accent", "#fea62b")
        primary = _color(variables, "primary", "#0178d4")
        panel = _color(variables, "panel", "#242f38")

        def ink(color: Color, *, bold: bool | None = None, italic: bool | None = None) -> Style:
            return Style(color=color.rich_color, bold=bold, italic=italic)

        def paper(color: Color, share: float) -> Style:
            return Style(bgcolor=back.blend(color, share).rich_color)

        self._styles: dict[str, Style] = {
            "": Style.null(),
            "text": ink(fore),
            "bold": Style(bold=True),
            "italic": Style(italic=True),
            "dim": ink(back.blend(fore, 0.62)),
            "faint": ink(back.blend(fore, 0.42)),
            "accent": ink(accent),
            "primary": ink(primary),
            "good": ink(good),
            "bad": ink(bad),
            "warn": ink(warn),
            "heading": ink(primary, bold=True),
            "strong": ink(fore, bold=True),
            "good-bold": ink(good, bold=True),
            "bad-bold": ink(bad, bold=True),
            "warn-bold": ink(warn, bold=True),
            "human": ink(primary),
            "human-row": paper(fore, 0.06),
            "code": ink(back.blend(accent, 0.85)),
            "code-row": Style(bgcolor=back.blend(fore, 0.07).rich_color),
            "comment": ink(back.blend(fore, 0.5), italic=True),
            "add-row": paper(good, 0.14),
            "del-row": paper(bad, 0.16),
            "add-word": Style(bgcolor=back.blend(good, 0.34).rich_color, bold=True),
            "del-word": Style(bgcolor=back.blend(bad, 0.36).rich_color, bold=True),
            "file-row": Style(bgcolor=back.blend(panel, 0.9).rich_color, bold=True),
            "cell-good": Style(color=back.rich_color, bgcolor=good.rich_color, bold=True),
            "cell-bad": Style(color=back.rich_color, bgcolor=bad.rich_color, bold=True),
            "cell-open": Style(color=fore.rich_color, bgcolor=back.blend(fore, 0.25).rich_color),
            "ask-row": paper(accent, 0.12),
            "ask-good-row": paper(good, 0.14),
            "ask-bad-row": paper(bad, 0.14),
            "hit": paper(warn, 0.35),
            "hit-on": Style(color=back.rich_color, bgcolor=warn.rich_color, bold=True),
            "key": ink(accent, bold=True),
            "tab": ink(back.blend(fore, 0.62)),
            "tab-on": Style(color=fore.rich_color, bgcolor=back.blend(fore, 0.14).rich_color, bold=True),
        }
        for name, variable in _SYNTAX.items():
            self._styles[name] = ink(_color(variables, variable, fore.hex))

    def __getitem__(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            plain, _, action = name.partition("@")
            under, _, over = plain.partition("+")
            style = self._styles[under] + self._styles[over]
            if action:
                style += Style(meta={"@click": action})
            self._styles[name] = style
        return style
