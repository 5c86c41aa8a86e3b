"""Which checks a project has: those that are built in, those that were found, and those of its configuration."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import msgspec

from agent_core.checks.command import CommandCheck
from agent_core.checks.discover import discover
from agent_core.checks.found import Found
from agent_core.checks.mypy import MypyCheck
from agent_core.checks.pytest import PytestCheck
from agent_core.checks.ruff import RuffCheck
from agent_core.checks.settings import BUILT_IN, CommandConfig
from agent_core.checks.syntax import SyntaxCheck
from agent_core.config_tables import ChecksConfig
from agent_core.protocols import Check
from agent_core.workspace.interpreter import Interpreter

Source = Literal["built-in", "found", "configured"]
Read = Callable[[str], bytes | None]

_BUILT_IN = {
    "syntax": (SyntaxCheck, "parses what changed", "every project has it"),
    "ruff": (RuffCheck, "ruff check", "it looks at Python files"),
    "mypy": (MypyCheck, "mypy", "it looks at Python files"),
    "pytest": (PytestCheck, "pytest", "it runs the tests written for it"),
}


class Listed(msgspec.Struct, frozen=True):
    """A check as a human is told of it.

    Attributes:
        name: Short name.
        runs: What it runs, as one would type it.
        why: Why it is there, and why it is on or off.
        on: Whether it runs.
        source: ``built-in``, ``found`` in the project's files, or ``configured``.
        check: The judge; None where there is nothing that could run.
    """

    name: str
    runs: str
    why: str
    on: bool
    source: Source
    check: Check | None = None


def chosen(
    config: ChecksConfig, interpreter: Interpreter, read: Read | None, environ: Mapping[str, str] | None = None
) -> tuple[Listed, ...]:
    """All checks of a project, those that are off included: built in, found, configured, each in its order.

    A table ``[checks.NAME]`` with ``run`` takes the place of the check of that name; one without changes it.

    Args:
        config: What is set.
        interpreter: The Python that runs the built-in checks.
        read: The bytes of a file of the project, ignored files included; None not to look for checks in it.
        environ: The environment that commands get; None for this process's own.
    """
    # The program of a project's environment can be called by its name, as in the candidate.
    env = dict(os.environ if environ is None else environ)
    env["PATH"] = os.pathsep.join([str(interpreter.python.parent), env.get("PATH", os.defpath)])
    found = {one.name: one for one in (discover(read, env) if read is not None and config.discover else ())}
    listed = [_built_in(name, interpreter, config) for name in BUILT_IN if not _replaced(name, config)]
    listed += [_found(one, config) for one in found.values() if not _replaced(one.name, config)]
    listed += _configured(config, {*BUILT_IN, *found})
    return tuple(listed)


def default_checks(
    interpreter: Interpreter,
    config: ChecksConfig,
    read: Read | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[Check, ...]:
    """The checks of a project that are on, cheapest first; see `chosen`."""
    return tuple(one.check for one in chosen(config, interpreter, read, environ) if one.on and one.check is not None)


def _replaced(name: str, config: ChecksConfig) -> bool:
    return name in config.commands and bool(config.commands[name].run)


def _switched(name: str, config: ChecksConfig, why: str, *, on: bool) -> tuple[bool, str]:
    """Whether a check is on after what the configuration says, and why."""
    if name in config.off:
        return False, "off: the configuration lists it under checks.off"
    said = config.commands[name].on if name in config.commands else None
    if said is None or said == on:
        return on, why
    why = why.removeprefix("off: ")
    return (True, f"switched on in the configuration; {why}") if said else (False, "off: so the configuration says")


def _built_in(name: str, interpreter: Interpreter, config: ChecksConfig) -> Listed:
    kind, runs, why = _BUILT_IN[name]
    timeout = config.commands[name].timeout if name in config.commands else None
    on, why = _switched(name, config, why, on=True)
    return Listed(name, runs, why, on, "built-in", kind(interpreter, timeout or config.timeout))


def _found(one: Found, config: ChecksConfig) -> Listed:
    command = one.command
    if (own := config.commands.get(one.name)) is not None:
        command = _over(command, own)
    on, why = _switched(one.name, config, one.why, on=one.on)
    check = CommandCheck(one.name, command, command.timeout or config.timeout, one.env, one.hint)
    return Listed(one.name, _shown(command), why, on, "found", check)


def _over(command: CommandConfig, own: CommandConfig) -> CommandConfig:
    """What was found, with what the human has set of it."""
    default = CommandConfig()
    fields = CommandConfig.__struct_fields__
    said = {name: getattr(own, name) for name in fields if getattr(own, name) != getattr(default, name)}
    return msgspec.structs.replace(command, **said)


def _configured(config: ChecksConfig, others: set[str]) -> Iterator[Listed]:
    for name, command in config.commands.items():
        if command.run:
            place = f", in place of the {'built-in' if name in BUILT_IN else 'found'} one" if name in others else ""
            on, why = _switched(name, config, f"the configuration has it{place}", on=True)
            check = CommandCheck(name, command, command.timeout or config.timeout)
            yield Listed(name, _shown(command), why, on, "configured", check)
        elif name not in others:
            why = "off: the configuration names it, without a command (run), and nothing of this name was found"
            yield Listed(name, "", why, on=False, source="configured")


def _shown(command: CommandConfig) -> str:
    return command.run if isinstance(command.run, str) else shlex.join(command.run)
