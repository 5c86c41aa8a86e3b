"""Which commands can begin in a warm process, and the warm processes that are kept for them.

A command begins in a fork only where that makes no difference to starting it: the same interpreter, options and
environment variables; nothing imported ahead that is the project's own or has changed since; no file in the tree that
would be imported in place of what has been. Otherwise, and whenever anything goes wrong, it is started as ever.

What is imported ahead is what the human has installed; it is trusted as their own programs are. Candidates can't change
it: they run shut in as `Confinement` says.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from agent_core.process import Completed
from agent_core.protocols import Layer
from agent_core.sandbox.choose import trial
from agent_core.sandbox.confinement import Confinement
from agent_core.sandbox.layer import RunLayer
from agent_core.sandbox.zygote import Declined, Ground, Refused, Zygote, start_zygote

_MOST_SERVERS = 4
_MOST_RUNS = 500
_MOST_DROPPED = 4
_MOST_FAILURES = 3
_TRIAL_SECONDS = 20.0

# Options without a value of their own, and those with one.
_FLAGS = re.compile(r"-[bBdEIOPqsSu]+$")
_VALUED = frozenset({"-W", "-X"})

# Read by our own plug-ins when they run, never when something is imported.
_OWN_VARIABLE = "PAIRLOOP_"
# Each of these has Python do more before a command begins.
_STARTERS = frozenset({"COVERAGE_PROCESS_START", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONPROFILEIMPORTTIME"})

_EXECUTE = "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"

_numbers = itertools.count(1)


class PythonCommand(msgspec.Struct, frozen=True):
    """A command line of the form ``python OPTIONS -c CODE ARGUMENTS``.

    Attributes:
        python: The interpreter and its options.
        code: What it runs.
        arguments: What follows.
    """

    python: tuple[str, ...]
    code: str
    arguments: tuple[str, ...]


def python_command(argv: Sequence[str]) -> PythonCommand | None:
    """Read a command line; None when it has another form."""
    position = 1
    while position < len(argv) - 1:
        if argv[position] == "-c":
            return PythonCommand(tuple(argv[:position]), argv[position + 1], tuple(argv[position + 2 :]))
        if argv[position] in _VALUED:
            position += 2
        elif _FLAGS.match(argv[position]):
            position += 1
        else:
            return None
    return None


class Imported(msgspec.Struct, frozen=True):
    """What a server has imported.

    Attributes:
        names: Top-level names, without those that Python itself begins with.
        folders: Folders of the project on its import path.
        all: It has imported all that it was asked for and that can be imported ahead.
    """

    names: frozenset[str]
    folders: tuple[str, ...]
    all: bool


class _Slot:
    """A server on its way, at work, or given up."""

    def __init__(self, starting: asyncio.Task[Zygote]) -> None:
        self.starting = starting
        self.failures = 0

    @property
    def zygote(self) -> Zygote | None:
        """The server, when there is one that can be asked."""
        task = self.starting
        if not task.done() or task.cancelled() or task.exception() is not None:
            return None
        return task.result()


class WarmRuns:
    """The warm processes of one project.

    Args:
        project: Its folder.
        folder: Where servers have their (empty) folders.
        confinement: What commands are kept to.
    """

    def __init__(self, project: Path, folder: Path, confinement: Confinement) -> None:
        self._project = project
        self._folder = folder
        self._confinement = confinement
        self._slots: dict[Ground, _Slot] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def private(self) -> bool:
        """Whether two runs at a time can't meet in anything: each has a network of its own."""
        return not self._confinement.shelter.network

    def begin(self, python: Sequence[str], modules: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a server in the background, unless there is one on this ground.

        Args:
            python: The interpreter and its options.
            modules: What it imports ahead.
            environment: The environment variables of the commands to come.
        """
        ground = self._ground(python, modules, environment)
        if ground is not None and ground not in self._slots:
            self._start(ground)

    async def settled(self) -> tuple[str, ...]:
        """Wait until every server is ready or given up; gives why those were given up that were."""
        tasks = [slot.starting for slot in self._slots.values()]
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        return tuple(str(end) for end in ends if isinstance(end, BaseException))

    def imported(
        self, python: Sequence[str], modules: Sequence[str], environment: Mapping[str, str]
    ) -> Imported | None:
        """What a server has imported.

        Returns:
            None when no server is ready; one is then being started, if there can be one.
        """
        self.begin(python, modules, environment)
        ground = self._ground(python, modules, environment)
        ready = self._ready(ground)
        return None if ready is None else Imported(ready[1].names, ready[1].folders, ready[0] == ground)

    async def run(
        self,
        command: PythonCommand,
        layer: Layer,
        *,
        modules: Sequence[str],
        environment: Mapping[str, str],
        timeout: float,
        stdin: bytes = b"",
        on_line: Callable[[str], None] | None = None,
        guard: Callable[[int], Awaitable[str]] | None = None,
    ) -> Completed | None:
        """Run a command in a fork; see `Zygote.run`.

        Returns:
            How it ended; None when it has to be started, also because the fork was lost while it ran.
        """
        ready = self._ready(self._ground(command.python, modules, environment))
        if ready is None:
            return None
        ground, zygote = ready
        done = await zygote.run(
            self._request(command, layer, environment), timeout=timeout, stdin=stdin, on_line=on_line, guard=guard
        )
        slot = self._slots.get(ground)
        if slot is None or slot.zygote is not zygote:
            return done if isinstance(done, Completed) else None
        if isinstance(done, Completed):
            slot.failures = 0
            if zygote.runs >= _MOST_RUNS:
                self._replace(ground, 0)
            return done
        if done.stale:
            self._replace(ground, 0)
        elif not zygote.alive:
            self._replace(ground, slot.failures + 1)
        else:
            slot.failures += 1
        return None

    async def close(self) -> None:
        """End every server, and every run."""
        slots, self._slots = list(self._slots.values()), {}
        for slot in slots:
            slot.starting.cancel()
        await asyncio.gather(*(slot.starting for slot in slots), return_exceptions=True)
        await asyncio.gather(*(slot.zygote.close() for slot in slots if slot.zygote is not None))
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _ground(self, python: Sequence[str], modules: Sequence[str], environment: Mapping[str, str]) -> Ground | None:
        if not modules or not _STARTERS.isdisjoint(environment):
            return None
        own = tuple(sorted(item for item in environment.items() if not item[0].startswith(_OWN_VARIABLE)))
        confinement = self._confinement
        return Ground(
            tuple(python),
            tuple(modules),
            own,
            self._project,
            confinement.user_namespace,
            confinement.shelter.network,
        )

    def _ready(self, ground: Ground | None) -> tuple[Ground, Zygote] | None:
        """A server for a ground, and its own one: it may have imported less, while one that has it all gets ready."""
        if ground is None:
            return None
        wanted = set(ground.modules)
        less = [
            other
            for other in reversed(self._slots)
            if wanted.issuperset(other.modules) and msgspec.structs.replace(other, modules=ground.modules) == ground
        ]
        for other in (ground, *sorted(less, key=lambda other: -len(other.modules))):
            slot = self._slots.get(other)
            zygote = None if slot is None else slot.zygote
            if slot is not None and zygote is not None and zygote.alive and slot.failures < _MOST_FAILURES:
                # The one that was used last stands last.
                self._slots[other] = self._slots.pop(other)
                return other, zygote
        return None

    def _start(self, ground: Ground, failures: int = 0) -> None:
        starting = asyncio.create_task(self._started(ground))
        # Whoever wants to know why there is none asks; nobody has to.
        starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._slots[ground] = _Slot(starting)
        self._slots[ground].failures = failures
        while len(self._slots) > _MOST_SERVERS:
            self._retire(self._slots.pop(next(iter(self._slots))))

    def _replace(self, ground: Ground, failures: int) -> None:
        """Start a new server in place of one; the old one's other runs go on to their end."""
        self._retire(self._slots.pop(ground))
        if failures < _MOST_FAILURES:
            self._start(ground, failures)

    def _retire(self, slot: _Slot) -> None:
        slot.starting.cancel()
        if slot.zygote is not None:
            task = asyncio.create_task(slot.zygote.retire())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _started(self, ground: Ground) -> Zygote:
        """Start a server, without those modules that can't be imported ahead.

        Raises:
            Refused: There can be none.
        """
        for _ in range(_MOST_DROPPED):
            folder = self._folder / f"{os.getpid()}-{next(_numbers)}"
            await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True)
            try:
                zygote = await start_zygote(ground, await asyncio.to_thread(folder.resolve))
            except Refused as refused:
                left = tuple(name for name in ground.modules if name != refused.module)
                if not left or not (refused.module or refused.again):
                    raise
                ground = msgspec.structs.replace(ground, modules=left)
                continue
            try:
                reason = await self._tried(zygote)
            except BaseException:
                await zygote.close()
                raise
            if reason:
                await zygote.close()
                raise Refused(reason)
            return zygote
        raise Refused("what it would import ahead keeps changing, or too much of it must not be")

    async def _tried(self, zygote: Zygote) -> str:
        """Run a command over the real project, and see whether it was shut in; why not, empty when it was."""

        async def run(argv: Sequence[str], layer: RunLayer) -> Completed:
            command = PythonCommand(zygote.ground.python, _EXECUTE, tuple(argv))
            request = self._request(command, layer, dict(zygote.ground.environment))
            done = await zygote.run(request, timeout=_TRIAL_SECONDS)
            if isinstance(done, Declined):
                raise OSError(done.reason)
            return done

        return await trial(self._project, run)

    def _request(self, command: PythonCommand, layer: Layer, environment: Mapping[str, str]) -> dict[str, object]:
        return {
            **self._confinement.request(layer),
            "argv": command.python,
            "code": command.code,
            "args": command.arguments,
            # As whatever changes into a folder for a command has it.
            "env": {**environment, "PWD": str(layer.project)},
        }
