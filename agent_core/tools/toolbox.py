"""All tools the partner is offered, in a stable order."""

from __future__ import annotations

import asyncio
import difflib
import logging
import re
from collections.abc import Callable, Sequence

import msgspec

from agent_core.config_tables import ToolsConfig
from agent_core.conversation import ToolSpec
from agent_core.events.running import PlanStep
from agent_core.text import cap_text, printable
from agent_core.tools.asking import Asker, AskHuman
from agent_core.tools.base import Approver, Tool, ToolError, ToolOutput, ToolSource, View, make_spec
from agent_core.tools.command import RunCommand
from agent_core.tools.debug import Debug
from agent_core.tools.files import ListFiles, ReadFile
from agent_core.tools.plan import UpdatePlan
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
_LONGEST_NAME = 64  # as providers allow
_MOST_TOOLS = 100
_DESCRIPTION_TOKENS = 300
_MOST_SCHEMA = 20_000
_SLOW, _PATIENCE = 2.0, 20.0
_SPARED = frozenset({"symbols", "git", "ask_human", "update_plan"})
"""What a partner that can read little is not offered: small models hardly use it, and read of it in every request."""
log = logging.getLogger(__name__)

Say = Callable[[str, str], None]
"""Tells the human something, and what to do about it."""


async def _nobody(question: str, options: tuple[str, ...]) -> str:  # noqa: ARG001 - as every asker
    """Nobody answers."""
    return ""


class _Named:
    """A tool of a source under a name and with a description that providers and terminals take."""

    def __init__(self, tool: Tool, spec: ToolSpec) -> None:
        self._tool = tool
        self.spec = spec

    @property
    def looks(self) -> bool:
        return self._tool.looks

    def title(self, arguments: str) -> str:
        return self._tool.title(arguments)

    async def run(self, arguments: str, view: View) -> ToolOutput:
        return await self._tool.run(arguments, view)


class Toolbox:
    """The tools by name.

    ``apply_patch`` and ``run_checks`` are offered here but carried out by the loop, whose draft they concern.

    Args:
        approve: Says whether something may be done.
        config: Which tools there are.
        looking: The tools that look at the project; the plainest ones where none are given.
        ask: Asks the human a question.
        planned: Told the partner's plan.
        printed: Told each line that a command prints.
    """

    def __init__(
        self,
        approve: Approver,
        config: ToolsConfig = ToolsConfig(),  # noqa: B008 - frozen
        *,
        looking: Sequence[Tool] = (),
        ask: Asker = _nobody,
        planned: Callable[[tuple[PlanStep, ...]], None] = lambda _: None,
        printed: Callable[[str], None] = lambda _: None,
    ) -> None:
        del config
        self._approve = approve
        self._printed = printed
        tools: tuple[Tool, ...] = (
            *(looking or (ListFiles(), ReadFile(), Search())),
            Debug(),
            RunCommand(approve, printed),
            AskHuman(ask),
            UpdatePlan(planned),
        )
        self._tools = {tool.spec.name: tool for tool in tools}
        self._others: dict[str, Tool] = {}
        self._gathered = False
        self._small: bool | None = None

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What the partner is offered: the same all the time, once `settle` and `gather` are done."""
        mine = (tool.spec for name, tool in self._tools.items() if not (self._small and name in _SPARED))
        others = (tool.spec for tool in self._others.values())
        return (*mine, _PATCH_SPEC, _CHECKS_SPEC, *others)

    def settle(self, *, small: bool) -> None:
        """Say for whom the tools are, once: for a partner that can read little there are fewer.

        Args:
            small: It is one of those.
        """
        if self._small is None:
            self._small = small

    def get(self, name: str) -> Tool | None:
        """A tool by name; None when there is none."""
        return self._tools.get(name) or self._others.get(name)

    def unknown(self, name: str) -> ToolError:
        """The error that there is no such tool; names the one that may have been meant."""
        names = [spec.name for spec in self.specs]
        near = difflib.get_close_matches(name.lower(), names, 1)
        meant = f"Did you mean {near[0]}? " if near else ""
        return ToolError(f"There is no tool {name!r}.", f"{meant}The tools are: {', '.join(names)}.")

    async def gather(self, sources: Sequence[ToolSource], say: Say) -> None:
        """Take in the tools of other sources, once: what the partner is offered stays the same for a session.

        It is not waited long for a source that does not answer.

        Args:
            sources: The sources, in the order in which their tools are listed.
            say: Tells the human what is missing.
        """
        if self._gathered or not sources:
            return
        tasks = [asyncio.ensure_future(source.tools(self._approve, self._printed)) for source in sources]
        try:
            _, late = await asyncio.wait(tasks, timeout=_SLOW)
            if late:
                say(f"Waiting for servers that offer tools, at most {_PATIENCE - _SLOW:.0f} seconds more.", "")
                _, late = await asyncio.wait(late, timeout=_PATIENCE - _SLOW)
        finally:
            for task in tasks:
                task.cancel()
        # Whoever stops the task meanwhile has them with the next one.
        self._gathered = True
        if late:
            say("Not every server that offers tools has answered.", "This session goes on without their tools.")
        for task in tasks:
            if not task.done() or task.cancelled():
                continue
            if (error := task.exception()) is not None:
                log.error("a source of tools failed", exc_info=error)
                say(f"Tools of a server cannot be used: {printable(str(error)) or type(error).__name__}.", "")
                continue
            for tool in task.result():
                self._add(tool, say)

    def _add(self, tool: Tool, say: Say) -> None:
        spec = tool.spec
        if len(self._tools) + len(self._others) >= _MOST_TOOLS:
            say(f"The tool {printable(spec.name)} is left out: there are {_MOST_TOOLS} already.", "")
            return
        if len(spec.parameters) > _MOST_SCHEMA or not _is_object(spec.parameters):
            say(f"The tool {printable(spec.name)} is left out: what it takes cannot be told to a partner.", "")
            return
        taken = {one.name for one in self.specs}
        description = cap_text(printable(spec.description), _DESCRIPTION_TOKENS)
        safe = msgspec.structs.replace(spec, name=_free_name(spec.name, taken), description=description)
        self._others[safe.name] = tool if safe == spec else _Named(tool, safe)


def _is_object(schema: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(schema), dict)
    except (msgspec.DecodeError, RecursionError):
        return False


def _free_name(name: str, taken: set[str]) -> str:
    """A name that providers take, and that no other tool has."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:_LONGEST_NAME] or "tool"
    number, found = 1, safe
    while found in taken:
        number += 1
        found = f"{safe[: _LONGEST_NAME - len(str(number)) - 1]}_{number}"
    return found
