"""Which tests run, and in which order: nothing but some, in stages, or the first stages alone.

Part of the plug-in `pairloop_pytest`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

The plan is a JSON file: ``first`` and ``only`` are test ids (a file or class stands for all that is in it),
``affected`` are paths of test files relative to the project. With ``ahead`` nothing runs but those two stages.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Ids in findings are no longer than this; a longer one is known by its beginning.
_MAX_ID = 500
_STAGES = ("first", "affected", "all")


class Plan:
    """What is wanted of this run.

    Args:
        path: The plan's file; None for nothing special.
        root: The project's folder.
    """

    def __init__(self, path: str | None, root: str) -> None:
        data = {} if path is None else json.loads(Path(path).read_text("utf-8"))
        self._root = root
        self._first = _Ids(data.get("first") or ())
        self._affected = frozenset(data.get("affected") or ())
        self.only = None if data.get("only") is None else _Ids(data["only"])
        self.ahead = bool(data.get("ahead"))
        self._files: frozenset[str] | None = None

    @property
    def part(self) -> bool:
        """Whether some tests are left out."""
        return self.ahead or self.only is not None

    @property
    def staged(self) -> bool:
        """Whether anything is to come before the rest."""
        return self.only is None and bool(self._first or self._affected)

    def unwanted(self, path: str, rootdir: str) -> bool:
        """Whether a file or folder holds none of the tests that alone are wanted."""
        if not self.part:
            return False
        if self._files is None:
            ids = self._first if self.only is None else self.only
            names = [os.path.join(rootdir, name) for name in ids.files]  # noqa: PTH118 - as pytest names its files
            names += [os.path.join(self._root, name) for name in self._affected]  # noqa: PTH118
            self._files = frozenset(map(os.path.normpath, names))
        if os.path.isdir(path):  # noqa: PTH112
            return not any(name.startswith(path + os.sep) or name == path for name in self._files)
        # These two are no tests, but tests need them.
        return os.path.basename(path) not in {"conftest.py", "__init__.py"} and path not in self._files  # noqa: PTH119

    def chosen(self, items: list[Any]) -> tuple[list[Any], list[Any]]:
        """The items that are wanted, in their order, and those that are not."""
        if self.ahead:
            stages = self._stages(items)
            return stages["first"] + stages["affected"], stages["all"]
        if self.only is None:
            return items, []
        wanted: list[Any] = []
        rest: list[Any] = []
        for item in items:
            (wanted if self.only.match(item.nodeid) else rest).append(item)
        return wanted, rest

    def staging(self, items: list[Any]) -> tuple[list[Any], list[tuple[str, int]]]:
        """The items by stages, and where the stages but the last end.

        Whole files are moved, and within a stage nothing is: fixtures are made about as seldom as before.

        Returns:
            The items, and (stage, number of items up to its end) for each stage that has any and is not the last.
        """
        stages = self._stages(items)
        ordered = [item for stage in _STAGES for item in stages[stage]]
        ends, count = [], 0
        for stage in _STAGES:
            count += len(stages[stage])
            if stages[stage] and (count < len(items) or self.ahead):
                ends.append((stage, count))
        return ordered, ends

    def _stages(self, items: list[Any]) -> dict[str, list[Any]]:
        first = {_file(item) for item in items if self._first.match(item.nodeid)}
        stages: dict[str, list[Any]] = {stage: [] for stage in _STAGES}
        for item in items:
            path = _file(item)
            here = "first" if path in first else "affected" if self._relative(path) in self._affected else "all"
            stages[here].append(item)
        return stages

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self._root).replace(os.sep, "/")


class _Ids:
    """A set of test ids, as findings name them."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = frozenset(ids)
        self._cut = tuple(name for name in self._ids if len(name) >= _MAX_ID)
        self._matched: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._ids)

    @property
    def files(self) -> list[str]:
        """The files they are in."""
        return sorted({name.partition("::")[0] for name in self._ids})

    @property
    def unmatched(self) -> list[str]:
        """Those that no test has had so far."""
        return sorted(self._ids - self._matched)

    def match(self, nodeid: str) -> bool:
        """Whether a test is one of them, or in one of them."""
        found = [name for name in _names(nodeid) if name in self._ids]
        found += [name for name in self._cut if nodeid.startswith(name)]
        self._matched.update(found)
        return bool(found)


def _names(nodeid: str) -> list[str]:
    """A test's id, and those of all that it is in: ``a.py``, ``a.py::T``, ``a.py::T::test``, ``a.py::T::test[1]``."""
    plain, bracket, _ = nodeid.partition("[")
    parts = plain.split("::")
    names = ["::".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return [*names, nodeid] if bracket else names


def _file(item: Any) -> str:
    return str(item.path)


def keeps_order(items: list[Any]) -> bool:
    """Whether tests say by marks of well-known plug-ins that those of other files have to run before them."""
    for item in items:
        if item.get_closest_marker("order") is not None:
            return True
        mark = item.get_closest_marker("dependency")
        if mark is not None and mark.kwargs.get("scope") in {"session", "package"}:
            return True
    return False
