"""Trees of files in memory, the patches between them, and what a patch makes of one."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from agent_core.patch.diff import make_patch, split_lines
from agent_core.patch.encoding import decode
from agent_core.patch.model import FilePatch, Patch
from agent_core.workspace.tree import FileChange, content_hash

Tree = dict[str, FileChange]
LINK = 0o120000


def text(data: str, mode: int = 0o100644) -> FileChange:
    return FileChange(data.encode(), mode)


def patch_of(before: Tree, after: Tree, moves: Mapping[str, str] | None = None) -> Patch:
    changes = {path: after.get(path, FileChange(None, 0)) for path in before.keys() | after.keys()}
    return make_patch(
        {path: change for path, change in changes.items() if before.get(path) != change}, before.get, moves or {}
    )


def contents(*trees: Tree) -> dict[str, bytes]:
    return {content_hash(one.data): one.data for tree in trees for one in tree.values() if one.data is not None}


def patched(tree: Tree, patch: Patch, known: Mapping[str, bytes]) -> Tree:
    """What a patch makes of the tree it is for; asserts that it says the truth about it, and about itself."""
    out = dict(tree)
    for file in patch.files:
        old = tree.get(file.old_path)
        if file.before is None:
            assert file.path not in tree
        else:
            assert old is not None
            assert old.data is not None
            assert (content_hash(old.data), old.mode) == (file.before, file.before_mode)
        check_blocks(file, known)
    for file in patch.files:
        if file.before is not None:
            del out[file.old_path]
    for file in patch.files:
        if file.after is not None:
            assert file.path not in out
            out[file.path] = FileChange(known[file.after], file.after_mode)
    return out


def check_blocks(file: FilePatch, known: Mapping[str, bytes]) -> None:
    """The blocks of a file, put into the old text at their places, make the new one, and stand there at theirs."""
    assert len({block.id for block in file.blocks}) == len(file.blocks)
    if not file.blocks:
        return
    old, new = (split_lines(decode(known[one])[0]) if one else [] for one in (file.before, file.after))
    out: list[str] = []
    at = 0
    for block in file.blocks:
        first = block.old_start - 1
        assert first >= at
        assert block.removed or block.added
        out += old[at:first]
        assert tuple(old[first : first + len(block.removed)]) == block.removed
        assert len(out) == block.new_start - 1
        out += block.added
        at = first + len(block.removed)
    assert out + old[at:] == new


_LINE = st.sampled_from(["", "a", "b", "c", "x = 1", "x = 2", "return x", "return y", "\u00e4 \u2028 \x0c"])


@st.composite
def file_texts(draw: st.DrawFn) -> str:
    """A text with any endings, and with a final newline or without."""
    lines = draw(st.lists(_LINE, max_size=12))
    end = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return end.join(lines) + end * draw(st.integers(0, 1)) if lines else ""


@st.composite
def trees(draw: st.DrawFn) -> tuple[Tree, Tree, Patch]:
    """A tree, what becomes of it, and the patch: updates, adds, deletes, moves, modes, binary files."""
    before: Tree = {}
    after: Tree = {}
    moves = {}
    modes = st.sampled_from([0o100644, 0o100644, 0o100755])
    for number in range(draw(st.integers(1, 3))):
        path, kind = f"f{number}", draw(st.sampled_from(["update", "update", "add", "delete", "move", "binary"]))
        old_text, new_text = draw(file_texts()), draw(file_texts())
        if draw(st.booleans()):
            # Mostly alike: several blocks.
            new_text = "".join(draw(st.sampled_from([line, line, "new\n", ""])) for line in split_lines(old_text))
        codec = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"]))
        old, new = old_text.encode(codec), new_text.encode(codec)
        if kind == "binary":
            old, new = b"\0" + old, b"\0" + new
        if kind != "add":
            before[path] = FileChange(old, draw(modes))
        target = f"moved/{path}" if kind == "move" else path
        if kind == "move":
            moves[target] = path
        if kind != "delete":
            after[target] = FileChange(new, draw(modes))
    return before, after, patch_of(before, after, moves)
