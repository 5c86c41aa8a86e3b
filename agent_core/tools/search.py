"""Searching text in the project: ripgrep where it is installed, git's own grep everywhere else."""

from __future__ import annotations

import shutil

import msgspec

from agent_core.conversation import ToolSpec
from agent_core.tools.base import ToolError, ToolOutput, View, make_spec, read_arguments
from agent_core.tools.files import clean

_MOST_HITS = 100
_SECONDS = 20.0


class _SearchArguments(msgspec.Struct):
    pattern: str
    path: str = ""


class Search:
    """The tool ``search``."""

    spec: ToolSpec = make_spec(
        "search",
        "Search the project's files for a regular expression; gives path:line:text. With 'path', only below it.",
        {"pattern": {"type": "string"}, "path": {"type": "string"}},
        ("pattern",),
    )

    def title(self, arguments: str) -> str:
        """What a call does, for the human."""
        try:
            wanted = read_arguments(_SearchArguments, arguments)
        except ToolError:
            return "search"
        return f"search {wanted.pattern!r}" + (f" in {wanted.path}" if wanted.path else "")

    async def run(self, arguments: str, view: View) -> ToolOutput:
        """Search."""
        wanted = read_arguments(_SearchArguments, arguments)
        if not wanted.pattern:
            raise ToolError("The pattern is empty.")
        where = clean(wanted.path) or "."
        if ".." in where.split("/"):
            raise ToolError(f"{wanted.path!r} is outside the project.", "Give a path relative to the project.")
        rg = shutil.which("rg")
        argv = _ripgrep(rg, wanted.pattern, where) if rg else _git_grep(wanted.pattern, where)
        done = await view.run(argv, timeout=_SECONDS)
        if done.timed_out:
            raise ToolError(f"The search took more than {_SECONDS:.0f} s.", "Search in a folder, or for less.")
        if done.code > 1:
            reason = done.stderr.decode("utf-8", "replace").strip()
            raise ToolError(f"The search failed: {reason or f'exit {done.code}'}")
        hits = [line.removeprefix("./") for line in done.stdout.decode("utf-8", "replace").splitlines()]
        shown = [line[:400] for line in hits[:_MOST_HITS]]
        if len(hits) > len(shown):
            shown.append(f"[... {len(hits) - len(shown)} more; narrow it down ...]")
        return ToolOutput("\n".join(shown) or "(nothing found)", f"{len(hits)} lines")


def _ripgrep(rg: str, pattern: str, where: str) -> tuple[str, ...]:
    return (rg, "--line-number", "--no-heading", "--color=never", "--hidden", "--glob=!.git", "-e", pattern, where)


def _git_grep(pattern: str, where: str) -> tuple[str, ...]:
    """Works outside a repository too, where it takes git's ignore files all the same."""
    return (
        *("git", "-c", "grep.fallbackToNoIndex=true", "grep", "--untracked", "--exclude-standard"),
        *("-n", "-I", "--no-color", "-E", "-e", pattern, "--", where),
    )
