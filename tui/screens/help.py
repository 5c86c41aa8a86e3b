"""The help: every action with its keys, those of the focused pane first, and what the signs mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen

from tui.actions import ACTIONS, PLACES, in_force
from tui.actions.keys import key_name
from tui.actions.model import Action, Focus, Place
from tui.panes.diff_signs import SIGNS as BLOCK_SIGNS
from tui.widgets.lines import BLANK, Line
from tui.widgets.search import SearchView

_FAR: tuple[Place, ...] = ("prompt", "everywhere")
_HERE: dict[Focus, str] = {
    "chat": "In the chat",
    "diff": "In the diff",
    "checks": "In the checks",
    "prompt": "In the prompt",
}
_LEAST, _MOST = 12, 20
_SIGNS = (
    ("✓", "good", "green: passed, landed, done"),
    ("✗", "bad", "red: failed, broken, refused"),
    ("◌", "accent", "under way, or well so far: not the last word"),
    ("~", "warn", "flaky: failed and passed when run again, and is not held against the patch"),
    ("?", "warn", "a check that did not judge: never a pass"),
    ("●", "warn", "was red before and is what the task is about"),
    ("·", "dim", "was red before too, and is no fault of the patch"),
    ("▸", "faint", "folded: there is more behind it"),
    ("◆", "accent", "a proposal: nothing of it is in your files yet"),
    ("⤓", "good", "a landing: written to your files, can be undone"),
    ("✎", "primary", "you changed a file yourself; the partner is told"),
    ("⎇", "primary", "git changed files or where it stands; the partner is told"),
    ("★", "accent", "something is remembered, or the conversation was summed up"),
    ("!", "warn", "worth knowing"),
    ("↪", "faint", "a long line goes on"),
    ("⋯", "faint", "left out here"),
)


_MARKS = (
    ("AI!", "at the beginning or end of a comment: a task, as soon as you save; the comment goes with the proposal"),
    ("AI?", "likewise: a question, answered in the chat"),
    ("AI", "likewise: told along with them, wherever in the project it stands"),
)


def _keys(action: Action) -> str:
    """The keys of an action, those that act in panes first."""
    places: list[Place] = [*(place for place in PLACES if place not in _FAR), *_FAR]
    found = (key for place in places for key in in_force(action).keys.get(place, ()))
    return " ".join(dict.fromkeys(key_name(key) for key in found))


def _action_line(action: Action, width: int) -> Line:
    lead = ((f"  {_keys(action):<{width}} ", "key"),)
    return Line(((f"{action.help} ", "text"), (action.id, "faint")), lead=lead, hang=((" " * (width + 3), ""),))


def help_lines(focus: Focus = "prompt") -> list[Line]:
    """What the help shows.

    Args:
        focus: Where the keys go: what acts only there comes first.
    """
    own = [action for action in ACTIONS if focus in in_force(action).keys]
    sections: list[tuple[str, list[Action]]] = [(_HERE[focus], own)] if own and focus in _HERE else []
    groups = dict.fromkeys(action.group for action in ACTIONS)
    sections += [(group, [one for one in ACTIONS if one.group == group and one not in own]) for group in groups]
    width = min(max(_LEAST, *(len(_keys(action)) for action in ACTIONS)), _MOST)
    lines: list[Line] = []
    for title, actions in sections:
        if actions:
            lines += [Line(((title, "heading"),)), BLANK, *(_action_line(one, width) for one in actions), BLANK]
    note = (
        "Letters and signs act while a pane has the focus, all other keys everywhere or in the prompt. "
        "Other keys can be given under [keys] in your configuration, by the name at the end."
    )
    lines += [Line(((note, "dim"),)), BLANK, Line((("In your editor", "heading"),)), BLANK]
    lines += [Line(((words, "text"),), lead=((f"  {mark:<5}", "key"),)) for mark, words in _MARKS]
    lines += [BLANK, Line((("Signs", "heading"),)), BLANK]
    lines += [Line(((words, "text"),), lead=((f"  {sign}   ", style),)) for sign, style, words in _SIGNS]
    lines += [BLANK, Line((("Signs of blocks in the diff", "heading"),)), BLANK]
    lines += [Line(((words, "text"),), lead=((f"  {sign}   ", style),)) for sign, style, words in BLOCK_SIGNS.values()]
    return lines


class HelpView(SearchView):
    """The help's text.

    Args:
        focus: Where the keys go on the screen below.
    """

    follow = False

    def __init__(self, focus: Focus) -> None:
        super().__init__()
        self._focus = focus

    def on_mount(self) -> None:
        """Fill it."""
        self.border_title = "help"
        self.border_subtitle = "/ searches, esc closes"
        self.set_lines(help_lines(self._focus))

    async def _on_key(self, event: events.Key) -> None:
        # The search's own keys are actions of the main screen, which is not in front here.
        own: dict[str, Callable[[], None]] = {
            "escape": self.close_search,
            "enter": self.next_hit,
            "down": self.next_hit,
            "up": lambda: self.next_hit(-1),
        }
        if self.searching and event.key in own:
            event.stop()
            event.prevent_default()
            own[event.key]()
        else:
            await super()._on_key(event)


class HelpScreen(ModalScreen[None]):
    """Lies over the panes until a key closes it.

    Args:
        focus: Where the keys go on the screen below: what acts there comes first.
    """

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpView { width: 100; max-width: 100%; height: 90%; border: round $primary; padding: 0 1;
        background: $background; }
    """
    BINDINGS: ClassVar = [
        *(Binding(key, "dismiss", show=False) for key in ("escape", "q", "f1", "question_mark")),
        Binding("slash", "search", show=False),
    ]

    def __init__(self, focus: Focus = "prompt") -> None:
        super().__init__()
        self._view = HelpView(focus)

    def compose(self) -> ComposeResult:
        """Its one widget."""
        yield self._view

    def action_search(self) -> None:
        """Search in it."""
        self._view.open_search()
