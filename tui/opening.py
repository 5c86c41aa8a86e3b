"""Opening a session on the screen, or as sentences: what an interactive call comes to."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Any


def open_screen(project: Path | None, flags: dict[str, Any], *, draft: str = "", finished: bool = False) -> int:
    """The full screen; what costs time to import comes after the first paint."""
    from tui.app import PairloopApp  # noqa: PLC0415
    from tui.engine import Engine  # noqa: PLC0415
    from tui.settings import load_settings  # noqa: PLC0415

    # Textual has taken it to heart by now; what checks start is not to be served.
    os.environ.pop("TEXTUAL_DRIVER", None)
    settings = load_settings()

    def engine() -> Engine:
        from agent_core.build import Engine as Real  # noqa: PLC0415

        return Real(project, flags, os.environ, finished=finished)

    app = PairloopApp(engine, draft=draft, settings=settings, pick=finished)
    app.run(mouse=settings.screen.mouse)
    return app.return_code or 0


def open_plain(project: Path | None, flags: dict[str, Any], *, draft: str = "", finished: bool = False) -> int:
    """Sentences and numbered questions."""
    import asyncio  # noqa: PLC0415

    from agent_core.build import Engine  # noqa: PLC0415
    from tui.plain.life import Plain  # noqa: PLC0415

    gc.enable()
    return asyncio.run(Plain(Engine(project, flags, os.environ), choose=finished, draft=draft).run())


def open_here(project: Path | None, flags: dict[str, Any], *, plain: bool = False, finished: bool = False) -> int:
    """A session where somebody can type: on the screen, or as sentences where that is wanted or all there is.

    Args:
        project: The project's folder; None for the one that this process stands in.
        flags: What the command line sets, as the configuration's nested tables.
        plain: Sentences are wanted.
        finished: Have a session chosen first, whatever is left open.

    Returns:
        The exit code.
    """
    # In a browser there is no terminal, but a page that draws.
    served = os.environ.get("TEXTUAL_DRIVER", "").startswith("textual.drivers.web_driver")
    if not served and wants_lines(plain=plain):
        return open_plain(project, flags, finished=finished)
    if not served and not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write(
            "pairloop: there is no terminal here. `pairloop exec TASK` and `pairloop --plain` work without one.\n"
        )
        return 2
    return open_screen(project, flags, finished=finished)


def wants_lines(*, plain: bool) -> bool:
    """Whether lines are wanted, or all that the terminal can do."""
    return plain or (sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") == "dumb")
