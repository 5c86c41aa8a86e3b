"""The type check: mypy with the project's own configuration, incremental between runs."""

from __future__ import annotations

import asyncio
import configparser
import logging
import re
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from agent_core.checks.model import CheckResult, Finding, Outcome, Wish, unheard
from agent_core.checks.mypy_cache import cache_of, forget
from agent_core.checks.mypy_early import CONFIGURATION, SLOW, EarlyTypes, Setup
from agent_core.checks.tool import (
    HEAD_START,
    MAX_FINDINGS,
    JsonLines,
    Sources,
    changed_files,
    ending,
    finding,
    last_line,
    result,
    run_tool,
)
from agent_core.process import Completed
from agent_core.protocols import Candidate
from agent_core.workspace.interpreter import Interpreter

log = logging.getLogger(__name__)

_ABSENT = 97
# Starts mypy in whichever interpreter runs this; without the project's folder on its path, whose modules would
# otherwise hide those of the standard library from mypy itself.
_START = f"""
import importlib.util, runpy, sys
sys.path = [entry for entry in sys.path if entry]
if importlib.util.find_spec("mypy") is None:
    sys.exit({_ABSENT})
runpy.run_module("mypy", run_name="__main__", alter_sys=True)
"""
_WARM = ("mypy.main",)
_TEXT_LINE = re.compile(
    r"^(?P<file>[^:\n]+?):(?:(?P<line>\d+):)?(?:\d+:)? (?P<severity>error|note): (?P<message>.*?)"
    r"(?:\s+\[(?P<code>[a-z][a-z0-9-]*)\])?$"
)
_CRASHES = (b"INTERNAL ERROR", b"Traceback (most recent call last)")
_NOT_PACKAGES = {"docs", "doc", "build", "dist", "examples", "node_modules"}


@dataclass
class _Config:
    """How the project sets mypy up: whether it does, and whether it says what to look at."""

    there: bool = False
    targets: bool = False


def _project_config(candidate: Candidate) -> _Config:
    """Find mypy's configuration in the order mypy itself looks for it."""
    for name in CONFIGURATION:
        data = candidate.read(name)
        if data is None:
            continue
        text = data.decode("utf-8", "replace")
        section: Mapping[str, object] | None = None
        try:
            if name == "pyproject.toml":
                section = tomllib.loads(text).get("tool", {}).get("mypy")
            else:
                parser = configparser.RawConfigParser()
                parser.read_string(text)
                section = dict(parser["mypy"]) if parser.has_section("mypy") else None
        except (tomllib.TOMLDecodeError, configparser.Error):
            # Unreadable: mypy says what is wrong with it, when asked to use it.
            section = {} if name.endswith("mypy.ini") else None
        if section is None and not name.endswith("mypy.ini"):
            continue
        return _Config(
            there=True, targets=any(section.get(key) for key in ("files", "packages", "modules")) if section else False
        )
    return _Config()


def _top_level(candidate: Candidate) -> list[str]:
    """What to look at when the project's configuration does not say."""
    files = candidate.snapshot.files
    if any(path.startswith("src/") and path.endswith(".py") for path in files):
        return ["src"]
    packages = {
        path.partition("/")[0] for path in files if path.count("/") == 1 and path.endswith(("/__init__.py", ".pyi"))
    }
    modules = {path for path in files if "/" not in path and path.endswith(".py") and path != "setup.py"}
    return sorted((packages - _NOT_PACKAGES) | modules) or ["."]


@dataclass(frozen=True)
class MypyCheck:
    """Runs mypy: the whole project where it is configured, else only the changed files, and mildly.

    Attributes:
        interpreter: The project's Python; its own mypy is taken where it has one.
        timeout: Seconds it may take.
        paths: For a project without configuration: what to look at; None for the files the candidate changes.
        early: Who gives an early word while the exact run is under way; None for nobody.
    """

    interpreter: Interpreter
    timeout: float = 600.0
    paths: tuple[str, ...] | None = None
    early: EarlyTypes | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """Short name."""
        return "mypy"

    def bound(self, candidate: Candidate, paths: Sequence[str]) -> MypyCheck:
        """The same check over `paths`; over the whole project, where that is configured."""
        if _project_config(candidate).there:
            return replace(self, paths=None)
        return replace(self, paths=changed_files(candidate, paths, (".py", ".pyi")))

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        """Judge a candidate; see `agent_core.protocols.Check`."""
        config = _project_config(candidate)
        flags = ["--no-error-summary", "--hide-error-context", "--no-color-output", "--no-pretty", "--show-error-codes"]
        env: dict[str, str] = {}
        if config.there:
            flags += [] if config.targets else _top_level(candidate)
        else:
            files = changed_files(candidate, self.paths, (".py", ".pyi"))
            if not files:
                return result(self.name, candidate, "skipped", "mypy is not configured, and no Python file changed")
            # Nobody asked for types here: judge the changed files alone, and do not ask for stubs.
            flags += ["--config-file=", "--follow-imports=silent", "--ignore-missing-imports"]
            flags += ["--namespace-packages", "--explicit-package-bases", "--", *files]
            if any(path.startswith("src/") for path in candidate.snapshot.files):
                env["MYPYPATH"] = "src"
        wish.progress(0, 0)
        if self.early is None or not config.there:
            return await self._exact(candidate, flags, env)
        return await self._both(self.early, candidate, flags, env, wish)

    async def _both(
        self, early: EarlyTypes, candidate: Candidate, flags: list[str], env: dict[str, str], wish: Wish
    ) -> CheckResult:
        """The exact run, with an early word before it ends."""
        python = str(self.interpreter.python)
        own = (sys.executable, (_about(python), *flags))
        setup = Setup(((python, tuple(flags)), own), tuple(sorted(env.items())))

        async def tell() -> None:
            lines = await early.ask(candidate, setup)
            said = None if lines is None else self._early(candidate, lines)
            if said is not None:
                wish.partial(said)

        telling = asyncio.create_task(tell())
        try:
            await asyncio.wait([telling], timeout=HEAD_START)
            began = time.monotonic()
            said = await self._exact(candidate, flags, env)
        finally:
            telling.cancel()
            await asyncio.wait([telling])
            if not telling.cancelled() and (error := telling.exception()) is not None:
                # The exact run does not depend on it.
                log.warning("There is no early word about types: %s: %s", type(error).__name__, error)
        if said.judged and time.monotonic() - began > SLOW:
            early.begin(setup)
        return said

    def _early(self, candidate: Candidate, lines: list[str]) -> CheckResult | None:
        """An early word as a result; None where it is not understood."""
        found: list[Finding] = []
        read = JsonLines(unheard)
        for line in lines:
            read.feed(line)
        _read_text(read, found, Sources(candidate))
        # What has no code keeps mypy from judging at all, such as a file that is not there.
        if read.noise or not all(one.code for one in found):
            return None
        return msgspec.structs.replace(self._told(candidate, found), early=True)

    async def _exact(self, candidate: Candidate, flags: list[str], env: dict[str, str]) -> CheckResult:
        async with cache_of(candidate) as cache:
            cached = [f"--cache-dir={cache}", *flags]
            found, lines, done = await self._start(candidate, cached, env)
            if _crashed(done):
                # A cache that was damaged makes mypy crash each time: without it, it judges or it really can't.
                await forget(cache)
                found, lines, done = await self._start(candidate, cached, env)
        if (trouble := self._trouble(found, lines, done)) is not None:
            return result(self.name, candidate, *trouble, done=done)
        return self._told(candidate, found)

    async def _start(
        self, candidate: Candidate, flags: list[str], env: dict[str, str]
    ) -> tuple[list[Finding], JsonLines, Completed]:
        """Run the project's mypy, else pairloop's own about the project's interpreter."""
        python = str(self.interpreter.python)
        found, lines, done = await self._spawn(candidate, python, flags, env)
        if done.code == _ABSENT and python != sys.executable:
            own = [_about(python), *flags]
            found, lines, done = await self._spawn(candidate, sys.executable, own, env)
        return found, lines, done

    async def _spawn(
        self, candidate: Candidate, python: str, flags: list[str], env: dict[str, str]
    ) -> tuple[list[Finding], JsonLines, Completed]:
        found, lines, done = await self._once(candidate, (python, "-c", _START, "--output=json", *flags), env)
        # Before 1.11 mypy had no JSON; its text says the same.
        if done.code == 2 and b"unrecognized arguments" in done.stderr:
            found, lines, done = await self._once(candidate, (python, "-c", _START, *flags), env)
            _read_text(lines, found, Sources(candidate))
        return found, lines, done

    async def _once(
        self, candidate: Candidate, argv: tuple[str, ...], env: dict[str, str]
    ) -> tuple[list[Finding], JsonLines, Completed]:
        found: list[Finding] = []
        lines = JsonLines(_Taker(found, Sources(candidate)).take)
        done = await run_tool(candidate, argv, timeout=self.timeout, env=env, on_line=lines.feed, warm=_WARM)
        return found, lines, done

    def _told(self, candidate: Candidate, found: list[Finding]) -> CheckResult:
        """What was found as a judgement."""
        if not found:
            return result(self.name, candidate, "passed", "no type errors")
        files = len({one.path for one in found})
        summary = f"{len(found)} error{'s' * (len(found) > 1)} in {files} file{'s' * (files > 1)}"
        return result(self.name, candidate, "failed", summary, findings=found)

    def _trouble(self, found: list[Finding], lines: JsonLines, done: Completed) -> tuple[Outcome, str] | None:
        """Why this run is no judgement, None when it is one."""
        if done.timed_out:
            return "timeout", f"not finished after {self.timeout:g} s"
        if done.code in {_ABSENT, 127}:
            return "missing", "mypy is not installed" if done.code == _ABSENT else f"mypy: {last_line(done)}"
        # Syntax errors block mypy and end it with 2: that is what it found. Its other blockers are its own trouble.
        blocked = done.code == 2 and bool(found) and all(one.code == "syntax" for one in found)
        if done.code not in {0, 1} and not blocked:
            return "error", f"mypy {ending(done.code)}: {found[0].message if found else last_line(done)}"
        if lines.taken >= MAX_FINDINGS:
            return "error", f"mypy found more than {MAX_FINDINGS} things"
        if bool(found) != (done.code != 0) or (lines.noise and not lines.taken):
            return "error", f"mypy {ending(done.code)} and printed what is no list of findings: {last_line(done)}"
        return None


def _about(python: str) -> str:
    """The flag with which another Python's mypy judges what this one would run."""
    return f"--python-executable={python}"


def _crashed(done: Completed) -> bool:
    """Whether mypy fell over, where nobody had it killed."""
    died = done.code < 0 and not done.timed_out and not done.killed
    return died or (done.code not in {0, _ABSENT} and any(word in done.stderr for word in _CRASHES))


class _Taker:
    """Makes findings of mypy's messages; notes go into the detail of the error before them."""

    def __init__(self, found: list[Finding], sources: Sources) -> None:
        self._found = found
        self._sources = sources

    def take(self, said: Mapping[str, Any]) -> None:
        severity, message, hint = said["severity"], str(said["message"]), str(said.get("hint") or "")
        path, line = self._sources.relative(str(said["file"])), int(said["line"])
        if severity == "note":
            if self._found and self._found[-1].path == path:
                last = self._found[-1]
                self._found[-1] = finding(
                    last.check,
                    last.message,
                    path=last.path,
                    line=last.line,
                    code=last.code,
                    text=last.text,
                    detail=f"{last.detail}\n{message}".strip(),
                    near=last.near,
                )
            return
        text = self._sources.line(path, line)
        near, code = self._sources.near(path, line), str(said.get("code") or "")
        self._found.append(finding("mypy", message, path=path, line=line, code=code, text=text, detail=hint, near=near))


def _read_text(lines: JsonLines, found: list[Finding], sources: Sources) -> None:
    """Read the messages of a mypy without JSON; what is read is taken out of the noise."""
    taker = _Taker(found, sources)
    rest = []
    for line in lines.lines:
        match = _TEXT_LINE.match(line)
        if match is None:
            rest.append(line)
            continue
        taker.take({**match.groupdict(), "line": match["line"] or 0})
        lines.taken += 1
    lines.noise, lines.lines = len(rest), rest
