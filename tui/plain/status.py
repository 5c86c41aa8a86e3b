"""What is going on, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from agent_core.chat_entries import Ran, ToolUse
from agent_core.repairs_state import SearchState
from agent_core.state import CheckState, RetryState, State
from agent_core.text import counted
from tui.plain.words import enumeration


def status_of(state: State) -> Iterator[str]:
    """All that a human may want to know of a session's state, a line each."""
    partner = state.partner
    if partner is not None:
        model = f", model {partner.model}" if partner.model and partner.model != partner.name else ""
        yield f"Partner: {partner.name}{model}. Mode: {state.mode}."
    task = state.task
    yield f"Task {task.number}: {task.text}" if task is not None else "No task is worked on."
    if doing := doing_of(state):
        yield f"{doing}."
    if state.waiting:
        yield f"Proposal {state.waiting} waits for your decision: {state.why}"
    for number, text in enumerate(state.queued, 1):
        yield f"Not heard by the partner yet, {number}: {text}"
    standing = [one.number for one in state.landings if one.stands == "landed" and not one.undoes]
    if standing:
        yield f"Landings that stand: {enumeration([str(number) for number in standing])}."
    used = state.usage
    if used.input or used.output:
        spent = f" They cost {used.cost:.3f} dollars." if used.cost is not None else ""
        cached = (
            f", {100 * used.cached // used.input} percent of it from the cache" if used.cached and used.input else ""
        )
        yield f"Tokens so far: {used.input:,} in{cached}, {used.output:,} out.{spent}"
    if state.size.counted:
        window = partner.window if partner is not None else 0
        share = f", {100 * state.size.tokens // window} percent of what the partner can read" if window else ""
        yield f"The conversation has about {state.size.tokens:,} tokens{share}."


def doing_of(state: State) -> str:
    """What is worked on by itself just now; empty when nothing is."""
    runs = [one.line for one in state.chat if isinstance(one, Ran) and one.code is None]
    if runs:
        return f"Running {enumeration(runs)}"
    match state.phase:
        case "thinking":
            return _thinks(state)
        case "tools":
            titles = [one.title for one in state.chat if isinstance(one, ToolUse) and one.ok is None]
            return f"The partner is at work: {enumeration(titles)}" if titles else "The partner is at work"
        case "checking":
            going = [_how_far(one) for one in state.checks if one.outcome is None and one.where == "candidate"]
            return f"Checks are running: {enumeration(going)}" if going else "Checks are running"
        case "landing":
            return "It is landing"
        case _:
            return ""


def _thinks(state: State) -> str:
    waits = _waits_again(state.retry) if state.retry is not None else ""
    return waits or _searches(state.repairs.search) or "The partner is at work"


def _searches(search: SearchState | None) -> str:
    """How far the built-in partner's search is; empty where it does not search."""
    if search is None or search.beside:
        return ""
    parts = (search.so_far, f"{search.seconds:.0f} of {search.limit:.0f} seconds" if search.limit else "")
    return f"The partner is {search.doing}: {', '.join(part for part in parts if part) or 'just begun'}"


def _waits_again(retry: RetryState) -> str:
    why = "cannot be reached, and" if retry.offline else "waits to be asked again,"
    return f"The partner {why} {retry.seconds:.0f} seconds after the last time it is tried anew"


def _how_far(check: CheckState) -> str:
    return f"{check.check}, {check.done:,} of {counted(check.total, 'step')}" if check.total else check.check
