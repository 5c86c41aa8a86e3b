"""The human's project: where it is, what is in it, and how candidates of it are made."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import agent_core
from agent_core.config_tables import Config
from agent_core.errors import ConfigError
from agent_core.places import make_private, project_state
from agent_core.sandbox.choose import Mechanism, choose
from agent_core.sandbox.environment import command_environment
from agent_core.sandbox.layer import stations
from agent_core.sandbox.shelter import make_shelter
from agent_core.sandbox.warm import WarmRuns
from agent_core.workspace.candidate import TreeCandidate, make_candidate
from agent_core.workspace.copy import editable_paths
from agent_core.workspace.interpreter import Interpreter, find_interpreter
from agent_core.workspace.layering import Ground, read_below
from agent_core.workspace.leftovers import remove_leftovers
from agent_core.workspace.linked import main_checkout
from agent_core.workspace.shadows import Shadows
from agent_core.workspace.snapshot import Scanner
from agent_core.workspace.stamps import Stamps
from agent_core.workspace.tree import Changes, Snapshot


class Project:
    """A `Workspace` on disk, made by `open_project`."""

    def __init__(self, ground: Ground, interpreter: Interpreter) -> None:
        self._ground = ground
        self._interpreter = interpreter

    @property
    def root(self) -> Path:
        """Absolute path of the project."""
        return self._ground.root

    @property
    def state(self) -> Path:
        """The folder outside the project where pairloop keeps what belongs to it."""
        return self._ground.state

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of commands."""
        return self._ground.environment

    @property
    def isolated(self) -> bool:
        """Whether commands are shut in at all."""
        return self._ground.mechanism.isolates

    @property
    def isolation(self) -> str:
        """How candidates are isolated, for a human."""
        return self._ground.mechanism.name

    @property
    def note(self) -> str:
        """What is weaker here than it should be, for a human; empty when nothing is."""
        return " ".join(part for part in (self._ground.mechanism.note, self._ground.scanner.note) if part)

    @property
    def interpreter(self) -> Interpreter:
        """The Python that runs the checks."""
        return self._interpreter

    async def snapshot(self) -> Snapshot:
        """The files of the working tree that are not ignored, by content, now."""
        return await self._ground.scanner.scan()

    async def glance(self, paths: Collection[str]) -> Snapshot:
        """The last snapshot, with some paths looked at anew; see the protocol."""
        return await self._ground.scanner.glance(paths)

    @property
    def touched(self) -> int:
        """How many times a file was found touched; see the protocol."""
        return self._ground.scanner.touched

    def read(self, path: str) -> bytes | None:
        """The bytes of a file of the working tree (a link's target text), None when not there."""
        return read_below(self._ground.root, path)

    async def candidate(self, base: Snapshot, changes: Changes, *, cache: str, patient: bool = False) -> TreeCandidate:
        """Make a candidate; see the protocol."""
        return await make_candidate(self._ground, base, changes, cache, patient=patient)

    def warm(self, modules: Sequence[str], *, python: Sequence[str] = (), env: Mapping[str, str] | None = None) -> None:
        """Begin to import modules ahead; see the protocol."""
        if self._ground.warm is not None:
            environment = {**self._ground.environment, **(env or {})}
            self._ground.warm.begin(python or (str(self._interpreter.python),), modules, environment)

    async def warmed(self) -> tuple[str, ...]:
        """Wait until what `warm` began is done; gives the reasons why some of it can't be had."""
        return await self._ground.warm.settled() if self._ground.warm is not None else (self._ground.mechanism.name,)

    async def close(self) -> None:
        """End the warm processes."""
        if self._ground.warm is not None:
            await self._ground.warm.close()


def _base_prefix(interpreter: Interpreter) -> tuple[Path, ...]:
    """The installation an interpreter rests on: a virtual environment has only links to it."""
    found = [place.parent.parent for place in stations(interpreter.python)]
    if interpreter.prefix is not None:
        with contextlib.suppress(OSError):
            for line in (interpreter.prefix / "pyvenv.cfg").read_text("utf-8", "replace").splitlines():
                key, _, value = line.partition("=")
                if key.strip() == "home":
                    found.append(Path(value.strip()).parent)
    return tuple(found)


def _repository(root: Path) -> tuple[Path, ...]:
    """The repository of a linked work tree, which lies outside of it."""
    with contextlib.suppress(OSError):
        if (root / ".git").is_file():
            own = Path(os.path.realpath(root / (root / ".git").read_text().removeprefix("gitdir:").strip()))
            common = own / "commondir"
            return (own, Path(os.path.realpath(own / common.read_text().strip())) if common.is_file() else own)
    return ()


def _visible(root: Path, interpreter: Interpreter) -> tuple[Path, ...]:
    """What commands must be able to read wherever it lies: Pythons, pairloop itself, the repository."""
    own = Path(agent_core.__file__).parent.parent
    folders = [Path(sys.prefix), Path(sys.base_prefix), own, *_base_prefix(interpreter), *_repository(root)]
    if interpreter.prefix is not None:
        folders.append(interpreter.prefix)
    return tuple(dict.fromkeys(folders))


def _borrowed(root: Path, state: Path, interpreter: Interpreter) -> tuple[Path, ...]:
    """Folders to import from first in a linked worktree whose environment is the main checkout's.

    What is installed there to be edited leads into the main checkout, whose code is not what is judged here.
    """
    main = main_checkout(root)
    if main is None or interpreter.prefix is None:
        return ()
    return editable_paths(interpreter.prefix, main, root, state / "shims")


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()


async def _choose(config: Config, root: Path, environ: Mapping[str, str]) -> Mechanism:
    wanted = config.sandbox
    shelter = make_shelter(_home(environ), environ, network=wanted.network, limits=wanted.limits)
    return await choose(wanted.candidate, root, shelter, required=wanted.required)


async def open_project(path: Path, config: Config, environ: Mapping[str, str]) -> Project:
    """Open the project in a folder.

    Args:
        path: Its folder, as `find_root` gives it.
        config: The settings.
        environ: The environment variables; commands get them without the secrets.

    Raises:
        ConfigError: There is no such folder.
        SandboxError: The candidate mechanism insisted on does not work here.
    """
    root = Path(await asyncio.to_thread(os.path.realpath, path))
    if not await asyncio.to_thread(root.is_dir):
        raise ConfigError(f"{path}: there is no such folder.", "Name a project's folder with --project.")
    state = await asyncio.to_thread(make_private, project_state(root))
    finding = asyncio.create_task(asyncio.to_thread(find_interpreter, root, environ))
    try:
        mechanism = await _choose(config, root, environ)
    except BaseException:
        await finding
        raise
    interpreter = await finding
    for name in ("candidates", "warm"):
        await asyncio.to_thread(remove_leftovers, state / name)
    environment = command_environment(
        environ,
        interpreter,
        key_env=config.partner.key_env,
        private_tmp=mechanism.overlays,
        allowed=config.sandbox.env,
        network=config.sandbox.network,
    )
    borrowed = await asyncio.to_thread(_borrowed, root, state, interpreter)
    if borrowed:
        own = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([*map(str, borrowed), *([own] if own else [])])
    ground = Ground(
        root,
        state,
        mechanism,
        interpreter.prefix,
        environment,
        (*_visible(root, interpreter), *(folder for folder in borrowed if not folder.is_relative_to(root))),
        Scanner(root, state),
        await asyncio.to_thread(Stamps, state / "stamps.sqlite"),
        Shadows(root, interpreter.prefix),
        None if mechanism.confinement is None else WarmRuns(root, state / "warm", mechanism.confinement),
    )
    return Project(ground, interpreter)
