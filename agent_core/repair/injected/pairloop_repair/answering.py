"""What functions give for calls, with a variant in place: the work of a child.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import random
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .calls import Call
from .crew import Tell
from .loading import put_in_place
from .near import listed, shown
from .swap import Live, Refused
from .texts import Texts
from .witnessed import Hung, at_most

if TYPE_CHECKING:
    from .calls import Function
    from .texts import Edit

_EACH = 0.3
_MOST_HUNG = 5
_PIECE = 20


def answers(live: Live, texts: Texts, edits: Sequence[Edit], calls: list[Call]) -> Callable[[Tell], None]:
    """The work of a child that tells the ``results`` of calls, in their order."""

    def work(tell: Tell) -> None:
        find = _put_in_place(live, texts, edits)
        said: list[str] = []
        hung = 0
        for call in calls:
            result = "?"
            if hung < _MOST_HUNG:
                try:
                    # Where nothing else can be told apart, chance must not.
                    random.seed(0)
                    with at_most(_EACH):
                        result = _answer(find(call.function), call)
                except Hung:
                    hung += 1
            said.append(result)
            if len(said) == _PIECE:
                tell(results=said)
                said = []
        tell(results=said)

    return work


def _put_in_place(live: Live, texts: Texts, edits: Sequence[Edit]) -> Callable[[Function], Any]:
    """Put edits in place; gives what finds a function as it then is.

    Raises:
        Exception: They cannot be put in place.
    """
    try:
        if texts.swappable(edits):
            live.swap(texts, edits)
            return lambda function: live.functions(function.key)[0]
    except Refused:
        pass
    whole = texts.whole(edits)
    put_in_place(whole)
    modules = [one for one in list(sys.modules.values()) if getattr(one, "__file__", None) in whole]
    for module in modules:
        importlib.reload(module)

    def find(function: Function) -> Any:
        for module in modules:
            if str(module.__file__).endswith(function.path):
                return _within(module, function.body.qualname)
        return live.functions(function.key)[0]

    return find


def _within(module: Any, qualname: str) -> Any:
    """A function by its name, as it was written: without what decorators made of it."""
    found = module
    for name in qualname.split("."):
        found = inspect.getattr_static(found, name)
    for name in ("__func__", "fget"):
        found = getattr(found, name, found)
    return inspect.unwrap(found)


def _answer(function: Any, call: Call) -> str:
    """What a call gives, as text, and what it leaves behind in what it was given."""
    try:
        positional, named = call.arguments()
        before = [shown(one) for one in positional]
    except Exception:  # noqa: BLE001 - what cannot be copied cannot be compared
        return "?"
    try:
        result = _result(function(*positional, **named))
    except Hung:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it raises is what it gives
        result = "raises " + type(error).__name__
    left = [
        name + " = " + now
        for name, was, now in zip(_names(call, len(before)), before, map(_safe, positional))  # noqa: B905 - old Pythons
        if was != now
    ]
    return result + (", leaving " + ", ".join(left) if left else "")


def _result(value: Any) -> str:
    if inspect.iscoroutine(value):
        value = asyncio.run(value)
    if inspect.isgenerator(value) or (hasattr(type(value), "__next__") and hasattr(type(value), "__iter__")):
        return listed(value)
    return shown(value)


def _safe(value: Any) -> str:
    try:
        return shown(value)
    except Exception:  # noqa: BLE001 - it was shown before
        return "?"


def _names(call: Call, count: int) -> list[str]:
    """What so many arguments by position are called."""
    args = call.function.body.node.args
    names = [one.arg for one in (*args.posonlyargs, *args.args)]
    return names + ["%s[%d]" % (args.vararg.arg, index) for index in range(count - len(names))]  # noqa: UP031 - old Pythons
