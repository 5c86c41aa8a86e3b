"""The part of the fold that is about what is said, and about tasks from beginning to end."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from agent_core import events as ev
from agent_core.chat_entries import Edit, Edits, GitMove, Notice, Said
from agent_core.conversation import Usage
from agent_core.folding import review
from agent_core.folding.partner import spent
from agent_core.folding.parts import checks_stopped, close_answer, say, stop_tools, without_running
from agent_core.item_text import items_tokens
from agent_core.state import Phase, Pointed, RetryState, Size, State, TaskState


def session_started(state: State, event: ev.SessionStarted) -> State:
    """A session was opened on a project."""
    return msgspec.structs.replace(state, session=event.session, project=event.project)


def session_resumed(state: State, event: ev.SessionResumed) -> State:
    """What was under way in the process that died is over; only what waits for the human still waits."""
    state = review.shells_stopped(stop_tools(close_answer(state, partial=True)))
    ended = tuple(check for check in state.checks if check.outcome is not None)
    phase: Phase = "deciding" if state.waiting else "idle"
    state = msgspec.structs.replace(state, checks=ended, phase=phase, approval=None, question=None, budget=None)
    state = msgspec.structs.replace(state, repairs=msgspec.structs.replace(state.repairs, search=None))
    return say(state, Notice("info", f"Session resumed (pairloop {event.version})."))


def forked(state: State, event: ev.Forked) -> State:
    """The session began as a copy: everything before this event happened in another one, and was landed there."""
    landings = tuple(msgspec.structs.replace(landing, inherited=True) for landing in state.landings)
    name = f"“{event.title}” ({event.session})" if event.title else event.session
    text = f"Forked from {name} at step {event.step}."
    hint = "That session stays as it is. Your files are as they are now; what landed belongs to the project."
    return say(state, Notice("info", text, hint if landings else ""), landings=landings)


def settings_told(state: State, event: ev.SettingsTold) -> State:
    """What is in force: said at every opening and when it changes."""
    return msgspec.structs.replace(
        state,
        partner=event.partner,
        mode=event.mode,
        candidate=event.candidate,
        interpreter=event.interpreter,
    )


def mode_changed(state: State, event: ev.ModeChanged) -> State:
    """The human chose another mode."""
    return say(state, Notice("info", f"Mode is now {event.mode}."), mode=event.mode)


def asked(state: State, event: ev.Asked) -> State:
    """The human gave a task."""
    answers = _asks(event.markers)
    task = TaskState(event.task, event.text, markers=event.markers, answers=answers, told=event.told)
    tasks = (*state.tasks, task)
    # What the baseline's checks said stands, unless the tree they looked at was landed on.
    landed = bool(state.tasks) and state.tasks[-1].outcome == "landed"
    checks = () if landed else tuple(check for check in state.checks if check.where == "baseline")
    # A budget that was raised for one task is the configured one again for the next.
    raised = tuple(one for one in state.spending.raised if one[0] != "task")
    return say(
        state,
        Said("human", event.text),
        tasks=tasks,
        phase="thinking",
        checks=checks,
        untold=_left(state, event),
        plan=(),
        spending=msgspec.structs.replace(state.spending, task=Usage(), raised=raised),
    )


def steered(state: State, event: ev.Steered) -> State:
    """The human said something while the loop was running."""
    tasks = state.tasks
    if state.task is not None:
        markers, answers = (*state.task.markers, *event.markers), state.task.answers and _asks(event.markers)
        tasks = (*tasks[:-1], msgspec.structs.replace(state.task, markers=markers, answers=answers))
    queued, pointed = (*state.queued, event.text), (*state.pointed, Pointed(event.markers, event.told, event.proposal))
    return say(
        state, Said("human", event.text), queued=queued, pointed=pointed, tasks=tasks, untold=_left(state, event)
    )


def _left(state: State, said: ev.Asked | ev.Steered) -> tuple[Edit | Edits | GitMove, ...]:
    """The edits that the partner still has to be told of beside some words."""
    return tuple(one for one in state.untold if not (isinstance(one, Edit) and one.path in said.covers))


def _asks(markers: Collection[ev.Marker]) -> bool:
    """Whether words that came by comments want nothing but an answer."""
    return bool(markers) and all(marker.kind == "answer" for marker in markers)


def items_appended(state: State, event: ev.ItemsAppended) -> State:
    """The conversation grew; together these make up the next request's input."""
    size = msgspec.structs.replace(state.size, estimated=state.size.estimated + items_tokens(event.items))
    return msgspec.structs.replace(state, items=state.items + event.items, size=size)


def prompt_sent(state: State, event: ev.PromptSent) -> State:
    """A request went to the partner."""
    size = msgspec.structs.replace(state.size, sent=state.size.estimated)
    return msgspec.structs.replace(
        state,
        steps=event.step,
        phase="thinking",
        queued=(),
        pointed=(),
        untold=(),
        unheard=(),
        retry=None,
        size=size,
        repairs=msgspec.structs.replace(state.repairs, untold=()) if state.repairs.untold else state.repairs,
    )


def text_streamed(state: State, event: ev.TextStreamed) -> State:
    """The partner said some more."""
    return msgspec.structs.replace(state, live=state.live + event.text, retry=None)


def reasoning_streamed(state: State, event: ev.ReasoningStreamed) -> State:
    """The partner's reasoning summary went on."""
    return msgspec.structs.replace(state, live_reasoning=state.live_reasoning + event.text, retry=None)


def patch_streamed(state: State, event: ev.PatchStreamed) -> State:
    """The partner wrote some more of a patch; only what is new."""
    return msgspec.structs.replace(state, live_patch=state.live_patch + event.text, retry=None)


def answer_voided(state: State, event: ev.AnswerVoided) -> State:
    """What was streamed of the current answer is void: the request is sent again, or was interrupted."""
    state = close_answer(state, partial=True)
    retry = None
    if event.retry_in is not None:
        retry = RetryState(event.retry_in, event.reason, event.attempt, event.most, event.offline)
    last = state.chat[-1] if state.chat else None
    if isinstance(last, Notice) and last.level == "warning" and last.text.startswith(event.reason):
        # Offline it is tried again and again: once said will do.
        return msgspec.structs.replace(state, retry=retry)
    return say(state, Notice("warning", event.reason), retry=retry)


def answer_finished(state: State, event: ev.AnswerFinished) -> State:
    """The whole text wins over what was streamed of it, so that a partner that does not stream is shown too."""
    state = msgspec.structs.replace(state, live=event.text)
    state = close_answer(state, partial=False)
    size = state.size
    if size.sent and event.usage.input:
        size = Size(size.estimated, event.usage.input, at=size.sent)
    spending = spent(state, event.usage, event.model, event.partner)
    return msgspec.structs.replace(
        state, usage=state.usage + event.usage, last_usage=event.usage, size=size, spending=spending
    )


def noted(state: State, event: ev.Noted) -> State:
    """Something the human should know."""
    return say(state, Notice(event.level, event.text, event.hint))


def task_finished(state: State, event: ev.TaskFinished) -> State:
    """The loop is done with a task."""
    state = stop_tools(close_answer(state, partial=True))
    # The baseline's checks go on in the background, whatever becomes of the task; and what was accepted before all of
    # its checks had spoken is checked to the end.
    goes_on = event.outcome == "landed"
    checks = state.checks if goes_on else without_running(state.checks)
    tasks = tuple(
        msgspec.structs.replace(task, outcome=event.outcome, result=event.text) if task.number == event.task else task
        for task in state.tasks
    )
    good = event.outcome in {"answered", "landed", "green"}
    if not goes_on:
        state = checks_stopped(state, {one.number for one in state.proposals if one.task == event.task})
    state = msgspec.structs.replace(
        state,
        tasks=tasks,
        checks=checks,
        repairs=msgspec.structs.replace(state.repairs, search=None),
        phase="idle",
        waiting=0,
        why="",
        approval=None,
        question=None,
        budget=None,
    )
    if not event.text:
        return state
    level: ev.Level = "info" if good else ("error" if event.outcome in {"failed", "conflict"} else "warning")
    return say(state, Notice(level, event.text, about="task"))
