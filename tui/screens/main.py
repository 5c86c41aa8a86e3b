"""The main screen: panes, prompt and bars, and how they are laid out. It draws; it decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.dom import DOMNode
from textual.geometry import Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import TextArea

from agent_core.state import RetryState, State
from tui.actions import BY_ID, bind, key_for
from tui.actions.model import Focus, Situation, Target
from tui.panes.chat import ChatPane
from tui.panes.checks import ChecksPane
from tui.panes.diff import DiffPane
from tui.panes.pane import Pane
from tui.prompt.titles import title_for
from tui.screens.arrangement import Arrangement
from tui.screens.asking import OFFER_LETTERS, asked
from tui.screens.grace import TOO_EARLY, Grace
from tui.screens.news import PANES, News
from tui.settings import Settings
from tui.widgets.bars import KeyBar, Question, TabBar
from tui.widgets.completion import Completion
from tui.widgets.prompt import Prompt
from tui.widgets.prompt_strip import PromptStrip
from tui.widgets.search import SearchView
from tui.widgets.status import StatusBar
from tui.widgets.writing import Writing

if TYPE_CHECKING:
    from tui.widgets.small import TooSmall

LEAST = Size(40, 10)
"""The smallest terminal in which the prompt, a question and the most needed keys are to be seen."""
_FLASH = 3.0


class MainScreen(Screen[None]):
    """Three panes, a prompt, and the bars.

    Args:
        clock: Gives seconds; monotonic.
        answer: Asked whether what is sent from the prompt answers a question; see `Prompt`.
        draft: What stands in the prompt at first.
        settings: What the screen is set to.
    """

    AUTO_FOCUS = "Prompt"
    # Who gets the focus and who loses it is drawn anew; Textual would have the whole screen drawn, each time.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(
        self,
        clock: Callable[[], float],
        answer: Callable[[str], bool],
        draft: str = "",
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self._clock = clock
        self.tabs = TabBar()
        self.chat = ChatPane(drafted=bool(draft))
        settings = settings or Settings()
        self.diff = DiffPane(settings)
        self.checks = ChecksPane(clock)
        self.question = Question()
        self.prompt = Prompt(answer, draft)
        self.status = StatusBar()
        self.keys = KeyBar()
        bind(self.chat, "chat", "panes")
        bind(self.diff, "diff", "panes")
        bind(self.checks, "checks", "panes")
        bind(self.prompt, "prompt")
        self.panes = Arrangement((self.chat, self.diff, self.checks), settings)
        self.state = State()
        self.is_open = False
        self.is_over = False
        """There was a session, or should have been one, and there will be none any more."""
        self.offer = ""
        """What is said of an earlier session that is offered for resuming; empty when none is."""
        self.begun_before = False
        """What stands in the prompt was begun before the partner asked what it asks now."""
        self._news = News()
        self._phase_since = clock()
        self._retry: RetryState | None = None
        self._retry_since = 0.0
        self._grace = Grace(clock)
        self._flash = ""
        self._flash_until = 0.0
        self._round: tuple[str, ...] = PANES
        self._timer: Timer | None = None
        self._small: TooSmall | None = None

    def compose(self) -> ComposeResult:
        """Its widgets, from top to bottom."""
        yield self.tabs
        yield self.panes
        yield self.question
        yield self.prompt.strip
        yield self.prompt.popup
        yield self.prompt
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Focus the prompt and draw the bars."""
        self.prompt.focus()
        self.set_class(self.panes.shows_one, "-one")
        self._timer = self.set_interval(1.0, self._tick, pause=True)
        self.draw_bars()

    @property
    def clock(self) -> Callable[[], float]:
        """Gives seconds; monotonic."""
        return self._clock

    @property
    def front(self) -> str:
        """Name of the pane in front."""
        return self.panes.front

    @property
    def pane(self) -> Pane:
        """The pane in front: the one shown where only one is, and the one the prompt's page keys scroll."""
        return self.panes.pane

    @property
    def focus_name(self) -> Focus:
        """Where the keys go."""
        if isinstance(self.focused, Pane) and self.focused.searching:
            return "search"
        if isinstance(self.focused, Writing):
            return self.focused.kind
        if self.focused is self.prompt and self.prompt.choosing:
            return "popup"
        found: dict[str | None, Focus] = {"chat": "chat", "diff": "diff", "checks": "checks"}
        return found.get(self.focused.id, "prompt") if isinstance(self.focused, Pane) else "prompt"

    def part(self, name: Target) -> DOMNode:
        """The widget whose actions go by a name; the screen itself for ``main``."""
        parts: dict[Target, DOMNode] = {
            "chat": self.chat,
            "diff": self.diff,
            "checks": self.checks,
            "prompt": self.prompt,
            "panes": self.panes,
        }
        return parts.get(name, self)

    @property
    def situation(self) -> Situation:
        """What decides which actions apply."""
        return Situation(
            state=self.state,
            offered=bool(self.offer),
            reason=self.prompt.asks_reason,
            focus=self.focus_name,
            facts=self.diff.facts | self.checks.facts | self.chat.facts | self.panes.facts | self._own_facts(),
            open=self.is_open,
        )

    def _own_facts(self) -> frozenset[str]:
        return frozenset() if self.app.no_color else frozenset({"colours"})

    # -- Drawing

    def draw(self, state: State) -> None:
        """Draw what is true now; what has not changed costs next to nothing."""
        old, self.state = self.state, state
        if state.phase != old.phase:
            self._phase_since = self._clock()
        self._grace.meet(old, state)
        if (state.approval or state.question) and (state.approval, state.question) != (old.approval, old.question):
            self.begun_before = bool(self.prompt.text.strip())
        if self.prompt.asks_reason and state.waiting != old.waiting:
            self.prompt.leave_reason()
        self.prompt.show(state)
        self.chat.show(state)
        self.diff.show(state)
        self.checks.show(state)
        if self.panes.shows_one:
            if state.waiting and state.waiting != old.waiting:
                self.bring(PANES[1])
            elif len(state.tasks) > len(old.tasks):
                self.bring(PANES[0])
        self.draw_bars()

    def begin_anew(self) -> None:
        """Another session will be drawn: nothing of the one before stays."""
        self._news.forget()
        if self.prompt.asks_reason:
            self.prompt.leave_reason()
        self.draw(State())

    def draw_bars(self) -> None:
        """Draw everything but the panes."""
        if not self.is_mounted:
            return
        state, situation = self.state, self.situation
        self._draw_question(situation)
        self.tabs.show(self.front, self._news.signs(state, self.front))
        self.prompt.entitle(*title_for(state))
        now = self._clock()
        flash = self._flash if now < self._flash_until else ""
        width = self.size.width - 4
        if state.retry is not self._retry:
            self._retry, self._retry_since = state.retry, now
        self.status.show(
            state,
            now - self._phase_since,
            flash,
            width=width,
            session=self._session_words(),
            waited=now - self._retry_since,
        )
        self.keys.show(situation, self.size.width)
        if self._timer is not None:
            busy = state.phase not in {"idle", "deciding", "approving"} or self.checks.runs
            (self._timer.resume if busy or flash else self._timer.pause)()

    def _draw_question(self, situation: Situation) -> None:
        question = asked(situation, self.offer)
        if question is None:
            self.question.clear()
            return
        # An offer is answered from within the prompt too: by a letter that is sent, as a sentence may begin with it.
        letters = bool(self.offer) and situation.in_prompt and self.prompt.text.lower() in {"", *OFFER_LETTERS.values()}
        keys, options = question.answers_in(situation, letters=letters), question.options_in(situation)
        scroll = key_for(BY_ID["scroll_down"], "prompt")
        self.question.ask(
            question.kind, question.text, keys, self.size, body=question.body, options=options, scroll=scroll
        )

    def _session_words(self) -> str:
        """What stands in the place of the phase while there is no session."""
        if self.is_open:
            return ""
        return "no session" if self.is_over else "opening"

    def _tick(self) -> None:
        self.checks.tick()
        self.draw_bars()

    def flash(self, text: str) -> None:
        """Say something in the status line for a moment."""
        self._flash = text
        self._flash_until = self._clock() + _FLASH
        self.draw_bars()

    # -- Questions

    def too_early(self, *, landing: bool = False) -> bool:
        """Whether what is asked has only just appeared; says so when it has.

        Args:
            landing: It is about landing what is taken, of which it may just have turned out that it is bad.
        """
        if not self._grace.is_new(landing=landing):
            return False
        self._grace.refused()
        self.flash(TOO_EARLY)
        return True

    def insists(self, action: str, meaning: str) -> bool:
        """Whether an action was asked for a moment ago already, on the same question; says what it means when not.

        Args:
            action: Its id.
            meaning: Goes on after "esc again ...".

        Returns:
            True the second time.
        """
        if self._grace.insists(action, self.state.waiting):
            return True
        self.flash(f"{key_for(BY_ID[action], self.focus_name)} again {meaning}.")
        return False

    def begin_question(self) -> None:
        """Something is asked that came by itself: for a moment no key answers it."""
        self._grace.begin()

    def offer_session(self, offer: str) -> None:
        """Ask whether to resume, or (with an empty text) stop asking."""
        self.offer = offer
        if offer:
            self.begin_question()
        self.draw_bars()

    # -- Looking

    def bring(self, name: str) -> None:
        """Bring a pane to the front; the focus moves only if the pane it is in is hidden by that."""
        had_focus = self.panes.shows_one and isinstance(self.focused, Pane)
        self.panes.bring(name)
        if had_focus and self.focused is not self.pane:
            self.focus_front()
        self.draw_bars()

    def focus_front(self) -> None:
        """Focus the pane in front."""
        # A pane that was hidden can take the focus only when its new style has been applied.
        pane = self.pane
        if self.panes.shows_one:
            self.call_after_refresh(pane.focus)
        else:
            pane.focus()

    def go_to(self, name: str) -> None:
        """Show a pane, and focus it unless it has only to be uncovered for somebody who is writing."""
        uncovered = self.situation.in_prompt and self.panes.shows_one and self.front != name
        self.bring(name)
        if not uncovered:
            self.focus_front()

    def cycle(self, step: int) -> None:
        """Move the focus round: prompt, chat, diff, checks; where one pane is shown, from the prompt into that one."""
        if step > 0 and self.focused is self.prompt and self.prompt.end_file():
            return  # whoever goes on writing behind a file's name does not mean the keys of a pane
        here = self.focused.id if isinstance(self.focused, Pane) else None
        if here is None or not self.panes.shows_one:
            first = PANES.index(self.front) + (step < 0) if self.panes.shows_one else 0
            self._round = (*PANES[first:], *PANES[:first])
        stops = ("prompt", *self._round)
        at = stops.index(here) if here is not None else 0
        name = stops[(at + step) % len(stops)]
        if name == "prompt":
            self.prompt.focus()
        else:
            self.bring(name)
            self.focus_front()

    @on(events.DescendantFocus)
    def focus_moved(self) -> None:
        """Other keys act now; and a pane that is clicked comes to the front."""
        if isinstance(self.focused, Pane) and self.focused.id:
            self.panes.bring(self.focused.id)
        self.draw_bars()

    @on(Completion.Clicked)
    @on(PromptStrip.Clicked)
    def over_the_prompt(self, clicked: Completion.Clicked | PromptStrip.Clicked) -> None:
        """Something that belongs to the prompt was clicked."""
        self.prompt.clicked(clicked)

    @on(Prompt.Says)
    def prompt_says(self, said: Prompt.Says) -> None:
        """The prompt has a word for the human."""
        self.flash(said.text)

    @on(SearchView.Changed)
    @on(Prompt.Choosing)
    def keys_changed(self) -> None:
        """A search, or a list over the prompt, was opened or closed: other keys act."""
        self.draw_bars()

    def action_search(self) -> None:
        """Search in the pane that has the focus."""
        self.pane.open_search()

    def action_search_next(self) -> None:
        """On to the next place that was found."""
        self.pane.next_hit()

    def action_search_previous(self) -> None:
        """Back to the place that was found before."""
        self.pane.next_hit(-1)

    def action_search_close(self) -> None:
        """End the search."""
        self.pane.close_search()

    @on(TextArea.Changed)
    def text_changed(self) -> None:
        """Letters answer an offer only while the prompt is empty."""
        if self.offer:
            self.draw_bars()

    def on_resize(self) -> None:
        """Room for more or less."""
        self.panes.fit(self.size.width)
        self._tell_size()
        self._rearranged()

    def _tell_size(self) -> None:
        """Say that the terminal is too small, where it is; what says so is there from the first time on."""
        if self._small is None:
            if self.size.width >= LEAST.width and self.size.height >= LEAST.height:
                return
            from tui.widgets.small import TooSmall  # noqa: PLC0415 - hardly ever needed

            self._small = TooSmall(LEAST)
            self.mount(self._small)
        self._small.fit(self.size)

    @on(Arrangement.Changed)
    def _rearranged(self) -> None:
        self.set_class(self.panes.shows_one, "-one")
        if isinstance(self.focused, Pane) and self.panes.shows_one and self.focused is not self.pane:
            self.focus_front()
        self.draw_bars()
