"""Candidates: a base with changes over it, in which commands run without reaching the working tree."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from agent_core.errors import SandboxError
from agent_core.process import Completed, run
from agent_core.sandbox.guard import watch
from agent_core.sandbox.layer import RunLayer
from agent_core.sandbox.limits import PATIENT, with_patience
from agent_core.sandbox.warm import python_command
from agent_core.workspace.copy import editable_paths
from agent_core.workspace.layering import Ground, build_copy, build_layer, differing, read_below, remove_tree
from agent_core.workspace.linked import main_checkout
from agent_core.workspace.tree import Changes, Snapshot, with_changes

_numbers = itertools.count(1)


class TreeCandidate:
    """A `Candidate` made by `make_candidate`."""

    def __init__(
        self,
        ground: Ground,
        folder: Path,
        *,
        base: Snapshot,
        snapshot: Snapshot,
        changed: tuple[str, ...],
        layer: RunLayer,
        environment: Mapping[str, str],
        cache: Path,
    ) -> None:
        self._ground = ground
        self._folder = folder
        self._base = base
        self._snapshot = snapshot
        self._changed = changed
        self._layer = layer
        self._environment = environment
        self._cache = cache

    @property
    def tree(self) -> str:
        """Hash of this tree."""
        return self._snapshot.tree

    @property
    def changed(self) -> tuple[str, ...]:
        """Relative paths that differ from the base, sorted."""
        return self._changed

    @property
    def snapshot(self) -> Snapshot:
        """Every file of it by content."""
        return self._snapshot

    @property
    def root(self) -> Path:
        """Where the tree appears to a command run in it."""
        return self._layer.project

    @property
    def cache(self) -> Path:
        """A folder for tools' caches that outlives the run."""
        return self._cache

    def read(self, path: str) -> bytes | None:
        """The bytes of a file as this tree has it, None when it is not there."""
        if path in self._changed and path not in self._snapshot.files:
            return None
        over = read_below(self._layer.upper, path)
        return read_below(self._ground.root, path) if over is None else over

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

        A program that does not exist ends with status 127, one that a signal ended with the signal's negative number,
        under every mechanism. A warm process that dies is no end of a command: it is started, and `on_line` is not told
        again as many lines as it has been told. What the command had written to the cache is there twice then, if it
        appends. See the protocol for the rest.
        """
        mechanism = self._ground.mechanism
        environment = {**self._environment, **(env or {})}
        guard = partial(watch, limits=mechanism.limits, tree=self.root if mechanism.overlays else None)
        heard = None if on_line is None else _Heard(on_line)
        if warm:
            forked = await self._fork(argv, environment, warm, timeout=timeout, stdin=stdin, on_line=heard, guard=guard)
            if forked is not None:
                return _like_plain(forked)
            if heard is not None:
                heard.again()
        nice = self._layer.nice
        wrapped = mechanism.wrap(with_patience(argv, nice) if nice else argv, self._layer)
        cwd = Path("/") if mechanism.overlays else self.root
        try:
            done = await run(
                wrapped,
                cwd=cwd,
                timeout=timeout,
                env=environment,
                stdin=stdin,
                on_line=heard,
                guard=guard,
            )
        except OSError as error:
            if mechanism.overlays or not self.root.is_dir():
                raise SandboxError(f"The candidate cannot be mounted ({mechanism.name}): {error}.") from error
            code = 127 if isinstance(error, FileNotFoundError) else 126
            return Completed(code, b"", f"{argv[0]}: {error.strerror}\n".encode(), 0.0)
        if done.code > 0 and not done.timed_out and (reason := mechanism.failure(done.stderr)):
            raise SandboxError(f"The candidate cannot be mounted ({mechanism.name}): {reason}.")
        return _like_plain(done) if mechanism.overlays else done

    async def fork(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        env: Mapping[str, str] | None = None,
        warm: Sequence[str] = (),
    ) -> Completed | None:
        """Run a command as `run` does, beside whatever else runs in the tree, where that costs little.

        Returns:
            How it ended. None where it did not: there is no warm process that has imported all of it, it might meet
            another run on the network, or its process was lost.
        """
        if self._ground.warm is None or not self._ground.warm.private:
            return None
        environment = {**self._environment, **(env or {})}
        guard = partial(watch, limits=self._ground.mechanism.limits, tree=self.root)
        return await self._fork(
            argv, environment, warm, timeout=timeout, stdin=b"", on_line=None, guard=guard, whole=True
        )

    async def _fork(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        modules: Sequence[str],
        *,
        timeout: float,
        stdin: bytes,
        on_line: Callable[[str], None] | None,
        guard: Callable[[int], Awaitable[str]],
        whole: bool = False,
    ) -> Completed | None:
        """Run a command in a warm process, with `whole` only in one that lacks nothing; None when that can't be."""
        warm, command = self._ground.warm, python_command(argv)
        if warm is None or command is None:
            return None
        imported = warm.imported(command.python, modules, environment)
        if imported is None or (whole and not imported.all):
            return None
        if self._ground.shadows.any(imported, base=self._base, tree=self._snapshot, changed=self._changed):
            return None
        return await warm.run(
            command,
            self._layer,
            modules=modules,
            environment=environment,
            timeout=timeout,
            stdin=stdin,
            on_line=on_line,
            guard=guard,
        )

    async def close(self) -> None:
        """Remove what it put on disk, its cache apart."""
        await asyncio.to_thread(remove_tree, self._folder)


class _Heard:
    """Tells lines on; when a command begins again, those it has told already are left out, by their number."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._lines = 0
        self._told = 0

    def __call__(self, line: str) -> None:
        self._lines += 1
        if self._lines > self._told:
            self._on_line(line)

    def again(self) -> None:
        self._told = max(self._told, self._lines)
        self._lines = 0


def _like_plain(done: Completed) -> Completed:
    """What a wrapped command's end would have looked like without the wrapper."""
    if done.code == 1 and done.stderr.startswith(b"bwrap: execvp "):
        missing = b"No such file" in done.stderr
        return msgspec.structs.replace(done, code=127 if missing else 126)
    number = done.code - 128
    if number in {int(member) for member in signal.Signals}:
        return msgspec.structs.replace(done, code=-number)
    return done


async def make_candidate(
    ground: Ground, base: Snapshot, changes: Changes, cache: str, *, patient: bool = False
) -> TreeCandidate:
    """Make a candidate; see `Workspace.candidate`.

    Raises:
        SandboxError: A path is not one of the project, or the tree cannot be written.
    """
    real = differing(base, changes)
    after = with_changes(base, real)
    folder = ground.state / "candidates" / f"{os.getpid()}-{next(_numbers)}"
    place = ground.state / "cache" / cache
    environment = dict(ground.environment)
    try:
        await asyncio.to_thread(place.mkdir, parents=True, exist_ok=True)
        if ground.mechanism.overlays:
            layer = await asyncio.to_thread(build_layer, ground, folder, place, base=base, after=after, changes=real)
        else:
            ignored = await ground.scanner.lister.ignored()
            layer = await asyncio.to_thread(build_copy, ground, folder, place, base=base, changes=real, ignored=ignored)
            if ground.prefix is not None:
                # In a linked worktree the environment may be that of the main checkout, and its installs lead there.
                places = dict.fromkeys((ground.root, main_checkout(ground.root) or ground.root))
                shims = folder / "shims"
                found = [one for place in places for one in editable_paths(ground.prefix, place, layer.project, shims)]
                own = environment.get("PYTHONPATH")
                environment["PYTHONPATH"] = os.pathsep.join([*map(str, found), *([own] if own else [])])
    except OSError as error:
        await asyncio.to_thread(remove_tree, folder)
        raise SandboxError(f"The candidate cannot be written: {error}.") from error
    except BaseException:
        remove_tree(folder)
        raise
    return TreeCandidate(
        ground,
        folder,
        base=base,
        snapshot=after,
        changed=tuple(real),
        layer=msgspec.structs.replace(layer, nice=PATIENT) if patient else layer,
        environment=environment,
        cache=place,
    )
