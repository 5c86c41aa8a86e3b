"""Names in the code: where one is defined and used, what a file defines, what matters in the project."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import msgspec

from agent_core.conversation import ToolSpec
from agent_core.symbols.languages import language_of
from agent_core.symbols.rank import Wish
from agent_core.symbols.repo_map import outlined
from agent_core.symbols.service import Symbols
from agent_core.symbols.tags import Use, outline
from agent_core.symbols.work import Found
from agent_core.text import counted
from agent_core.tools.base import ToolError, ToolOutput, View, make_spec, read_arguments
from agent_core.tools.files import clean, closest, folders

_MOST_USES = 100
_MOST_DEFINED = 30
_NAME = re.compile(r"[\w$?!]+")


class _SymbolArguments(msgspec.Struct):
    name: str = ""
    path: str = ""


class FindSymbols:
    """The tool ``symbols``.

    Args:
        symbols: Knows the project's names.
        room: Most tokens of an answer.
        task: What the human asked for, for the map.
    """

    looks = True
    spec: ToolSpec = make_spec(
        "symbols",
        "Find names in the code. With 'name': where that function, class or constant is defined, and where it is used. "
        "With only the 'path' of a file: what it defines, with lines. With neither: a map of the project, its most "
        "important names.",
        {"name": {"type": "string"}, "path": {"type": "string"}},
        (),
    )

    def __init__(self, symbols: Symbols, room: Callable[[], int], task: Callable[[], str] = str) -> None:
        self._symbols = symbols
        self._room = room
        self._task = task

    def title(self, arguments: str) -> str:
        """What a call does, for the human."""
        try:
            wanted = read_arguments(_SymbolArguments, arguments)
        except ToolError:
            return "look for names"
        where = f" in {wanted.path}" if wanted.path else ""
        return f"look for {wanted.name!r}{where}" if wanted.name else f"outline {wanted.path or 'the project'}"

    async def run(self, arguments: str, view: View) -> ToolOutput:
        """Look."""
        wanted = read_arguments(_SymbolArguments, arguments)
        where, paths = clean(wanted.path), view.paths()
        below = tuple(path for path in paths if not where or path == where or path.startswith(where + "/"))
        if where and not below:
            raise ToolError(f"There is nothing at {where!r} in the project.", closest(where, paths + folders(paths)))
        # What models write for a method: the class before it.
        name = re.split(r"\.|::|#|->", wanted.name.strip().removesuffix("()"))[-1]
        if name:
            return await self._found(name, where, view)
        return await self._outline(where, view) if where in paths else await self._map(where, view)

    async def _found(self, name: str, where: str, view: View) -> ToolOutput:
        if not _NAME.fullmatch(name):
            raise ToolError(f"{name!r} is no name.", "Give one name, letter by letter; search takes patterns.")
        found = await self._symbols.find(view.states(), view.drafted(), name, where)
        if found is None:
            raise ToolError("Looking for the name failed, or took too long.", "Give a path, or use search.")
        if not found.definitions and not found.uses:
            hint = f"Did you mean {', '.join(found.similar)}?" if found.similar else "search looks in all texts."
            return ToolOutput(f"No code names {name!r}. {hint}", "nothing found")
        kinds = len(found.definitions), len(found.uses)
        summary = f"{counted(kinds[0], 'definition')}, {counted(kinds[1], 'use')}"
        return ToolOutput(_told(name, found), summary, rest="Give a path to look below.")

    async def _outline(self, path: str, view: View) -> ToolOutput:
        data = await asyncio.to_thread(view.read, path)
        if not language_of(path) or data is None:
            raise ToolError(f"{path!r} is in no language whose names are known.", "read_file shows it.")
        found = await asyncio.to_thread(outline, path, data)
        text = outlined(found) or "(it defines nothing)"
        return ToolOutput(f"{path}:\n{text}", f"{len(found)} names", rest="read_file shows the lines themselves.")

    async def _map(self, where: str, view: View) -> ToolOutput:
        states = {path: state for path, state in view.states().items() if not where or path.startswith(where + "/")}
        text, left = await self._symbols.map(states, view.drafted(), Wish(self._task()), self._room() * 3 // 4)
        if not text:
            why = "It takes too long to read it." if left else "There is no code in a language whose names are known."
            raise ToolError(why, "list_files shows the files.")
        more = f"\n[... {left} files were not looked at for it; give a path ...]" if left else ""
        return ToolOutput(f"{text}{more}", f"{text.count(chr(10)) + 1} lines", rest="Give a path to see less of it.")


def _told(name: str, found: Found) -> str:
    lines = [f"{path}:{one.line}-{one.end} {one.kind} {one.head}" for path, one in found.definitions[:_MOST_DEFINED]]
    if len(found.definitions) > _MOST_DEFINED:
        lines.append(f"[... {len(found.definitions) - _MOST_DEFINED} more; give a path to look below ...]")
    parts = ["Defined:\n" + "\n".join(lines) if lines else f"{name} is not defined in the project."]
    if found.uses:
        used = [_place(one) for one in found.uses[:_MOST_USES]]
        if len(found.uses) > _MOST_USES:
            used.append(f"[... {len(found.uses) - _MOST_USES} or more left out; give a path to look below ...]")
        parts.append("Used:\n" + "\n".join(used))
    return "\n\n".join(parts)


def _place(use: Use) -> str:
    return f"{use.path}:{use.line}: {use.text}"
