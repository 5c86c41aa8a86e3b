"""Finding the key for a server: in the environment, in the system keyring, in the file of keys, in this order."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from agent_core.errors import ConfigError
from agent_core.keys.file import KeyFile
from agent_core.keys.ring import Ring, RingError, SystemRing
from agent_core.partners.endpoint import Key

_PATIENCE = 15.0
"""Seconds to unlock a keyring of which it is known that the key is in it."""
log = logging.getLogger(__name__)


def server_name(base_url: str) -> str:
    """What the key for a server is kept under: its host, and its port where the address names one."""
    return urlsplit(base_url).netloc.rpartition("@")[2].lower()


class KeyFinder:
    """Finds keys; asking the keyring may take seconds, so never on the screen's thread.

    Args:
        environ: The environment.
        file: The file of keys; the user's by default.
        ring: The keyring; the system's by default.
    """

    def __init__(self, environ: Mapping[str, str], file: KeyFile | None = None, ring: Ring | None = None) -> None:
        self._environ = environ
        self._file = file or KeyFile()
        self._ring = ring or SystemRing()

    def find(self, variable: str, names: Sequence[str], *, needed: bool) -> Key:
        """The key for a server.

        Args:
            variable: Name of the environment variable it may be in; empty for none.
            names: What it may be kept under: the partner's name, the server's host; the first that has one counts.
            needed: The server answers nobody without: the keyring is asked also where nothing says that it has one.

        Returns:
            The key, which says where it was found; an empty one when there is none.

        Raises:
            ConfigError: The file cannot be used, or the keyring that has the key does not give it.
        """
        if value := self._environ.get(variable, "").strip():
            return Key(value, variable, f"${variable}")
        names = [name for name in names if name]
        kept = self._file.read()
        for name in names:
            if name in kept and kept[name].keyring:
                try:
                    value = self._ring.get(name, _PATIENCE)
                except RingError as error:
                    raise ConfigError(
                        f"The key for {name} is in the system keyring, which {error}.",
                        f"Unlock it and try again, or set {variable or 'the key in the environment'}.",
                    ) from None
                if value:
                    return Key(value, variable, "the system keyring")
        if needed and not any(name in kept for name in names):
            for name in names:
                if value := self._asked(name):
                    return Key(value, variable, "the system keyring")
        for name in names:
            if name in kept and kept[name].key:
                return Key(kept[name].key.strip(), variable, str(self._file.path))
        return Key("", variable)

    def _asked(self, name: str) -> str:
        try:
            return self._ring.get(name)
        except RingError as error:
            log.info("the system keyring %s", error)
            return ""
