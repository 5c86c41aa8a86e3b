"""Whatever a repair changes, its patch makes exactly that of the files."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_core.partners.offline.patches import edited, envelope
from agent_core.patch.apply import apply_operations
from agent_core.patch.read import read_patch
from agent_core.repair.model import Edit, with_edits
from agent_core.workspace.tree import FileChange
from tests.partners.offline.trying import NOWHERE

# Few different lines, so that many places look the same, and every kind of thing that lines can hold.
LINES = [
    "x = 1",
    "    x = 1",
    "\tx = 1",
    "",
    "   ",
    "*** End Patch",
    "@@ -1 +1 @@",
    "+a",
    "-b",
    " c",
    "é = '𝄞'",
    "# \x0c",
]
ENDS = ["\n", "\r\n"]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A file's text: line ends alike, or mixed; perhaps none at its end."""
    end = draw(st.sampled_from(["\n", "\r\n", None]))
    lines = draw(st.lists(st.sampled_from(LINES), max_size=12))
    text = "".join(line + (end or draw(st.sampled_from(ENDS))) for line in lines)
    return text + draw(st.sampled_from(["", "last"]))


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text with one to three edits of it that do not overlap."""
    text = draw(texts())
    # No edit parts the two characters of a line's end.
    whole = [at for at in range(len(text) + 1) if text[at - 1 : at + 1] != "\r\n" or not at]
    places = sorted(draw(st.lists(st.sampled_from(whole), min_size=2, max_size=6)))
    pieces = st.sampled_from(["", "y", "x = 2", "\n", "    return x\n", "é", "*** End Patch\n", "<="])
    # What is put in has the line ends of its file.
    line_end = "\r\n" if "\r\n" in text else "\n"
    edits = [
        Edit("a.py", start, end, draw(pieces).replace("\n", line_end))
        for start, end in zip(places[::2], places[1::2], strict=False)
    ]
    return text, edits


def applied(patch: str, before: dict[str, bytes]) -> dict[str, bytes | None]:
    def read(path: str) -> FileChange | None:
        return FileChange(before[path]) if path in before else None

    made = apply_operations(read_patch(patch).operations, read, before, NOWHERE).changes
    return {**before, **{path: change.data for path, change in made.items()}}


@settings(max_examples=250, deadline=None)
@given(change=changes(), marked=st.booleans(), other=texts())
def test_the_patch_of_any_edits_makes_exactly_the_text_with_them(
    change: tuple[str, list[Edit]], marked: bool, other: str
) -> None:
    text, edits = change
    mark = b"\xef\xbb\xbf" if marked else b""
    before = {"a.py": mark + text.encode(), "b/c d.py": other.encode()}
    after = {
        "a.py": mark + with_edits(text, edits).encode(),
        "b/c d.py": edited(before["b/c d.py"], [Edit("b/c d.py", 0, 0, "# new\n")]),
    }
    assert edited(before["a.py"], edits) == after["a.py"]
    assert applied(envelope(before, after), before) == after
