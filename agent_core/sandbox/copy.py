"""Candidates as plain copies: no sandbox at all, for systems that forbid overlays."""

from __future__ import annotations

from collections.abc import Sequence

from agent_core.protocols import Layer


class Copy:
    """Runs commands as they are, in a copy of the project.

    Args:
        why: Why nothing better was taken, for a human.
    """

    overlays = False

    def __init__(self, why: str = "") -> None:
        self._why = why

    @property
    def name(self) -> str:
        """What a human reads."""
        return "copy, no sandbox"

    @property
    def note(self) -> str:
        """What is weaker here."""
        note = (
            "Candidates are copies and their commands run without a sandbox: they can use the network, and could "
            "write to the project by its absolute path or into its linked .venv or node_modules."
        )
        return f"{note} {self._why}".strip()

    def wrap(self, argv: Sequence[str], layer: Layer) -> tuple[str, ...]:  # noqa: ARG002 - the copy is the layer
        """The command itself."""
        return tuple(argv)

    def failure(self, stderr: bytes) -> str:  # noqa: ARG002 - nothing is made that could fail
        """There is nothing that could fail: always empty."""
        return ""
