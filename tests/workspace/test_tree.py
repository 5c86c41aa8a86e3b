"""A tree has one name, and naming a changed one costs what changed, not what is there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent_core.file_modes import REGULAR
from agent_core.workspace.tree import FileChange, FileState, content_hash, snapshot_of, tree_hash, with_changes
from tests.support.counting import count_lines


@given(
    base=st.dictionaries(
        st.sampled_from([f"{folder}/{name}" for folder in "abc" for name in "wxyz\udcff"]), st.binary()
    ),
    changes=st.dictionaries(
        st.sampled_from([f"{folder}/{name}" for folder in "bcd" for name in "xyz"]), st.none() | st.binary()
    ),
)
def test_a_tree_has_one_name_however_it_was_made(base: dict[str, bytes], changes: dict[str, bytes | None]) -> None:
    before = snapshot_of({path: FileState(content_hash(data), REGULAR) for path, data in base.items()})
    after = with_changes(before, {path: FileChange(data) for path, data in changes.items()})
    data = {path: text for path, text in {**base, **changes}.items() if text is not None}
    files = {path: FileState(content_hash(text), REGULAR) for path, text in sorted(data.items(), reverse=True)}
    assert after == snapshot_of(files)
    assert after.tree == tree_hash(files)
    assert (after.tree == before.tree) == (dict(after.files) == dict(before.files))
    back = with_changes(after, {path: FileChange(base.get(path)) for path in {*base, *changes}})
    assert back == before


def test_naming_a_changed_tree_does_not_take_longer_in_a_large_project() -> None:
    def lines(count: int) -> int:
        base = snapshot_of({f"pkg{number}/mod.py": FileState(str(number), REGULAR) for number in range(count)})
        return count_lines(lambda: with_changes(base, {"pkg7/mod.py": FileChange(b"new")}))[1]

    # A bucket holds a thousandth of the files.
    assert lines(20_000) < lines(1_000) + 200
