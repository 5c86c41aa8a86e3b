"""What every test of the screen would pay for, and what none of them is about."""

from __future__ import annotations

import pytest
from rich.console import RenderableType
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.css.types import CSSLocation
from textual.geometry import Region
from textual.screen import Screen

_compose = Compositor.render_update
_parse = Stylesheet._parse_rules
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}


def _render_update(
    self: Compositor,
    full: bool = False,
    screen_stack: list[Screen[object]] | None = None,
    simplify: bool = False,
) -> RenderableType | None:
    """Have all drawn that has to be, by the widgets it is of; what no terminal gets is not put together.

    Who looks at the screen, by `Driver.rows` or as a picture, has it put together.
    """
    if full:
        return _compose(self, full, screen_stack, simplify)
    visible_screen_stack.set([] if screen_stack is None else screen_stack)
    changed, screen = self._dirty_regions.copy(), self.size.region
    self._dirty_regions.clear()
    if changed:
        for _ in self._get_renders(Region.from_union(changed).intersection(screen)):
            pass
    return None


def _parse_rules(
    self: Stylesheet,
    css: str,
    read_from: CSSLocation,
    is_default_rules: bool = False,
    tie_breaker: int = 0,
    scope: str = "",
) -> list[RuleSet]:
    """The same style sheet of the same theme is read once, not once for each app."""
    key = (css, read_from, is_default_rules, tie_breaker, scope, *self._variables.items())
    found = _parsed.get(key)
    if found is None:
        found = _parsed[key] = _parse(self, css, read_from, is_default_rules, tie_breaker, scope)
    return found


@pytest.fixture(autouse=True)
def quick_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take from Textual what a screen that nobody sees does not need."""
    monkeypatch.setattr(Compositor, "render_update", _render_update)
    monkeypatch.setattr(Stylesheet, "_parse_rules", _parse_rules)
