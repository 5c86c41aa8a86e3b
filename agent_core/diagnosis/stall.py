"""Noticing that the attempts at a task go nowhere: the same patch, the same failure, there and back again. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from agent_core.checks.model import Verdict
from agent_core.patch.model import Patch

_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")


class Attempted(Protocol):
    """An attempt at a task: what was proposed, and what came of it."""

    @property
    def attempt(self) -> int:
        """Which attempt it was, from 1."""

    @property
    def patch(self) -> Patch:
        """What was proposed."""

    @property
    def verdict(self) -> Verdict | None:
        """What the checks said; None when they were not run to the end."""


class Repeats:
    """Counts how often the same patch was refused for the same reason, in one task."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str]] = Counter()

    def add(self, arguments: str, reason: str) -> int:
        """Count a refusal.

        Args:
            arguments: What the partner sent.
            reason: Why it was refused.

        Returns:
            How often that was so, this time included.
        """
        self._seen[arguments, reason] += 1
        return self._seen[arguments, reason]


def same_patch(one: Patch, other: Patch) -> bool:
    """Whether two patches make the same files of the same files."""

    def essence(patch: Patch) -> set[tuple[object, ...]]:
        return {(file.path, file.old_path, file.before, file.after, file.after_mode) for file in patch.files}

    return essence(one) == essence(other)


def failures(verdict: Verdict) -> frozenset[tuple[str, str]]:
    """What stands against a patch, with the messages: another message is another failure, not a standstill."""
    return frozenset(
        (finding.fingerprint, _ADDRESS.sub("0x", finding.message))
        for finding in (*verdict.broken, *verdict.silenced, *verdict.targets_left)
    )


def stalled(verdict: Verdict, patch: Patch, earlier: Sequence[Attempted]) -> str:
    """Say that an attempt did what an earlier one did; empty when it is new.

    Args:
        verdict: What came of this attempt.
        patch: What it proposed.
        earlier: The attempts at the same task before it, oldest first.
    """
    for index, attempt in reversed([*enumerate(earlier)]):
        if same_patch(patch, attempt.patch):
            came = f"; it failed with {_failed_with(attempt.verdict)}" if attempt.verdict is not None else ""
            back = _there_and_back(earlier[index + 1 :])
            return f"Attempt {attempt.attempt} already did this: the patch is the same{came}.{back}"
    now = failures(verdict)
    same = [index for index, one in enumerate(earlier) if one.verdict is not None and now == failures(one.verdict)]
    if not same or not now:
        return ""
    between = [one for one in earlier[same[-1] + 1 :] if one.verdict is not None]
    if between:
        was = earlier[same[-1]].attempt
        return (
            f"Attempt {was} failed in exactly this way, with another patch: {_failed_with(verdict)}."
            f"{_there_and_back(between)}"
        )
    numbers = ", ".join(str(earlier[index].attempt) for index in same)
    attempts = f"Attempt{'s' if len(same) > 1 else ''} {numbers}"
    return f"{attempts} failed in exactly this way, with another patch: {_failed_with(verdict)}. Try another cause."


def stalls(attempts: Sequence[Attempted]) -> int:
    """How many of the attempts at a task did what an earlier one had done.

    Args:
        attempts: All of them, oldest first; what is not red is no standstill.
    """
    return sum(
        bool(stalled(one.verdict, one.patch, attempts[:index]))
        for index, one in enumerate(attempts)
        if one.verdict is not None and one.verdict.complete and not one.verdict.green
    )


def _there_and_back(between: Sequence[Attempted]) -> str:
    """What was tried in between, to which it must not go back either; empty when nothing was."""
    tried = [f"attempt {one.attempt} failed with {_failed_with(one.verdict)}" for one in between if one.verdict]
    if not tried:
        return ""
    return f" You go back and forth: {'; '.join(tried[-2:])}. Find a change that mends both."


def _failed_with(verdict: Verdict) -> str:
    """The first thing that stood against an attempt, in a few words."""
    against = (*verdict.broken, *verdict.silenced, *verdict.targets_left)
    if not against:
        return verdict.summary
    first = against[0]
    message = first.message if len(first.message) <= 160 else f"{first.message[:159]}…"
    more = f" and {len(against) - 1} more" if len(against) > 1 else ""
    return f"{message}{f' at {first.place}' if first.place else ''}{more}"
