"""A patch while it is being written: each format as a growing diff, at a cost that grows with what is new."""

from __future__ import annotations

from typing import Any, SupportsIndex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.panes.written import WrittenPatch
from tui.widgets.lines import MAX_CHARS, Line

ENVELOPE = """\
*** Begin Patch
*** Update File: a.py
@@ def f
 context
-old
+new
*** Update File: b.py
*** Move to: c.py
--- a/b.py
+++ b/b.py
@@ -1,2 +1,2 @@
- one
+ two
*** Delete File: d.py
*** Add File: e.py
+*** Update File: no header
+
*** End Patch
"""
ENVELOPE_ROWS = [
    " a.py  +1 -1",
    "  def f",
    "   context",
    " - old",
    " + new",
    "",
    " b.py  +1 -1  moves to c.py",
    "  -1,2 +1,2 @@",
    " -  one",
    " +  two",
    "",
    " d.py  +0 -0  deleted",
    "",
    " e.py  +2 -0  new",
    " + *** Update File: no header",
    " + ",
]
UNIFIED = """\
diff --git a/a.py b/a.py
index 123..456 100644
--- a/a.py
+++ b/a.py
@@ -1,4 +1,4 @@ def f
 x
--- sql comment
+++ counter
 y

diff --git a/run.sh b/run.sh
old mode 100644
new mode 100755
diff --git a/old name.txt b/n.txt
similarity index 90%
rename from old name.txt
rename to n.txt
--- a/old name.txt
+++ b/n.txt
@@ -1 +1 @@
-1
+2
\\ No newline at end of file
--- /dev/null
+++ b/new.py
@@ -0,0 +1 @@
+hi
--- a/gone.py\t2024-01-01
+++ /dev/null
@@
-bye
diff --git a/pic.png b/pic.png
new file mode 100644
Binary files /dev/null and b/pic.png differ
"""
UNIFIED_ROWS = [
    " a.py  +1 -1",
    "  def f",
    "   x",
    " - -- sql comment",
    " + ++ counter",
    "   y",
    "   ",
    "",
    " run.sh  +0 -0  now executable",
    "",
    " old name.txt  +1 -1  moves to n.txt",
    "  -1 +1",
    " - 1",
    " + 2",
    " \\  No newline at end of file",
    "",
    " new.py  +1 -0  new",
    "  -0,0 +1",
    " + hi",
    "",
    " gone.py  +0 -1  deleted",
    "  ⋯",
    " - bye",
    "",
    " pic.png  +0 -0  binary",
]
BLOCKS = """\
src/a.py
```python
<<<<<<< SEARCH
def f():
    return 1
    # end
=======
def f():
    return 2
    # end
>>>>>>> REPLACE
```

```python
<<<<<<< SEARCH
gone
=======
>>>>>>> REPLACE
```
**new.py**
````
<<<<<<< SEARCH
=======
*** Begin Patch
>>>>>>> not yet
````

`other.py`:
```
<<<<<<< SEARCH
a
...
b
=======
x
...
b
>>>>>>> REPLACE
```
"""
BLOCKS_ROWS = [
    " src/a.py  +1 -2",
    "   def f():",
    " -     return 1",
    " +     return 2",
    "       # end",
    "  ⋯",
    " - gone",
    "",
    " new.py  +2 -0  new",
    " + *** Begin Patch",
    " + >>>>>>> not yet",
    "",
    " other.py  +1 -1",
    " - a",
    " + x",
    "   ...",
    "   b",
]
SHAPES = [(ENVELOPE, ENVELOPE_ROWS), (UNIFIED, UNIFIED_ROWS), (BLOCKS, BLOCKS_ROWS)]


def rows(lines: list[Line]) -> list[str]:
    return [line.whole for line in lines]


def all_at_once(text: str) -> list[str]:
    patch = WrittenPatch()
    patch.update(text)
    return rows(patch.lines)


class Watched:
    """What a pane holds that follows a growing patch by what `update` says, as the diff pane does."""

    def __init__(self) -> None:
        self.patch = WrittenPatch()
        self.shown: list[str] = []
        self.farthest_back = 0

    def see(self, text: str) -> None:
        assert self.patch.goes_on(text)
        before = len(self.shown)
        keep = self.patch.update(text)
        for index in self.patch.recounted:
            self.shown[index] = self.patch.lines[index].whole
        self.shown = [*self.shown[:keep], *rows(self.patch.lines[keep:])]
        self.farthest_back = max(self.farthest_back, before - keep)
        assert self.shown == rows(self.patch.lines)


@pytest.mark.parametrize(("text", "expected"), SHAPES, ids=["envelope", "unified", "blocks"])
def test_each_format_is_a_diff(text: str, expected: list[str]) -> None:
    assert all_at_once(text) == expected
    assert all_at_once(text.replace("\n", "\r\n")) == expected


@given(st.sampled_from([text for text, _ in SHAPES]), st.lists(st.integers(1, 30), max_size=60))
def test_whatever_the_pieces_the_end_is_the_same(text: str, sizes: list[int]) -> None:
    watched = Watched()
    at = 0
    for size in [*sizes, len(text)]:
        at = min(at + size, len(text))
        watched.see(text[:at])
    assert watched.shown == all_at_once(text)


def test_all_formats_in_a_row_are_one_diff() -> None:
    text = "".join(text for text, _ in SHAPES)
    watched = Watched()
    for at in range(0, len(text) + 5, 5):
        watched.see(text[:at])
    files = [row for row in watched.shown if row.startswith(" ") and row[1:2].strip() and "  +" in row]
    assert len(files) == sum(1 for _, shown in SHAPES for row in shown if row[1:2].strip() and "  +" in row)


def test_a_block_is_seen_while_it_grows_and_paired_when_it_is_whole() -> None:
    watched = Watched()
    head, tail = "a.py\n<<<<<<< SEARCH\nx\ny\n=======\nx\nz", "\n>>>>>>> REPLACE\n"
    watched.see(head)
    assert watched.shown == [" a.py  +1 -2", " - x", " - y", " + x", " + z"]
    watched.see(head + tail)
    assert watched.shown == [" a.py  +1 -1", "   x", " - y", " + z"]


@pytest.mark.parametrize(("text", "block"), [(ENVELOPE, 2), (UNIFIED, 2), (BLOCKS, 7)])
def test_no_more_is_taken_back_than_the_block_under_way(text: str, block: int) -> None:
    watched = Watched()
    for at in range(1, len(text) + 1):
        watched.see(text[:at])
    assert watched.farthest_back <= block


def test_a_block_that_forgot_its_end_leaves_the_next_ones_path_alone() -> None:
    text = (
        "a.py\n```\n<<<<<<< SEARCH\n1\n=======\n2\n```\n\nb.py\n```\n<<<<<<< SEARCH\n3\n=======\n4\n>>>>>>> REPLACE\n"
    )
    assert all_at_once(text) == [" a.py  +1 -1", " - 1", " + 2", "", " b.py  +1 -1", " - 3", " + 4"]


def test_a_hunk_whose_counts_are_wrong_does_not_swallow_the_next_file() -> None:
    text = "--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n-1\n+2\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-3\n+4\n"
    assert [row for row in all_at_once(text) if "  +" in row] == [" x  +1 -1", " y  +1 -1"]


def test_a_bare_hunk_and_words_are_shown_too() -> None:
    assert all_at_once("@@ def f\n-old\n+new\nwords\n") == ["  def f", " - old", " + new", "  words"]
    assert all_at_once("*** Begin Patch\n*** Delete File: a\n*** End Patch\n- no change\n")[-1] == "  - no change"


def test_another_text_is_not_the_same_patch() -> None:
    patch = WrittenPatch()
    assert patch.goes_on("anything")
    patch.update("*** Begin Patch\n*** Update File: a.py\n-half")
    assert patch.goes_on("*** Begin Patch\n*** Update File: a.py\n-half a line")
    assert not patch.goes_on("*** Begin Patch\n*** Update File: a.py\n-hal")
    assert not patch.goes_on("*** Begin Patch\n*** Update File: a.py\n-other line, longer")
    assert not patch.goes_on("*** Begin Patch\n*** Update File: b.py\n-half a line")
    assert not patch.goes_on("")


@given(st.text(st.sampled_from("*-+@<=>`~ \n\r\x1b\u202e\u2028/.a1SEARCH"), max_size=300), st.integers(1, 9))
def test_any_text_is_shown_and_harmless(text: str, size: int) -> None:
    watched = Watched()
    for at in range(size, len(text) + size, size):
        watched.see(text[:at])
    assert not set("".join(watched.shown)) & set("\x1b\u202e\u2028\r\n")


@pytest.mark.parametrize(
    "text",
    [
        "*** Begin Patch\n*** Update File: \x1b[31ma\u202e\n-\x1b]0;evil\x07\n*** End Patch\n",
        "diff --git a/\x1b[2J b/\x1b[2J\nrename to \x1b[2J\n@@ -1 +1 @@ \x1b[2J\n+\x9b31m\n",
        "a\u202e.py\n<<<<<<< SEARCH\n\x1b[2J\n=======\n\x07\n>>>>>>> REPLACE\n",
    ],
)
def test_nothing_reaches_the_terminal_that_it_would_obey(text: str) -> None:
    assert all_at_once(text)
    assert not set("".join(all_at_once(text))) & set("\x1b\x07\x9b\u202e")


class Counting(str):
    """A text that counts the characters that are looked at or taken out of it."""

    __slots__ = ()
    looked_at = 0

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        taken = super().__getitem__(key)
        Counting.looked_at += len(taken)
        return taken

    def startswith(self, *args: Any) -> bool:
        Counting.looked_at += len(args[0])
        return super().startswith(*args)

    def rfind(self, *args: Any) -> int:
        Counting.looked_at += len(self) - args[1]
        return super().rfind(*args)


def long_patches(lines: int) -> list[str]:
    body = "".join(f"-old line {n}\n+new line {n}\n" for n in range(lines // 2))
    plain = "".join(f"line {n}\n" for n in range(lines // 2))
    return [
        f"*** Begin Patch\n*** Update File: a.py\n@@\n{body}*** End Patch\n",
        f"--- a/a.py\n+++ b/a.py\n@@ -1,{lines} +1,{lines} @@\n{body}",
        f"a.py\n<<<<<<< SEARCH\n{plain}=======\n{plain.replace('7', '8')}>>>>>>> REPLACE\n",
        f"*** Begin Patch\n*** Update File: a.py\n+{'z' * lines * 12}\n+end\n",
    ]


@pytest.mark.parametrize("shape", range(4), ids=["envelope", "unified", "block", "one line"])
def test_the_cost_of_a_piece_does_not_grow_with_the_patch(shape: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    init = Line.__init__

    def counted(self: Line, *args: Any, **options: Any) -> None:
        nonlocal made
        made += 1
        init(self, *args, **options)

    monkeypatch.setattr(Line, "__init__", counted)
    costs = []
    for lines in (2500, 5000):
        text = long_patches(lines)[shape]
        made, Counting.looked_at = 0, 0
        patch = WrittenPatch()
        pieces = 0
        for at in range(4, len(text) + 4, 4):
            grown = Counting(text[:at])
            assert patch.goes_on(grown)
            patch.update(grown)
            pieces += 1
        assert made <= 2 * pieces + 2 * lines
        # For each piece the ends of the text are looked at, and the line under way; never the whole.
        assert Counting.looked_at <= pieces * (5 * 4096 + 2 * MAX_CHARS)
        costs.append(made + Counting.looked_at)
    assert costs[1] < 2.6 * costs[0]


def test_names_in_quotes_are_read_as_git_writes_them() -> None:
    quoted = (
        'diff --git "a/pi\\303\\251.py" "b/pi\\303\\251.py"\n--- "a/pi\\303\\251.py"\n+++ "b/pi\\303\\251.py"\n@@\n-1\n'
    )
    moved = 'diff --git a/x.py "b/a\\tb.py"\nrename from x.py\nrename to "a\\tb.py"\n'
    assert all_at_once(quoted)[0] == " pié.py  +0 -1"
    assert all_at_once(moved)[0].startswith(" x.py  +0 -0  moves to a")
    assert "\\t" not in all_at_once(moved)[0]
