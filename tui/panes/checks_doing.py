"""A cursor over the check log, what folds in it, and what can be done with a finding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from textual import events
from textual.strip import Strip

from agent_core.state import State
from agent_core.text import cap_text
from tui.panes.checks_line import Row
from tui.panes.pane import Pane, told
from tui.prompt.chips import quoted
from tui.prompt.offers import finding_choices
from tui.widgets.lines import BLANK, Line, palette_of

_REFERENCE = 1_500
"""Most tokens of a finding that go to the partner by one key."""
_NAMED = 20
_DEPTH = 4
"""How deep what folds is within what folds."""
_SIGN_CELLS = 10
"""A click within so many cells of the left edge of what folds is meant for its sign."""


class Pointing(Pane):
    """A pane of rows with a cursor."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.state = State()
        self.rows: Sequence[Row] = []
        self.folds: frozenset[str] = frozenset()
        """Keys of what is not as it is by default."""
        self._at = 0

    # -- Rows

    def opened(self, key: str, *, default: bool = False) -> bool:
        """Whether something is unfolded."""
        return default != (key in self.folds)

    def forget_folds(self) -> None:
        """There are other findings: only what was said of whole groups still holds."""
        self.folds = frozenset(key for key in self.folds if "/" not in key and ":" not in key)

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows; only lines that are others are drawn, and the cursor stays at what it is on."""
        name, offset = self._named()
        old, self.rows = self.rows, rows
        keep = 0
        if len(old) == len(rows):
            for index, (one, other) in enumerate(zip(old, rows, strict=True)):
                if not _alike(one.line, other.line):
                    self.replace_line(index, other.line)
        else:
            while keep < min(len(old), len(rows)) and _alike(old[keep].line, rows[keep].line):
                keep += 1
            self.set_lines([row.line for row in rows[keep:]], keep)
        if name:
            first = next((at for at, row in enumerate(rows) if row.key == name), None)
            self._at = self._at if first is None else first + offset
        self._at = self._stop_near(self._at)

    def _stop_near(self, index: int) -> int:
        """The nearest row that the cursor can be on, from one on downwards."""
        index = max(min(index, len(self.rows) - 1), 0)
        return next((at for at in range(index, len(self.rows)) if self.rows[at].key), index)

    def _named(self) -> tuple[str, int]:
        """What the cursor is on: its key, and how many rows below the first one of that."""
        row = self.row
        if row is None or not row.key:
            return "", 0
        first = next(at for at, one in enumerate(self.rows) if one.key == row.key)
        return row.key, self._at - first

    @property
    def row(self) -> Row | None:
        """The row of the cursor."""
        return self.rows[self._at] if self._at < len(self.rows) else None

    @property
    def facts(self) -> frozenset[str]:
        """What it says of itself for `tui.actions.model.Situation`."""
        return frozenset({"checks.rows"}) if self.rows else frozenset()

    def draw_again(self) -> None:
        """Something was folded or unfolded."""

    # -- The cursor

    def point_at(self, index: int) -> None:
        """Put the cursor on a row and have it seen."""
        self._at = self._stop_near(index)
        self.refresh()
        if len(self._starts) > len(self._lines) > self._at:
            top, bottom = self._starts[self._at], self._starts[self._at + 1]
            y, height = round(self.scroll_y), self.size.height
            if top < y + 1:
                self.scroll_to(y=max(top - 1, 0), animate=False, force=True)
            elif bottom + 1 > y + height:
                self.scroll_to(y=min(bottom + 1 - height, top), animate=False, force=True)

    def found(self, index: int) -> None:
        """The search has come to a line: the cursor goes along."""
        self.point_at(index)

    def marks_of(self) -> Sequence[int]:
        """The rows that jump mode leads to: checks, groups and findings."""
        seen: set[str] = set()
        heads = []
        for index, row in enumerate(self.rows):
            if (row.folds or row.finding is not None) and row.key not in seen:
                seen.add(row.key)
                heads.append(index)
        return heads

    def _move(self, step: int, *, only: Sequence[int] | None = None) -> None:
        stops = only if only is not None else [at for at, row in enumerate(self.rows) if row.key]
        if not stops:
            return
        if only is None and not self._is_seen(self._at):
            # Somebody has scrolled away: the cursor comes to where they are.
            seen = [at for at in stops if self._is_seen(at)]
            if seen:
                self.point_at(seen[0] if step > 0 else seen[-1])
                return
        further = [at for at in stops if (at > self._at if step > 0 else at < self._at)]
        if further:
            self.point_at(further[0] if step > 0 else further[-1])
        elif only is None:
            (self.scroll_end if step > 0 else self.scroll_home)(animate=False, force=True)

    def _is_seen(self, index: int) -> bool:
        if len(self._starts) <= index + 1:
            return True
        y = round(self.scroll_y)
        return self._starts[index] < y + self.size.height and self._starts[index + 1] > y

    def action_log_up(self) -> None:
        """Up a line."""
        self._move(-1)

    def action_log_down(self) -> None:
        """Down a line."""
        self._move(1)

    def action_finding_after(self) -> None:
        """To the next check, group or finding."""
        self._move(1, only=self.marks_of())

    def action_finding_before(self) -> None:
        """To the one before."""
        self._move(-1, only=self.marks_of())

    def render_line(self, y: int) -> Strip:
        """Draw one row, the cursor's so that it stands out."""
        strip = super().render_line(y)
        at = self.scroll_offset.y + y
        if not self.has_focus or (self.searching and y == self.size.height - 1):
            return strip
        if not self.rows or len(self._starts) <= 1 or at >= self._starts[-1] or self._line_at(at)[0] != self._at:
            return strip
        lit = palette_of(self.app)["cursor-row"]
        return Strip([segment._replace(style=(segment.style or lit) + lit) for segment in strip], strip.cell_length)

    # -- Folding

    def _turn(self, key: str) -> None:
        self.folds ^= {key}
        self.draw_again()

    def _folding(self) -> Row | None:
        """What the cursor's row folds: itself, or what it belongs to."""
        row = self.row
        if row is None or row.folds:
            return row
        return next((one for one in self.rows if one.key in {row.key, row.parent} and one.folds and one.key), None)

    def _is_open(self, row: Row) -> bool:
        return "▾" in row.line.whole[:_SIGN_CELLS] or (row.key.startswith("check:") and row.key in self.folds)

    def action_log_toggle(self) -> None:
        """Fold or unfold what the cursor is on."""
        row = self._folding()
        if row is not None:
            self._turn(row.key)
            self._point_at_key(row.key)

    def action_log_unfold(self) -> None:
        """Unfold it, or go into it."""
        row = self.row
        if row is not None and row.folds and not self._is_open(row):
            self._turn(row.key)
        else:
            self._move(1)

    def action_log_fold(self) -> None:
        """Fold it, or go to what it is in."""
        row = self.row
        if row is None:
            return
        if row.folds and self._is_open(row):
            self._turn(row.key)
        elif row.parent:
            self._point_at_key(row.parent)

    def action_log_toggle_all(self) -> None:
        """Unfold all there is, or fold all of it again."""
        folded = [row.key for row in self.rows if row.folds and not self._is_open(row)]
        if folded:
            for _ in range(_DEPTH):  # what is unfolded has more in it that folds
                self.folds ^= frozenset(folded)
                self.draw_again()
                folded = [row.key for row in self.rows if row.folds and not self._is_open(row)]
        else:
            self.folds = frozenset()
            self.draw_again()

    def _point_at_key(self, key: str) -> None:
        at = next((at for at, row in enumerate(self.rows) if row.key == key), None)
        if at is not None:
            self.point_at(at)

    def on_click(self, event: events.Click) -> None:
        """What folds is turned by a click; any other row gets the cursor, and a second click goes there."""
        offset = event.get_content_offset(self)
        if offset is None or "@click" in event.style.meta or not self.rows or len(self._starts) <= 1:
            return
        row = self.scroll_offset.y + offset.y
        if row >= self._starts[-1]:
            return
        index = self._line_at(row)[0]
        again = index == self._at and event.chain > 1
        self.point_at(index)
        here = self.rows[index]
        if here.folds and (offset.x < _SIGN_CELLS or here.finding is None):
            self._turn(here.key)
        elif again:
            self.action_log_go()

    # -- What can be done with a finding

    def action_log_go(self) -> None:
        """To the place in the diff; what leads nowhere is folded or unfolded."""
        row = self.row
        if row is None:
            return
        if not row.path:
            self.action_log_toggle()
        elif not self.desk.show_in_diff(row.path, row.at):
            self.desk.say(f"{row.path} is not in the diff: o opens it in your editor.")

    def action_log_edit(self) -> None:
        """Open the file in the human's editor, at the line."""
        row = self.row
        if row is None or not row.path:
            self.desk.say("This line names no file.")
            return
        root = Path(self.state.project)
        path = root / row.path
        if not path.resolve().is_relative_to(root.resolve()):
            self.desk.say(f"{row.path} is not in the project.")
        elif not path.is_file():
            self.desk.say(f"{row.path} is not among your files; if the proposal has it, enter shows it.")
        else:
            opens = told(self, self._edit(path, row.at), "The editor did not work")
            self.run_worker(opens, exclusive=True, group="editor", exit_on_error=False)

    async def _edit(self, path: Path, line: int) -> None:
        from tui.editor import EditorError, open_file  # noqa: PLC0415 - not needed to paint

        try:
            await open_file(self.app, path, line=line)
        except EditorError as error:
            self.desk.complain(error)

    def action_log_refer(self) -> None:
        """Put what the cursor is on into the prompt, for the partner."""
        label, text = self._reference()
        if text:
            self.desk.refer(label, cap_text(text, _REFERENCE))
        else:
            self.desk.say("There is no finding here to tell of.")

    def action_log_copy(self) -> None:
        """Copy what the cursor is on."""
        row = self.row
        _, text = self._reference()
        if row is not None and (text or row.line.text.strip()):
            self.app.copy_to_clipboard(text or row.line.text.strip())
            self.desk.say("Copied.")

    def _reference(self) -> tuple[str, str]:
        """What the cursor is on in words for somebody else, with a name; empty where it is on nothing of that kind."""
        row = self.row
        if row is None:
            return "", ""
        if row.finding is not None:
            choice = finding_choices([row.finding], "")[0]
            if len(row.alike) < 2:
                return choice.chip, choice.text
            names = [f"  {one.code or one.place}" for one in row.alike[:_NAMED]]
            names += [f"  and {len(row.alike) - _NAMED} more"] if len(row.alike) > _NAMED else []
            head = "\n".join((f"{len(row.alike)} findings with one cause:", *names))
            return f"{choice.chip} and {len(row.alike) - 1} more", f"{head}\n\n{choice.text}"
        if row.key.startswith("check:"):
            name = row.key.removeprefix("check:")
            found = (one.result for one in self.state.checks if one.check == name and one.where == "candidate")
            result = next(found, None)
            if result is not None and result.output.strip():
                return f"output of {name}", quoted(f"{name} could not judge: {result.summary}", result.output)
        return "", ""


def _alike(one: Line, other: Line) -> bool:
    """Whether two lines are drawn in the same way."""
    return one is other or (
        (one.text, one.lead, one.right, one.base) == (other.text, other.lead, other.right, other.base)
        and one.spans == other.spans
        and (one is BLANK) == (other is BLANK)
    )
