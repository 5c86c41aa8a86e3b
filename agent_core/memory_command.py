"""``pairloop memory``: the lessons of a project, listed, searched, taught, kept, forgotten, shared.

``--json`` prints one `agent_core.memory.lessons.KnownLesson` a line; its field names are stable.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent_core.build import Engine
from agent_core.errors import LessonError
from agent_core.memory.lesson_book import LessonBook
from agent_core.memory.lessons import KnownLesson
from agent_core.output import JsonWriter, complain, write_out
from agent_core.process import run
from agent_core.text import printable
from agent_core.workspace.ignore import git_environment

DONE, NOTHING = 0, 1
_GIT_SECONDS = 20.0


async def list_lessons(engine: Engine, *, dropped: bool, json: bool) -> int:
    """List the lessons: those that wait for a word first, then the newest.

    Args:
        engine: Of the project.
        dropped: Also those that are not wanted.
        json: As JSON lines.

    Returns:
        The exit code: 0 told.

    Raises:
        PairloopError: The configuration or the lessons cannot be used.
    """
    known = await asyncio.to_thread(engine.lessons().listing, dropped=dropped)
    return DONE if _tell(known, "Nothing is remembered of this project yet.", json=json) else NOTHING


async def search(engine: Engine, words: Sequence[str], *, json: bool) -> int:
    """List the lessons in which all of some words occur, the best first.

    Returns:
        The exit code: 0 told, 1 there are none.

    Raises:
        PairloopError: The configuration or the lessons cannot be used.
    """
    known = await asyncio.to_thread(engine.lessons().search, " ".join(words))
    return DONE if _tell(known, "No lesson has these words in it.", json=json) and known else NOTHING


async def change(engine: Engine, action: str, name: str, words: Sequence[str]) -> int:
    """Teach a lesson, keep one, or forget one.

    Args:
        engine: Of the project.
        action: ``add``, ``keep`` or ``forget``.
        name: The lesson's id or the beginning of it; empty for a new one.
        words: What it is to say; none for as it is.

    Returns:
        The exit code: 0 done, 1 it could not be done.

    Raises:
        PairloopError: The configuration cannot be used.
    """
    book = engine.lessons()
    try:
        text = await asyncio.to_thread(_changed, book, action, name, " ".join(words))
    except LessonError as error:
        complain(error.message, error.hint)
        return NOTHING
    return DONE if write_out([text]) else NOTHING


async def share(engine: Engine, *, shared: bool) -> int:
    """Have git take the file of lessons along, or leave it out again.

    Returns:
        The exit code: 0 done, 1 it could not be done.

    Raises:
        PairloopError: The configuration cannot be used.
    """
    file = engine.lessons().file
    try:
        await asyncio.to_thread(file.share, shared=shared)
    except LessonError as error:
        complain(error.message, error.hint)
        return NOTHING
    if shared:
        still = await _git_says(engine.root, "check-ignore", "-q", "--", file.name)
        hint = (
            f"Another rule of git's still leaves it out: `git check-ignore -v {file.name}` names it."
            if still
            else f"`git add {file.name}` puts it into the next commit. Whoever has the project can read it then."
        )
        text = f"{file.name} may be shared.\n{hint}\n"
    else:
        text = f"{file.name} stays on this machine.\n"
        if await _git_says(engine.root, "ls-files", "--error-unmatch", "--", file.name):
            text += f"Git has it already: `git rm --cached {file.name}` takes it out of the next commit.\n"
    return DONE if write_out([text]) else NOTHING


async def _git_says(root: Path, *arguments: str) -> bool:
    """Whether git says yes; where there is no git it says no."""
    try:
        done = await run(("git", *arguments), cwd=root, timeout=_GIT_SECONDS, env=git_environment(os.environ))
    except FileNotFoundError:
        return False
    return done.code == 0


def _changed(book: LessonBook, action: str, name: str, text: str) -> str:
    if action == "add":
        known = book.teach(text, "you, on the command line")
        return f"Remembered as {known.lesson.id}: {known.lesson.text}\n"
    lesson = book.get(name).lesson
    if action == "keep":
        known = book.keep(lesson.id, text, "human")
        return f"Kept {known.lesson.id}: {known.lesson.text}\n"
    book.drop(lesson.id)
    back = f"It is not proposed again; `pairloop memory keep {lesson.id}` brings it back."
    return f"Forgotten {lesson.id}: {lesson.text}\n{back}\n"


def _tell(known: Sequence[KnownLesson], nothing: str, *, json: bool) -> bool:
    """Write lessons out; gives whether anybody read it."""
    if json:
        writer = JsonWriter(sys.stdout)
        return write_out(map(writer.line, known))
    return write_out([text for one in known for text in _told(one)] or [f"{nothing}\n"])


def _told(known: KnownLesson) -> Iterator[str]:
    """A lesson as a human reads it."""
    lesson = known.lesson
    yield printable(f"{lesson.id}  {_standing(known)}\n    {lesson.text}\n").replace("\t", " ")
    files = f"; about {', '.join(lesson.paths)}" if lesson.paths else ""
    yield printable(f"    from {lesson.source}{files}\n").replace("\t", " ")


def _standing(known: KnownLesson) -> str:
    if known.stands == "proposed":
        return "waits for your word"
    if known.stands == "dropped":
        return "not wanted"
    if known.found:
        return "in the project's file, not confirmed by you"
    return "kept, borne out by a green landing" if known.by == "landing" else "kept"
