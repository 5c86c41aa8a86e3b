"""Noticing that an attempt repeats an earlier one. Pure."""

from __future__ import annotations

import re
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


def same_patch(one: Patch, other: Patch) -> bool:
    """Whether two patches make the same files of the same files."""

    def essence(patch: Patch) -> set[tuple[object, ...]]:
        return {(file.path, file.old_path, file.before, file.after, file.after_mode) for file in patch.files}

    return essence(one) == essence(other)


def failures(verdict: Verdict) -> frozenset[tuple[str, str]]:
    """What stands against a patch, with the messages: another message is another failure, not a standstill."""
    return frozenset(
        (finding.fingerprint, _ADDRESS.sub("0x", finding.message))
        for finding in (*verdict.broken, *verdict.targets_left)
    )


def stalled(verdict: Verdict, patch: Patch, earlier: Sequence[Attempted]) -> str:
    """Say that an attempt did what an earlier one did; empty when it is new.

    Args:
        verdict: What came of this attempt.
        patch: What it proposed.
        earlier: The attempts at the same task before it, oldest first.
    """
    for attempt in reversed(earlier):
        if same_patch(patch, attempt.patch):
            came = f"; it failed with {_failed_with(attempt.verdict)}" if attempt.verdict is not None else ""
            return f"Attempt {attempt.attempt} already did this: the patch is the same{came}."
    now = failures(verdict)
    same = [one for one in earlier if one.verdict is not None and now and failures(one.verdict) == now]
    if not same:
        return ""
    numbers = ", ".join(str(one.attempt) for one in same)
    attempts = f"Attempt{'s' if len(same) > 1 else ''} {numbers}"
    return f"{attempts} failed in exactly this way, with another patch: {_failed_with(verdict)}. Try another cause."


def _failed_with(verdict: Verdict) -> str:
    """The first thing that stood against an attempt, in a few words."""
    against = (*verdict.broken, *verdict.targets_left)
    if not against:
        return verdict.summary
    first = against[0]
    message = first.message if len(first.message) <= 160 else f"{first.message[:159]}…"
    more = f" and {len(against) - 1} more" if len(against) > 1 else ""
    return f"{message}{f' at {first.place}' if first.place else ''}{more}"
