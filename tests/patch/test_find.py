"""Patches in prose are found, and what only looks like one is not."""

from __future__ import annotations

import pytest

from agent_core.patch.find import find_patches
from agent_core.patch.read import read_patch
from tests.patch.test_scan import BLOCK, DIFF, ENVELOPE, GIT

NO_PATCH = {
    "prose": "I would write *** Begin Patch and then `<<<<<<< SEARCH` and so on.\n",
    "a listing": "```python\nsrc/a.py\nx = 1\n-y\n+z\n```\n",
    "a quoted marker": "> <<<<<<< SEARCH\n\n`<<<<<<< SEARCH`\n",
    "a merge conflict": "```\nsrc/a.py\n<<<<<<< HEAD\none\n=======\ntwo\n>>>>>>> main\n```\n",
    "a block without a path": f"Like this:\n```python\n{BLOCK}```\n",
    "a block below a word with a colon": f"Result:\n```python\n{BLOCK}```\n",
    "rules and tables": "Title\n---\n\n--- \n\n| a | b |\n|---|---|\n| + | - |\n\n+1\n-1\n",
    "front matter": "---\ntitle: x\n---\n+++\n@@ x\n",
    "a hunk without a file": "@@ -1,2 +1,2 @@\n-one\n+two\n",
    "file headers without a hunk": "--- a/a.py\n+++ b/a.py\n\nand so on\n",
    "git's header and nothing to do": "diff --git a/a.py b/a.py\nindex 1..2 100644\n",
    "a beginning alone": "*** Begin Patch\nlater\n",
    "a command": "Run `diff --git` or\n\ndiff --git a b | less\n",
    "options": "--- is a rule and\n+++ is not\n",
}


@pytest.mark.parametrize("text", NO_PATCH.values(), ids=NO_PATCH.keys())
def test_what_only_looks_like_a_patch_is_none(text: str) -> None:
    assert find_patches(text) == ()


FOUND = {
    "envelope": ("Look:\n", f"```\n{ENVELOPE}```\n", "Done *** End Patch\n", "envelope"),
    "envelope in a here-document": ("So\n", f"apply_patch <<'EOF'\n{ENVELOPE}EOF\n", "EOF\n", "envelope"),
    "envelope without end in a fence": (
        "",
        f"~~~\n{ENVELOPE.removesuffix('*** End Patch' + chr(10))}~~~\n",
        "Bye",
        "envelope",
    ),
    "block": ("Change b.py:\n\n", f"src/a.py\n```python\n{BLOCK}```\n", "\nDone.", "blocks"),
    "block with the path in the fence": ("x\n", f"```python\nsrc/a.py\n{BLOCK}```\n", "\nDone.", "blocks"),
    "two blocks": ("x\n\n", f"a.py\n```\n{BLOCK}```\n\nb.py\n```\n{BLOCK}```\n", "", "blocks"),
    "block without last marker": ("x\n\n", "a.py\n```\n<<<<<<< SEARCH\none\n=======\ntwo\n```\n", "\nDone\n", "blocks"),
    "bare diff": ("So:\n", f"```diff\n{DIFF}```\n", "Done", "unified"),
    "git's diff": ("From: me\nSubject: [PATCH] x\n---\n a.py | 2 +-\n\n", GIT, "-- \n2.39.1\n", "unified"),
    "a rename alone": (
        "",
        "diff --git a/a b/b\nsimilarity index 100%\nrename from a\nrename to b\n",
        "\nDone\n",
        "unified",
    ),
    "a mode alone": ("", "diff --git a/a b/a\nold mode 100644\nnew mode 100755\n", "Done\n", "unified"),
    "diffs in a row": ("", f"{GIT}{DIFF}\n{GIT}", "\n\n", "unified"),
}


@pytest.mark.parametrize(("before", "patch", "after", "form"), FOUND.values(), ids=FOUND.keys())
def test_a_patch_is_found_with_what_is_around_it(before: str, patch: str, after: str, form: str) -> None:
    text = before + patch + after
    (span,) = find_patches(text)
    assert span.format == form
    assert text[span.start : span.end] == patch
    alone, whole = read_patch(span.patch), read_patch(text)
    assert [operation.path for operation in alone.operations] == [operation.path for operation in whole.operations]


def test_a_patch_found_can_be_read_by_itself() -> None:
    text = f"```\nsrc/a.py\n{BLOCK}```\nOnce more:\n```\n{BLOCK}```\n"
    first, second = find_patches(text)
    assert first.patch == second.patch == f"src/a.py\n{BLOCK}"


def test_several_formats_in_one_text() -> None:
    spans = find_patches(f"One\n{ENVELOPE}\nTwo\n\na.py\n{BLOCK}\nThree\n{GIT}")
    assert [span.format for span in spans] == ["envelope", "blocks", "unified"]


def test_a_patch_inside_another_is_its_text() -> None:
    inner = "".join(f"+{line}\n" for line in (ENVELOPE + BLOCK + GIT).splitlines())
    (span,) = find_patches(f"*** Begin Patch\n*** Add File: doc.md\n{inner}*** End Patch\n")
    assert span.format == "envelope"
    block = f"doc.md\n<<<<<<<<< SEARCH\n=========\n{ENVELOPE}a.py\n{BLOCK}{GIT}>>>>>>>>> REPLACE\n"
    (span,) = find_patches(block)
    assert span.format == "blocks"
