"""The file of keys, ``keys.toml`` beside the user's ``config.toml``: keys by host or partner's name.

It also says of which names the key is in the system keyring, which cannot be asked what it has. Nobody but its owner
may read it, or it is refused.
"""

from __future__ import annotations

import json
import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from agent_core.errors import ConfigError
from agent_core.places import user_file
from agent_core.small_files import put_in_place

_HEAD = "# Keys for partners, by host or partner's name, written by `pairloop key set`. Keep this file to yourself.\n"


class KeyEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept for one name.

    Attributes:
        key: The key; empty where it is in the keyring.
        keyring: The system keyring has it.
    """

    key: str = ""
    keyring: bool = False

    def __repr__(self) -> str:
        # A traceback may show it.
        return f"KeyEntry(key={'set' if self.key else 'not set'}, keyring={self.keyring})"


class KeyFile:
    """The file of keys.

    Args:
        path: Where it is; beside the user's configuration by default.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or user_file().parent / "keys.toml"

    def read(self) -> dict[str, KeyEntry]:
        """All there is, by name; nothing when there is no such file.

        Raises:
            ConfigError: It cannot be used: others may read it, it is not ours, it is a link, or it is broken.
        """
        try:
            # A link could lead to a file that somebody else put there.
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            return {}
        except OSError as error:
            if self.path.is_symlink():
                raise self._refused("it is a link", "Put the file itself there.") from error
            raise self._refused(error.strerror or "it cannot be read") from error
        try:
            self._look(os.fstat(handle))
        except ConfigError:
            os.close(handle)
            raise
        with os.fdopen(handle, "rb") as file:
            try:
                data = tomllib.loads(file.read().decode())
                return msgspec.convert(data, dict[str, KeyEntry])
            except tomllib.TOMLDecodeError as error:
                # The library's words may hold what stands there; only the place is told.
                place = str(error).rpartition("(")[2].rstrip(")") or "somewhere"
                raise self._refused(f"it is not valid TOML ({place})") from None
            except (msgspec.ValidationError, UnicodeDecodeError):
                raise self._refused('every name needs key = "..." or keyring = true') from None

    def put(self, name: str, entry: KeyEntry | None) -> None:
        """Keep something for a name, or nothing any more.

        Raises:
            ConfigError: The file cannot be used, or not be written.
        """
        entries = {**self.read(), name: entry} if entry is not None else self.read()
        if entry is None:
            entries.pop(name, None)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            put_in_place(self.path, _written(entries).encode(), durable=True)
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be written: {error.strerror}.") from error

    def _look(self, found: os.stat_result) -> None:
        """Refuse a file that is not for its owner's eyes alone."""
        if not stat.S_ISREG(found.st_mode):
            raise self._refused("it is no file")
        if found.st_uid != os.geteuid():
            raise self._refused("it belongs to somebody else")
        if found.st_mode & 0o077:
            raise self._refused("others can read or write it", f"chmod 600 {self.path}")

    def _refused(self, why: str, hint: str = "") -> ConfigError:
        return ConfigError(f"{self.path}: the keys in it are not used: {why}.", hint)


def _written(entries: Mapping[str, KeyEntry | None]) -> str:
    tables = [_HEAD]
    for name, entry in sorted(entries.items()):
        if entry is None:
            continue
        line = "keyring = true" if entry.keyring else f"key = {json.dumps(entry.key)}"
        tables.append(f"\n[{json.dumps(name)}]\n{line}\n")
    return "".join(tables)
