"""Text in the human's own editor: which one that is, how it is told the line, and what was written in it."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

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


async def edited(
    text: str,
    *,
    name: str,
    run: Callable[[Sequence[str]], Awaitable[str]],
    line: int = 0,
    env: Mapping[str, str] | None = None,
) -> str | None:
    """Have the human edit a text in their editor.

    Args:
        text: The text.
        name: Name of the file it is shown as; its ending tells the editor the language.
        run: Gives the editor the terminal until it ends; gives why it failed, empty when it did not.
        line: 1-based line to begin at; 0 for wherever the editor likes.
        env: The environment that names the editor; this process's by default.

    Returns:
        The new text, None when it is as it was.

    Raises:
        EditorError: There is no editor, it cannot be started, or it has failed; what was written then is kept in a
            file that the error names.
    """
    editor = editor_of(os.environ if env is None else env)
    folder = Path(tempfile.mkdtemp(prefix="pairloop-"))
    path = folder / (PurePosixPath(name.replace("\0", "")).name.replace("..", "") or "text")
    keep = False
    try:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        failure = await run(command_for(editor, path, line))
        new = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else text
        if failure:
            keep = new != text
            raise EditorError(failure, f"What you wrote is in {path}." if keep else "Nothing was changed.")
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return None if new == text else new


def start_failure(program: str, error: OSError) -> str:
    """Why an editor cannot be started, for a human.

    Args:
        program: The editor, as it was to be started.
        error: What the system said.
    """
    shown = printable(Path(program).name)
    if isinstance(error, FileNotFoundError):
        return f"There is no program {shown}: set VISUAL or EDITOR to your editor."
    return f"{shown} cannot be started: {error.strerror or error}."


def end_failure(program: str, code: int) -> str:
    """Why an editor that ended with a status has failed, for a human; empty when it has not."""
    return f"{printable(Path(program).name)} has failed (status {code})." if code else ""
