"""The part of the fold that is about what the partner calls."""

from __future__ import annotations

import msgspec

from agent_core import events as ev
from agent_core.folding.parts import say
from agent_core.state import ApprovalState, Notice, QuestionState, Said, State, ToolUse


def tool_started(state: State, event: ev.ToolStarted) -> State:
    """A tool call is carried out."""
    return say(state, ToolUse(event.call_id, event.title), phase="tools")


def tool_finished(state: State, event: ev.ToolFinished) -> State:
    """A tool call ended."""
    chat = list(state.chat)
    for index in range(len(chat) - 1, -1, -1):
        entry = chat[index]
        if isinstance(entry, ToolUse) and entry.call_id == event.call_id:
            chat[index] = msgspec.structs.replace(entry, ok=event.ok, summary=event.summary)
            break
    return msgspec.structs.replace(state, chat=tuple(chat))


def approval_asked(state: State, event: ev.ApprovalAsked) -> State:
    """The partner wants to run a command; the human has to allow it."""
    return msgspec.structs.replace(
        state, approval=ApprovalState(event.call_id, event.command, event.action, event.rule), phase="approving"
    )


def approval_given(state: State, event: ev.ApprovalGiven) -> State:
    """The human answered."""
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
    return msgspec.structs.replace(state, plan=event.steps)


def hook_finished(state: State, event: ev.HookFinished) -> State:
    """A command that runs on events has run; only one that failed is worth a word."""
    if not event.code and not event.killed:
        return state
    how = event.killed or f"exit status {event.code}"
    return say(state, Notice("warning", f"Hook {event.name} failed on {event.on}: {how}.", event.output))


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
