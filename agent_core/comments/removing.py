"""Requests in the code go with what is proposed for them: accepted in one, rejected in one."""

from __future__ import annotations

import asyncio

from agent_core.comments.removal import without
from agent_core.draft import Applied, Draft, Rebased, disk_reader, rebase, revised, take
from agent_core.errors import PatchRefusedError, PatchUnwantedError
from agent_core.events import Marker
from agent_core.parts import Parts
from agent_core.workspace.tree import FileChange, Snapshot

_QUESTION = "The human asked a question in a comment (AI?): they want an answer in words, and no change."
_ANSWER = "Answer in words. If something should be changed, say what: they will ask for it."


class Removing:
    """Adds to a draft that the comments go by which it was asked for, where the partner did not do so itself.

    Args:
        parts: The session's parts.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._added: tuple[Draft, Draft] | None = None  # the draft as it is, and as the partner made it

    def take(self, draft: Draft, text: str, *, may_replace: bool) -> Applied:
        """Apply a patch as `agent_core.draft.take` does, and take out the comments that asked for it.

        The partner may not know yet, or may know, that a comment is gone from its draft: its patch may fit either.

        Raises:
            PatchRefusedError: It cannot be taken.
            PatchUnwantedError: What was asked is a question.
        """
        task = self._parts.state().task
        if task is not None and task.answers:
            raise PatchUnwantedError(_QUESTION, _ANSWER)
        own = self._own(draft)
        applied = self._applied(draft, own, text, may_replace=may_replace)
        changed, note = self._without(applied.draft)
        if changed is not applied.draft:
            self._added = changed, applied.draft
        # What was said with the patch before is still true.
        known = own is not None
        return Applied(changed, " ".join(part for part in (applied.note, "" if known else note) if part))

    async def rebase(self, draft: Draft, newer: Snapshot) -> Rebased:
        """Carry a draft over as `agent_core.draft.rebase` does; a comment that reads differently by now stays."""
        workspace, own = self._parts.workspace, self._own(draft)
        rebased = await rebase(draft, newer, workspace)
        if own is None:
            return rebased
        carried = await rebase(own, newer, workspace)
        if carried.conflicts:
            return rebased
        # What git took away for a while comes back with its comments.
        whole = carried.draft if rebased.conflicts else rebased.draft
        changed, _ = await asyncio.to_thread(self._without, whole)
        if changed is not rebased.draft:
            rebased = Rebased(changed)
        self._added = rebased.draft, carried.draft
        return rebased

    def _own(self, draft: Draft) -> Draft | None:
        """A draft as the partner made it, where something was added to it."""
        added = self._added
        return added[1] if added is not None and added[0] is draft else None

    def _applied(self, draft: Draft, own: Draft | None, text: str, *, may_replace: bool) -> Applied:
        workspace = self._parts.workspace
        if own is not None:
            try:
                return take(own, text, workspace, may_replace=False)
            except PatchRefusedError:
                # It may build on what the draft looks like without the comment, and says best itself why it does not.
                pass
        return take(draft, text, workspace, may_replace=may_replace)

    def _without(self, draft: Draft) -> tuple[Draft, str]:
        """A draft without the comments that asked for it, and what there is to say of it; itself where it has none."""
        state = self._parts.state()
        task = state.task
        # What the partner has not been told yet is nothing that it could have done.
        untold = [marker for how in state.pointed for marker in how.markers]
        wanted: dict[str, list[Marker]] = {}
        for marker in task.markers if task is not None else ():
            if marker.kind == "do" and marker not in untold:
                wanted.setdefault(marker.path, []).append(marker)
        disk = disk_reader(self._parts.workspace, draft.base)
        moved = {old: new for new, old in draft.moves.items()}
        changes: dict[str, FileChange] = {}
        gone: list[str] = []
        for named, markers in wanted.items():
            path = moved.get(named, named)
            file = draft.changes[path] if path in draft.changes else disk(path)
            if file is None or file.data is None:
                continue
            data, found = without(file.data, path, markers)
            if found:
                changes[path] = FileChange(data, file.mode)
                gone += [f"{marker.path}:{marker.line}" for marker in found]
        if not changes:
            return draft, ""
        new = revised(draft, changes, self._parts.workspace)
        if not new.changes:
            return draft, ""
        what = "comment that asked for it goes" if len(gone) == 1 else "comments that asked for it go"
        return new, f"The {what} with it: {', '.join(gone[:3])}{f' and {len(gone) - 3} more' if gone[3:] else ''}."
