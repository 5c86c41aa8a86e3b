"""The pure fold from events to state: ``fold(state, event) -> state``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec

from agent_core import events as ev
from agent_core import fold_review
from agent_core.checks.verdict_words import stopped
from agent_core.conversation import Usage
from agent_core.state import (
    ApprovalState,
    ChatEntry,
    CheckState,
    Edit,
    LandingState,
    Notice,
    Phase,
    ProposalState,
    Said,
    State,
    TaskState,
    ToolUse,
)


def _say(state: State, entry: ChatEntry, **changes: Any) -> State:
    return msgspec.structs.replace(state, chat=(*state.chat, entry), **changes)


def _tell(state: State, notice: Notice, **changes: Any) -> State:
    """Say what there is to say of a proposal in the place of what was said of it before."""
    for index in range(len(state.chat) - 1, -1, -1):
        old = state.chat[index]
        if isinstance(old, Notice) and (old.about, old.proposal) == (notice.about, notice.proposal):
            chat = (*state.chat[:index], notice, *state.chat[index + 1 :])
            return msgspec.structs.replace(state, chat=chat, **changes)
    return _say(state, notice, **changes)


def _doubted(state: State, proposals: Collection[int]) -> State:
    """What the chat says of the checks of some proposals is not about what is there, and nobody goes on with it."""
    chat = tuple(
        msgspec.structs.replace(entry, text=stopped(entry.text), doubt="stale")
        if isinstance(entry, Notice) and entry.about in {"verdict", "diagnosis"} and entry.proposal in proposals
        else entry
        for entry in state.chat
    )
    return msgspec.structs.replace(state, chat=chat)


def _replace_proposal(state: State, number: int, **changes: Any) -> tuple[ProposalState, ...]:
    return tuple(
        msgspec.structs.replace(proposal, **changes) if proposal.number == number else proposal
        for proposal in state.proposals
    )


def _close_answer(state: State, *, partial: bool) -> State:
    """Move the live answer into the transcript."""
    said = state.live if state.live.strip() else ""
    thought = state.live_reasoning.strip()
    chat = (*state.chat, Said("partner", said, partial and bool(said), thought)) if said or thought else state.chat
    return msgspec.structs.replace(state, chat=chat, live="", live_reasoning="", live_patch="", retry_in=None)


def _stop_tools(state: State) -> State:
    """Whoever ran a tool is gone, so it will not end any more."""
    chat = tuple(
        msgspec.structs.replace(entry, ok=False, summary="interrupted")
        if isinstance(entry, ToolUse) and entry.ok is None
        else entry
        for entry in state.chat
    )
    return msgspec.structs.replace(state, chat=chat)


def _session_started(state: State, event: ev.SessionStarted) -> State:
    return msgspec.structs.replace(state, session=event.session, project=event.project)


def _session_resumed(state: State, event: ev.SessionResumed) -> State:
    """What was under way in the process that died is over; only what waits for the human still waits."""
    state = fold_review.shells_stopped(_stop_tools(_close_answer(state, partial=True)))
    ended = tuple(check for check in state.checks if check.outcome is not None)
    phase: Phase = "deciding" if state.waiting else "idle"
    state = msgspec.structs.replace(state, checks=ended, phase=phase, approval=None)
    return _say(state, Notice("info", f"Session resumed (pairloop {event.version})."))


def _forked(state: State, event: ev.Forked) -> State:
    landings = tuple(msgspec.structs.replace(landing, inherited=True) for landing in state.landings)
    name = f"“{event.title}” ({event.session})" if event.title else event.session
    text = f"Forked from {name} at step {event.step}."
    hint = "That session stays as it is. Your files are as they are now; what landed belongs to the project."
    return _say(state, Notice("info", text, hint if landings else ""), landings=landings)


def _settings_told(state: State, event: ev.SettingsTold) -> State:
    return msgspec.structs.replace(
        state,
        partner=event.partner,
        mode=event.mode,
        candidate=event.candidate,
        interpreter=event.interpreter,
    )


def _mode_changed(state: State, event: ev.ModeChanged) -> State:
    return _say(state, Notice("info", f"Mode is now {event.mode}."), mode=event.mode)


def _asked(state: State, event: ev.Asked) -> State:
    tasks = (*state.tasks, TaskState(event.task, event.text))
    # What the baseline's checks said stands, unless the tree they looked at was landed on.
    landed = bool(state.tasks) and state.tasks[-1].outcome == "landed"
    checks = () if landed else tuple(check for check in state.checks if check.where == "baseline")
    return _say(state, Said("human", event.text), tasks=tasks, phase="thinking", checks=checks)


def _steered(state: State, event: ev.Steered) -> State:
    return _say(state, Said("human", event.text), queued=(*state.queued, event.text))


def _items_appended(state: State, event: ev.ItemsAppended) -> State:
    return msgspec.structs.replace(state, items=state.items + event.items)


def _prompt_sent(state: State, event: ev.PromptSent) -> State:
    return msgspec.structs.replace(state, steps=event.step, phase="thinking", queued=(), untold=(), retry_in=None)


def _text_streamed(state: State, event: ev.TextStreamed) -> State:
    return msgspec.structs.replace(state, live=state.live + event.text, retry_in=None)


def _reasoning_streamed(state: State, event: ev.ReasoningStreamed) -> State:
    return msgspec.structs.replace(state, live_reasoning=state.live_reasoning + event.text, retry_in=None)


def _patch_streamed(state: State, event: ev.PatchStreamed) -> State:
    return msgspec.structs.replace(state, live_patch=state.live_patch + event.text, retry_in=None)


def _answer_voided(state: State, event: ev.AnswerVoided) -> State:
    state = _close_answer(state, partial=True)
    return _say(state, Notice("warning", event.reason), retry_in=event.retry_in)


def _answer_finished(state: State, event: ev.AnswerFinished) -> State:
    """The whole text wins over what was streamed of it, so that a partner that does not stream is shown too."""
    state = msgspec.structs.replace(state, live=event.text)
    state = _close_answer(state, partial=False)
    old, new = state.usage, event.usage
    total = Usage(
        old.input + new.input, old.cached + new.cached, old.output + new.output, old.reasoning + new.reasoning
    )
    return msgspec.structs.replace(state, usage=total, last_usage=new)


def _tool_started(state: State, event: ev.ToolStarted) -> State:
    return _say(state, ToolUse(event.call_id, event.title), phase="tools")


def _tool_finished(state: State, event: ev.ToolFinished) -> State:
    chat = list(state.chat)
    for index in range(len(chat) - 1, -1, -1):
        entry = chat[index]
        if isinstance(entry, ToolUse) and entry.call_id == event.call_id:
            chat[index] = msgspec.structs.replace(entry, ok=event.ok, summary=event.summary)
            break
    return msgspec.structs.replace(state, chat=tuple(chat))


def _approval_asked(state: State, event: ev.ApprovalAsked) -> State:
    return msgspec.structs.replace(state, approval=ApprovalState(event.call_id, event.command), phase="approving")


def _approval_given(state: State, event: ev.ApprovalGiven) -> State:
    command = state.approval.command if state.approval else ""
    verb = "Allowed" if event.allowed else "Did not allow"
    said = Notice("info", f"{verb}: {command}", about="decision")
    # The command is in the transcript already, and its result will stand there: the word on it comes first.
    chat = list(state.chat)
    at = len(chat)
    while at and not (isinstance(use := chat[at - 1], ToolUse) and use.call_id == event.call_id):
        at -= 1
    chat.insert(at - 1 if at else len(chat), said)
    return msgspec.structs.replace(state, chat=tuple(chat), approval=None, phase="tools")


def _patch_rejected(state: State, event: ev.PatchRejected) -> State:
    if event.already:
        # What the message goes on to say is for the partner.
        there = Notice("info", "Already there: the patch asks for nothing new.", about="patch")
        return _say(state, there, live_patch="")
    first = event.message.strip().splitlines()[0] if event.message.strip() else "no reason given"
    return _say(state, Notice("warning", f"Patch refused: {first}", event.message, about="patch"), live_patch="")


def _proposal_made(state: State, event: ev.ProposalMade) -> State:
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
    )
    checks = tuple(check for check in state.checks if check.where == "baseline")
    if state.proposal is not None and state.proposal.number == event.number:
        # The same proposal over a newer working tree, or mended: what was said of it is about another tree.
        return msgspec.structs.replace(
            _doubted(state, {event.number}),
            proposals=(*state.proposals[:-1], fold_review.said_again(proposal, state.proposal)),
            waiting=0,
            why="",
            phase="checking",
            checks=checks,
        )
    files = event.patch.files
    size = f"+{sum(file.added for file in files)} -{sum(file.removed for file in files)}"
    names = ", ".join(file.path for file in files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    notice = Notice(
        "info", f"Proposal {event.number} (attempt {event.attempt}): {names} {size}", event.note, "proposal"
    )
    return _say(state, notice, proposals=(*state.proposals, proposal), live_patch="", phase="checking", checks=checks)


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


def _check_started(state: State, event: ev.CheckStarted) -> State:
    state = _with_check(state, CheckState(event.check, event.where, event.tree))
    # What still runs while the human decides, or after they have, is nothing that is waited for.
    awaited = event.where == "candidate" and state.task is not None and state.phase not in {"deciding", "landing"}
    return msgspec.structs.replace(state, phase="checking") if awaited else state


def _check_progressed(state: State, event: ev.CheckProgressed) -> State:
    for old in state.checks:
        if (old.check, old.where) == (event.check, event.where) and old.outcome is None:
            return _with_check(state, msgspec.structs.replace(old, done=event.done, total=event.total))
    return state


def _check_staged(state: State, event: ev.CheckStaged) -> State:
    for old in state.checks:
        if (old.check, old.where, old.tree) == (event.result.check, event.where, event.result.tree):
            return _with_check(state, msgspec.structs.replace(old, staged=event.result))
    return state


def _blamed(state: State, event: ev.Blamed) -> State:
    proposal = state.proposal
    if proposal is None or (proposal.number, proposal.tree) != (event.proposal, event.tree):
        return state
    proposals = _replace_proposal(state, event.proposal, blames=event.blames, unneeded=event.unneeded)
    return msgspec.structs.replace(state, proposals=proposals)


def _check_finished(state: State, event: ev.CheckFinished) -> State:
    result = event.result
    total = result.total
    return _with_check(state, CheckState(result.check, event.where, result.tree, result.outcome, total, total, result))


def _verdict_reached(state: State, event: ev.VerdictReached) -> State:
    verdict = event.verdict
    proposal = next((one for one in state.proposals if one.number == event.proposal), None)
    if proposal is not None and verdict.tree == proposal.part_tree:
        # About what is taken of it: what is said of the whole stands in the chat.
        return msgspec.structs.replace(state, proposals=_replace_proposal(state, event.proposal, part=verdict))
    level: ev.Level = "info" if verdict.green else "warning"
    notice = Notice(
        level, verdict.summary, about="verdict", proposal=event.proposal, doubt="" if verdict.complete else "so far"
    )
    if verdict.green:
        # Why it failed over another tree explains nothing any more.
        told = (one for one in state.chat if not _diagnoses(one, event.proposal))
        state = msgspec.structs.replace(state, chat=tuple(told))
    return _tell(state, notice, proposals=_replace_proposal(state, event.proposal, verdict=verdict))


def _diagnoses(entry: ChatEntry, proposal: int) -> bool:
    return isinstance(entry, Notice) and (entry.about, entry.proposal) == ("diagnosis", proposal)


def _diagnosed(state: State, event: ev.Diagnosed) -> State:
    return _tell(
        state,
        Notice("warning", event.summary, event.evidence, about="diagnosis", proposal=event.proposal),
        proposals=_replace_proposal(state, event.proposal, diagnosis=event.summary),
    )


def _checks_stopped(state: State, proposals: Collection[int]) -> State:
    """Nobody checks some proposals any more: what had not spoken is not on its way."""
    cut = {
        one.number: stopped(one.verdict.summary)
        for one in state.proposals
        if one.number in proposals and one.verdict is not None and not one.verdict.complete
    }
    if not cut:
        return state
    chat = tuple(
        msgspec.structs.replace(entry, text=cut[entry.proposal])
        if isinstance(entry, Notice) and entry.about == "verdict" and entry.proposal in cut
        else entry
        for entry in state.chat
    )
    told = tuple(
        msgspec.structs.replace(one, verdict=msgspec.structs.replace(one.verdict, summary=cut[one.number]))
        if one.verdict is not None and one.number in cut
        else one
        for one in state.proposals
    )
    return msgspec.structs.replace(state, chat=chat, proposals=told)


def _decision_awaited(state: State, event: ev.DecisionAwaited) -> State:
    proposals = _replace_proposal(state, event.proposal, decision=None)
    return msgspec.structs.replace(state, waiting=event.proposal, why=event.why, phase="deciding", proposals=proposals)


def _decided(state: State, event: ev.Decided) -> State:
    words = {"accept": "Accepted", "reject": "Rejected", "steer": "Going on from"}
    part = f"{event.taken} of {event.of} parts of " if event.of else ""
    text = f"{words[event.decision]} {part}proposal {event.proposal}"
    text += f": {event.reason}" if event.reason else "."
    proposals = _replace_proposal(
        state, event.proposal, decision=event.decision, reason=event.reason, taken=event.taken, of=event.of
    )
    notice = Notice("info", text, about="decision")
    phase: Phase = "landing" if event.decision == "accept" else "thinking"
    if event.decision != "accept":
        state = _checks_stopped(msgspec.structs.replace(state, proposals=proposals), {event.proposal})
        proposals = state.proposals
    return _say(state, notice, proposals=proposals, waiting=0, why="", phase=phase)


def _landing_started(state: State, event: ev.LandingStarted) -> State:
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


def _landed(state: State, event: ev.Landed) -> State:
    state = _set_landing(state, event.landing, stands="landed")
    landing = next((one for one in state.landings if one.number == event.landing), None)
    if landing is None:
        return state
    names = ", ".join(file.path for file in landing.files) or "there was nothing left to write"
    if landing.undoes:
        state = _turn_chain(state, landing.undoes)
        stands = "landed" if landing.again else "undone"
        state = _set_landing(state, landing.undoes, by=landing.number)
        state = _set_landing(state, landing.about, stands=stands, by=landing.number)
        text = f"Landed landing {landing.about} again" if landing.again else f"Took back landing {landing.about}"
    else:
        proposal = next((one for one in state.proposals if one.number == landing.proposal), None)
        part = f"{proposal.taken} of {proposal.of} parts of " if proposal is not None and proposal.of else ""
        text = f"Landed {part}proposal {landing.proposal} as landing {landing.number}"
    return _say(state, Notice("info", f"{text}: {names}", about="landing"), phase=_after_landing(state))


def _landing_abandoned(state: State, event: ev.LandingAbandoned) -> State:
    state = _set_landing(state, event.landing, stands="abandoned")
    notice = Notice("warning", f"Landing {event.landing} was not completed: {event.reason}", about="landing")
    return _say(state, notice, phase=_after_landing(state))


def _landing_turned(state: State, event: ev.LandingTurned) -> State:
    landing = next((one for one in state.landings if one.number == event.landing), None)
    state = _set_landing(state, event.landing, stands=event.stands, by=event.by)
    if landing is None or landing.undoes:
        return state
    what = "landed again" if event.stands == "landed" else "taken back"
    text = f"Landing {event.landing} has been {what} from another session."
    return _say(state, Notice("info", text, about="landing"))


def _landing_conflicted(state: State, event: ev.LandingConflicted) -> State:
    notice = Notice("error", event.message, "\n".join((*event.conflicts, event.hint)).rstrip(), about="landing")
    proposals = _replace_proposal(state, event.proposal, refused=event.message)
    return _say(state, notice, proposals=proposals, phase=_after_landing(state))


def _human_edited(state: State, event: ev.HumanEdited) -> State:
    proposals = tuple(
        msgspec.structs.replace(proposal, stale=True)
        # What the partner goes on from is asked about again when it has nothing to add.
        if proposal.decision is None or (proposal.decision == "steer" and proposal is state.proposal)
        else proposal
        for proposal in state.proposals
    )
    # What has been decided on is history.
    state = _doubted(state, {one.number for one in proposals if one.stale and one.decision is None})
    edit = Edit(event.path, event.kind, event.diff)
    return _say(state, edit, proposals=proposals, untold=(*state.untold, edit))


def _noted(state: State, event: ev.Noted) -> State:
    return _say(state, Notice(event.level, event.text, event.hint))


def _task_finished(state: State, event: ev.TaskFinished) -> State:
    state = _stop_tools(_close_answer(state, partial=True))
    # The baseline's checks go on in the background, whatever becomes of the task; and what was accepted before all of
    # its checks had spoken is checked to the end.
    goes_on = event.outcome == "landed"
    checks = tuple(check for check in state.checks if check.outcome is not None or check.where == "baseline" or goes_on)
    tasks = tuple(
        msgspec.structs.replace(task, outcome=event.outcome, result=event.text) if task.number == event.task else task
        for task in state.tasks
    )
    good = event.outcome in {"answered", "landed", "green"}
    if not goes_on:
        state = _checks_stopped(state, {one.number for one in state.proposals if one.task == event.task})
    state = msgspec.structs.replace(state, tasks=tasks, checks=checks, phase="idle", waiting=0, why="", approval=None)
    if not event.text:
        return state
    level: ev.Level = "info" if good else ("error" if event.outcome in {"failed", "conflict"} else "warning")
    return _say(state, Notice(level, event.text, about="task"))


_FOLDS: dict[type[ev.Event], Callable[[State, Any], State]] = {
    ev.SessionStarted: _session_started,
    ev.SessionResumed: _session_resumed,
    ev.Forked: _forked,
    ev.SettingsTold: _settings_told,
    ev.ModeChanged: _mode_changed,
    ev.Asked: _asked,
    ev.Steered: _steered,
    ev.Withdrawn: fold_review.withdrawn,
    ev.ShellStarted: fold_review.shell_started,
    ev.ShellFinished: fold_review.shell_finished,
    ev.ItemsAppended: _items_appended,
    ev.PromptSent: _prompt_sent,
    ev.TextStreamed: _text_streamed,
    ev.ReasoningStreamed: _reasoning_streamed,
    ev.PatchStreamed: _patch_streamed,
    ev.AnswerVoided: _answer_voided,
    ev.AnswerFinished: _answer_finished,
    ev.ToolStarted: _tool_started,
    ev.ToolFinished: _tool_finished,
    ev.ApprovalAsked: _approval_asked,
    ev.ApprovalGiven: _approval_given,
    ev.PatchRejected: _patch_rejected,
    ev.ProposalMade: _proposal_made,
    ev.CheckStarted: _check_started,
    ev.CheckProgressed: _check_progressed,
    ev.CheckStaged: _check_staged,
    ev.CheckFinished: _check_finished,
    ev.VerdictReached: _verdict_reached,
    ev.Blamed: _blamed,
    ev.Reviewed: fold_review.reviewed,
    ev.Overlapped: fold_review.overlapped,
    ev.Diagnosed: _diagnosed,
    ev.DecisionAwaited: _decision_awaited,
    ev.Decided: _decided,
    ev.LandingStarted: _landing_started,
    ev.Landed: _landed,
    ev.LandingAbandoned: _landing_abandoned,
    ev.LandingTurned: _landing_turned,
    ev.LandingConflicted: _landing_conflicted,
    ev.HumanEdited: _human_edited,
    ev.Noted: _noted,
    ev.TaskFinished: _task_finished,
}


def fold(state: State, event: ev.AnyEvent) -> State:
    """What is true after an event; pure."""
    return _FOLDS[type(event)](state, event)


def replay(entries: Iterable[ev.Entry]) -> State:
    """What is true after all of a session's events."""
    state = State()
    for entry in entries:
        state = fold(state, entry.event)
    return state
