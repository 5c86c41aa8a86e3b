"""The chat pane: what was said and done, oldest first, and what the partner is saying now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from agent_core.state import ChatEntry, Edit, Notice, Ran, Said, State, ToolUse
from tui.actions import bindings
from tui.panes.markdown import Markdown, render
from tui.panes.pane import Pane
from tui.widgets.lines import BLANK, Line, clean

_HINT_LINES = 8
_SAID_LINES = 400
_SIGNS = {
    "proposal": ("◆", "accent"),
    "verdict": ("✓", "good"),
    "diagnosis": ("✗", "bad"),
    "decision": ("→", "primary"),
    "landing": ("⤓", "good"),
    "patch": ("·", "dim"),
    "task": ("■", "dim"),
    "note": ("·", "dim"),
}
_JUDGED = {"verdict", "diagnosis"}


def _human(text: str) -> list[Line]:
    lead = (("▌ ", "human"),)
    lines = [
        Line(((clean(line), ""),), lead=lead, hang=lead, base="human-row") for line in text.rstrip("\n").split("\n")
    ]
    if len(lines) > _SAID_LINES:
        more = Line(((f"⋯ {len(lines) - _SAID_LINES} more lines", "dim"),), lead=lead, base="human-row")
        lines = [*lines[:_SAID_LINES], more]
    return [BLANK, *lines, BLANK]


def _tool(tool: ToolUse) -> list[Line]:
    sign, style = {None: ("◌", "accent"), True: ("✓", "good"), False: ("✗", "bad")}[tool.ok]
    pieces = [(clean(tool.title), "dim")]
    if tool.summary:
        pieces.append((f"  {clean(tool.summary)}", "faint" if tool.ok else "dim"))
    return [Line(pieces, lead=((f"{sign} ", style),))]


def _edit(edit: Edit) -> list[Line]:
    changed = [line for line in edit.diff.splitlines() if not line.startswith(("+++", "---"))]
    added = sum(line.startswith("+") for line in changed)
    removed = sum(line.startswith("-") for line in changed)
    pieces = [(f"you {edit.kind} ", "dim"), (clean(edit.path), "strong")]
    if changed:
        pieces += [(f"  +{added}", "good"), (f" -{removed}", "bad")]
    return [Line(pieces, lead=(("✎ ", "primary"),))]


def _ran(ran: Ran) -> list[Line]:
    sign, style = ("◌", "accent") if ran.code is None else ("✓", "good") if not ran.code else ("✗", "bad")
    ended = "" if ran.code is None else ran.killed or f"exit status {ran.code}"
    lines = [Line(((clean(ran.line), "code"), (f"  {clean(ended)}", "faint")), lead=((f"{sign} ", style),))]
    lines += [Line(((clean(line), "dim"),), lead=(("  │ ", "faint"),)) for line in ran.output.splitlines()]
    return lines


def _notice(notice: Notice) -> list[Line]:
    sign, style = _SIGNS[notice.about]
    if notice.level == "error":
        sign, style = "✗", "bad"
    elif notice.level == "warning":
        sign, style = ("✗", "bad") if notice.about in _JUDGED else ("!", "warn")
    if notice.doubt:
        # Not the last word on what is there now, so no tick and no cross.
        sign, style = ("◌", "accent") if notice.doubt == "so far" else ("!", "warn")
    text_style = {"info": "dim", "warning": "text", "error": "bad"}[notice.level]
    if notice.doubt == "stale":
        text_style = "dim"
    elif notice.about in {"proposal", "landing", *_JUDGED}:
        text_style = "strong" if notice.level != "error" else "bad"
    first, *more = notice.text.split("\n") if notice.text else [""]
    stale = (("  stale", "warn"),) if notice.doubt == "stale" and notice.about == "verdict" else ()
    lines = [Line(((clean(first), text_style), *stale), lead=((f"{sign} ", style),))]
    lines += [Line(((clean(line), text_style),), lead=(("  ", ""),)) for line in more if line.strip()]
    # The evidence for a verdict is the checks pane's business.
    hints = [line for line in notice.hint.split("\n") if line.strip()] if notice.about not in _JUDGED else []
    # The head of the notice may be the first line of what it points to.
    if hints and notice.text.endswith(hints[0].strip()):
        hints = hints[1:]
    lines += [Line(((clean(line), "dim"),), lead=(("  ", ""),)) for line in hints[:_HINT_LINES]]
    if len(hints) > _HINT_LINES:
        lines.append(Line(((f"  ⋯ {len(hints) - _HINT_LINES} more lines", "faint"),)))
    return lines


def entry_lines(entry: ChatEntry) -> list[Line]:
    """One entry of the transcript as lines."""
    if isinstance(entry, Said):
        if entry.who == "human":
            return _human(entry.text)
        tail = [Line((("⋯ cut off here", "faint"),))] if entry.partial else []
        return [*render(entry.text.strip("\n")), *tail]
    if isinstance(entry, ToolUse):
        return _tool(entry)
    if isinstance(entry, Ran):
        return _ran(entry)
    return _edit(entry) if isinstance(entry, Edit) else _notice(entry)


def _is_human(entry: ChatEntry) -> bool:
    return isinstance(entry, Said) and entry.who == "human"


def _breath(before: ChatEntry | None, entry: ChatEntry) -> bool:
    """Whether a blank line parts two entries: talk from the lines of tools and notices.

    What a human said has blank lines of its own.
    """
    if before is None or _is_human(before) or _is_human(entry):
        return False
    return isinstance(before, Said) or isinstance(entry, Said)


class ChatPane(Pane):
    """The transcript."""

    BINDINGS: ClassVar = bindings("chat")
    TITLE = "chat"
    EMPTY = ("What should be changed? Say it below.", "Nothing reaches your files until you accept it.")

    def __init__(self) -> None:
        super().__init__(id="chat")
        self._entries: list[ChatEntry] = []
        self._ends: list[int] = []  # how many lines there are after each entry
        self._live = Markdown()
        self._live_at = 0  # index of the first line of the live answer
        self._notes: list[Notice] = []
        self._kept: tuple[str, ...] = ()
        self._state = State()

    def show(self, state: State) -> None:
        """Draw what is true now."""
        old, self._state = self._state, state
        if not self._show_entries() and (
            state.live is old.live
            and state.live_reasoning is old.live_reasoning
            and state.live_patch is old.live_patch
            and state.queued == old.queued
        ):
            return
        self._show_end(whole=bool(old.live) != bool(state.live))

    def _show_entries(self) -> bool:
        """Bring the transcript up to date; gives whether there was anything to do."""
        chat: Sequence[ChatEntry] = (*self._state.chat, *self._notes)
        same = 0
        for known, entry in zip(self._entries, chat, strict=False):
            if known is not entry:
                break
            same += 1
        if same == len(chat) == len(self._entries):
            return False
        keep = self._ends[same - 1] if same else 0
        del self._entries[same:]
        del self._ends[same:]
        lines: list[Line] = []
        for entry in chat[same:]:
            if _breath(self._entries[-1] if self._entries else None, entry):
                lines.append(BLANK)
            lines.extend(entry_lines(entry))
            self._entries.append(entry)
            self._ends.append(keep + len(lines))
        self.set_lines(lines, keep)
        self._show_end(whole=True)
        return True

    def note(self, notice: Notice) -> None:
        """Say something of the screen's own, which no session knows of."""
        self._notes.append(notice)
        self._show_entries()

    def keep_for_later(self, texts: tuple[str, ...]) -> None:
        """Show what was sent before there was a session to send it to."""
        self._kept = texts
        self._show_end(whole=True)

    def _show_end(self, *, whole: bool) -> None:
        """Draw what changes all the time: the live answer, reasoning, a patch being written, what is kept."""
        fresh, keep = self._live.update(self._state.live)
        base = self._ends[-1] if self._ends else 0
        if whole:
            last = self._entries[-1] if self._entries else None
            gap = [BLANK] if self._state.live and last is not None and not _is_human(last) else []
            self._live_at = base + len(gap)
            self.set_lines([*gap, *self._live.lines, *self._live.partial, *self._tail()], base)
        else:
            self.set_lines([*fresh, *self._tail()], self._live_at + keep)
        self.mark_empty(empty=not self.lines)

    def _tail(self) -> list[Line]:
        state = self._state
        lines: list[Line] = []
        if state.live_reasoning and not state.live:
            shown = [line for line in state.live_reasoning[-2000:].split("\n") if line.strip()][-4:]
            lines += [Line(((clean(line), "comment"),), lead=(("  ", ""),)) for line in shown]
        if state.live_patch:
            count = state.live_patch.count("\n")
            lines.append(Line(((f"writing a patch, {count} lines so far", "dim"),), lead=(("◌ ", "accent"),)))
        if state.queued:
            word = "message waits" if len(state.queued) == 1 else "messages wait"
            lines.append(Line(((f"{len(state.queued)} {word} for the next step", "faint"),), lead=(("⋯ ", "faint"),)))
        for text in self._kept:
            lines += [*_human(text), Line((("kept, and sent as soon as the session is open", "faint"),))]
        return lines
