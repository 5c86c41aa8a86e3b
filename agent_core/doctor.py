"""``pairloop doctor``: what was found on this machine and in this project, and what to do about what is missing."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from agent_core import __version__, config, config_tables, places
from agent_core.checks.chosen import chosen
from agent_core.checks.tool import own_tool, project_program
from agent_core.conversation import PartnerInfo
from agent_core.errors import PairloopError
from agent_core.keys.finding import KeyFinder
from agent_core.partners.beginning import begin
from agent_core.partners.build import endpoint_of
from agent_core.partners.client import Connection
from agent_core.partners.discovery import discover
from agent_core.partners.presets import preset_of
from agent_core.partners.several import Partners
from agent_core.process import Completed, run
from agent_core.sandbox.bubblewrap import find_bubblewrap
from agent_core.sandbox.remedy import remedy
from agent_core.text import counted, printable
from agent_core.workspace.git import project_root, status
from agent_core.workspace.interpreter import Interpreter
from agent_core.workspace.project import Project, open_project

Level = Literal["good", "weak", "bad"]
_SIGNS = {"good": "✓", "weak": "!", "bad": "✗"}
_SECONDS = 15.0


class Entry(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        level: ``good``; ``weak`` when pairloop works with less; ``bad`` when it can't work.
        name: What was looked at.
        text: What was found.
        hint: What to do about it; empty when there is nothing to do.
    """

    level: Level
    name: str
    text: str
    hint: str = ""


def render(report: tuple[Entry, ...]) -> str:
    """The report as lines for a terminal or a file."""
    width = max(len(entry.name) for entry in report)
    lines = [f"pairloop {__version__}"]
    for entry in report:
        lines.append(f"{_SIGNS[entry.level]} {entry.name:<{width}}  {printable(entry.text)}")
        lines += [f"  {'':<{width}}  → {printable(line)}" for line in entry.hint.splitlines()]
    return "\n".join(lines) + "\n"


async def examine(project: Path | None, flags: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Entry, ...]:
    """Look at everything pairloop needs.

    Args:
        project: The project's folder; None for the repository this process stands in.
        flags: Settings from the command line.
        environ: The environment.
    """
    try:
        root = project_root(project)
    except PairloopError as error:
        return (Entry("bad", "project", error.message, error.hint),)
    entries = [Entry("good", "project", str(root)), _state(root)]
    try:
        settings = config.load(root, flags, environ)
    except PairloopError as error:
        return (*entries, Entry("bad", "configuration", error.message, error.hint))
    entries.append(_configuration(root))
    entries += await _workspace(root, settings, environ)
    entries.append(await _git(root))
    entries += await _partner(settings, environ)
    entries.append(_terminal(environ))
    return tuple(entries)


def _state(root: Path) -> Entry:
    folder = places.project_state(root)
    try:
        places.make_private(folder)
        (folder / ".doctor").write_text("")
        (folder / ".doctor").unlink()
    except OSError as error:
        hint = "Set PAIRLOOP_STATE_DIR to a folder you can write to."
        return Entry("bad", "state folder", f"{folder} cannot be written: {error.strerror}", hint)
    return Entry("good", "state folder", str(folder))


def _configuration(root: Path) -> Entry:
    found = [str(file) for file in (places.user_file(), root / config.PROJECT_FILE) if file.exists()]
    return Entry("good", "configuration", ", ".join(found) or "no file, all defaults")


async def _workspace(root: Path, settings: config_tables.Config, environ: Mapping[str, str]) -> list[Entry]:
    try:
        workspace = await open_project(root, settings, environ)
    except PairloopError as error:
        return [Entry("bad", "candidate", error.message, error.hint)]
    level: Level = "weak" if workspace.note else "good"
    hints = [workspace.note] if workspace.note else []
    if not workspace.isolated:
        hints.append(remedy(await find_bubblewrap()))
    entries = [
        Entry("good", "python", f"{workspace.interpreter.python} ({workspace.interpreter.found})"),
        Entry(level, "candidate", workspace.isolation, "\n".join(hints)),
        _environment(environ, workspace.environment),
        _checks(settings.checks, workspace, environ),
    ]
    try:
        candidate = await workspace.candidate(await workspace.snapshot(), {}, cache="doctor")
    except PairloopError as error:
        return [*entries, Entry("bad", "candidate", error.message, error.hint)]
    try:
        # The project's tools are the project's code: they run where checks run, shut in and without keys.
        start = partial(candidate.run, timeout=_SECONDS)
        return entries + list(await asyncio.gather(*(_tool(name, workspace.interpreter, start) for name in _TOOLS)))
    finally:
        await candidate.close()


def _checks(settings: config_tables.ChecksConfig, workspace: Project, environ: Mapping[str, str]) -> Entry:
    """Which checks judge here."""
    listed = chosen(settings, workspace.interpreter, workspace.read, environ)
    text = ", ".join(one.name for one in listed if one.on) or "none"
    off = [one.name for one in listed if not one.on]
    hint = f"`pairloop check --list` says why these are off: {', '.join(off)}" if off else ""
    return Entry("good" if any(one.on for one in listed) else "weak", "checks", text, hint)


def _environment(environ: Mapping[str, str], passed: Mapping[str, str]) -> Entry:
    """How much of the human's environment commands get to see: a test that misses a variable fails strangely."""
    kept = sum(name not in passed for name in environ)
    text = f"{len(environ) - kept} of your variables are passed on to checks, {kept} kept back"
    hint = f'If a test needs more: env = ["NAME"] under [sandbox] in {places.user_file()}.' if kept else ""
    return Entry("good", "environment", text, hint)


_TOOLS = ("ruff", "mypy", "pytest")


async def _tool(name: str, interpreter: Interpreter, start: Callable[[Sequence[str]], Awaitable[Completed]]) -> Entry:
    """A check's tool: the project's own, or else the one that comes with pairloop."""
    own = project_program(interpreter, name)
    ours = own_tool(name)
    if name == "pytest":
        # Tests run in the project's environment or not at all.
        argv: tuple[str, ...] = (str(interpreter.python), "-m", "pytest", "--version")
        whose = "the project's"
    else:
        argv = (*((str(own),) if own else ours), "--version")
        whose = "the project's" if own else "pairloop's own"
    try:
        done = await start(argv)
    except (OSError, PairloopError) as error:
        return Entry("weak", name, f"cannot be started: {error}")
    if done.code or done.timed_out:
        hint = f"Install it where the tests run: {interpreter.python} -m pip install pytest" if name == "pytest" else ""
        return Entry("weak", name, f"does not run with {argv[0]}", hint)
    said = done.text.strip().splitlines()
    return Entry("good", name, f"{said[0] if said else 'says no version'} ({whose})")


async def _git(root: Path) -> Entry:
    try:
        version = await run(("git", "--version"), cwd=root, timeout=_SECONDS)
    except OSError:
        return Entry("weak", "git", "not found", "Install git: without it ignore rules and branches are not known.")
    text = version.text.strip().removeprefix("git version ")
    now = await status(root)
    if now is None:
        hint = "pairloop works without, but 'git init' gives you ignore rules and a second safety net."
        return Entry("weak", "git", f"{text}; the project is not a repository", hint)
    where = f"detached at {now.branch}" if now.detached else f"on {now.branch}"
    where += ", no commit yet" if now.empty else ""
    return Entry("good", "git", f"{text}; {where}, {counted(now.dirty, 'changed file')}")


async def _partner(settings: config_tables.Config, environ: Mapping[str, str]) -> list[Entry]:
    """Who proposes, and what else there is on this machine."""
    partners = Partners(settings, environ, KeyFinder(environ))
    found = await discover() if settings.partner.discover else ()
    entries = [Entry("good", "found here", one.told, f"pairloop --partner {one.preset.name}") for one in found]
    try:
        beginning = await begin(partners)
    except PairloopError as error:
        return [Entry("bad", "partner", error.message, error.hint), *entries]
    await beginning.model.close()
    now, info = beginning.model.now, beginning.model.info
    if info.kind == "scripted":
        return [Entry("good", "partner", info.name), *entries]
    if info.kind == "offline":
        text = f"{info.name}: repairs failing tests, type and lint findings by search"
        return [Entry("good", "partner", text, beginning.hint), *entries]
    reached = await _reached(now.settings, info, partners, now.name)
    return [reached, *await _key(now.settings, partners, now.name), *entries]


async def _key(settings: config_tables.PartnerConfig, partners: Partners, name: str) -> list[Entry]:
    """Where the key was found that is sent."""
    try:
        endpoint = await asyncio.to_thread(endpoint_of, settings, partners.environ, partners.keys, name)
    except PairloopError:
        return []  # that has been told
    if endpoint.key:
        return [Entry("good", "key", f"from {endpoint.key.place}")]
    return [Entry("good", "key", "none, and none is sent")]


async def _reached(settings: config_tables.PartnerConfig, info: PartnerInfo, partners: Partners, name: str) -> Entry:
    """Whether a partner's server answers, and has the model."""
    preset = preset_of(settings)
    try:
        endpoint = await asyncio.to_thread(endpoint_of, settings, partners.environ, partners.keys, name)
        if preset is not None and not preset.lists:
            return Entry("good", "partner", f"{info.name}, which does not list its models")
        connection = Connection(endpoint)
        try:
            async with asyncio.timeout(_SECONDS):
                models = await connection.models()
        finally:
            await connection.close()
    except PairloopError as error:
        return Entry("bad", "partner", error.message, error.hint)
    except TimeoutError:
        return Entry("bad", "partner", f"no answer within {_SECONDS:.0f} s", "Is the server running?")
    if endpoint.model and models and endpoint.model not in models:
        known = ", ".join(models[:8])
        return Entry("weak", "partner", f"{info.name}: the server does not list {endpoint.model}", f"It lists: {known}")
    return Entry("good", "partner", info.name)


def _terminal(environ: Mapping[str, str]) -> Entry:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Entry("weak", "terminal", "none here", "`pairloop exec TASK` works without one.")
    size = os.get_terminal_size()
    name = environ.get("TERM", "")
    version = importlib.metadata.version("textual")
    text = (
        f"{name or 'unknown'}, {size.columns}x{size.lines}, {'24-bit' if environ.get('COLORTERM') else '256'} colours"
    )
    if name in {"", "dumb"}:
        return Entry("bad", "terminal", text, "TERM names no terminal the screen can use; set it to xterm-256color.")
    if sys.stdout.encoding.lower().replace("-", "") != "utf8":
        return Entry("weak", "terminal", f"{text}, {sys.stdout.encoding}", "Set LANG to a UTF-8 locale.")
    if size.columns < 80 or size.lines < 24:
        return Entry("weak", "terminal", text, "It is meant for 80x24 and more.")
    return Entry("good", "terminal", f"{text}, Textual {version}")
