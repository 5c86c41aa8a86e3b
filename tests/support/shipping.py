"""A small project and patches for it, for the tests of `pairloop patch apply`, `undo`, `redo` and `log`."""

from __future__ import annotations

import os
from pathlib import Path

from tests.projects import make_project
from tests.support.calling import call

TOWN = "".join(f"house {number}\n" for number in range(1, 21))

ENVELOPE = """\
*** Begin Patch
*** Update File: town.txt
@@
 house 2
-house 3
+a school
 house 4
*** End Patch
"""
BLOCKS = """\
town.txt
<<<<<<< SEARCH
house 2
house 3
house 4
=======
house 2
a school
house 4
>>>>>>> REPLACE
"""
UNIFIED = """\
--- a/town.txt
+++ b/town.txt
@@ -2,3 +2,3 @@
 house 2
-house 3
+a school
 house 4
"""
WITH_SCHOOL = TOWN.replace("house 3\n", "a school\n")


def land(root: Path, *patches: str) -> None:
    """Land patches, one after the other."""
    for patch in patches:
        assert call(["patch", "apply"], root, patch).code == 0


def stands(root: Path) -> dict[int, str]:
    """Where each landing of a project stands, as the log says."""
    return {line["landing"]: line["stands"] for line in call(["log", "--json"], root).lines}


def read(root: Path, name: str = "town.txt") -> str:
    """The text of a file, with the line endings it has."""
    return (root / name).read_bytes().decode()


def make_town(root: Path) -> Path:
    """A repository with a town and a road."""
    return make_project(root, {"town.txt": TOWN, "country/road.txt": "north\nsouth\n"})


def replace_line(path: str, old: str, new: str) -> str:
    """An envelope that replaces one line, with nothing around it."""
    return f"*** Begin Patch\n*** Update File: {path}\n@@\n-{old}\n+{new}\n*** End Patch\n"


MILL = replace_line("town.txt", "house 12", "a mill")
ROAD = replace_line("country/road.txt", "north", "west")


def everything(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file below a folder: bytes, mode, time of the last change."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            info = path.lstat()
            found[path.relative_to(root).as_posix()] = (path.read_bytes(), info.st_mode, info.st_mtime_ns)
    return found
