"""Choosing parts of a patch, and landing what is chosen and then the rest."""

from __future__ import annotations

from collections.abc import Mapping

from agent_core.patch.choices import BlockChoice, Choices
from agent_core.patch.model import Block, Patch
from agent_core.patch.select import remainder, select
from tests.patch.trees import Tree, contents, patch_of, patched, text

YES, NO = BlockChoice(accepted=True), BlockChoice(accepted=False)


def lines(*numbers: int) -> BlockChoice:
    return BlockChoice(accepted=True, lines=frozenset(numbers))


def edited(new: str) -> BlockChoice:
    return BlockChoice(accepted=True, text=new)


def blocks_of(patch: Patch) -> tuple[Block, ...]:
    return tuple(block for file in patch.files for block in file.blocks)


def taken(before: Tree, after: Tree, choices: Choices, moves: Mapping[str, str] | None = None) -> Tree:
    """What is there when the choices have landed; the rest, landed after it, must make the whole."""
    return both(before, after, patch_of(before, after, moves), choices)[0]


def both(before: Tree, after: Tree, patch: Patch, choices: Choices) -> tuple[Tree, Tree]:
    """What is there when the choices have landed, and when the rest has landed too."""
    known = contents(before, after)
    part, rest = select(patch, choices, known.__getitem__), remainder(patch, choices, known.__getitem__)
    known |= {**part.contents, **rest.contents}
    middle = patched(before, part.patch, known)
    return middle, patched(middle, rest.patch, known)


def some(before: str, after: str, *picks: BlockChoice) -> str:
    """A text with some of each block of a patch taken; also checks that the rest makes the whole."""
    old, new = {"f": text(before)}, {"f": text(after)}
    patch = patch_of(old, new)
    (file,) = patch.files
    assert len(file.blocks) == len(picks)
    choices = Choices(True, blocks={one.id: pick for one, pick in zip(file.blocks, picks, strict=True)})
    middle, end = both(old, new, patch, choices)
    if all(pick.text is None for pick in picks):
        assert end == new
    data = middle["f"].data
    assert data is not None
    return data.decode()
