"""What holds for every choice: all is the patch, nothing is the base, what is taken and the rest make the whole."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.patch.choices import BlockChoice, Choices
from agent_core.patch.model import Patch
from agent_core.patch.select import remainder, select
from tests.patch.choosing import NO, YES, blocks_of, both, edited
from tests.patch.trees import Tree, contents, trees


@st.composite
def choices_for(draw: st.DrawFn, patch: Patch) -> Choices:
    files = {one.path: draw(st.booleans()) for one in patch.files if draw(st.booleans())}
    blocks: dict[str, BlockChoice] = {}
    for block in blocks_of(patch):
        count = len(block.removed) + len(block.added)
        some_lines = st.frozensets(st.integers(0, count - 1)).map(lambda chosen: BlockChoice(True, chosen))
        pick: Any = draw(st.one_of(st.none(), st.just(YES), st.just(NO), some_lines))
        if pick is not None:
            blocks[block.id] = pick
    return Choices(draw(st.booleans()), files, blocks)


@given(trees())
@settings(max_examples=120)
def test_all_is_the_patch_and_nothing_is_the_base(sides: tuple[Tree, Tree, Patch]) -> None:
    before, after, patch = sides
    known = contents(before, after).__getitem__
    every = {block.id: frozenset(range(len(block.removed) + len(block.added))) for block in blocks_of(patch)}
    everything = [
        Choices(True),
        Choices(False, {file.path: True for file in patch.files}),
        Choices(True, blocks={name: BlockChoice(True, chosen) for name, chosen in every.items()}),
        Choices(True, blocks={block.id: edited("".join(block.added)) for block in blocks_of(patch)}),
    ]
    for choices in everything:
        assert select(patch, choices, known).patch == patch
        assert remainder(patch, choices, known).patch == Patch(())
    nothing = [
        Choices(False),
        Choices(True, {file.path: False for file in patch.files}),
        Choices(False, blocks={name: BlockChoice(True, frozenset()) for name in every}),
    ]
    for choices in nothing:
        assert select(patch, choices, known).patch == Patch(())
        assert remainder(patch, choices, known).patch == patch


@given(st.data())
@settings(max_examples=250)
def test_what_is_taken_and_the_rest_make_the_whole(data: st.DataObject) -> None:
    before, after, patch = data.draw(trees())
    choices = data.draw(choices_for(patch))
    _, end = both(before, after, patch, choices)
    assert end == after


@given(st.data())
@settings(max_examples=120)
def test_whole_blocks_are_in_exactly_one_of_the_two(data: st.DataObject) -> None:
    before, after, patch = data.draw(trees())
    known = contents(before, after).__getitem__
    picks = {block.id: data.draw(st.sampled_from([YES, NO])) for block in blocks_of(patch)}
    choices = Choices(data.draw(st.booleans()), blocks=picks)
    part, rest = select(patch, choices, known).patch, remainder(patch, choices, known).patch
    assert {block.id for block in blocks_of(part)} == {name for name, pick in picks.items() if pick.accepted}
    assert {block.id for block in blocks_of(rest)} == {name for name, pick in picks.items() if not pick.accepted}
