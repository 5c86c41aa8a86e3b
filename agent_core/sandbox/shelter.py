"""What every mechanism keeps a command to, whichever means it has: network, limits, hidden places."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from agent_core.sandbox.layer import with_removals
from agent_core.sandbox.limits import GB, Limits, Resource, resource_limits, with_limits
from agent_core.sandbox.secrets import VARIABLES, Hidden, hidden_places

# Looking for secrets takes some milliseconds; one that is new is hidden from the runs that begin this much later.
_HIDDEN_SECONDS = 30.0

DEFAULT_LIMITS = Limits(memory=4 * GB, processes=2048, disk=2 * GB)


@functools.lru_cache(maxsize=8)
def _hidden(variables: tuple[tuple[str, str], ...], project: Path, period: int) -> Hidden:  # noqa: ARG001 - the key
    return hidden_places(dict(variables), project)


@functools.lru_cache(maxsize=8)
def _resources(limits: Limits, *, own_users: bool) -> dict[Resource, int]:
    return resource_limits(limits, own_users=own_users)


class Shelter(msgspec.Struct, frozen=True):
    """What a command is kept to.

    Attributes:
        home: The human's home folder; what a command writes there is thrown away.
        network: Whether commands may use the network.
        limits: What a run may use up.
        variables: Those of the human's environment that say where secrets are.
    """

    home: Path
    network: bool = False
    limits: Limits = DEFAULT_LIMITS
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """For a human: the network and the limits."""
        return f"{'network on' if self.network else 'no network'}, {self.limits.text}"

    def hidden(self, project: Path) -> Hidden:
        """The places that hold secrets, see `hidden_places`."""
        variables = tuple(sorted({**dict(self.variables), "HOME": str(self.home)}.items()))
        return _hidden(variables, project, int(time.monotonic() / _HIDDEN_SECONDS))

    def resources(self, *, own_users: bool) -> dict[Resource, int]:
        """The resource limits of a run, see `resource_limits`."""
        return _resources(self.limits, own_users=own_users)

    def inside(self, argv: Sequence[str], removed: Sequence[str], *, own_users: bool) -> tuple[str, ...]:
        """The command that holds itself to the limits, removes paths, and then becomes another command."""
        return with_limits(with_removals(argv, removed), self.resources(own_users=own_users))


class Sheltered:
    """What every mechanism is.

    Args:
        shelter: What commands are kept to.
    """

    def __init__(self, shelter: Shelter) -> None:
        self._shelter = shelter

    @property
    def limits(self) -> Limits:
        """What a run may use up."""
        return self._shelter.limits


def make_shelter(home: Path, environ: Mapping[str, str], *, network: bool, limits: Limits) -> Shelter:
    """A shelter as the human's environment has it."""
    return Shelter(home, network, limits, tuple((name, environ[name]) for name in VARIABLES if environ.get(name)))
