"""What failures have in common: failing tests by their cause, with what other tools say about the same place. Pure."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Sequence

import msgspec

from agent_core.checks.model import Finding

_NAMES_SHOWN = 8
_MOST_BESIDE = 3
_NEAR = 5
_LONG_ID = 160
_LONG_MESSAGE = 320
# What differs from test to test although the cause is one: quoted values, paths, addresses, numbers.
_VARIES = re.compile(
    r"(?<!\w)(?:'[^'\n]*'|\"[^\"\n]*\")|(?<![\w.])/[\w.+@-]+(?:/[\w.+@-]+)+|0x[0-9a-fA-F]+|\d+(?:\.\d+)?"
)
# These come up wherever something is imported, in each file at another line.
_IMPORTING = frozenset({"ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError", "TabError"})
_QUOTED_NAME = re.compile(r"['\"`]([A-Za-z_][\w.]*)['\"`]")
_COMMON = frozenset({*dir(builtins), "NoneType", "self", "cls", "builtins", "ellipsis", "function", "module"})


class Beside(msgspec.Struct, frozen=True):
    """A finding of a tool that reads code, beside the test failure that it explains.

    Attributes:
        finding: What the tool said.
        why: What they share: ``line``, ``name``, ``near``.
    """

    finding: Finding
    why: str

    @property
    def told(self) -> str:
        """Such as ``mypy says at users.py:41: "User" has no attribute "naem" [attr-defined]``."""
        one = self.finding
        code = f" [{one.code}]" if one.code else ""
        return f"{one.check} says at {one.place}: {_short(one.message, _LONG_MESSAGE)}{code}"


class Cause(msgspec.Struct, frozen=True):
    """Failing tests that fail in the same way.

    Attributes:
        findings: One a test or file, in the order they came; never empty.
        beside: What other tools say that explains it, most telling first.
    """

    findings: tuple[Finding, ...]
    beside: tuple[Beside, ...] = ()

    @property
    def first(self) -> Finding:
        """The one that stands for all of them."""
        return self.findings[0]

    @property
    def title(self) -> str:
        """Such as ``3 tests fail with KeyError: 'name' at users.py:41``."""
        at = f" at {self.first.place}" if self.first.place and len({one.place for one in self.findings}) == 1 else ""
        message = _short(self.first.message, _LONG_MESSAGE)
        files = sum(_is_file(finding.code) for finding in self.findings)
        count = len(self.findings)
        if count == 1:
            name = _short(self.first.code, _LONG_ID)
            how = "cannot be collected, its tests do not run:" if files else "fails with"
            return f"{name} {how} {message}{at}" if files or "::" in name else f"pytest: {message}{at}"
        if len({one.message for one in self.findings}) > 1:
            message += " or the like"
        if files == count:
            return f"{count} files cannot be collected, their tests do not run: {message}{at}"
        what = "tests" if not files else "tests and files"
        return f"{count} {what} fail with {message}{at}"

    @property
    def who(self) -> str:
        """How many, before the message where the place is told already, such as ``3 tests: ``; empty for one test."""
        count, files = len(self.findings), sum(_is_file(finding.code) for finding in self.findings)
        if files == count:
            return "cannot be collected: " if count == 1 else f"{count} files cannot be collected: "
        return f"{count} tests{' and files' if files else ''}: " if count > 1 else ""

    @property
    def names(self) -> str:
        """The tests of it, bounded."""
        return "\n".join(self.names_up_to(_NAMES_SHOWN))

    @property
    def all_names(self) -> str:
        """The tests of it, every one."""
        return "\n".join(self.names_up_to(len(self.findings)))

    def names_up_to(self, most: int) -> list[str]:
        """The tests of it, a line each; beyond a number of them, how many more there are."""
        shown = [f"  {_short(finding.code, _LONG_ID)}" for finding in self.findings[:most]]
        if len(self.findings) > most:
            shown.append(f"  ... and {len(self.findings) - most} more")
        return shown


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def is_of_tests(finding: Finding) -> bool:
    """Whether this is a failing test, or a file of tests that cannot be collected, and so has a cause to be found."""
    return "::" in finding.code or (finding.check == "pytest" and _is_file(finding.code))


def _is_file(code: str) -> bool:
    """Whether this is what cannot be collected, not a test, and not a word for something else that is wrong."""
    return "::" not in code and ("/" in code or "." in code)


def _key(finding: Finding) -> tuple[str, str]:
    kind = finding.message.partition(":")[0]
    if kind in _IMPORTING:
        # The name that is missing is the cause; where it is asked for is not.
        return finding.message, ""
    return _VARIES.sub("#", finding.message), finding.place


def grouped(findings: Iterable[Finding], others: Sequence[Finding] = ()) -> list[Cause]:
    """Failing tests by their cause.

    Two fail for the same reason when the same exception comes up at the same line of the project's own code, whatever
    values its message names; or when the same thing cannot be imported.

    Args:
        findings: Failing tests and files that cannot be collected.
        others: What tools say that read the code.

    Returns:
        What cannot be collected first, as it keeps tests from running; then the cause of most failures.
    """
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_key(finding), []).append(finding)
    causes = [Cause(tuple(group), beside(group, others)) for group in groups.values()]
    return sorted(causes, key=lambda cause: ("::" in cause.first.code, -len(cause.findings)))


def beside(failures: Sequence[Finding], others: Sequence[Finding]) -> tuple[Beside, ...]:
    """What tools that read code say about the place where tests fail, or about the name that the failure speaks of.

    Args:
        failures: Failures of one cause.
        others: What the tools say.

    Returns:
        The most telling ones: at the same line, of the same name, a few lines away.
    """
    first = failures[0]
    names = _names(first.message)
    ranked: list[tuple[int, int, Beside]] = []
    for number, other in enumerate(others):
        same = other.path is not None and other.path == first.path
        apart = abs(other.line - first.line) if same and other.line and first.line else None
        if apart == 0:
            ranked.append((0, number, Beside(other, "line")))
        elif names & _names(other.message):
            ranked.append((1 if same else 2, number, Beside(other, "name")))
        elif apart is not None and apart <= _NEAR:
            ranked.append((3, number, Beside(other, "near")))
    return tuple(one for *_, one in sorted(ranked, key=lambda row: row[:2])[:_MOST_BESIDE])


def _names(message: str) -> frozenset[str]:
    """The names that a message quotes, but for those that are everywhere."""
    found = {part for name in _QUOTED_NAME.findall(message) for part in (name, name.rsplit(".", 1)[-1])}
    return frozenset(found) - _COMMON
