"""What the loop and its helpers work with, handed round as one value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from agent_core.config_tables import Config
from agent_core.conversation import Item
from agent_core.events import AnyEvent, ItemsAppended, SettingsTold
from agent_core.journal import SqliteJournal
from agent_core.permission_book import PermissionBook
from agent_core.places import project_state
from agent_core.protocols import Model, Workspace
from agent_core.state import State
from agent_core.symbols.service import Symbols
from agent_core.tools.base import ToolSource
from agent_core.waiting import Waits
from agent_core.workspace.tree import Snapshot


async def _nothing() -> tuple[Item, ...]:
    """Nobody remembers anything."""
    return ()


async def nobody() -> Model | None:
    """The partner is asked itself."""
    return None


async def _free() -> None:
    """Nothing limits what is spent, nor is anything waited for."""


_WINDOW_SHARE = 8
"""One text may take this part of the partner's window: a small one is else full before anything is done."""


class Emit(Protocol):
    """Adds an event to the session: journal first, then state, then whoever listens."""

    def __call__(self, event: AnyEvent, *, durable: bool = False) -> None:
        """Add an event; `durable` survives a power cut too."""


@dataclass(frozen=True)
class Parts:
    """The parts of one session.

    Attributes:
        session: The session's id.
        config: The settings.
        workspace: The project.
        model: The partner.
        other: Gives who is asked beside the conversation in its place, None for itself; raises `PairloopError` where
            the one that is configured for it cannot be used.
        journal: Where events and contents are kept.
        emit: Adds an event.
        state: Gives the state after the last event.
        look: Reports human edits, and gives the working tree as it is now.
        recall: Gives what the partner is to be told of earlier sessions before its next request.
        followed: Somebody looks on who can act beside pairloop.
        sources: Where tools come from beside the built-in ones.
        gate: Lets a request pass, or waits until the human allows more to be spent; raises `BudgetError`.
        permissions: The rules that are kept for the project; None where none can be.
        mask: Takes secrets out of what is shown, or told to the partner, of the human's files.
        waits: The wait before a request is sent again.
        partner_known: Waits a little until it is known how much the partner can read, where that is being asked.
    """

    session: str
    config: Config
    workspace: Workspace
    model: Model
    journal: SqliteJournal
    emit: Emit
    state: Callable[[], State]
    look: Callable[[], Awaitable[Snapshot]]
    recall: Callable[[], Awaitable[tuple[Item, ...]]] = _nothing
    followed: bool = True
    mask: Callable[[str], str] = str
    sources: tuple[ToolSource, ...] = ()
    other: Callable[[], Awaitable[Model | None]] = nobody
    permissions: PermissionBook | None = None
    gate: Callable[[], Awaitable[None]] = _free
    waits: Waits = field(default_factory=Waits)
    partner_known: Callable[[], Awaitable[None]] = _free

    def tell_partner(self) -> None:
        """Say who proposes, if more is known of that by now: the model's name, how much it can read."""
        state, info = self.state(), self.model.info
        if state.partner is not None and info != state.partner:
            self.emit(SettingsTold(info, state.mode, state.candidate, state.interpreter))

    @cached_property
    def symbols(self) -> Symbols:
        """What is known of the names in the project."""
        return Symbols(self.workspace.root, project_state(self.workspace.root))

    @property
    def map_tokens(self) -> int:
        """Budget for the map of the project, as `tool_tokens`; none for who can read little: it is led astray by it."""
        info = self.model.info
        return 0 if info.reads_little or info.looks_itself else self._within_window(self.config.tools.map_tokens)

    @property
    def tool_tokens(self) -> int:
        """Most tokens of one tool's output: as it is set, but no more than an eighth of what the partner can read."""
        return self._within_window(self.config.prompt.tool_tokens)

    @property
    def project_tokens(self) -> int:
        """Budget for the project's documents, likewise."""
        return self._within_window(self.config.prompt.project_tokens)

    def _within_window(self, tokens: int) -> int:
        window = self.model.info.window
        return min(tokens, window // _WINDOW_SHARE) if window else tokens

    def append(self, *items: Item) -> None:
        """Let the conversation grow."""
        if items:
            self.emit(ItemsAppended(items))
