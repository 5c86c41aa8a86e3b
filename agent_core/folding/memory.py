"""The part of the fold that is about what is remembered."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.folding.parts import say
from agent_core.state import Compaction, LessonState, MemoryNote, Notice, State


def memory_kept(state: State, event: ev.MemoryKept) -> State:
    """The human wrote an entry of the session's memory; what they wrote last of it counts."""
    others = tuple(note for note in state.notes if note.id != event.id)
    return msgspec.structs.replace(state, notes=(*others, MemoryNote(event.id, event.text)))


def compacted(state: State, event: ev.Compacted) -> State:
    """The oldest of the conversation is replaced; what it was is kept, as it can be taken back."""
    items = (*event.items, *state.items[event.kept :])
    compactions = (*state.compactions, Compaction(state.items, len(items)))
    why = {
        "full": "The context was filling up",
        "refused": "The partner had no room for the whole conversation",
        "asked": "As you wished",
    }
    text = f"{why[event.why]}: the oldest {event.kept} items of the conversation are a summary now."
    size = f"About {event.before} tokens became {event.after}. " if event.before and event.after else ""
    hint = f"{size}Attempts, decisions and your edits are remembered word for word. It can be taken back."
    return say(state, Notice("info", text, hint, about="memory"), items=items, compactions=compactions)


def compaction_undone(state: State, event: ev.CompactionUndone) -> State:  # noqa: ARG001 - a handler's signature
    """The conversation is whole again, with what was said since."""
    if not state.compactions:
        return state
    last = state.compactions[-1]
    items = (*last.items, *state.items[last.since :])
    notice = Notice("info", "The conversation is whole again: the last summary was taken back.", about="memory")
    return say(state, notice, items=items, compactions=state.compactions[:-1])


def lesson_proposed(state: State, event: ev.LessonProposed) -> State:
    """Something may be worth knowing later; proposed again it is not asked about twice."""
    if any(one.lesson.id == event.lesson.id for one in state.lessons):
        return state
    return msgspec.structs.replace(state, lessons=(*state.lessons, LessonState(event.lesson)))


def lesson_settled(state: State, event: ev.LessonSettled) -> State:
    """A lesson was agreed to, or dropped."""
    lessons = tuple(_settled(one, event) if one.lesson.id == event.id else one for one in state.lessons)
    return msgspec.structs.replace(state, lessons=lessons)


def _settled(one: LessonState, event: ev.LessonSettled) -> LessonState:
    lesson = msgspec.structs.replace(one.lesson, text=event.text) if event.text else one.lesson
    return LessonState(lesson, "kept" if event.kept else "dropped", event.by)


def lessons_recalled(state: State, event: ev.LessonsRecalled) -> State:
    """Lessons of earlier sessions fit."""
    what = "A lesson" if len(event.lessons) == 1 else f"{len(event.lessons)} lessons"
    told = "\n".join(f"{one.text} ({one.source})" for one in event.lessons)
    return say(state, Notice("info", f"{what} of earlier sessions: {event.why}", told, about="memory"))
