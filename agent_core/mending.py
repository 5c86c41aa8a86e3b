"""Having the tools behind the checks mend in a draft what they safely can."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from agent_core.checks.model import Finding
from agent_core.draft import Draft, revised
from agent_core.protocols import Candidate, Check, Workspace
from agent_core.workspace.tree import Changes

_CACHE = "tools"


@runtime_checkable
class Mender(Protocol):
    """A check whose tool can mend some of what it finds."""

    @property
    def name(self) -> str:
        """The check's name."""

    async def fixes(self, candidate: Candidate, paths: Sequence[str]) -> Changes:
        """What files of a candidate become when the tool mends what it safely can; see `agent_core.checks.ruff`."""


async def mended(workspace: Workspace, checks: Iterable[Check], draft: Draft, findings: Sequence[Finding]) -> Draft:
    """A draft in which the tools have mended what they found.

    Args:
        workspace: The project.
        checks: The checks.
        draft: The draft.
        findings: What is to be mended; in their files the tools may mend more of the same sort.

    Returns:
        The draft with what they changed; the same one when they changed nothing.

    Raises:
        CheckError: A tool could not do it.
        SandboxError: The candidate could not be made.
    """
    for check in checks:
        paths = sorted({one.path for one in findings if one.check == check.name and one.fix and one.path is not None})
        if not paths or not isinstance(check, Mender):
            continue
        candidate = await workspace.candidate(draft.base, draft.changes, cache=_CACHE)
        try:
            changes = await check.fixes(candidate, paths)
        finally:
            await candidate.close()
        if changes:
            draft = revised(draft, changes, workspace)
    return draft
