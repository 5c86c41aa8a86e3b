"""Repairs of a session's project, for whoever wants some; how the search gets on is told as events."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable

from agent_core import events as ev
from agent_core.checks.base_tree import Heard
from agent_core.checks.model import CheckResult, unheard
from agent_core.draft import Draft
from agent_core.judge import Judge
from agent_core.parts import Parts
from agent_core.repair.afresh import AGAIN, Afresh
from agent_core.repair.desk import Repairs
from agent_core.repair.model import Found, Progress, Wanted
from agent_core.state import State
from agent_core.view import DraftView
from agent_core.workspace.tree import Changes, Snapshot

_BETWEEN = 0.25  # seconds between two words on how it gets on
_LEFT = "I leave it for what you say."
Tree = Callable[[], Awaitable[tuple[Snapshot, Changes]]]


class Told:
    """Tells how a search gets on, at most four times a second.

    Args:
        emit: Takes the events.
        beside: It goes on beside a model.
    """

    def __init__(self, emit: Callable[[ev.AnyEvent], None], *, beside: bool) -> None:
        self._emit = emit
        self._beside = beside
        self._at = float("-inf")
        self._last = Progress("looking")

    @property
    def last(self) -> Progress:
        """The last word on it, told or not."""
        return self._last

    def __call__(self, progress: Progress) -> None:
        """Tell it, unless something was told just now and nothing has turned since."""
        news = (progress.stage, progress.found) != (self._last.stage, self._last.found)
        self._last = progress
        now = time.monotonic()
        if now - self._at < _BETWEEN and not news:
            return
        self._at = now
        self._emit(
            ev.RepairProgressed(
                self._beside,
                progress.stage,
                progress.tried,
                progress.total,
                progress.found,
                progress.trying,
                progress.seconds,
                progress.limit,
            )
        )


class Repairing:
    """Finds repairs of the project with the partner's draft in it; a `agent_core.repair.desk.Service`.

    Args:
        parts: The session's parts.
        judge: Knows what the checks say.
        draft: Gives the partner's draft; None where there is none.
        seen: Gives the working tree as it was last seen.
    """

    def __init__(
        self,
        parts: Parts,
        judge: Judge,
        draft: Callable[[], Draft | None],
        seen: Callable[[], Snapshot],
    ) -> None:
        self._parts = parts
        self._judge = judge
        self._draft = draft
        self._seen = seen
        self._finder: Repairs | None = None
        self._enough: asyncio.Event | None = None
        self._left = False
        self._afresh = Afresh(parts.look, lambda: parts.emit(ev.Noted("info", AGAIN)), told=parts.followed)

    def listen(self, entry: ev.Entry, _state: State) -> None:
        """Leave a search when the files are others than those it is about; it begins again."""
        if isinstance(entry.event, ev.Landed | ev.LandingTurned):
            self._afresh.leave()
        elif isinstance(entry.event, ev.MOVES):
            self._afresh.heard(self._seen())

    @property
    def files(self) -> DraftView:
        """The project's files with the partner's draft in them; see `agent_core.repair.desk.Service`."""
        return DraftView(self._parts.workspace, self._draft() or Draft(self._seen()))

    def original(self, path: str) -> bytes | None:
        """The bytes of a file of the working tree, without the draft; None where it is not there."""
        return self._parts.workspace.read(path)

    async def standing(self) -> tuple[CheckResult, ...]:
        """What the checks say of the project with the partner's draft in it.

        Raises:
            SandboxError: A candidate could not be made.
        """
        return await standing(self._judge, *await self._tree())

    async def find(self, wanted: Wanted, tell: Callable[[Progress], None], enough: asyncio.Event) -> Found:
        """Look for repairs, and tell of it; see `agent_core.repair.desk.Repairs`.

        Where the working tree becomes another one meanwhile, it begins again, over that one.
        """
        if self._finder is None:
            self._finder = await finder_of(self._parts, self._judge, self._tree_sought)
        emit, told = self._parts.emit, Told(self._parts.emit, beside=False)

        def heard(progress: Progress) -> None:
            told(progress)
            tell(progress)

        emit(ev.RepairSought(beside=False, what=what_words(wanted)))
        self._enough, self._left = enough, False
        found = Found(ended="stopped")
        try:
            found = await self._afresh.find(self._finder, wanted, heard, enough)
            if self._left:
                found = Found(word=_LEFT, tried=found.tried, seconds=found.seconds, ended="stopped")
        finally:
            self._enough = None
            tried, seconds = found.tried or told.last.tried, found.seconds or told.last.seconds
            emit(
                ev.RepairEnded(
                    beside=False,
                    found=len(found.repairs),
                    word=found.word,
                    tried=tried,
                    seconds=seconds,
                    ended=found.ended,
                )
            )
        return found

    def hurry(self) -> bool:
        """Have the search end soon, with what it has found so far; gives whether there is one."""
        if self._enough is None:
            return False
        if not self._enough.is_set():
            self._enough.set()
            self._parts.emit(ev.RepairHurried())
        return True

    async def heed(self, text: str) -> None:
        """Leave a search, with what it has found, for words that ask for another one or for its end.

        Any other words wait until it is over.

        Args:
            text: What the human says while it goes on.
        """
        enough = self._enough
        if enough is None:
            return
        # Nobody who never asks the built-in partner needs what reads its wishes.
        from agent_core.partners.offline.heard import stops  # noqa: PLC0415
        from agent_core.partners.offline.wishes import wish_of  # noqa: PLC0415

        asks = stops(text) or (await asyncio.to_thread(wish_of, text, self.files, 0.0)).plain
        if asks and self._enough is enough:
            self._left = True
            self.hurry()

    async def _tree_sought(self) -> tuple[Snapshot, Changes]:
        """The tree that a search is about, from now on."""
        base, changes = await self._tree()
        self._afresh.about(base)
        return base, changes

    async def _tree(self) -> tuple[Snapshot, Changes]:
        """The working tree, and what the partner's draft makes of it."""
        base, draft = await self._parts.look(), self._draft()
        # A draft over another tree is carried over before anything is made of it: what is there now is what counts.
        same = draft is not None and draft.base.tree == base.tree
        return base, draft.changes if draft is not None and same else {}


def what_words(wanted: Wanted) -> str:
    """What is to be repaired, in words."""
    if len(wanted.tests) == 1:
        return wanted.tests[0]
    if wanted.tests:
        return f"{len(wanted.tests)} tests"
    return " and ".join(_KINDS[kind] for kind in wanted.kinds) if wanted.kinds else "what fails"


_KINDS = {
    "tests": "failing tests",
    "syntax": "syntax errors",
    "names": "undefined names and imports",
    "lint": "lint findings",
    "types": "type findings",
}


async def standing(judge: Judge, base: Snapshot, changes: Changes, heard: Heard = unheard) -> tuple[CheckResult, ...]:
    """What the checks say of a tree.

    Args:
        judge: Asks them.
        base: The working tree.
        changes: What makes the tree of it.
        heard: Takes each result as it comes.

    Raises:
        SandboxError: A candidate could not be made.
    """
    if not changes:
        return await judge.standing(base, anew=False, heard=heard)
    return await judge.standing_with(base, changes, heard)


async def finder_of(parts: Parts, judge: Judge, tree: Tree) -> Repairs:
    """Who finds repairs of a tree of the project.

    Args:
        parts: The session's parts.
        judge: Knows what the checks say.
        tree: Gives the tree.
    """
    # Many modules: nobody who types is to wait for them.
    await asyncio.to_thread(importlib.import_module, "agent_core.repair.finder")
    from agent_core.repair.finder import Finder  # noqa: PLC0415 - not needed before something is to be found

    async def stands(heard: Heard) -> tuple[CheckResult, ...]:
        return await standing(judge, *await tree(), heard)

    finder: Repairs = Finder(parts.workspace, lambda: judge.checks, stands, tree)
    return finder
