"""Committing landings: whose, with what message, and what is told of it.

`CommitService` knows a project and no session; `Committing` is how a session uses it, at the human's word or (with
``git.commit``) after each landing.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine, Sequence
from pathlib import Path

from agent_core import commands
from agent_core import events as ev
from agent_core.aside import Asker
from agent_core.config_tables import Config
from agent_core.errors import CommitError, JournalError, PairloopError
from agent_core.journal import SqliteJournal
from agent_core.landing_log import LandingLog, LandingRecord
from agent_core.landing_report import landing_patch
from agent_core.masking import Masker
from agent_core.parts import Emit, Parts
from agent_core.patch.diff import unified
from agent_core.prompt.commit_message import (
    INSTRUCTIONS,
    LOOKED_AT,
    made_from,
    read_answer,
    request_text,
    with_trailer,
)
from agent_core.state import State
from agent_core.workspace.git_commit import GitCommits, Made
from agent_core.workspace.landing import COMMITTING, Lander

_DRAFT_SECONDS = 30.0
_LONG = 2.0
"""So many seconds after which it is said that a commit is under way."""
log = logging.getLogger(__name__)


class CommitService:
    """Commits landings of a whole project, whichever session made them.

    Args:
        root: The project's folder.
        journal: The project's journal.
        lander: Its lock is held meanwhile, as hooks may put the human's files aside for a moment.
        emit: Adds an event.
        terminal: Nothing else has the terminal: whoever signs may ask there for a passphrase.
    """

    def __init__(
        self, root: Path, journal: SqliteJournal, lander: Lander, emit: Emit, *, terminal: bool = False
    ) -> None:
        self._journal = journal
        self._lander = lander
        self._emit = emit
        self.git = GitCommits(root, journal.get, terminal=terminal)

    async def meant(self, number: int, session: str | None = None) -> tuple[LandingRecord, ...]:
        """What goes into a commit of a landing: it, and what it builds on that is in no commit yet; oldest first.

        Args:
            number: Its number; 0 for the last one that waits to be committed.
            session: With the number 0: only one of that session.

        Raises:
            LandingUnknownError: There is none such.
            CommitError: It cannot be committed; says why and what to do.
        """
        records = LandingLog(self._journal.landings())
        wanted = records.to_commit(number, session)
        if wanted.commit and await self.git.contains(wanted.commit):
            raise CommitError(f"Landing {wanted.number} is committed already, in {wanted.commit[:8]}.")
        together: tuple[LandingRecord, ...] = (wanted,)
        earlier = [one for one in records.uncommitted() if one.number < wanted.number]
        while True:
            try:
                ready = await self.git.ready(together)
            except CommitError as error:
                # What cannot be told from what is not committed may be told with another landing that is not, either.
                below = next((one for one in reversed(earlier) if _touches(one, error.paths)), None)
                if below is None:
                    raise
                earlier.remove(below)
                together = tuple(sorted((below, *together), key=lambda one: one.number))
                continue
            if not ready.changes:
                raise CommitError(f"There is nothing to commit: the last commit has all of landing {wanted.number}.")
            return together

    def diff(self, landings: Sequence[LandingRecord]) -> str:
        """What landings wrote, as a unified diff."""
        get = self._journal.get
        return "".join(unified(landing_patch(one.files, get), get) for one in landings)

    async def commit(self, landings: Sequence[LandingRecord], message: str) -> Made:
        """Commit landings, and tell of it.

        Args:
            landings: As `meant` gives them.
            message: What the commit says.

        Raises:
            CommitError: Nothing was committed; says why and what to do.
            LandingConflictError: Another pairloop lands for too long.
        """
        async with self._lander.locked(COMMITTING):
            made = await self.git.commit(landings, message)
            for one in landings:
                committed = ev.Committed(one.number, made.commit, made.message, made.branch)
                self._emit(committed, durable=True)
        if made.altered:
            paths = ", ".join(made.altered)
            self._emit(ev.Noted("warning", f"A hook changed what was committed: {paths}.", "git show has it."))
        if made.said:
            self._emit(ev.Noted("info", "The commit's hooks said:", made.said))
        if not made.branch:
            hint = "`git switch -c NAME` makes one that does."
            self._emit(ev.Noted("warning", f"No branch holds commit {made.commit[:8]}.", hint))
        return made


class Drafter:
    """Writes messages of commits in a project's own style.

    Args:
        service: Knows the project.
        asker: Asks the partner; None to do without.
        config: The settings.
    """

    def __init__(self, service: CommitService, asker: Asker | None, config: Config) -> None:
        self._service = service
        self._asker = asker
        self._trailer = config.git.trailer
        self._mask = Masker(os.environ, config.partner.key_env)

    async def draft(self, landings: Sequence[LandingRecord], task: str) -> str:
        """A message; made from the task where the partner has none to give.

        Args:
            landings: What is to be committed.
            task: What the human had asked for; may be empty.
        """
        subjects = await self._service.git.log(LOOKED_AT)
        said = await self._asked(landings, task, subjects)
        message = read_answer(said)
        if not message:
            paths = [file.path for one in landings for file in one.files]
            message = made_from(task, list(dict.fromkeys(paths)), subjects)
        # What the human asked for may have a key in it, and a commit is not easily taken back.
        return with_trailer(self._mask(message), self._signed())

    async def _asked(self, landings: Sequence[LandingRecord], task: str, subjects: Sequence[str]) -> str:
        if self._asker is None:
            return ""
        diff = await asyncio.to_thread(self._service.diff, landings)
        text = self._mask(request_text(task, diff, subjects))
        key = f"commit-{landings[-1].number}"
        try:
            said = await self._asker.ask("commit", INSTRUCTIONS, text, cache_key=key, seconds=_DRAFT_SECONDS)
        except PairloopError as error:
            log.info("no message from the partner: %s", error)
            return ""
        return said.text

    def _signed(self) -> str:
        """The trailer, filled in."""
        info = self._asker.info if self._asker is not None else None
        name, model = (info.name, info.model or info.name) if info is not None else ("pairloop", "pairloop")
        return self._trailer.replace("{partner}", name).replace("{model}", model) if self._trailer else ""


class Committing:
    """Commits for one session; what comes of it is in its events.

    Args:
        parts: The session's parts.
        lander: Writes to the working tree.
    """

    def __init__(self, parts: Parts, lander: Lander) -> None:
        self._parts = parts
        self._service = CommitService(parts.workspace.root, parts.journal, lander, parts.emit)
        self._drafter = Drafter(self._service, Asker(parts.model, parts.other, parts.emit), parts.config)
        self._one_at_a_time = asyncio.Lock()
        self._group: asyncio.TaskGroup | None = None
        self._drafting: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, group: asyncio.TaskGroup) -> None:
        """Work within a group of tasks from now on."""
        self._group = group

    def obey(self, command: commands.DraftCommit | commands.Commit) -> None:
        """Carry out a command, in the background; hooks and the partner take their time."""
        match command:
            case commands.DraftCommit(landing):
                if self._drafting is not None:
                    self._drafting.cancel()
                self._drafting = self._start(landing, self._draft(landing))
            case commands.Commit(landing, message):
                if self._drafting is not None:
                    self._drafting.cancel()
                if message.strip():
                    self._start(landing, self._commit(landing, message))
                elif self._parts.state().commit is not None:
                    self._parts.emit(ev.CommitDrafted(0, ""))

    def listen(self, entry: ev.Entry, state: State) -> None:
        """Take an event: with ``git.commit`` each landing is committed once it is there."""
        if not (self._parts.config.git.commit and isinstance(entry.event, ev.Landed)):
            return
        number = entry.event.landing
        landing = next((one for one in state.landings if one.number == number), None)
        if landing is not None and not landing.undoes:
            self._start(number, self._unasked(number))

    async def stop(self) -> None:
        """Stop whatever is under way: what is committed by then is committed, all else is not."""
        tasks = tuple(self._running)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def finish(self) -> None:
        """Wait for the commits under way; a draft that nobody will read is not waited for."""
        if self._drafting is not None:
            self._drafting.cancel()
        while self._running:
            await asyncio.wait(tuple(self._running))

    def _start(self, landing: int, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        assert self._group is not None, "begin was called"
        task = self._group.create_task(self._guarded(landing, work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _guarded(self, landing: int, work: Coroutine[None, None, None]) -> None:
        """Whatever goes wrong is told, and the session goes on."""
        try:
            await work
        except JournalError:
            raise
        except PairloopError as error:
            output = error.output if isinstance(error, CommitError) else ""
            self._refuse(landing, error.message, "\n".join(part for part in (error.hint, output) if part))
        except Exception as error:
            log.exception("landing %d could not be committed", landing)
            self._refuse(landing, f"This could not be committed: {type(error).__name__}: {error}.", "")
        finally:
            work.close()

    def _refuse(self, landing: int, trouble: str, hint: str) -> None:
        # The last one is meant where none was named; of a session without any there is nothing to keep.
        kept = self._parts.state().commit
        last = self._parts.state().committable
        number = landing or (last.number if last is not None else 0)
        if not number:
            self._parts.emit(ev.Noted("error", trouble, hint))
            return
        message = kept.message if kept is not None and kept.landing == number else ""
        self._parts.emit(ev.CommitDrafted(number, message, trouble=trouble, hint=hint))

    async def _draft(self, number: int) -> None:
        landings = await self._service.meant(number, self._parts.session)
        wanted = landings[-1].number
        kept = self._parts.state().commit
        # What a hook refused is mended, not written anew.
        known = kept.message if kept is not None and kept.landing == wanted else ""
        said = known or await self._drafter.draft(landings, self._task_of(landings[-1]))
        also = tuple(one.number for one in landings[:-1])
        self._parts.emit(ev.CommitDrafted(wanted, said, also))

    async def _commit(self, number: int, message: str) -> None:
        async with self._one_at_a_time:
            landings = await self._service.meant(number, self._parts.session)
            self._keep(landings, message)
            await self._carry_out(landings, message)

    async def _unasked(self, number: int) -> None:
        async with self._one_at_a_time:
            landings = await self._service.meant(number)
            said = await self._drafter.draft(landings, self._task_of(landings[-1]))
            self._keep(landings, said)
            await self._carry_out(landings, said)

    def _keep(self, landings: Sequence[LandingRecord], message: str) -> None:
        """Have the message in the journal before anything can go wrong with it."""
        number, also = landings[-1].number, tuple(one.number for one in landings[:-1])
        self._parts.emit(ev.CommitDrafted(number, message, also), durable=True)

    async def _carry_out(self, landings: Sequence[LandingRecord], message: str) -> None:
        work = asyncio.ensure_future(self._service.commit(landings, message))
        try:
            await asyncio.wait({work}, timeout=_LONG)
            if not work.done():
                number = landings[-1].number
                self._parts.emit(ev.Noted("info", f"Landing {number} is being committed: hooks take their time."))
            await asyncio.shield(work)
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work})
            if work.cancelled():
                self._refuse(landings[-1].number, "The commit was interrupted; what landed stands in your files.", "")
            raise

    def _task_of(self, landing: LandingRecord) -> str:
        """What the human had asked for when it landed, as far as this session knows."""
        state = self._parts.state()
        proposal = next((one for one in state.proposals if one.number == landing.proposal), None)
        if landing.session != self._parts.session or proposal is None:
            return task_of(landing)
        return next((one.text for one in state.tasks if one.number == proposal.task), landing.title)


def task_of(landing: LandingRecord) -> str:
    """What a landing was for, as far as the journal's list of them knows; empty for a patch that came by itself."""
    if landing.undoes:
        return landing.title if landing.again else f"Revert “{landing.title or f'landing {landing.about}'}”"
    return landing.title if landing.proposal else ""


def _touches(landing: LandingRecord, paths: Sequence[str]) -> bool:
    """Whether a landing has to do with one of some paths, which may begin further up."""
    return any(path == file.path or path.endswith(f"/{file.path}") for path in paths for file in landing.files)
