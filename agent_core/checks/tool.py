"""What all checks share: running a tool in a candidate, and turning what it printed into clean findings."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent_core.checks.model import CheckResult, Finding, Outcome
from agent_core.file_modes import SYMLINK
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.text import printable
from agent_core.workspace.interpreter import Interpreter

HEAD_START = 0.4
"""Most seconds for which an exact run waits for what gives an early word, so as not to take the processors from it."""

MAX_FINDINGS = 20_000
_MESSAGE = 500
_DETAIL = 6000
_OUTPUT = 4000
# How far to look for a neighbour that is not blank.
_REACH = 20


def shorten(text: str, limit: int) -> str:
    """Cut the middle out of a text of more than `limit` characters."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def one_line(text: str) -> str:
    """A text as one printable line of bounded length."""
    line = " ".join(printable(text[: 4 * _MESSAGE]).split())
    return line if len(line) <= _MESSAGE else line[: _MESSAGE - 1] + "…"


class Sources:
    """The lines of a candidate's files, read once a file."""

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate
        self._lines: dict[str, list[str]] = {}
        # A tool may name a file by its real path where the project is reached through a symlink.
        self._roots = tuple({str(candidate.root), os.path.realpath(candidate.root)})

    def relative(self, name: str) -> str:
        """A tool's name for a file as a path relative to the project, with ``/``."""
        for root in self._roots:
            if name.startswith(root + os.sep):
                name = name[len(root) + 1 :]
                break
        return name.removeprefix("./").replace(os.sep, "/")

    def line(self, path: str | None, number: int | None) -> str:
        """A line of a file, stripped; empty when there is none."""
        lines = self._read(path)
        return _clean(lines[number - 1]) if number is not None and 0 < number <= len(lines) else ""

    def near(self, path: str | None, number: int | None) -> str:
        """The lines above and below a line that are not blank, stripped: what `Finding.near` is."""
        lines = self._read(path)
        if number is None or not 0 < number <= len(lines):
            return ""
        above = next((line for line in reversed(lines[max(number - 1 - _REACH, 0) : number - 1]) if line.strip()), "")
        below = next((line for line in lines[number : number + _REACH] if line.strip()), "")
        return f"{_clean(above)}\n{_clean(below)}"

    def _read(self, path: str | None) -> list[str]:
        if path is None or path.startswith("/"):
            return []
        if path not in self._lines:
            data = self._candidate.read(path) or b""
            self._lines[path] = data.decode("utf-8", "replace").splitlines()
        return self._lines[path]


def _clean(line: str) -> str:
    return printable(line.strip())[:_MESSAGE]


def finding(
    check: str,
    message: str,
    *,
    path: str | None = None,
    line: int | None = None,
    code: str = "",
    text: str = "",
    detail: str = "",
    near: str = "",
    fix: str = "",
) -> Finding:
    """A finding whose texts are bounded and safe to show and to store; `text` and `near` as `Sources` gives them."""
    return Finding(
        check=check,
        message=one_line(message),
        path=None if path is None else printable(path),
        line=line if line is not None and line > 0 else None,
        code=printable(code)[:_MESSAGE],
        text=printable(text),
        detail=printable(shorten(detail, _DETAIL)),
        near=printable(near)[: 2 * _MESSAGE + 1],
        fix=one_line(fix),
    )


def result(
    check: str,
    candidate: Candidate,
    outcome: Outcome,
    summary: str,
    *,
    findings: Sequence[Finding] = (),
    total: int = 0,
    done: Completed | None = None,
) -> CheckResult:
    """A check's result about a candidate; keeps the tail of the output where the tool did not judge.

    A tool that was killed as it used too much did not judge, whatever it had said before.
    """
    if done is not None and done.killed:
        outcome, findings = "error", ()
        summary = summary if done.killed in summary else f"{done.killed}; {summary}"
    judged = outcome in {"passed", "failed"}
    output = "" if done is None or judged else printable(done.text)[-_OUTPUT:].strip()
    seconds = done.seconds if done is not None else 0.0
    return CheckResult(check, outcome, candidate.tree, one_line(summary), tuple(findings), total, seconds, output)


def last_line(done: Completed) -> str:
    """The last line with anything on it, of standard error if there is one, else of standard output."""
    for stream in (done.stderr, done.stdout):
        for line in reversed(stream.decode("utf-8", "replace").splitlines()):
            if line.strip():
                return one_line(line)
    return "it printed nothing"


def ending(code: int) -> str:
    """How a process ended, for a human."""
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit status {code}"


async def run_tool(
    candidate: Candidate,
    argv: Sequence[str],
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    on_line: Callable[[str], None] | None = None,
    warm: Sequence[str] = (),
) -> Completed:
    """Run a tool in a candidate; one that cannot be started ends with 127, as in a shell.

    Raises:
        SandboxError: The candidate's tree could not be made.
    """
    try:
        return await candidate.run(argv, timeout=timeout, env=env, stdin=stdin, on_line=on_line, warm=warm)
    except OSError as error:
        return Completed(127, b"", f"{argv[0]} cannot be started: {error}".encode(), 0.0)


class JsonLines:
    """Collects a tool's JSON lines as they come; what is not JSON is counted, not kept."""

    def __init__(self, take: Callable[[Mapping[str, Any]], None]) -> None:
        self._take = take
        self.taken = 0
        self.noise = 0
        self.lines: list[str] = []

    def feed(self, line: str) -> None:
        """Look at one line of output."""
        if not line.strip():
            return
        if line.startswith("{") and self.taken < MAX_FINDINGS:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError):
                pass
            else:
                self.taken += 1
                return
        self.noise += 1
        if len(self.lines) < MAX_FINDINGS:
            self.lines.append(line[:4096])


def changed_files(candidate: Candidate, paths: Sequence[str] | None, endings: tuple[str, ...]) -> tuple[str, ...]:
    """The files with these endings, of `paths` or else of what the candidate changes, that are there.

    Symlinks are left out: what they point to is judged under its own name.
    """
    files = candidate.snapshot.files
    chosen = candidate.changed if paths is None else paths
    return tuple(
        path for path in sorted(chosen) if path.endswith(endings) and path in files and files[path].mode != SYMLINK
    )


def own_tool(name: str) -> tuple[str, ...]:
    """The command line of a tool that comes with pairloop."""
    # Not resolved: beside a venv's python stand the venv's programs.
    beside = Path(sys.executable).with_name(name)
    return (str(beside),) if beside.exists() else (sys.executable, "-m", name)


def project_program(interpreter: Interpreter, name: str) -> Path | None:
    """A program of the project's own environment, None when it has none."""
    if interpreter.prefix is None:
        return None
    program = interpreter.prefix / "bin" / name
    return program if os.access(program, os.X_OK) else None


def python_version(interpreter: Interpreter) -> tuple[int, int] | None:
    """The interpreter's version as far as its files tell, without starting it."""
    text = ""
    if interpreter.prefix is not None:
        try:
            text = (interpreter.prefix / "pyvenv.cfg").read_text("utf-8", "replace")
        except OSError:
            text = ""
    found = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", text, re.MULTILINE)
    if found is None:
        found = re.search(r"python(\d+)\.(\d+)$", os.path.realpath(interpreter.python))
    return (int(found.group(1)), int(found.group(2))) if found else None
