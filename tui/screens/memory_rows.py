"""What the memory view shows, as rows: what the partner was told, what is remembered, and the project's lessons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from rich.cells import cell_len, set_cell_size

from agent_core.conversation import AssistantItem, Item, ReasoningItem, ToolCallItem, ToolResultItem, UserItem
from agent_core.item_text import item_text
from agent_core.memory.lessons import KnownLesson
from agent_core.memory.model import Kind, MemoryEntry, Outcome
from agent_core.memory.recollection import memory_of
from agent_core.state import State
from agent_core.text import counted
from tui.widgets.lines import BLANK, Line, Piece, clean
from tui.widgets.status import context_piece, short_count, tokens_text

What = Literal["head", "context", "entry", "lesson", "plain"]
MOST_ITEMS = 400
"""Most items of the conversation that are listed; older ones are counted."""

_TOLD = "What the partner has been told"
_TITLES: dict[Kind, str] = {
    "note": "Your notes",
    "task": "What you asked for",
    "said": "What you said on the way",
    "decision": "Decisions",
    "attempt": "Attempts",
    "refused": "Patches that were refused",
    "landing": "Landings",
    "edit": "Edits beside pairloop",
}
_SIGNS: dict[Kind, Piece] = {
    "note": ("★", "accent"),
    "task": ("▷", "human"),
    "said": ("▷", "human"),
    "decision": ("◆", "accent"),
    "attempt": ("↻", "dim"),
    "refused": ("!", "warn"),
    "landing": ("⤓", "good"),
    "edit": ("✎", "primary"),
}
_OUTCOMES: dict[Outcome, Piece] = {
    "landed": ("✓", "good"),
    "undone": ("↶", "warn"),
    "rejected": ("✗", "bad"),
    "failed": ("✗", "bad"),
    "open": ("?", "accent"),
    "left": ("·", "dim"),
}
_WHO: dict[type[Item], str] = {
    UserItem: "told",
    AssistantItem: "partner",
    ReasoningItem: "partner",
    ToolCallItem: "calls",
    ToolResultItem: "answered",
}
_ITEM_WORDS = 400


class Row(msgspec.Struct, frozen=True):
    """A row of the view, folded or not.

    Attributes:
        key: Its name, which stays from one look to the next.
        what: What it is.
        text: What it says; may have several lines.
        sign: What stands before it, with its style.
        style: Of the text.
        source: Where it came from, at the right edge.
        detail: What unfolding shows below the text.
        entry: The entry of the memory that it is.
        lesson: The lesson that it is.
        mark: What else there is to know at a glance, with its style.
    """

    key: str
    what: What
    text: str
    sign: Piece = ("", "")
    style: str = "text"
    source: str = ""
    detail: tuple[str, ...] = ()
    entry: MemoryEntry | None = None
    lesson: KnownLesson | None = None
    mark: Piece = ("", "")

    @property
    def stops(self) -> bool:
        """Whether the cursor can be on it."""
        return self.what != "head"

    def holds(self, words: Sequence[str]) -> bool:
        """Whether all of some words, in small letters, are in it."""
        every = "\n".join((self.text, self.source, self.key, self.mark[0], *self.detail)).lower()
        return all(word in every for word in words)


def rows_of(state: State, lessons: Sequence[KnownLesson], wanted: str) -> list[Row]:
    """All rows, those that wait for a word first.

    Args:
        state: The session's state.
        lessons: The project's lessons.
        wanted: What is searched for; only what has all of its words is given.
    """
    proposed = [_lesson(one) for one in lessons if one.stands == "proposed"]
    kept = [_lesson(one) for one in lessons if one.stands == "kept"]
    memory = memory_of(state)
    signs = {f"attempt:{one.proposal}": _OUTCOMES[one.outcome] for one in memory.attempts}
    sections: list[tuple[str, list[Row]]] = [("Lessons that wait for your word", proposed)]
    sections.append((_TOLD, list(_told(state))))
    for kind, title in _TITLES.items():
        sections.append((title, [_entry(one, state.unheard, signs) for one in memory.entries if one.kind == kind]))
    plain = [Row(f"check:{at}", "plain", line, ("·", "dim")) for at, line in enumerate(memory.checks)]
    plain += [Row(f"left:{at}", "plain", line, ("⋯", "faint"), "dim") for at, line in enumerate(memory.left_out)]
    sections += [("The checks now", plain), ("Lessons of this project", kept)]
    words = wanted.lower().split()
    found: list[Row] = []
    for title, rows in sections:
        fitting = [row for row in rows if row.holds(words)] if words else rows
        if fitting:
            count = f"{len(fitting)} of {len(rows)}" if words else f"{len(rows)}"
            found += [
                Row(f"head:{title}", "head", title, source="" if title.startswith("What the") else count),
                *fitting,
            ]
    return found


def _entry(entry: MemoryEntry, unheard: Sequence[str], signs: Mapping[str, Piece]) -> Row:
    mark: Piece = ("", "")
    if entry.forgotten:
        mark = ("forgotten", "warn")
    elif entry.rewritten:
        mark = ("in your words", "accent")
    if entry.id in unheard:
        mark = (f"{mark[0]}, not told yet" if mark[0] else "not told yet", mark[1] or "accent")
    detail = [*entry.detail]
    if entry.rewritten:
        detail.append(f"it was: {entry.was}")
    style = "faint" if entry.forgotten else "text"
    return Row(
        entry.id,
        "entry",
        entry.text,
        signs.get(entry.id, _SIGNS[entry.kind]),
        style,
        entry.source,
        tuple(detail),
        entry,
        None,
        mark,
    )


def _lesson(known: KnownLesson) -> Row:
    lesson = known.lesson
    detail = [f"from {lesson.source}"]
    if lesson.paths:
        detail.append(f"about {', '.join(lesson.paths)}")
    if known.found:
        detail.append("it stood in the project's file; nobody here has agreed to it")
    if known.stands == "proposed":
        mark: Piece = ("keep it?", "warn")
    else:
        mark = {"human": ("you agreed", "good"), "landing": ("a green landing bore it out", "good")}.get(
            known.by or "", ("from the file", "dim")
        )
    sign: Piece = ("?", "warn") if known.stands == "proposed" else ("✓", "good")
    return Row(f"lesson:{lesson.id}", "lesson", lesson.text, sign, "text", "", tuple(detail), None, known, mark)


def _told(state: State) -> Iterator[Row]:
    """How full the context is, and what is in it."""
    full, style = context_piece(state)
    size = full or f"context about {short_count(state.size.tokens)} tokens"
    parts = [size, f"{len(state.items)} items", counted(state.steps, "request")]
    if state.usage.input:
        parts.append(tokens_text(state.usage))
    items = state.items[-MOST_ITEMS:]
    lines = [f"⋯ {len(state.items) - len(items)} older items"] if len(items) < len(state.items) else []
    lines += [_item(item) for item in items]
    yield Row("context", "context", ", ".join(parts), ("▤", "accent"), style or "text", "", tuple(lines))
    for number, one in enumerate(state.compactions, 1):
        size = f"{len(one.items)} items, about {short_count(one.size.tokens)} tokens"
        text = f"Summary {number}; before it there were {size}"
        last = number == len(state.compactions)
        mark: Piece = ("u takes it back", "dim") if last else ("", "")
        yield Row(f"compaction:{number}", "context", text, ("▤", "dim"), "text", "", (), mark=mark)


def _item(item: Item) -> str:
    said = "(its reasoning)" if isinstance(item, ReasoningItem) else item_text(item)
    return f"{_WHO[type(item)]:<9}{' '.join(said[:_ITEM_WORDS].split())}"


# -- as lines


def lines_of(row: Row, width: int, *, here: bool, unfolded: bool, words: Sequence[str] = ()) -> list[Line]:
    """A row as it is drawn.

    Args:
        row: The row.
        width: Cells there are.
        here: The cursor is on it.
        unfolded: Show all of it.
        words: What is searched for stands out.
    """
    if row.what == "head":
        return [BLANK, Line(((row.text, "heading"), (f"  {row.source}", "faint")), lead=(("", ""),))]
    base = "cursor-row" if here else ""
    lead = (("▸ " if here else "  ", "accent"), (f"{row.sign[0]} ", row.sign[1]))
    mark, room = row.mark, max(width - 4, 12)
    if unfolded:
        return [*_whole(row, lead, base, words), BLANK]
    first, *rest = clean_lines(row.text)
    right = [mark[0]] if mark[0] else []
    if width >= 100 and row.source:
        right.append(row.source)
    aside = " · ".join(right)
    if cell_len(aside) > room // 2:
        aside = mark[0]
    more = " …" if rest else ""
    space = room - (cell_len(aside) + 2 if aside else 0)
    text = f"{first}{more}" if cell_len(first) + len(more) <= space else f"{set_cell_size(first, max(space - 1, 1))}…"
    return [
        Line(_lit(text, row.style, words), lead=lead, base=base, right=(aside, mark[1] or "faint") if aside else None)
    ]


def _whole(row: Row, lead: Sequence[Piece], base: str, words: Sequence[str]) -> Iterator[Line]:
    for at, text in enumerate(clean_lines(row.text)):
        yield Line(_lit(text, row.style, words), lead=lead if not at else (("    ", ""),), base=base)
    # The conversation is long, and each of its items one row.
    for detail in row.detail:
        for text in clean_lines(detail):
            yield Line(_lit(text, "dim", words), lead=(("    ", ""),))
    known = [row.source, "" if row.what in {"context", "plain"} else clean(row.key), row.mark[0]]
    if told := " · ".join(one for one in known if one):
        yield Line(((clean(told), "faint"),), lead=(("    ", ""),))


def clean_lines(text: str) -> list[str]:
    """A text of several lines as it may be shown; at least one."""
    return [clean(line) for line in text.strip().split("\n")]


def _lit(text: str, style: str, words: Sequence[str]) -> list[Piece]:
    """A text in which some words stand out."""
    lower, pieces, at = text.lower(), [], 0
    if len(lower) != len(text):
        return [(text, style)]
    while words:
        places = [(place, word) for word in words if (place := lower.find(word, at)) >= 0]
        if not places:
            break
        place, word = min(places)
        pieces += [(text[at:place], style), (text[place : place + len(word)], f"{style}+hit")]
        at = place + len(word)
    return [piece for piece in (*pieces, (text[at:], style)) if piece[0]]
