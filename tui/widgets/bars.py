"""The bars above and below the prompt: tabs, a question, the keys."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size

from tui.actions import ACTIONS, applies, in_force, key_for
from tui.actions.model import Action, Focus, Situation
from tui.layout import WIDE
from tui.widgets.lines import Line, Piece, Rows, clean


class TabBar(Rows):
    """Names the three panes where only one is shown, and marks those with news."""

    def __init__(self) -> None:
        super().__init__(id="tabs")
        self._shown: tuple[object, ...] = ()
        self._names: list[str] = []

    def show(self, front: str, news: Sequence[tuple[str, str]]) -> None:
        """Draw it.

        Args:
            front: The pane that is shown.
            news: For each pane its name and the sign of its news.
        """
        if self._shown == (front, *news):
            return
        self._shown = (front, *news)
        self._names = [name for name, _ in news]
        pieces: list[Piece] = []
        for number, (name, sign) in enumerate(news, 1):
            style = "tab-on" if name == front else "tab"
            pieces += [(f" {number} {name} {sign or ' '} ", f"{style}@app.do('{name}')"), (" ", "")]
        self.set_lines([Line(pieces)])

    def cell_of(self, name: str) -> int:
        """Where the name of a pane begins."""
        return sum(len(other) + 7 for other in self._names[: self._names.index(name)]) if name in self._names else 0


_ALWAYS = ("palette", "help", "quit")
"""What has to be found whatever else there is; help and palette name all the rest."""


def _weight(action: Action, focus: Focus) -> int:
    """How far behind a key stands: what only the focused pane can do comes first, then what is to be decided."""
    if action.id in _ALWAYS:
        return 4 + _ALWAYS.index(action.id)
    if focus != "prompt" and focus in in_force(action).keys:
        return 0
    return {"Decide": 1, "Review": 1, "Talk": 2}.get(action.group, 3)


class KeyBar(Rows):
    """The keys that act now, for where the focus is; each can be clicked."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._shown: tuple[object, ...] = ()

    def show(self, situation: Situation, width: int) -> None:
        """Draw it: as many keys as there is room for, the most useful ones first.

        Its height depends on the width alone, so that nothing moves when the focus does.

        Args:
            situation: What decides which act.
            width: Cells there are.
        """
        focus = situation.focus
        shown = [
            (key, action.id, action.label_in(situation))
            for action in sorted(ACTIONS, key=lambda action: _weight(action, focus))
            if action.footer and applies(action.id, situation) and (key := key_for(action, focus))
        ]
        now = (width, *shown)
        if now == self._shown:
            return
        self._shown = now
        line = _keys_line(shown)
        rows = 1 if width >= WIDE else 2  # on a wide screen one row holds those that matter
        while len(line.rows(width)) > rows and len(shown) > len(_ALWAYS):
            least = max(at for at, (_, name, _) in enumerate(shown) if name not in _ALWAYS)
            del shown[least]
            line = _keys_line(shown)
        self.set_lines([line])


def _keys_line(shown: Sequence[tuple[str, str, str]]) -> Line:
    pieces: list[Piece] = []
    for key, name, label in shown:
        # A label must not be parted from its key where the bar wraps.
        text = label.replace(" ", "\u00a0")
        shown_key = key.replace(" ", "\u00a0")
        pieces += [(shown_key, f"key@app.do('{name}')"), (f"\u00a0{text}", f"dim@app.do('{name}')"), ("  ", "")]
    return Line(pieces, lead=((" ", ""),))


def _answers(keys: Sequence[tuple[str, str, str]]) -> list[Piece]:
    pieces: list[Piece] = []
    for key, label, action in keys:
        joined = label.replace(" ", "\u00a0")
        pieces += [(key, f"key@app.do('{action}')"), (f"\u00a0{joined}", f"text@app.do('{action}')"), ("   ", "")]
    return pieces


_LOW = 20
"""Rows of a terminal in which a question takes none for its keys."""
_MOST_ROWS = 10
"""Rows of a question that are seen at once."""


def _cells(pieces: Sequence[Piece]) -> int:
    return sum(len(text) for text, _ in pieces)


class Question(Rows):
    """A strip above the prompt that says what waits for the human's word."""

    DEFAULT_CSS = """
    Question { max-height: 10; overflow-y: auto; scrollbar-size-vertical: 1; display: none; }
    Question.-asks { display: block; }
    """

    def __init__(self) -> None:
        super().__init__(id="question")
        self._shown: tuple[object, ...] = ()
        self._cut = False

    def ask(
        self,
        kind: str,
        text: str,
        keys: Sequence[tuple[str, str, str]],
        size: Size,
        *,
        body: str = "",
        options: Sequence[tuple[str, str, str]] = (),
        scroll: str = "",
    ) -> None:
        """Show a question, and its keys behind it: without a fourth where there is no room for that.

        Where there is none for three they stand below it; not in a low terminal, whose line of keys has them too.

        Args:
            kind: ``good``, ``bad`` or empty; the colour.
            text: What is asked.
            keys: Key, label and action of each answer.
            size: Of the terminal.
            body: Verbatim text the question is about.
            options: Key, label and action of answers that have a row each; where all is more than is seen at once they
                stand before the body.
            scroll: The key that shows more of it.
        """
        width, low = size.width, size.height < _LOW
        now = (kind, text, tuple(keys), body, tuple(options), scroll, width, low)
        if now == self._shown:
            return
        self._shown = now
        base = f"ask-{kind}-row" if kind else "ask-row"
        sign, style = {"good": ("✓ ", "good"), "bad": ("✗ ", "bad"), "": ("? ", "accent")}[kind]
        answers: list[Piece] = []
        for some in (keys, keys[:3]):
            answers = _answers(some)
            if len(text) + _cells(answers) + 6 <= width:
                break
        else:
            answers = []
        lead = ((" ", ""), (sign, style))
        lines = [Line(((clean(text), "strong"), ("   ", ""), *answers), lead=lead, base=base)]
        if keys and not answers and not low:
            below = next((line for line in (_answers(keys), _answers(keys[:3])) if _cells(line) + 3 <= width), [])
            lines.append(Line(below, lead=(("   ", ""),), base=base))
        bar = ((" │ ", style),)
        about = [
            Line(((clean(row), "code"),), lead=bar, hang=bar, base=base, words=False)
            for row in body.rstrip("\n").split("\n")
            if body
        ]
        choices = []
        for key, label, action in options:
            pieces = ((key, f"key@app.do('{action}')"), (f" {clean(label)}", f"text@app.do('{action}')"))
            choices.append(Line(pieces, lead=(("   ", ""),), hang=(("     ", ""),), base=base))
        rows = sum(len(line.rows(width - 1)) for line in (*lines, *about, *choices))
        self._cut = rows > _MOST_ROWS
        if self._cut:
            # What is not seen must not be overlooked: the end of a command may be the worst of it.
            more = f"{rows + 1} rows, {scroll} shows the rest:" if scroll else f"{rows + 1} rows:"
            lines += [*choices, Line(((more, "warn"),), lead=(("   ", ""),), base=base), *about]
        else:
            lines += [*about, *choices]
        self.set_lines(lines)
        self.add_class("-asks")
        self.scroll_to(y=0, animate=False, force=True)

    @property
    def is_cut(self) -> bool:
        """Whether there is more of it than is seen at once."""
        return self._cut

    def _width(self) -> int:
        # The scrollbar comes after the lines are measured, and would hide their last column.
        return self.content_region.width - self._cut

    def clear(self) -> None:
        """Nothing is asked."""
        if self._shown:
            self._shown = ()
            self._cut = False
            self.remove_class("-asks")
            self.set_lines([])
