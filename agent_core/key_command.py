"""``pairloop key``: keys kept, taken away and listed; never shown, and never taken from the command line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from agent_core.config_tables import Config
from agent_core.errors import ConfigError
from agent_core.keys.file import KeyEntry, KeyFile
from agent_core.keys.finding import server_name
from agent_core.keys.ring import Ring, RingError, SystemRing
from agent_core.output import complain, write_out
from agent_core.partners.endpoint import OPENAI_URL, Key
from agent_core.partners.several import Partners
from agent_core.text import printable

DONE, NOTHING = 0, 1


class KeyStore:
    """Where keys are kept: in the system keyring where there is one that works, else in a file.

    Args:
        file: The file; the user's by default.
        ring: The keyring; the system's by default.
    """

    def __init__(self, file: KeyFile | None = None, ring: Ring | None = None) -> None:
        self.file = file or KeyFile()
        self.ring = ring or SystemRing()

    def put(self, name: str, key: str, *, plain: bool = False) -> str:
        """Keep a key.

        Args:
            name: The partner or the server's host.
            key: The key.
            plain: Do not try the keyring.

        Returns:
            Where it went, as a sentence.

        Raises:
            ConfigError: It can be kept nowhere.
        """
        why = "as you wished"
        if not plain:
            try:
                self.ring.put(name, key)
            except RingError as error:
                why = f"as the system keyring {error}"
            else:
                self.file.put(name, KeyEntry(keyring=True))
                return f"The key for {name} is in the system keyring."
        before = self.file.read().get(name)
        self.file.put(name, KeyEntry(key))
        if before is not None and before.keyring:
            # An old one there would go before this one, should it ever be asked again.
            self._dropped(name)
        return f"The key for {name} is in {self.file.path}, which only you can read, {why}."

    def drop(self, name: str) -> str:
        """Keep a key no more.

        Returns:
            What was done, as a sentence; empty when there is none.

        Raises:
            ConfigError: The file cannot be used.
        """
        entry = self.file.read().get(name)
        ringed = self._dropped(name) if entry is None or entry.keyring else ""
        if entry is None:
            return f"The key for {name} is out of the system keyring." if ringed == "dropped" else ""
        self.file.put(name, None)
        if not entry.keyring:
            return f"The key for {name} is out of {self.file.path}."
        if ringed == "dropped":
            return f"The key for {name} is out of the system keyring."
        return f"The key for {name} is used no more, but may still be in the system keyring, which {ringed}."

    def _dropped(self, name: str) -> str:
        """Take a key out of the keyring; ``dropped``, or why not."""
        try:
            there = bool(self.ring.get(name))
            self.ring.drop(name)
        except RingError as error:
            return str(error)
        return "dropped" if there else "has none"


def name_for(config: Config, partner: str) -> tuple[str, str]:
    """What a partner's key is kept under: the name of one's own ``[partners.NAME]``, else the host of the server.

    Args:
        config: The configuration.
        partner: The name of a partner, a preset, a host or an address; empty for the one in use.

    Returns:
        That name, and the environment variable that goes before it, empty where there is none.

    Raises:
        ConfigError: There is no such partner, or it needs no key.
    """
    if partner in config.partners:
        return partner, Partners(config, {}).settings(partner).key_env
    if "://" in partner:
        return server_name(partner), ""
    if "." in partner or ":" in partner:
        return partner.lower(), ""
    settings = Partners(config, {}).settings(partner)
    if settings.script:
        raise ConfigError("This partner plays a script, and needs no key.", "Name another: pairloop key set PARTNER")
    return server_name(settings.base_url or OPENAI_URL), settings.key_env


async def set_key(config: Config, partner: str, read: Callable[[str], str], *, plain: bool) -> int:
    """Keep a key.

    Args:
        config: The configuration.
        partner: As in `name_for`.
        read: Asks for the key, given what for.
        plain: Keep it in the file, whatever keyring there is.

    Returns:
        The exit code: 0 kept, 1 nothing was typed.

    Raises:
        ConfigError: It can be kept nowhere.
    """
    name, variable = name_for(config, partner or config.partner.use)
    key = read(printable(name)).strip()
    if not key:
        complain("No key was given, so nothing was changed.")
        return NOTHING
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError("That is no key: it holds characters that no key has.", "Copy it again.")
    Key(key, "", "")
    told = [f"{await asyncio.to_thread(KeyStore().put, name, key, plain=plain)}\n"]
    if variable and os.environ.get(variable, "").strip():
        told.append(f"${variable} is set, and goes before it.\n")
    return DONE if write_out(told) else NOTHING


async def drop_key(config: Config, partner: str) -> int:
    """Keep a key no more.

    Returns:
        The exit code: 0 done, 1 there is none.

    Raises:
        ConfigError: The file cannot be used.
    """
    name, _ = name_for(config, partner or config.partner.use)
    told = await asyncio.to_thread(KeyStore().drop, name)
    if not told:
        complain(f"There is no key for {printable(name)}.", "`pairloop key list` names those that there are.")
        return NOTHING
    return DONE if write_out([f"{told}\n"]) else NOTHING


async def list_keys(config: Config) -> int:
    """List the names of keys, and where they are; never the keys.

    Returns:
        The exit code: 0 told, 1 there are none.

    Raises:
        ConfigError: The file cannot be used.
    """
    file = KeyFile()
    kept = await asyncio.to_thread(file.read)
    partners = Partners(config, {})
    variables = dict.fromkeys(partners.settings(name).key_env for name in partners.names if _usable(partners, name))
    lines = [(f"${name}", "the environment") for name in variables if os.environ.get(name, "").strip()]
    lines += [(name, "the system keyring" if one.keyring else str(file.path)) for name, one in sorted(kept.items())]
    if not lines:
        complain("There are no keys.", "Keep one with: pairloop key set")
        return NOTHING
    width = max(len(name) for name, _ in lines)
    return DONE if write_out([printable(f"{name:<{width}}  {place}\n") for name, place in lines]) else NOTHING


def _usable(partners: Partners, name: str) -> bool:
    try:
        return bool(partners.settings(name).key_env)
    except ConfigError:
        # One that lacks something has no key to tell of.
        return False
