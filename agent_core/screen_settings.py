"""Settings of the screen, and keys of the user's own: taste, so that only the user's own configuration has them."""

from __future__ import annotations

from typing import Literal

import msgspec

Keys = dict[str, str | tuple[str, ...]]
"""The table ``[keys]``: the id of an action, and the key or keys that do it instead of its own; none takes all away."""


class ScreenConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the screen looks and behaves.

    Attributes:
        theme: Its colours: ``dark``, ``light``, ``high-contrast``, ``high-contrast-light``, ``ansi`` for the terminal's
            own 16, or one of Textual's, as the command palette lists them.
        layout: ``columns``: three panes side by side; ``stacked``: chat beside the diff over the checks; ``tabs``: one
            at a time; ``auto`` takes what fits. Below 100 columns it is always one at a time.
        diff: ``unified`` or ``split``, side by side; split only where there is room for it.
        wrap: Long lines of a diff go on in the next row; otherwise the diff scrolls sideways.
        animation: Scrolling glides, which costs many frames for one key.
        notify: A desktop notification when a decision waits and the terminal does not have the focus.
        mouse: The mouse clicks, drags and scrolls here; without it the terminal's own selecting works.
    """

    theme: str = "dark"
    layout: Literal["auto", "columns", "stacked", "tabs"] = "auto"
    diff: Literal["unified", "split"] = "unified"
    wrap: bool = True
    animation: bool = False
    notify: bool = True
    mouse: bool = True
