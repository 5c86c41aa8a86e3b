"""Candidates as plain copies: no sandbox at all, for systems that forbid overlays."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.protocols import Layer
from agent_core.sandbox.confinement import InCopies
from agent_core.sandbox.shelter import Shelter


class Copy(InCopies):
    """Runs commands as they are, in a copy of the project.

    Args:
        shelter: What commands are kept to; without a sandbox that is the limits.
        why: Why nothing better was taken, for a human.
    """

    isolates = False

    def __init__(self, shelter: Shelter, why: str = "") -> None:
        super().__init__(shelter)
        self._why = why

    @property
    def name(self) -> str:
        """What a human reads."""
        return f"copy, no sandbox, network on, {self.limits.text}"

    @property
    def note(self) -> str:
        """What is weaker here."""
        note = (
            "Candidates are copies and their commands run without a sandbox: they can use the network, read your "
            "keys, and could write to the project by its absolute path or into its linked .venv or node_modules."
        )
        return f"{note} {self._why}".strip()

    def wrap(self, argv: Sequence[str], layer: Layer) -> tuple[str, ...]:  # noqa: ARG002 - the copy is the layer
        """The command, held to the limits."""
        return self._shelter.inside(argv, (), own_users=False)

    def failure(self, stderr: bytes) -> str:  # noqa: ARG002 - nothing is made that could fail
        """There is nothing that could fail: always empty."""
        return ""
