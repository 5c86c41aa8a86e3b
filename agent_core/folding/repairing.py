"""The part of the fold that is about repairs found without a model."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.chat_entries import Notice
from agent_core.folding.parts import say
from agent_core.repairs_state import FindState, SearchState
from agent_core.state import State

_SWITCH = "Looked for in the background, at no cost; /repairs off ends it."


def repair_sought(state: State, event: ev.RepairSought) -> State:
    """A search for repairs began."""
    repairs = msgspec.structs.replace(state.repairs, search=SearchState(event.beside, event.what))
    if repairs.told or not event.beside:
        # The built-in partner says itself what it does.
        return msgspec.structs.replace(state, repairs=repairs)
    notice = Notice("info", f"A repair of {event.what} is looked for without the model too.", _SWITCH, about="repair")
    return say(state, notice, repairs=msgspec.structs.replace(repairs, told=True))


def repair_progressed(state: State, event: ev.RepairProgressed) -> State:
    """A search got on."""
    search = state.repairs.search
    if search is None or search.beside != event.beside:
        return state
    search = msgspec.structs.replace(
        search,
        stage=event.stage,
        tried=event.tried,
        total=event.total,
        found=event.found,
        trying=event.trying,
        seconds=event.seconds,
        limit=event.limit,
    )
    return msgspec.structs.replace(state, repairs=msgspec.structs.replace(state.repairs, search=search))


def repair_ended(state: State, event: ev.RepairEnded) -> State:
    """A search ended."""
    repairs = state.repairs
    untold = (*repairs.untold, event.evidence) if event.evidence else repairs.untold
    repairs = msgspec.structs.replace(repairs, search=None, untold=untold)
    return msgspec.structs.replace(state, repairs=repairs)


def repair_hurried(state: State, _event: ev.RepairHurried) -> State:
    """The human has enough: the search ends soon, with what it has found so far."""
    search = state.repairs.search
    if search is None or search.beside:
        return state
    search = msgspec.structs.replace(search, hurried=True)
    return msgspec.structs.replace(state, repairs=msgspec.structs.replace(state.repairs, search=search))


def repair_found(state: State, event: ev.RepairFound) -> State:
    """A search beside a model found a repair with which all checks are green."""
    find = FindState(
        event.number,
        event.says,
        event.patch,
        event.diff,
        event.tests,
        event.base_tree,
        event.tree,
        event.whole,
        event.mends,
    )
    repairs = msgspec.structs.replace(state.repairs, finds=(*state.repairs.finds, find))
    text = f"Found without a model: {event.says}"
    notice = Notice("info", text, "/repair has it proposed.", about="repair", proposal=event.number)
    return say(state, notice, repairs=repairs)


def repairs_switched(state: State, event: ev.RepairsSwitched) -> State:
    """The human has repairs looked for beside the model from now on, or no more."""
    text = "Repairs are looked for beside the model from now on, while tests fail."
    if not event.on:
        text = "No repairs are looked for beside the model any more."
    repairs = msgspec.structs.replace(state.repairs, switched=event.on)
    return say(state, Notice("info", text, about="repair"), repairs=repairs)


def repair_proposed(state: State, tree: str) -> State:
    """The find that makes a tree was proposed."""
    return _stands(state, {one.number for one in state.repairs.finds if one.tree == tree}, gone=False)


def finds_gone(state: State) -> State:
    """The working tree is another: what was found fits the one before."""
    return _stands(state, {one.number for one in state.repairs.finds}, gone=True)


def _stands(state: State, numbers: set[int], *, gone: bool) -> State:
    if not any(one.stands == "open" and one.number in numbers for one in state.repairs.finds):
        return state
    finds = tuple(
        msgspec.structs.replace(one, stands="gone" if gone else "taken")
        if one.number in numbers and one.stands == "open"
        else one
        for one in state.repairs.finds
    )
    return msgspec.structs.replace(state, repairs=msgspec.structs.replace(state.repairs, finds=finds))
