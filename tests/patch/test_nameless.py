"""A patch that names no file."""

from __future__ import annotations

import pytest

from agent_core.patch.nameless import with_name
from agent_core.patch.read import read_patch

FILES = {
    "calc.py": b"def average(numbers):\n    return sum(numbers) / (len(numbers) + 1)\n",
    "other.py": b"def clamp(value):\n    return value\n",
    "twin.py": b"def clamp(value):\n    return value\n",
    "picture.png": b"\x89PNG\x00\xff",
}
HUNK = (
    "@@ def average(numbers):\n-    return sum(numbers) / (len(numbers) + 1)\n+    return sum(numbers) / len(numbers)\n"
)


def named(patch: str) -> tuple[str, str]:
    return with_name(patch, FILES, FILES.get)


@pytest.mark.parametrize("gap", ["", "\n", "  \n"])
def test_the_one_file_with_its_old_lines_is_meant(gap: str) -> None:
    text, note = named(f"*** Begin Patch\n{gap}{HUNK}*** End Patch")
    assert [one.path for one in read_patch(text).operations] == ["calc.py"]
    assert note == "It names no file; of all files only calc.py has its old lines."


@pytest.mark.parametrize(
    "patch",
    [
        "*** Begin Patch\n@@\n def clamp(value):\n-    return value\n+    return 1\n*** End Patch",
        "*** Begin Patch\n@@\n-    return nothing\n+    return 1\n*** End Patch",
        "*** Begin Patch\n@@\n+    return 1\n*** End Patch",
        "*** Begin Patch\n@@\n def average(numbers):\n+    return 1\n*** End Patch",
        f"*** Begin Patch\n*** Update File: calc.py\n{HUNK}*** End Patch",
        f"*** Begin Patch\n{HUNK}*** Update File: other.py\n@@\n-x\n+y\n*** End Patch",
        f"I mend it.\n{HUNK}",
    ],
    ids=["two files", "no file", "nothing old", "nothing removed", "named", "another named", "words"],
)
def test_in_any_doubt_it_stays_as_it_is(patch: str) -> None:
    assert named(patch) == (patch, "")
