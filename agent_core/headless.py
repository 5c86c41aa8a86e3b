"""``pairloop exec``: the same loop without a screen. Events as JSON lines, or readable lines."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Sequence
from textwrap import indent
from typing import Protocol, TextIO

from agent_core import commands
from agent_core import events as ev
from agent_core.checks.model import Blame, Verdict
from agent_core.errors import PairloopError, PartnerError
from agent_core.output import JsonWriter, complain, reader
from agent_core.outside_words import edits_words, move_words, who
from agent_core.partner_words import plan_text
from agent_core.session import Session
from agent_core.spent import budget_words, in_and_out, session_spent
from agent_core.state import State
from agent_core.text import counted, printable

GREEN, NOT_GREEN, USAGE, PARTNER, CONFLICT, UNJUDGED, BUDGET, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130
_NOBODY = "Nobody is there to ask: only what a rule in [permissions] allows is done."
_LONGEST_WAIT = 600.0
"""Seconds that a server may ask to wait."""
_LONGEST_AWAY = 30.0
"""Seconds that it is tried to reach a server that is not there."""
_SIGNS = {"passed": "✓", "failed": "✗"}


class Opener(Protocol):
    """Opens a session; `agent_core.build.Engine` is one."""

    async def open(self, resume: str | None) -> Session:
        """Open a session; see `agent_core.build.Engine.open`."""


class JsonLines:
    """Writes every event as one line of JSON: ``seq``, ``at``, and the event under ``event``."""

    def __init__(self, out: TextIO) -> None:
        self._writer = JsonWriter(out)

    def __call__(self, entry: ev.Entry, _state: State) -> None:
        """Write one event."""
        self._writer.write(entry)


class Lines:
    """Writes what a human wants to read, one thing a line."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._said = ""
        self._settings: ev.SettingsTold | None = None

    def __call__(self, entry: ev.Entry, _state: State) -> None:
        """Write what there is to say of one event; what a task ended with is not said right after it was said."""
        text = _line(entry.event)
        if isinstance(entry.event, ev.SettingsTold):
            if self._settings is not None and entry.event.tells_partner_alone(self._settings):
                text = entry.event.partner.name
            self._settings = entry.event
        said, self._said = self._said, text or self._said
        if text and not (isinstance(entry.event, ev.TaskFinished) and text in said):
            self._out.write(printable(text) + "\n")
            self._out.flush()


def _line(event: ev.AnyEvent) -> str:  # noqa: C901, PLR0911, PLR0912 - one arm an event reads best as one match
    """An event as a human reads it; empty for those that are not worth a line."""
    match event:
        case ev.SettingsTold(partner, mode, candidate, interpreter):
            return f"{partner.name} · mode {mode} · candidate: {candidate} · python: {interpreter}"
        case ev.AnswerFinished(text):
            return text.strip()
        case ev.AnswerVoided(offline=True, attempt=attempt) if attempt > 1:
            return ""  # it is tried every few seconds, which is worth one line
        case ev.AnswerVoided(reason, retry_in, attempt, most):
            which = f" ({attempt} of {most})" if most else ""
            when = "" if retry_in is None else f" Trying again in {max(retry_in, 1):.0f} s{which}."
            return f"! {reason}{when}"
        case ev.ToolStarted(_, _, title):
            return f"  > {title}"
        case ev.ToolFinished(_, False, summary):
            return f"  ✗ {summary}"
        case ev.PatchRejected(_, message, already):
            return f"already there: {message}" if already else f"✗ patch refused: {message}"
        case ev.ProposalMade(number, attempt, _, _, _, _, diff, note, by):
            whose = "found without a model" if by == "repair" else f"attempt {attempt}"
            return "\n".join(part for part in (f"proposal {number} ({whose})", note, diff.rstrip()) if part)
        case ev.RepairFound(_, says):
            return f"found without a model: {says}"
        case ev.CheckFinished("candidate", result):
            return f"  {_SIGNS.get(result.outcome, '!')} {result.check}: {result.summary} ({result.seconds:.1f} s)"
        case ev.CheckStaged("candidate", result):
            # What has been found so far is a word; that nothing has is none yet.
            sign = "✗" if result.outcome == "failed" and not result.early else "◌"
            return f"  {sign} {result.check}{', a quick look' if result.early else ''}: {result.summary}"
        case ev.VerdictReached(_, verdict):
            return f"{_sign(verdict)} {verdict.summary}"
        case ev.Blamed(_, _, blames, unneeded):
            return _blamed(blames, unneeded)
        case ev.Diagnosed(_, summary):
            return summary
        case ev.Reviewed(number, changes, trouble=trouble):
            marks = [mark for mark in changes.blocks.values() if mark is not None]
            taken, left = (sum(mark.taken is wish for mark in marks) for wish in (True, False))
            return f"  marked in proposal {number}: {taken} taken, {left} left{f'; {trouble}' if trouble else ''}"
        case ev.Withdrawn(_, text):
            return f"taken back: {text}"
        case ev.ShellStarted(_, line):
            return f"$ {line}"
        case ev.ShellFinished(_, code, output, _, killed):
            return f"{output.rstrip()}\n[{f'ended: {killed}' if killed else f'exit status {code}'}]".lstrip()
        case ev.LandingStarted(landing, _, _, files):
            return f"landing {landing}: {', '.join(file.path for file in files) or 'nothing to write'}"
        case ev.LandingConflicted(_, _, message, conflicts):
            return "\n  ".join((f"✗ {message}", *conflicts))
        case ev.Committed():
            return event.told
        case ev.CommitDrafted(trouble=trouble, hint=hint) if trouble:
            return f"✗ {trouble} {hint}".rstrip()
        case ev.HumanEdited(path, kind, by=by):
            return f"{who(by)} {kind} {path}"
        case ev.FilesEdited():
            return edits_words(event)
        case ev.BranchChanged():
            return move_words(event)
        case ev.LandingWaits(_, reason):
            return reason
        case ev.BudgetReached():
            return f"! {budget_words(event)} Nobody is there to allow more."
        case ev.Noted(level, text, hint):
            return f"{level}: {text} {hint}".rstrip()
        case ev.ApprovalAsked(_, command):
            return f"not done, as there is nobody to ask: {command}"
        case ev.ApprovalGiven(_, True, rule, "rule"):
            return f"    allowed by the rule “{rule}”"
        case ev.ApprovalGiven(_, False, rule, "rule", _, command):
            return f"denied by the rule “{rule}”: {command}"
        case ev.QuestionAsked(_, text, options):
            return "\n".join((f"? {text} (nobody is there: left to the partner)", *(f"  - {one}" for one in options)))
        case ev.PlanUpdated(steps):
            return f"plan:\n{indent(plan_text(steps), '  ')}"
        case ev.HookFinished() if event.trouble:
            return f"! {event.trouble}"
        case ev.TaskFinished(_, _, text):
            return text
        case _:
            return ""


def _blamed(blames: Sequence[Blame], unneeded: Sequence[str]) -> str:
    blocks = {block for blame in blames for block in blame.blocks}
    said = f"{counted(len(blames), 'failure')} from {counted(len(blocks), 'block')} of the patch" if blames else ""
    idle = f"no check needs {counted(len(unneeded), 'block')}" if unneeded else ""
    return f"  blame: {'; '.join(part for part in (said, idle) if part)}"


class _Driver:
    """Answers for the human who is not there, and knows how it ended."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ended = False
        self._away: float | None = None  # since when the partner cannot be reached
        self.code = NOT_GREEN
        self.last_word = ""

    def __call__(self, entry: ev.Entry, state: State) -> None:
        """Follow the session; ends it when there is nothing more to do without a human."""
        match entry.event:
            case ev.BudgetReached():
                self._session.submit(commands.RaiseBudget(-1.0))
            case ev.ApprovalAsked(call_id, _):
                self._session.submit(commands.Approve(call_id, allowed=False, reason=_NOBODY))
            case ev.QuestionAsked(call_id):
                self._session.submit(commands.Answer(call_id, ""))
            case ev.DecisionAwaited(number, why):
                if _goes_on(state):
                    return
                if state.proposal is not None and state.proposal.green:
                    unable = state.proposal.verdict.unable if state.proposal.verdict is not None else ()
                    well = f"breaks nothing ({', '.join(unable)} could not run)" if unable else "is green"
                    code = UNJUDGED if unable else GREEN
                    self._end(code, f"Proposal {number} {well} and waits for you: open pairloop here to review it.")
                else:
                    self._end(NOT_GREEN, f"Proposal {number} is not green: {why}. Open pairloop here to go on from it.")
            case ev.AnswerVoided():
                self._wait(entry.event, entry.at)
            case ev.TaskFinished(_, outcome, _, kind):
                self._end(_code(outcome, kind, state), _afterword(outcome, state))

    def _wait(self, voided: ev.AnswerVoided, at: float) -> None:
        """Wait for the partner, though not as long as a human may want to who can stop it."""
        self._away = None if not voided.offline else at if self._away is None else self._away
        seconds = voided.retry_in or 0.0
        longest = _LONGEST_WAIT if self._away is None else _LONGEST_AWAY - (at - self._away)
        if seconds > longest and not self._ended:
            why = f"is to be waited for {seconds:.0f} seconds" if self._away is None else "cannot be reached"
            self._ended, self.code = True, PARTNER
            self.last_word = f"Stopped: the partner {why}. Nothing was landed; open pairloop here to go on."
            self._session.submit(commands.Interrupt())
            self._session.submit(commands.Quit())

    def _end(self, code: int, word: str) -> None:
        if self._ended:
            return
        self._ended, self.code, self.last_word = True, code, word
        self._session.submit(commands.Quit())

    def interrupt(self) -> None:
        """Stop, because somebody pressed ctrl+c or reads no further; what has come to its end stays as it ended."""
        if self._ended:
            return
        self.code = INTERRUPTED
        self._session.submit(commands.Interrupt())
        self._session.submit(commands.Quit())


def _sign(verdict: Verdict) -> str:
    if not verdict.complete:
        return "◌"
    return ("!" if verdict.unable else "✓") if verdict.green else "✗"


def _goes_on(state: State) -> bool:
    """Whether checks are still at work on what waits: a human may decide by what is known so far, a script may not."""
    proposal = state.proposal
    if proposal is None or proposal.verdict is None or proposal.stale:
        return False
    return not proposal.verdict.complete


def _code(outcome: ev.TaskOutcome, kind: str, state: State) -> int:  # noqa: PLR0911 - one return an outcome
    verdict = state.proposal.verdict if state.proposal else None
    well = GREEN if verdict is not None and verdict.green else NOT_GREEN
    match outcome:
        case _ if kind == "budget":
            return BUDGET
        case "landed" | "green":
            return UNJUDGED if verdict is not None and verdict.green and verdict.unable else well
        case "not_green" if verdict is not None and verdict.green and verdict.unable:
            return UNJUDGED
        case "conflict":
            return CONFLICT
        case "interrupted":
            return INTERRUPTED
        case "failed":
            return PARTNER if kind else NOT_GREEN
        case _:
            return NOT_GREEN


def _afterword(outcome: ev.TaskOutcome, state: State) -> str:
    if outcome == "answered":
        return "The partner answered without proposing a change."
    if outcome == "landed" and state.undoable is not None:
        return f"Landed as landing {state.undoable.number}."
    return ""


class _Told:
    """Writes events for whoever reads; once nobody does, the work is stopped, as nobody would know of it.

    Args:
        write: Writes one event.
        out: Where it writes to.
        gone: Called when nobody reads any more.
    """

    def __init__(self, write: Callable[[ev.Entry, State], None], out: TextIO, gone: Callable[[], None]) -> None:
        self._write = write
        self._out = out
        self._gone = gone

    def __call__(self, entry: ev.Entry, state: State) -> None:
        """Write an event."""
        with reader(self._out, self._gone):
            self._write(entry, state)


async def execute(opener: Opener, task: str, *, json: bool, out: TextIO | None = None) -> int:
    """Work on one task without a screen.

    Args:
        opener: Opens the session.
        task: What is wanted; ``/name words`` where there is a command of that name of the human's or the project's own.
        json: Write events as JSON lines rather than readable lines.
        out: Where they go; standard output by default.

    Returns:
        The exit code: 0 green (and landed in mode ``auto``), 1 not green, 2 usage or configuration, 3 the partner could
        not be reached or refused, 4 a landing conflict, 5 a check could not judge, 6 a budget is used up, 130
        interrupted.
    """
    out = out or sys.stdout
    try:
        session = await opener.open(None)
    except PairloopError as error:
        complain(str(error))
        return PARTNER if isinstance(error, PartnerError) and error.kind != "script" else USAGE
    driver = _Driver(session)
    told = _Told(JsonLines(out) if json else Lines(out), out, driver.interrupt)
    session.subscribe(told)
    session.subscribe(driver)
    given = await asyncio.to_thread(session.custom.task, task)
    if given != task and not json:
        # What a file says is not to be done unseen.
        out.write(f"task: {printable(given)}\n")
    session.submit(commands.Ask(given))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            # As under nohup: whoever started it wants it to go on.
            continue
        # Not every loop can: off the main thread there is nobody to press ctrl+c either.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, driver.interrupt)
    await session.run()
    spent = session_spent(session.state)
    last = [driver.last_word, f"Spent: {in_and_out(spent)}." if spent.input or spent.output else ""]
    if any(last) and not json:
        with reader(out, driver.interrupt):
            out.write("".join(f"{word}\n" for word in last if word))
    return driver.code
