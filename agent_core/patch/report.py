"""What became of the parts of a patch, and the refusal made of it: for a human, and for a model to repair from."""

from __future__ import annotations

from agent_core.errors import PatchRefusedError, PatchUnwantedError

_WHOLE = 8
_CHARS = 8_000
_SHORT = 160
_LISTED = 60
_FINE = 40


class Report:
    """Collects the parts that failed and those that did not, in the order of the patch."""

    def __init__(self) -> None:
        self._failures: list[tuple[str, str]] = []
        # Where: the file it makes, and the operation it belongs to.
        self._fine: dict[str, tuple[str, int]] = {}
        self._failed_files: set[str] = set()
        self._failed_operations: set[int] = set()
        self._standing = 0
        self._moot = 0
        self._there = 0
        self._unwanted = 0
        self._half = False
        self.notes: list[str] = []

    @property
    def failed(self) -> bool:
        """Whether any part failed."""
        return bool(self._failures)

    def fine(self, where: str, path: str, operation: int) -> None:
        """A part can be done, for all that is known yet.

        Args:
            where: Which part.
            path: The file it makes.
            operation: The operation it belongs to.
        """
        self._fine[where] = path, operation

    def is_there(self) -> None:
        """A part that can be done asks for what is there already."""
        self._there += 1

    def fail(self, where: str, reason: str, operation: int | None = None, *, unwanted: bool = False) -> None:
        """A part cannot be done.

        Args:
            where: Which part.
            reason: Why, and how to mend it.
            operation: The operation that fails with all its parts.
            unwanted: It may not be done, however it is written.
        """
        self._unwanted += unwanted
        if operation is not None:
            self._failed_operations.add(operation)
        self._failures.append((where, reason))

    def stands(self, where: str, reason: str) -> None:
        """A part cannot be done because what it asks for is there already."""
        self._standing += 1
        self.fail(where, reason)

    def is_half(self) -> None:
        """A file that failed has parts that could be done: there is something left to do."""
        self._half = True

    def moot(self, where: str, reason: str) -> None:
        """A part cannot be done, but neither is anything left to do: a file to be deleted that is nowhere."""
        self._moot += 1
        self.fail(where, reason)

    def fail_file(self, path: str, reason: str) -> None:
        """A file cannot be as the parts that make it would have it."""
        self._failed_files.add(path)
        self.fail(path, reason)

    def refusal(self, *, changes: bool) -> PatchRefusedError:
        """The error that says all of it.

        Args:
            changes: Whether the parts that are fine change anything.
        """
        failures = tuple(f"{where}: {reason}" for where, reason in self._failures)
        fine = tuple(
            part
            for part, (path, operation) in self._fine.items()
            if path not in self._failed_files and operation not in self._failed_operations
        )
        changes = changes or self._half
        if not changes and (self._standing or self._there) and len(failures) == self._standing + self._moot:
            return PatchRefusedError(
                "\n".join(["The patch is applied already: everything it asks for is in the files.", *self._listed()]),
                "Do not send it again.",
                failures=failures,
                fine=fine,
                already=True,
            )
        count = f"{len(failures)} part{'s' if len(failures) > 1 else ''} of it failed"
        lines = [f"The patch was refused and no file was changed: {count}.", *self._listed()]
        if fine:
            more = f"; and {len(fine) - _FINE} more" if len(fine) > _FINE else ""
            lines.append(f"These were fine: {'; '.join(fine[:_FINE])}{more}.")
        lines.append(
            f"Mend what failed and send the whole patch again{', with the parts that were fine' if fine else ''}."
        )
        kind = PatchUnwantedError if self._unwanted == len(failures) else PatchRefusedError
        return kind("\n".join(lines), failures=failures, fine=fine)

    def _listed(self) -> list[str]:
        """The failures: the first in full, the others by a line each, so that a model can read all of it."""
        lines: list[str] = []
        size = 0
        places: dict[str, list[str]] = {}
        for where, reason in self._failures[:_LISTED]:
            places.setdefault(reason, []).append(where)
        for number, (reason, wheres) in enumerate(places.items()):
            times = f" (the same reason, {len(wheres)} times)" if len(wheres) > 1 else ""
            whole = f"- {'; '.join(wheres)}: {reason}{times}"
            size += len(whole)
            lines.append(whole if number < _WHOLE and (size <= _CHARS or not number) else _short(whole))
        if len(self._failures) > _LISTED:
            lines.append(f"- and {len(self._failures) - _LISTED} more.")
        return lines


def _short(text: str) -> str:
    """The first line of a failure, cut where it is long."""
    line = text.partition("\n")[0]
    return line if len(line) <= _SHORT else f"{line[:_SHORT]} ..."
