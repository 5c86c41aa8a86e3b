"""Hooks: commands of the human's own that run on events, beside whatever goes on.

A hook hears of an event after it has happened, and decides nothing. What it writes into the project is an edit like any
other. Hooks run one after the other, in the order of the events; where they cannot keep up, the oldest that wait are
left out, and that is said.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from agent_core import events as ev
from agent_core.config_tables import HookConfig
from agent_core.errors import LOGGED
from agent_core.output import JsonLine
from agent_core.parts import Parts
from agent_core.process import run
from agent_core.state import State

_MOST_WAITING = 200
_KEPT = 16_000  # bytes of output, head and tail
_MOST_A_MINUTE = 60
_MINUTE = 60.0
_GRACE = 1.5
_GRACE_ALONE = 10.0
"""Where nobody looks on, nobody waits for the screen to go either."""
log = logging.getLogger(__name__)


class _Call(msgspec.Struct, frozen=True):
    name: str
    hook: HookConfig
    entry: ev.Entry

    @property
    def on(self) -> str:
        """Name of the event."""
        return type(self.entry.event).__name__


class Hooks:
    """Runs the hooks of one session.

    Args:
        parts: The session's parts.
        clock: Tells the time, in seconds.
    """

    def __init__(self, parts: Parts, clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = parts
        self._clock = clock
        self._hooks: Mapping[str, tuple[tuple[str, HookConfig], ...]] = _by_event(parts.config.hooks)
        self._waiting: deque[_Call] = deque()
        self._stirred = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._times: dict[str, deque[float]] = {}
        self._dropped: Counter[str] = Counter()
        self._line = JsonLine()

    def listen(self, entry: ev.Entry, _state: State) -> None:
        """Hear of an event: have its hooks run when it is their turn."""
        hooks = self._hooks.get(type(entry.event).__name__, ())
        for name, hook in hooks:
            if len(self._waiting) >= _MOST_WAITING:
                self._dropped[self._waiting.popleft().name] += 1
            self._waiting.append(_Call(name, hook, entry))
        if hooks:
            self._idle.clear()
            self._stirred.set()

    async def run(self) -> None:
        """Run what waits, until cancelled."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            while self._waiting:
                self._tell_dropped()
                await self._carry_out(self._waiting.popleft())
            self._idle.set()

    async def finish(self) -> None:
        """Let what waits come to its end, for a moment."""
        grace = _GRACE if self._parts.followed else _GRACE_ALONE
        try:
            async with asyncio.timeout(grace):
                await self._idle.wait()
        except TimeoutError:
            names = ", ".join(dict.fromkeys(call.name for call in self._waiting))
            if names:
                self._parts.emit(ev.Noted("warning", f"Hooks were not run any more, as the session ended: {names}."))

    def _tell_dropped(self) -> None:
        if self._dropped:
            said = ", ".join(f"{name} {count} times" for name, count in sorted(self._dropped.items()))
            self._dropped.clear()
            self._parts.emit(ev.Noted("warning", f"Hooks cannot keep up with what happens. Left out: {said}."))

    async def _carry_out(self, call: _Call) -> None:
        if self._too_often(call.name):
            return
        start, code, killed, output = self._clock(), -1, "", b""
        try:
            done = await run(
                ("sh", "-c", f"exec 2>&1\n{call.hook.run}"),
                cwd=self._parts.workspace.root,
                timeout=call.hook.timeout,
                # A large proposal takes its time.
                stdin=await asyncio.to_thread(self._told, call.entry),
                cap=_KEPT,
            )
            code, output = done.code, done.stdout
            killed = f"its {call.hook.timeout:g} s were up" if done.timed_out else done.killed
        except asyncio.CancelledError:
            killed = "the session ended"
            raise
        except Exception as error:
            log.exception("hook %s could not be run", call.name)
            killed = f"it could not be run: {type(error).__name__}. {LOGGED}"
        finally:
            words = self._parts.mask(output.decode("utf-8", "replace"))
            seconds = self._clock() - start
            self._parts.emit(ev.HookFinished(call.name, call.on, code, words, seconds, killed))

    def _told(self, entry: ev.Entry) -> bytes:
        return self._line(_masked(msgspec.to_builtins(entry), self._parts.mask)).encode()

    def _too_often(self, name: str) -> bool:
        """Whether a hook has run so often of late that it most likely runs on what it does itself."""
        now, times = self._clock(), self._times.setdefault(name, deque())
        while times and now - times[0] > _MINUTE:
            times.popleft()
        if len(times) < _MOST_A_MINUTE:
            times.append(now)
            return False
        if len(times) == _MOST_A_MINUTE:
            times.append(now)
            self._parts.emit(
                ev.Noted(
                    "warning",
                    f"Hook {name} ran {_MOST_A_MINUTE} times within a minute and rests until that is over.",
                    "Does it write files on the very events that files make?",
                )
            )
        return True


def _by_event(hooks: Mapping[str, HookConfig]) -> dict[str, tuple[tuple[str, HookConfig], ...]]:
    found: dict[str, tuple[tuple[str, HookConfig], ...]] = {}
    for name, hook in hooks.items():
        for on in dict.fromkeys(hook.on):
            found[on] = (*found.get(on, ()), (name, hook))
    return found


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    """A value of JSON with the secrets taken out of its texts."""
    match value:
        case str():
            return mask(value)
        case dict():
            return {key: _masked(item, mask) for key, item in value.items()}
        case list() | tuple():
            return [_masked(item, mask) for item in value]
        case _:
            return value
