"""Changes functions that are loaded: gives them the code that they would have had with edits of their text.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

What cannot be changed this way is refused rather than half done: code that ran while all was imported (what it did
then would stay), functions that are not alive any more or have become something else, closures over other names.
"""

from __future__ import annotations

import functools
import gc
import inspect
import sys
import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .loading import put_in_place
from .shared import Places
from .texts import Body, Text, Texts
from .traced import key_of

if TYPE_CHECKING:
    from .texts import Edit
    from .traced import Key

_KINDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_COMPARED = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_flags", "co_exceptiontable")


class Refused(Exception):  # noqa: N818 - what it says, it is
    """The code cannot be changed while it is loaded."""


class Live:
    """The functions that are alive.

    Args:
        places: Knows the project's own code.
        executed: The functions that ran while all was imported.
    """

    def __init__(self, places: Places, executed: set[Key]) -> None:
        self._places = places
        self._executed = executed
        self._functions: dict[Key, list[types.FunctionType]] = {}
        self._caches: list[Any] = []
        self._paths: set[str] = set()
        for one in gc.get_objects():
            kind = type(one)
            if kind is types.FunctionType:
                key = key_of(one.__code__, places)
                if key is not None:
                    self._functions.setdefault(key, []).append(one)
            elif kind is functools._lru_cache_wrapper:  # noqa: SLF001 - the only name of the type
                self._caches.append(one)
        for module in list(sys.modules.values()):
            path = places.inside(str(getattr(module, "__file__", None) or ""))
            if path is not None:
                self._paths.add(path)
                if type(getattr(module, "__loader__", None)).__name__ == "AssertionRewritingHook":
                    self._executed.add((path, "", 0))

    def functions(self, key: Key) -> list[types.FunctionType]:
        """Those of a code object."""
        return self._functions.get(key, [])

    def swap(self, texts: Texts, edits: Sequence[Edit]) -> None:
        """Put edits in place.

        Raises:
            Refused: They cannot be put in place this way; nothing is as it was any more.
            SyntaxError: It is no Python with them.
            ValueError: Likewise.
        """
        later: list[Edit] = []
        for text, own in texts.by_path(edits):
            if text.path not in self._paths:
                later += own
                continue
            if (text.path, "", 0) in self._executed:
                raise Refused("pytest rewrites its assertions")
            for body, some in text.grouped(own) or ():
                self._swap(text, body, some)
        if later:
            # Not imported so far: a test will, or nobody.
            whole = texts.whole(later)
            for path, data in whole.items():
                compile(data, path, "exec", dont_inherit=True)
            put_in_place(whole)
        for cache in self._caches:
            # What is in there may have come of the code as it was.
            cache.cache_clear()

    def _swap(self, text: Text, body: Body, edits: Sequence[Edit]) -> None:
        old, new = text.compiled(body), text.compiled(body, edits)
        pairs = _pairs(old, new)
        if pairs is None:
            raise Refused("something beside the function changes")
        found = False
        for before, after in pairs:
            key = (text.path, before.co_name, before.co_firstlineno)
            alive = self.functions(key)
            found = found or bool(alive)
            if _same_itself(before, after):
                if all(_equal(a, b) for a, b in zip(_inner(before), _inner(after))):  # noqa: B905 - old Pythons
                    continue
            elif key in self._executed:
                raise Refused("it ran while all was imported")
            if alive and (before.co_freevars != after.co_freevars or (before.co_flags ^ after.co_flags) & _KINDS):
                raise Refused("it becomes a function of another kind")
            for function in alive:
                function.__code__ = after
        if not found:
            raise Refused("no function of it is alive")


def _inner(code: types.CodeType) -> list[types.CodeType]:
    return [one for one in code.co_consts if isinstance(one, types.CodeType)]


def _pairs(old: types.CodeType, new: types.CodeType) -> list[tuple[types.CodeType, types.CodeType]] | None:
    """The functions of a module or class before and after, inner ones too; None where more than one differs.

    Args:
        old: A module in which stands one function, within classes.
        new: The same.
    """
    if old.co_name == "<module>" or not old.co_flags & inspect.CO_OPTIMIZED:
        # A module, a class, or what holds type parameters.
        one, other = _inner(old), _inner(new)
        if not _same_itself(old, new) or len(one) != len(other):
            return None
        pairs: list[tuple[types.CodeType, types.CodeType]] = []
        for before, after in zip(one, other):  # noqa: B905 - old Pythons
            below = _pairs(before, after)
            if below is None:
                return None
            pairs += below
        return pairs
    return [(old, new), *_nested(old, new)]


def _nested(old: types.CodeType, new: types.CodeType) -> list[tuple[types.CodeType, types.CodeType]]:
    """The functions within a function before and after, by name and by which of those of that name it is."""
    pairs: list[tuple[types.CodeType, types.CodeType]] = []
    left = _inner(new)
    for before in _inner(old):
        after = next((one for one in left if one.co_name == before.co_name), None)
        if after is not None:
            left.remove(after)
            pairs += [(before, after), *_nested(before, after)]
    return pairs


def _same_itself(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether code does the same, what is nested in it and its lines apart."""
    if any(getattr(old, name, None) != getattr(new, name, None) for name in _COMPARED):
        return False
    # 1 == 1.0 == True, but they are not the same constant.
    return repr([_plain(one) for one in old.co_consts]) == repr([_plain(one) for one in new.co_consts])


def _plain(constant: Any) -> Any:
    return constant.co_name if isinstance(constant, types.CodeType) else constant


def _equal(old: types.CodeType, new: types.CodeType) -> bool:
    inner, others = _inner(old), _inner(new)
    return (
        _same_itself(old, new) and len(inner) == len(others) and all(_equal(a, b) for a, b in zip(inner, others))  # noqa: B905 - old Pythons
    )
