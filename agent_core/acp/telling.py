"""Events as updates for an editor: what was said, called, proposed, judged, decided and landed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from acp import (
    plan_entry,
    start_tool_call,
    update_agent_message_text,
    update_agent_thought_text,
    update_plan,
    update_tool_call,
    update_user_message_text,
)
from acp.schema import (
    ContentToolCallContent,
    Cost,
    FileEditToolCallContent,
    PlanEntryStatus,
    SessionInfoUpdate,
    ToolCallStatus,
    UsageUpdate,
)

from agent_core import events as ev
from agent_core.acp.diffs import diffs, locations
from agent_core.acp.outbox import Update
from agent_core.acp.told_checks import told_verdict
from agent_core.acp.told_work import Work
from agent_core.acp.words import aside, content, plain, title
from agent_core.landings import first_line
from agent_core.outside_words import capitalized, edits_words, move_words, who
from agent_core.state import ProposalState, State
from agent_core.text import printable

_NO_ERROR = ("", "budget")
"""Kinds of failures of a task that are told in the chat; of the others the answer to the prompt tells."""
_STANDS: dict[str, PlanEntryStatus] = {"open": "pending", "doing": "in_progress", "done": "completed"}


class Teller:
    """Makes updates of the events of one session.

    Args:
        root: The project's folder.
        read: Gives content by hash.
        put: Takes the updates.
    """

    def __init__(self, root: Path, read: Callable[[str], bytes], put: Callable[[Update], None]) -> None:
        self._root = root
        self._read = read
        self._put = put
        self._proposed: set[int] = set()
        self._work = Work(root, put)
        self._streamed = False
        self._said = ""
        self._own: list[str] = []  # words that the editor shows already
        self._diffs: tuple[str, list[ContentToolCallContent | FileEditToolCallContent]] = ("", [])

    def tool(self, call_id: str) -> str:
        """Under which id the editor knows a tool call; providers give the same id twice."""
        return self._work.tool(call_id)

    def expect(self, text: str) -> None:
        """These words come from the editor, which shows them."""
        self._own.append(text)

    def hear(self, entry: ev.Entry, state: State, *, live: bool) -> None:
        """Tell an event.

        Args:
            entry: The event.
            state: The state right after it.
            live: It happens now; else it is told from the journal, and what it led to follows.
        """
        match entry.event:
            case ev.TextStreamed() | ev.ReasoningStreamed() | ev.AnswerFinished() | ev.AnswerVoided():
                self._talk(entry.event, state, live=live)
            case ev.Asked(task, text):
                if task == 1:
                    self._put(SessionInfoUpdate(session_update="session_info_update", title=title(first_line(text))))
                self._heard(text)
            case ev.Steered(text):
                self._heard(text)
            case ev.QuestionAnswered(answer=answer) if answer and not live:
                self._put(update_user_message_text(printable(answer)))
            case ev.ProposalMade() | ev.VerdictReached() | ev.Diagnosed() | ev.Decided() | ev.LandingWaits():
                self._proposal(entry.event, state, live=live)
            case ev.LandingStarted() | ev.Landed() | ev.LandingAbandoned() | ev.LandingConflicted():
                self._landing(entry.event, state)
            case ev.PlanUpdated(steps):
                self._put(update_plan(plan_entry(plain(one.text), status=_STANDS[one.stands]) for one in steps))
            case ev.TaskFinished():
                self._finished(entry.event, state)
            case ev.SessionResumed():
                self._work.cut_off()
            case _:
                if not self._work.hear(entry, live=live):
                    self._besides(entry.event)

    def proposal(self, proposal: ProposalState) -> list[ContentToolCallContent | FileEditToolCallContent]:
        """What an editor shows of a proposal: its verdict and what is known of it, and its diffs."""
        parts = [told_verdict(proposal.verdict)] if proposal.verdict is not None else ["It is checked."]
        parts += [plain(text) for text in (proposal.note, proposal.diagnosis) if text]
        if self._diffs[0] != proposal.tree:
            self._diffs = proposal.tree, diffs(proposal.patch, self._root, self._read)
        return [content("\n\n".join(parts)), *self._diffs[1]]

    # -- what is said

    def _talk(
        self,
        event: ev.TextStreamed | ev.ReasoningStreamed | ev.AnswerFinished | ev.AnswerVoided,
        state: State,
        *,
        live: bool,
    ) -> None:
        match event:
            case ev.TextStreamed(text) if live:
                self._streamed = True
                self._put(update_agent_message_text(printable(text)))
            case ev.ReasoningStreamed(text):
                self._put(update_agent_thought_text(printable(text)))
            case ev.AnswerFinished(text):
                if text and not self._streamed:
                    self._put(update_agent_message_text(printable(text)))
                self._said, self._streamed = text.strip(), False
                if text:
                    # What is said next is another message.
                    self._put(update_agent_message_text("\n\n"))
                self._spent(state)
            case ev.AnswerVoided(reason, retry_in):
                again = "" if retry_in is None else f"The request is sent again in {max(retry_in, 1):.0f} s."
                void = "What was said of this answer does not count." if self._streamed else ""
                self._note(f"{reason} {void}".strip(), again)
                self._streamed = False
                self._work.end_written("failed")
            case _:
                pass

    def _heard(self, text: str) -> None:
        if text in self._own:
            self._own.remove(text)
        else:
            self._put(update_user_message_text(printable(text)))

    def _spent(self, state: State) -> None:
        window = state.partner.window if state.partner is not None else 0
        if not window:
            return
        dollars = state.usage.cost
        cost = None if dollars is None else Cost(amount=round(dollars, 6), currency="USD")
        self._put(UsageUpdate(session_update="usage_update", used=state.size.tokens, size=window, cost=cost))

    def _note(self, text: str, hint: str = "") -> None:
        self._put(update_agent_message_text(aside(text, hint)))

    def _finished(self, event: ev.TaskFinished, state: State) -> None:
        self._work.cut_off()
        proposal = state.proposal
        if proposal is not None and proposal.task == event.task and proposal.decision is None:
            self._put(update_tool_call(proposal_id(proposal.number), status="failed"))
        if event.text and event.kind in _NO_ERROR and event.text.strip() not in self._said:
            self._note(event.text)

    def _besides(self, event: ev.AnyEvent) -> None:
        """What happened beside the work."""
        match event:
            case ev.Noted(_, text, hint):
                self._note(text, hint)
            case ev.ApprovalGiven(allowed=allowed, rule=rule, by="rule"):
                told = "Allowed" if allowed else "Not allowed"
                self._put(update_agent_thought_text(aside(f"{told} by the rule {rule}.")))
            case ev.HumanEdited(path, kind, by=by):
                self._put(update_agent_thought_text(aside(f"{capitalized(who(by))} {kind} {path}.")))
            case ev.FilesEdited():
                self._put(update_agent_thought_text(aside(f"{capitalized(edits_words(event))}.")))
            case ev.BranchChanged():
                self._put(update_agent_thought_text(aside(f"{capitalized(move_words(event))}.")))
            case ev.RepairFound(_, says):
                self._note(f"Found without a model: {plain(says)}", "/repair has it proposed.")
            case ev.Committed():
                self._note(event.told)
            case ev.CommitDrafted(trouble=trouble, hint=hint) if trouble:
                self._note(trouble, hint)
            case ev.HookFinished() if event.trouble:
                self._note(event.trouble, event.output)
            case ev.QuestionAsked(text=text, options=options):
                listed = "".join(f"\n- {plain(option)}" for option in options)
                self._put(update_agent_message_text(f"\n\n{plain(text)}{listed}\n\n"))
            case _:
                pass

    # -- what is proposed, decided on, landed

    def _proposal(
        self,
        event: ev.ProposalMade | ev.VerdictReached | ev.Diagnosed | ev.Decided | ev.LandingWaits,
        state: State,
        *,
        live: bool,
    ) -> None:
        number = event.number if isinstance(event, ev.ProposalMade) else event.proposal
        proposal = next((one for one in state.proposals if one.number == number), None)
        if proposal is None:
            return
        here, name = proposal_id(number), f"Proposal {number}"
        match event:
            case ev.ProposalMade():
                self._work.end_written("completed")
                paths = ", ".join(file.path for file in event.patch.files)
                told, places = title(f"{name}: {paths}"), locations(event.patch, self._root) or None
                shown = self.proposal(proposal)
                again = number in self._proposed
                self._proposed.add(number)
                tell = update_tool_call if again else start_tool_call
                self._put(tell(here, title=told, kind="edit", status="pending", content=shown, locations=places))
            case ev.VerdictReached(_, verdict):
                told = title(f"{name}: {verdict.summary}")
                self._put(update_tool_call(here, title=told, content=self.proposal(proposal)))
            case ev.Diagnosed():
                self._put(update_tool_call(here, content=self.proposal(proposal)))
            case ev.LandingWaits(_, reason) if reason:
                self._note(reason)
            case ev.Decided(_, decision, by, reason):
                told = title(f"{name}: {ev.DECIDED[decision]}{f' ({reason})' if reason and by == 'human' else ''}")
                status: ToolCallStatus = "in_progress" if decision == "accept" else "failed"
                self._put(update_tool_call(here, title=told, status=status))
                if reason and by == "human" and not live:
                    self._put(update_user_message_text(printable(reason)))
            case _:
                pass

    def _landing(
        self, event: ev.LandingStarted | ev.Landed | ev.LandingAbandoned | ev.LandingConflicted, state: State
    ) -> None:
        if isinstance(event, ev.LandingConflicted):
            if event.proposal:
                told = title(f"Proposal {event.proposal} could not land")
                self._put(update_tool_call(proposal_id(event.proposal), title=told, status="pending"))
            self._note("\n".join((event.message, *event.conflicts)), event.hint)
            return
        landing = next((one for one in state.landings if one.number == event.landing), None)
        if landing is None or isinstance(event, ev.LandingStarted):
            return
        files = ", ".join(file.path for file in landing.files) or "nothing to write"
        if isinstance(event, ev.LandingAbandoned):
            if landing.proposal:
                self._put(update_tool_call(proposal_id(landing.proposal), status="failed"))
            self._note(f"Landing {landing.number} was given up: {event.reason}.")
        elif landing.undoes:
            what = "landed again" if landing.again else "taken back"
            self._note(f"Landing {landing.about or landing.undoes} was {what}: {files}.")
        else:
            told = title(f"Proposal {landing.proposal} landed (landing {landing.number}): {files}")
            self._put(update_tool_call(proposal_id(landing.proposal), title=told, status="completed"))


def proposal_id(number: int) -> str:
    """Under which id the editor knows a proposal."""
    return f"proposal-{number}"
