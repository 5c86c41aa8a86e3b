"""Evidence of a failure: exceptions with the frames of the project's own code, their variables, and what was compared.

Part of the plug-in `pairloop_pytest`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

An error is ``{"chain": [link, ...], "fixture": name}``: the exception, then those it came from. A link has ``type``,
``message``, ``frames`` (outermost first: path, line, function, source, around, locals), ``diff`` (lines) and ``group``
(the chains of the exceptions of a group).
"""

from __future__ import annotations

import linecache
import os
import sys
import types
from pathlib import Path
from typing import Any

from .diff import sides
from .values import Show, mask_source, masked_cut

_MAX_FRAMES = 12
_FRAMES_WITH_LOCALS = 3
_MAX_LOCALS = 20
_MAX_LINE = 200
_MAX_TEXT = 4000
_MAX_CHAIN = 4
_MAX_GROUP = 5
_MAX_DEPTH = 3
_BEFORE, _AFTER = 3, 2
# The first failures are told in full, the next ones in short, and of the rest only what and where.
_FULL, _SHORT = 60, 400


class Places:
    """Tells the project's own code from any other.

    Args:
        root: The project's folder.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._roots = tuple({root, os.path.realpath(root)})
        self._known: dict[str, str | None] = {}

    def inside(self, filename: str) -> str | None:
        """The path relative to the project of a file of its own, None for any other file."""
        if filename not in self._known:
            if len(self._known) > 50_000:
                self._known.clear()
            self._known[filename] = self._find(filename)
        return self._known[filename]

    def _find(self, filename: str) -> str | None:
        for root in self._roots:
            if filename.startswith(root + os.sep):
                break
        else:
            return None
        inside = filename[len(root) + 1 :]
        parts = Path(inside).parts
        prefix = sys.prefix + os.sep
        if (
            "site-packages" in parts
            or "dist-packages" in parts
            or filename.startswith(prefix) != (root + os.sep).startswith(prefix)
        ):
            return None
        return inside.replace(os.sep, "/")


class Evidence:
    """Gathers evidence while the frames of a failure are alive.

    Args:
        places: Knows the project's own code.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._show = Show()
        self._told = 0
        self._compared: tuple[int, str, int, list[str]] | None = None

    def clear(self) -> None:
        """Forget what was compared: a new test begins."""
        self._compared = None

    def compared(self, op: str, left: Any, right: Any) -> None:
        """An assertion of two values is failing."""
        self._compared = None
        if op != "==" or self._told > _SHORT:
            return
        for side in (left, right):
            # Their secrets are to be hidden in what is said of them.
            self._show.show("", side)
        frame: types.FrameType | None = sys._getframe(1)  # noqa: SLF001 - the way to one's caller
        while frame is not None and self._places.inside(frame.f_code.co_filename) is None:
            frame = frame.f_back
        if frame is not None:
            self._compared = (id(frame), frame.f_code.co_filename, frame.f_lineno, sides(left, right))

    def error(self, value: BaseException) -> dict[str, Any]:
        """An exception with its frames, and those it came from."""
        self._told += 1
        chain = self._chain(value, 0)
        return {"chain": self.hide(chain), "fixture": fixture_of(value)}

    def hide(self, told: Any) -> Any:
        """What is told, without the secrets that variables were seen to hold."""
        return self._show.hide(told)

    def show(self, name: str, value: Any) -> str:
        """The value of a name in short, secrets masked."""
        return self._show.show(name, value)

    def _chain(self, value: BaseException, depth: int) -> list[dict[str, Any]]:
        chain: list[dict[str, Any]] = []
        seen = set()
        current: BaseException | None = value
        while current is not None and id(current) not in seen and len(chain) < _MAX_CHAIN:
            seen.add(id(current))
            chain.extend(self._doctest(current) or [self._link(current, depth)])
            context = None if current.__suppress_context__ else current.__context__
            # What pytest looked for in vain in its own tables is no cause.
            current = None if type(current).__name__ == "FixtureLookupError" else current.__cause__ or context
        return chain

    def _link(self, value: BaseException, depth: int) -> dict[str, Any]:
        link: dict[str, Any] = {"type": type(value).__name__, "message": _message(value)}
        link["frames"] = self._frames(value.__traceback__)
        link["diff"] = self._diff(value)
        inner = getattr(value, "exceptions", None)
        if isinstance(inner, (tuple, list)) and depth < _MAX_DEPTH:
            some = [one for one in inner if isinstance(one, BaseException)][:_MAX_GROUP]
            link["group"] = [self._chain(one, depth + 1) for one in some]
        if isinstance(value, SyntaxError) and value.filename:
            path = self._places.inside(value.filename)
            if path is not None:
                link["frames"].append(_frame(path, value.lineno, "", mask_source((value.text or "").strip())))
        return link

    def _diff(self, value: BaseException) -> list[str]:
        """What was compared, if it was by the assertion that raised this."""
        if self._compared is None or not isinstance(value, AssertionError):
            return []
        *here, diff = self._compared
        traceback = value.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            if [id(frame), frame.f_code.co_filename, traceback.tb_lineno] == here:
                return diff
            traceback = traceback.tb_next
        return []

    def _frames(self, traceback: types.TracebackType | None) -> list[dict[str, Any]]:
        """The frames of the project's own code, outermost first; the innermost with their variables."""
        places: list[tuple[str, int, types.FrameType]] = []
        while traceback is not None:
            path = self._places.inside(traceback.tb_frame.f_code.co_filename)
            if path is not None:
                places.append((path, traceback.tb_lineno, traceback.tb_frame))
            traceback = traceback.tb_next
        if len(places) > _MAX_FRAMES:
            places = places[:2] + places[2 - _MAX_FRAMES :]
        frames: list[dict[str, Any]] = []
        near = _FRAMES_WITH_LOCALS if self._told <= _FULL else int(self._told <= _SHORT)
        for number, (path, line, frame) in enumerate(places):
            filename = frame.f_code.co_filename
            told = _frame(path, line, frame.f_code.co_name, _source(filename, line).strip())
            if number >= len(places) - near:
                told["locals"] = self.variables(frame)
                if self._told <= _FULL:
                    told["around"] = _around(filename, line)
            frames.append(told)
        return frames

    def variables(self, frame: types.FrameType) -> list[list[str]]:
        """The local variables of a frame, bounded: (name, value) each, secrets masked."""
        shown = []
        for name, value in list(frame.f_locals.items()):
            if name.startswith(("@py_", "__")) or isinstance(value, (types.ModuleType, types.FunctionType, type)):
                continue
            shown.append([name, self._show.show(name, value)])
            if len(shown) == _MAX_LOCALS:
                break
        return shown

    def _doctest(self, value: BaseException) -> list[dict[str, Any]]:
        """The failures of a doctest, each at its example; empty for any other exception."""
        failures = getattr(value, "failures", None) if type(value).__name__ == "MultipleDoctestFailures" else [value]
        links = []
        for failure in list(failures or [])[:_MAX_GROUP]:
            test, example = getattr(failure, "test", None), getattr(failure, "example", None)
            if (
                type(failure).__name__ not in {"DocTestFailure", "UnexpectedException"}
                or test is None
                or example is None
            ):
                return []
            line = (test.lineno or 0) + example.lineno + 1
            path = self._places.inside(str(test.filename or ""))
            source = mask_source(example.source.strip())
            frames = [] if path is None else [_frame(path, line, test.name, source)]
            links.append(self._doctest_link(failure, example, frames))
        return links

    def _doctest_link(self, failure: Any, example: Any, frames: list[dict[str, Any]]) -> dict[str, Any]:
        if hasattr(failure, "got"):
            want, got = str(example.want).rstrip("\n"), str(failure.got).rstrip("\n")
            message = example.source.strip() + " gives " + (got or "nothing") + ", expected " + (want or "nothing")
            diff = sides(want, got) if "\n" in want or "\n" in got else []
        else:
            kind, error = failure.exc_info[:2]
            message = example.source.strip() + " raised " + kind.__name__ + ": " + _message(error)
            diff = []
        return {"type": "DocTestFailure", "message": masked_cut(message, _MAX_TEXT), "frames": frames, "diff": diff}


def fixture_of(value: BaseException) -> str:
    """The name of the fixture in which an exception was raised, empty when in none."""
    name = ""
    if type(value).__name__ == "FixtureLookupError":
        return str(getattr(value, "argname", None) or "")
    traceback = value.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        # These two functions of pytest run a fixture's beginning and its end.
        if frame.f_code.co_name == "pytest_fixture_setup":
            name = str(getattr(frame.f_locals.get("fixturedef"), "argname", None) or name)
        elif frame.f_code.co_name == "_teardown_yield_fixture":
            name = str(getattr(frame.f_locals.get("fixturefunc"), "__name__", None) or name)
        traceback = traceback.tb_next
    return name


def _message(value: BaseException) -> str:
    if type(value).__name__ == "FixtureLookupError" and getattr(value, "argname", None):
        return "fixture '" + str(value.argname) + "' not found"  # type: ignore[attr-defined]  # pytest's own class
    try:
        message = str(value)
    except Exception as broken:  # noqa: BLE001 - a foreign __str__ may raise anything
        return "<str raised " + type(broken).__name__ + ">"
    return masked_cut(message, _MAX_TEXT)


def _frame(path: str, line: int | None, function: str, source: str) -> dict[str, Any]:
    return {
        "path": path,
        "line": line,
        "function": function,
        "source": source[:_MAX_LINE],
        "around": [],
        "locals": [],
    }


def _source(filename: str, line: int) -> str:
    try:
        return mask_source(linecache.getline(filename, line).rstrip()[: 2 * _MAX_LINE])[:_MAX_LINE]
    except Exception:  # noqa: BLE001 - tests replace what reading files needs
        return ""


def _around(filename: str, line: int) -> list[list[Any]]:
    """Lines around a line, each with its number; none from another place than where the code is."""
    rows = [[number, _source(filename, number)] for number in range(max(line - _BEFORE, 1), line + _AFTER + 1)]
    while rows and not rows[-1][1]:
        rows.pop()
    while rows and not rows[0][1]:
        rows.pop(0)
    return rows
