"""Which mechanism isolates candidates here: found by trying, never assumed."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from agent_core.errors import SandboxError
from agent_core.process import Completed, run
from agent_core.protocols import Sandbox
from agent_core.sandbox.bubblewrap import Bubblewrap, find_bubblewrap
from agent_core.sandbox.confinement import Confinement
from agent_core.sandbox.copy import Copy
from agent_core.sandbox.layer import RunLayer, refuse_home
from agent_core.sandbox.limits import Limits
from agent_core.sandbox.remedy import remedy
from agent_core.sandbox.seatbelt import Seatbelt, find_seatbelt
from agent_core.sandbox.shelter import Shelter
from agent_core.sandbox.unshare import Unshare, find_program

Kind = Literal["bubblewrap", "unshare", "seatbelt"]
Wanted = Literal["auto", "bubblewrap", "unshare", "seatbelt", "copy"]

_PROBE_SECONDS = 20.0


class Mechanism(Sandbox, Protocol):
    """A sandbox, and whether it overlays the project in place or needs a copy of it."""

    @property
    def overlays(self) -> bool:
        """Whether the tree appears at the project's own path."""

    @property
    def isolates(self) -> bool:
        """Whether commands are shut in; when not, only the limits hold them."""

    @property
    def limits(self) -> Limits:
        """What a run may use up."""

    @property
    def confinement(self) -> Confinement | None:
        """What it keeps commands to, for warm runs; None where there can be none."""

    def failure(self, stderr: bytes) -> str:
        """Why the sandbox itself could not be made; empty when the command ran."""


class Probe(msgspec.Struct, frozen=True):
    """What came of trying a mechanism.

    Attributes:
        mechanism: It works; None when not.
        reason: Why it does not work, for a human.
    """

    mechanism: Mechanism | None
    reason: str = ""


_probes: dict[tuple[Kind, Path, Shelter], Probe] = {}


async def trial(project: Path, run_in: Callable[[tuple[str, ...], RunLayer], Awaitable[Completed]]) -> str:
    """Run a command over the real project and see whether it was shut in.

    The command writes only after it has read a file that exists in the overlay alone, so a mechanism that does
    nothing cannot make it write into the project.

    Args:
        project: The project's folder.
        run_in: Runs a command over a layer; an `OSError` says why it could not.

    Returns:
        Why that does not work; empty when it does.
    """
    name = f".pairloop-probe-{secrets.token_hex(8)}"
    with tempfile.TemporaryDirectory(prefix="pairloop-", ignore_cleanup_errors=True) as folder:
        upper = Path(folder) / "upper"
        upper.mkdir()
        (upper / name).write_text("over\n")
        script = f"read -r line <{name} && test $line = over && {{ echo x >{name}-2; }} 2>/dev/null; test -f {name}"
        try:
            done = await run_in(("/bin/sh", "-c", script), RunLayer(project, upper))
        except OSError as error:
            return str(error)
    written = project / f"{name}-2"
    if written.exists():
        written.unlink()
        return "what commands write reaches the project"
    return "" if done.code == 0 and not done.timed_out else _trouble(done)


async def try_out(mechanism: Mechanism, project: Path) -> str:
    """`trial` of a mechanism.

    Returns:
        Why the mechanism does not work; empty when it does.
    """

    async def spawn(argv: tuple[str, ...], layer: RunLayer) -> Completed:
        done = await run(mechanism.wrap(argv, layer), cwd=Path("/"), timeout=_PROBE_SECONDS)
        if done.code and (reason := mechanism.failure(done.stderr)):
            raise OSError(reason)
        return done

    return await trial(project, spawn)


def _trouble(done: Completed) -> str:
    """Why a trial run did not do what it should."""
    if done.timed_out:
        return "a trial run hung"
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[0] if said else f"a trial run ended with status {done.code}"


async def try_beside(mechanism: Mechanism, project: Path) -> str:
    """`try_out` for a mechanism that works in a copy: whether a command can write there, and nowhere else.

    Returns:
        Why the mechanism does not work; empty when it does.
    """
    name = f".pairloop-probe-{secrets.token_hex(8)}"
    with tempfile.TemporaryDirectory(prefix="pairloop-", ignore_cleanup_errors=True) as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        script = 'echo x >inside || exit 3; { echo x >"$0"; } 2>/dev/null; exit 0'
        command = mechanism.wrap(("/bin/sh", "-c", script, str(project / name)), RunLayer(tree, tree))
        try:
            done = await run(command, cwd=tree, timeout=_PROBE_SECONDS)
        except OSError as error:
            return str(error)
        wrote = (tree / "inside").exists()
    if (project / name).exists():
        (project / name).unlink()
        return "what commands write reaches the project"
    return "" if done.code == 0 and wrote else mechanism.failure(done.stderr) or _trouble(done)


async def _bubblewraps(shelter: Shelter) -> AsyncIterator[Mechanism]:
    program = await find_bubblewrap()
    if program is None:
        return
    for user_namespace in (False, True) if os.geteuid() == 0 else (False,):
        for own_proc in (True, False):
            yield Bubblewrap(program, shelter, user_namespace=user_namespace, own_proc=own_proc)


async def _unshares(shelter: Shelter) -> AsyncIterator[Mechanism]:
    unshare, mount = find_program("unshare"), find_program("mount")
    if unshare is None or mount is None:
        return
    for drop in (True, False):
        yield Unshare(unshare, mount, shelter, drop=drop)


async def _seatbelts(shelter: Shelter) -> AsyncIterator[Mechanism]:
    if program := find_seatbelt():
        yield Seatbelt(program, shelter)


_VARIANTS: dict[Kind, Callable[[Shelter], AsyncIterator[Mechanism]]] = {
    "bubblewrap": _bubblewraps,
    "unshare": _unshares,
    "seatbelt": _seatbelts,
}
_NEEDS: dict[Kind, str] = {
    "bubblewrap": "no bubblewrap 0.11 or newer found",
    "unshare": "unshare or mount is missing",
    "seatbelt": "sandbox-exec is missing",
}


def _kinds() -> tuple[Kind, ...]:
    """What can be there on this system, best first."""
    if sys.platform == "darwin":
        return ("seatbelt",)
    return ("bubblewrap", "unshare") if sys.platform == "linux" else ()


async def probe(kind: Kind, project: Path, shelter: Shelter) -> Probe:
    """Try one mechanism on a project; what came of it is remembered as long as the process lives."""
    key = (kind, project, shelter)
    if key not in _probes:
        _probes[key] = await _probe(kind, project, shelter)
    return _probes[key]


async def _probe(kind: Kind, project: Path, shelter: Shelter) -> Probe:
    if kind not in _kinds():
        return Probe(None, f"it needs {'macOS' if kind == 'seatbelt' else 'Linux'}")
    if kind != "seatbelt" and (reason := refuse_home(shelter.home, project)):
        return Probe(None, reason)
    first = ""
    async for mechanism in _VARIANTS[kind](shelter):
        reason = await (try_out if mechanism.overlays else try_beside)(mechanism, project)
        if not reason:
            return Probe(mechanism)
        first = first or reason
    return Probe(None, first or _NEEDS[kind])


async def choose(wanted: Wanted, project: Path, shelter: Shelter, *, required: bool = False) -> Mechanism:
    """The best mechanism that works for a project.

    Args:
        wanted: ``auto``, or the one to insist on.
        project: The project's folder.
        shelter: What commands are to be kept to.
        required: Nothing but real isolation will do.

    Raises:
        SandboxError: The one insisted on does not work here, or none does and one is required; says why.
    """
    reasons: list[str] = []
    for kind in _kinds() if wanted == "auto" else () if wanted == "copy" else (wanted,):
        found = await probe(kind, project, shelter)
        if found.mechanism is not None:
            return found.mechanism
        reasons.append(f"{kind}: {found.reason}")
    if required:
        why = "; ".join(reasons) or 'candidate = "copy" has none'
        raise SandboxError(
            f"No checks and commands are run here: a sandbox is required, and none works ({why}).",
            f"{remedy(await find_bubblewrap())}\nOr take `required = true` out of [sandbox].",
        )
    if wanted not in {"auto", "copy"}:
        raise SandboxError(
            f"The candidate mechanism {wanted} does not work here: {reasons[0].removeprefix(f'{wanted}: ')}.",
            'Set `candidate = "auto"` under [sandbox] to take the best one that does.',
        )
    return Copy(shelter, f"Why not better: {'; '.join(reasons)}." if reasons else "")
