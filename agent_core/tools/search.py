"""Searching text in the project: ripgrep where it is installed, else git's own grep, else plain grep."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence

import msgspec

from agent_core.conversation import ToolSpec
from agent_core.process import Completed
from agent_core.text import counted
from agent_core.tools.base import ToolError, ToolOutput, View, make_spec, read_arguments
from agent_core.tools.files import clean, closest, folders

_MOST_HITS = 100
_LONG_LINE = 400
_SECONDS = 20.0
# Cannot be run, is not there, and what git says of everything it cannot do.
_NOT_ABLE = frozenset({126, 127, 128})


class _SearchArguments(msgspec.Struct):
    pattern: str
    path: str = ""


class Search:
    """The tool ``search``."""

    looks = True
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
        if "\0" in wanted.pattern or "\n" in wanted.pattern:
            raise ToolError("The pattern spans lines.", "The search goes line by line: look for a part of one.")
        where, paths = clean(wanted.path), view.paths()
        if ".." in where.split("/"):
            raise ToolError(f"{wanted.path!r} is outside the project.", "Give a path relative to the project.")
        if where and not any(path == where or path.startswith(where + "/") for path in paths):
            raise ToolError(f"There is nothing at {where!r} in the project.", closest(where, paths + folders(paths)))
        hits = _hits(await _searched(wanted.pattern, where or ".", view), frozenset(paths))
        shown = hits[:_MOST_HITS]
        if len(hits) > len(shown):
            shown.append(f"[... {len(hits) - len(shown)} more; narrow it down ...]")
        summary = counted(len(hits), "line")
        return ToolOutput("\n".join(shown) or "(nothing found)", summary, rest="Give a path or a narrower pattern.")


async def _searched(pattern: str, where: str, view: View) -> bytes:
    """What the first program says that can be had: each line a path, a NUL, the line's number, a colon, the text.

    Raises:
        ToolError: The search failed; says why.
    """
    tries = []
    for argv in _programs(pattern, where):
        tries.append(await view.run(argv, timeout=_SECONDS))
        if tries[-1].code not in _NOT_ABLE:
            break
    # When nobody could, the best program's reason is the one to tell.
    done = tries[-1] if tries[-1].code not in _NOT_ABLE else _best(tries)
    if done.timed_out:
        raise ToolError(f"The search took more than {_SECONDS:.0f} s.", "Search in a folder, or for less.")
    # One file that cannot be read is no reason to hold back what was found in the others.
    if done.code not in {0, 1} and not done.stdout:
        reason = done.stderr.decode("utf-8", "replace").strip()
        raise ToolError(f"The search failed: {reason or f'exit {done.code}'}")
    return done.stdout


def _best(tries: Sequence[Completed]) -> Completed:
    """The first try of a program that is there at all."""
    return next((done for done in tries if done.code == 128), tries[-1])


def _programs(pattern: str, where: str) -> Iterator[tuple[str, ...]]:
    """Command lines that search, the best one first."""
    # What is installed need not be visible where commands run, so there is always another one to try.
    if rg := shutil.which("rg"):
        options = ("--line-number", "--no-heading", "--with-filename", "--null", "--color=never", "--no-config")
        yield (rg, *options, "--hidden", "--no-require-git", "--glob=!.git", "-e", pattern, "--", where)
    # Not every git knows Perl's regular expressions, and outside a repository it wants to be told that there is none.
    for dialect in ("-P", "-E"):
        for files in ("--untracked", "--no-index"):
            git = ("git", "--literal-pathspecs", "grep", files, "--exclude-standard", "-z", "-n", "-I", "--no-color")
            yield (*git, dialect, "-e", pattern, "--", where)
    yield ("grep", "-r", "-Z", "-n", "-H", "-I", "-E", "--exclude-dir=.git", "-e", pattern, "--", where)


def _hits(said: bytes, paths: frozenset[str]) -> list[str]:
    """Lines for the partner, of files that are the project's only."""
    hits: list[tuple[str, str]] = []
    for line in said.decode("utf-8", "surrogateescape").split("\n"):
        path, found, rest = line.partition("\0")
        path = path.removeprefix("./")
        if not found or path not in paths:
            continue
        rest = rest.replace("\0", ":", 1).rstrip("\r").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if len(rest) > _LONG_LINE:
            rest = f"{rest[:_LONG_LINE]} [... {len(rest) - _LONG_LINE} characters more]"
        hits.append((path, rest))
    # Some programs look at several files at once; the same search must give the same.
    return [f"{path}:{rest}" for path, rest in sorted(hits, key=lambda hit: hit[0])]
