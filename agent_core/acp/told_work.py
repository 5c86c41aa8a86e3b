"""What is called, run, written and checked, as an editor's tool calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from acp import start_tool_call, update_tool_call
from acp.schema import ToolCallLocation, ToolCallStatus, ToolKind

from agent_core import events as ev
from agent_core.acp.outbox import Update
from agent_core.acp.told_checks import told_result
from agent_core.acp.words import content, fenced, plain, title

_KINDS: dict[str, ToolKind] = {
    "read_file": "read",
    "list_files": "search",
    "search": "search",
    "symbols": "search",
    "git": "read",
    "fetch": "fetch",
    "debug": "execute",
    "run_command": "execute",
    "run_checks": "execute",
    "update_plan": "think",
}
_WELL = frozenset({"passed", "no_tests", "skipped"})
_PLACE = re.compile(r"read (?P<path>.+?)(?::(?P<line>\d+)(?:-\d*)?)?\Z")
_PRINTED = 4_000


class Work:
    """Makes tool calls of the events of one session.

    Args:
        root: The project's folder.
        put: Takes the updates.
    """

    def __init__(self, root: Path, put: Callable[[Update], None]) -> None:
        self._root = root
        self._put = put
        self._calls: dict[str, str] = {}
        self._checks: dict[str, str] = {}
        self._open: set[str] = set()  # tool calls that are under way
        self._written: dict[str, str] = {}  # patches that are being written: call id -> id here
        self._printed: dict[str, str] = {}

    def tool(self, call_id: str) -> str:
        """Under which id the editor knows a tool call; providers give the same id twice."""
        return self._calls.get(call_id, f"call-{call_id}")

    def hear(self, entry: ev.Entry, *, live: bool) -> bool:
        """Tell an event, if it is one of work; gives whether it is. See `agent_core.acp.telling.Teller.hear`."""
        match entry.event:
            case ev.PatchStreamed() | ev.PatchRejected():
                self._patch(entry, live=live)
            case ev.ToolStarted() | ev.ToolPrinted() | ev.ToolFinished() | ev.ShellStarted() | ev.ShellFinished():
                self._tool(entry, live=live)
            case ev.CheckStarted() | ev.CheckProgressed() | ev.CheckStaged() | ev.CheckFinished():
                self._check(entry, live=live)
            case _:
                return False
        return True

    def end_written(self, status: ToolCallStatus) -> None:
        """No patch is written any more."""
        for here in self._written.values():
            self._put(update_tool_call(here, status=status))
        self._written.clear()

    def cut_off(self) -> None:
        """What is still under way will not come to its end."""
        self.end_written("failed")
        for here in sorted(self._open):
            self._put(update_tool_call(here, status="failed"))
        self._open.clear()
        self._checks.clear()

    def _begin(self, here: str, words: str, kind: ToolKind, places: list[ToolCallLocation] | None = None) -> None:
        self._open.add(here)
        self._put(start_tool_call(here, title(words), kind=kind, status="in_progress", locations=places))

    def _end(self, here: str, status: ToolCallStatus, shown: str, words: str | None = None) -> None:
        self._open.discard(here)
        self._put(update_tool_call(here, title=words, status=status, content=[content(shown)]))

    def _tool(self, entry: ev.Entry, *, live: bool) -> None:
        match entry.event:
            case ev.ToolStarted(call_id, name, told):
                here = self._calls[call_id] = f"call-{entry.seq}"
                self._begin(here, told, _KINDS.get(name, "other"), self._places(told))
            case ev.ToolPrinted(call_id, text):
                here = self.tool(call_id)
                self._printed[here] = (self._printed.get(here, "") + text)[-_PRINTED:]
                if live:
                    self._put(update_tool_call(here, content=[content(fenced(self._printed[here]))]))
            case ev.ToolFinished(call_id, ok, summary):
                here = self.tool(call_id)
                printed = self._printed.pop(here, "")
                shown = f"{plain(summary)}\n\n{fenced(printed)}" if printed.strip() else plain(summary)
                self._end(here, "completed" if ok else "failed", shown)
            case ev.ShellStarted(name, line):
                here = self._calls[name] = f"shell-{entry.seq}"
                self._begin(here, f"$ {line}", "execute")
            case ev.ShellFinished(name, code, output, _, killed):
                how = f"ended: {killed}" if killed else f"exit status {code}"
                status: ToolCallStatus = "failed" if code or killed else "completed"
                self._end(self.tool(name), status, f"{fenced(output)}\n\n{plain(how)}")
            case _:
                pass

    def _places(self, told: str) -> list[ToolCallLocation] | None:
        found = _PLACE.match(told)
        if found is None or not (path := self._root / found["path"]).is_file():
            return None
        return [ToolCallLocation(path=str(path), line=int(found["line"]) if found["line"] else None)]

    def _patch(self, entry: ev.Entry, *, live: bool) -> None:
        match entry.event:
            case ev.PatchStreamed(call_id) if live and call_id not in self._written:
                here = self._written[call_id] = f"patch-{entry.seq}"
                self._put(start_tool_call(here, "Write a patch", kind="edit", status="in_progress"))
            case ev.PatchRejected(call_id, message, already):
                here = self._written.pop(call_id, "")
                if not here:
                    here = f"patch-{entry.seq}"
                    self._put(start_tool_call(here, "Write a patch", kind="edit", status="in_progress"))
                words = "The patch asks for nothing new" if already else "The patch was refused"
                self._end(here, "completed" if already else "failed", fenced(message), words)
            case _:
                pass

    def _check(self, entry: ev.Entry, *, live: bool) -> None:
        match entry.event:
            case ev.CheckStarted(check, "candidate"):
                if check in self._checks:
                    self._open.discard(self._checks[check])
                    self._put(update_tool_call(self._checks[check], status="failed"))
                here = self._checks[check] = f"check-{entry.seq}"
                self._begin(here, f"Check {check}", "execute")
            case ev.CheckProgressed(check, "candidate", done, total) if live and check in self._checks:
                far = f"{done} of {total}" if total else f"{done}"
                self._put(update_tool_call(self._checks[check], title=title(f"Check {check}: {far}")))
            case ev.CheckStaged("candidate", result) if result.check in self._checks:
                self._put(update_tool_call(self._checks[result.check], content=[content(told_result(result))]))
            case ev.CheckFinished("candidate", result) if here := self._checks.pop(result.check, ""):
                status: ToolCallStatus = "completed" if result.outcome in _WELL else "failed"
                self._end(here, status, told_result(result), title(f"Check {result.check}: {result.summary}"))
            case _:
                pass
