"""Text in the human's own editor: the screen gives way to it, and comes back when it is closed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from agent_core import process
from tui.editors import EditorError, command_for, edited, editor_of, end_failure, start_failure

__all__ = ["EditorError", "command_for", "edit", "editor_of", "open_file"]


async def edit(app: App[None], text: str, *, name: str, line: int = 0) -> str | None:
    """Have the human edit a text in their editor.

    The session goes on meanwhile, only the screen does not. To be awaited in a worker: an action would hold up the
    messages of the app.

    Args:
        app: The app that gives way.
        text: The text.
        name: Name of the file it is shown as; its ending tells the editor the language.
        line: 1-based line to begin at; 0 for wherever the editor likes.

    Returns:
        The new text, None when it is as it was.

    Raises:
        EditorError: There is no editor, it cannot be started, or it has failed; what was written then is kept in a
            file that the error names.
    """
    return await edited(text, name=name, run=partial(_run, app), line=line)


async def open_file(app: App[Any], path: Path, *, line: int = 0) -> None:
    """Have the human look at a file of theirs in their editor, and change it as they like.

    To be awaited in a worker, as `edit`.

    Args:
        app: The app that gives way.
        path: The file.
        line: 1-based line to begin at; 0 for wherever the editor likes.

    Raises:
        EditorError: There is no editor, it cannot be started, or it has failed.
    """
    failure = await _run(app, command_for(editor_of(os.environ), path, line))
    if failure:
        raise EditorError(failure)


async def _run(app: App[Any], argv: Sequence[str]) -> str:
    """Give an editor the terminal until it ends; why it failed, empty when it did not."""
    code = 0
    trouble: BaseException | None = None
    try:
        # Nothing may be painted over it; what changes meanwhile is painted when it is closed.
        with app.batch_update(), app.suspend():
            try:
                code = await process.in_foreground(argv, cwd=Path.cwd())
            except (OSError, asyncio.CancelledError) as error:
                trouble = error  # suspend() gives the terminal back only where nothing is raised inside of it
    except SuspendNotSupported:
        return "An editor cannot be opened from here: the screen is not in a terminal that it could be given."
    app.refresh(layout=True)
    if isinstance(trouble, OSError):
        return start_failure(argv[0], trouble)
    if trouble is not None:
        raise trouble
    return end_failure(argv[0], code)
