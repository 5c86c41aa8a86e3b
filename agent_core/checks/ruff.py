"""The lint check: ruff over the whole project, with the project's own configuration."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_core.checks.model import CheckResult, Finding, Outcome, Wish
from agent_core.checks.tool import (
    MAX_FINDINGS,
    JsonLines,
    Sources,
    ending,
    finding,
    last_line,
    own_tool,
    project_program,
    python_version,
    result,
    run_tool,
)
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.workspace.interpreter import Interpreter

# What is wrong in any project, whatever its style: syntax errors, undefined and unused names, bad formats.
_SAFE_RULES = "E9,F"


def has_ruff_config(candidate: Candidate) -> bool:
    """Whether the project configures ruff anywhere."""
    for path in candidate.snapshot.files:
        name = path.rpartition("/")[2]
        if name in {"ruff.toml", ".ruff.toml"}:
            return True
        if name == "pyproject.toml":
            try:
                data = tomllib.loads((candidate.read(path) or b"").decode("utf-8", "replace"))
            except tomllib.TOMLDecodeError:
                # Ruff says what is wrong with it, when asked to use it.
                return True
            if "ruff" in data.get("tool", {}):
                return True
    return False


@dataclass(frozen=True)
class RuffCheck:
    """Runs ``ruff check`` and mends nothing.

    Attributes:
        interpreter: Whose environment's ruff is taken, where it has one.
        timeout: Seconds it may take.
    """

    interpreter: Interpreter
    timeout: float = 600.0

    @property
    def name(self) -> str:
        """Short name."""
        return "ruff"

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        """Judge a candidate; see `agent_core.protocols.Check`."""
        total = sum(path.endswith((".py", ".pyi", ".ipynb")) for path in candidate.snapshot.files)
        if not total:
            return result(self.name, candidate, "skipped", "no Python files")
        wish.progress(0, total)
        first, *others = self._flags(candidate)
        found, lines, done = await self._spawn(candidate, first)
        if others and b"--target-version" in done.stderr:
            found, lines, done = await self._spawn(candidate, others[0])
        if (trouble := self._trouble(found, lines, done)) is not None:
            return result(self.name, candidate, *trouble, done=done)
        if not found:
            return result(self.name, candidate, "passed", "nothing found", total=total, done=done)
        files = len({one.path for one in found})
        summary = f"{len(found)} found in {files} file{'s' * (files > 1)}"
        return result(self.name, candidate, "failed", summary, findings=found, total=total, done=done)

    def _flags(self, candidate: Candidate) -> list[list[str]]:
        """Its arguments; the later ones are for when a ruff does not take the ones before."""
        flags = ["--output-format=json-lines", "--no-fix", "--force-exclude", "--quiet"]
        flags.append(f"--cache-dir={candidate.cache / 'ruff'}")
        if has_ruff_config(candidate):
            return [flags]
        # Isolated, so that a configuration above the project or in the home does not judge it. The version
        # matters: newer syntax is an error to ruff's default; a ruff that does not know it goes without.
        flags += ["--isolated", f"--select={_SAFE_RULES}"]
        version = python_version(self.interpreter)
        return [[*flags, f"--target-version=py{version[0]}{version[1]}"], flags] if version else [flags]

    async def _spawn(self, candidate: Candidate, flags: list[str]) -> tuple[list[Finding], JsonLines, Completed]:
        found: list[Finding] = []
        sources = Sources(candidate)

        def take(said: Mapping[str, Any]) -> None:
            path, line = sources.relative(str(said["filename"])), int(said["location"]["row"])
            code = str(said["code"] or said.get("name") or "invalid-syntax")
            text = sources.line(path, line)
            found.append(finding(self.name, str(said["message"]), path=path, line=line, code=code, text=text))

        lines = JsonLines(take)
        own = project_program(self.interpreter, "ruff")
        argv = (*((str(own),) if own else own_tool("ruff")), "check", *flags, ".")
        done = await run_tool(candidate, argv, timeout=self.timeout, on_line=lines.feed)
        return found, lines, done

    def _trouble(self, found: list[Finding], lines: JsonLines, done: Completed) -> tuple[Outcome, str] | None:
        """Why this run is no judgement, None when it is one."""
        if done.timed_out:
            return "timeout", f"not finished after {self.timeout:g} s"
        if done.code == 127 or b"No module named ruff" in done.stderr:
            return "missing", f"ruff cannot be started: {last_line(done)}"
        if done.code not in {0, 1}:
            return "error", f"ruff {ending(done.code)}: {last_line(done)}"
        if lines.taken >= MAX_FINDINGS:
            return "error", f"ruff found more than {MAX_FINDINGS} things"
        if lines.noise or bool(found) != (done.code == 1):
            return "error", f"ruff {ending(done.code)} and printed what is no list of findings: {last_line(done)}"
        return None
