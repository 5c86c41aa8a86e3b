"""The syntax check: do the changed files parse at all? The quickest judge, and the one that is never missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from agent_core.checks.data_files import kind_of, misread
from agent_core.checks.model import CheckResult, Finding, Outcome, Wish
from agent_core.checks.tool import Sources, changed_files, ending, finding, last_line, result, run_tool
from agent_core.protocols import Candidate
from agent_core.workspace.interpreter import Interpreter

# Runs in the project's interpreter, which may be as old as 3.8. Reads file names, never imports a file.
_COMPILE = r"""
import json, sys, warnings
warnings.simplefilter("ignore")
for name in json.loads(sys.stdin.read()):
    try:
        with open(name, "rb") as file:
            compile(file.read(), name, "exec", dont_inherit=True)
        said = [name]
    except SyntaxError as error:
        said = [name, error.lineno, type(error).__name__ + ": " + str(error.msg)]
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        said = [name, None, type(error).__name__ + ": " + str(error)]
    except OSError as error:
        said = [name, None, "cannot be read: " + str(error)]
    sys.stdout.write(json.dumps(said) + "\n")
"""
_ENDINGS = (".py", ".pyi", ".toml", ".json", ".ipynb", ".yaml", ".yml")

_Said = tuple[str, int | None, str] | tuple[str]


@dataclass(frozen=True)
class SyntaxCheck:
    """Compiles changed Python files with the project's interpreter, and parses TOML, JSON and YAML.

    Attributes:
        interpreter: The Python that compiles.
        timeout: Seconds it may take.
        paths: What to look at; None for the files the candidate changes.
    """

    interpreter: Interpreter
    timeout: float = 60.0
    paths: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """Short name."""
        return "syntax"

    def bound(self, candidate: Candidate, paths: Sequence[str]) -> SyntaxCheck:
        """The same check over the files of `paths` that this candidate has."""
        return replace(self, paths=changed_files(candidate, paths, _ENDINGS))

    async def run(self, candidate: Candidate, wish: Wish) -> CheckResult:
        """Judge a candidate; see `agent_core.protocols.Check`."""
        files = changed_files(candidate, self.paths, _ENDINGS)
        if not files:
            return result(self.name, candidate, "skipped", "no changed file to parse")
        wish.progress(0, len(files))
        sources = Sources(candidate)
        found = [bad for path in files if (bad := _data_finding(path, candidate, sources)) is not None]
        python = [path for path in files if path.endswith((".py", ".pyi"))]
        done = None
        if python:
            argv = (str(self.interpreter.python), "-I", "-S", "-c", _COMPILE)
            done = await run_tool(candidate, argv, timeout=self.timeout, stdin=json.dumps(python).encode())
            if done.timed_out:
                summary = f"not finished after {self.timeout:g} s"
                return result(self.name, candidate, "timeout", summary, total=len(files), done=done)
            try:
                answers = [msgspec.json.decode(line, type=list[str | int | None]) for line in done.stdout.splitlines()]
            except msgspec.DecodeError:
                answers = []
            if done.code != 0 or [answer[0] for answer in answers] != python:
                summary = f"{self.interpreter.python} {ending(done.code)}: {last_line(done)}"
                outcome: Outcome = "missing" if done.code == 127 else "error"
                return result(self.name, candidate, outcome, summary, total=len(files), done=done)
            found += [_python_finding(answer, sources) for answer in answers if len(answer) > 1]
        wish.progress(len(files), len(files))
        if not found:
            summary = f"{len(files)} file{'s' * (len(files) > 1)} parse{'s' * (len(files) == 1)}"
            return result(self.name, candidate, "passed", summary, total=len(files), done=done)
        files_bad = len({bad.path for bad in found})
        summary = f"{files_bad} of {len(files)} files do{'es' * (files_bad == 1)} not parse"
        return result(self.name, candidate, "failed", summary, findings=found, total=len(files), done=done)


def _python_finding(answer: list[str | int | None], sources: Sources) -> Finding:
    path, line, message = answer
    assert isinstance(path, str)
    number = line if isinstance(line, int) else None
    text = sources.line(path, number)
    code = str(message).partition(":")[0]
    return finding("syntax", str(message), path=path, line=number, code=code, text=text)


def _data_finding(path: str, candidate: Candidate, sources: Sources) -> Finding | None:
    """What is wrong with a TOML, JSON or YAML file, None when nothing is."""
    kind = kind_of(path)
    bad = misread(kind, candidate.read(path) or b"") if kind is not None else None
    if kind is None or bad is None:
        return None
    text = sources.line(path, bad.line)
    return finding("syntax", f"not valid {kind}: {bad.message}", path=path, line=bad.line, code=kind, text=text)
