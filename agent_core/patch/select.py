"""A part of a patch: what somebody took of it, and what is left.

Choices are made at the grain of a file, a block or a line; a finer one goes before a coarser one. The choice of a file
is about what a file has as a whole too: its move, its mode, all of a binary one. A file that is added is there as soon
as something of it is taken; one that is deleted is gone when all of it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from agent_core.errors import SelectionError
from agent_core.file_modes import SYMLINK
from agent_core.patch.between import lines_of, mend_mark, written
from agent_core.patch.choices import BlockChoice, Choices
from agent_core.patch.diff import split_lines
from agent_core.patch.model import Block, FileKind, FilePatch, Patch
from agent_core.patch.pairing import weave
from agent_core.patch.splice import Splice, blocks_of, spliced
from agent_core.workspace.tree import content_hash

Content = Callable[[str], bytes]


class Selected(msgspec.Struct, frozen=True):
    """A part of a patch.

    Attributes:
        patch: The patch that makes it; whole blocks have the names they had.
        contents: What the patch names, by hash.
    """

    patch: Patch
    contents: Mapping[str, bytes]


def select(patch: Patch, choices: Choices, content: Content) -> Selected:
    """The patch made of what is taken.

    Args:
        patch: The whole patch.
        choices: What is taken of it.
        content: Gives content by hash.

    Returns:
        The patch from what the whole patch starts from. An edited block keeps its name.

    Raises:
        SelectionError: The choices name something that is not in the patch, or cannot be had in part.
    """
    return _described([(part.start, part.taken, part.first) for part in _parts(patch, choices, content)])


def remainder(patch: Patch, choices: Choices, content: Content) -> Selected:
    """The patch made of what is not taken: over what `select` gives for the same choices, it makes the whole.

    A block that the human edited is settled: the remainder leaves it as they wrote it.

    Args:
        patch: The whole patch.
        choices: What is taken of it.
        content: Gives content by hash.

    Raises:
        SelectionError: As `select`.
    """
    return _described([(part.taken, part.goal, part.second) for part in _parts(patch, choices, content)])


class _State(msgspec.Struct, frozen=True):
    """A file at some point; `data` is None where there is none."""

    path: str
    data: bytes | None
    mode: int


class _Part(msgspec.Struct, frozen=True):
    """A file before the patch, after what is taken, and after all of it; and the ways from one to the next."""

    start: _State
    taken: _State
    goal: _State
    first: tuple[Splice, ...]
    second: tuple[Splice, ...]


def _parts(patch: Patch, choices: Choices, content: Content) -> list[_Part]:
    _check(patch, choices)
    parts = [_part(file, choices, content) for file in patch.files]
    _check_room(parts)
    return parts


def _check(patch: Patch, choices: Choices) -> None:
    """Refuse choices about what is not there."""
    blocks = {block.id: block for file in patch.files for block in file.blocks}
    paths = {file.path for file in patch.files}
    wrong = [f"file {path!r}" for path in sorted(choices.files.keys() - paths)]
    wrong += [f"block {name!r}" for name in sorted(choices.blocks.keys() - blocks.keys())]
    for name, choice in choices.blocks.items():
        if name not in blocks or choice.lines is None:
            continue
        count = len(blocks[name].removed) + len(blocks[name].added)
        wrong += [f"line {line} of block {name!r} (it has {count})" for line in sorted(choice.lines - {*range(count)})]
        if choice.text is not None:
            raise SelectionError(f"Block {name!r} is chosen by lines and edited too: only one of the two can be.")
    if wrong:
        raise SelectionError(f"Not in the patch: {', '.join(wrong)}.", "Choose among its files, blocks and lines.")


def _check_room(parts: list[_Part]) -> None:
    """Refuse a file below a path where another one stays because its removal is not taken."""
    staying = {
        part.taken.path: part
        for part in parts
        if part.taken.data is not None and part.taken.path == part.start.path and part.start.data is not None
    }
    for part in parts:
        path = part.taken.path
        folders = {path[:at] for at, char in enumerate(path) if char == "/"}
        over = next((folder for folder in folders if folder in staying), None)
        if part.taken.data is not None and over is not None:
            raise SelectionError(
                f"{path} can't be taken without the removal of {over}: a file stands where it needs a folder.",
                f"Take {over} too, or leave {path}.",
            )
        if part.taken.data is not None and part.start.data is None:
            below = next((other for other in staying if other.startswith(f"{path}/")), None)
            if below is not None:
                raise SelectionError(
                    f"{path} can't be taken without the removal of {below}: a folder stands in its place.",
                    f"Take {below} too, or leave {path}.",
                )


def _part(file: FilePatch, choices: Choices, content: Content) -> _Part:
    old = None if file.before is None else content(file.before)
    new = None if file.after is None else content(file.after)
    start, goal = _State(file.old_path, old, file.before_mode), _State(file.path, new, file.after_mode)
    wanted = choices.files.get(file.path, choices.default)
    picks = [choices.blocks.get(block.id, BlockChoice(wanted)) for block in file.blocks]
    if not picks or SYMLINK in {start.mode, goal.mode}:
        if any(pick.accepted != picks[0].accepted or _is_partial(pick) for pick in picks):
            raise SelectionError(f"{file.path}: a symlink can only be taken whole.")
        every = tuple(Splice(block.old_start - 1, block.removed, block.added, block.id) for block in file.blocks)
        if picks[0].accepted if picks else wanted:
            return _Part(start, goal, goal, every, ())
        return _Part(start, start, goal, (), every)
    lines = lines_of(old)
    steps = [_step(block, pick, len(lines)) for block, pick in zip(file.blocks, picks, strict=True)]
    first, second = _first(steps), _second(steps)
    taken_lines = spliced(lines, [step.splice(step.block.removed, step.taken) for step in steps])
    goal_lines = spliced(lines, [step.splice(step.block.removed, step.goal) for step in steps])
    if mend_mark(taken_lines, old, new) | mend_mark(goal_lines, old, new):
        first = (Splice(0, tuple(lines), tuple(taken_lines)),)
        second = (Splice(0, tuple(taken_lines), tuple(goal_lines)),)
    if any(step.goal != step.block.added for step in steps):
        data = None if file.kind == "delete" and not goal_lines else written(file.path, goal_lines, old, new)
        goal = _State(file.path, data, goal.mode or start.mode)
    data = written(file.path, taken_lines, old, new)
    if file.kind == "add":
        taken = _State(file.path, data if any(map(_takes, picks)) else None, goal.mode)
    elif file.kind == "delete":
        # Who takes all lines means the file, unless they said of the file itself that it stays.
        gone = not taken_lines and choices.files.get(file.path, True)
        taken = _State(file.path, None if gone else data, start.mode)
    else:
        taken = _State(file.path, data, goal.mode) if wanted else _State(file.old_path, data, start.mode)
    return _Part(start, taken, goal, first, second)


def _is_partial(pick: BlockChoice) -> bool:
    return pick.accepted and (pick.lines is not None or pick.text is not None)


def _takes(pick: BlockChoice) -> bool:
    return pick.accepted and pick.lines != frozenset()


class _Step(msgspec.Struct, frozen=True):
    """A block, the lines that stand in its place once the choice is made, and those of the whole."""

    block: Block
    taken: tuple[str, ...]
    goal: tuple[str, ...]

    def splice(self, old: tuple[str, ...], new: tuple[str, ...], *, shift: int = 0, name: str = "") -> Splice:
        """The way between two of its texts."""
        return Splice(self.block.old_start - 1 + shift, old, new, name)


def _step(block: Block, pick: BlockChoice, count: int) -> _Step:
    """Work out one block of a file that has `count` lines."""
    if not pick.accepted:
        return _Step(block, block.removed, block.added)
    last = block.old_start - 1 + len(block.removed) == count
    if pick.text is not None:
        text = _like(block, pick.text)
        edited = _ended(split_lines(text), block, last=last)
        return _Step(block, edited, edited)
    if pick.lines is None:
        return _Step(block, block.added, block.added)
    return _Step(block, _ended(weave(block.removed, block.added, pick.lines), block, last=last), block.added)


def _like(block: Block, text: str) -> str:
    """A human's text in the line ending of the block: an editor on the screen knows only one."""
    lines = [line for line in (*block.removed, *block.added) if line.endswith("\n")]
    if not lines or not all(line.endswith("\r\n") for line in lines):
        return text
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _ended(lines: list[str], block: Block, *, last: bool) -> tuple[str, ...]:
    """Lines of which each but the file's last has an ending: taken apart, what ended the file may stand inside it."""
    ends = (
        ("\r\n" if line.endswith("\r\n") else "\n") for line in (*lines, *block.removed, *block.added) if "\n" in line
    )
    end = next(ends, "\n")
    inside = len(lines) - last
    return tuple(line if at >= inside or line.endswith("\n") else line + end for at, line in enumerate(lines))


def _first(steps: list[_Step]) -> tuple[Splice, ...]:
    """From the start to what is taken."""
    found = []
    for step in steps:
        if step.taken == step.goal != step.block.added:
            found += [step.splice(step.block.removed, step.taken).trimmed(step.block.id)]
        else:
            name = step.block.id if step.taken == step.goal else ""
            found.append(step.splice(step.block.removed, step.taken, name=name))
    return tuple(found)


def _second(steps: list[_Step]) -> tuple[Splice, ...]:
    """From what is taken to the whole."""
    found, shift = [], 0
    for step in steps:
        if step.taken != step.goal:
            name = step.block.id if step.taken == step.block.removed else ""
            found.append(step.splice(step.taken, step.goal, shift=shift, name=name))
        shift += len(step.taken) - len(step.block.removed)
    return tuple(found)


def _described(ways: list[tuple[_State, _State, tuple[Splice, ...]]]) -> Selected:
    """The patch that goes these ways."""
    files = []
    contents: dict[str, bytes] = {}
    for old, new, splices in ways:
        for state in (old, new):
            if state.data is not None:
                contents[content_hash(state.data)] = state.data
        if old.data is None and new.data is None:
            continue
        if (old.data, old.path, old.mode) == (new.data, new.path, new.mode):
            continue
        moved = old.data is not None and new.data is not None and old.path != new.path
        kind: FileKind = "add" if old.data is None else "delete" if new.data is None else "move" if moved else "update"
        files.append(
            FilePatch(
                path=new.path,
                kind=kind,
                before=None if old.data is None else content_hash(old.data),
                after=None if new.data is None else content_hash(new.data),
                before_mode=0 if old.data is None else old.mode,
                after_mode=0 if new.data is None else new.mode,
                blocks=blocks_of(new.path, splices),
                moved_from=old.path if moved else None,
            )
        )
    return Selected(Patch(tuple(sorted(files, key=lambda file: file.path))), contents)
