"""The part of the fold that is about what is remembered."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.chat_entries import Notice
from agent_core.conversation import Replaced, turns_so_far
from agent_core.folding.partner import spent
from agent_core.folding.parts import say
from agent_core.item_text import items_tokens
from agent_core.state import Compaction, LessonState, MemoryNote, Size, State

OWN = "note:"
"""What the ids of entries begin with that are the human's own."""
_MOST_BACK = 20
_BRIEF = 90
"""So long may a lesson be in the line that says of it: it is to be no more than a line."""


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
    return say(state, _notice(event, new), notes=tuple(notes), unheard=unheard)


def _notice(event: ev.MemoryKept, note: MemoryNote | None) -> Notice:
    """What the chat says of it."""
    name = "" if event.id.startswith(OWN) else f" ({event.id})"
    if note is None:
        return Notice("info", f"The memory says again what it said by itself{name}.", about="memory")
    if not note.text:
        gone = note.before[-1] if note.before else ""
        return Notice("info", f"Forgotten{name}{f': {gone}' if gone else '.'}", about="memory")
    return Notice("info", f"Remembered{name}: {note.text}", about="memory")


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


_WHY = {
    "full": "The context was filling up",
    "refused": "The partner had no room for the whole conversation",
    "asked": "As you wished",
}


def compacted(state: State, event: ev.Compacted) -> State:
    """The oldest of the conversation is replaced; what it was is kept, as it can be taken back."""
    gone, items = state.items[: event.kept], (*event.items, *state.items[event.kept :])
    done = Compaction(state.items, len(items), state.size, state.replaced.answers)
    answers = state.replaced.answers + turns_so_far(gone)[0] - turns_so_far(event.items)[0]
    estimated = state.size.estimated - items_tokens(gone) + items_tokens(event.items)
    # What was estimated of it is all that is known until the provider counts again.
    size = Size(estimated, event.after, at=estimated) if event.after else Size(estimated)
    return say(
        state,
        Notice("info", *_compaction_words(event), about="memory"),
        items=items,
        size=size,
        compactions=(*state.compactions, done),
        replaced=Replaced(state.replaced.items + len(gone), max(answers, 0)),
        uncompacted=False,
        usage=state.usage + event.usage,
        spending=spent(state, event.usage),
        # What was told of them may be among what is gone.
        recalled=() if gone else state.recalled,
    )


def _compaction_words(event: ev.Compacted) -> tuple[str, str]:
    did = []
    if event.summed:
        who = "by the partner" if event.by == "partner" else "made by pairloop"
        oldest = "the oldest item" if event.summed == 1 else f"the oldest {event.summed} items"
        did.append(f"{oldest} of the conversation {'is' if event.summed == 1 else 'are'} a summary now, {who}")
    if event.cut:
        what = "a text that was" if event.cut == 1 else f"{event.cut} texts that were"
        did.append(f"{what} too long lost {'its' if event.cut == 1 else 'their'} middle")
    size = f"About {event.before:,} tokens became {event.after:,}. " if event.before and event.after else ""
    kept = "Attempts, decisions and your edits are remembered word for word. " if event.summed else ""
    return f"{_WHY[event.why]}: {', and '.join(did)}.", f"{size}{kept}/uncompact takes it back."


def compaction_undone(state: State, event: ev.CompactionUndone) -> State:  # noqa: ARG001 - a handler's signature
    """The conversation is whole again, with what was said since."""
    if not state.compactions:
        return state
    last, since = state.compactions[-1], state.items[state.compactions[-1].since :]
    size = msgspec.structs.replace(last.size, estimated=last.size.estimated + items_tokens(since), sent=0)
    return say(
        state,
        Notice("info", "The conversation is whole again: the last summary was taken back.", about="memory"),
        items=(*last.items, *since),
        size=size,
        compactions=state.compactions[:-1],
        replaced=Replaced(state.replaced.items, last.answers),
        uncompacted=True,
    )


def lesson_proposed(state: State, event: ev.LessonProposed) -> State:
    """Something may be worth knowing later; proposed again it is not asked about twice."""
    if any(one.lesson.id == event.lesson.id for one in state.lessons):
        return state
    lesson = LessonState(event.lesson)
    return say(state, _lesson_line(lesson), lessons=(*state.lessons, lesson))


def lesson_settled(state: State, event: ev.LessonSettled) -> State:
    """A lesson was agreed to, or dropped."""
    old = next((one for one in state.lessons if one.lesson.id == event.id), None)
    if old is None:
        # One of an earlier session.
        what = "Kept what is worth remembering" if event.kept else "Forgotten, and not proposed again"
        return say(state, Notice("info", f"{what}{f': {event.text}' if event.text else '.'}", about="memory"))
    new = _settled(old, event)
    lessons = tuple(new if one is old else one for one in state.lessons)
    if (line := _lesson_line(old)) not in state.chat:
        return say(state, _lesson_line(new), lessons=lessons)
    chat = tuple(_lesson_line(new) if entry == line else entry for entry in state.chat)
    return msgspec.structs.replace(state, lessons=lessons, chat=chat)


def _lesson_line(one: LessonState) -> Notice:
    """What the chat says of a lesson: one line, whatever becomes of it."""
    if one.stands == "proposed":
        what = "Worth remembering?"
    elif one.stands == "kept":
        what = "Remembered for later sessions:"
    else:
        what = "Not remembered:"
    text = one.lesson.text
    brief = text if len(text) <= _BRIEF else f"{text[: _BRIEF - 1]}…"
    whole = [text] if brief != text else []
    why = ", which a green landing bore out" if (one.stands, one.by) == ("kept", "landing") else ""
    hints = (*whole, f"From {one.lesson.source}{why}.", "In the memory (m) you keep, drop or reword it.")
    return Notice("info", f"{what} {brief}", "\n".join(hints), about="lesson")


def _settled(one: LessonState, event: ev.LessonSettled) -> LessonState:
    lesson = msgspec.structs.replace(one.lesson, text=event.text) if event.text else one.lesson
    return LessonState(lesson, "kept" if event.kept else "dropped", event.by)


def lessons_recalled(state: State, event: ev.LessonsRecalled) -> State:
    """Lessons of earlier sessions fit."""
    what = "A lesson of earlier sessions fits" if len(event.lessons) == 1 else f"{len(event.lessons)} lessons fit"
    told = "\n".join(f"{one.text} ({one.source})" for one in event.lessons)
    recalled = tuple(dict.fromkeys((*state.recalled, *(one.id for one in event.lessons))))
    return say(state, Notice("info", f"{what} {event.why}.", told, about="lesson"), recalled=recalled)
