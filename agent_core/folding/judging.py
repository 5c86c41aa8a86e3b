"""The part of the fold that is about proposals: what the checks say of them, and what is decided."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.chat_entries import ChatEntry, Notice
from agent_core.folding import review
from agent_core.folding.parts import checks_stopped, close_answer, doubted, replace_proposal, say, stop_tools, tell
from agent_core.folding.repairing import repair_proposed
from agent_core.state import CheckState, Phase, ProposalState, State


def proposal_made(state: State, event: ev.ProposalMade) -> State:
    """The partner proposed a patch and it has been built in a candidate."""
    proposal = ProposalState(
        number=event.number,
        task=state.tasks[-1].number if state.tasks else 0,
        attempt=event.attempt,
        call_id=event.call_id,
        patch=event.patch,
        base_tree=event.base_tree,
        tree=event.tree,
        diff=event.diff,
        note=event.note,
        by=event.by,
    )
    checks = tuple(check for check in state.checks if check.where == "baseline")
    if state.proposal is not None and state.proposal.number == event.number:
        # The same proposal over a newer working tree, or mended: what was said of it is about another tree.
        proposal = msgspec.structs.replace(proposal, waits=state.proposal.waits)
        return msgspec.structs.replace(
            doubted(state, {event.number}),
            proposals=(*state.proposals[:-1], review.said_again(proposal, state.proposal)),
            waiting=0,
            why="",
            phase="checking",
            checks=checks,
        )
    if event.by == "repair":
        # The answer that was under way was ended for it.
        state = repair_proposed(stop_tools(close_answer(state, partial=True)), event.tree)
        state = msgspec.structs.replace(state, approval=None, question=None, budget=None)
    files = event.patch.files
    size = f"+{sum(file.added for file in files)} -{sum(file.removed for file in files)}"
    names = ", ".join(file.path for file in files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    whose = "found without a model" if event.by == "repair" else f"attempt {event.attempt}"
    notice = Notice("info", f"Proposal {event.number} ({whose}): {names} {size}", event.note, "proposal")
    return say(state, notice, proposals=(*state.proposals, proposal), live_patch="", phase="checking", checks=checks)


def _with_check(state: State, new: CheckState) -> State:
    """Put a check in the place of the one of the same name and tree kind, or at the end."""
    checks = list(state.checks)
    for index, old in enumerate(checks):
        if (old.check, old.where) == (new.check, new.where):
            checks[index] = new
            break
    else:
        checks.append(new)
    return msgspec.structs.replace(state, checks=tuple(checks))


def check_started(state: State, event: ev.CheckStarted) -> State:
    """A check began."""
    state = _with_check(state, CheckState(event.check, event.where, event.tree))
    # What still runs while the human decides, or after they have, is nothing that is waited for.
    awaited = event.where == "candidate" and state.task is not None and state.phase not in {"deciding", "landing"}
    return msgspec.structs.replace(state, phase="checking") if awaited else state


def check_progressed(state: State, event: ev.CheckProgressed) -> State:
    """A check got on. Not more often than a few times a second."""
    for old in state.checks:
        if (old.check, old.where) == (event.check, event.where) and old.outcome is None:
            return _with_check(state, msgspec.structs.replace(old, done=event.done, total=event.total))
    return state


def check_staged(state: State, event: ev.CheckStaged) -> State:
    """A check that goes on has got through a stage, or has an early answer; `CheckFinished` follows."""
    for old in state.checks:
        if (old.check, old.where, old.tree) == (event.result.check, event.where, event.result.tree):
            return _with_check(state, msgspec.structs.replace(old, staged=event.result))
    return state


def blamed(state: State, event: ev.Blamed) -> State:
    """Which blocks of a proposal its failures come from, found by leaving blocks out."""
    proposal = state.proposal
    if proposal is None or (proposal.number, proposal.tree) != (event.proposal, event.tree):
        return state
    proposals = replace_proposal(state, event.proposal, blames=event.blames, unneeded=event.unneeded)
    return msgspec.structs.replace(state, proposals=proposals)


def check_finished(state: State, event: ev.CheckFinished) -> State:
    """A check ended."""
    result = event.result
    total = result.total
    return _with_check(state, CheckState(result.check, event.where, result.tree, result.outcome, total, total, result))


def verdict_reached(state: State, event: ev.VerdictReached) -> State:
    """The checks of a proposal compared with the baseline, as far as they got."""
    verdict = event.verdict
    proposal = next((one for one in state.proposals if one.number == event.proposal), None)
    if proposal is not None and verdict.tree == proposal.part_tree:
        # About what is taken of it: what is said of the whole stands in the chat.
        return msgspec.structs.replace(state, proposals=replace_proposal(state, event.proposal, part=verdict))
    level: ev.Level = "info" if verdict.green else "warning"
    notice = Notice(
        level, verdict.summary, about="verdict", proposal=event.proposal, doubt="" if verdict.complete else "so far"
    )
    if verdict.green:
        # Why it failed over another tree explains nothing any more.
        told = (one for one in state.chat if not _diagnoses(one, event.proposal))
        state = msgspec.structs.replace(state, chat=tuple(told))
    return tell(state, notice, proposals=replace_proposal(state, event.proposal, verdict=verdict))


def _diagnoses(entry: ChatEntry, proposal: int) -> bool:
    return isinstance(entry, Notice) and (entry.about, entry.proposal) == ("diagnosis", proposal)


def diagnosed(state: State, event: ev.Diagnosed) -> State:
    """Why a proposal failed, as far as the evidence goes."""
    return tell(
        state,
        Notice("warning", event.summary, event.evidence, about="diagnosis", proposal=event.proposal),
        proposals=replace_proposal(state, event.proposal, diagnosis=event.summary),
    )


def decision_awaited(state: State, event: ev.DecisionAwaited) -> State:
    """The loop waits for the human."""
    proposals = replace_proposal(state, event.proposal, decision=None)
    return msgspec.structs.replace(state, waiting=event.proposal, why=event.why, phase="deciding", proposals=proposals)


def decided(state: State, event: ev.Decided) -> State:
    """A proposal was decided on."""
    words = {"accept": "Accepted", "reject": "Rejected", "steer": "Going on from"}
    part = f"{event.taken} of {event.of} parts of " if event.of else ""
    text = f"{words[event.decision]} {part}proposal {event.proposal}"
    text += f": {event.reason}" if event.reason else "."
    proposals = replace_proposal(
        state, event.proposal, decision=event.decision, reason=event.reason, taken=event.taken, of=event.of
    )
    notice = Notice("info", text, about="decision")
    phase: Phase = "landing" if event.decision == "accept" else "thinking"
    if event.decision != "accept":
        state = checks_stopped(msgspec.structs.replace(state, proposals=proposals), {event.proposal})
        proposals = state.proposals
    return say(state, notice, proposals=proposals, waiting=0, why="", phase=phase)
