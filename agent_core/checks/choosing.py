"""Which checks a project has, found out again whenever a file changes that this rests on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

import msgspec

from agent_core.checks.discover import discover
from agent_core.config import PROJECT_FILE
from agent_core.protocols import Check
from agent_core.workspace.tree import content_hash

Read = Callable[[str], bytes | None]

# What these say is run as it is in the candidate, so that a check is another one when they are.
_RECIPES = frozenset(
    {
        *("GNUmakefile", "makefile", "Makefile", "justfile", "Justfile", ".justfile", "noxfile.py", "tox.ini"),
        *("tox.toml", ".pre-commit-config.yaml"),
    }
)


class Anew(msgspec.Struct, frozen=True):
    """A new choice.

    Attributes:
        checks: The checks that are on.
        text: What is different, and why, for a human.
    """

    checks: tuple[Check, ...]
    text: str


class Choosing:
    """Chooses the checks of a project.

    Args:
        choose: Gives the checks that are on by the settings as they are now, given what reads the project's files;
            raises `ConfigError` where the settings cannot be used.
        read: The bytes of a file of the working tree, ignored files included.
    """

    def __init__(self, choose: Callable[[Read], tuple[Check, ...]], read: Read) -> None:
        self._choose = choose
        self._read = read
        self._rests_on: dict[str, str] = {}
        self._checks: tuple[Check, ...] = ()

    def choose(self) -> tuple[Check, ...]:
        """Choose.

        Raises:
            ConfigError: The settings cannot be used.
        """
        rests_on = {PROJECT_FILE: _hash(self._read(PROJECT_FILE))}

        def read(path: str) -> bytes | None:
            data = self._read(path)
            rests_on[path] = _hash(data)
            return data

        try:
            self._checks = self._choose(read)
        finally:
            # Also where it failed: the same file need not be complained of twice.
            self._rests_on |= rests_on
        return self._checks

    def anew(self) -> Anew | None:
        """Choose again if something has changed that the choice rests on.

        Returns:
            The new choice; None where it is the same.

        Raises:
            ConfigError: The settings cannot be used as they are now.
        """
        changed = [path for path, digest in self._rests_on.items() if _hash(self._read(path)) != digest]
        if not changed:
            return None
        before = self._checks
        self._rests_on |= {path: _hash(self._read(path)) for path in changed}
        after = self.choose()
        if after == before:
            return None
        return Anew(
            after, f"The checks are chosen anew, as {' and '.join(sorted(changed))} changed: {_told(before, after)}."
        )


def _told(before: Sequence[Check], after: Sequence[Check]) -> str:
    """What is different between two choices."""
    old, new = {check.name: check for check in before}, {check.name: check for check in after}
    sorts = (
        ("runs now", [name for name in new if name not in old]),
        ("runs no more", [name for name in old if name not in new]),
        ("is set up differently", [name for name in new if name in old and new[name] != old[name]]),
    )
    said = [f"{', '.join(names)} {_plural(verb) if len(names) > 1 else verb}" for verb, names in sorts if names]
    return "; ".join(said) or "in another order"


def _plural(verb: str) -> str:
    return verb.replace("runs", "run").replace("is", "are")


def reconfigures(paths: Sequence[str], before: Read, after: Read) -> tuple[str, ...]:
    """Those of the changed files by which other checks would be chosen, or which say what a check of the project runs.

    Args:
        paths: The files that a patch changes.
        before: Reads the base.
        after: Reads the candidate.
    """
    found = [path for path in paths if path == PROJECT_FILE or path in _RECIPES]
    environ = dict(os.environ)
    if discover(before, environ) != discover(after, environ):
        # One after the other: which of them makes the difference?
        found += [path for path in paths if path not in found and _matters(path, before, after, environ)]
    return tuple(sorted(found))


def _matters(path: str, before: Read, after: Read, environ: Mapping[str, str]) -> bool:
    def mixed(name: str) -> bytes | None:
        return after(name) if name == path else before(name)

    asked: set[str] = set()

    def watched(name: str) -> bytes | None:
        asked.add(name)
        return before(name)

    known = discover(watched, environ)
    return path in asked and discover(mixed, environ) != known


def _hash(data: bytes | None) -> str:
    return "" if data is None else content_hash(data)
