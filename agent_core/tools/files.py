"""Looking at files: list them, read one."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import PurePosixPath

import msgspec

from agent_core.conversation import ToolSpec
from agent_core.patch.encoding import readable
from agent_core.text import counted
from agent_core.tools.base import Arguments, ToolError, ToolOutput, View, make_spec, read_arguments

_MOST_FILES = 400
_MOST_LINES = 600
_ROOM = 6000
# A file that fills more is begun with what it defines.
_OUTLINE_SHARE = 3
_LONG_LINE = 1000
# The head, and the line that names a cut.
_FRAME_BYTES = 400


def clean(path: str) -> str:
    """A path as the view has it: ``./a//b/`` is ``a/b``, the project itself is the empty string."""
    return "/".join(part for part in path.strip().split("/") if part not in {"", "."})


class _ListArguments(msgspec.Struct):
    path: str = ""
    pattern: str = ""


class ListFiles:
    """The tool ``list_files``."""

    looks = True
    spec: ToolSpec = make_spec(
        "list_files",
        "List the project's files (ignored ones left out). With 'path', only below that folder; with 'pattern', only "
        "names matching that glob, such as '*.py'.",
        {"path": {"type": "string"}, "pattern": {"type": "string"}},
        (),
    )

    def title(self, arguments: str) -> str:
        """What a call does, for the human."""
        wanted = _quiet(_ListArguments, arguments)
        return f"list {' '.join(part for part in (wanted.path, wanted.pattern) if part)}".strip() if wanted else "list"

    async def run(self, arguments: str, view: View) -> ToolOutput:
        """List files."""
        wanted = read_arguments(_ListArguments, arguments)
        folder = clean(wanted.path)
        below = [path for path in view.paths() if not folder or path == folder or path.startswith(folder + "/")]
        if folder and not below:
            raise ToolError(f"There is no folder {folder!r} in the project.", closest(folder, folders(view.paths())))
        if wanted.pattern:
            pattern = wanted.pattern.removeprefix("**/")
            below = [path for path in below if fnmatch(path, pattern) or fnmatch(path.rsplit("/", 1)[-1], pattern)]
        shown = below[:_MOST_FILES]
        rest = len(below) - len(shown)
        text = "\n".join(shown) or "(no files)"
        if rest:
            text += f"\n[... {rest} more; give a path or a pattern ...]"
        return ToolOutput(text, f"{len(below)} files", rest="Give a path or a pattern to see fewer.")


class _ReadArguments(msgspec.Struct):
    path: str
    start: int = 1
    end: int = 0


class ReadFile:
    """The tool ``read_file``.

    Args:
        room: Most tokens of an answer.
    """

    looks = True
    spec: ToolSpec = make_spec(
        "read_file",
        "Read a text file, with line numbers. 'start' and 'end' (1-based, inclusive) choose lines; at most "
        f"{_MOST_LINES} lines come at once, of a long file what it defines and its beginning. The numbers and the bar "
        "are not part of the file.",
        {"path": {"type": "string"}, "start": {"type": "integer"}, "end": {"type": "integer"}},
        ("path",),
    )

    def __init__(self, room: Callable[[], int] = lambda: _ROOM) -> None:
        self._room = room

    def title(self, arguments: str) -> str:
        """What a call does, for the human."""
        wanted = _quiet(_ReadArguments, arguments)
        if wanted is None:
            return "read"
        lines = f":{wanted.start}-{wanted.end or ''}" if wanted.start > 1 or wanted.end else ""
        return f"read {wanted.path}{lines}"

    async def run(self, arguments: str, view: View) -> ToolOutput:
        """Read a file."""
        wanted = read_arguments(_ReadArguments, arguments)
        path = clean(wanted.path)
        if wanted.path.startswith("/") or ".." in path.split("/"):
            raise ToolError(f"{wanted.path!r} is outside the project.", "Give a path relative to the project.")
        data = view.read(path) if path in view.paths() else None
        if data is None:
            raise ToolError(f"There is no file {path!r} in the project.", closest(path, view.paths()))
        text = readable(data)
        if text is None:
            raise ToolError(f"{path!r} is a binary file of {len(data)} bytes; it cannot be read as text.")
        lines = text.split("\n")
        if lines and not lines[-1]:
            lines.pop()
        start = max(wanted.start, 1)
        # Zero and less mean the file's end: models write -1 for it.
        asked = min(wanted.end, len(lines)) if wanted.end > 0 else len(lines)
        end = min(asked, start + _MOST_LINES - 1)
        if lines and start > len(lines):
            raise ToolError(f"{path!r} has {len(lines)} lines; there is no line {start}.")
        if lines and end < start:
            raise ToolError(f"The range ends before it starts: {start} to {wanted.end}.")
        numbered = [f"{number:>5} | {_shorten(line)}" for number, line in enumerate(lines[start - 1 : end], start)]
        long = start == 1 and asked == len(lines) and (end < asked or self._beyond(numbered) > 0)
        about = await self._outline(path, data) if long else ""
        end -= (rest := self._beyond(numbered, about))
        whole = start == 1 and end == len(lines)
        head = f"{path} ({len(lines)} lines)" if whole else f"{path} (lines {start}-{end} of {len(lines)})"
        text = f"{head}\n{about}" + "\n".join(numbered[: len(numbered) - rest])
        if end < asked:
            text += f"\n[Lines {end + 1}-{asked} are left out: read_file with 'start' {end + 1} goes on.]"
        return ToolOutput(text, counted(max(end - start + 1, 0), "line"))

    def _beyond(self, numbered: Sequence[str], about: str = "") -> int:
        """How many of the last lines there is no room for; one is shown whatever it costs."""
        left = self._room() * 4 - len(about.encode("utf-8", "replace")) - _FRAME_BYTES
        for at, line in enumerate(numbered):
            left -= len(line.encode("utf-8", "replace")) + 1
            if left < 0:
                return len(numbered) - max(at, 1)
        return 0

    async def _outline(self, path: str, data: bytes) -> str:
        """What a file defines, as long as there is room."""
        # Tree-sitter is for those who need it.
        from agent_core.symbols.repo_map import outlined  # noqa: PLC0415
        from agent_core.symbols.tags import outline  # noqa: PLC0415

        found = await asyncio.to_thread(outline, path, data)
        if not found:
            return ""
        names = outlined([one for one in found if not one.inside]).split("\n")
        left, kept = self._room() * 4 // _OUTLINE_SHARE, 0
        while kept < len(names) and (left := left - len(names[kept].encode("utf-8", "replace")) - 1) >= 0:
            kept += 1
        more = (
            [f"[... {len(names) - kept} more names: symbols with this path shows them ...]"]
            if kept < len(names)
            else []
        )
        return "\n".join(["[It is long. What it defines, by line:]", *names[:kept], *more, "[Its text:]", ""])


def _shorten(line: str) -> str:
    line = line.rstrip("\r")
    return line if len(line) <= _LONG_LINE else f"{line[:_LONG_LINE]} [... {len(line) - _LONG_LINE} characters more]"


def folders(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Every folder that holds one of some files, directly or below, sorted."""
    return tuple(sorted({str(parent) for path in paths for parent in PurePosixPath(path).parents} - {"."}))


def closest(path: str, paths: tuple[str, ...]) -> str:
    """A hint at what may have been meant by a path that is not there: the same name elsewhere, or a similar one."""
    name = path.rsplit("/", 1)[-1]
    same = [other for other in paths if other.rsplit("/", 1)[-1] == name]
    close = same or difflib.get_close_matches(path, paths, n=3, cutoff=0.5)
    return f"Did you mean {', '.join(close[:3])}?" if close else "list_files shows what there is."


def _quiet(kind: type[Arguments], arguments: str) -> Arguments | None:
    """Arguments for a title, None when they do not fit: the call itself will say why."""
    try:
        return read_arguments(kind, arguments)
    except ToolError:
        return None
