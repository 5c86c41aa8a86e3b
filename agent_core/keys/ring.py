"""The system's keyring: asked late, off to the side, and never for longer than it may take.

A keyring that is locked puts up a window and waits for its password; without a desktop there may be nobody to type it.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol

SERVICE = "pairloop"
_SECONDS = 3.0
log = logging.getLogger(__name__)


class RingError(Exception):
    """The keyring does not work here, or did not answer in time; says which."""


class Ring(Protocol):
    """Something that keeps keys by name."""

    def get(self, name: str, seconds: float = _SECONDS) -> str:
        """The key of a name; empty when there is none.

        Raises:
            RingError: It cannot be asked.
        """

    def put(self, name: str, key: str) -> None:
        """Keep a key.

        Raises:
            RingError: It cannot be kept there.
        """

    def drop(self, name: str) -> None:
        """Keep it no more; nothing happens where there is none.

        Raises:
            RingError: It cannot be taken out.
        """


class SystemRing:
    """The keyring of the system: Secret Service, KWallet, Keychain, or what ``keyring`` is configured for."""

    def get(self, name: str, seconds: float = _SECONDS) -> str:
        """See `Ring.get`."""
        found = _within(seconds, lambda ring: ring.get_password(SERVICE, name))
        return str(found).strip() if found else ""

    def put(self, name: str, key: str) -> None:
        """See `Ring.put`; the human may have to unlock it first."""

        def keep(ring: Any) -> bool:
            ring.set_password(SERVICE, name, key)
            # There are backends that keep nothing, and do not say so.
            return bool(ring.get_password(SERVICE, name) == key)

        if not _within(60.0, keep):
            raise RingError("keeps nothing here")

    def drop(self, name: str) -> None:
        """See `Ring.drop`."""

        def drop(ring: Any) -> None:
            if ring.get_password(SERVICE, name) is not None:
                ring.delete_password(SERVICE, name)

        _within(60.0, drop)


def _within(seconds: float, do: Callable[[Any], Any]) -> Any:
    """Do something with the keyring on a thread that nobody waits for at the end."""
    answers: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

    def work() -> None:
        try:
            # Slow to import, and only needed where no key is in the environment.
            import keyring  # noqa: PLC0415

            answers.put((True, do(keyring)))
        except Exception as error:  # noqa: BLE001 - backends raise whatever their libraries do
            answers.put((False, f"{type(error).__name__}: {str(error) or 'no reason given'}"))

    threading.Thread(target=work, name="keyring", daemon=True).start()
    try:
        well, found = answers.get(timeout=seconds)
    except queue.Empty:
        raise RingError(f"did not answer within {seconds:.0f} seconds; it may be locked") from None
    if not well:
        log.info("the keyring cannot be used: %s", found)
        raise RingError("has no backend that works here" if "NoKeyringError" in found else f"failed ({found[:200]})")
    return found
