"""Calls functions of a package with inputs near to those that its tests call them with, and writes down what they give.

Standalone; imported by the functions themselves, into which `tests.bench.fresh_inputs` puts a call of `seen`. The same
tests give the same inputs whatever the function does, as long as it passes them.
"""

from __future__ import annotations

import atexit
import copy
import datetime as dt
import decimal
import fractions
import hashlib
import json
import os
import random
import re
import signal
import sys
import time
from collections.abc import Iterator
from types import CodeType, FrameType, FunctionType
from typing import Any

_SEED = os.environ.get("FRESH_SEED", "0")
_OUT = os.environ.get("FRESH_OUT", "")
_CALLS, _EACH, _SECONDS, _CALL_SECONDS = 40, 6, 40.0, 0.5
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")

_busy = False
_spent = 0.0
_calls: dict[str, int] = {}
_known: set[str] = set()
_found: dict[str, tuple[str, str]] = {}


class _TooLong(BaseException):
    """A call does not come to its end."""


def show(value: Any, depth: int = 0) -> str:
    """A value as text that is the same for values that are the same; at most a few levels deep."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    if depth > 4:
        return type(value).__name__
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}[{', '.join(show(one, depth + 1) for one in value[:50])}]#{len(value)}"
    if isinstance(value, dict):
        items = [f"{show(key, depth + 1)}: {show(one, depth + 1)}" for key, one in list(value.items())[:50]]
        return f"{type(value).__name__}{{{', '.join(items)}}}"
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}{sorted(show(one, depth + 1) for one in value)}"
    if isinstance(value, type | FunctionType):
        return value.__qualname__
    if isinstance(value, BaseException):
        return f"{type(value).__name__}{show(value.args, depth + 1)}"
    if isinstance(value, Iterator):
        return f"iterator[{', '.join(show(one, depth + 1) for one, _ in zip(value, range(50), strict=False))}]"
    own: object = type(value).__repr__
    if own is not object.__repr__:
        return _ADDRESS.sub("0x", repr(value))
    return f"{type(value).__name__}({show(vars(value), depth + 1) if hasattr(value, '__dict__') else ''})"


def _other_number(value: Any, dice: random.Random) -> Any:
    return dice.choice(
        (value + 1, value - 1, -value, value * 10, value * 0, value * 2 + 1, value * dice.randint(3, 999))
    )


def _other_text(value: Any, dice: random.Random) -> Any:
    at = dice.randint(0, len(value))
    end = dice.randint(at, len(value))
    letter = dice.choice((" ", "a", "Z", "0", "-", ".", "\n", "é"))
    extra: Any = letter.encode() if isinstance(value, bytes) else letter
    return dice.choice(
        (
            value[:0],
            value[:at] + value[at + 1 :],
            value[:at] + extra + value[at:],
            value + value,
            value.upper(),
            value[at:end],
        )
    )


def _other_items(value: Any, dice: random.Random) -> Any:
    items = list(value)
    if not items:
        return value
    at = dice.randrange(len(items))
    one = other(items[at], dice)
    changed = dice.choice(
        (
            [*items[:at], *items[at + 1 :]],
            [*items, items[at]],
            items[::-1],
            [],
            [*items[:at], one, *items[at + 1 :]],
            [*items[:at], one, *items[at + 1 :]],
        )
    )
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return value
    return type(value)(changed)


def other(value: Any, dice: random.Random) -> Any:
    """A value near to another, of the same kind; the same where nothing is known of its kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, dt.timedelta | decimal.Decimal | fractions.Fraction | int | float):
        moved = isinstance(value, dt.timedelta)
        return value * dice.choice((0, -1, 2, 7, 60, 365)) if moved else _other_number(value, dice)
    if isinstance(value, dt.date):
        return value + dt.timedelta(days=dice.randint(-400, 400))
    if isinstance(value, str | bytes):
        return _other_text(value, dice)
    if type(value) in {list, tuple, set, frozenset}:
        return _other_items(value, dice)
    if type(value) is dict and value:
        key = dice.choice(list(value))
        rest = {one: value[one] for one in value if one != key}
        return rest if dice.random() < 0.4 else {**value, key: other(value[key], dice)}
    return value


def _function(module: str, name: str) -> FunctionType | None:
    """A function by its name, without what is wrapped around it."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
        if found is None:
            return None
    for _ in range(5):
        if isinstance(found, FunctionType) and not hasattr(found, "__wrapped__"):
            return found
        for attribute in ("__wrapped__", "__func__", "fget", "func"):
            if getattr(found, attribute, None) is not None:
                found = getattr(found, attribute)
                break
    return found if isinstance(found, FunctionType) else None


def _arguments(code: CodeType, held: dict[str, Any]) -> tuple[list[str], str, list[str], str]:
    """The names of a function's parameters: those by place, that of the rest, those by name, that of the rest."""
    names, at = code.co_varnames, code.co_argcount
    by_place, by_name = list(names[:at]), list(names[at : at + code.co_kwonlyargcount])
    at += code.co_kwonlyargcount
    rest = names[at] if code.co_flags & 0x04 else ""
    more = names[at + bool(rest)] if code.co_flags & 0x08 else ""
    return by_place, rest, by_name, more


def _stop(number: int, frame: FrameType | None) -> None:
    raise _TooLong


def _result(function: FunctionType, held: dict[str, Any]) -> str:
    """What a function gives, what it raises, and what it leaves of its arguments."""
    by_place, rest, by_name, more = _arguments(function.__code__, held)
    before = signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, _CALL_SECONDS)
    try:
        places = [*(held[name] for name in by_place), *(held[rest] if rest else ())]
        names = {**{name: held[name] for name in by_name}, **(held[more] if more else {})}
        said = show(function(*places, **names))
        return f"{said} | {show([held[name] for name in by_place])}"
    except _TooLong:
        return "?"
    except Exception as error:  # noqa: BLE001 - whatever it raises is what it does
        return f"raises {type(error).__name__}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _try_near(function: FunctionType, name: str, held: dict[str, Any]) -> None:
    text = show(held)
    mark = hashlib.sha256(f"{name} {text}".encode("utf-8", "replace")).hexdigest()[:16]
    if mark in _known:
        return
    _known.add(mark)
    _calls[name] = _calls.get(name, 0) + 1
    changeable = [key for key, value in held.items() if key not in {"self", "cls"}] or list(held)
    for number in range(_EACH):
        dice = random.Random(f"{_SEED} {mark} {number}")
        near = copy.deepcopy(held)
        for key in dice.sample(changeable, min(len(changeable), dice.choice((1, 1, 2)))):
            near[key] = other(near[key], dice)
        asked = show(near)
        if asked != text:
            _found[f"{mark}-{number}"] = (f"{name} {asked}"[:400], _result(function, near))


def seen(module: str, name: str, held: dict[str, Any]) -> None:
    """A function was called.

    Args:
        module: Its module.
        name: Its qualified name.
        held: Its local variables, which are its arguments yet.
    """
    global _busy, _spent  # noqa: PLW0603 - the state of one process
    if _busy or _spent > _SECONDS or _calls.get(name, 0) >= _CALLS:
        return
    _busy, start = True, time.monotonic()
    try:
        function = _function(module, name)
        if function is None:
            return
        by_place, rest, by_name, more = _arguments(function.__code__, held)
        wanted = [key for key in (*by_place, rest, *by_name, more) if key]
        if wanted and all(key in held for key in wanted):
            _try_near(function, name, {key: copy.deepcopy(held[key]) for key in wanted})
    except Exception:  # noqa: BLE001 - what cannot be copied or shown is no input
        pass
    finally:
        _busy = False
        _spent += time.monotonic() - start


def _write() -> None:
    if _OUT and _found:
        with open(_OUT, "w", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - little is imported here
            json.dump(_found, file)


atexit.register(_write)
