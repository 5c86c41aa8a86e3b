"""Finding servers on this machine by themselves: the usual ports of loopback, all at once, and not for long.

Nothing but loopback is ever asked, and nothing is sent but a wish for the list of models, without a key.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from agent_core.partners.presets import Preset, presets

SECONDS = 1.0
"""How long to look at the start. Where nothing listens that is known at once; what listens may be busy."""
_MOST = 1_000_000
_LONGEST_SIZE = 200
_ASK = "GET {path}/models HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"


class Found(msgspec.Struct, frozen=True):
    """A server that listens on this machine.

    Attributes:
        preset: What it seems to be, by its port.
        models: Ids of the models it lists.
        closed: It listens, but tells nobody without a key.
    """

    preset: Preset
    models: tuple[str, ...] = ()
    closed: bool = False

    @property
    def place(self) -> str:
        """Host and port."""
        return urlsplit(self.preset.base_url).netloc

    @property
    def told(self) -> str:
        """It and what it has, for a human."""
        if self.closed:
            return f"{self.preset.title} at {self.place}, which wants a key ({self.preset.key_env})"
        first, more = self.models[0], len(self.models) - 1
        return f"{self.preset.title} at {self.place}, with {first}{f' and {more} more' if more else ''}"


async def discover(places: Sequence[Preset] | None = None, seconds: float = SECONDS) -> tuple[Found, ...]:
    """The servers that listen on the usual ports, in the order of the presets.

    Args:
        places: Where to look; None for all presets of this machine.
        seconds: How long, in all.
    """
    wanted = [one for one in (presets().values() if places is None else places) if one.local]
    tasks = [asyncio.create_task(_look(one)) for one in wanted]
    if not tasks:
        return ()
    await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    ended = (task.result() for task in tasks if not task.cancelled() and task.exception() is None)
    return tuple(found for found in ended if found is not None)


async def _look(preset: Preset) -> Found | None:
    """What listens at the place of a preset; None where nothing does that lists models."""
    parts = urlsplit(preset.base_url)
    if parts.hostname != "127.0.0.1" or parts.port is None:
        return None
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=_MOST)
    except OSError:
        return None
    try:
        writer.write(_ASK.format(path=parts.path, host=parts.netloc).encode())
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = head.split(" ", 2)[1:2]
        if status == ["401"]:
            return Found(preset, closed=True)
        if status != ["200"]:
            return None
        models = _models(_whole(head, await _read(reader)))
        return Found(preset, models) if models else None
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return None
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """What comes until the other side closes, but no more than it should be."""
    body = b""
    while len(body) < _MOST and (more := await reader.read(65536)):
        body += more
    return body


def _whole(head: str, body: bytes) -> bytes:
    """A body as it was before it was cut into chunks."""
    if "transfer-encoding: chunked" not in head.lower():
        return body
    pieces: list[bytes] = []
    at = 0
    while (end := body.find(b"\r\n", at, at + _LONGEST_SIZE)) >= 0:
        count = int(body[at:end].split(b";")[0], 16)
        if count <= 0:
            break
        pieces.append(body[end + 2 : end + 2 + count])
        at = end + 2 + count + 2
    return b"".join(pieces)


def _models(body: bytes) -> tuple[str, ...]:
    listed = json.loads(body)
    entries = listed.get("data") if isinstance(listed, dict) else None
    ids = [one.get("id") for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    return tuple(one for one in ids if isinstance(one, str) and one)
