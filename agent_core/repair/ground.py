"""The tree in which repairs are looked for."""

from __future__ import annotations

from functools import cached_property

from agent_core.protocols import Candidate, Check, Workspace
from agent_core.workspace.tree import Changes, FileChange, Snapshot, with_changes

_CACHE = "repair"


class Ground:
    """A tree of a project, and who judges it.

    Args:
        workspace: The project.
        checks: Who judges.
        base: The working tree.
        changes: What the tree differs in from it.
        spare: The search has time, and leaves the machine to whoever is in a hurry.
    """

    def __init__(
        self, workspace: Workspace, checks: tuple[Check, ...], base: Snapshot, changes: Changes, *, spare: bool = True
    ) -> None:
        self.workspace = workspace
        self.checks = checks
        self.base = base
        self.changes = changes
        self._spare = spare

    @cached_property
    def snapshot(self) -> Snapshot:
        """What is in the tree."""
        return with_changes(self.base, self.changes)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file of the tree; None where it is not there."""
        change = self.changes.get(path)
        return change.data if change is not None else self.workspace.read(path)

    async def candidate(self, changes: Changes | None = None) -> Candidate:
        """An isolated copy of the tree.

        Args:
            changes: What is changed in it besides.

        Raises:
            SandboxError: It could not be made.
        """
        every: dict[str, FileChange] = {**self.changes, **(changes or {})}
        return await self.workspace.candidate(self.base, every, cache=_CACHE, patient=self._spare)
