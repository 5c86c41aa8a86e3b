"""The part of the fold that is about what the partner calls."""

from __future__ import annotations

from typing import Any

import msgspec

from agent_core import events as ev
from agent_core.chat_entries import Notice, Planned, Said, ToolUse
from agent_core.folding.parts import say
from agent_core.state import ApprovalState, QuestionState, State

_PRINTED = 4_000
"""Most characters that are kept of what a running command prints."""


def tool_started(state: State, event: ev.ToolStarted) -> State:
    """A tool call is carried out."""
    return say(state, ToolUse(event.call_id, event.title, looks=event.looks), phase="tools")


def tool_printed(state: State, event: ev.ToolPrinted) -> State:
    """A command has printed something; of much the last lines stay."""
    entry = _tool(state, event.call_id)
    if entry is None or entry.ok is not None:
        return state
    text = entry.printed + event.text
    return _changed(state, event.call_id, printed=text if len(text) <= _PRINTED else _last_lines(text))


def _last_lines(text: str) -> str:
    tail = text[-_PRINTED:]
    return tail.partition("\n")[2] or tail


def tool_finished(state: State, event: ev.ToolFinished) -> State:
    """A tool call ended."""
    return _changed(state, event.call_id, ok=event.ok, summary=event.summary, printed="")


def _tool(state: State, call_id: str) -> ToolUse | None:
    """The newest call of an id: servers give the same one twice."""
    return next((one for one in reversed(state.chat) if isinstance(one, ToolUse) and one.call_id == call_id), None)


def _changed(state: State, call_id: str, **changes: Any) -> State:
    """The state with a tool call in the chat changed, if it is there."""
    old = _tool(state, call_id)
    if old is None:
        return state
    at = next(index for index in range(len(state.chat) - 1, -1, -1) if state.chat[index] is old)
    chat = (*state.chat[:at], msgspec.structs.replace(old, **changes), *state.chat[at + 1 :])
    return msgspec.structs.replace(state, chat=chat)


def approval_asked(state: State, event: ev.ApprovalAsked) -> State:
    """The partner wants to run a command; the human has to allow it."""
    asked = ApprovalState(event.call_id, event.command, event.action, event.rule, event.wider)
    return msgspec.structs.replace(state, approval=asked, phase="approving")


def approval_given(state: State, event: ev.ApprovalGiven) -> State:
    """The human answered, or a rule did."""
    said = Notice("info", _consent(event, state.approval), _consequence(event), about="decision")
    # The command is in the transcript already, and its result will stand there: the word on it comes first.
    chat = list(state.chat)
    at = len(chat)
    while at and not (isinstance(use := chat[at - 1], ToolUse) and use.call_id == event.call_id):
        at -= 1
    chat.insert(at - 1 if at else len(chat), said)
    return msgspec.structs.replace(state, chat=tuple(chat), approval=None, phase="tools")


def _consent(event: ev.ApprovalGiven, approval: ApprovalState | None) -> str:
    """What was said of a wish of the partner's."""
    command = event.command or (approval.command if approval is not None else "")
    if event.by == "rule":
        return f"{'Allowed' if event.allowed else 'Not allowed'} by your rule “{event.rule}”: {command}"
    return f"{'Allowed' if event.allowed else 'Did not allow'}: {command}"


def _consequence(event: ev.ApprovalGiven) -> str:
    """What else comes of it."""
    if event.by == "human" and event.rule:
        rules = " and ".join(f"“{rule}”" for rule in event.rule.split("\n"))
        return f"From now on not asked before: {rules}. /permissions shows what is kept."
    return event.reason


def question_asked(state: State, event: ev.QuestionAsked) -> State:
    """The partner asks the human something, and waits."""
    question = QuestionState(event.call_id, event.text, event.options)
    return msgspec.structs.replace(state, question=question, phase="approving")


def question_answered(state: State, event: ev.QuestionAnswered) -> State:
    """The human answered, or did not want to."""
    words = Said("human", event.answer) if event.answer else Notice("info", "Not answered.", about="decision")
    return say(state, words, question=None, phase="tools")


def plan_updated(state: State, event: ev.PlanUpdated) -> State:
    """The partner said what it is going to do, or how far it is."""
    task = state.tasks[-1].number if state.tasks else 0
    entry = Planned(task, event.steps)
    before = state.chat
    # The call that told it, which is carried out by itself, would say the same once more.
    if before and isinstance(call := before[-1], ToolUse) and call.ok is None:
        before = before[:-1]
    for at in range(len(before) - 1, -1, -1):
        old = before[at]
        if isinstance(old, Planned) and old.task == task:
            chat = (*before[:at], entry, *before[at + 1 :])
            return msgspec.structs.replace(state, chat=chat, plan=event.steps)
    return say(msgspec.structs.replace(state, chat=before), entry, plan=event.steps)


def hook_finished(state: State, event: ev.HookFinished) -> State:
    """A command that runs on events has run; only one that failed is worth a word."""
    return say(state, Notice("warning", event.trouble, event.output)) if event.trouble else state


def patch_rejected(state: State, event: ev.PatchRejected) -> State:
    """A patch was not taken."""
    if event.already:
        # What the message goes on to say is for the partner.
        there = Notice("info", "Already there: the patch asks for nothing new.", about="patch")
        return say(state, there, live_patch="")
    first = event.message.strip().splitlines()[0] if event.message.strip() else "no reason given"
    # Where it says so itself it is not said twice.
    words = first if first.startswith("The patch was refused") else f"Patch refused: {first}"
    return say(state, Notice("warning", words, event.message, about="patch"), live_patch="")
