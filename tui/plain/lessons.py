"""Lessons of a session in plain mode: told by number, kept and dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agent_core.commands import AnyCommand, DropLesson, KeepLesson
from agent_core.state import State
from tui.plain.words import sentence

_STANDS = {"proposed": "waits for your word", "kept": "kept", "dropped": "not kept"}
_ALL = "`pairloop memory` lists what is remembered of earlier sessions."


def lessons_of(state: State) -> Iterator[str]:
    """What this session proposed to remember, a numbered line each."""
    if not state.lessons:
        yield f"This session has proposed no lesson yet. {_ALL}"
        return
    for number, one in enumerate(state.lessons, 1):
        yield f"{number}, {_STANDS[one.stands]}: {sentence(one.lesson.text)} From {one.lesson.source}."
    yield f"Type keep or drop and a number. {_ALL}"


def settle(state: State, number: int, *, kept: bool, submit: Callable[[AnyCommand], None]) -> str:
    """Keep or drop a lesson by its number.

    Args:
        state: What is true now.
        number: As `lessons_of` tells it.
        kept: Whether to keep it.
        submit: Hands in a command.

    Returns:
        Why it cannot be done; empty when it is.
    """
    if not 1 <= number <= len(state.lessons):
        what = f"There is no lesson {number}." if number else "Which one?"
        return f"{what} Type lessons to see those there are, and their numbers."
    name = state.lessons[number - 1].lesson.id
    submit(KeepLesson(name) if kept else DropLesson(name))
    return ""
