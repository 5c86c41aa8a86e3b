"""A text of the human's own, written in an editor that is given the terminal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from agent_core import process
from tui.editors import EditorError, edited, end_failure, start_failure
from tui.plain.console import Console


async def write(console: Console, text: str, name: str) -> str | None:
    """Have the human edit a text; what is said meanwhile is told when the editor is closed.

    Args:
        console: Whose terminal is given away.
        text: The text.
        name: Name of the file it is shown as.

    Returns:
        The new text, None when it is as it was.

    Raises:
        EditorError: There is no terminal, no editor, or it has failed.
    """
    if not console.is_terminal:
        raise EditorError("There is no terminal that an editor could be given.")
    env = dict(os.environ)
    if env.get("TERM", "dumb") == "dumb":
        # By custom VISUAL is an editor that needs a screen, and EDITOR one that can do without.
        env.pop("VISUAL", None)
        if not env.get("EDITOR", "").strip():
            raise EditorError("There is no editor for a terminal like this.", "Set EDITOR to one, such as ed.")
    with console.given_away():
        return await edited(text, name=name, run=in_foreground, env=env)


async def in_foreground(argv: Sequence[str]) -> str:
    """Give an editor the terminal until it ends; why it failed, empty when it did not."""
    try:
        return end_failure(argv[0], await process.in_foreground(argv, cwd=Path.cwd()))
    except OSError as error:
        return start_failure(argv[0], error)
