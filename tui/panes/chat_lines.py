"""Entries of the transcript as lines: folded to what one has to see, or unfolded to all there is."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from agent_core.chat_entries import ChatEntry, Edit, Edits, GitMove, Notice, Planned, Ran, Said, ToolUse
from agent_core.outside_words import edits_words, move_words, who
from agent_core.partner_words import PLAN_SIGNS, plan_text
from agent_core.text import counted
from tui.panes.code import CodeBlock
from tui.panes.markdown import render
from tui.prompt.chips import count_lines
from tui.widgets.lines import BLANK, Line, Piece, clean

_HINT_LINES = 8
_SAID_LINES = 12
_OUTPUT_LINES = 6
_PLAN_LINES = 8
_TOOL_CHARS = 160
_MOST_LINES = 2_000
"""Most lines of one entry, unfolded or not."""

_BAR: Sequence[Piece] = (("  │ ", "faint"),)
_SIGNS = {
    "proposal": ("◆", "accent"),
    "verdict": ("✓", "good"),
    "diagnosis": ("✗", "bad"),
    "decision": ("→", "primary"),
    "landing": ("⤓", "good"),
    "patch": ("·", "dim"),
    "task": ("■", "dim"),
    "note": ("·", "dim"),
    "memory": ("★", "accent"),
    "lesson": ("★", "accent"),
    "repair": ("◆", "accent"),
}
_JUDGED = {"verdict", "diagnosis"}
_QUIET = {*_JUDGED, "lesson"}
"""What is one line until it is unfolded."""


class Drawn:
    """An entry as lines.

    Attributes:
        lines: Its lines.
        folds: Something of it is hidden, or would be if it were folded.
        blocks: Its fenced blocks.
    """

    __slots__ = ("blocks", "folds", "lines")

    def __init__(self, lines: list[Line], *, folds: bool = False, blocks: Sequence[CodeBlock] = ()) -> None:
        self.lines = lines
        self.folds = folds
        self.blocks = blocks


def key_of(entry: ChatEntry) -> Hashable:
    """What an entry stays known by while it goes on, so that what was unfolded stays so."""
    match entry:
        case ToolUse() | Ran():
            return type(entry), entry.call_id if isinstance(entry, ToolUse) else entry.id
        case Notice():
            return Notice, entry.about, entry.proposal, entry.text
        case Edit():
            return Edit, entry.path, entry.diff
        case Planned() | Edits():
            return type(entry), entry.task if isinstance(entry, Planned) else entry
        case GitMove():
            return GitMove, entry.what, entry.was, entry.branch
    return Said, entry.who, entry.text


def text_of(entry: ChatEntry) -> str:
    """An entry as plain text, for the clipboard."""
    match entry:
        case ToolUse():
            return f"{entry.title}  {entry.summary}".strip()
        case Ran() | Planned():
            return f"$ {entry.line}\n{entry.output}".rstrip() if isinstance(entry, Ran) else plan_text(entry.steps)
        case Notice():
            return "\n".join(part for part in (entry.text, entry.hint) if part)
        case Edit():
            return entry.diff or f"{entry.kind} {entry.path}"
        case Edits() | GitMove():
            return "\n".join((_many_words(entry), *entry.paths))
    return entry.text


def is_human(entry: ChatEntry) -> bool:
    """Whether it was said by the human."""
    return isinstance(entry, Said) and entry.who == "human"


def breathes(before: ChatEntry | None, entry: ChatEntry) -> bool:
    """Whether a blank line parts two entries: talk from the lines of tools and notices.

    What a human said has blank lines of its own.
    """
    if before is None or is_human(before) or is_human(entry):
        return False
    return isinstance(before, Said) or isinstance(entry, Said)


def draw(entry: ChatEntry, *, unfolded: bool) -> Drawn:
    """One entry of the transcript as lines."""
    match entry:
        case Said():
            return human(entry.text, unfolded=unfolded) if entry.who == "human" else _partner(entry, unfolded=unfolded)
        case ToolUse():
            return _tool(entry, unfolded=unfolded)
        case Ran() | Planned():
            return _ran(entry, unfolded=unfolded) if isinstance(entry, Ran) else _plan(entry, unfolded=unfolded)
        case Edit():
            return _edit(entry, unfolded=unfolded)
        case Edits() | GitMove():
            return _many(entry, unfolded=unfolded)
    return _notice(entry, unfolded=unfolded)


def _cut(lines: list[Line]) -> list[Line]:
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[:_MOST_LINES], _more(len(lines) - _MOST_LINES, "too many to be shown here")]


def _more(count: int, note: str = "", lead: Sequence[Piece] = (("  ", ""),)) -> Line:
    words = f"⋯ {counted(count, 'more line')}"
    return Line(((f"{words}, {note}" if note else words, "faint"),), lead=lead)


def human(text: str, *, unfolded: bool) -> Drawn:
    """What a human said: verbatim, on a ground of its own."""
    lead = (("▌ ", "human"),)
    source = text.rstrip("\n").split("\n")
    folds = len(source) > _SAID_LINES + 1
    shown = source if unfolded or not folds else source[:_SAID_LINES]
    lines = _cut([Line(((clean(line), ""),), lead=lead, hang=lead, base="human-row") for line in shown])
    if len(shown) < len(source):
        words = f"⋯ {len(source) - len(shown):,} more lines"
        lines.append(Line(((words, "dim"),), lead=lead, base="human-row"))
    return Drawn([BLANK, *lines, BLANK], folds=folds)


def thought(text: str, *, unfolded: bool, live: bool = False) -> list[Line]:
    """A summary of what the partner has thought: one line of it, or all."""
    source = [line for line in text.split("\n") if line.strip()]
    if not source:
        return []
    sign = (("◌ ", "accent"),) if live else (("∴ ", "faint"),)
    if not unfolded:
        # While it is being thought the newest of it tells most, afterwards how it began.
        words = clean(source[-1 if live else 0].strip().strip("*# "))
        short = words if len(words) <= 100 else f"{words[:99]}…"
        return [Line(((short, "comment"), (" ▸", "faint")), lead=sign)]
    lines = [Line((("thoughts", "comment"), (" ▾", "faint")), lead=sign)]
    return lines + [Line(((clean(line), "comment"),), lead=(("  ", ""),)) for line in source]


def _partner(said: Said, *, unfolded: bool) -> Drawn:
    rendered = render(said.text.strip("\n"))
    tail = [Line((("⋯ cut off here", "faint"),))] if said.partial else []
    thoughts = thought(said.reasoning, unfolded=unfolded)
    gap = [BLANK] if thoughts and rendered.lines else []
    lines = [*thoughts, *gap, *_cut(rendered.lines), *tail]
    return Drawn(lines, folds=bool(thoughts), blocks=rendered.blocks)


def _fold_sign(*, unfolded: bool) -> Piece:
    return (" ▾" if unfolded else " ▸", "faint")


def _tool(tool: ToolUse, *, unfolded: bool) -> Drawn:
    sign, style = {None: ("◌", "accent"), True: ("✓", "good"), False: ("✗", "bad")}[tool.ok]
    title, summary = clean(tool.title), clean(tool.summary)
    folds = len(title) + len(summary) > _TOOL_CHARS
    if folds and not unfolded:
        title = title if len(title) <= _TOOL_CHARS // 2 else f"{title[: _TOOL_CHARS // 2]}…"
        room = _TOOL_CHARS - len(title)
        summary = summary if len(summary) <= room else f"{summary[:room]}…"
    pieces = [(title, "dim")]
    if summary:
        pieces.append((f"  {summary}", "faint" if tool.ok else "dim"))
    source = output_lines(tool.printed) if tool.printed.strip() else []
    more = len(source) > _OUTPUT_LINES + 1
    if folds or more:
        pieces.append(_fold_sign(unfolded=unfolded))
    lines = [Line(pieces, lead=((f"{sign} ", style),))]
    if more and not unfolded:
        source = source[-_OUTPUT_LINES:]
    lines += [Line(pieces, lead=_BAR, hang=_BAR) for pieces in source]
    return Drawn(_cut(lines), folds=folds or more)


def output_lines(text: str) -> list[list[Piece]]:
    """What a program printed, as lines; of its colours those that are no more than that."""
    from tui.widgets.ansi import ansi_lines  # noqa: PLC0415 - not needed to paint

    return ansi_lines(text.strip("\n"), "dim")


_STEP_STYLES = {"open": ("dim", "dim"), "doing": ("accent", "text"), "done": ("good", "faint")}


def _plan(plan: Planned, *, unfolded: bool) -> Drawn:
    """The partner's plan; of a long one what is over is one line until it is unfolded."""
    done = [step for step in plan.steps if step.stands == "done"]
    folds = len(plan.steps) > _PLAN_LINES and len(done) > 1
    head: list[Piece] = [("plan", "strong"), (f"  {len(done)} of {len(plan.steps)} done", "faint")]
    if folds:
        head.append(_fold_sign(unfolded=unfolded))
    lines = [Line(head, lead=(("≡ ", "primary"),))]
    for step in plan.steps:
        if folds and not unfolded and step.stands == "done":
            continue
        sign, style = _STEP_STYLES[step.stands]
        lead = (("  ", ""), (f"{PLAN_SIGNS[step.stands]} ", sign))
        lines.append(Line(((clean(step.text), style),), lead=lead, hang=(("    ", ""),)))
    return Drawn(lines, folds=folds)


def _many_words(entry: Edits | GitMove) -> str:
    return move_words(entry) if isinstance(entry, GitMove) else edits_words(entry)


def _many(entry: Edits | GitMove, *, unfolded: bool) -> Drawn:
    """What happened to many files at once: a line, and the files where it is unfolded."""
    pieces = [(clean(_many_words(entry)), "dim")]
    if entry.paths:
        pieces.append(_fold_sign(unfolded=unfolded))
    lines = [Line(pieces, lead=(("⎇ " if isinstance(entry, GitMove) else "✎ ", "primary"),))]
    if unfolded:
        lines += [Line(((clean(path), ""),), lead=(("  ", ""),)) for path in entry.paths]
        if left := entry.count - len(entry.paths):
            lines.append(Line(((f"⋯ {left:,} more", "faint"),), lead=(("  ", ""),)))
    return Drawn(_cut(lines), folds=bool(entry.paths))


def _edit(edit: Edit, *, unfolded: bool) -> Drawn:
    source = [line for line in edit.diff.split("\n") if not line.startswith(("+++", "---"))]
    added = sum(line.startswith("+") for line in source)
    removed = sum(line.startswith("-") for line in source)
    pieces = [(f"{who(edit.by)} {edit.kind} ", "dim"), (clean(edit.path), "strong")]
    folds = bool(added or removed)
    if folds:
        pieces += [(f"  +{added}", "good"), (f" -{removed}", "bad"), _fold_sign(unfolded=unfolded)]
    lines = [Line(pieces, lead=(("✎ ", "primary"),))]
    if unfolded and folds:
        base = {"+": "add-row", "-": "del-row"}
        while source and not source[-1]:
            source.pop()
        lines += [
            Line(
                ((clean(line), "faint" if line.startswith("@@") else ""),),
                lead=(("  ", ""),),
                base=base.get(line[:1], ""),
            )
            for line in source
        ]
    return Drawn(_cut(lines), folds=folds)


def _ran(ran: Ran, *, unfolded: bool) -> Drawn:
    sign, style = ("◌", "accent") if ran.code is None else ("✓", "good") if not ran.code else ("✗", "bad")
    ended = "running" if ran.code is None else ran.killed or f"exit status {ran.code}"
    took = f", {ran.seconds:.1f} s" if ran.code is not None and ran.seconds >= 0.1 else ""
    source = output_lines(ran.output) if ran.output.strip() else []
    folds = len(source) > _OUTPUT_LINES + 1
    head = [(clean(ran.line), "code"), (f"  {clean(ended)}{took}", "faint")]
    if folds:
        head.append(_fold_sign(unfolded=unfolded))
    elif ran.code is not None and not source:
        head.append(("  no output", "faint"))
    lines = [Line(head, lead=((f"{sign} ", style),))]
    if folds and not unfolded:
        # What a command says last is what it comes to.
        lines.append(_more(len(source) - _OUTPUT_LINES, lead=_BAR))
        source = source[-_OUTPUT_LINES:]
    lines += [Line(pieces, lead=_BAR, hang=_BAR) for pieces in source]
    return Drawn(_cut(lines), folds=folds)


def _notice(notice: Notice, *, unfolded: bool) -> Drawn:
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
    hints = [line for line in notice.hint.split("\n") if line.strip()]
    # The head of the notice may be the first line of what it points to.
    if hints and notice.text.endswith(hints[0].strip()):
        hints = hints[1:]
    # The evidence for a verdict is the checks pane's business, and a lesson the memory's, unless asked for here.
    shown = 0 if notice.about in _QUIET else _HINT_LINES
    folds = len(hints) > shown + bool(shown)
    pieces = [(clean(first), text_style)]
    if notice.doubt == "stale" and notice.about == "verdict":
        pieces.append(("  stale", "warn"))
    if folds:
        pieces.append(_fold_sign(unfolded=unfolded))
    lines = [Line(pieces, lead=((f"{sign} ", style),))]
    lines += [Line(((clean(line), text_style),), lead=(("  ", ""),)) for line in more if line.strip()]
    visible = hints[:shown] if folds and not unfolded else hints
    lines += [Line(((clean(line), "dim"),), lead=(("  ", ""),)) for line in visible]
    if visible and len(visible) < len(hints):
        lines.append(_more(len(hints) - len(visible)))
    return Drawn(_cut(lines), folds=folds)


def copied(text: str, which: str = "") -> str:
    """What is said of a text that was copied."""
    return f"Copied {count_lines(text)}{which}."
