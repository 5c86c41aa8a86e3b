"""What the partner is told of its task, of the project at the beginning, and of a folder when it comes to it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from agent_core.conversation import Item
from agent_core.errors import PairloopError
from agent_core.judge import Judge
from agent_core.parts import Parts
from agent_core.places import user_file
from agent_core.process import run
from agent_core.prompt import replies
from agent_core.prompt.folder_rules import FolderRules
from agent_core.prompt.named_files import named_files
from agent_core.prompt.project_docs import RULES, project_context
from agent_core.symbols.rank import Wish
from agent_core.text import cap_text, printable
from agent_core.view import DraftView, shown
from agent_core.workspace.git import folder_of
from agent_core.workspace.ignore import git_environment
from agent_core.workspace.tree import Snapshot

_OWN_TOKENS = 1500
_BASELINE_WAIT = 5.0
_RULES_SHARE = 3
_RECENT_COMMITS = 20
_MOST_RECENT = 40
_GIT_SECONDS = 2.0
log = logging.getLogger(__name__)


class Introducing:
    """Tells the partner of its tasks and the project.

    Args:
        parts: The session's parts.
        judge: Knows what the checks say of the tree.
    """

    def __init__(self, parts: Parts, judge: Judge) -> None:
        self._parts = parts
        self._judge = judge
        self._view: DraftView | None = None
        self._rules = FolderRules(self._read)

    async def task(self, view: DraftView, base: Snapshot) -> str:
        """The newest task in words, with the files it names; in a session's first what is to know of the project, too.

        Args:
            view: The tree as the partner sees it.
            base: The working tree.
        """
        parts, state = self._parts, self._parts.state()
        text = state.tasks[-1].text
        named: tuple[str, ...] = ()
        if told := state.tasks[-1].told:
            text = told
        else:
            named = await asyncio.to_thread(named_files, text, view.paths(), view.read)
            text = replies.task_part(text, await shown(view, named, parts.tool_tokens))
        if state.items:
            return text
        about = await self._documents(view)
        known = await self._judge.known(base, wait=0.0 if parts.model.info.looks_itself else _BASELINE_WAIT)
        drawn = await self._map(view, f"{state.tasks[-1].text}\n{known}", named)
        return replies.first_item("\n\n".join(filter(None, (about, drawn))), known, text)

    def rules(self, view: DraftView) -> tuple[Item, ...]:
        """The rules of folders that the partner has come to since this was last asked."""
        self._view = view
        return self._rules.news(self._parts.state().items, self._parts.tool_tokens // _RULES_SHARE)

    async def _documents(self, view: DraftView) -> str:
        """The human's own rules, the project's documents and a listing of its files."""
        parts = self._parts
        own = await asyncio.to_thread(_own_rules)
        return await asyncio.to_thread(
            project_context, parts.workspace.root, view.read, view.paths(), parts.project_tokens, parts.mask(own)
        )

    async def _map(self, view: DraftView, about: str, without: Sequence[str]) -> str:
        """The map of the project: its most important names for a task, under a heading; empty where there is none.

        Args:
            view: The tree.
            about: The task, and what is wrong now.
            without: Files that are shown with the task.
        """
        parts = self._parts
        if not parts.map_tokens:
            return ""
        try:
            wish = Wish(about, await _recently_changed(parts.workspace.root))
            room = parts.map_tokens - _HEADING_TOKENS
            drawn, left = await parts.symbols.map(view.states(), view.drafted(), wish, room, without)
        except (OSError, PairloopError):
            # A task can be done without it.
            log.exception("the map could not be drawn")
            return ""
        more = f"\n[{left} files were not looked at for it.]" if left and drawn else ""
        return f"{_HEADING}\n\n{drawn}{more}" if drawn else ""

    def _read(self, path: str) -> bytes | None:
        return self._view.read(path) if self._view is not None else None


_HEADING = "# A map of the project (a choice for the task: files, and names in them by line; symbols shows more)"
_HEADING_TOKENS = 60


def _own_rules() -> str:
    """What the human's own AGENTS.md beside their configuration says; empty where there is none."""
    try:
        text = (user_file().parent / RULES).read_text("utf-8-sig", "replace")
    except OSError:
        return ""
    return cap_text(printable(text).strip(), _OWN_TOKENS)


async def _recently_changed(root: Path) -> tuple[str, ...]:
    """Files of the last commits, the latest first; none where there is no repository."""
    if folder_of(root) is None:
        return ()
    argv = (
        "git",
        "log",
        f"-{_RECENT_COMMITS}",
        "--format=",
        "--name-only",
        "--no-renames",
        "-z",
        "--relative",
        "--",
        ".",
    )
    done = await run(argv, cwd=root, timeout=_GIT_SECONDS, env=git_environment(os.environ))
    names = (os.fsdecode(name.strip(b"\n")) for name in done.stdout.split(b"\0"))
    return tuple(dict.fromkeys(name for name in names if name))[:_MOST_RECENT]
