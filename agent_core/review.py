"""What a human has marked in a proposal so far: taken, left, commented, block by block, before it lands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeVar

import msgspec

from agent_core.patch.choices import BlockChoice, Choices
from agent_core.patch.model import Block, FilePatch, Patch

_Said = TypeVar("_Said")

Side = Literal["partner", "both", "own", "redo"]
"""What is to stand at a place at which the human's own edits and a block meet: the partner's lines; both, the human's
first; what the human wrote there themselves; or what they have now, until the partner has done it anew over that."""

ANYWAY = "again lands it anyway"
"""How what there is to decide ends when what was to land breaks something, and is asked about once more."""
LANDS = "lands when it breaks nothing"
"""How what there is to decide ends while what is wanted waits for its verdict."""


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was said of one block.

    Attributes:
        taken: Whether it is to land; None where that has not been said.
        lines: Which of its lines are taken, numbered as in `agent_core.patch.choices.BlockChoice`; None for all.
        comment: Words for the partner about it; may be empty.
        side: What is to stand there, where the block is stale.
        text: What the human wrote themselves, whole lines, where the side is their own. It is kept, untaken, where they
            have written at that place in the file since.
    """

    taken: bool | None = None
    lines: tuple[int, ...] | None = None
    comment: str = ""
    side: Side = "partner"
    text: str = ""


class Rewritten(msgspec.Struct, frozen=True):
    """A file of a proposal that the human rewrote; hashes name journal blobs, None means no file.

    Attributes:
        path: The file, by its path after the patch.
        before: What was proposed before they did.
        after: What they made of it.
        was: What the patch did to the file before they did, as JSON: its blocks have names of their own by then.
    """

    path: str
    before: str | None
    after: str | None
    was: str = ""


class Review(msgspec.Struct, frozen=True):
    """What was said of a proposal.

    Attributes:
        blocks: By the block's id.
        files: By path after the patch: whether what a file has as a whole lands, such as its move, its mode, all of a
            binary one. A file with blocks of which anything is taken needs no entry.
        edited: Ids of the blocks that the human rewrote.
        rewritten: What they rewrote, in order, so that it can be taken back.
    """

    blocks: Mapping[str, Mark] = {}
    files: Mapping[str, bool] = {}
    edited: tuple[str, ...] = ()
    rewritten: tuple[Rewritten, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was said at all."""
        return bool(self.blocks or self.files)

    @property
    def decides(self) -> bool:
        """Whether anything was taken or left."""
        return bool(self.files) or any(mark.taken is not None for mark in self.blocks.values())


class Remarked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is another in a review than it was: all that an event has to say, however much was marked before.

    Attributes:
        blocks: By the block's id; None where nothing is said of it any more.
        files: By path after the patch; None likewise.
        edited: As in `Review`; None where it is as it was.
        rewritten: Likewise.
    """

    blocks: Mapping[str, Mark | None] = {}
    files: Mapping[str, bool | None] = {}
    edited: tuple[str, ...] | None = None
    rewritten: tuple[Rewritten, ...] | None = None

    def __bool__(self) -> bool:
        """Whether anything is another."""
        return self != Remarked()


def between(old: Review, new: Review) -> Remarked:
    """What makes one review of another; see `remarked`."""
    return Remarked(
        _differing(old.blocks, new.blocks),
        _differing(old.files, new.files),
        None if old.edited == new.edited else new.edited,
        None if old.rewritten == new.rewritten else new.rewritten,
    )


def remarked(review: Review, changes: Remarked) -> Review:
    """A review with what is another in it."""
    if not changes:
        return review
    return Review(
        _with(review.blocks, changes.blocks),
        _with(review.files, changes.files),
        review.edited if changes.edited is None else changes.edited,
        review.rewritten if changes.rewritten is None else changes.rewritten,
    )


def _differing(old: Mapping[str, _Said], new: Mapping[str, _Said]) -> dict[str, _Said | None]:
    found: dict[str, _Said | None] = {name: said for name, said in new.items() if old.get(name) != said}
    return found | {name: None for name in old if name not in new}


def _with(old: Mapping[str, _Said], changes: Mapping[str, _Said | None]) -> dict[str, _Said]:
    every = {**old, **changes}
    return {name: said for name, said in every.items() if said is not None}


class Overlap(msgspec.Struct, frozen=True):
    """A place at which the human's own edits and a block meet, so that it is stale.

    Attributes:
        block: Id of the block; empty where a file collides as a whole.
        path: The file it is in now.
        start: 1-based line at which `theirs` begins (where it would, if empty); 0 for a file as a whole.
        theirs: The lines that stand there now.
        reason: Why a file collides as a whole; empty for a block.
        ours: What the proposal makes of the same place.
    """

    block: str
    path: str
    start: int = 0
    theirs: tuple[str, ...] = ()
    reason: str = ""
    ours: tuple[str, ...] = ()

    def is_place_of(self, other: Overlap) -> bool:
        """Whether both are one place, at which several blocks meet what the human wrote."""
        return bool(self.block) and (self.path, self.start, self.theirs) == (other.path, other.start, other.theirs)


def marked(
    review: Review,
    blocks: Iterable[str],
    *,
    taken: bool | None,
    lines: tuple[int, ...] | None = None,
    files: Iterable[str] = (),
) -> Review:
    """A review in which some blocks and files are taken or left.

    Args:
        review: What was said so far; comments stay.
        blocks: Ids of the blocks.
        taken: What is said; None takes back what was said.
        lines: Which lines of a block are taken; None for all.
        files: Paths of files as a whole.
    """
    marks, whole = dict(review.blocks), dict(review.files)
    for block in blocks:
        mark = Mark(taken, lines if taken else None, marks[block].comment if block in marks else "")
        if mark == Mark():
            marks.pop(block, None)
        else:
            marks[block] = mark
    for path in files:
        if taken is None:
            whole.pop(path, None)
        else:
            whole[path] = taken
    return msgspec.structs.replace(review, blocks=marks, files=whole)


def settled(review: Review, blocks: Iterable[str], side: Side, text: str = "") -> Review:
    """A review in which it is said what is to stand where some stale blocks meet the human's own edits.

    Args:
        review: What was said so far; comments stay, and which lines were chosen where both sides are wanted.
        blocks: Their ids.
        side: What is to stand there.
        text: What the human wrote, for their own side.
    """
    marks = dict(review.blocks)
    for block in blocks:
        old = marks.get(block, Mark())
        lines = old.lines if side == "both" else None
        marks[block] = Mark(side != "redo", lines, old.comment, side, text)
    return msgspec.structs.replace(review, blocks=marks)


def unsettled(review: Review, blocks: Iterable[str]) -> Review:
    """A review in which some blocks are taken no more, as what they were taken over is another text by now.

    Args:
        review: What was said so far; what the human wrote themselves is kept for when they go on with it.
        blocks: Ids of the blocks.
    """
    marks = dict(review.blocks)
    for block in blocks:
        old = marks.get(block)
        if old is None or not old.taken:
            continue
        mark = Mark(comment=old.comment, side=old.side, text=old.text) if old.text else Mark(comment=old.comment)
        marks[block] = mark
        if mark == Mark():
            del marks[block]
    return msgspec.structs.replace(review, blocks=marks)


def to_redo(review: Review) -> tuple[str, ...]:
    """Ids of the blocks that the partner is to do anew over the human's own text."""
    return tuple(name for name, mark in review.blocks.items() if mark.taken is False and mark.side == "redo")


def commented(review: Review, block: str, comment: str) -> Review:
    """A review with a comment on a block; an empty one takes it away."""
    old = review.blocks.get(block, Mark())
    marks = {name: mark for name, mark in review.blocks.items() if name != block}
    mark = msgspec.structs.replace(old, comment=comment)
    if mark != Mark():
        marks[block] = mark
    return msgspec.structs.replace(review, blocks=marks)


def carried(review: Review, patch: Patch) -> Review:
    """What of a review still has something to be about, in a patch that took the place of the one it was of.

    Which lines of a block are taken is kept only where the block is the same to the letter, as its id says.
    """
    there = {block.id for file in patch.files for block in file.blocks}
    paths = {file.path for file in patch.files}
    return Review(
        {name: mark for name, mark in review.blocks.items() if name in there},
        {path: taken for path, taken in review.files.items() if path in paths},
        tuple(name for name in review.edited if name in there),
        review.rewritten,
    )


def choices_of(patch: Patch, review: Review) -> Choices:
    """What lands when the human says so now: what was taken, and nothing else."""
    files = {}
    for file in patch.files:
        if file.path in review.files:
            files[file.path] = review.files[file.path]
        elif file.blocks:
            # Its move and its mode come with the first block that is taken of it.
            files[file.path] = any(_takes(review, block) for block in file.blocks)
    blocks = {
        block.id: BlockChoice(
            _takes(review, block),
            None if (mark := review.blocks.get(block.id)) is None or mark.lines is None else frozenset(mark.lines),
        )
        for file in patch.files
        for block in file.blocks
    }
    return Choices(default=False, files=files, blocks=blocks)


def takes_all(patch: Patch, review: Review) -> bool:
    """Whether every part of a patch was taken, so that it is the whole patch that lands."""
    return all(
        all(_takes(review, block) and review.blocks[block.id].lines is None for block in file.blocks)
        and review.files.get(file.path, bool(file.blocks))
        for file in patch.files
    )


def takes_any(patch: Patch, review: Review) -> bool:
    """Whether anything of a patch was taken."""
    return any(_takes_of(file, review) for file in patch.files)


def parts_taken(patch: Patch, review: Review) -> tuple[int, int]:
    """Of how many parts of a patch anything was taken, and how many there are: blocks, and files without any."""
    taken = [
        one
        for file in patch.files
        for one in ([_takes(review, block) for block in file.blocks] or [review.files.get(file.path, False)])
    ]
    return sum(taken), len(taken)


def all_but_left(patch: Patch, review: Review) -> Review:
    """A review in which everything is taken of which nothing was said yet."""
    blocks = [block.id for file in patch.files for block in file.blocks]
    said = {name for name, mark in review.blocks.items() if mark.taken is not None}
    files = [file.path for file in patch.files if not file.blocks and file.path not in review.files]
    return marked(review, [name for name in blocks if name not in said], taken=True, files=files)


def leaves_any(patch: Patch, review: Review) -> bool:
    """Whether anything of a patch was left in so many words: a block, some of its lines, a file."""
    for file in patch.files:
        if review.files.get(file.path) is False:
            return True
        marks = [review.blocks[block.id] for block in file.blocks if block.id in review.blocks]
        if any(mark.taken is False or mark.lines is not None for mark in marks):
            return True
    return False


def _takes_of(file: FilePatch, review: Review) -> bool:
    return review.files.get(file.path, False) or any(_takes(review, block) for block in file.blocks)


def _takes(review: Review, block: Block) -> bool:
    mark = review.blocks.get(block.id)
    return mark is not None and mark.taken is True
