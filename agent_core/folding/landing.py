"""The part of the fold that is about what is written into the working tree."""

from __future__ import annotations

from typing import Any

import msgspec

from agent_core import events as ev
from agent_core.chat_entries import Notice
from agent_core.folding.partner import spent
from agent_core.folding.parts import replace_proposal, say
from agent_core.folding.repairing import finds_gone
from agent_core.state import CommitDraft, LandingState, Phase, State


def landing_started(state: State, event: ev.LandingStarted) -> State:
    """The intent of a landing, durable before the first byte is written."""
    landing = LandingState(
        event.landing,
        event.proposal,
        event.undoes,
        event.files,
        about=event.about or event.undoes,
        again=event.again,
    )
    return msgspec.structs.replace(state, landings=(*state.landings, landing), phase="landing")


def _set_landing(state: State, number: int, **changes: Any) -> State:
    landings = tuple(
        msgspec.structs.replace(landing, **changes) if landing.number == number else landing
        for landing in state.landings
    )
    return msgspec.structs.replace(state, landings=landings)


def _after_landing(state: State) -> Phase:
    return "deciding" if state.waiting else ("thinking" if state.task else "idle")


def _turn_chain(state: State, number: int) -> State:
    """A landing is undone, so what it had undone stands again, and so on; see `agent_core.landing_log`."""
    undone = True
    while (link := next((one for one in state.landings if one.number == number), None)) is not None:
        state = _set_landing(state, number, stands="undone" if undone else "landed")
        if link.undoes >= number:
            # Only what was there before can be taken back: a damaged journal must not lead round in circles.
            break
        number, undone = link.undoes, not undone
    return state


def landed(state: State, event: ev.Landed) -> State:
    """A landing is complete on disk."""
    state = _set_landing(state, event.landing, stands="landed")
    landing = next((one for one in state.landings if one.number == event.landing), None)
    if landing is None:
        return state
    names = ", ".join(file.path for file in landing.files) or "there was nothing left to write"
    hint = ""
    if landing.undoes:
        state = _turn_chain(state, landing.undoes)
        stands = "landed" if landing.again else "undone"
        state = _set_landing(state, landing.undoes, by=landing.number)
        state = _set_landing(state, landing.about, stands=stands, by=landing.number)
        text = f"Landed landing {landing.about} again" if landing.again else f"Took back landing {landing.about}"
        hint = _commit_stays(state, landing.undoes)
    else:
        proposal = next((one for one in state.proposals if one.number == landing.proposal), None)
        part = f"{proposal.taken} of {proposal.of} parts of " if proposal is not None and proposal.of else ""
        text = f"Landed {part}proposal {landing.proposal} as landing {landing.number}"
    notice = Notice("info", f"{text}: {names}", hint, about="landing")
    return say(finds_gone(state), notice, phase=_after_landing(state))


def _commit_stays(state: State, turned: int) -> str:
    """What is said of the commit of a landing, undo or redo that was just turned; empty where there is none."""
    commit = next((one.commit for one in state.landings if one.number == turned), "")
    return f"Commit {commit[:8]} stays in git: commit this as well, or git revert {commit[:8]}." if commit else ""


def landing_abandoned(state: State, event: ev.LandingAbandoned) -> State:
    """A landing was taken back before it was complete; the tree is as before."""
    state = _set_landing(state, event.landing, stands="abandoned")
    notice = Notice("warning", f"Landing {event.landing} was not completed: {event.reason}", about="landing")
    return say(state, notice, phase=_after_landing(state))


def landing_turned(state: State, event: ev.LandingTurned) -> State:
    """A landing of this session was taken back, or landed again, from another session of the project."""
    landing = next((one for one in state.landings if one.number == event.landing), None)
    state = _set_landing(state, event.landing, stands=event.stands, by=event.by)
    if landing is None or landing.undoes:
        return state
    what = "landed again" if event.stands == "landed" else "taken back"
    text = f"Landing {event.landing} has been {what} from another session."
    return say(state, Notice("info", text, about="landing"))


def landing_conflicted(state: State, event: ev.LandingConflicted) -> State:
    """A landing, undo or redo met other changes; nothing was written."""
    notice = Notice("error", event.message, "\n".join((*event.conflicts, event.hint)).rstrip(), about="landing")
    proposals = replace_proposal(state, event.proposal, refused=event.message)
    return say(state, notice, proposals=proposals, phase=_after_landing(state))


def landing_waits(state: State, event: ev.LandingWaits) -> State:
    """What was accepted waits, or waits no more."""
    proposals = replace_proposal(state, event.proposal, waits=event.reason)
    if not event.reason:
        return msgspec.structs.replace(state, proposals=proposals)
    return say(state, Notice("warning", event.reason, about="landing"), proposals=proposals)


def commit_drafted(state: State, event: ev.CommitDrafted) -> State:
    """There is a message for a commit, or none any more."""
    state = msgspec.structs.replace(state, usage=state.usage + event.usage, spending=spent(state, event.usage))
    if not event.landing:
        return msgspec.structs.replace(state, commit=None)
    draft = CommitDraft(event.landing, event.message, event.also, event.trouble)
    if not event.trouble:
        return msgspec.structs.replace(state, commit=draft)
    return say(state, Notice("error", event.trouble, event.hint, about="landing"), commit=draft)


def committed(state: State, event: ev.Committed) -> State:
    """A landing was committed."""
    state = _set_landing(state, event.landing, commit=event.commit)
    waits = state.commit if state.commit is not None and state.commit.landing != event.landing else None
    return say(state, Notice("info", event.told, about="landing"), commit=waits)
