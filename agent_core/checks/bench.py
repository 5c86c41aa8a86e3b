"""What comparisons of trees work with: which trees, who judges them, what is remembered between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from agent_core.checks.baseline import Baseline
from agent_core.checks.runner import Slots
from agent_core.checks.verdict import Waver
from agent_core.events import AnyEvent
from agent_core.protocols import Check, Workspace
from agent_core.workspace.tree import Changes, Snapshot, with_changes


class Trees(msgspec.Struct, frozen=True):
    """Two trees to compare, both made of the working tree.

    Attributes:
        base: The working tree.
        after: What makes the candidate of it.
        before: What makes the tree it is compared with; nothing where that is the working tree itself.
        moves: New path to old path of every moved file.
    """

    base: Snapshot
    after: Changes
    before: Changes = {}
    moves: Mapping[str, str] = {}

    def changed(self) -> tuple[str, ...]:
        """The paths in which they differ, sorted."""
        old, new = with_changes(self.base, self.before).files, with_changes(self.base, self.after).files
        paths = {*self.before, *self.after}
        return tuple(sorted(path for path in paths if old.get(path) != new.get(path)))

    def all_moves(self) -> dict[str, str]:
        """Old path to new path, also of files that went and came with the same content."""
        old, new = with_changes(self.base, self.before).files, with_changes(self.base, self.after).files
        found = {before: after for after, before in self.moves.items() if before not in new}
        paths = {*self.before, *self.after}
        came = {new[path].hash: path for path in sorted(paths) if path in new and path not in old}
        for path in sorted(paths):
            if path in old and path not in new and path not in found and old[path].hash in came:
                found[path] = came.pop(old[path].hash)
        return found


@dataclass
class Memory:
    """What one session remembers of its comparisons.

    Attributes:
        wavers: Tests that wavered, by `key_of_test`.
        failed: Tests that failed on the last candidate.
        verified: For a base tree that was judged in an earlier session: its tests that have been run again in this one.
        restless: How many judgements of a tree were given up in a row as its files were saved, and were what they had
            been.
    """

    wavers: dict[str, Waver] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    verified: dict[str, set[str]] = field(default_factory=dict)
    restless: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Bench:
    """What comparisons of one project share.

    Attributes:
        workspace: The project.
        checks: Who judges.
        baseline: Knows about base trees.
        slots: Where heavy checks are counted.
        emit: Takes the checks' events.
        memory: What is remembered.
    """

    workspace: Workspace
    checks: tuple[Check, ...]
    baseline: Baseline
    slots: Slots
    emit: Callable[[AnyEvent], None]
    memory: Memory
