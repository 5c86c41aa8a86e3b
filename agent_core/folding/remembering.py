"""The part of the fold that keeps what the memory of a session is made of; see `agent_core.memory.records`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from agent_core import events as ev
from agent_core.memory.fingerprint import changes, changes_of
from agent_core.memory.records import Choice, EditMade, MadeBy, Records, Refusal, Words
from agent_core.patch.model import Block, FilePatch, Patch
from agent_core.review import Mark, Review
from agent_core.state import ProposalState, State
from agent_core.text import counted

_MOST_EDITS = 400
_MOST_REFUSALS = 200
_REASON = 400
_LINE = 100
_NAMED = 8


def remembered(before: State, after: State, event: ev.AnyEvent) -> State:
    """The state after an event, with what is to be remembered of it.

    Args:
        before: The state before it.
        after: The state that its own handler made.
        event: The event.
    """
    keep = _KEEP.get(type(event))
    if keep is None:
        return after
    return msgspec.structs.replace(after, records=keep(before, event))


def _task(state: State) -> int:
    return state.task.number if state.task is not None else 0


def _steered(state: State, event: ev.Steered) -> Records:
    old = state.records
    place = f"{event.markers[0].path}:{event.markers[0].line}" if event.markers else ""
    words = Words(_next(old.words), _task(state), event.text, place, state.steps)
    return msgspec.structs.replace(old, words=(*old.words, words))


def _withdrawn(state: State, event: ev.Withdrawn) -> Records:
    old = state.records
    for at in range(len(old.words) - 1, -1, -1):
        if old.words[at].text == event.text:
            return msgspec.structs.replace(old, words=(*old.words[:at], *old.words[at + 1 :]))
    return old


def _decided(state: State, event: ev.Decided) -> Records:
    old = state.records
    proposal = next((one for one in state.proposals if one.number == event.proposal), None)
    choice = Choice(
        _next(old.choices),
        event.proposal,
        proposal.task if proposal is not None else _task(state),
        event.decision,
        event.by,
        event.reason,
        _comments(proposal) if proposal is not None else (),
        event.taken,
        event.of,
        _dropped(proposal, event) if proposal is not None else (),
        state.steps,
    )
    return msgspec.structs.replace(old, choices=(*old.choices, choice))


def _comments(proposal: ProposalState) -> tuple[tuple[str, str], ...]:
    marks = proposal.review.blocks
    return tuple(
        (f"{file.path}:{block.new_start}", marks[block.id].comment)
        for file, block in _blocks(proposal.patch)
        if block.id in marks and marks[block.id].comment
    )


def _blocks(patch: Patch) -> list[tuple[FilePatch, Block]]:
    return [(file, block) for file in patch.files for block in file.blocks]


def _dropped(proposal: ProposalState, event: ev.Decided) -> tuple[str, ...]:
    """What of a proposal is not wanted by a decision; what the partner goes on from is neither wanted nor not."""
    if event.decision == "reject":
        return tuple(sorted(changes(proposal.patch)))
    if event.decision == "steer" or not event.of:
        return ()
    left = {name for file in proposal.patch.files for name in _left(file, proposal.review)}
    return tuple(sorted(left))


def _left(file: FilePatch, review: Review) -> tuple[str, ...]:
    if not file.blocks:
        return () if review.files.get(file.path) else changes_of(file)
    return tuple(block.id for block in file.blocks if not review.blocks.get(block.id, Mark()).taken)


def _refused(state: State, event: ev.PatchRejected) -> Records:
    old = state.records
    if event.already:
        return old
    reason, task = " ".join(event.message.split())[:_REASON], _task(state)
    last = old.refusals[-1] if old.refusals else None
    if last is not None and (last.task, last.reason) == (task, reason):
        again = msgspec.structs.replace(last, count=last.count + 1)
        return msgspec.structs.replace(old, refusals=(*old.refusals[:-1], again))
    refusals = (*old.refusals, Refusal(old.refusals_before + len(old.refusals) + 1, task, reason))
    more = max(len(refusals) - _MOST_REFUSALS, 0)
    return msgspec.structs.replace(old, refusals=refusals[more:], refusals_before=old.refusals_before + more)


def _edited(state: State, event: ev.HumanEdited) -> Records:
    return _with_edit(state, event.path, event.kind, event.by, _first_change(event.diff))


def _edited_many(state: State, event: ev.FilesEdited) -> Records:
    count = event.added + event.changed + event.deleted
    shown = event.paths[:_NAMED]
    more = count - len(shown)
    named = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    return _with_edit(state, "", f"{count} files", event.by, named)


def _moved(state: State, event: ev.BranchChanged) -> Records:
    where = f"{event.was} to {event.branch}" if event.was != event.branch else f"on {event.branch}"
    files = f"{counted(event.count, 'file')} changed"
    return _with_edit(state, "", event.what, "git", f"{where}, {files}")


def _with_edit(state: State, path: str, kind: str, by: MadeBy, line: str) -> Records:
    old, task, step = state.records, _task(state), state.steps
    edits = list(old.edits)
    for at in range(len(edits) - 1, -1, -1):
        one = edits[at]
        if (one.task, one.step) != (task, step) or by == "git":
            break
        if path and (one.path, one.by) == (path, by):
            kind = "added" if one.kind == "added" and kind == "changed" else kind
            edits[at] = msgspec.structs.replace(one, kind=kind, line=line or one.line, count=one.count + 1)
            return msgspec.structs.replace(old, edits=tuple(edits))
    number = old.edits_before + len(edits) + 1
    edits.append(EditMade(number, task, step, path, kind, by, line))
    more = max(len(edits) - _MOST_EDITS, 0)
    return msgspec.structs.replace(old, edits=tuple(edits[more:]), edits_before=old.edits_before + more)


def _first_change(diff: str) -> str:
    """The first changed line of a diff that says anything, with its sign; what came is preferred to what went."""
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and not line.startswith(("+++ ", "--- "))]
    said = [line for line in changed if line[1:].strip()]
    line = next((line for line in said if line[0] == "+"), said[0] if said else "")
    text = f"{line[:1]}{' '.join(line[1:].split())}"
    return text if len(text) <= _LINE else f"{text[: _LINE - 1]}…"


def _next(kept: tuple[Words, ...] | tuple[Choice, ...]) -> int:
    return kept[-1].number + 1 if kept else 1


_KEEP: dict[type[ev.Event], Callable[[State, Any], Records]] = {
    ev.Steered: _steered,
    ev.Withdrawn: _withdrawn,
    ev.Decided: _decided,
    ev.PatchRejected: _refused,
    ev.HumanEdited: _edited,
    ev.FilesEdited: _edited_many,
    ev.BranchChanged: _moved,
}
