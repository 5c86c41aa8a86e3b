"""A patch over a newer base: what goes over keeps its names, what collides is told with both sides."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.patch.choices import BlockChoice, Choices
from agent_core.patch.diff import split_lines
from agent_core.patch.encoding import decode
from agent_core.patch.model import Block, Patch
from agent_core.patch.rebase import Rebased, rebase
from agent_core.patch.select import select
from agent_core.workspace.merge import merge
from agent_core.workspace.tree import FileChange
from tests.patch.trees import LINK, Tree, contents, file_texts, patch_of, patched, text, trees


def carried(before: Tree, after: Tree, now: Tree, moves: dict[str, str] | None = None) -> tuple[Rebased, Tree]:
    return carry(patch_of(before, after, moves), contents(before, after), now)


def carry(patch: Patch, known: dict[str, bytes], now: Tree) -> tuple[Rebased, Tree]:
    """The patch over a tree, and what it makes of it; what is told of both sides must be true."""
    rebased = rebase(patch, now.get, known.__getitem__)
    blocks = {block.id: block for file in patch.files for block in file.blocks}
    for stale in rebased.stale:
        data = now[stale.path].data
        assert data is not None
        there = split_lines(decode(data)[0])
        assert tuple(there[stale.start - 1 : stale.start - 1 + len(stale.theirs)]) == stale.theirs
        assert stale.block == blocks[stale.block.id]
    over = {block.id: block for file in rebased.patch.files for block in file.blocks}
    assert not over.keys() & {stale.block.id for stale in rebased.stale}
    for name, block in over.items():
        if name in blocks:
            assert (block.removed, block.added) == (blocks[name].removed, blocks[name].added)
    return rebased, patched(now, rebased.patch, {**known, **rebased.contents})


def names(patch: Patch) -> list[str]:
    return [block.id for file in patch.files for block in file.blocks]


def rows(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def one(before: str, after: str, now: str) -> tuple[Rebased, str]:
    """A patch of one file over its newer text, and the text that comes of it."""
    rebased, tree = carried({"f": text(before)}, {"f": text(after)}, {"f": text(now)})
    data = tree["f"].data
    assert data is not None
    return rebased, data.decode()


SIX = rows("1", "2", "3", "4", "5", "6")


# -- laws


@given(trees())
@settings(max_examples=120)
def test_over_nothing_new_it_is_the_same(sides: tuple[Tree, Tree, Patch]) -> None:
    before, after, patch = sides
    rebased, tree = carry(patch, contents(before, after), before)
    assert (rebased.patch, rebased.clean, tree) == (patch, True, after)
    rebased, tree = carry(patch, contents(before, after), after)
    assert (rebased.patch, rebased.clean, tree) == (Patch(()), True, after)


@st.composite
def owned_lines(draw: st.DrawFn) -> tuple[list[str], dict[int, list[str]], dict[int, list[str]]]:
    """A text without equal lines, and what two sides make of some lines; lines of different sides are no neighbours."""
    count = draw(st.integers(2, 14))
    base = [f"line {n}" for n in range(count)]
    owner = draw(st.lists(st.sampled_from(["", "ours", "theirs"]), min_size=count, max_size=count))
    for at in range(1, count):
        if {owner[at - 1], owner[at]} == {"ours", "theirs"}:
            owner[at] = ""
    makes = {
        at: draw(st.sampled_from([[f"{who} {at}"], [], [base[at], f"{who} below {at}"], [f"{who} {at}", "same"]]))
        for at, who in enumerate(owner)
        if who
    }
    ours, theirs = ({at: new for at, new in makes.items() if owner[at] == who} for who in ("ours", "theirs"))
    return base, ours, theirs


def with_edits(base: list[str], edits: dict[int, list[str]], end: str) -> str:
    return "".join(f"{line}{end}" for at, old in enumerate(base) for line in edits.get(at, [old]))


@given(owned_lines(), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
@settings(max_examples=200)
def test_edits_apart_all_survive_and_blocks_keep_their_names(
    sides: tuple[list[str], dict[int, list[str]], dict[int, list[str]]], end: str, codec: str
) -> None:
    base, ours, theirs = sides
    before, after, now, wanted = (
        {"f": FileChange(f"# \u00e9{end}{with_edits(base, edits, end)}".encode(codec), 0o100644)}
        for edits in ({}, ours, theirs, ours | theirs)
    )
    patch = patch_of(before, after)
    rebased, tree = carry(patch, contents(before, after), now)
    assert rebased.clean
    assert tree == wanted
    assert names(rebased.patch) == names(patch)


@given(owned_lines(), st.data())
@settings(max_examples=80)
async def test_complementary_parts_merge_to_the_whole(
    sides: tuple[list[str], dict[int, list[str]], dict[int, list[str]]], data: st.DataObject
) -> None:
    base, ours, theirs = sides
    before, after = ({"f": text(with_edits(base, edits, "\n"))} for edits in ({}, ours | theirs))
    patch, known = patch_of(before, after), contents(before, after)
    picks = {name: data.draw(st.booleans()) for name in names(patch)}
    one_part, other_part = (
        select(
            patch,
            Choices(False, blocks={name: BlockChoice(pick is wanted) for name, pick in picks.items()}),
            known.__getitem__,
        )
        for wanted in (True, False)
    )
    known |= {**one_part.contents, **other_part.contents}
    middle = patched(before, one_part.patch, known)
    rebased, tree = carry(other_part.patch, known, middle)
    assert (rebased.clean, tree) == (True, after)
    assert names(rebased.patch) == names(other_part.patch)
    sides_of = [one["f"].data or b"" for one in (before, middle, patched(before, other_part.patch, known))]
    assert (await merge(*sides_of)).data == after["f"].data


@given(file_texts(), file_texts(), file_texts())
@settings(max_examples=300)
async def test_it_is_the_three_way_merge(base: str, ours: str, theirs: str) -> None:
    patch = patch_of({"f": text(base)}, {"f": text(ours)})
    rebased, result = one(base, ours, theirs)
    merged = await merge(base.encode(), theirs.encode(), ours.encode())
    if merged.data is not None:
        assert rebased.clean
        assert result.encode() == merged.data
    elif rebased.clean:
        # More than a merge by lines can see: what was to be done stands in the human's own edit.
        gone = set(names(patch)) - set(names(rebased.patch))
        assert gone
        for file in patch.files:
            for block in file.blocks:
                assert block.id not in gone or is_inside(block.added, split_lines(theirs))
    # Whatever happens, the newer text is touched by nothing but whole blocks: `carry` has checked them.


def is_inside(part: tuple[str, ...], whole: list[str]) -> bool:
    return any(tuple(whole[at : at + len(part)]) == part for at in range(len(whole) - len(part) + 1))


@given(file_texts(), file_texts(), file_texts(), file_texts())
@settings(max_examples=150)
def test_carried_over_twice_it_still_tells_the_truth(base: str, ours: str, theirs: str, later: str) -> None:
    before, after = {"f": text(base)}, {"f": text(ours)}
    first = rebase(patch_of(before, after), {"f": text(theirs)}.get, contents(before, after).__getitem__)
    carry(first.patch, {**contents(before, after), **first.contents}, {"f": text(later)})
    again, _ = carry(first.patch, {**contents(before, after), **first.contents}, {"f": text(theirs)})
    assert again.patch == first.patch


# -- blocks


def test_a_block_moves_with_its_lines() -> None:
    rebased, result = one(SIX, rows("1", "2", "3", "4", "FIVE", "6"), "new\n" + SIX)
    assert result == rows("new", "1", "2", "3", "4", "FIVE", "6")
    (file,) = rebased.patch.files
    assert [(block.old_start, block.new_start) for block in file.blocks] == [(6, 6)]


def test_blocks_that_meet_stay_two() -> None:
    before, after = {"f": text(SIX)}, {"f": text(rows("1", "TWO", "3", "FOUR", "5", "6"))}
    patch = patch_of(before, after)
    rebased, tree = carry(patch, contents(before, after), {"f": text(rows("1", "2", "4", "5", "6"))})
    assert tree["f"] == text(rows("1", "TWO", "FOUR", "5", "6"))
    assert names(rebased.patch) == names(patch)
    assert len(names(rebased.patch)) == 2
    # And go on so: over the next base each stands for itself.
    again, tree = carry(rebased.patch, dict(rebased.contents), {"f": text(rows("1", "TWO", "4", "5", "6"))})
    assert names(again.patch) == names(patch)[1:]
    assert tree["f"] == text(rows("1", "TWO", "FOUR", "5", "6"))


def test_equal_blocks_keep_their_own_names() -> None:
    base = rows("x", "a", "x", "b", "x")
    before, after = {"f": text(base)}, {"f": text(base.replace("x", "y"))}
    patch = patch_of(before, after)
    rebased, _ = carry(patch, contents(before, after), {"f": text(rows("y", "a", "x", "b", "x"))})
    assert names(rebased.patch) == names(patch)[1:]


def test_what_collides_is_told_with_both_sides_and_the_rest_stays() -> None:
    ours, now = rows("1", "TWO", "3", "FOUR", "4b", "5", "6"), rows("0", "1", "2", "3", "vier", "vier b", "6")
    rebased, result = one(SIX, ours, now)
    assert result == rows("0", "1", "TWO", "3", "vier", "vier b", "6")
    (stale,) = rebased.stale
    assert (stale.path, stale.start, stale.theirs) == ("f", 5, ("vier\n", "vier b\n"))
    assert (stale.block.removed, stale.block.added) == (("4\n",), ("FOUR\n", "4b\n"))
    assert not rebased.clean


def test_lines_added_to_the_same_place_collide() -> None:
    rebased, result = one(rows("1", "2"), rows("1", "ours", "2"), rows("1", "theirs", "2"))
    assert result == rows("1", "theirs", "2")
    assert [(stale.start, stale.theirs) for stale in rebased.stale] == [(2, ("theirs\n",))]


def test_lines_that_are_gone_collide() -> None:
    rebased, result = one(SIX, SIX.replace("3", "THREE"), rows("1", "6"))
    assert result == rows("1", "6")
    assert [(stale.start, stale.theirs) for stale in rebased.stale] == [(2, ())]


@pytest.mark.parametrize(
    ("ours", "now"),
    [
        (SIX.replace("3", "THREE"), rows("1", "2", "THREE", "four", "5", "6")),
        (SIX.replace("3", "THREE"), rows("1", "2", "# why", "THREE", "4", "5", "6")),
        (rows("1", "2", "new", "3", "4", "5", "6"), rows("1", "2", "other", "new", "3", "4", "5", "6")),
        (rows("1", "2", "4", "5", "6"), rows("1", "2", "4", "five", "6")),
        (SIX, SIX),
    ],
)
def test_what_the_human_did_himself_vanishes(ours: str, now: str) -> None:
    rebased, result = one(SIX, ours, now)
    assert (rebased.patch, rebased.clean, result) == (Patch(()), True, now)


def test_what_the_human_added_himself_to_lines_like_it_vanishes() -> None:
    now = rows("A", "b", "", "")
    rebased, result = one(rows("a", "b", ""), rows("a", "b", "", ""), now)
    assert (rebased.patch, rebased.clean, result) == (Patch(()), True, now)


@pytest.mark.parametrize(
    ("ours", "now"),
    [
        # The new line is there, but so is the old one.
        (SIX.replace("3", "THREE"), rows("1", "2", "THREE", "3", "4", "5", "6")),
        # A removed line among others that went, and something came in their place.
        (rows("1", "2", "4", "5", "6"), rows("1", "2", "instead", "5", "6")),
        # Half of it is there.
        (rows("1", "2", "a", "b", "4", "5", "6"), rows("1", "2", "a", "4", "5", "6")),
    ],
)
def test_what_is_there_only_in_part_is_stale(ours: str, now: str) -> None:
    rebased, result = one(SIX, ours, now)
    assert result == now
    assert len(rebased.stale) == 1


def test_the_end_of_a_file() -> None:
    rebased, result = one("a\nb", "a\nb\n", "A\nb")
    assert (result, rebased.clean) == ("A\nb\n", True)
    rebased, result = one("a\nb\n", "a\nb\nc", "a\n")
    assert (result, rebased.clean) == ("a\nc", True)
    rebased, result = one("a\nb", "a\nb\nours", "a\nb\ntheirs\n")
    assert (result, len(rebased.stale)) == ("a\nb\ntheirs\n", 1)


# -- files


def reasons(rebased: Rebased) -> list[tuple[str, str]]:
    return [(stale.path, stale.reason) for stale in rebased.stale_files]


def test_a_changed_file_that_is_gone() -> None:
    rebased, tree = carried(
        {"f": text(SIX), "g": text("1\n")}, {"f": text("x\n"), "g": text("2\n")}, {"g": text("1\n")}
    )
    assert reasons(rebased) == [("f", "the human deleted or moved it, the draft changed it")]
    assert tree == {"g": text("2\n")}


def test_an_added_file_that_is_there() -> None:
    rebased, tree = carried({}, {"f": text("a\n", 0o100755)}, {"f": text("a\n")})
    assert (rebased.clean, tree) == (True, {"f": text("a\n", 0o100755)})
    rebased, tree = carried({}, {"f": text("a\n")}, {"f": text("b\n")})
    assert reasons(rebased) == [("f", "the human added it, the draft added it with another text")]
    assert tree == {"f": text("b\n")}
    rebased, tree = carried({}, {"f/g": text("a\n")}, {"f": text("b\n")})
    assert reasons(rebased) == [("f/g", "the human made f a file, where the draft needs a folder")]
    rebased, tree = carried({"f": text("b\n")}, {"f/g": text("a\n")}, {"f": text("b\n")})
    assert (rebased.clean, tree) == (True, {"f/g": text("a\n")})


def test_a_removed_file_that_changed_or_is_gone() -> None:
    rebased, tree = carried({"f": text("a\n")}, {}, {"f": text("b\n")})
    assert reasons(rebased) == [("f", "the human changed it, the draft deleted it")]
    assert tree == {"f": text("b\n")}
    rebased, tree = carried({"f": text("a\n")}, {}, {})
    assert (rebased.clean, rebased.patch) == (True, Patch(()))
    rebased, tree = carried({"f": text("a\n")}, {}, {"f": text("a\n", 0o100755)})
    assert (rebased.clean, tree) == (True, {})


MOVES = {"new": "old"}
OLD, NEW = {"old": text(SIX)}, {"new": text(SIX.replace("3", "THREE"))}


def test_an_edit_goes_with_a_moved_file() -> None:
    rebased, tree = carried(OLD, NEW, {"old": text(SIX + "7\n", 0o100755)}, MOVES)
    assert (rebased.clean, tree) == (True, {"new": text(SIX.replace("3", "THREE") + "7\n", 0o100755)})
    rebased, tree = carried(OLD, NEW, {"old": text(SIX.replace("3", "drei"))}, MOVES)
    assert [(stale.path, stale.start, stale.theirs) for stale in rebased.stale] == [("old", 3, ("drei\n",))]
    assert tree == {"new": text(SIX.replace("3", "drei"))}


def test_the_human_moved_it_too() -> None:
    rebased, tree = carried(OLD, NEW, {"new": text(SIX + "7\n")}, MOVES)
    assert (rebased.clean, tree) == (True, {"new": text(SIX.replace("3", "THREE") + "7\n")})
    rebased, tree = carried(OLD, NEW, NEW, MOVES)
    assert (rebased.clean, rebased.patch) == (True, Patch(()))
    other = {"new": text("quite another text\n")}
    rebased, tree = carried(OLD, NEW, other, MOVES)
    assert reasons(rebased) == [("new", "the human deleted old and added this with another text")]
    assert tree == other


def test_a_move_whose_ends_are_taken_or_gone() -> None:
    rebased, tree = carried(OLD, NEW, {}, MOVES)
    assert reasons(rebased) == [("old", "the human deleted or moved it, the draft moved it to new")]
    rebased, tree = carried(OLD, NEW, OLD | {"new": text("mine\n")}, MOVES)
    assert reasons(rebased) == [("new", "the draft moved old there, but it exists")]
    assert tree == OLD | {"new": text("mine\n")}
    rebased, tree = carried(OLD, NEW, OLD | NEW, MOVES)
    assert (rebased.clean, tree) == (True, NEW)


def test_modes_are_merged() -> None:
    rebased, tree = carried({"f": text(SIX)}, {"f": text(SIX, 0o100755)}, {"f": text("0\n" + SIX)})
    assert (rebased.clean, tree) == (True, {"f": text("0\n" + SIX, 0o100755)})
    rebased, tree = carried({"f": text(SIX)}, {"f": text("0\n" + SIX)}, {"f": text(SIX, 0o100755)})
    assert (rebased.clean, tree) == (True, {"f": text("0\n" + SIX, 0o100755)})


@pytest.mark.parametrize(
    ("before", "after", "now"),
    [
        (b"\0a", b"\0b", b"\0c"),
        (b"a\n", b"b\n", b"\0c"),
        (b"a\nb\nc\n", b"a\nb\nC\n", b"\xff\nb\nc\n"),
        (b"a\nb\n\xc3\xa9\n", b"a\nb\nC\n", "A\nb\n\u00e9\n".encode("utf-16")),
    ],
)
def test_what_is_no_text_is_not_merged(before: bytes, after: bytes, now: bytes) -> None:
    rebased, tree = carried({"f": FileChange(before)}, {"f": FileChange(after)}, {"f": FileChange(now)})
    assert len(rebased.stale_files) == 1
    assert tree == {"f": FileChange(now)}


def test_a_byte_order_mark_is_not_lost() -> None:
    before, now = (FileChange(lines.encode("utf-16")) for lines in ("a\n", "a\nb\n"))
    rebased, tree = carried({"f": before}, {"f": FileChange(b"")}, {"f": now})
    assert reasons(rebased) == [("f", "with the human's edits in it, it would lose its byte order mark")]
    assert tree == {"f": now}


def test_a_link_is_no_text() -> None:
    rebased, tree = carried({"f": text("a\nb")}, {"f": text("A\nb")}, {"f": text("a\nb", LINK)})
    assert len(rebased.stale_files) == 1
    assert tree == {"f": text("a\nb", LINK)}


def test_many_blocks_are_carried_quickly() -> None:
    lines = [f"line {number}" for number in range(20_000)]
    ours, theirs = list(lines), list(lines)
    for at in range(0, 20_000, 10):
        ours[at] = "changed"
        theirs[at + 5] = f"human {at}"
    rebased, result = one(rows(*lines), rows(*ours), rows(*theirs))
    assert rebased.clean
    assert len(names(rebased.patch)) == 2_000
    assert result.count("human") == result.count("changed") == 2_000


def test_block_of_a_moved_file_names_where_it_is_now() -> None:
    before, after = {"old": text(SIX)}, {"new": text(SIX.replace("3", "THREE"))}
    (file,) = patch_of(before, after, MOVES).files
    (block,) = file.blocks
    assert block == Block(block.id, 3, 3, ("3\n",), ("THREE\n",))
    rebased, _ = carried(before, after, {"old": text("0\n" + SIX)}, MOVES)
    assert rebased.patch.files[0].blocks == (Block(block.id, 4, 4, ("3\n",), ("THREE\n",)),)
