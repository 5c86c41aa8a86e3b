"""How a process that is forked ahead of time has to be shut in, to be no freer than a command of a mechanism."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from agent_core.protocols import Layer
from agent_core.sandbox.layer import hidden_folders, tmp_folders, to_hide, usable_home
from agent_core.sandbox.shelter import Shelter, Sheltered

Step = tuple[Any, ...]


class Confinement(msgspec.Struct, frozen=True):
    """What a mechanism keeps its commands to, for whoever makes the same without its program.

    Attributes:
        shelter: Network, limits, hidden places.
        user_namespace: The mounts are made in a user namespace; False where root makes them as root.
        identity: The command gets a user namespace of its own, with the human's user id and no right to mount.
        capabilities: Those a command keeps; None for what its user namespace gives it.
    """

    shelter: Shelter
    user_namespace: bool
    identity: bool
    capabilities: tuple[int, ...] | None

    def request(self, layer: Layer) -> dict[str, Any]:
        """What a forked process has to do for a run over a layer, as `pairloop_zygote` reads it."""
        room = f",size={self.shelter.limits.disk}"
        return {
            "cwd": str(layer.project),
            "mounts": list(self._mounts(layer, room)),
            "size": room,
            # Without a user namespace root has the attributes that overlays use of themselves.
            "overlay": "userxattr," if self.user_namespace else "",
            "removed": layer.removed,
            "network": self.shelter.network,
            "identity": (os.geteuid(), os.getegid()) if self.identity else None,
            "capabilities": self.capabilities,
            "nice": layer.nice,
            "limits": self.shelter.resources(own_users=self.user_namespace),
        }

    def _mounts(self, layer: Layer, room: str) -> Iterator[Step]:
        """Mounts in an order in which no later one hides an earlier one that is needed, sources by their real names."""
        yield ("tmpfs", "/dev/shm", f"mode=1777{room}")  # noqa: S108 - a private one is mounted there
        yield ("pts", "/dev/pts")
        yield ("proc", "/proc")
        for folder in tmp_folders():
            yield ("tmpfs", str(folder), f"mode=1777{room}")
        home = usable_home(self.shelter.home, layer.project)
        if home is not None:
            yield ("overlay", str(home), (str(home),))
        hidden = self.shelter.hidden(layer.project)
        seen = to_hide(home, hidden)
        for place in (*seen.folders, *seen.files):
            yield ("hide", str(place))
        for folder in hidden_folders(layer, home, hidden):
            yield ("bind", str(folder), _real(folder), True)
        yield ("overlay", str(layer.project), (_real(layer.upper), _real(layer.project)))
        for folder in layer.writable:
            yield ("bind", str(folder), _real(folder), False)


class InCopies(Sheltered):
    """What every mechanism is whose commands run in a copy of the project."""

    overlays = False

    @property
    def confinement(self) -> Confinement | None:
        """Nothing is known here that would shut in a forked process likewise."""
        return None


def _real(path: Path) -> str:
    return os.path.realpath(path)
