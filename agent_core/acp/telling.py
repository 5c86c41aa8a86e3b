"""Events as updates for an editor: what was said, called, proposed, judged, decided and landed."""

from __future__ import annotations

import re
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
    ToolCallLocation,
    ToolCallStatus,
    ToolKind,
    UsageUpdate,
)

from agent_core import events as ev
from agent_core.acp.diffs import diffs, locations
from agent_core.acp.outbox import Update
from agent_core.acp.told_checks import told_result, told_verdict
from agent_core.acp.words import aside, content, fenced, plain, title
from agent_core.landings import first_line
from agent_core.outside_words import capitalized, edits_words, move_words, who
from agent_core.state import ProposalState, State
from agent_core.text import printable

_KINDS: dict[str, ToolKind] = {
    "read_file": "read",
    "list_files": "search",
    "search": "search",
    "symbols": "search",
    "fetch": "fetch",
    "debug": "execute",
    "run_command": "execute",
    "run_checks": "execute",
}
_STANDS: dict[str, PlanEntryStatus] = {"open": "pending", "doing": "in_progress", "done": "completed"}
_PLACE = re.compile(r"read (?P<path>.+?)(?::(?P<line>\d+)(?:-\d*)?)?\Z")


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
        self._calls: dict[str, str] = {}
        self._checks: dict[str, str] = {}
        self._written: dict[str, str] = {}  # patches that are being written: call id -> id here
        self._streamed = False
        self._said = ""
        self._own: list[str] = []  # words that the editor shows already
        self._diffs: tuple[str, list[ContentToolCallContent | FileEditToolCallContent]] = ("", [])

    def tool(self, call_id: str) -> str:
        """Under which id the editor knows a tool call; providers give the same id twice."""
        return self._calls.get(call_id, f"call-{call_id}")

    def expect(self, text: str) -> None:
        """These words come from the editor, which shows them."""
        self._own.append(text)

    def hear(  # noqa: C901, PLR0912 - one arm an event reads best as one match
        self, entry: ev.Entry, state: State, *, live: bool
    ) -> None:
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
            case ev.PatchStreamed() | ev.PatchRejected():
                self._patch(entry, live=live)
            case ev.ToolStarted() | ev.ToolFinished() | ev.ShellStarted() | ev.ShellFinished():
                self._tool(entry)
            case ev.CheckStarted() | ev.CheckProgressed() | ev.CheckStaged() | ev.CheckFinished():
                self._check(entry, live=live)
            case ev.ProposalMade() | ev.VerdictReached() | ev.Diagnosed() | ev.Decided() | ev.LandingWaits():
                self._proposal(entry.event, state, live=live)
            case ev.LandingStarted() | ev.Landed() | ev.LandingAbandoned() | ev.LandingConflicted():
                self._landing(entry.event, state)
            case ev.PlanUpdated(steps):
                self._put(update_plan(plan_entry(plain(one.text), status=_STANDS[one.stands]) for one in steps))
            case ev.TaskFinished():
                self._finished(entry.event)
            case _:
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
                self._end_written("failed")
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

    def _finished(self, event: ev.TaskFinished) -> None:
        self._end_written("failed")
        # What is wrong with the partner is told by the answer to the prompt.
        if event.text and not event.kind and event.text.strip() not in self._said:
            self._note(event.text)

    def _besides(self, event: ev.AnyEvent) -> None:
        """What happened beside the work."""
        match event:
            case ev.Noted(level, text, hint):
                if level == "info":
                    self._put(update_agent_thought_text(aside(text, hint)))
                else:
                    self._note(text, hint)
            case ev.HumanEdited(path, kind, by=by):
                self._put(update_agent_thought_text(aside(f"{capitalized(who(by))} {kind} {path}.")))
            case ev.FilesEdited():
                self._put(update_agent_thought_text(aside(f"{capitalized(edits_words(event))}.")))
            case ev.BranchChanged():
                self._put(update_agent_thought_text(aside(f"{capitalized(move_words(event))}.")))
            case ev.Committed():
                self._note(event.told)
            case ev.CommitDrafted(trouble=trouble, hint=hint) if trouble:
                self._note(trouble, hint)
            case ev.BudgetReached(scope, spent):
                self._note(f"The budget of this {scope} is used up: {spent:.2f} dollars so far.")
            case ev.HookFinished(name, on, code, output, _, killed) if code or killed:
                self._note(f"Hook {name} failed on {on}: {killed or f'exit status {code}'}.", output)
            case ev.QuestionAsked(text=text, options=options):
                listed = "".join(f"\n- {plain(option)}" for option in options)
                self._put(update_agent_message_text(f"\n\n{plain(text)}{listed}\n\n"))
            case _:
                pass

    # -- what is called and run

    def _tool(self, entry: ev.Entry) -> None:
        match entry.event:
            case ev.ToolStarted(call_id, name, told):
                here = self._calls[call_id] = f"call-{entry.seq}"
                kind = _KINDS.get(name, "read" if name.startswith("git") else "other")
                self._put(
                    start_tool_call(
                        here, title(told), kind=kind, status="in_progress", locations=self._places(told) or None
                    )
                )
            case ev.ToolFinished(call_id, ok, summary):
                status: ToolCallStatus = "completed" if ok else "failed"
                self._put(update_tool_call(self.tool(call_id), status=status, content=[content(plain(summary))]))
            case ev.ShellStarted(name, line):
                here = self._calls[name] = f"shell-{entry.seq}"
                self._put(start_tool_call(here, title(f"$ {line}"), kind="execute", status="in_progress"))
            case ev.ShellFinished(name, code, output, _, killed):
                how = f"ended: {killed}" if killed else f"exit status {code}"
                shown = content(f"{fenced(output)}\n\n{plain(how)}")
                status = "failed" if code or killed else "completed"
                self._put(update_tool_call(self.tool(name), status=status, content=[shown]))

    def _places(self, told: str) -> list[ToolCallLocation]:
        found = _PLACE.match(told)
        if found is None or not (path := self._root / found["path"]).is_file():
            return []
        return [ToolCallLocation(path=str(path), line=int(found["line"]) if found["line"] else None)]

    def _patch(self, entry: ev.Entry, *, live: bool) -> None:
        match entry.event:
            case ev.PatchStreamed(call_id) if live and call_id not in self._written:
                here = self._written[call_id] = f"patch-{entry.seq}"
                self._put(start_tool_call(here, "Write a patch", kind="edit", status="in_progress"))
            case ev.PatchRejected(call_id, message, already):
                here = self._written.pop(call_id, "")
                if not here:
                    here = f"patch-{entry.seq}"
                    self._put(start_tool_call(here, "Write a patch", kind="edit", status="in_progress"))
                words = "The patch asks for nothing new" if already else "The patch was refused"
                status: ToolCallStatus = "completed" if already else "failed"
                self._put(update_tool_call(here, title=words, status=status, content=[content(fenced(message))]))

    def _end_written(self, status: ToolCallStatus) -> None:
        for here in self._written.values():
            self._put(update_tool_call(here, status=status))
        self._written.clear()

    # -- what is judged

    def _check(self, entry: ev.Entry, *, live: bool) -> None:
        match entry.event:
            case ev.CheckStarted(check, "candidate"):
                here = self._checks[check] = f"check-{entry.seq}"
                self._put(start_tool_call(here, f"Check {title(check)}", kind="execute", status="in_progress"))
            case ev.CheckProgressed(check, "candidate", done, total) if live and check in self._checks:
                far = f"{done} of {total}" if total else f"{done}"
                self._put(update_tool_call(self._checks[check], title=f"Check {title(check)}: {far}"))
            case ev.CheckStaged("candidate", result) if result.check in self._checks:
                shown = [content(told_result(result))]
                self._put(update_tool_call(self._checks[result.check], content=shown))
            case ev.CheckFinished("candidate", result) if here := self._checks.pop(result.check, ""):
                status: ToolCallStatus = (
                    "completed" if result.outcome in {"passed", "no_tests", "skipped"} else "failed"
                )
                words = f"Check {title(result.check)}: {title(result.summary)}"
                self._put(update_tool_call(here, title=words, status=status, content=[content(told_result(result))]))

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
                self._end_written("completed")
                paths = ", ".join(file.path for file in event.patch.files)
                told, places = title(f"{name}: {paths}"), locations(event.patch, self._root) or None
                shown = self.proposal(proposal)
                self._put(start_tool_call(here, told, kind="edit", status="pending", content=shown, locations=places))
            case ev.VerdictReached(_, verdict):
                told = title(f"{name}: {verdict.summary}")
                self._put(update_tool_call(here, title=told, content=self.proposal(proposal)))
            case ev.Diagnosed():
                self._put(update_tool_call(here, content=self.proposal(proposal)))
            case ev.LandingWaits(_, reason) if reason:
                self._note(reason)
            case ev.Decided(_, decision, by, reason):
                verb = {"accept": "accepted", "reject": "rejected", "steer": "sent back"}[decision]
                told = title(f"{name}: {verb}{f' ({reason})' if reason and by == 'human' else ''}")
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
