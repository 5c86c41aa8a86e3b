"""Running a command: only after the human, or a rule of theirs, said yes, and never in the working tree."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from agent_core.conversation import ToolSpec
from agent_core.tools.base import Approver, Permission, ToolError, ToolOutput, View, make_spec, read_arguments

_SECONDS = 120.0
# Both streams in the order in which they were written. The line is an argument, so that nothing of it is read twice.
_BOTH = 'exec 2>&1; eval "$1"'


class _CommandArguments(msgspec.Struct):
    command: str


def _unheard(_: str) -> None:
    """Nobody listens to what a command prints while it runs."""


class RunCommand:
    """The tool ``run_command``.

    Args:
        approve: Says whether a command may run.
        printed: Told each line of its output as it comes.
    """

    looks = False
    spec: ToolSpec = make_spec(
        "run_command",
        "Run a shell command in an isolated copy of the project with your draft in it. The human is asked first. What "
        "it writes is thrown away: change files with apply_patch only.",
        {"command": {"type": "string"}},
        ("command",),
    )

    def __init__(self, approve: Approver, printed: Callable[[str], None] = _unheard) -> None:
        self._approve = approve
        self._printed = printed

    def title(self, arguments: str) -> str:
        """What a call does, for the human."""
        try:
            return f"run {read_arguments(_CommandArguments, arguments).command}"
        except ToolError:
            return "run"

    async def run(self, arguments: str, view: View) -> ToolOutput:
        """Ask, then run."""
        command = read_arguments(_CommandArguments, arguments).command.strip()
        if not command:
            raise ToolError("The command is empty.")
        if not await self._approve(Permission("run", command)):
            return ToolOutput("The human did not allow this command. Go on without it.", "not allowed", ok=False)
        done = await view.run(("sh", "-c", _BOTH, "sh", command), timeout=_SECONDS, on_line=self._printed)
        how = f"stopped after {_SECONDS:.0f} s" if done.timed_out else f"exit status {done.code}"
        return ToolOutput(f"{how}\n{done.text}".rstrip(), how, ok=done.code == 0 and not done.timed_out)
