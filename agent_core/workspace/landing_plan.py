"""Working out what a landing or an undo has to write, by merging with what is on disk now. Writes nothing there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent_core.errors import LandingConflictError
from agent_core.events import FileLanding
from agent_core.patch.line_diff import changed_ranges
from agent_core.patch.model import FilePatch, Patch
from agent_core.protocols import Journal
from agent_core.workspace.disk import Standing, look
from agent_core.workspace.merge import merge

_SHOWN = 20


class Planner:
    """Plans one landing or undo; collects every conflict before it says no.

    Args:
        root: The project's folder.
        journal: Holds contents by hash.
    """

    def __init__(self, root: Path, journal: Journal) -> None:
        self._root = root
        self._journal = journal
        self._files: list[FileLanding] = []
        self._conflicts: list[str] = []

    async def landing(self, patch: Patch) -> tuple[FileLanding, ...]:
        """What has to be written to land a patch.

        Raises:
            LandingConflictError: It collides with what is on disk.
        """
        for file in patch.files:
            if file.kind == "move":
                await self._move(file)
            else:
                await self._file(file.path, file.before, file.after, (file.before_mode, file.after_mode), "proposed")
        return self._result("The proposal collides with what is in the working tree now; nothing was written.")

    async def undo(self, files: Sequence[FileLanding], *, again: bool = False) -> tuple[FileLanding, ...]:
        """What has to be written to take a landing back.

        Raises:
            LandingConflictError: Newer changes stand in the way.
        """
        for file in files:
            await self._file(file.path, file.after, file.before, (file.after_mode, file.before_mode), "landed")
        what = "landed again" if again else "taken back"
        return self._result(f"The landing can't be {what} over newer changes; nothing was written.")

    def _result(self, message: str) -> tuple[FileLanding, ...]:
        if self._conflicts:
            raise LandingConflictError(message, tuple(self._conflicts))
        return tuple(sorted(self._files, key=lambda file: file.path))

    def _get(self, digest: str | None) -> bytes | None:
        return None if digest is None else self._journal.get(digest)

    def _look(self, path: str) -> Standing | None:
        """What stands at a path; None, with the conflict noted, when it must not be written."""
        now = look(self._root, path)
        if now.obstacle:
            self._conflicts.append(f"{path}: {now.obstacle.rstrip('.')}")
            return None
        return now

    def _write(self, path: str, now: Standing, data: bytes | None, mode: int) -> None:
        """Note what a path becomes, if that is anything new."""
        if data == now.data and (data is None or mode == now.mode):
            return
        before = None if now.data is None else self._journal.put(now.data)
        after = None if data is None else self._journal.put(data)
        self._files.append(FileLanding(path, before, after, now.mode, 0 if data is None else mode))

    async def _file(self, path: str, base: str | None, goal: str | None, modes: tuple[int, int], since: str) -> None:
        """Take one path from a base to a goal, over what stands there now."""
        now = self._look(path)
        if now is None:
            return
        old, new = self._get(base), self._get(goal)
        if now.data in {old, new}:
            self._write(path, now, new, _mode(modes, now))
        elif now.data is None:
            self._conflicts.append(f"{path}: was deleted since it was {since}")
        elif old is None:
            self._conflicts.append(f"{path}: exists already, with other content")
        elif new is None:
            self._changed(path, old, now.data, f"changed since it was {since}, so it is not removed")
        else:
            await self._merge(path, path, now, (old, new), modes)

    async def _merge(
        self, path: str, target: str, now: Standing, sides: tuple[bytes, bytes], modes: tuple[int, int]
    ) -> None:
        """Merge a change into the file at `path`, for `target`."""
        assert now.data is not None
        merged = await merge(sides[0], now.data, sides[1])
        if merged.data is None:
            for first, last in merged.conflicts:
                lines = f"{first}-{last}" if last > first else f"{first}"
                self._conflicts.append(f"{path}:{lines}: was changed here too")
            return
        there = now if path == target else Standing(None, 0)
        self._write(target, there, merged.data, _mode(modes, now))

    async def _move(self, file: FilePatch) -> None:
        old, new = self._look(file.old_path), self._look(file.path)
        if old is None or new is None:
            return
        base, goal = self._get(file.before), self._get(file.after)
        assert base is not None
        assert goal is not None
        if new.data is None and old.data is None:
            self._conflicts.append(f"{file.old_path}: was deleted or moved since it was proposed to move it")
        elif new.data is None:
            await self._merge(file.old_path, file.path, old, (base, goal), (file.before_mode, file.after_mode))
            self._write(file.old_path, old, None, 0)
        elif new.data != goal:
            self._conflicts.append(f"{file.path}: exists already, with other content")
        elif old.data is not None and (self._root / file.old_path).samefile(self._root / file.path):
            self._conflicts.append(f"{file.path}: is the same file as {file.old_path} on this file system")
        elif old.data is not None and old.data != base:
            self._changed(file.old_path, base, old.data, "changed since it was proposed to move it")
        else:
            self._write(file.old_path, old, None, 0)

    def _changed(self, path: str, old: bytes, now: bytes, what: str) -> None:
        """Note the places where a file differs from what it is expected to be."""
        if b"\0" in old or b"\0" in now:
            self._conflicts.append(f"{path}: {what}")
            return
        places = changed_ranges(old.split(b"\n"), now.split(b"\n"))
        self._conflicts += [f"{path}:{start + 1}: {what}" for _, _, start, _ in places[:_SHOWN]]


def _mode(modes: tuple[int, int], now: Standing) -> int:
    """The three-way merge of modes: the goal's where it changes anything, else what is there."""
    base, goal = modes
    return goal if goal != base or not now.mode else now.mode
