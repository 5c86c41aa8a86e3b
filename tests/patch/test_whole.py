"""Whole files in the place of patches, and what guards them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_core.errors import PatchRefusedError
from agent_core.patch.arguments import patch_of_arguments, whole_file
from agent_core.patch.read import read_patch
from agent_core.patch.stream import patch_text
from agent_core.patch.whole import is_elision
from tests.patch.envelopes import applied

PROJECT = Path("/nonexistent/project")
OLD = "\n\n".join(
    f"def {name}():\n    return {number}\n" for number, name in enumerate(("one", "two", "three", "four"), 1)
)
NEW = OLD.replace("return 2", "return 20")
FILES = {"a.py": OLD.encode(), "app/b.py": b"b = 1\n"}


@pytest.mark.parametrize(
    "text",
    [
        f"a.py\n```python\n{NEW}```\n",
        f"Here it is.\n\n**a.py**:\n\n```\n{NEW}```\nDone.",
        f"```python a.py\n{NEW}```\n",
        f"```python:a.py\n{NEW}```\n",
        f"This is the whole new text of `a.py`:\n\n```python\n{NEW}```\n",
        f"### File: a.py\n~~~~\n{NEW}~~~~",
    ],
)
def test_a_path_and_a_fence_are_the_whole_file(text: str) -> None:
    assert read_patch(text).format == "whole"
    assert applied(PROJECT, FILES, text) == {"a.py": NEW.encode()}


def test_several_files_and_new_ones() -> None:
    markdown = "new/c.md\n```md\n# C\n```sh\nls\n```\nend\n```\n"
    text = f"a.py\n```\n{NEW}```\n\nand a new one:\n\n{markdown}\napp/b.py\n```\nb = 2\n```\n"
    assert applied(PROJECT, FILES, text) == {
        "a.py": NEW.encode(),
        "new/c.md": b"# C\n```sh\nls\n```\nend\n",
        "app/b.py": b"b = 2\n",
    }


def test_endings_and_the_end_of_the_file_stay_as_they_are() -> None:
    files = {"a.txt": b"\xef\xbb\xbfone\r\ntwo\r\nthree"}
    assert applied(PROJECT, files, "a.txt\n```\none\n2\nthree\n```") == {"a.txt": b"\xef\xbb\xbfone\r\n2\r\nthree"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "a.py\n```\ndef one():\n    return 10\n\n# ... rest of the code unchanged\n```",
            r"line 4, '# \.\.\. rest of the code unchanged', stands for lines that are left out.*every line of it",
        ),
        ("a.py\n```\ndef one():\n    return 10\n```", r"7 of its 8 lines would be gone, such as 'return 1', 'def two"),
        ("a.py\n```\n```", r"8 of its 8 lines would be gone"),
        ("a.py\n```\ndef one():\n    return 10\n", r"opens the text of a\.py, which is never closed"),
        (f"shop/b.py\n```\n{NEW}```", r"there is no such file\. Did you mean app/b\.py\?"),
        (f"a.py\n```\n{OLD}```", r"every file already is as the patch would make it"),
        ("```\nx = 1\n```", r"This is not a patch"),
        ("../a.py\n```\nx = 1\n```", r"\.\./a\.py"),
    ],
)
def test_what_is_refused_and_why(text: str, reason: str) -> None:
    with pytest.raises(PatchRefusedError, match=f"(?s){reason}"):
        applied(PROJECT, FILES, text)


@pytest.mark.parametrize(
    "line",
    [
        "# ... rest of code unchanged",
        "    # ... (other methods remain the same)",
        "// existing code here",
        "/* … */",
        "<!-- rest of the file -->",
        "-- remaining functions unchanged",
        "...",
        "# [... omitted ...]",
        "# The rest of the code remains the same",
        "# Other functions...",
    ],
)
def test_lines_that_stand_for_others(line: str) -> None:
    assert is_elision(line)


@pytest.mark.parametrize(
    "line",
    [
        "    ...",
        "# keep the existing files",
        "# Loading...",
        "# the same file may come twice",
        "x = [...]",
        "# other methods call this",
        "# all of it is unchanged by this call",
        '"""Close the rest."""',
        "",
    ],
)
def test_lines_that_stand_for_themselves(line: str) -> None:
    assert not is_elision(line)


def test_a_line_that_was_there_is_no_elision() -> None:
    old = OLD + "# ... rest of the code\n"
    assert applied(PROJECT, {"a.py": old.encode()}, f"a.py\n```\n{old.replace('return 2', 'return 20')}```\n")


def test_code_that_is_written_anew_is_not_taken_for_a_loss() -> None:
    other = "".join(f"def f{number}():\n    return {number}0\n\n\n" for number in range(4))
    assert applied(PROJECT, FILES, f"a.py\n```\n{other}```") == {"a.py": other.encode()}


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": "app/b.py", "content": "b = 2\n"},
        {"file_path": "app/b.py", "text": ["b = 2"]},
        {"path": "app/b.py", "old_string": "b = 1", "new_string": "b = 2"},
        {"path": "app/b.py", "edits": [{"old": "b = 1\n", "new": "b = 2\n"}]},
        {"path": "app/b.py", "patch": "@@\n-b = 1\n+b = 2"},
        {"files": [{"path": "app/b.py", "content": "b = 2"}]},
        {"input": "*** Begin Patch\n*** Update File: app/b.py\n-b = 1\n+b = 2\n*** End Patch"},
        {"diff": "--- a/app/b.py\n+++ b/app/b.py\n@@ -1 +1 @@\n-b = 1\n+b = 2\n"},
        {"patch": "*** Begin Patch\n*** Update File: app/b.py\n-b = 1\n+b = 2\n*** End Patch", "path": "other.py"},
        {"patch": "app/b.py\n```\nb = 2\n```", "path": "other.py"},
    ],
)
def test_arguments_of_other_editing_tools(arguments: dict[str, object]) -> None:
    patch = patch_text(arguments)
    assert patch is not None
    assert applied(PROJECT, FILES, patch) == {"app/b.py": b"b = 2\n"}


@pytest.mark.parametrize("arguments", [{}, {"path": "a.py"}, {"files": [1]}, {"files": [{"path": "a"}]}, {"path": 1}])
def test_arguments_that_are_no_patch(arguments: dict[str, object]) -> None:
    assert patch_of_arguments(arguments) is None
    assert patch_text(arguments) is None


def test_a_file_with_fences_in_it_is_written_in_a_longer_one() -> None:
    text = "One\n```\nx\n```\n"
    assert applied(PROJECT, {}, whole_file("a.txt", text)) == {"a.txt": text.encode()}


def test_an_update_that_only_adds_makes_a_new_file_where_there_is_none_of_that_name() -> None:
    added = "*** Begin Patch\n*** {}: slug.py\n@@ +1,2 @@\n+def slug():\n+    return 1\n*** End Patch\n"
    for header in ("Update File", "Add File"):
        assert applied(PROJECT, FILES, added.format(header)) == {"slug.py": b"def slug():\n    return 1\n"}
    with pytest.raises(PatchRefusedError, match="there is no such file"):
        applied(PROJECT, FILES, added.format("Update File").replace("+def", "-def"))
    with pytest.raises(PatchRefusedError, match=r"Did you mean app/b\.py"):
        applied(PROJECT, FILES, added.format("Update File").replace("slug.py", "src/b.py"))
