"""A real session, running: the engine on a real project, driven by commands, watched by events."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from agent_core import events as ev
from agent_core.build import Engine
from agent_core.commands import AnyCommand, Quit
from agent_core.fold import replay
from agent_core.journal import SqliteJournal
from agent_core.places import project_state
from agent_core.session import Session
from agent_core.state import State

Kind = TypeVar("Kind", bound=ev.Event)
_PATIENCE = 110.0


class Running:
    """A session under way.

    Args:
        session: The session; `run` is awaited elsewhere.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.events: list[ev.AnyEvent] = []
        self._news = asyncio.Event()
        session.subscribe(self._listen)

    def _listen(self, entry: ev.Entry, _state: State) -> None:
        self.events.append(entry.event)
        self._news.set()

    @property
    def state(self) -> State:
        """What is true now."""
        return self.session.state

    def submit(self, command: AnyCommand) -> None:
        """Want something."""
        self.session.submit(command)

    async def until(self, true: Callable[[State], bool]) -> State:
        """Wait until something is true of the state."""
        async with asyncio.timeout(_PATIENCE):
            while not true(self.state):
                self._news.clear()
                await self._news.wait()
        return self.state

    async def seen(self, kind: type[Kind], count: int = 1) -> Kind:
        """Wait for an event of a kind (the count-th since the session was opened here)."""
        await self.until(lambda _: len(self.all(kind)) >= count)
        return self.all(kind)[count - 1]

    async def judged(self, count: int = 1) -> ev.VerdictReached:
        """Wait for a complete verdict (the count-th since the session was opened here)."""
        await self.until(lambda _: len(self._complete()) >= count)
        return self._complete()[count - 1]

    def _complete(self) -> list[ev.VerdictReached]:
        return [event for event in self.all(ev.VerdictReached) if event.verdict.complete]

    def all(self, kind: type[Kind]) -> list[Kind]:
        """Every event of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]


def stored(project: Path, session: str) -> State:
    """What a session's events in the journal come to."""
    journal = SqliteJournal(project_state(project) / "journal.db")
    try:
        return replay(journal.entries(session))
    finally:
        journal.close()


def flags(mode: str = "step", *, off: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """Settings for a test: a mode, and checks that are off."""
    return {"loop": {"mode": mode}, "checks": {"off": list(off)}, **more}


@asynccontextmanager
async def running(
    project: Path,
    settings: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    *,
    resume: str | None = None,
    watch: bool = False,
) -> AsyncIterator[Running]:
    """Open a session on a project, run it, and end it in an orderly way."""
    # What is found beside the partner would be in every test that has one, and in its time.
    settings = {"repair": {"beside": False}, **settings}
    engine = Engine(project, settings, {**os.environ, **(environ or {})}, watch=watch)
    session = await engine.open(resume)
    here = Running(session)
    async with asyncio.TaskGroup() as group:
        group.create_task(session.run())
        try:
            yield here
        finally:
            here.submit(Quit())


def server_settings(base_url: str, api: str) -> dict[str, Any]:
    """The partner settings for a test server."""
    return {"partner": {"base_url": base_url, "api": api, "model": "test-model", "max_retries": 1, "timeout": 20.0}}
