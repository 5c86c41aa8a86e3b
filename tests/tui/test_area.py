"""What every text area of ours has in common."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.strip import Strip

from tui.widgets.area import Area


class _Page(App[None]):
    def compose(self) -> ComposeResult:
        yield Area("what was written")


async def test_a_frame_drawn_while_it_is_taken_away_is_whole() -> None:
    app = _Page()
    async with app.run_test() as pilot:
        area = app.query_one(Area)
        compositor = app.screen._compositor
        assert area in compositor.visible_widgets
        drawn: list[list[Strip]] = []
        detach = area._detach

        def detached() -> None:
            # Its styles are gone and the layout still has it: the moment in which a frame ended the app.
            detach()
            area._component_styles.clear()
            assert area in compositor.visible_widgets
            drawn.append([strip for _, _, strips in compositor._get_renders() for strip in strips])

        area._detach = detached  # type: ignore[method-assign]
        await area.remove()
        await pilot.pause()
        assert not app.query(Area)
    assert drawn
    assert "what was written" not in "".join(strip.text for strip in drawn[0])
