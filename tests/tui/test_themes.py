"""In every theme text can be read; the terminal's own colours and none at all do without backgrounds."""

from __future__ import annotations

import itertools

import pytest
from textual.color import Color

from tests.tui import scenes
from tests.tui.driving import Driver, running
from tui.palette import Palette, contrast
from tui.themes import ANSI, THEMES
from tui.widgets.lines import palette_of

ROWS = ("", "add-row", "del-row", "code-row")
TEXT = ("text", "dim", "comment", "good", "bad", "warn", "accent", "primary", "keyword", "string", "number", "function")


def palette(name: str) -> tuple[Palette, Color]:
    theme = THEMES[name]
    variables = {**theme.to_color_system().generate(), **theme.variables}
    return Palette(variables), Color.parse(variables["background"])


@pytest.mark.parametrize("name", [name for name in THEMES if name != ANSI])
def test_text_can_be_read_on_every_row_of_every_theme(name: str) -> None:
    found, back = palette(name)
    least = 7.0 if name.startswith("high-contrast") else 4.5
    for row, style in itertools.product(
        ROWS, (*TEXT, "faint", "cell-good", "cell-bad", "cell-open", "tab-on", "hit-on")
    ):
        ink, paper = found[style], found[row]
        assert ink.color is not None
        ground = ink.bgcolor or paper.bgcolor
        behind = Color.from_rich_color(ground) if ground is not None else back
        wanted = least * 2 / 3 if style == "faint" else 4.0 if style.startswith(("cell", "tab", "hit")) else least
        assert contrast(Color.from_rich_color(ink.color), behind) >= wanted - 0.01, f"{style} on {row or 'the screen'}"


@pytest.mark.parametrize("name", THEMES)
def test_rows_of_a_diff_are_told_apart(name: str) -> None:
    found, _ = palette(name)
    assert len({found[row] for row in ("", "add-row", "del-row")}) == 3


def test_the_terminal_s_own_colours_are_its_own() -> None:
    found, _ = palette(ANSI)
    for name in (*TEXT, *ROWS, "cell-good", "hit", "ask-bad-row", "cursor-row", "tab-on", "faint"):
        style = found[name]
        assert style.bgcolor is None
        assert style.color is None or style.color.triplet is None


def colours(driver: Driver) -> set[str]:
    """Every colour on the screen, as it is sent to the terminal."""
    app = driver.app
    shown: set[str] = set()
    for strip in app.screen._compositor.render_strips():
        segments = list(strip)
        for one in app._filters:
            segments = one.apply(segments, Color.parse("black")) if one.enabled else segments
        for segment in segments:
            style = segment.style
            shown |= {str(part.name) for part in ((style.color, style.bgcolor) if style else ()) if part is not None}
    return shown


async def test_without_colours_there_are_none_and_signs_say_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running() as driver:
        await driver.play(scenes.red)
        assert colours(driver) <= {"default"}
        assert "✗ red" in driver.text
        assert "- " in driver.text
        await driver.press("tab", "T")
        assert driver.app.screen is driver.app.main
        await driver.press("ctrl+p", *"theme")
        assert "nothing fits" in driver.text


async def test_every_theme_draws_and_the_palette_goes_with_it() -> None:
    async with running() as driver:
        await driver.play(scenes.green)
        seen = set()
        for name in ("dark", "light", "high-contrast", "high-contrast-light", ANSI, "solarized-light"):
            driver.app.take_theme(name)
            await driver.settle()
            seen.add(palette_of(driver.app)["add-row"])
            assert "green, waits for you" in driver.text
        assert len(seen) == 6
