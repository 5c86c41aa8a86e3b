"""Committing landings: exactly what they wrote, whatever else the human has staged or changed meanwhile.

As ``git commit FILES`` does it, the commit is made from an index of its own, and the human's index is held by its lock
meanwhile and replaced afterwards. So nobody else's commit comes between, hooks see what is committed as what is staged,
and a commit that is refused, interrupted or killed leaves the human's index as it was, byte for byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec

from agent_core.errors import CommitError
from agent_core.landing_log import LandingRecord
from agent_core.process import Completed, run
from agent_core.uninterrupted import to_the_end
from agent_core.workspace.commit_plan import Bench, Change, plan_commit, plan_index
from agent_core.workspace.commit_trace import refusing_hook, shown
from agent_core.workspace.repository import Repository, Stored, index_entries, open_repository, said_by

_HOOK_SECONDS = 600.0
_PATIENCE = 3.0
_POLL = 0.02
_UNTOUCHED = "Nothing was committed, and what landed stands in your files."
_QUIET = ("-c", "gc.auto=0", "-c", "maintenance.auto=false")


class Ready(msgspec.Struct, frozen=True):
    """What could be committed.

    Attributes:
        changes: What the commit would change.
        branch: The branch it would be on; empty where HEAD is none.
    """

    changes: tuple[Change, ...]
    branch: str


class Made(msgspec.Struct, frozen=True):
    """A commit that was made.

    Attributes:
        commit: Its hash.
        message: What it says, as hooks left it.
        branch: The branch it is on; empty where HEAD is none.
        altered: Paths that a hook made something else of than what landed.
        said: What the hooks printed.
    """

    commit: str
    message: str
    branch: str
    altered: tuple[str, ...] = ()
    said: str = ""


class GitCommits:
    """Commits landings of one project.

    Args:
        root: The project's folder.
        content: Gives content by its hash in the journal.
        seconds: How long hooks and signing may take.
        terminal: Nothing else has the terminal: whoever signs may ask there for a passphrase.
    """

    def __init__(
        self, root: Path, content: Callable[[str], bytes], *, seconds: float = _HOOK_SECONDS, terminal: bool = False
    ) -> None:
        self._root = root
        self._content = content
        self._seconds = seconds
        self._terminal = terminal

    async def ready(self, landings: Sequence[LandingRecord]) -> Ready:
        """What a commit of landings would change; nothing is committed.

        Args:
            landings: The landings, oldest first.

        Raises:
            CommitError: They cannot be committed; says why and what to do.
        """
        repository = await open_repository(self._root, terminal=self._terminal)
        repository.refuse_under_way()
        async with _bench(repository) as bench:
            changes = await plan_commit(bench, landings, self._content)
            await plan_index(repository, changes)
            return Ready(changes, await repository.branch())

    async def contains(self, commit: str) -> bool:
        """Whether the commit that is checked out comes after another one, or is it."""
        repository = await open_repository(self._root, terminal=self._terminal)
        try:
            await repository.git("merge-base", "--is-ancestor", commit, "HEAD")
        except CommitError:
            return False
        return True

    async def log(self, count: int) -> tuple[str, ...]:
        """The subjects of the last commits, newest first."""
        repository = await open_repository(self._root, terminal=self._terminal)
        try:
            said = await repository.git("log", "--no-merges", "-z", "--format=%s", f"-{count}", "HEAD")
        except CommitError:
            return ()
        return tuple(subject for one in said.split(b"\0") if (subject := one.decode("utf-8", "replace").strip()))

    async def commit(self, landings: Sequence[LandingRecord], message: str) -> Made:
        """Commit what landings wrote, and nothing else.

        The human's hooks, filters and signing run as ``git commit`` runs them (`agent_core.workspace.repository`).

        Args:
            landings: The landings, oldest first.
            message: What the commit says.

        Raises:
            CommitError: It cannot be committed, a hook refused, or git failed; nothing is committed then.
        """
        repository = await open_repository(self._root, terminal=self._terminal)
        repository.refuse_under_way()
        await _refuse_nobody(repository)
        async with _bench(repository) as bench, _held(repository) as lock:
            changes = await plan_commit(bench, landings, self._content)
            if not changes:
                raise CommitError("There is nothing to commit: the last commit has all that landed.")
            wanted = await plan_index(repository, changes)
            return await _Attempt(repository, bench, lock, self._seconds).make(changes, wanted, message)


class _Attempt:
    """One attempt to commit; the human's index is held by its lock."""

    def __init__(self, repository: Repository, bench: Bench, lock: Path, seconds: float) -> None:
        self._repository = repository
        self._bench = bench
        self._lock = lock
        self._seconds = seconds
        self._after = bench.folder / "after.index"
        self._trace = bench.folder / "trace"
        self._message = bench.folder / "message"

    async def make(self, changes: Sequence[Change], wanted: dict[str, Stored | None], message: str) -> Made:
        repository, bench = self._repository, self._bench
        info = ("update-index", "-z", "--index-info")
        if repository.index.exists():
            await asyncio.to_thread(shutil.copyfile, repository.index, self._after)
        await repository.git(*info, index=self._after, stdin=repository.index_info(wanted))
        # A failure says only that files differ from the index.
        await repository.git("update-index", "-q", "--refresh", index=self._after, own=True, fine=(0, 1))
        new = repository.index_info({change.path: change.now for change in changes})
        await repository.git(*info, index=bench.head, stdin=new)
        tree = (await repository.git("write-tree", index=bench.head)).decode().strip()
        branch, head = await repository.branch(), await asyncio.to_thread(repository.head)
        self._message.write_text(f"{message.strip()}\n", "utf-8")
        done: Completed | None = None
        try:
            done = await self._run()
        finally:
            # Whoever interrupts this may come a moment too late: what is committed is committed.
            said = done is not None and done.code == 0
            altered = await to_the_end(asyncio.to_thread(self._settle, head, tree, said=said))
        if altered is None:
            raise self._refused(done)
        text = (await repository.git("log", "-1", "--format=%B", "HEAD")).decode("utf-8", "replace").strip()
        commit = await asyncio.to_thread(repository.head)
        return Made(commit, text, branch, altered, shown(done))

    async def _run(self) -> Completed:
        """``git commit``, on the index that has the last commit and what landed."""
        env = self._repository.environment(self._bench.head, None, own=True)
        arguments = ("commit", "-q", "--cleanup=whitespace", "-F", str(self._message))
        return await run(
            ("git", *_QUIET, *arguments),
            cwd=self._repository.top,
            timeout=self._seconds,
            env={**env, "GIT_TRACE2_EVENT": str(self._trace)},
        )

    def _settle(self, head: str, tree: str, *, said: bool) -> tuple[str, ...] | None:
        """Put the human's index in its place if there is a commit now.

        Args:
            head: The commit before.
            tree: What was to be committed.
            said: git has said that it has committed. Where it was stopped it may have done so nevertheless.

        Returns:
            What hooks made something else of; None where nothing was committed.

        Raises:
            CommitError: Somebody else moved the branch at the same moment; our commit is taken back.
        """
        repository = self._repository
        now = repository.head()
        if now == head:
            return None
        shown = repository.git_at_once("show", "-s", "--format=%P%n%T%n%B", now).decode("utf-8", "replace")
        parents, made, text = shown.split("\n", 2)
        ours = said or made == tree or text.strip() == self._message.read_text("utf-8").strip()
        if not ours or parents != head:
            if ours:
                repository.git_at_once("update-ref", "-m", "pairloop: taken back", "HEAD", parents, now)
            raise CommitError("Somebody else committed at the same moment. " + _UNTOUCHED, "Try again.")
        altered = self._follow(tree, made)
        if self._after.exists():
            if repository.index.exists():
                shutil.copymode(repository.index, self._lock)
            shutil.copyfile(self._after, self._lock)
            self._lock.replace(repository.index)
        return altered

    def _follow(self, planned: str, made: str) -> tuple[str, ...]:
        """Put what hooks made of what landed into the human's index too, where that has nothing else."""
        repository = self._repository
        listed = repository.git_at_once("diff-tree", "-r", "-z", "--no-renames", planned, made)
        records = listed.split(b"\0")
        changes: list[Change] = []
        for head, path in zip(records[::2], records[1::2], strict=False):
            old_mode, new_mode, old, new, _ = head.removeprefix(b":").decode("ascii").split(" ")
            sides = [Stored(int(mode, 8), name) for mode, name in ((old_mode, old), (new_mode, new))]
            was, now = (one if one.mode else None for one in sides)
            changes.append(Change(os.fsdecode(path), was, now))
        if not changes:
            return ()
        names = [change.path for change in changes]
        staged = repository.git_at_once("--literal-pathspecs", "ls-files", "-s", "-z", "--", *names, index=self._after)
        here = {path: entry for path, _, entry in index_entries(staged)}
        for change in changes:
            if here.get(change.path) == change.was:
                self._put(change)
        return tuple(names)

    def _put(self, change: Change) -> None:
        now = change.now
        what = ("--force-remove",) if now is None else ("--add", "--cacheinfo", f"{now.mode:06o}", now.blob)
        self._repository.git_at_once("update-index", *what, change.path, index=self._after)

    def _refused(self, done: Completed) -> CommitError:
        said = shown(done)
        hook = refusing_hook(self._trace)
        if done.timed_out:
            what = f"The hook {hook}" if hook else "The commit"
            text = f"{what} was stopped, as its {self._seconds:.0f} s were up. {_UNTOUCHED}"
            return CommitError(text, "Run the hook in a shell to see what it waits for.", output=said)
        if hook:
            hint = "What it changed in your files stays. Mend what it complains of, then commit again."
            return CommitError(f"The hook {hook} refused. {_UNTOUCHED}", hint, output=said)
        if "failed to sign" in said or "gpg" in said:
            hint = "Sign something in a shell first, so that the agent knows the passphrase; or commit from a shell."
            return CommitError(f"git could not sign the commit. {_UNTOUCHED}", hint, output=said)
        return CommitError(f"git did not commit: {said_by(done)}. {_UNTOUCHED}", output=said)


async def _refuse_nobody(repository: Repository) -> None:
    """Refuse to commit where git does not know who commits."""
    for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        try:
            await repository.git("var", who, own=True)
        except CommitError as error:
            hint = (
                'Set it: git config --global user.name "Your Name" and git config --global user.email you@example.com'
            )
            raise CommitError("git does not know who you are: nothing was committed.", hint) from error


@contextlib.asynccontextmanager
async def _bench(repository: Repository) -> AsyncIterator[Bench]:
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="pairloop-commit-"))
    try:
        bench = Bench(repository, folder)
        await bench.prepare()
        yield bench
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def _held(repository: Repository) -> AsyncIterator[Path]:
    """Hold git's own lock of the human's index; it is left alone where it has become the index.

    Raises:
        CommitError: Another git command has it.
    """
    lock = repository.index.with_name(f"{repository.index.name}.lock")
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            if time.monotonic() >= deadline:
                raise CommitError(
                    f"Another git command is at work here ({lock} is there): nothing was committed.",
                    "Try again when it is done; where there is none, remove that file.",
                ) from None
            await asyncio.sleep(_POLL)
            continue
        except OSError as error:
            raise CommitError(f"{lock}: cannot be written: {error.strerror}. Nothing was committed.") from error
        break
    mine = os.fstat(descriptor)
    os.close(descriptor)
    try:
        yield lock
    finally:
        with contextlib.suppress(OSError):
            if os.path.samestat(lock.stat(), mine):
                lock.unlink()
