"""Every seam of the engine on one page: what can be swapped, and what it has to give."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from agent_core.checks.model import CheckResult, Wish
from agent_core.conversation import Chunk, PartnerInfo, Request
from agent_core.events import AnyEvent, Entry
from agent_core.process import Completed
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.tree import Changes, Snapshot


class Model(Protocol):
    """A partner: answers requests."""

    @property
    def info(self) -> PartnerInfo:
        """Who this is."""

    def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """Answer one request.

        Yields:
            Deltas as they come, and at last one `Completed` with the items to append. After a
            `Retrying` everything streamed before it is void.

        Raises:
            PartnerError: It could not be reached, refused, or said something unusable.
        """

    async def close(self) -> None:
        """Give back connections."""


class Sandbox(Protocol):
    """Wraps a command so that it runs shut in, with a tree of its own at the project's path."""

    @property
    def name(self) -> str:
        """What a human reads, such as ``bubblewrap overlay``."""

    @property
    def note(self) -> str:
        """What is weaker here than it should be, for a human; empty when nothing is."""

    def wrap(self, argv: Sequence[str], layer: Layer) -> tuple[str, ...]:
        """The command line that runs `argv` over `layer`."""


class Layer(Protocol):
    """What a candidate puts over the working tree for one run."""

    @property
    def project(self) -> Path:
        """The project's own path, where the merged tree must appear."""

    @property
    def upper(self) -> Path:
        """Folder with the files the candidate adds or changes, laid out as in the project."""

    @property
    def removed(self) -> tuple[str, ...]:
        """Relative paths that must not exist in the merged tree."""

    @property
    def writable(self) -> tuple[Path, ...]:
        """Folders outside the project that the command may write to, such as a tool's cache."""

    @property
    def nice(self) -> int:
        """By how much the command lets others go first, as the program of this name has it."""

    @property
    def visible(self) -> tuple[Path, ...]:
        """Folders the command must be able to read wherever they are, such as the interpreter's, and links to such."""


class Candidate(Protocol):
    """An isolated tree: a base snapshot with changes over it. Nothing run in it reaches the working tree."""

    @property
    def tree(self) -> str:
        """Hash of this tree."""

    @property
    def changed(self) -> tuple[str, ...]:
        """Relative paths that differ from the base, deleted ones included, sorted."""

    @property
    def snapshot(self) -> Snapshot:
        """Every file of it by content."""

    @property
    def root(self) -> Path:
        """Where the tree appears to a command run in it (the project's own path, or a copy's)."""

    @property
    def cache(self) -> Path:
        """A folder for tools' caches that outlives the run and is not in the project; beside it lie those of others."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a file as this tree has it, None when it is not there."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        on_line: Callable[[str], None] | None = None,
        warm: Sequence[str] = (),
    ) -> Completed:
        """Run a command in the tree, mounted afresh for it.

        Args:
            argv: The command; its working directory is `root`.
            timeout: Seconds after which its whole process group is killed.
            env: Variables added to the environment.
            stdin: What it reads on standard input.
            on_line: Called with each line of standard output as it comes.
            warm: Modules that a ``python -c CODE`` command imports anyway: where a process that has imported them can
                be forked in the sandbox the command begins there; else it is started as ever, to the same effect.

        Raises:
            SandboxError: The tree could not be made.
        """

    async def close(self) -> None:
        """Remove what it put on disk."""


class Workspace(Protocol):
    """The human's project, and the place where candidates of it are made."""

    @property
    def root(self) -> Path:
        """Absolute path of the project."""

    @property
    def isolation(self) -> str:
        """How candidates are isolated, for a human."""

    @property
    def note(self) -> str:
        """What is weaker here than it should be, for a human; empty when nothing is."""

    @property
    def interpreter(self) -> Interpreter:
        """The Python that runs the checks."""

    async def snapshot(self) -> Snapshot:
        """The files of the working tree that are not ignored, by content, now."""

    async def glance(self, paths: Collection[str]) -> Snapshot:
        """The last snapshot, with some paths looked at anew: quick, and as good as somebody knows what was touched.

        Args:
            paths: Relative paths of files or folders, whether they count or not.
        """

    @property
    def touched(self) -> int:
        """How many times a file was found touched, even where its content is what it was; it only ever grows."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a file of the working tree (a symlink's target text), None when not there."""

    async def candidate(self, base: Snapshot, changes: Changes, *, cache: str, patient: bool = False) -> Candidate:
        """Make a candidate.

        Args:
            base: The snapshot it stands on.
            changes: What differs.
            cache: Name of the folder for tools' caches; runs at the same time need different ones.
            patient: Its commands let those of other candidates, which somebody waits for, go first.
        """

    def warm(self, modules: Sequence[str], *, python: Sequence[str] = (), env: Mapping[str, str] | None = None) -> None:
        """Begin in the background to import modules ahead, for runs of candidates that name the same ones.

        Args:
            modules: What `Candidate.run` will be given as `warm`.
            python: The interpreter and its options as the command will have them; empty for the project's own.
            env: The variables that the command will add to the environment.
        """

    async def close(self) -> None:
        """End what works in the background."""


class Check(Protocol):
    """A judge."""

    @property
    def name(self) -> str:
        """Short name, such as ``pytest``."""

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        """Judge a candidate.

        Args:
            candidate: The tree to judge.
            wish: What is wanted of this run, and who hears how it gets on.

        Returns:
            The result; a tool that is missing, crashes or hangs is a result too, never an exception.
        """


class Journal(Protocol):
    """Durable, append-only memory of one project: sessions with their events, and contents by hash."""

    def create(self, session: str) -> None:
        """Begin a session."""

    def append(self, session: str, event: AnyEvent, *, durable: bool = False) -> Entry:
        """Add an event.

        Args:
            session: Id of the session.
            event: What happened.
            durable: Survive a power cut, not only the death of the process (a few ms).

        Returns:
            The event as it is kept: what is no valid Unicode has been replaced.
        """

    def entries(self, session: str) -> Iterable[Entry]:
        """All events of a session, oldest first."""

    def put(self, data: bytes) -> str:
        """Keep some content; gives its hash."""

    def get(self, digest: str) -> bytes:
        """Content by hash.

        Raises:
            JournalError: There is none of that name.
        """
