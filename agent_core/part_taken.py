"""What a human takes of a proposal, as a patch over the working tree that it lands on, to be judged by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import msgspec

from agent_core.draft import Draft, collisions, draft_of, tree_of
from agent_core.errors import SelectionError
from agent_core.patch.diff import split_lines
from agent_core.patch.model import Patch
from agent_core.patch.rebase import rebase
from agent_core.patch.select import select
from agent_core.patch.settling import PATCHS, Settled
from agent_core.review import Overlap, Review, choices_of, takes_all, takes_any
from agent_core.workspace.tree import Reader, Snapshot

_MOST_PLACES = 3


class Part(msgspec.Struct, frozen=True):
    """What was taken of a proposal, where that is neither nothing nor all of it.

    Attributes:
        patch: The changes that make it, over `base`.
        contents: What the patch names, by hash.
        base: The working tree it lands on.
        tree: Hash of the tree it makes; empty when it cannot be had.
        trouble: Why it cannot be had by itself; empty when it can.
    """

    patch: Patch
    contents: Mapping[str, bytes]
    base: Snapshot
    tree: str = ""
    trouble: str = ""

    def draft(self) -> Draft:
        """The same as a draft, to be judged."""
        return draft_of(self.patch, self.base, self.contents.__getitem__)


class Ground(msgspec.Struct, frozen=True):
    """The working tree that a part lands on.

    Attributes:
        base: The tree.
        read: Reads its files.
        stale: Where blocks collide with what the human wrote, where the patch is over another tree than this. What is
            taken of these goes there as the human has settled it. None where it is over this one.
    """

    base: Snapshot
    read: Reader
    stale: tuple[Overlap, ...] | None = None


def part_of(patch: Patch, review: Review, contents: Callable[[], Mapping[str, bytes]], ground: Ground) -> Part | None:
    """What was taken of a patch.

    Args:
        patch: The whole patch.
        review: What was marked in it.
        contents: Gives what the patch names, by hash.
        ground: The working tree it lands on.

    Returns:
        The part; None when nothing or all was taken. All is a part too where the patch collides with the tree.
    """
    stale = ground.stale
    if not takes_any(patch, review) or (stale is None and takes_all(patch, review)):
        return None
    nothing = Part(Patch(()), {}, ground.base)
    try:
        selected = select(patch, choices_of(patch, review), contents().__getitem__)
    except SelectionError as error:
        return msgspec.structs.replace(nothing, trouble=str(error))
    part, known = selected.patch, selected.contents
    if stale is not None:
        rebased = rebase(part, ground.read, known.__getitem__, over=_wishes(patch, part, review, stale))
        if not rebased.clean:
            places = "; ".join(collisions(rebased)[:_MOST_PLACES])
            return msgspec.structs.replace(nothing, trouble=f"It collides with your own edits: {places}")
        part, known = rebased.patch, rebased.contents
    if not part.files:
        return msgspec.structs.replace(nothing, trouble="What you took changes nothing by itself.")
    return Part(part, known, ground.base, tree_of(part, ground.base, known.__getitem__))


def _wishes(patch: Patch, part: Patch, review: Review, stale: Collection[Overlap]) -> dict[str, Settled]:
    """What is to stand at places at which blocks collide, by the ids that these have in a part of a patch."""
    places = {one.block: one for one in stale}
    names = {block.id for file in patch.files for block in file.blocks}
    cut = [(file.path, block) for file in part.files for block in file.blocks if block.id not in names]
    wishes: dict[str, Settled] = {}
    for file in patch.files:
        for block in file.blocks:
            mark = review.blocks.get(block.id)
            if mark is None or not mark.taken or block.id not in places:
                continue
            place = places[block.id]
            wish = PATCHS
            if mark.side == "both":
                wish = Settled(both=True)
            elif mark.side == "own":
                wish = Settled(text=tuple(split_lines(mark.text)), start=place.start, theirs=place.theirs)
            wishes[block.id] = wish
            # Of a block of which only some lines are taken, what is left has names of its own.
            first, last = block.old_start, block.old_start + len(block.removed)
            wishes |= {
                one.id: wish
                for path, one in cut
                if path == file.path and first <= one.old_start and one.old_start + len(one.removed) <= last
            }
    return wishes
