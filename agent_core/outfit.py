"""What a session is given: everything that can be swapped or is made outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass

from agent_core.checks.choosing import Choosing
from agent_core.config_tables import Config
from agent_core.extras import Extras
from agent_core.journal import SqliteJournal
from agent_core.last_seen import LastSeen
from agent_core.memory.lesson_book import LessonBook
from agent_core.partners.beginning import Beginning
from agent_core.permission_book import PermissionBook
from agent_core.protocols import Check, Model, Workspace
from agent_core.repair.desk import Desk
from agent_core.tools.base import ToolSource
from agent_core.workspace.landing import Lander
from agent_core.workspace.watcher import Watcher

Unsaved = Callable[[Collection[str]], Awaitable[tuple[str, ...]]]
"""Says in which of these files an editor has changes that are not saved."""


@dataclass(frozen=True)
class Outfit:
    """What a session is given: everything that can be swapped or is made outside.

    Attributes:
        config: The settings.
        workspace: The project.
        model: The partner.
        partners: How others are chosen in its place; None where nobody else can be.
        checks: Who judges.
        choosing: Chooses them anew when a file changes that says which there are; None where they stay the same.
        mask: Takes secrets out of what is shown, or told to the partner, of the human's files.
        journal: The project's journal.
        lander: Writes to the working tree.
        watcher: Makes the watcher, given where its notes go; None to look only before each step.
        warm: Gets the partner's library ready in the background; None when there is nothing to get ready.
        isolated: Commands are shut in, and cannot write to the working tree.
        seen: Keeps what the session saw last for when it goes on; None to keep nothing.
        lessons: Where lessons over sessions are kept; None where none are wanted.
        extras: MCP servers, skills and commands of the human's own, for what is to be told of them.
        sources: Where tools come from beside the built-in ones.
        unsaved: Asked before anything is written; None where no editor is known.
        permissions: The rules that are kept for the project; None where none can be.
        recovered: What was found and mended of landings cut short, for the human.
        desk: Where the partner asks for repairs that are found without a model; None where it asks for none.
    """

    config: Config
    workspace: Workspace
    model: Model
    checks: tuple[Check, ...]
    journal: SqliteJournal
    lander: Lander
    watcher: Callable[[Callable[[str], None]], Watcher] | None
    warm: Callable[[], Coroutine[None, None, None]] | None = None
    recovered: tuple[str, ...] = ()
    choosing: Choosing | None = None
    mask: Callable[[str], str] = str
    isolated: bool = True
    seen: LastSeen | None = None
    lessons: LessonBook | None = None
    sources: tuple[ToolSource, ...] = ()
    extras: Extras | None = None
    partners: Beginning | None = None
    permissions: PermissionBook | None = None
    unsaved: Unsaved | None = None
    desk: Desk | None = None
