"""All tools the partner is offered, in a stable order."""

from __future__ import annotations

from collections.abc import Iterable

from agent_core.conversation import ToolSpec
from agent_core.tools.base import Approver, Tool, ToolSource, make_spec
from agent_core.tools.command import RunCommand
from agent_core.tools.debug import Debug
from agent_core.tools.files import ListFiles, ReadFile
from agent_core.tools.search import Search

APPLY_PATCH = "apply_patch"
RUN_CHECKS = "run_checks"

_PATCH_SPEC = make_spec(
    APPLY_PATCH,
    "Propose a change as one patch in the envelope format ('*** Begin Patch' ... '*** End Patch'); a unified diff or "
    "SEARCH/REPLACE blocks are understood too. It is built and checked in an isolated candidate; the answer is the "
    "verdict of the checks and what the human decided.",
    {"patch": {"type": "string", "description": "The whole patch, from '*** Begin Patch' to '*** End Patch'."}},
    ("patch",),
)
_CHECKS_SPEC = make_spec(
    RUN_CHECKS,
    "Run the project's checks (syntax, lint, types, tests) on the project with your draft in it; gives what they say.",
    {},
    (),
)


class Toolbox:
    """The tools by name.

    ``apply_patch`` and ``run_checks`` are offered here but carried out by the loop, whose draft they concern.

    Args:
        approve: Asks the human whether a command may run.
    """

    def __init__(self, approve: Approver) -> None:
        tools: tuple[Tool, ...] = (ListFiles(), ReadFile(), Search(), Debug(), RunCommand(approve))
        self._tools = {tool.spec.name: tool for tool in tools}
        self._approve = approve
        self._others: dict[str, Tool] | None = None

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the partner is offered."""
        others = (self._others or {}).values()
        return (*(tool.spec for tool in self._tools.values()), _PATCH_SPEC, _CHECKS_SPEC, *(one.spec for one in others))

    def get(self, name: str) -> Tool | None:
        """A tool by name; None when there is none."""
        return self._tools.get(name) or (self._others or {}).get(name)

    async def gather(self, sources: Iterable[ToolSource]) -> None:
        """Take in what other sources offer: once, as what the partner is offered stays the same for a session."""
        if self._others is None:
            found = [tool for source in sources for tool in await source.tools(self._approve)]
            self._others = {tool.spec.name: tool for tool in found if tool.spec.name not in self._tools}
