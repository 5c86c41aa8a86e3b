"""A part of a patch: what is taken, and what is left."""

from __future__ import annotations

import pytest

from agent_core.errors import PairloopError, SelectionError
from agent_core.patch.choices import BlockChoice, Choices
from agent_core.patch.model import Block
from agent_core.patch.select import remainder, select
from agent_core.workspace.tree import FileChange
from tests.patch.choosing import NO, YES, blocks_of, both, edited, lines, some, taken
from tests.patch.trees import LINK, Tree, contents, patch_of, text

# -- lines


def rows(*names: str) -> str:
    return "".join(f"{name}\n" for name in names)


FIVE, OTHERS = rows("o1", "o2", "o3", "o4", "o5"), rows("n1", "n2", "n3", "n4", "n5")


def test_the_third_of_five_replaced_lines_stays_the_third() -> None:
    assert some(FIVE, OTHERS, lines(2, 7)) == rows("o1", "o2", "n3", "o4", "o5")
    assert some(FIVE, OTHERS, lines(0, 5, 4, 9)) == rows("n1", "o2", "o3", "o4", "n5")


def test_a_removed_line_not_taken_stays_and_an_added_one_does_not_come() -> None:
    assert some(FIVE, OTHERS, lines(2)) == rows("o1", "o2", "o4", "o5")
    assert some(FIVE, OTHERS, lines(7)) == rows("o1", "o2", "o3", "n3", "o4", "o5")
    assert some(FIVE, OTHERS, lines()) == FIVE
    assert some(FIVE, OTHERS, lines(*range(10))) == OTHERS


def test_lines_that_are_alike_stand_for_each_other() -> None:
    before = rows("total = 0", "for price in prices:", "    total += price")
    after = rows("# Sum it up.", "# All of it.", "total = 1", "for one in prices:", "    total += one", "return total")
    # Only the loop's head, 1 and 3 + 3.
    assert some(before, after, lines(1, 6)) == rows("total = 0", "for one in prices:", "    total += price")
    assert some(before, after, lines(3, 4)) == rows("# Sum it up.", "# All of it.") + before
    swapped = rows("first = compute(a, b)", "second"), rows("anything", "first = compute(a, c)")
    assert some(*swapped, lines(0, 3)) == rows("first = compute(a, c)", "second")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_that_ended_the_file_gets_an_ending_inside_it(end: str) -> None:
    assert some(f"a{end}b", f"a{end}b{end}c{end}", lines(2)) == f"a{end}b{end}c{end}"
    assert some(f"a{end}b", f"a{end}b{end}c", lines(2)) == f"a{end}b{end}c"
    assert some(f"a{end}b{end}", f"a{end}x{end}c", lines(2)) == f"a{end}b{end}c"
    assert some(f"a{end}b", f"a{end}x{end}c{end}", lines(0)) == f"a{end}"
    assert some(f"a{end}b", f"a{end}b{end}", NO) == f"a{end}b"
    assert some(f"a{end}b", f"a{end}b{end}", YES) == f"a{end}b{end}"


# -- blocks

THREE = rows("1", "2", "3", "4", "5")
CHANGED = rows("ONE", "2", "THREE", "4", "FIVE")


def test_blocks_keep_their_names() -> None:
    before, after = {"f": text(THREE)}, {"f": text(CHANGED)}
    patch, known = patch_of(before, after), contents(before, after)
    first, second, third = blocks_of(patch)
    choices = Choices(True, blocks={second.id: NO})
    part, rest = select(patch, choices, known.__getitem__).patch, remainder(patch, choices, known.__getitem__).patch
    assert blocks_of(part) == (first, third)
    assert blocks_of(rest) == (second,)
    assert both(before, after, patch, choices)[0]["f"] == text(rows("ONE", "2", "3", "4", "FIVE"))


def test_pieces_of_a_block_have_names_of_their_own() -> None:
    before, after = {"f": text(FIVE)}, {"f": text(OTHERS)}
    patch, known = patch_of(before, after), contents(before, after)
    (block,) = blocks_of(patch)
    choices = Choices(False, blocks={block.id: lines(2, 7)})
    part, rest = select(patch, choices, known.__getitem__).patch, remainder(patch, choices, known.__getitem__).patch
    pieces = [*blocks_of(part), *blocks_of(rest)]
    assert [(piece.old_start, piece.added) for piece in pieces] == [
        (3, ("n3\n",)),
        (1, ("n1\n", "n2\n")),
        (4, ("n4\n", "n5\n")),
    ]
    assert len({block.id, *(piece.id for piece in pieces)}) == 4


def test_an_edited_block_brings_the_humans_lines_and_is_settled() -> None:
    before, after = {"f": text(THREE)}, {"f": text(CHANGED)}
    patch, known = patch_of(before, after), contents(before, after)
    _, second, _ = blocks_of(patch)
    choices = Choices(False, blocks={second.id: edited("drei\nthree\n")})
    part = select(patch, choices, known.__getitem__).patch
    assert [(one.id, one.added) for one in blocks_of(part)] == [(second.id, ("drei\n", "three\n"))]
    middle, end = both(before, after, patch, choices)
    assert middle["f"] == text(rows("1", "2", "drei", "three", "4", "5"))
    assert end["f"] == text(rows("ONE", "2", "drei", "three", "4", "FIVE"))
    assert some(THREE, CHANGED, YES, edited("3\n"), NO) == rows("ONE", "2", "3", "4", "5")
    assert some(THREE, CHANGED, YES, edited(""), NO) == rows("ONE", "2", "4", "5")


def test_an_edited_block_gets_the_endings_of_its_place() -> None:
    assert some("a\r\nb\r\nc\r\n", "a\r\nx\r\nc\r\n", edited("y\nz")) == "a\r\ny\r\nz\r\nc\r\n"
    assert some("a\nb\nc\n", "a\nx\nc\n", edited("y\r\nz")) == "a\ny\r\nz\r\nc\n"
    # At the end of the file its last line is as the human left it.
    assert some("a\nb\n", "a\nx\n", edited("y")) == "a\ny"
    assert some("a\nb\n", "a\nx\n", edited("y\n")) == "a\ny\n"


def test_lines_an_edit_leaves_alone_are_no_part_of_its_block() -> None:
    before, after = {"f": text(rows("a", "b", "c", "d"))}, {"f": text(rows("a", "x", "y", "d"))}
    patch, known = patch_of(before, after), contents(before, after)
    (block,) = blocks_of(patch)
    part = select(patch, Choices(False, blocks={block.id: edited("b\nY\n")}), known.__getitem__).patch
    assert blocks_of(part) == (Block(block.id, 3, 3, ("c\n",), ("Y\n",)),)


# -- files


def only(**files: bool) -> Choices:
    return Choices(False, files={name.replace("__", "/"): yes for name, yes in files.items()})


def test_files_are_taken_or_not() -> None:
    before = {"up": text("1\n"), "gone": text("x\n"), "bin": FileChange(b"\0a"), "run": text("r\n")}
    after = {"up": text("2\n"), "new": text("n\n"), "bin": FileChange(b"\0b"), "run": text("r\n", 0o100755)}
    for name in ("up", "gone", "bin", "run", "new"):
        wanted = {path: one for path, one in before.items() if path != name}
        wanted |= {name: after[name]} if name in after else {}
        assert taken(before, after, only(**{name: True})) == wanted


def test_part_of_a_new_file_is_a_shorter_one_and_none_of_it_is_none() -> None:
    after = {"new": text(rows("a", "b", "c"), 0o100755)}
    (block,) = blocks_of(patch_of({}, after))
    assert taken({}, after, Choices(True, blocks={block.id: lines(0, 2)})) == {"new": text(rows("a", "c"), 0o100755)}
    assert taken({}, after, Choices(True, blocks={block.id: lines()})) == {}
    assert taken({}, after, Choices(True, blocks={block.id: NO})) == {}
    assert taken({}, after, Choices(False, blocks={block.id: YES})) == after
    middle, end = both({}, after, patch_of({}, after), Choices(True, blocks={block.id: edited("mine\n")}))
    assert middle == end == {"new": text("mine\n", 0o100755)}


def test_an_empty_new_file_is_taken_as_a_file() -> None:
    after = {"empty": text("")}
    assert taken({}, after, Choices(True)) == after
    assert taken({}, after, Choices(False)) == {}


def test_part_of_a_removed_file_is_an_update() -> None:
    before = {"old": text(rows("a", "b", "c"))}
    (block,) = blocks_of(patch_of(before, {}))
    assert taken(before, {}, Choices(True, blocks={block.id: lines(0)})) == {"old": text(rows("b", "c"))}
    assert taken(before, {}, Choices(True, blocks={block.id: lines(0, 1, 2)})) == {}
    assert taken(before, {}, Choices(False, blocks={block.id: YES})) == {}
    assert taken(before, {}, Choices(True, blocks={block.id: NO})) == before
    # The file itself stays, they said.
    assert taken(before, {}, Choices(True, {"old": False}, {block.id: YES})) == {"old": text("")}
    middle, end = both(before, {}, patch_of(before, {}), Choices(True, blocks={block.id: edited("mine\n")}))
    assert middle == end == {"old": text("mine\n")}


def test_a_move_goes_with_its_file_and_its_text_with_its_blocks() -> None:
    before, after = {"old": text(THREE)}, {"d/new": text(CHANGED, 0o100755)}
    moves = {"d/new": "old"}
    first, *others = blocks_of(patch_of(before, after, moves))
    nothing = {one.id: NO for one in (first, *others)}
    assert taken(before, after, Choices(True, blocks=nothing), moves) == {"d/new": text(THREE, 0o100755)}
    assert taken(before, after, only(d__new=False), moves) == before
    text_only = Choices(True, {"d/new": False}, {first.id: YES})
    assert taken(before, after, text_only, moves) == {"old": text(THREE.replace("1", "ONE"))}
    assert taken(before, after, Choices(True), moves) == after


def test_a_mode_goes_with_its_file() -> None:
    before, after = {"f": text(THREE)}, {"f": text(CHANGED, 0o100755)}
    first, *others = blocks_of(patch_of(before, after))
    assert taken(before, after, Choices(False, blocks={first.id: YES})) == {"f": text(THREE.replace("1", "ONE"))}
    assert taken(before, after, Choices(True, blocks={one.id: NO for one in (first, *others)})) == {
        "f": text(THREE, 0o100755)
    }


def test_a_file_that_becomes_a_folder_is_taken_with_what_makes_room() -> None:
    before, after = {"x": text("1\n")}, {"x/y": text("2\n")}
    assert taken(before, after, Choices(True)) == after
    assert taken(before, after, only(x=True)) == {}
    with pytest.raises(SelectionError, match="x/y can't be taken without the removal of x"):
        taken(before, after, only(x__y=True))
    with pytest.raises(SelectionError, match="x can't be taken without the removal of x/y"):
        taken(after, before, only(x=True))
    # What is taken leaves lines in the file that was to go.
    two = {"x": text("1\n2\n")}
    (gone, _) = blocks_of(patch_of(two, after))
    with pytest.raises(SelectionError):
        taken(two, after, Choices(True, blocks={gone.id: lines(0)}))


def test_encodings_stay() -> None:
    for codec in ("utf-16", "utf-8-sig", "utf-32"):
        before = {"f": FileChange(rows("a", "\u00e9", "\u010a").encode(codec))}
        after = {"f": FileChange(rows("a", "\u20ac", "\u010a", "new").encode(codec))}
        (first, _) = blocks_of(patch_of(before, after))
        wanted = {"f": FileChange(rows("a", "\u20ac", "\u010a").encode(codec))}
        assert taken(before, after, Choices(False, blocks={first.id: YES})) == wanted
    head = "# coding: latin-1\n"
    before = {"f": FileChange((head + "x = '\u00e9'\ny\nz\n").encode("latin-1"))}
    after = {"f": FileChange((head + "x = '\u00e4'\ny\nZ\n").encode("latin-1"))}
    (first, second) = blocks_of(patch_of(before, after))
    wanted = {"f": FileChange((head + "x = '\u00e4'\ny\nz\n").encode("latin-1"))}
    assert taken(before, after, Choices(True, blocks={second.id: NO})) == wanted
    with pytest.raises(SelectionError, match=r"f: with this part of the patch it is in ISO-8859-1.*\u20ac"):
        taken(before, after, Choices(True, blocks={second.id: edited("\u20ac\n")}))


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_stays_the_first(codec: str) -> None:
    def tree(*names: str) -> Tree:
        return {"f": FileChange(rows(*names).encode(codec))}

    before, after = tree("a", "b", "c"), tree("x", "y", "c")
    (block,) = blocks_of(patch_of(before, after))

    def of(*numbers: int) -> Tree:
        return taken(before, after, Choices(False, blocks={block.id: lines(*numbers)}))

    assert of(0) == tree("b", "c")
    assert of(0, 1) == tree("c")
    assert of(2) == tree("a", "x", "b", "c")
    assert of(1, 2) == tree("a", "x", "c")
    assert of(0, 2) == tree("x", "b", "c")
    # Nobody sees the mark on the screen, so an edited text has none.
    assert taken(before, after, Choices(False, blocks={block.id: edited("mine\n")})) == tree("mine", "c")
    (new,) = blocks_of(patch_of({}, after))
    assert taken({}, after, Choices(False, blocks={new.id: lines(1)})) == tree("y")
    assert taken({}, after, Choices(False, blocks={new.id: edited("mine\n")})) == tree("mine")
    (gone,) = blocks_of(patch_of(before, {}))
    assert taken(before, {}, Choices(False, blocks={gone.id: lines(0, 2)})) == tree("b")
    assert taken(before, {}, Choices(False, blocks={gone.id: lines(0, 1, 2)})) == {}


# -- choices that make no sense


@pytest.mark.parametrize(
    ("choices", "named"),
    [
        (Choices(True, {"no": True}), "file 'no'"),
        (Choices(False, blocks={"abc": YES}), "block 'abc'"),
        (Choices(True, {"b": True, "a": False}, {"c": NO}), "file 'a', file 'b', block 'c'"),
    ],
)
def test_what_is_not_in_the_patch_is_named(choices: Choices, named: str) -> None:
    before, after = {"f": text(THREE)}, {"f": text(CHANGED)}
    for way in (select, remainder):
        with pytest.raises(PairloopError) as caught:
            way(patch_of(before, after), choices, contents(before, after).__getitem__)
        assert named in caught.value.message


def test_lines_that_are_not_there_are_named() -> None:
    with pytest.raises(SelectionError, match=r"line -1 of block '\w+' \(it has 2\), line 2 of block"):
        some("a\n", "b\n", lines(-1, 0, 2))
    with pytest.raises(SelectionError, match="by lines and edited too"):
        some("a\n", "b\n", BlockChoice(accepted=True, lines=frozenset([0]), text="x\n"))


def test_links_are_whole() -> None:
    before, after = {"f": text("a\nb\n")}, {"f": text("target", LINK)}
    (block,) = blocks_of(patch_of(before, after))
    assert taken(before, after, Choices(False, blocks={block.id: YES})) == after
    assert taken(before, after, Choices(True, blocks={block.id: NO})) == before
    with pytest.raises(SelectionError, match="symlink"):
        taken(before, after, Choices(True, blocks={block.id: lines(0)}))
