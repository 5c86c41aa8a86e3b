"""What the tests of the built-in partner share: a project in memory, a search that finds what it is told to find."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent_core.checks.model import CheckResult, Finding
from agent_core.conversation import (
    AssistantItem,
    Completed,
    Item,
    Request,
    TextDelta,
    ToolCallDelta,
    ToolCallItem,
    ToolResultItem,
    ToolSpec,
    UserItem,
)
from agent_core.partners.offline.partner import OfflineModel
from agent_core.patch.apply import apply_operations
from agent_core.patch.read import read_patch
from agent_core.repair.desk import Desk
from agent_core.repair.model import Edit, Found, Progress, Repair, Variant, Wanted
from agent_core.workspace.tree import FileChange

NOWHERE = Path("/nonexistent/project")
CLAMP = "def clamp(x, low, high):\n    if x < low:\n        return low\n    return high if x > high else x\n"
TESTS = "from lib.clamp import clamp\n\n\ndef test_low():\n    assert clamp(1, 2, 3) == 2\n\n\ndef test_high(): ...\n"
TOOLS = tuple(ToolSpec(name, "", "{}") for name in ("ask_human", "apply_patch"))
GREEN = (CheckResult("pytest", "passed", "t", "2 passed"), CheckResult("mypy", "passed", "t", "no type errors"))
RED = (
    CheckResult(
        "pytest",
        "failed",
        "t",
        "1 failed",
        (Finding("pytest", "assert 1 == 2", "tests/test_clamp.py", 5, "tests/test_clamp.py::test_low"),),
    ),
    CheckResult("mypy", "passed", "t", "no type errors"),
)


class Files:
    """Files in memory."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def paths(self) -> Collection[str]:
        return sorted(self._files)

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)


class Service:
    """Finds what it is told to find, in turn; then nothing."""

    def __init__(self, *found: Found, results: tuple[CheckResult, ...] = RED) -> None:
        self.disk = {"lib/clamp.py": CLAMP.encode(), "tests/test_clamp.py": TESTS.encode()}
        self.draft: dict[str, bytes] = {}
        self.results = results
        self.wanted: list[Wanted] = []
        self._found = list(found)

    @property
    def files(self) -> Files:
        return Files({**self.disk, **self.draft})

    def original(self, path: str) -> bytes | None:
        return self.disk.get(path)

    async def standing(self) -> tuple[CheckResult, ...]:
        return self.results

    async def find(self, wanted: Wanted, tell: Callable[[Progress], None], enough: asyncio.Event) -> Found:
        assert not enough.is_set()
        tell(Progress("trying", 1, 2))
        self.wanted.append(wanted)
        return self._found.pop(0) if self._found else Found(word="No repair was found.")


def repair(old: str, new: str, path: str = "lib/clamp.py", text: str = CLAMP, **more: Any) -> Repair:
    """The repair that puts some text in the place of another, which stands in a file once."""
    assert text.count(old) == 1
    at = text.index(old)
    edit = Edit(path, at, at + len(old), new)
    variant = Variant((edit,), "test", 1.0, f"{new} for {old}", text.count("\n", 0, at) + 1)
    return Repair(variant, **{"passed": 2, "whole": True, "mends": ("tests/test_clamp.py::test_low",), **more})


def found(*repairs: Repair, **more: Any) -> Found:
    """What a search found."""
    return Found(repairs, **{"word": "Something was found.", "tried": 12, "seconds": 1.5, **more})


class Talk:
    """A conversation with the built-in partner, without a loop around it.

    Args:
        service: Finds repairs.
        items: How it begins.
        tools: What is on offer.
    """

    def __init__(self, service: Service, items: Sequence[Item] = (), tools: tuple[ToolSpec, ...] = TOOLS) -> None:
        self.service = service
        self.items = list(items)
        self._tools = tools

    @property
    def call(self) -> ToolCallItem:
        """The last call."""
        return next(item for item in reversed(self.items) if isinstance(item, ToolCallItem))

    @property
    def arguments(self) -> dict[str, Any]:
        """Its arguments."""
        arguments = json.loads(self.call.arguments)
        assert isinstance(arguments, dict)
        return arguments

    async def told(self, text: str) -> str:
        """Tell it something; gives its words."""
        return await self._answer(UserItem(text))

    async def answered(self, output: str, *, ok: bool = True) -> str:
        """Answer its last call; gives its words."""
        return await self._answer(ToolResultItem(self.call.call_id, output, ok))

    async def _answer(self, item: Item) -> str:
        self.items.append(item)
        desk = Desk()
        desk.open(self.service)
        # Each time another one: what it knows is in the conversation.
        model = OfflineModel(desk)
        before, streamed, calls = len(self.items), "", ""
        async for chunk in model.stream(Request("do", tuple(self.items), self._tools, "key")):
            match chunk:
                case TextDelta(text):
                    streamed += text
                case ToolCallDelta(_, _, text):
                    calls += text
                case Completed(items, usage):
                    self.items += items
                    assert (usage.input, usage.output, usage.cost) == (0, 0, 0.0)
                case _:
                    raise AssertionError(chunk)
        said, *called = self.items[before:]
        assert said == AssistantItem(streamed)
        assert "".join(one.arguments for one in called if isinstance(one, ToolCallItem)) == calls
        assert len(called) <= 1
        return streamed

    def proposed(self) -> dict[str, str]:
        """What the last proposal makes of the files, drafts included."""
        assert self.call.name == "apply_patch"
        return {path: data.decode() for path, data in self.apply().items()}

    def apply(self) -> dict[str, bytes]:
        """Take the last proposal into the draft; gives what is another than on the disk then."""
        files = {**self.service.disk, **self.service.draft}
        operations = read_patch(self.arguments["patch"]).operations
        changes = apply_operations(
            operations, lambda path: FileChange(files[path]) if path in files else None, files, NOWHERE
        ).changes
        files |= {path: change.data for path, change in changes.items() if change.data is not None}
        return {path: data for path, data in files.items() if data != self.service.disk.get(path)}
