"""What happens, as sentences: each event that matters once, in the order of events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from agent_core import events as ev
from agent_core.chat_entries import Notice, Ran
from agent_core.checks.model import Verdict
from agent_core.comments.words import ARROW
from agent_core.outside_words import edits_words, move_words, who
from agent_core.state import ProposalState, State
from agent_core.text import cap_text, counted
from agent_core.tools.plan import UpdatePlan
from tui.plain.diff import Content, diff_of, parts_of, size_of
from tui.plain.wishes import wish_words
from tui.plain.words import enumeration, numbers, sentence

_DIFF_LINES = 80
_OUTPUT_TOKENS = 1_000
_REFUSED_LINES = 3
_PATHS = 5
Say = Callable[..., None]


class Teller:
    """Tells a session's events; what was told once is not told again.

    Args:
        say: Writes lines.
        content: Gives content by hash.
    """

    def __init__(self, say: Say, content: Content) -> None:
        self._say = say
        self._content = content
        self._streamed = ""
        self._told = 0  # characters of it that were told
        self._tools: dict[str, tuple[str, str]] = {}
        self._proposals: set[int] = set()
        self._chat = 0
        self._settings: ev.SettingsTold | None = None
        self._trouble = ""
        self._edits: list[tuple[str, str, str]] = []
        self.last_run: Ran | None = None
        """The human's command that ended last."""

    def begin(self, state: State) -> None:
        """Say what a session that goes on is about."""
        self._chat = len(state.chat)
        self._proposals = {one.number for one in state.proposals}
        if state.tasks:
            self._say(f"This session's last task: {state.tasks[-1].text}")

    def settings(self, settings: ev.SettingsTold, project: str) -> None:
        """Say what is in force."""
        partner = settings.partner
        model = f", model {partner.model}" if partner.model and partner.model != partner.name else ""
        before, self._settings = self._settings, settings
        if before is not None and settings.tells_partner_alone(before):
            was = before.partner
            if (was.name, was.model) != (partner.name, partner.model):
                self._say(f"Partner: {partner.name}{model}.")
            return
        self._say(
            f"pairloop in {project}.",
            f"Partner: {partner.name}{model}. Mode: {settings.mode}.",
            f"Proposals are checked in: {settings.candidate}. Python: {settings.interpreter}.",
        )

    def tell(self, event: ev.AnyEvent, state: State) -> None:
        """Tell of an event.

        Args:
            event: What happened.
            state: What is true since.
        """
        notice = self._notice(state)
        match event:
            case ev.SettingsTold():
                self.settings(event, state.project)
            case ev.Asked(number, _):
                self._pointed(event)
                self._say(f"Task {number} begins.")
            case ev.Steered():
                self._pointed(event)
                self._say("The partner hears that at its next step.")
            case ev.Withdrawn(_, text):
                self._say(f"Taken back: {text}")
            case ev.ShellStarted():
                self._say("It runs in the sandbox; nothing that it writes stays.")
            case ev.ShellFinished():
                self._shell(event, state)
            case ev.LessonProposed(lesson):
                number = next((at for at, one in enumerate(state.lessons, 1) if one.lesson.id == lesson.id), 0)
                self._say(f"Worth remembering, lesson {number}? {sentence(lesson.text)}")
            case ev.LessonSettled(_, kept):
                self._say("It is remembered for later sessions." if kept else "It is not remembered.")
            case ev.HumanEdited() | ev.FilesEdited() | ev.BranchChanged():
                self._outside(event)
            case _:
                if not self._of_partner(event) and not self._of_proposal(event, state):
                    # The fold has words for the rest, where it is worth any.
                    self._notice_told(notice)

    def _pointed(self, said: ev.Asked | ev.Steered) -> None:
        """Say what the human wrote in the code, as nobody typed it here."""
        if said.markers:
            self._say("Your comment in the code:" if len(said.markers) == 1 else "Your comments in the code:")
            self._say(*(f"  {line.replace(ARROW, 'at')}" for line in said.text.split("\n")))

    def _voided(self, event: ev.AnswerVoided) -> None:
        self._finish(self._streamed)
        if event.offline and event.attempt > 1:
            return  # it is tried every few seconds, which is worth one word
        when = ""
        if event.retry_in is not None:
            seconds = counted(max(round(event.retry_in), 1), "second")
            which = f", {event.attempt} of {event.most}" if event.most else ""
            until = ", and on until it is there" if event.offline else which
            when = f" Trying again in {seconds}{until}. Say retry to have it now, or stop."
        self._say(f"{sentence(event.reason)}{when}")

    def _of_partner(self, event: ev.AnyEvent) -> bool:
        """Tell what the partner says and does; gives whether there is nothing more to say of it."""
        match event:
            case ev.TextStreamed(text):
                self._stream(text)
            case ev.AnswerVoided():
                self._voided(event)
            case ev.AnswerFinished(text):
                self._finish(text)
            case ev.ToolStarted(call_id, name, title):
                self._tools[call_id] = (name, title)
            case ev.ToolFinished(call_id, ok, summary):
                name, title = self._tools.pop(call_id, ("", ""))
                # A plan that was taken has been told as such.
                if not (ok and name == UpdatePlan.spec.name):
                    self._say(sentence(f"Tool{'' if ok else ' failed'}, {title}: {summary or 'done'}"))
            case ev.ApprovalGiven() | ev.QuestionAnswered() | ev.PlanUpdated():
                self._say(*wish_words(event))
            case ev.PatchRejected(_, message, already):
                self._refused(message, already=already)
            case ev.TaskFinished():
                self._finish(self._streamed)
                return False
            case _:
                return False
        return True

    def _of_proposal(self, event: ev.AnyEvent, state: State) -> bool:
        """Tell of a proposal and its checks; gives whether there is nothing more to say of it."""
        match event:
            case ev.ProposalMade():
                self._proposed(event, state)
            case ev.CheckFinished("candidate", result):
                said = sentence(f"Check {result.check}: {result.outcome.replace('_', ' ')}, {result.summary}")
                self._say(f"{said} It took {result.seconds:.1f} seconds.")
            case ev.CheckStaged("candidate", result):
                if result.outcome == "failed":
                    self._say(sentence(f"Check {result.check} so far: {result.summary}"))
            case ev.VerdictReached(number, verdict):
                self._judged(number, verdict, state)
            case ev.Blamed():
                self._blamed(event, state)
            case ev.Diagnosed(_, summary):
                self._say(f"Diagnosis: {sentence(summary)}")
            case ev.Reviewed():
                self._reviewed(event)
            case _:
                return False
        return True

    def _outside(self, event: ev.HumanEdited | ev.FilesEdited | ev.BranchChanged) -> None:
        if isinstance(event, ev.HumanEdited):
            self._edits.append((who(event.by), event.kind, event.path))
        else:
            self._say(sentence(move_words(event) if isinstance(event, ev.BranchChanged) else edits_words(event)))

    def tell_edits(self) -> None:
        """Tell what others changed since this was last called: many files may change at once."""
        edits, self._edits = self._edits, []
        for by, wanted in dict.fromkeys((by, kind) for by, kind, _ in edits):
            paths = list(dict.fromkeys(path for one, kind, path in edits if (one, kind) == (by, wanted)))
            more = [counted(len(paths) - _PATHS, "other file")] if len(paths) > _PATHS else []
            self._say(sentence(f"{by} {wanted} {enumeration([*paths[:_PATHS], *more])}"))

    # -- what the fold says

    def _notice(self, state: State) -> Notice | None:
        """What pairloop itself says of the newest event, if it does."""
        new, self._chat = state.chat[self._chat :], len(state.chat)
        return new[-1] if new and isinstance(new[-1], Notice) else None

    def _notice_told(self, notice: Notice | None) -> None:
        if notice is None:
            return
        level = {"warning": "Warning: ", "error": "Error: "}.get(notice.level, "") if notice.about == "note" else ""
        self._say(f"{level}{sentence(notice.text)}")
        if notice.hint:
            self._say(notice.hint)

    # -- the partner

    def _stream(self, text: str) -> None:
        """Whole lines are told as they come; a line is not told in pieces."""
        self._streamed += text
        end = self._streamed.rfind("\n") + 1
        if end > self._told:
            self._speak(self._streamed[self._told : end])

    def _finish(self, text: str) -> None:
        """Tell what is left to be told of an answer."""
        told = self._streamed[: self._told]
        if text.startswith(told):
            self._speak(text[len(told) :])
        elif text.strip() != told.strip():
            self._told = 0
            self._speak(text)
        self._streamed, self._told = "", 0

    def _speak(self, text: str) -> None:
        lines = [line for line in text.split("\n") if line.strip()]
        if lines:
            first = "" if self._streamed[: self._told].strip() else "Partner: "
            self._say(first + lines[0], *lines[1:])
        self._told += len(text)

    def _refused(self, message: str, *, already: bool) -> None:
        if already:
            self._say("The patch asks for nothing new: it is all there already.")
            return
        lines = message.strip().splitlines() or ["no reason was given"]
        self._say(f"The patch was refused: {lines[0]}", *lines[1:_REFUSED_LINES])

    # -- proposals

    def _proposed(self, event: ev.ProposalMade, state: State) -> None:
        proposal = state.proposal
        assert proposal is not None
        self._trouble = ""
        if event.number in self._proposals:
            self._say(f"Proposal {event.number} is another now, and is checked anew.")
            return
        self._proposals.add(event.number)
        whose = "found without a model" if event.by == "repair" else f"attempt {event.attempt}"
        self._say(f"Proposal {event.number}, {whose}: {size_of(event.patch)}.")
        if event.note:
            self._say(event.note)
        self._say(*bounded(diff_of(proposal, self._content), _DIFF_LINES, "Show the diff for all of it."))

    def _judged(self, number: int, verdict: Verdict, state: State) -> None:
        """The last word on a tree, or that an earlier word was the last one; what goes on is told by the question."""
        if not verdict.complete:
            return
        proposal = next((one for one in state.proposals if one.number == number), None)
        part = proposal is not None and verdict.tree == proposal.part_tree
        self._say(f"Verdict on {'what you took of ' if part else ''}proposal {number}: {sentence(verdict.summary)}")

    def _blamed(self, event: ev.Blamed, state: State) -> None:
        proposal = next((one for one in state.proposals if one.number == event.proposal), None)
        if proposal is None:
            return
        for names, words in (
            ({name for blame in event.blames for name in blame.blocks}, "The failures come from block"),
            (set(event.unneeded), "No check needs block"),
        ):
            if found := block_numbers(proposal, names):
                self._say(f"{words}{'' if len(found) == 1 else 's'} {numbers(found)}.")

    def _reviewed(self, event: ev.Reviewed) -> None:
        if event.trouble and event.trouble != self._trouble:
            self._say(f"What you took cannot land by itself: {sentence(event.trouble)}")
        self._trouble = event.trouble

    def _shell(self, event: ev.ShellFinished, state: State) -> None:
        ran = next((one for one in reversed(state.chat) if isinstance(one, Ran) and one.id == event.id), None)
        self.last_run = ran
        end = f"it was ended, {event.killed}" if event.killed else f"exit status {event.code}"
        line = ran.line if ran is not None else "the command"
        if output := event.output.rstrip():
            self._say(f"Output of {line}", *cap_text(output, _OUTPUT_TOKENS).splitlines())
            self._say(f"End of the output, {end}. Type share to give it to the partner with your next words.")
        else:
            self._say(f"No output of {line}, {end}.")


def block_numbers(proposal: ProposalState, names: set[str]) -> list[int]:
    """The numbers of blocks in a proposal, by their ids."""
    return [part.number for part in parts_of(proposal.patch) if part.block is not None and part.block.id in names]


def bounded(lines: Iterator[str], most: int, rest: str) -> Iterator[str]:
    """The first of some lines; how many more there are, and what shows them."""
    yield from islice(lines, most)
    if more := sum(1 for _ in lines):
        yield f"{counted(more, 'more line')} left out. {rest}"
