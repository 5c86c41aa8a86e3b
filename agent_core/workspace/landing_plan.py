"""Working out what a landing or an undo has to write, by merging with what is on disk now. Writes nothing there.

Both are the same work: a list of steps, each of which takes one file from a base to a goal over what stands there
now, and may take it to another name. An undo is the steps of its landing backwards. What a human wrote since travels
with the file it was written in.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from agent_core.errors import LandingConflictError
from agent_core.events import FileLanding
from agent_core.patch.line_diff import changed_ranges
from agent_core.patch.model import Patch
from agent_core.protocols import Journal
from agent_core.workspace.disk import Standing, cannot_be, look, permissions
from agent_core.workspace.merge import merge
from agent_core.workspace.names import case_twins, has_exactly

_SHOWN = 20


class _Step(msgspec.Struct, frozen=True):
    """One file of a plan.

    Attributes:
        path: Where the result stands.
        source: Where the file stands that it is made from; the same but for a move.
        base: Hash of the content that was there; None when there was none.
        goal: Hash of the content that is wanted; None when the file is to go.
        modes: Git-style modes of the two.
        bits: All permission bits that belong to the goal; 0 where they are not known.
    """

    path: str
    source: str
    base: str | None
    goal: str | None
    modes: tuple[int, int]
    bits: int = 0

    @property
    def is_move(self) -> bool:
        return self.path != self.source


def _landing_steps(patch: Patch) -> list[_Step]:
    return [
        _Step(file.path, file.old_path, file.before, file.after, (file.before_mode, file.after_mode))
        for file in patch.files
    ]


def _undo_steps(files: Sequence[FileLanding]) -> list[_Step]:
    """The steps that take back what a landing wrote; a moved file goes back to the name it came from."""
    by_path = {file.path: file for file in files}
    came_from = {
        file.moved_from: file
        for file in files
        if file.after is not None and file.moved_from in by_path and by_path[file.moved_from].before is not None
    }
    steps = []
    for file in files:
        now = came_from.get(file.path)
        if now is not None:
            modes = (now.after_mode, file.before_mode)
            steps.append(_Step(file.path, now.path, now.after, file.before, modes, file.before_bits))
        elif file.before is not None or came_from.get(file.moved_from) is not file:
            modes = (file.after_mode, file.before_mode)
            steps.append(_Step(file.path, file.path, file.after, file.before, modes, file.before_bits))
    return steps


class Planner:
    """Plans one landing or undo; collects every conflict before it says no.

    Args:
        root: The project's folder.
        journal: Holds contents by hash.
    """

    def __init__(self, root: Path, journal: Journal) -> None:
        self._root = root
        self._journal = journal
        self._files: dict[str, FileLanding] = {}
        self._conflicts: list[str] = []
        self._gone: frozenset[str] = frozenset()
        self._twins: frozenset[str] = frozenset()

    async def landing(self, patch: Patch) -> tuple[FileLanding, ...]:
        """What has to be written to land a patch.

        Raises:
            LandingConflictError: It collides with what is on disk.
        """
        await self._carry_out(_landing_steps(patch), "proposed")
        return self._result("The proposal collides with what is in the working tree now; nothing was written.")

    async def undo(
        self, files: Sequence[FileLanding], *, again: bool = False, name: str = "The landing"
    ) -> tuple[FileLanding, ...]:
        """What has to be written to take a landing back.

        Args:
            files: What it wrote.
            again: It is an undo: what it took back is to be landed again.
            name: What the landing is called.

        Raises:
            LandingConflictError: Newer changes stand in the way.
        """
        await self._carry_out(_undo_steps(files), "taken back" if again else "landed")
        what = "landed again" if again else "taken back"
        return self._result(f"{name} can't be {what} over newer changes; nothing was written.")

    async def _carry_out(self, steps: Sequence[_Step], since: str) -> None:
        # A file moves to a name that is free and leaves its own one free, as `make_patch` has it.
        self._gone = frozenset(step.source for step in steps if step.is_move or step.goal is None)
        self._twins = case_twins({name for step in steps for name in (step.path, step.source)})
        for step in steps:
            if step.is_move:
                await self._move(step, since)
            else:
                await self._file(step, since)

    def _result(self, message: str) -> tuple[FileLanding, ...]:
        if self._conflicts:
            raise LandingConflictError(message, tuple(self._conflicts))
        return tuple(self._files[path] for path in sorted(self._files))

    def _get(self, digest: str | None) -> bytes | None:
        return None if digest is None else self._journal.get(digest)

    def _look(self, path: str) -> Standing | None:
        """What stands at a path; None, with the conflict noted, when it must not be written."""
        now = look(self._root, path, self._gone)
        if now.obstacle:
            self._conflicts.append(f"{path}: {now.obstacle.rstrip('.')}")
            return None
        if path in self._twins and now.data is not None and not has_exactly(self._root / path):
            return Standing(None, 0)
        return now

    def _write(
        self, path: str, now: Standing, data: bytes | None, mode: tuple[int, int] = (0, 0), *, came_from: str = ""
    ) -> None:
        """Note what a path becomes, if that is anything new; `mode` is Git's and all bits."""
        if data == now.data and (data is None or mode[0] == now.mode):
            return
        self._files[path] = FileLanding(
            path,
            None if now.data is None else self._journal.put(now.data),
            None if data is None else self._journal.put(data),
            now.mode,
            0 if data is None else mode[0],
            moved_from=came_from,
            before_bits=now.bits,
            after_bits=0 if data is None else mode[1],
        )

    async def _file(self, step: _Step, since: str) -> None:
        """Take one path from a base to a goal, over what stands there now."""
        if step.goal is None and cannot_be(self._root / step.path):
            return
        now = self._look(step.path)
        if now is None:
            return
        old, new = self._get(step.base), self._get(step.goal)
        if now.data in {old, new}:
            self._write(step.path, now, new, _mode_and_bits(step, now))
        elif now.data is None:
            self._conflicts.append(f"{step.path}: was deleted since it was {since}")
        elif old is None:
            self._conflicts.append(f"{step.path}: exists already, with other content")
        elif new is None:
            self._changed(step.path, old, now.data, f"changed since it was {since}, so it is not removed")
        else:
            merged = await self._merge(step, now.data, old, new)
            if merged is not None:
                self._write(step.path, now, merged, _mode_and_bits(step, now))

    async def _merge(self, step: _Step, now: bytes, old: bytes, new: bytes) -> bytes | None:
        """Merge a change into a file; None, with the conflicts noted, when it can't be."""
        merged = await merge(old, now, new)
        self._conflicts += [
            f"{step.source}:{_lines(first, last)}: was changed here too" for first, last in merged.conflicts
        ]
        return merged.data

    async def _move(self, step: _Step, since: str) -> None:
        """Take a file to another name, with what was changed in it."""
        old, new = self._look(step.source), self._look(step.path)
        if old is None or new is None:
            return
        base, goal = self._get(step.base), self._get(step.goal)
        assert base is not None
        assert goal is not None
        if new.data is None and old.data is None:
            self._conflicts.append(f"{step.source}: was deleted or moved since it was {since}")
        elif new.data is None and old.data is not None:
            merged = await self._merge(step, old.data, base, goal)
            if merged is not None:
                self._write(step.path, new, merged, _mode_and_bits(step, old), came_from=step.source)
                self._write(step.source, old, None)
        elif old.data is None and new.data == base:
            # Somebody has moved it there already.
            self._write(step.path, new, goal, _mode_and_bits(step, new))
        elif new.data != goal:
            self._conflicts.append(f"{step.path}: exists already, with other content")
        elif old.data is not None and (self._root / step.source).samefile(self._root / step.path):
            self._conflicts.append(f"{step.path}: is the same file as {step.source} on this file system")
        elif old.data is not None and old.data != base:
            self._changed(step.source, base, old.data, f"changed since it was {since}, so it is not moved")
        else:
            self._write(step.source, old, None)

    def _changed(self, path: str, old: bytes, now: bytes, what: str) -> None:
        """Note the places where a file differs from what it is expected to be."""
        if b"\0" in old or b"\0" in now:
            self._conflicts.append(f"{path}: {what}")
            return
        places = changed_ranges(old.split(b"\n"), now.split(b"\n"))
        self._conflicts += [f"{path}:{_lines(start + 1, end)}: {what}" for _, _, start, end in places[:_SHOWN]]


def _lines(first: int, last: int) -> str:
    return f"{first}-{last}" if last > first else f"{first}"


def _mode_and_bits(step: _Step, now: Standing) -> tuple[int, int]:
    """The three-way merge of modes: the goal's where it changes anything, else what is there.

    And all the permission bits of the result: those that are there, unless the mode changes or there are none. 0 where
    nothing is known of them.
    """
    base, goal = step.modes
    mode = goal if goal != base or not now.mode else now.mode
    if not now.mode or not now.bits:
        return mode, step.bits
    # What the landing made of these bits it takes back exactly.
    known = step.bits and mode == goal and permissions(step.bits, step.bits, now.mode) == now.bits
    return mode, step.bits if known else permissions(now.bits, now.bits, mode)
