"""Calls of functions: which functions a variant touches, what tests call them with, and calls near to those.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import ast
import contextlib
import copy
import inspect
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .near import near_values, shown
from .texts import Body, Text, Texts

if TYPE_CHECKING:
    from .texts import Edit
    from .traced import Key

_MOST_RECORDED, _MOST_CALLS = 60, 200
_MOST_FUNCTIONS = 6
_COPYING = 3.0
_LASTS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Function:
    """A function whose calls are compared.

    Attributes:
        path: Its file.
        key: By which its code is known.
        body: It as text.
        method: Whether its first argument is what it is called on.
    """

    def __init__(self, path: str, body: Body) -> None:
        self.path = path
        self.key = (path, body.node.name, body.line)
        self.body = body
        self.method = bool(body.classes) and not any(
            isinstance(one, ast.Name) and one.id == "staticmethod" for one in body.node.decorator_list
        )


def touched(texts: Texts, edits: Sequence[Edit]) -> list[Function]:
    """The functions that edits touch: those they are in; for what is in none those of the file that use its names."""
    found: dict[Key, Function] = {}
    for text, own in texts.by_path(edits):
        for edit in own:
            for body in _bodies(text, edit):
                function = Function(text.path, body)
                if len(found) < _MOST_FUNCTIONS:
                    found.setdefault(function.key, function)
    return list(found.values())


def _bodies(text: Text, edit: Edit) -> list[Body]:
    within = [body for body in text.bodies if body.start <= edit[1] and edit[2] <= body.end]
    if within:
        return within
    line = text.text.count("\n", 0, edit[1]) + 1
    names: set[str] = set()
    for node in ast.walk(text.tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and node.lineno <= line <= (
            node.end_lineno or 0
        ):
            names.update(one.id for one in ast.walk(node) if isinstance(one, ast.Name))
    return [body for body in text.bodies if names & _used(body)]


def _used(body: Body) -> set[str]:
    return {
        one.id if isinstance(one, ast.Name) else one.attr
        for one in ast.walk(body.node)
        if isinstance(one, (ast.Name, ast.Attribute))
    }


class Call:
    """A call: the function, what it is given by name, and how that reads.

    Raises:
        Exception: What it is given cannot be shown.
    """

    def __init__(self, function: Function, given: dict[str, Any]) -> None:
        self.function = function
        self.given = given
        self.text = self._text()

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """By position and by name, copies that can be changed.

        Raises:
            Exception: They cannot be copied.
        """
        given = copy.deepcopy(self.given)
        args = self.function.body.node.args
        positional = [given[one.arg] for one in (*args.posonlyargs, *args.args)]
        if args.vararg is not None:
            positional += given[args.vararg.arg]
        named = {one.arg: given[one.arg] for one in args.kwonlyargs}
        if args.kwarg is not None:
            named.update(given[args.kwarg.arg])
        return positional, named

    def _text(self) -> str:
        positional, named = self.arguments()
        parts = [shown(one) for one in positional]
        name: str = self.function.body.node.name
        if self.function.method and parts:
            on = parts.pop(0)
            name = type(positional[0]).__name__ if name == "__init__" else on + "." + name
        parts += [key + "=" + shown(one) for key, one in named.items()]
        return name + "(" + ", ".join(parts) + ")"


class Recorder:
    """Records calls of functions while it is entered, as a context.

    Args:
        functions: By what their code is known by.
        key_of: Gives that.

    Attributes:
        calls: What was recorded, each once.
    """

    def __init__(self, functions: dict[Key, Function], key_of: Callable[[types.CodeType], Key | None]) -> None:
        self._functions = functions
        self._key_of = key_of
        self._known: dict[types.CodeType, Function | None] = {}
        self._texts: set[str] = set()
        self._lasting: set[types.FrameType] = set()
        self._left = dict.fromkeys(functions, _MOST_RECORDED // max(len(functions), 1))
        self._taken = 0.0
        self.calls: list[Call] = []

    @property
    def full(self) -> bool:
        """Whether nothing more is recorded."""
        return self._taken > _COPYING or not any(self._left.values())

    def __enter__(self) -> None:
        sys.setprofile(self._heard)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _heard(self, frame: types.FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code not in self._known:
            key = self._key_of(code)
            self._known[code] = None if key is None else self._functions.get(key)
        function = self._known[code]
        if function is None or not self._left[function.key] or self._taken > _COPYING:
            return
        if code.co_flags & _LASTS:
            # Each time that it goes on looks like a call.
            if frame in self._lasting:
                return
            self._lasting.add(frame)
        start = time.monotonic()
        # What cannot be copied or shown is left out.
        with contextlib.suppress(Exception):
            self._record(function, frame)
        self._taken += time.monotonic() - start

    def _record(self, function: Function, frame: types.FrameType) -> None:
        args = function.body.node.args
        names = [one.arg for one in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
        names += [one.arg for one in (args.vararg, args.kwarg) if one is not None]
        held = frame.f_locals
        call = Call(function, copy.deepcopy({name: held[name] for name in names}))
        if call.text not in self._texts:
            self._texts.add(call.text)
            self._left[function.key] -= 1
            self.calls.append(call)


def near_calls(calls: list[Call]) -> list[Call]:
    """Calls, and behind them others near to them, in turn from each."""
    found = list(calls)
    texts = {call.text for call in calls}
    sources = [_near(call) for call in calls]
    while sources and len(found) < _MOST_CALLS:
        for source in list(sources):
            near = next(source, None)
            if near is None:
                sources.remove(source)
            elif near.text not in texts and len(found) < _MOST_CALLS:
                texts.add(near.text)
                found.append(near)
    return found


def _near(call: Call) -> Iterator[Call]:
    args = call.function.body.node.args
    names = [one.arg for one in (*args.posonlyargs, *args.args)][call.function.method :]
    names += [one.arg for one in args.kwonlyargs]
    for name in names:
        for value in near_values(call.given[name]):
            # What cannot be shown is left out.
            with contextlib.suppress(Exception):
                yield Call(call.function, {**call.given, name: value})
