"""A proposal as numbered files and blocks, each in the form of a unified diff. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from agent_core.errors import PairloopError
from agent_core.patch.diff import split_lines
from agent_core.patch.encoding import text_of
from agent_core.patch.model import Block, FilePatch, Patch
from agent_core.review import Mark, Overlap
from agent_core.state import ProposalState
from agent_core.text import counted

_CONTEXT = 3
_KINDS = {"add": "new file", "update": "changed", "delete": "deleted", "move": "moved"}
_NO_BREAK = "\\ there is no line break at the end of the file"
Content = Callable[[str], bytes]


class Part(msgspec.Struct, frozen=True):
    """What can be taken or left by itself.

    Attributes:
        number: Its number in the proposal, from 1.
        file: The file it is in.
        block: The block; None for a file without any, such as a binary one.
    """

    number: int
    file: FilePatch
    block: Block | None


def parts_of(patch: Patch) -> list[Part]:
    """All parts of a patch, numbered."""
    found: list[Part] = []
    for file in patch.files:
        for block in file.blocks or (None,):
            found.append(Part(len(found) + 1, file, block))
    return found


def size_of(patch: Patch) -> str:
    """Such as ``2 files, 3 blocks, 4 lines added, 1 removed``."""
    blocks = sum(len(file.blocks) for file in patch.files)
    added, removed = sum(file.added for file in patch.files), sum(file.removed for file in patch.files)
    parts = [counted(len(patch.files), "file"), counted(blocks, "block") if blocks else ""]
    return ", ".join(part for part in (*parts, f"{counted(added, 'line')} added", f"{removed:,} removed") if part)


def diff_of(proposal: ProposalState, content: Content) -> Iterator[str]:
    """All of a proposal, a line each.

    Args:
        proposal: The proposal.
        content: Gives content by hash.
    """
    files = proposal.patch.files
    parts = parts_of(proposal.patch)
    for at, file in enumerate(files, 1):
        yield f"File {at} of {len(files)}: {_headed(file)}."
        old = _old_lines(file, content)
        for part in parts:
            if part.file is file and part.block is not None:
                yield f"Block {part.number} of {len(parts)}, {_line(part.block)}{_said(proposal, part)}."
                yield from block_lines(part, old)
            elif part.file is file:
                yield f"Block {part.number} of {len(parts)} is the file as a whole{_said(proposal, part)}."


def part_of(proposal: ProposalState, part: Part, total: int, content: Content) -> Iterator[str]:
    """One part of a proposal, a line each."""
    at = _line(part.block) if part.block is not None else "the file as a whole"
    yield f"Block {part.number} of {total}, in {_headed(part.file)}, {at}{_said(proposal, part)}."
    if part.block is not None:
        yield from block_lines(part, _old_lines(part.file, content))
    place = place_of(proposal, part)
    if place is not None and place.theirs:
        yield f"In the file there is now, from line {place.start}, what you wrote:"
        yield from (f"| {line.rstrip()}" for line in place.theirs)
    elif place is not None:
        yield "In the file there is nothing there now: you have removed it."


def block_lines(part: Part, old: Sequence[str]) -> Iterator[str]:
    """A block as a hunk of a unified diff.

    Lines around it that belong to another block, or stand in the hunk before it already, are left out.

    Args:
        part: A part with a block.
        old: Lines of the file before the patch; empty where they cannot be had.
    """
    block, blocks = part.block, part.file.blocks
    assert block is not None
    at = next(index for index, one in enumerate(blocks) if one.id == block.id)
    start, end = block.old_start - 1, block.old_start - 1 + len(block.removed)
    floor = 0
    if at:
        before = blocks[at - 1]
        floor = before.old_start - 1 + len(before.removed) + _CONTEXT
    ceiling = blocks[at + 1].old_start - 1 if at + 1 < len(blocks) else len(old)
    above = old[max(start - _CONTEXT, min(floor, start)) : start]
    below = old[end : min(end + _CONTEXT, ceiling)]
    around = len(above) + len(below)
    yield (
        f"@@ -{_range(block.old_start - len(above), len(block.removed) + around)}"
        f" +{_range(block.new_start - len(above), len(block.added) + around)} @@"
    )
    for sign, lines in ((" ", above), ("-", block.removed), ("+", block.added), (" ", below)):
        for line in lines:
            yield sign + line.rstrip("\r\n")
            if not line.endswith("\n"):
                yield _NO_BREAK


def numbered_lines(block: Block) -> Iterator[str]:
    """The changed lines of a block, numbered from 1 as a human names them."""
    for number, (what, line) in enumerate(
        [*(("removes", line) for line in block.removed), *(("adds", line) for line in block.added)], 1
    ):
        yield f"{number} {what}: {line.rstrip()}"


def place_of(proposal: ProposalState, part: Part) -> Overlap | None:
    """Where a part meets what the human wrote in the file; None where it does not."""
    name = part.block.id if part.block is not None else ""
    return next((one for one in proposal.overlaps if name and one.block == name), None)


def mark_of(proposal: ProposalState, part: Part) -> Mark:
    """What was said of a part."""
    if part.block is not None:
        return proposal.review.blocks.get(part.block.id, Mark())
    return Mark(proposal.review.files.get(part.file.path))


def _headed(file: FilePatch) -> str:
    what = f"moved from {file.moved_from}" if file.moved_from else _KINDS[file.kind]
    if not file.blocks and file.kind == "update":
        what = "no lines of text are changed"
    modes = ""
    if file.before_mode and file.after_mode and file.before_mode != file.after_mode:
        modes = f", its mode changes from {file.before_mode:o} to {file.after_mode:o}"
    lines = f", {counted(file.added, 'line')} added, {file.removed:,} removed" if file.blocks else ""
    return f"{file.path}, {what}{modes}{lines}"


def _line(block: Block) -> str:
    return f"line {block.new_start if block.added else block.old_start}"


def _said(proposal: ProposalState, part: Part) -> str:
    """What is to be known of a part, besides its lines."""
    mark, parts = mark_of(proposal, part), []
    if mark.taken is not None:
        some = f", but only {counted(len(mark.lines), 'line')} of it" if mark.taken and mark.lines is not None else ""
        how = {"both": "both are to land, yours first", "own": "what you wrote for it is to land"}
        left = "to be done anew over yours" if mark.side == "redo" else "left"
        parts.append((how.get(mark.side, "taken") if mark.taken else left) + some)
    name = part.block.id if part.block is not None else ""
    if name in proposal.review.edited:
        parts.append("you wrote it")
    if any(one.block == name and (name or one.path == part.file.path) for one in proposal.overlaps):
        parts.append("your own edits stand at its place")
    if blamed := sum(name in blame.blocks for blame in proposal.blames):
        parts.append(f"{counted(blamed, 'failure')} {'comes' if blamed == 1 else 'come'} from it")
    if name in proposal.unneeded:
        parts.append("no check needs it")
    if mark.comment:
        parts.append(f"you said of it: {mark.comment}")
    return "".join(f"; {part}" for part in parts)


def _range(start: int, lines: int) -> str:
    # A side without lines is named by the line before it.
    return f"{start if lines else start - 1},{lines}"


def _old_lines(file: FilePatch, content: Content) -> list[str]:
    if file.before is None:
        return []
    try:
        text = text_of(content(file.before))
    except PairloopError:
        text = None  # an old session whose contents are gone: the block itself is in the events
    return split_lines(text) if text is not None else []
