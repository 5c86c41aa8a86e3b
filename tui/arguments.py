"""How arguments that mean nothing are told of: with the usage of their own command, and what may be meant."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

# As argparse says it; whoever adds commands calls the place they stand at COMMAND.
_NO_COMMAND = re.compile(r"argument COMMAND: invalid choice: (?P<word>.+) \(choose from (?P<names>.+)\)", re.DOTALL)
_NAME = re.compile(r"[\w-]+")


class Arguments(argparse.ArgumentParser):
    """A parser of ``pairloop``, or of one of its commands."""

    def parse_known_args(  # type: ignore[override]  # its overloads come to this
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse arguments; what is left over ends it here, where argparse would tell of it with the usage of the whole.

        Args:
            args: The arguments.
            namespace: What they are put into.
        """
        parsed, left = super().parse_known_args(args, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return parsed, left

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong, and end with exit code 2.

        Args:
            message: What argparse says.
        """
        found = _NO_COMMAND.fullmatch(message)
        super().error(_no_command(found["word"], _NAME.findall(found["names"])) if found else message)


def _no_command(word: str, names: Sequence[str]) -> str:
    """That there is no such command; most who write one that is none mean another, or a task."""
    from difflib import get_close_matches  # noqa: PLC0415 - nobody else needs it

    near = get_close_matches(word.strip("'\""), names, n=1)
    meant = f"Did you mean {near[0]}?" if near else "A task goes behind exec: pairloop exec TASK."
    return f"there is no command {word}. {meant} pairloop --help lists all."
