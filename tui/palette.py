"""Names of styles, resolved from the theme: lines say ``good`` or ``add``, never a colour.

Whatever the theme, text can be read on the background it has (contrast as WCAG 2 measures it). Of the terminal's own 16
colours nobody knows how they look: there, text has them or is bold, dim or reversed; backgrounds stay the terminal's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
_READABLE, _FAINT = 4.5, 3.0
"""The contrast of text, and of what may be overlooked; a theme that has a ``least-contrast`` wants more."""

_ADDED, _REMOVED, _PLAIN = 0.14, 0.16, 0.07
"""The share of colour in the rows of a diff and of code."""
_WORD = 0.27
"""The share of colour behind the words in which an old line and a new one differ."""

_SGR = "sgr:"
_LOUD = 0.3
"""From that share on a background is meant to be noticed, not only to tell rows apart."""


def _color(variables: Mapping[str, str], name: str, fallback: str) -> Color:
    """A theme variable as a colour; those that are no plain colour (``auto 60%``) give way."""
    try:
        found = Color.parse(variables.get(name, fallback))
    except ValueError:
        return Color.parse(fallback)
    return found if found.a == 1 else Color.parse(fallback)


def _luminance(color: Color) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = color.normalized
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)


def contrast(one: Color, other: Color) -> float:
    """How well two colours can be told apart, from 1 to 21, as WCAG 2 defines it."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def readable(color: Color, backs: Sequence[Color], least: float) -> Color:
    """A colour as near to another as can be read on some backgrounds.

    Args:
        color: The one that is wanted.
        backs: What it stands on, one or the other.
        least: The contrast that it takes.
    """

    def worst(one: Color) -> float:
        return min(contrast(one, back) for back in backs)

    far = max(Color(0, 0, 0), Color(255, 255, 255), key=worst)
    for step in range(11):
        found = color.blend(far, step / 10)
        if worst(found) >= least:
            return found
    return far


class Palette:
    """Every named style of one theme.

    A name may carry another one after a ``+``, which is laid over it (``keyword+add-word``), and an action after an
    ``@`` (``key@app.accept``): the text is then clickable.

    Args:
        variables: The theme's CSS variables.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        given = _color(variables, "background", "#121212")
        self._own = given.ansi is not None  # the terminal's colours
        fallback = "ansi_default" if self._own else ""
        self._back = back = given
        fore = _color(variables, "foreground", fallback or "#e0e0e0")
        good = _color(variables, "success", "#4ebf71")
        bad = _color(variables, "error", "#b93c5b")
        warn = _color(variables, "warning", "#fea62b")
        accent = _color(variables, "accent", "#fea62b")
        primary = _color(variables, "primary", "#0178d4")
        panel = _color(variables, "panel", fallback or "#242f38")
        ink, grey, paper, solid = self._ink, self._grey, self._paper, self._solid
        self._fore = fore
        # What text is read on: the screen, rows that are added and removed, words in them, and code.
        rows = ((good, _ADDED), (bad, _REMOVED), (good, _WORD), (bad, _WORD), (fore, _PLAIN))
        self._backs = (back, *(back.blend(color, share) for color, share in rows))
        self._least = float(variables.get("least-contrast", _READABLE))

        self._styles: dict[str, Style] = {
            "": Style.null(),
            "text": ink(fore),
            "bold": Style(bold=True),
            "italic": Style(italic=True),
            "dim": grey(0.62),
            "faint": grey(0.42, faint=True),
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
            "code": ink(accent) if self._own else ink(back.blend(accent, 0.85)),
            "code-row": paper(fore, _PLAIN),
            "comment": grey(0.5, italic=True),
            "add-row": paper(good, _ADDED),
            "del-row": paper(bad, _REMOVED),
            "add-word": Style(bold=True, underline=self._own or None) + paper(good, _WORD),
            "del-word": Style(bold=True, underline=self._own or None) + paper(bad, _WORD),
            "file-row": Style(bold=True) + paper(panel, 0.9, loud=False),
            "cell-good": solid(good),
            "cell-bad": solid(bad),
            "cell-open": self._on(fore, 0.25),
            "ask-row": paper(accent, 0.12),
            "ask-good-row": paper(good, 0.14),
            "ask-bad-row": paper(bad, 0.14),
            "hit": paper(warn, 0.35),
            "hit-on": solid(warn),
            "cursor-row": self._on(primary, 0.28),
            "key": ink(accent, bold=True),
            "tab": grey(0.62),
            "tab-on": Style(bold=True) + self._on(fore, 0.14),
        }
        # The 8 colours of a terminal, as this theme has them.
        self._eight = (back, bad, good, warn, primary, accent, _color(variables, "secondary", primary.hex), fore)
        for name, variable in _SYNTAX.items():
            # Rows that are added or removed are told by their colour there, which that of a word would hide.
            shown = Style(bold=name == "keyword" or None) if self._own else ink(_color(variables, variable, fore.hex))
            self._styles[name] = shown

    def _ink(self, color: Color, *, bold: bool | None = None) -> Style:
        """Text of a colour."""
        shown = color if self._own else readable(color, self._backs, self._least)
        return Style(color=shown.rich_color, bold=bold)

    def _grey(self, share: float, *, faint: bool = False, italic: bool | None = None) -> Style:
        """Text that stands back."""
        if self._own:
            return Style(dim=True, italic=italic)
        least = self._least * _FAINT / _READABLE if faint else self._least
        shown = readable(self._back.blend(self._fore, share), self._backs, least)
        return Style(color=shown.rich_color, italic=italic)

    def _paper(self, color: Color, share: float, *, loud: bool = True) -> Style:
        """A background with so much of a colour in it."""
        if not self._own:
            return Style(bgcolor=self._back.blend(color, share).rich_color)
        plain = color.ansi is None or color.ansi < 0
        mark = Style(reverse=True) if loud and share >= _LOUD else Style.null()
        return mark if plain else mark + Style(color=color.rich_color)

    def _on(self, color: Color, share: float) -> Style:
        """Text on a background with so much of a colour in it."""
        if self._own:
            return Style(reverse=True)
        paper = self._back.blend(color, share)
        return Style(color=readable(self._fore, (paper,), self._least).rich_color, bgcolor=paper.rich_color)

    def _solid(self, color: Color) -> Style:
        """Text cut out of a colour."""
        if self._own:
            return Style(color=color.rich_color, reverse=True, bold=True)
        black, white = Color(0, 0, 0), Color(255, 255, 255)
        text = max((self._back, black, white), key=lambda one: contrast(one, color) + (one is self._back))
        return Style(color=text.rich_color, bgcolor=color.rich_color, bold=True)

    def _sgr(self, name: str) -> Style:
        """What a tool has coloured: ``sgr:``, then text, background and attributes, as `tui.widgets.ansi` says them."""
        fore, back, flags = name.removeprefix(_SGR).split("/")
        style = Style(
            bold=True if "b" in flags else None,
            dim=True if "d" in flags else None,
            italic=True if "i" in flags else None,
            underline=True if "u" in flags else None,
            strike=True if "s" in flags else None,
            reverse=True if "r" in flags else None,
        )
        if self._own:
            colors = [None if not said else said if said[0] == "#" else f"color({said})" for said in (fore, back)]
            return style + Style(color=colors[0], bgcolor=colors[1])
        if back:
            return style + self._on(self._tool_color(back), _LOUD)
        if fore in {"0", "8"}:  # black on black, or nearly so, in half of the themes
            return style + self._grey(0.42, faint=True)
        return style + (self._ink(self._tool_color(fore)) if fore else Style.null())

    def _tool_color(self, said: str) -> Color:
        return Color.parse(said) if said[0] == "#" else self._eight[int(said) % 8]

    def __getitem__(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            plain, _, action = name.partition("@")
            under, _, over = plain.partition("+")
            beneath = self._sgr(under) if under.startswith(_SGR) else self._styles[under]
            style = beneath + self._styles[over]
            if action:
                style += Style(meta={"@click": action})
            self._styles[name] = style
        return style
