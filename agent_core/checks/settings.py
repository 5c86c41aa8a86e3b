"""How a command of the project's own is set up as a check: the table ``[checks.NAME]`` of a configuration."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal

import msgspec

Parse = Literal["none", "gcc", "regex", "json", "json-lines", "sarif", "junit", "cargo", "go-test"]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
ExitCode = Annotated[int, msgspec.Meta(ge=0, le=125)]

BUILT_IN = ("syntax", "ruff", "mypy", "pytest")
"""The names of the checks that come with pairloop, cheapest first."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_GROUPS = frozenset({"path", "line", "code", "message", "severity"})


class JsonKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a tool's JSON has what a finding needs, as keys with dots between them (``location.row``).

    An empty one is looked for under its usual names.

    Attributes:
        items: The list of findings in the document.
        path: The file.
        line: The line, counted from 1.
        code: The rule.
        message: What is wrong.
        severity: How bad it is.
    """

    items: str = ""
    path: str = ""
    line: str = ""
    code: str = ""
    message: str = ""
    severity: str = ""


class CommandConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command that judges, or what is different about a check that is there anyway.

    Attributes:
        run: The command: a text for ``sh -c``, or a list without a shell. ``{files}`` in it stands for the changed
            files that ``when`` matches. Without it the table changes a check that is built in or was found.
        on: Whether it runs; not said, a command given here does, and one that was found as its finder thinks best.
        when: Globs; the check runs only when a changed file matches one. None: always.
        parse: How its findings are read.
        pattern: For ``regex``: where it matches there is a finding; groups named path, line, code, message, severity.
        report: A file that it writes its findings to, relative to the project; else they are on standard output.
        keys: For ``json`` and ``json-lines``: where what is.
        warnings: Whether what it calls a warning counts. What it calls less never does.
        ok_codes: Exit statuses that mean it is content.
        timeout: Seconds it may take; not said, those of all checks.
    """

    run: str | tuple[str, ...] = ""
    on: bool | None = None
    when: tuple[str, ...] = ()
    parse: Parse | None = None
    pattern: str = ""
    report: str = ""
    keys: JsonKeys = JsonKeys()
    warnings: bool = False
    ok_codes: tuple[ExitCode, ...] = (0,)
    timeout: Seconds | None = None


def trouble(name: str, command: CommandConfig) -> tuple[str, str] | None:
    """What is wrong with a table that has the right types: the key at fault and why; None when nothing is."""
    reading = command.pattern or command.report or command.parse or command.keys != JsonKeys()
    reasons = (
        ("", "a check's name is up to 40 letters, digits, '.', '_' and '-'", not _NAME.fullmatch(name)),
        ("run", "the command is empty", not isinstance(command.run, str) and not "".join(command.run[:1]).strip()),
        ("run", "the command is blank", isinstance(command.run, str) and command.run.isspace()),
        ("run", "a command cannot hold a NUL character", "\0" in "".join(command.run)),
        (
            "",
            f"this needs run: how {name} itself is read cannot be changed",
            bool(reading) and name in BUILT_IN and not command.run,
        ),
        ("when", "globs are relative to the project", any(glob.startswith("/") or not glob for glob in command.when)),
        ("report", "the report is a file in the project, named relative to it", not _inside(command.report)),
        ("pattern", 'only parse = "regex" has a pattern', bool(command.pattern) and command.parse != "regex"),
        ("pattern", 'parse = "regex" needs a pattern', command.parse == "regex" and not command.pattern),
        (
            "keys",
            'only parse = "json" and "json-lines" have keys',
            command.keys != JsonKeys() and command.parse not in {"json", "json-lines"},
        ),
        ("ok_codes", "no exit status at all would be good", not command.ok_codes),
    )
    found = next(((key, reason) for key, reason, wrong in reasons if wrong), None)
    return found or _wrong_pattern(command.pattern)


def _inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return not path or ("\0" not in path and not path.startswith("/") and bool(parts) and ".." not in parts)


def _wrong_pattern(pattern: str) -> tuple[str, str] | None:
    try:
        groups = set(re.compile(pattern, re.MULTILINE).groupindex)
    except (re.error, RecursionError, OverflowError) as error:
        return "pattern", f"not a regular expression: {error}"
    if unknown := groups - _GROUPS:
        return "pattern", f"a group cannot be named {min(unknown)!r}; there are {', '.join(sorted(_GROUPS))}"
    if pattern and "message" not in groups:
        return "pattern", "it needs a group for the message: (?P<message>.*)"
    return None
