"""Text in the human's own editor: the screen gives way to it, and comes back when it is closed."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from textual.app import App, SuspendNotSupported

from agent_core import process
from agent_core.errors import PairloopError
from agent_core.text import printable

_FALLBACKS = ("nano", "vim", "vi")
_PLUS = frozenset(
    {"vi", "vim", "nvim", "view", "ex", "gvim", "mvim", "nano", "pico", "emacs", "emacsclient"}
    | {"micro", "kak", "joe", "jove", "ne", "mg", "mcedit", "gedit"}
)
_COLON = frozenset({"hx", "helix", "subl", "zed", "zeditor"})
_GOTO = frozenset({"code", "code-insiders", "codium", "cursor", "windsurf"})
# They return at once unless they are told to stay.
_STAY = dict.fromkeys((*_GOTO, "subl", "zed", "zeditor"), "--wait") | {"gvim": "-f", "mvim": "-f"}


class EditorError(PairloopError):
    """There is no editor, it cannot be started, or it has failed."""


def editor_of(env: Mapping[str, str]) -> list[str]:
    """The human's editor: ``$VISUAL``, ``$EDITOR``, or one that most machines have.

    Args:
        env: The environment.

    Returns:
        The program and its first arguments.

    Raises:
        EditorError: There is none.
    """
    for name in ("VISUAL", "EDITOR"):
        if not (value := env.get(name, "").strip()):
            continue
        try:
            return shlex.split(value)
        except ValueError as error:
            raise EditorError(f"${name} is no command: {error}.", f"It is {value!r}; mend its quotes.") from None
    found = next((name for name in _FALLBACKS if shutil.which(name, path=env.get("PATH"))), "")
    if not found:
        raise EditorError("There is no editor.", "Set VISUAL or EDITOR to the one you like.")
    return [found]


def command_for(editor: Sequence[str], path: Path, line: int) -> list[str]:
    """What opens a file in an editor, at a line where the editor is known to take one.

    Args:
        editor: The program and its first arguments.
        path: The file.
        line: 1-based; 0 for wherever the editor likes.
    """
    name = Path(editor[0]).name.removesuffix(".exe")
    argv = list(editor)
    stay = _STAY.get(name)
    if stay is not None and not {stay, "-w", "--nofork"} & {*argv}:
        argv.append(stay)
    if line <= 0:
        return [*argv, str(path)]
    if name in _PLUS:
        return [*argv, f"+{line}", str(path)]
    if name in _GOTO:
        return [*argv, "--goto", f"{path}:{line}"]
    return [*argv, f"{path}:{line}" if name in _COLON else str(path)]


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
    editor = editor_of(os.environ)
    folder = Path(tempfile.mkdtemp(prefix="pairloop-"))
    path = folder / (PurePosixPath(name.replace("\0", "")).name.replace("..", "") or "text")
    keep = False
    try:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        failure = await _run(app, command_for(editor, path, line))
        new = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else text
        if failure:
            keep = new != text
            raise EditorError(failure, f"What you wrote is in {path}." if keep else "Nothing was changed.")
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return None if new == text else new


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
    shown = printable(Path(argv[0]).name)
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
    if isinstance(trouble, FileNotFoundError):
        return f"There is no program {shown}: set VISUAL or EDITOR to your editor."
    if isinstance(trouble, OSError):
        return f"{shown} cannot be started: {trouble.strerror or trouble}."
    if trouble is not None:
        raise trouble
    return "" if code == 0 else f"{shown} has failed (status {code})."
