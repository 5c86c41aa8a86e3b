"""Which mechanism isolates candidates here: found by trying, never assumed."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from agent_core.errors import SandboxError
from agent_core.process import run
from agent_core.protocols import Sandbox
from agent_core.sandbox.bubblewrap import Bubblewrap, find_bubblewrap
from agent_core.sandbox.copy import Copy
from agent_core.sandbox.layer import RunLayer, refuse_home
from agent_core.sandbox.unshare import Unshare, find_program

Wanted = Literal["auto", "bubblewrap", "unshare", "copy"]

_PROBE_SECONDS = 20.0


class Mechanism(Sandbox, Protocol):
    """A sandbox, and whether it overlays the project in place or needs a copy of it."""

    @property
    def overlays(self) -> bool:
        """Whether the tree appears at the project's own path."""

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


_probes: dict[tuple[str, Path, Path, bool], Probe] = {}


async def try_out(mechanism: Mechanism, project: Path) -> str:
    """Run a command over the real project and see whether it was shut in.

    The command writes only after it has read a file that exists in the overlay alone, so a mechanism that does
    nothing cannot make it write into the project.

    Returns:
        Why the mechanism does not work; empty when it does.
    """
    name = f".pairloop-probe-{secrets.token_hex(8)}"
    with tempfile.TemporaryDirectory(prefix="pairloop-", ignore_cleanup_errors=True) as folder:
        upper = Path(folder) / "upper"
        upper.mkdir()
        (upper / name).write_text("over\n")
        layer = RunLayer(project, upper)
        script = f"read -r line <{name} && test $line = over && {{ echo x >{name}-2; }} 2>/dev/null; test -f {name}"
        command = mechanism.wrap(("/bin/sh", "-c", script), layer)
        try:
            done = await run(command, cwd=Path("/"), timeout=_PROBE_SECONDS)
        except OSError as error:
            return str(error)
    written = project / f"{name}-2"
    if written.exists():
        written.unlink()
        return "what commands write reaches the project"
    if done.timed_out:
        return "a trial run hung"
    if done.code != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return mechanism.failure(done.stderr) or (said[0] if said else f"a trial run ended with status {done.code}")
    return ""


async def _bubblewraps(home: Path, *, network: bool) -> AsyncIterator[Mechanism]:
    program = await find_bubblewrap()
    if program is None:
        return
    for user_namespace in (False, True) if os.geteuid() == 0 else (False,):
        for own_proc in (True, False):
            yield Bubblewrap(program, home=home, network=network, user_namespace=user_namespace, own_proc=own_proc)


async def _unshares(home: Path, *, network: bool) -> AsyncIterator[Mechanism]:
    unshare, mount = find_program("unshare"), find_program("mount")
    if unshare is None or mount is None:
        return
    for drop in (True, False):
        yield Unshare(unshare, mount, home=home, network=network, drop=drop)


async def probe(kind: Literal["bubblewrap", "unshare"], project: Path, home: Path, *, network: bool) -> Probe:
    """Try one mechanism on a project; what came of it is remembered as long as the process lives."""
    key = (kind, project, home, network)
    if key not in _probes:
        _probes[key] = await _probe(kind, project, home, network=network)
    return _probes[key]


async def _probe(kind: Literal["bubblewrap", "unshare"], project: Path, home: Path, *, network: bool) -> Probe:
    if sys.platform != "linux":
        return Probe(None, "it needs Linux")
    if reason := refuse_home(home, project):
        return Probe(None, reason)
    variants = _bubblewraps(home, network=network) if kind == "bubblewrap" else _unshares(home, network=network)
    first = ""
    async for mechanism in variants:
        reason = await try_out(mechanism, project)
        if not reason:
            return Probe(mechanism)
        first = first or reason
    needs = "no bubblewrap 0.11 or newer found" if kind == "bubblewrap" else "unshare or mount is missing"
    return Probe(None, first or needs)


async def choose(wanted: Wanted, project: Path, home: Path, *, network: bool) -> Mechanism:
    """The best mechanism that works for a project.

    Args:
        wanted: ``auto``, or the one to insist on.
        project: The project's folder.
        home: The human's home folder.
        network: Whether commands may use the network.

    Raises:
        SandboxError: The one insisted on does not work here; says why.
    """
    if wanted == "copy":
        return Copy()
    reasons: list[str] = []
    kinds: tuple[Literal["bubblewrap", "unshare"], ...] = ("bubblewrap", "unshare")
    for kind in kinds:
        if wanted not in {"auto", kind}:
            continue
        found = await probe(kind, project, home, network=network)
        if found.mechanism is not None:
            return found.mechanism
        reasons.append(f"{kind}: {found.reason}")
    if wanted != "auto":
        raise SandboxError(
            f"The candidate mechanism {wanted} does not work here: {reasons[0].removeprefix(f'{wanted}: ')}.",
            'Set `candidate = "auto"` under [sandbox] to take the best one that does.',
        )
    return Copy(f"Why not better: {'; '.join(reasons)}.")
