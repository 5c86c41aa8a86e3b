"""The part of the fold that is about what is remembered."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.folding.parts import say
from agent_core.state import Compaction, LessonState, MemoryNote, Notice, State

OWN = "note:"
"""What the ids of entries begin with that are the human's own."""
_MOST_BACK = 20


def memory_kept(state: State, event: ev.MemoryKept) -> State:
    """The human wrote an entry of the session's memory; what they wrote last of it counts.

    An entry of their own stays where it was written first, so that it does not wander when it is put in other words.
    """
    old = next((note for note in state.notes if note.id == event.id), None)
    new = _taken_back(event.id, old) if event.back else _written(event, old)
    notes = list(state.notes)
    if old is not None:
        at = notes.index(old)
        notes[at : at + 1] = [new] if new is not None else []
    elif new is not None:
        notes.append(new)
    others = tuple(one for one in state.unheard if one != event.id)
    # What was written and forgotten before the partner was told is nothing to it.
    void = event.id in state.unheard and new is not None and not new.text and len(new.before) == 1
    unheard = others if void and event.id.startswith(OWN) else (*others, event.id)
    return msgspec.structs.replace(state, notes=tuple(notes), unheard=unheard)


def _written(event: ev.MemoryKept, old: MemoryNote | None) -> MemoryNote:
    return MemoryNote(event.id, event.text, (*old.before, old.text)[-_MOST_BACK:] if old is not None else ())


def _taken_back(entry: str, old: MemoryNote | None) -> MemoryNote | None:
    """What counts of an entry once the last words on it are taken back; None where that is what it said by itself."""
    if old is None:
        return None
    if old.before:
        return MemoryNote(entry, old.before[-1], old.before[:-1])
    # An entry of the human's own said nothing before they wrote it; taken back once more it is there again.
    return MemoryNote(entry, "", (old.text,)) if entry.startswith(OWN) else None


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
