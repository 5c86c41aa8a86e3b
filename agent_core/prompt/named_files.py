"""Which files a task speaks of: they go along with it, so that nobody has to guess what is in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from agent_core.checks.imports import ImportGraph

_WORD = re.compile(r"[\w./-]*\w\.\w+")
_MOST = 6


def named_files(task: str, paths: Sequence[str], read: Callable[[str], bytes | None]) -> tuple[str, ...]:
    """The files to show with a task: those it names, and what the test files among them import.

    A name without its folder counts when only one file has it. A test file stays out when it is not all there is: a
    task that names a test means the code under it, and small models change whatever they are shown.

    Args:
        task: What the human asked for.
        paths: All files of the project.
        read: Gives the bytes of a file.

    Returns:
        At most six paths, in the order in which they are named.
    """
    by_name: dict[str, list[str]] = {}
    for path in paths:
        by_name.setdefault(path.rsplit("/", 1)[-1], []).append(path)
    known = set(paths)
    found: dict[str, None] = {}
    for word in _WORD.findall(task):
        name = word.removeprefix("./")
        if name in known:
            found[name] = None
        elif len(same := by_name.get(name, [])) == 1:
            found[same[0]] = None
    tests = [path for path in found if path.endswith(".py") and path.rsplit("/", 1)[-1].startswith("test_")]
    if tests:
        graph = ImportGraph(paths, read)
        for test in tests:
            found |= dict.fromkeys(path for path in sorted(graph.imports(test)) if read(path))
    code = [path for path in found if path not in tests]
    return tuple(code or found)[:_MOST]
