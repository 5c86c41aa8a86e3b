"""What git knows of the project: its commits, what one changed, who wrote a line. Nothing of it is run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from agent_core.conversation import ToolSpec
from agent_core.process import Completed, run
from agent_core.text import counted, printable, shortened
from agent_core.tools.base import ToolError, ToolOutput, View, make_spec, read_arguments
from agent_core.tools.files import clean, closest
from agent_core.workspace.git import folder_of, without_filters
from agent_core.workspace.ignore import git_environment

_SECONDS = 20.0
_CAP = 400_000
_MOST_COMMITS = 30
_LONG_LINE = 400
# No spaces, no colon (a file of a revision), no dash in front (an option).
_REVISION = re.compile(r"[\w@][\w./@^~{}+-]*")
_QUIET = ("--no-ext-diff", "--no-textconv", "--no-show-signature", "--no-color", "--relative", "--submodule=short")

GitAction = Literal["log", "show", "blame", "file"]


class _GitArguments(msgspec.Struct):
    action: GitAction
    path: str = ""
    revision: str = ""
    text: str = ""
    start: int = 0
    end: int = 0


class GitHistory:
    """The tool ``git``: read-only.

    Args:
        root: The project's folder.
        mask: Takes secrets out of what it gives: what was committed once and taken out again is still there.
    """

    looks = True
    spec: ToolSpec = make_spec(
        "git",
        "Look at the history; changes nothing. 'log': the last commits, of 'path', of 'revision' (such as v1..v2), or "
        "those that brought or removed 'text'. 'show': what a commit ('revision') changed. 'blame': which commits "
        "wrote the lines 'start' to 'end' of 'path'. 'file': 'path' as it was in 'revision'.",
        {
            "action": {"type": "string", "enum": ["log", "show", "blame", "file"]},
            "path": {"type": "string"},
            "revision": {"type": "string"},
            "text": {"type": "string"},
            "start": {"type": "integer"},
            "end": {"type": "integer"},
        },
        ("action",),
    )

    def __init__(self, root: Path, mask: Callable[[str], str] = str) -> None:
        self._root = root
        self._mask = mask

    def title(self, arguments: str) -> str:
        """What a call does, for the human."""
        try:
            wanted = read_arguments(_GitArguments, arguments)
        except ToolError:
            return "git"
        parts = (wanted.action, wanted.revision, wanted.path, repr(wanted.text) if wanted.text else "")
        return " ".join(["git", *(part for part in parts if part)])

    async def run(self, arguments: str, view: View) -> ToolOutput:
        """Ask git."""
        wanted = read_arguments(_GitArguments, arguments)
        path = clean(wanted.path)
        if wanted.path.startswith("/") or ".." in path.split("/") or "\0" in wanted.path + wanted.text:
            raise ToolError(f"{wanted.path!r} is outside the project.", "Give a path relative to the project.")
        if wanted.revision and not _REVISION.fullmatch(wanted.revision):
            raise ToolError(f"{wanted.revision!r} is no revision.", "Give a commit, a branch, a tag, or HEAD~2.")
        if folder_of(self._root) is None:
            raise ToolError("The project is in no git repository.", "There is no history to look at.")
        argv = _command(wanted, path)
        settings = without_filters(self._root)
        # What is configured as text to be shown in the place of files is a program.
        env = git_environment(os.environ, (*settings, ("core.pager", "cat"), ("core.quotePath", "false")))
        done = await run(argv, cwd=self._root, timeout=_SECONDS, env=env, cap=_CAP)
        text = _said(done, wanted, path, view)
        lines = [shortened(line.rstrip("\r"), _LONG_LINE) for line in self._mask(printable(text)).split("\n")]
        body = "\n".join(lines).strip("\n")
        count = body.count("\n") + 1 if body else 0
        return ToolOutput(body or "(nothing)", counted(count, "line"), rest=_REST[wanted.action])


_REST: dict[GitAction, str] = {
    "log": "Give a path, a text or a range of revisions to see less.",
    "show": "Give a path to see what the commit changed in it alone.",
    "blame": "Give start and end.",
    "file": "Give start and end.",
}


def _command(wanted: _GitArguments, path: str) -> tuple[str, ...]:
    """The command line.

    Raises:
        ToolError: Something is missing.
    """
    git = ("git", "--no-pager", "--literal-pathspecs")
    revision = wanted.revision or "HEAD"
    if wanted.action == "log":
        found = (f"-S{wanted.text}",) if wanted.text else ()
        form = ("--format=%h %ad %an: %s", "--date=short", f"-{_MOST_COMMITS}")
        return (*git, "log", *form, *_QUIET, *found, revision, "--", path or ".")
    if wanted.action == "show":
        whole = ("--format=%h %ad %an%n%n%B", "--date=iso", "--stat", "--patch")
        return (*git, "show", *whole, *_QUIET, revision, "--", path or ".")
    if not path:
        raise ToolError(f"{wanted.action!r} needs the path of a file.", "Give path.")
    if wanted.action == "file":
        return (*git, "cat-file", "blob", f"{revision}:./{path}")
    lines = (f"-L{max(wanted.start, 1)},{wanted.end if wanted.end > 0 else ''}",) if wanted.start or wanted.end else ()
    return (*git, "blame", "--date=short", "--no-textconv", *lines, revision, "--", path)


def _said(done: Completed, wanted: _GitArguments, path: str, view: View) -> str:
    """What git said.

    Raises:
        ToolError: It failed; says why.
    """
    if done.timed_out:
        raise ToolError(f"git took more than {_SECONDS:.0f} s.", _REST[wanted.action])
    if done.code != 0:
        reason = done.stderr.decode("utf-8", "replace").strip().split("\n")[0].removeprefix("fatal: ")
        hint = closest(path, view.paths()) if path and path not in view.paths() else "action 'log' shows the commits."
        raise ToolError(f"git {wanted.action}: {printable(reason) or f'exit {done.code}'}.", hint)
    if b"\0" in done.stdout[:8000]:
        raise ToolError(f"{path or wanted.revision!r} is no text.")
    text = done.stdout.decode("utf-8", "replace")
    if wanted.action == "blame":
        return f"[Lines as they are in {wanted.revision or 'HEAD'}; your draft may have moved them.]\n{text}"
    if wanted.action == "file":
        lines = text.split("\n")
        start = max(wanted.start, 1)
        end = wanted.end if wanted.end > 0 else len(lines)
        return "\n".join(f"{number:>5} | {line}" for number, line in enumerate(lines[start - 1 : end], start))
    return text
