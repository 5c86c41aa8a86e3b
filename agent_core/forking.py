"""Forking a session: a new one that begins with a copy of another one's events, up to any step.

The copied events keep their numbers and times. What landed in them belongs to the project and to the session that
landed it: the journal counts it there alone (see `agent_core.events.Forked`), so a fork neither lands it twice nor
offers to take it back. The human's files are not touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from agent_core import events as ev
from agent_core.conversation import UserItem
from agent_core.errors import JournalError
from agent_core.fold import replay
from agent_core.journal import SqliteJournal, new_session
from agent_core.landings import first_line
from agent_core.prompt.replies import unanswered

_WENT_BACK = (
    "[The human has gone back to this point of the conversation and goes on from here in another way. Their files are "
    "as they are now, which may not be as you saw them: read again what you want to change.]"
)
_OUTCOMES: dict[str, str] = {"not_green": "not green"}


class Step(msgspec.Struct, frozen=True):
    """A place in a session that it can be forked at.

    Attributes:
        seq: Number of the last event before the fork.
        at: When that was, in seconds since the epoch.
        kind: ``proposal``: it waits, not decided on; ``task``: the task has ended; ``now``: all there is.
        number: Of the proposal or the task; 0 for ``now``.
        text: What it is, in a line.
    """

    seq: int
    at: float
    kind: Literal["proposal", "task", "now"]
    number: int
    text: str


def steps(entries: Iterable[ev.Entry]) -> tuple[Step, ...]:
    """The places at which a session can be forked, oldest first; the last one is its end."""
    found: list[Step] = []
    made: dict[int, ev.ProposalMade] = {}
    said: dict[int, str] = {}
    last: ev.Entry | None = None
    for entry in entries:
        match entry.event:
            case ev.ProposalMade() as event:
                made[event.number] = event
                said.pop(event.number, None)
            case ev.VerdictReached(proposal, verdict) if proposal in made and verdict.tree == made[proposal].tree:
                said[proposal] = verdict.summary
            case ev.Decided(proposal) if proposal in made and last is not None:
                text = f"attempt {made[proposal].attempt}: {said.get(proposal) or 'not checked'}"
                found.append(Step(last.seq, last.at, "proposal", proposal, text))
            case ev.TaskFinished() as event:
                outcome = _OUTCOMES.get(event.outcome, event.outcome)
                text = f"{outcome}: {first_line(event.text)}" if event.text else outcome
                found.append(Step(entry.seq, entry.at, "task", event.task, text))
        last = entry
    if last is not None:
        found.append(Step(last.seq, last.at, "now", 0, "as it is now"))
    return tuple(found)


def settled(entries: Iterable[ev.Entry], step: int) -> int:
    """The last event up to a step after which nothing is half landed.

    A landing is cut off as a whole, with the decision that it carries out: a fork that was told of an intent alone
    would think it still under way.

    Args:
        entries: A session's events, oldest first.
        step: The step that is wanted.
    """
    upto, begun = 0, 0
    for entry in entries:
        if entry.seq > step:
            break
        match entry.event:
            case ev.Decided(decision="accept") | ev.LandingStarted():
                begun = begun or entry.seq
            case ev.Landed() | ev.LandingAbandoned() | ev.LandingConflicted() | ev.TaskFinished():
                begun = 0
        upto = entry.seq
    return begun - 1 if begun else upto


def fork(journal: SqliteJournal, session: str, step: int = 0) -> str:
    """Begin a session as a copy of another one up to a step; that one stays as it is.

    It begins in mode step, so that nothing is decided, let alone landed, by opening it. A proposal that waits in it is
    checked again over the files as they are when it is opened.

    Args:
        journal: The project's journal.
        session: Id of the session to copy.
        step: Number of the last event to copy; 0 for all of them. In the midst of a landing it is that before it.

    Returns:
        The new session's id.

    Raises:
        JournalError: There is no such session or step, or the journal cannot be used.
    """
    entries = tuple(journal.entries(session))
    if not entries:
        raise JournalError(f"There is no session {session} in this project.", "`pairloop sessions` lists them.")
    if not 0 <= step <= entries[-1].seq:
        raise JournalError(f"Session {session} has no step {step}: its last one is {entries[-1].seq}.")
    upto = settled(entries, step or entries[-1].seq)
    copied = [entry for entry in entries if entry.seq <= upto]
    if not any(isinstance(entry.event, ev.Asked) for entry in copied):
        raise JournalError(f"Nothing had been asked yet at step {step} of session {session}.", "Begin a new session.")
    new, told = new_session(), _told(copied, session)
    # A copy that does not say whose it is would have everything landed twice.
    with journal.together():
        journal.copy(session, new, upto)
        for event in told:
            journal.append(new, event)
    return new


def _told(copied: Sequence[ev.Entry], session: str) -> list[ev.AnyEvent]:
    """What the new session is told after its copy."""
    state = replay(copied)
    events: list[ev.AnyEvent] = [ev.Forked(session, copied[-1].seq, first_line(state.tasks[0].text))]
    if state.mode != "step":
        events.append(ev.ModeChanged("step"))
    # Between a call and its answer no word may stand; what waits there is checked anew, and told of, in any case.
    if state.items and not unanswered(state.items):
        events.append(ev.ItemsAppended((UserItem(_WENT_BACK),)))
    return events
