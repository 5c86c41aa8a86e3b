"""The memory of a session, a pure function of its state; in the human's words where they chose others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from agent_core.checks.model import Finding, Verdict
from agent_core.events import DECIDED
from agent_core.folding.memory import OWN
from agent_core.memory.fingerprint import changes, fingerprint
from agent_core.memory.model import Attempt, Memory, MemoryEntry, Outcome
from agent_core.memory.records import Choice, EditMade, MadeBy
from agent_core.memory.words import memory_text
from agent_core.state import CheckState, LandingState, MemoryNote, ProposalState, State, TaskState
from agent_core.text import shortened

__all__ = ["memory_of", "memory_text", "new_note_id"]

_MOST_FILES = 4
_MOST_FINDINGS = 5
_MESSAGE = 200
_MOST_CHANGED = 6
_CHANGED = 120
_OUTCOMES = {
    "answered": "answered",
    "landed": "landed",
    "green": "green, not landed",
    "not_green": "not green, nothing landed",
    "conflict": "collided, nothing landed",
    "interrupted": "interrupted",
    "failed": "failed",
}

_HANDS: dict[MadeBy, str] = {
    "human": "you",
    "formatter": "a formatter",
    "pairloop": "another pairloop",
    "unknown": "someone who is not known",
    "git": "git",
}


def memory_of(state: State) -> Memory:
    """What is remembered of a session."""
    attempts = tuple(_attempt(state, one) for one in state.proposals)
    tried = zip(attempts, state.proposals, strict=True)
    found = (
        *map(_task, state.tasks),
        *_said(state),
        *(_decision(one) for one in state.records.choices),
        *(_tried(attempt, proposal) for attempt, proposal in tried),
        *_refused(state),
        *(_landing(one) for one in state.landings),
        *map(_edit, state.records.edits),
    )
    notes = {note.id: note for note in state.notes}
    entries = [_as_written(one, notes.get(one.id)) for one in found]
    entries += [_own(note) for note in state.notes if note.id.startswith(OWN)]
    return Memory(tuple(entries), attempts, _checks(state), _left_out(state))


def new_note_id(state: State) -> str:
    """The id of the human's next entry of their own."""
    used = [
        int(note.id[len(OWN) :]) for note in state.notes if note.id.startswith(OWN) and note.id[len(OWN) :].isdigit()
    ]
    return f"{OWN}{max(used, default=0) + 1}"


# -- entries


def _as_written(entry: MemoryEntry, note: MemoryNote | None) -> MemoryEntry:
    """An entry in the words that the human chose for it, if they did."""
    if note is None:
        return entry
    if not note.text:
        return msgspec.structs.replace(entry, was=entry.text, forgotten=True, back=True)
    if note.text == entry.text:
        return msgspec.structs.replace(entry, back=True)
    return msgspec.structs.replace(entry, text=note.text, detail=(), was=entry.text, rewritten=True, back=True)


def _own(note: MemoryNote) -> MemoryEntry:
    text = note.text or next((text for text in reversed(note.before) if text), "")
    return MemoryEntry(note.id, "note", text, "your note", forgotten=not note.text, back=bool(note.before))


def _task(task: TaskState) -> MemoryEntry:
    outcome = "under way" if task.outcome is None else _OUTCOMES[task.outcome]
    where = [f"by the comment at {one.path}:{one.line}" for one in task.markers]
    detail = (*where, *([task.result] if task.result else ()))
    return MemoryEntry(
        f"task:{task.number}", "task", task.text, f"task {task.number}, {outcome}", detail, task=task.number
    )


def _said(state: State) -> Iterator[MemoryEntry]:
    for one in state.records.words:
        where = f"in {one.place}" if one.place else f"while task {one.task} was worked on" if one.task else "in passing"
        yield MemoryEntry(f"said:{one.number}", "said", one.text, f"you said it {where}", task=one.task)


def _decision(choice: Choice) -> MemoryEntry:
    part = f"{choice.taken} of {choice.of} parts of " if choice.of else ""
    text = f"Proposal {choice.proposal} was {DECIDED[choice.decision]}"
    if part:
        text = f"{choice.taken} of {choice.of} parts of proposal {choice.proposal} were {DECIDED[choice.decision]}"
    text += f": {choice.reason}" if choice.reason else ", no reason given" if choice.decision == "reject" else ""
    said = "; ".join(f"on {place}: {words}" for place, words in choice.comments)
    text += f" ({said})" if said else ""
    who = "you" if choice.by == "human" else "the mode"
    return MemoryEntry(
        f"decision:{choice.number}", "decision", text, f"decided by {who}, task {choice.task}", task=choice.task
    )


def _tried(attempt: Attempt, proposal: ProposalState) -> MemoryEntry:
    text = f"Proposal {attempt.proposal}, {_files(attempt.paths)} {_size(proposal)}: {_came_of_it(attempt)}"
    detail = (
        *(f"it was: {line}" for line in (_change(proposal) if attempt.outcome != "landed" else ())),
        *(f"against it: {line}" for line in attempt.failures),
        *([f"why: {attempt.diagnosis}"] if attempt.diagnosis else ()),
        *(f"it comes from {place}" for place in attempt.blame),
        *([f"note: {proposal.note}"] if proposal.note else ()),
    )
    source = f"attempt {attempt.attempt} at task {attempt.task}"
    return MemoryEntry(f"attempt:{attempt.proposal}", "attempt", text, source, detail, task=attempt.task)


def _change(proposal: ProposalState) -> tuple[str, ...]:
    """The first lines that a proposal changes: what is not in the files says what it was about."""
    lines = [
        f"{sign}{line.rstrip()}"
        for file in proposal.patch.files
        for block in file.blocks
        for sign, side in (("-", block.removed), ("+", block.added))
        for line in side
    ]
    shown = tuple(shortened(line, _CHANGED) for line in lines[:_MOST_CHANGED])
    more = len(lines) - len(shown)
    return (*shown, f"and {more} more {'lines' if more > 1 else 'line'}") if more else shown


def _came_of_it(attempt: Attempt) -> str:
    checked = attempt.summary or "not checked"
    match attempt.outcome:
        case "rejected":
            return f"rejected{f' ({attempt.reason})' if attempt.reason else ''}; {checked}"
        case "landed" | "undone":
            return f"{'landed' if attempt.outcome == 'landed' else 'landed, then taken back'}; {checked}"
        case "open":
            return f"waits; {checked}"
        case _:
            said = f" ({attempt.reason})" if attempt.reason else ""
            return f"{checked}{said}"


def _refused(state: State) -> Iterator[MemoryEntry]:
    for one in state.records.refusals:
        times = f", {one.count} times" if one.count > 1 else ""
        text = f"A patch was refused{times}: {one.reason}"
        yield MemoryEntry(f"refused:{one.number}", "refused", text, f"task {one.task}", task=one.task)


def _landing(landing: LandingState) -> MemoryEntry:
    names = _files([file.path for file in landing.files])
    if landing.undoes:
        what = f"landing {landing.about} was {'landed again' if landing.again else 'taken back'}"
    else:
        what = f"proposal {landing.proposal} was landed" if landing.proposal else "it was landed"
    stands = {
        "started": " (not known to be complete)",
        "abandoned": " (not completed; nothing of it stands)",
        "undone": f" (taken back{f' by landing {landing.by}' if landing.by else ''})",
        "landed": "",
    }[landing.stands]
    commit = f", commit {landing.commit[:8]}" if landing.commit else ""
    text = f"Landing {landing.number}: {what}, {names}{commit}{'' if landing.undoes else stands}"
    source = "of the session this one is a fork of" if landing.inherited else f"landing {landing.number} of the project"
    return MemoryEntry(f"landing:{landing.number}", "landing", text, source)


def _edit(edit: EditMade) -> MemoryEntry:
    times = f" ({edit.count} saves)" if edit.count > 1 else ""
    if edit.path:
        text = f"{edit.path} was {edit.kind} by {_HANDS[edit.by]}{times}{f': {edit.line}' if edit.line else ''}"
    elif edit.by != "git":
        text = f"{edit.kind} were changed at once by {_HANDS[edit.by]}: {edit.line}"
    else:
        text = f"git: {edit.kind} ({edit.line})"
    when = f"while task {edit.task} was worked on" if edit.task else "between tasks"
    return MemoryEntry(f"edit:{edit.number}", "edit", text, when, task=edit.task)


# -- attempts


def _attempt(state: State, proposal: ProposalState) -> Attempt:
    names, verdict = changes(proposal.patch), proposal.verdict
    against = (*verdict.broken, *verdict.silenced, *verdict.targets_left) if verdict is not None else ()
    failures = [_brief(one) for one in against[:_MOST_FINDINGS]]
    if len(against) > _MOST_FINDINGS:
        failures.append(f"and {len(against) - _MOST_FINDINGS} more")
    return Attempt(
        proposal.number,
        proposal.task,
        proposal.attempt,
        names,
        fingerprint(names),
        tuple(file.path for file in proposal.patch.files),
        _outcome(state, proposal, verdict),
        verdict.summary if verdict is not None else "",
        tuple(failures),
        proposal.diagnosis,
        _blame(proposal),
        _reason(state, proposal),
    )


def _outcome(state: State, proposal: ProposalState, verdict: Verdict | None) -> Outcome:
    mine = [one.stands for one in state.landings if one.proposal == proposal.number and not one.undoes]
    if "landed" in mine:
        return "landed"
    if "undone" in mine:
        return "undone"
    if proposal.decision == "reject":
        return "rejected"
    if state.waiting == proposal.number:
        return "open"
    return "failed" if verdict is not None and verdict.complete and not verdict.green else "left"


def _reason(state: State, proposal: ProposalState) -> str:
    said = [one.reason for one in state.records.choices if one.proposal == proposal.number and one.reason]
    return said[-1] if said else ""


def _blame(proposal: ProposalState) -> tuple[str, ...]:
    to_blame = {name for blame in proposal.blames for name in blame.blocks}
    places = [
        f"{file.path}:{block.new_start}"
        for file in proposal.patch.files
        for block in file.blocks
        if block.id in to_blame
    ]
    return tuple(places[:_MOST_FINDINGS])


def _brief(finding: Finding) -> str:
    name = f"{finding.code}: " if finding.code and finding.code not in finding.message else ""
    message = " ".join(finding.message.split())
    text = f"{name}{message if len(message) <= _MESSAGE else f'{message[: _MESSAGE - 1]}…'}"
    return f"{text} ({finding.place})" if finding.place and finding.place not in text else text


def _files(paths: Sequence[str]) -> str:
    names = ", ".join(paths[:_MOST_FILES]) or "no file"
    return f"{names} and {len(paths) - _MOST_FILES} more" if len(paths) > _MOST_FILES else names


def _size(proposal: ProposalState) -> str:
    files = proposal.patch.files
    return f"+{sum(file.added for file in files)} -{sum(file.removed for file in files)}"


# -- what is no entry


def _checks(state: State) -> tuple[str, ...]:
    """What the checks say now of the project as it is, and of the newest proposal."""
    lines = [f"{one.check}: {_standing(one)}" for one in state.checks if one.where == "baseline"]
    proposal = state.proposal
    if proposal is not None and proposal.verdict is not None:
        doubt = " (files have changed since)" if proposal.stale else ""
        lines.append(f"proposal {proposal.number}: {proposal.verdict.summary}{doubt}")
    return tuple(lines)


def _standing(check: CheckState) -> str:
    if check.result is None:
        return "under way"
    return check.result.summary or check.result.outcome


def _left_out(state: State) -> tuple[str, ...]:
    records = state.records
    said = []
    if records.edits_before:
        said.append(f"{records.edits_before} older edits are not kept here; the journal has them")
    if records.refusals_before:
        said.append(f"{records.refusals_before} older refused patches are not kept here; the journal has them")
    return tuple(said)
