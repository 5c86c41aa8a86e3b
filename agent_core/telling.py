"""Telling a session's story from its events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from agent_core import events as ev
from agent_core.checks.model import Finding, Verdict
from agent_core.landings import first_line
from agent_core.outside_words import capitalized, edits_words, move_words
from agent_core.partner_words import WISHES, plan_text, plan_words
from agent_core.patch.model import Patch
from agent_core.review import Review, carried, remarked
from agent_core.spent import budget_words, raised_words
from agent_core.story import (
    AnyPart,
    Checked,
    Decision,
    Edit,
    Ended,
    Judged,
    Landing,
    Note,
    Proposal,
    Remark,
    Shell,
    Story,
    Task,
    Told,
    Tool,
    Words,
)


def story_of(session: str, entries: Iterable[ev.Entry]) -> Story:
    """Tell what happened in a session.

    Args:
        session: Its id.
        entries: Its events, oldest first.
    """
    teller = _Teller()
    started = last = 0.0
    for entry in entries:
        started, last = started or entry.at, entry.at
        teller.hear(entry)
    parts = tuple(teller.parts)
    title = next((first_line(one.text) for one in parts if isinstance(one, Task)), "")
    return Story("pairloop session", 1, session, title, started, last, teller.partner, parts)


class _Teller:
    """Hears events and makes parts of them; a part that grows keeps the place at which it began."""

    def __init__(self) -> None:
        self.parts: list[AnyPart] = []
        self.partner = ""
        self._streamed = ""
        self._places: dict[tuple[str, str | int], int] = {}
        self._patches: dict[int, tuple[Patch, str]] = {}
        self._reviews: dict[int, Review] = {}
        self._taken: dict[int, tuple[str, Judged | None]] = {}  # the tree that what is taken makes, and its verdict

    def hear(self, entry: ev.Entry) -> None:
        """Take the next event."""
        at, seq, event = entry.at, entry.seq, entry.event
        match event:
            case ev.SettingsTold():
                self.partner = event.partner.name
            case ev.Asked():
                self.parts.append(Task(at, seq, event.task, event.text))
            case ev.Steered():
                self.parts.append(Words(at, seq, "human", event.text))
            case ev.TextStreamed():
                self._streamed += event.text
            case ev.AnswerFinished() | ev.AnswerVoided() | ev.SessionResumed():
                self._answered(entry)
            case ev.TaskFinished():
                self._answered(entry)
                self.parts.append(Ended(at, seq, event.task, event.outcome, event.text))
            case ev.HumanEdited() | ev.FilesEdited() | ev.BranchChanged() | ev.LandingWaits() | ev.RepairFound():
                self._outside(entry)
            case ev.ToolStarted() | ev.ToolFinished() | ev.ShellStarted() | ev.ShellFinished():
                self._ran(entry)
            case ev.LandingStarted() | ev.Landed() | ev.LandingAbandoned():
                self._landing(entry)
            case (
                ev.ApprovalAsked() | ev.ApprovalGiven() | ev.QuestionAsked() | ev.QuestionAnswered() | ev.PlanUpdated()
            ):
                self.parts.append(Note(at, seq, "info", *_wished(event)))
            case ev.ProposalMade() | ev.VerdictReached() | ev.Diagnosed() | ev.Reviewed() | ev.Decided():
                self._proposal(entry)
            case _:
                self._note(entry)

    def _answered(self, entry: ev.Entry) -> None:
        event = entry.event
        whole = isinstance(event, ev.AnswerFinished)
        text = event.text if isinstance(event, ev.AnswerFinished) else self._streamed
        self._streamed = ""
        if text.strip():
            self.parts.append(Words(entry.at, entry.seq, "partner", text, cut=not whole))
        # While it is offline it is tried every few seconds, which is worth one word.
        if isinstance(event, ev.AnswerVoided) and not (event.offline and event.attempt > 1):
            self.parts.append(Note(entry.at, entry.seq, "warning", event.reason, ""))

    def _begin(self, key: tuple[str, str | int], part: AnyPart) -> None:
        self._places[key] = len(self.parts)
        self.parts.append(part)

    def _grow(self, key: tuple[str, str | int], **changes: Any) -> None:
        if (place := self._places.get(key)) is not None:
            self.parts[place] = msgspec.structs.replace(self.parts[place], **changes)

    def _ran(self, entry: ev.Entry) -> None:
        match entry.event:
            case ev.ToolStarted() as event:
                self._begin(("tool", event.call_id), Tool(entry.at, entry.seq, event.title, None, ""))
            case ev.ToolFinished() as event:
                self._grow(("tool", event.call_id), ok=event.ok, summary=event.summary)
            case ev.ShellStarted() as event:
                self._begin(("shell", event.id), Shell(entry.at, entry.seq, event.line, None, ""))
            case ev.ShellFinished() as event:
                self._grow(("shell", event.id), code=event.code, output=event.output)

    def _landing(self, entry: ev.Entry) -> None:
        match entry.event:
            case ev.LandingStarted() as event:
                kind: Literal["landing", "undo", "redo"] = (
                    "landing" if not event.undoes else "redo" if event.again else "undo"
                )
                paths = tuple(file.path for file in event.files)
                about = event.about or event.undoes
                part = Landing(entry.at, entry.seq, event.landing, kind, about, event.proposal, "open", paths)
                self._begin(("landing", event.landing), part)
            case ev.Landed(number):
                self._grow(("landing", number), outcome="landed")
            case ev.LandingAbandoned(number):
                self._grow(("landing", number), outcome="abandoned")

    def _proposal(self, entry: ev.Entry) -> None:
        match entry.event:
            case ev.ProposalMade() as event:
                old = self._patches.get(event.number)
                self._patches[event.number] = (event.patch, event.tree)
                if event.number in self._reviews:
                    self._reviews[event.number] = carried(self._reviews[event.number], event.patch)
                if old is not None and old[0] == event.patch:
                    # Only checked anew, over a newer tree: what was said of it before is about that one no more.
                    self._grow(("proposal", event.number), verdict=None, diagnosis="", note=event.note)
                    return
                part = Proposal(entry.at, entry.seq, event.number, event.attempt, event.note, event.diff, by=event.by)
                self._begin(("proposal", event.number), part)
            case ev.VerdictReached(number, verdict):
                if number in self._patches and verdict.tree == self._patches[number][1]:
                    self._grow(("proposal", number), verdict=_judged(verdict))
                elif verdict.tree and verdict.tree == self._taken.get(number, ("", None))[0]:
                    self._taken[number] = (verdict.tree, _judged(verdict))
            case ev.Diagnosed() as event:
                self._grow(("proposal", event.proposal), diagnosis=event.summary)
            case ev.Reviewed(number, changes) if number in self._patches:
                review = self._reviews[number] = remarked(self._reviews.get(number, Review()), changes)
                if entry.event.part_tree != self._taken.get(number, ("", None))[0]:
                    self._taken[number] = (entry.event.part_tree, None)
                self._grow(("proposal", number), remarks=_remarks(self._patches[number][0], review))
            case ev.Decided() as event:
                taken = self._taken.get(event.proposal, ("", None))[1] if event.of else None
                decision = Decision(entry.at, event.decision, event.by, event.reason, event.taken, event.of, taken)
                place = self._places.get(("proposal", event.proposal))
                old_part = self.parts[place] if place is not None else None
                if isinstance(old_part, Proposal):
                    decisions = (*old_part.decisions, decision)
                    self._grow(("proposal", event.proposal), decisions=decisions)

    def _outside(self, entry: ev.Entry) -> None:
        at, seq = entry.at, entry.seq
        match entry.event:
            case ev.HumanEdited() as event:
                self.parts.append(Edit(at, seq, event.path, event.kind, event.diff, event.by))
            case ev.FilesEdited() as event:
                self.parts.append(Note(at, seq, "info", capitalized(edits_words(event)), "\n".join(event.paths)))
            case ev.BranchChanged() as event:
                self.parts.append(Note(at, seq, "info", capitalized(move_words(event)), "\n".join(event.paths)))
            case ev.LandingWaits(_, reason) if reason:
                self.parts.append(Note(at, seq, "warning", reason, ""))
            case ev.RepairFound() as event:
                self.parts.append(Note(at, seq, "info", f"Found without a model: {event.says}", event.diff))

    def _note(self, entry: ev.Entry) -> None:
        level: ev.Level = "info"
        hint = ""
        match entry.event:
            case ev.Noted() as event:
                level, text, hint = event.level, event.text, event.hint
            case ev.BudgetReached() as event:
                level, text = "warning", budget_words(event)
            case ev.BudgetRaised() as event:
                text = raised_words(event)
            case ev.Forked() as event:
                text = f"Forked from session {event.session} at step {event.step}."
            case ev.ModeChanged(mode):
                text = f"Mode is now {mode}."
            case ev.PatchRejected() as event if not event.already:
                level, text = "warning", f"Patch refused: {event.message}"
            case ev.LandingConflicted() as event:
                level, text, hint = "error", event.message, "\n".join(event.conflicts)
            case ev.LandingTurned() as event:
                what = "landed again" if event.stands == "landed" else "taken back"
                text = f"Landing {event.landing} has been {what} from another session."
            case ev.HookFinished() as event if event.trouble:
                level, text, hint = "warning", event.trouble, event.output
            case ev.Committed() as event:
                text, hint = event.told, event.message.partition("\n")[2].strip()
            case ev.CommitDrafted(trouble=trouble, hint=why) if trouble:
                level, text, hint = "error", trouble, why
            case _:
                return
        self.parts.append(Note(entry.at, entry.seq, level, text, hint))


def _wished(
    event: ev.ApprovalAsked | ev.ApprovalGiven | ev.QuestionAsked | ev.QuestionAnswered | ev.PlanUpdated,
) -> tuple[str, str]:
    """What the partner wanted, asked or planned, and what was said of that: a line, and more."""
    match event:
        case ev.ApprovalAsked(_, command, action):
            return f"The partner wants to {WISHES[action]}: {command}", ""
        case ev.ApprovalGiven(_, allowed, rule, "rule", _, command):
            return f"{'Allowed' if allowed else 'Denied'} by the rule “{rule}”: {command}", ""
        case ev.ApprovalGiven(_, allowed, rule, _, reason):
            kept = f" Kept: {', '.join(rule.splitlines())}." if rule else ""
            return f"{'It was allowed.' if allowed else 'It was not allowed.'}{kept}", reason
        case ev.QuestionAsked(_, text, options):
            return f"The partner asks: {text}", "\n".join(options)
        case ev.QuestionAnswered(_, answer):
            return f"Answered: {answer}" if answer else "It was left to the partner.", ""
        case ev.PlanUpdated(steps):
            return f"Plan: {plan_words(steps)}", plan_text(steps)


def _told(findings: Iterable[Finding]) -> tuple[Told, ...]:
    return tuple(Told(one.check, one.place, one.code, one.message, one.detail) for one in findings)


def _judged(verdict: Verdict) -> Judged:
    return Judged(
        summary=verdict.summary,
        green=verdict.green,
        complete=verdict.complete,
        checks=tuple(Checked(one.check, one.outcome, one.summary) for one in verdict.results),
        broken=_told(verdict.broken),
        left=_told(verdict.targets_left),
        silenced=_told(verdict.silenced),
        fixed=_told(verdict.fixed),
        flaky=_told(verdict.flaky),
        known=len(verdict.known),
        notes=verdict.notes,
    )


def _remarks(patch: Patch, review: Review) -> tuple[Remark, ...]:
    return tuple(
        Remark(f"{file.path}:{block.new_start}", mark.comment)
        for file in patch.files
        for block in file.blocks
        if (mark := review.blocks.get(block.id)) is not None and mark.comment
    )
