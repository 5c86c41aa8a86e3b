"""The rules that the human has kept for a project: on this machine, beside its journal, never in the project."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from agent_core.config_tables import PermissionsConfig
from agent_core.errors import PermissionsError
from agent_core.permissions import Answer, rules_trouble
from agent_core.places import make_private
from agent_core.small_files import put_in_place

_FILE = "permissions"
_MOST_BYTES = 1_000_000


class KnownRule(msgspec.Struct, frozen=True):
    """A rule in force.

    Attributes:
        answer: What it says is to be done: ``allow``, ``ask`` or ``deny``.
        rule: The rule.
        kept: It was kept for this project; else it is in the configuration.
    """

    answer: Answer
    rule: str
    kept: bool = False


class PermissionBook:
    """What is allowed without asking in one project, as the human has said while they worked there.

    A file with a rule a line, read anew each time: other sessions of the project keep rules too.

    Args:
        folder: Where the project's state is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / _FILE

    @property
    def path(self) -> Path:
        """Where the rules are."""
        return self._file

    def rules(self) -> tuple[str, ...]:
        """All that are kept, oldest first; lines that are no rules are left out.

        Raises:
            PermissionsError: They cannot be read.
        """
        try:
            with self._file.open("rb") as file:
                text = file.read(_MOST_BYTES).decode("utf-8", "replace")
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise PermissionsError(f"{self._file} cannot be read: {error.strerror or error}.") from error
        return tuple(dict.fromkeys(line for line in map(str.strip, text.split("\n")) if not rules_trouble(line)))

    def known(self, config: PermissionsConfig) -> tuple[KnownRule, ...]:
        """All rules in force: those that are kept, newest first, then those of the configuration.

        Raises:
            PermissionsError: They cannot be read.
        """
        kept = tuple(KnownRule("allow", rule, kept=True) for rule in reversed(self.rules()))
        allow, ask, deny = ((KnownRule("allow", one) for one in config.allow), config.ask, config.deny)
        others = (*(KnownRule("ask", one) for one in ask), *(KnownRule("deny", one) for one in deny))
        return (*kept, *allow, *others)

    def keep(self, rules: tuple[str, ...]) -> None:
        """Keep rules, from now on.

        Raises:
            PermissionsError: One is no rule, or they cannot be written; nothing is kept then.
        """
        for rule in rules:
            if trouble := rules_trouble(rule):
                raise PermissionsError(f"“{rule}” cannot be kept: {trouble}.")
        self._change(lambda old: (*old, *rules))

    def forget(self, rule: str) -> bool:
        """Forget a rule; gives whether it was kept.

        Raises:
            PermissionsError: The rules cannot be read or written.
        """
        if rule not in self.rules():
            return False
        self._change(lambda old: tuple(one for one in old if one != rule))
        return True

    def _change(self, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
        try:
            with self._locked():
                text = "".join(f"{rule}\n" for rule in dict.fromkeys(change(self.rules())))
                put_in_place(self._file, text.encode())
        except OSError as error:
            raise PermissionsError(f"{self._file} cannot be written: {error.strerror or error}.") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """No other process changes them meanwhile."""
        make_private(self._folder)
        number = os.open(self._folder / f"{_FILE}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            yield
        finally:
            os.close(number)
