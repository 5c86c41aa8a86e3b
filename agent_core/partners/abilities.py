"""What a model was found able to do, kept from one run to the next: asked or tried once, not at every start."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec

from agent_core import places
from agent_core.small_files import put_in_place

_FILE = "abilities.json"
# Servers are updated and models loaded anew: what was found is believed for so many seconds.
_BELIEVED = 30 * 24 * 3600
_MOST = 500
log = logging.getLogger(__name__)


class Abilities(msgspec.Struct, frozen=True):
    """What a model on a server was found able to do; None where nobody knows yet.

    Attributes:
        tools: It takes tools and calls them as the API has it.
        streams_usage: Streamed answers say how many tokens they took.
        parallel: It takes the field that says whether several tools may be called in one answer.
        window: How many tokens it can read; 0 where that is not known.
        refused: Fields of requests that the server does not know.
        form: In which form its patches can be read; empty where none has shown to be the one.
        at: When this was found, in seconds since the epoch.
    """

    tools: bool | None = None
    streams_usage: bool | None = None
    parallel: bool | None = None
    window: int = 0
    refused: tuple[str, ...] = ()
    form: Literal["", "envelope", "blocks", "whole"] = ""
    at: float = 0.0


class AbilityBook:
    """The file of what was found, for all servers and models of this user.

    It is only ever a short cut: one that cannot be read or written is as good as an empty one.

    Args:
        path: The file; None for the one in the user's state folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or places.state_dir() / _FILE

    def get(self, base_url: str, model: str) -> Abilities:
        """What is known of a model; nothing where what was found is too old."""
        found = self._read().get(_key(base_url, model), Abilities())
        return found if time.time() - found.at < _BELIEVED else Abilities()

    def note(self, base_url: str, model: str, **found: object) -> Abilities:
        """Keep something that was found of a model.

        Args:
            base_url: The server's address.
            model: The model's id.
            found: Fields of `Abilities`; the others stay as they are.

        Returns:
            All that is known now.
        """
        before = self.get(base_url, model)
        after = msgspec.structs.replace(before, **found)
        if after == before:
            return before
        after = msgspec.structs.replace(after, at=time.time())
        book = self._read() | {_key(base_url, model): after}
        newest = sorted(book.items(), key=lambda entry: entry[1].at)[-_MOST:]
        try:
            self._write(msgspec.json.encode(dict(newest)))
        except OSError:
            log.exception("%s cannot be written", self._path)
        return after

    def _read(self) -> dict[str, Abilities]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Abilities])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError):
            log.exception("%s cannot be read", self._path)
            return {}

    def _write(self, data: bytes) -> None:
        places.make_private(self._path.parent)
        put_in_place(self._path, data)


def _key(base_url: str, model: str) -> str:
    """What a model is kept under: without a password that the address may hold."""
    parts = urlsplit(base_url.rstrip("/"))
    return f"{urlunsplit(parts._replace(netloc=parts.netloc.rpartition('@')[2]))} {model}"
