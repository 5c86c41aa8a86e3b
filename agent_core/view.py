"""The tree as the partner sees it: the working tree with its own draft over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from agent_core.conversation import Item, ToolResultItem, UserItem
from agent_core.draft import Draft
from agent_core.patch.encoding import MARK, text_of
from agent_core.process import Completed
from agent_core.protocols import Candidate, Workspace
from agent_core.text import estimate_tokens
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.tree import FileState


class DraftView:
    """What the tools look at.

    Args:
        workspace: The project.
        draft: The partner's draft.
    """

    def __init__(self, workspace: Workspace, draft: Draft) -> None:
        self._workspace = workspace
        self._draft = draft

    def paths(self) -> tuple[str, ...]:
        """All files that are not ignored, sorted."""
        changes = self._draft.changes
        kept = (path for path in self._draft.base.files if path not in changes)
        return tuple(sorted([*kept, *(path for path, change in changes.items() if change.data is not None)]))

    def read(self, path: str) -> bytes | None:
        """The bytes of a file, None when it is not there."""
        change = self._draft.changes.get(path)
        return self._workspace.read(path) if change is None else change.data

    def states(self) -> Mapping[str, FileState]:
        """All files that are not ignored, by their contents."""
        return self._draft.snapshot.files

    def drafted(self) -> Mapping[str, bytes]:
        """The contents of the files that are not what they are in the working tree."""
        return {path: change.data for path, change in self._draft.changes.items() if change.data is not None}

    async def run(
        self, argv: tuple[str, ...], *, timeout: float, on_line: Callable[[str], None] | None = None
    ) -> Completed:
        """Run a command in a candidate of this tree; see `agent_core.tools.base.View.run`.

        Raises:
            SandboxError: The candidate could not be made.
        """
        candidate = await self.candidate()
        try:
            return await candidate.run(argv, timeout=timeout, on_line=on_line)
        finally:
            await candidate.close()

    @property
    def interpreter(self) -> Interpreter:
        """The project's Python."""
        return self._workspace.interpreter

    async def candidate(self) -> Candidate:
        """A candidate of this tree, to be closed after use.

        Raises:
            SandboxError: It could not be made.
        """
        return await self._workspace.candidate(self._draft.base, self._draft.changes, cache="tools")


async def shown(view: DraftView, paths: Iterable[str], tokens: int, told: Sequence[Item] = ()) -> str:
    """Text files as they are, for the partner; those that are not there or do not fit are left out.

    Without line numbers: small models copy them into their patches.

    Args:
        view: The tree.
        paths: Which files.
        tokens: Most tokens of all of them.
        told: The conversation so far: what stands in it as it is now is named, not shown once more.
    """
    before = [said for item in told if (said := _said(item))]
    found, left = [], tokens
    for path in paths:
        data = await asyncio.to_thread(view.read, path)
        text = None if data is None else text_of(data)
        if text is None:
            continue
        part = f"{path}:\n```\n{text.removeprefix(MARK).rstrip()}\n```"
        if any(part in said for said in before):
            found.append(f"{path}: as it was shown to you before, letter by letter.")
            continue
        left -= estimate_tokens(part)
        if left < 0:
            break
        found.append(part)
    return "\n\n".join(found)


def _said(item: Item) -> str:
    """What pairloop told the partner in an item; empty where it is the partner's own."""
    match item:
        case UserItem(text):
            return text
        case ToolResultItem():
            return item.output
        case _:
            return ""
