"""The lint check: ruff over the whole project, with the project's own configuration."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_core.checks.model import CheckResult, Finding, Outcome, Wish
from agent_core.checks.tool import (
    MAX_FINDINGS,
    JsonLines,
    Sources,
    changed_files,
    ending,
    finding,
    last_line,
    own_tool,
    project_program,
    python_version,
    result,
    run_tool,
)
from agent_core.errors import CheckError
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.tree import Changes, FileChange

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
    """Runs ``ruff check``; mends only when asked to.

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
        found, lines, done = await self._look(candidate, first)
        if others and b"--target-version" in done.stderr:
            found, lines, done = await self._look(candidate, others[0])
        if (trouble := self._trouble(found, lines, done)) is not None:
            return result(self.name, candidate, *trouble, done=done)
        if not found:
            return result(self.name, candidate, "passed", "nothing found", total=total, done=done)
        files = len({one.path for one in found})
        summary = f"{len(found)} found in {files} file{'s' * (files > 1)}"
        return result(self.name, candidate, "failed", summary, findings=found, total=total, done=done)

    async def fixes(self, candidate: Candidate, paths: Sequence[str]) -> Changes:
        """What the files of a candidate become when ruff mends what it can mend safely.

        Args:
            candidate: The tree.
            paths: The files to mend.

        Returns:
            Those that change.

        Raises:
            CheckError: ruff could not do it; the message says why.
        """
        changes = {}
        for path in changed_files(candidate, paths, (".py", ".pyi")):
            before = candidate.read(path) or b""
            mend = ("--fix-only", "--no-unsafe-fixes", f"--stdin-filename={path}", "-")
            first, *others = self._flags(candidate)
            done = await self._spawn(candidate, [*first, *mend], stdin=before)
            if others and b"--target-version" in done.stderr:
                done = await self._spawn(candidate, [*others[0], *mend], stdin=before)
            if done.code != 0 or done.timed_out:
                raise CheckError(f"{path}: ruff {ending(done.code)} and mended nothing: {last_line(done)}")
            if done.stdout != before:
                changes[path] = FileChange(done.stdout, candidate.snapshot.files[path].mode)
        return changes

    def _flags(self, candidate: Candidate) -> list[list[str]]:
        """Its arguments; the later ones are for when a ruff does not take the ones before."""
        flags = ["--force-exclude", "--quiet", f"--cache-dir={candidate.cache / 'ruff'}"]
        if has_ruff_config(candidate):
            return [flags]
        # Isolated, so that a configuration above the project or in the home does not judge it. The version
        # matters: newer syntax is an error to ruff's default; a ruff that does not know it goes without.
        flags += ["--isolated", f"--select={_SAFE_RULES}"]
        version = python_version(self.interpreter)
        return [[*flags, f"--target-version=py{version[0]}{version[1]}"], flags] if version else [flags]

    async def _spawn(
        self,
        candidate: Candidate,
        flags: Sequence[str],
        *,
        stdin: bytes = b"",
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        own = project_program(self.interpreter, "ruff")
        argv = (*((str(own),) if own else own_tool("ruff")), "check", *flags)
        return await run_tool(candidate, argv, timeout=self.timeout, stdin=stdin, on_line=on_line)

    async def _look(self, candidate: Candidate, flags: list[str]) -> tuple[list[Finding], JsonLines, Completed]:
        found: list[Finding] = []
        sources = Sources(candidate)

        def take(said: Mapping[str, Any]) -> None:
            path, line = sources.relative(str(said["filename"])), int(said["location"]["row"])
            code = str(said["code"] or said.get("name") or "invalid-syntax")
            text, near = sources.line(path, line), sources.near(path, line)
            mends = said.get("fix") or {}
            fix = str(mends.get("message") or "mend it") if mends.get("applicability") == "safe" else ""
            message = str(said["message"])
            found.append(finding(self.name, message, path=path, line=line, code=code, text=text, near=near, fix=fix))

        lines = JsonLines(take)
        wanted = ["--output-format=json-lines", "--no-fix", *flags, "."]
        done = await self._spawn(candidate, wanted, on_line=lines.feed)
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
