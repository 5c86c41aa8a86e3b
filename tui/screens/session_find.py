"""Finding a session by its title or by what was said in it, and what is shown of one."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent_core.shelf import Said, SessionCard
from agent_core.text import counted
from tui.trouble import ago
from tui.widgets.lines import BLANK, Line, Piece, clean

MOST_SAID = 300
"""Words shown of one session, around those that were found."""
_ROWS = 12
_WHO: Mapping[str, tuple[str, str, str]] = {
    "you": ("▷ ", "accent", "text"),
    "partner": ("  ", "", "dim"),
    "decision": ("◆ ", "accent", "strong"),
    "shell": ("! ", "key", "dim"),
}


class Found(NamedTuple):
    """A session that fits what is looked for.

    Attributes:
        card: The session.
        hits: Which of what was said in it fits; empty where its title does.
    """

    card: SessionCard
    hits: Sequence[int] = ()


class SaidIndex:
    """What was said in all sessions, to be searched while somebody types.

    Args:
        said: By session.
    """

    def __init__(self, said: Mapping[str, Sequence[Said]]) -> None:
        self.said = said
        self._lower = {session: [one.text.lower() for one in texts] for session, texts in said.items()}

    def find(self, wanted: str, cards: Sequence[SessionCard]) -> list[Found]:
        """The sessions that fit some words: by title, then by what was said, then by letters with gaps in the title."""
        words = wanted.lower().split()
        if not words:
            return [Found(card) for card in cards]
        ranked: list[tuple[int, int, Found]] = []
        for at, card in enumerate(cards):
            title = f"{card.title} {card.id}".lower()
            hits = [
                index for index, text in enumerate(self._lower.get(card.id, ())) if all(word in text for word in words)
            ]
            if all(word in title for word in words):
                ranked.append((0, at, Found(card, hits)))
            elif hits:
                ranked.append((1, at, Found(card, hits)))
            elif len(words) == 1 and _follow(words[0], card.title.lower()):
                ranked.append((2, at, Found(card)))
        return [found for _, _, found in sorted(ranked, key=lambda one: one[:2])]


def _follow(letters: str, text: str) -> bool:
    """Whether letters follow each other in a text, with gaps."""
    rest = iter(text)
    return all(letter in rest for letter in letters)


def counts(card: SessionCard) -> str:
    """How much there is in a session, in a few words."""
    words = [counted(card.tasks, "task"), f"{card.attempts} proposed"]
    return ", ".join(words + ([f"{card.landings} landed"] if card.landings else []))


def standing(card: SessionCard, current: str) -> Piece:
    """How a session stands, with the style that goes with it."""
    if card.id == current:
        return "you are here", "good"
    if card.in_use:
        return "open elsewhere", "warn"
    if card.hidden:
        return "hidden", "faint"
    return {"": ("", ""), "proposal": ("a proposal waits", "accent"), "task": ("cut short", "warn")}[card.pending]


def card_lines(found: Found, current: str, width: int, *, here: bool) -> tuple[Line, Line]:
    """A session in the list: its title, and under it when, how much and how it stands.

    Args:
        found: The session.
        current: Id of the one that is open here.
        width: Cells there are.
        here: The cursor is on it.
    """
    card = found.card
    base = "cursor-row" if here else ""
    word, colour = standing(card, current)
    title = clean(card.title) or "(no title)"
    title = title if len(title) <= width - 3 else f"{title[: max(width - 4, 1)]}…"
    top = Line(((title, "strong" if here or card.id == current else "text"),), lead=(_lead(here=here),), base=base)
    pieces: list[Piece] = [(f"{word}  ", colour)] if word else []
    pieces += [(f"said {len(found.hits)} times  ", "accent")] if found.hits else []
    pieces.append((f"{ago(time.time() - card.last)}, {counts(card)}", "dim"))
    return top, Line(_cut(pieces, width - 5), lead=(("    ", ""),), base=base)


def _lead(*, here: bool) -> Piece:
    return ("▸ ", "accent") if here else ("  ", "")


def _cut(pieces: Sequence[Piece], room: int) -> list[Piece]:
    """As much of a row as there is room for."""
    found: list[Piece] = []
    for text, style in pieces:
        if len(text) > room:
            found.append((f"{text[: max(room - 1, 0)]}…", style))
            break
        found.append((text, style))
        room -= len(text)
    return found


def preview_lines(found: Found, said: Sequence[Said], wanted: str, current: str) -> tuple[list[Line], int]:
    """What is shown of a session, and the line at which what was found first stands.

    Args:
        found: The session.
        said: What was said in it.
        wanted: What is looked for.
        current: Id of the session that is open here.
    """
    card = found.card
    word, colour = standing(card, current)
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(card.started))
    lines = [
        Line(((clean(card.title) or "(no title)", "heading"),)),
        Line(((f"{when}, {counts(card)}, {card.events:,} events", "dim"),)),
        Line(((clean(card.id), "faint"), (f"  {word}" if word else "", colour))),
    ]
    if card.forked_from:
        lines.append(Line(((f"forked from {clean(card.forked_from)}", "faint"),)))
    # Where nothing is looked for the end tells most; else what comes around the first place.
    first = max(found.hits[0] - MOST_SAID // 4, 0) if found.hits else max(len(said) - MOST_SAID, 0)
    if first:
        lines += [BLANK, Line(((f"⋯ {first:,} earlier", "faint"),))]
    seen, words = 0, wanted.lower().split()
    for at in range(first, min(first + MOST_SAID, len(said))):
        rows = _said_lines(said[at], words if at in found.hits else ())
        if found.hits and at == found.hits[0]:
            where = (which for which, row in enumerate(rows) if words[0] in row.text.lower())
            seen = len(lines) + 1 + next(where, 0)
        lines += [BLANK, *rows]
    if first + MOST_SAID < len(said):
        lines += [BLANK, Line(((f"⋯ {len(said) - first - MOST_SAID:,} later", "faint"),))]
    return lines, seen


def _said_lines(one: Said, words: Sequence[str]) -> list[Line]:
    sign, colour, style = _WHO[one.who]
    rows = one.text.strip().splitlines()
    begin = 0
    if words:
        begin = next((at for at, row in enumerate(rows) if words[0] in row.lower()), 0)
        begin = max(min(begin - 2, len(rows) - _ROWS), 0)
    lines = [Line(((f"⋯ {begin} lines", "faint"),), lead=(("  ", ""),))] if begin else []
    for at, row in enumerate(rows[begin : begin + _ROWS]):
        lead = (sign, colour) if at + begin == 0 else ("  ", "")
        lines.append(Line(_marked(clean(row), style, words), lead=(lead,)))
    if len(rows) > begin + _ROWS:
        lines.append(Line(((f"⋯ {len(rows) - begin - _ROWS} lines", "faint"),), lead=(("  ", ""),)))
    return lines


def _marked(text: str, style: str, words: Sequence[str]) -> list[Piece]:
    if not words:
        return [(text, style)]
    parts = re.split(f"({'|'.join(map(re.escape, words))})", text, flags=re.IGNORECASE)
    return [(part, "warn" if at % 2 else style) for at, part in enumerate(parts) if part]
