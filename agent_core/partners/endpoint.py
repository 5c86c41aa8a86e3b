"""Where a partner is reached: an address, a model, a key that nobody gets to see."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import msgspec

from agent_core.keys.known import KNOWN

OPENAI_URL = "https://api.openai.com/v1"

_SHORTEST = 8
"""Characters of the shortest key that is a secret; ``x`` or ``local`` is what is given where any will do."""


def is_openai(base_url: str) -> bool:
    """Whether an address is OpenAI's own (or one of its regional hosts)."""
    host = urlsplit(base_url).hostname or ""
    return host == "api.openai.com" or host.endswith(".api.openai.com")


class Key:
    """A secret that does not show itself in a repr, a log or a traceback.

    From here on it is known (`agent_core.keys.known`), and so taken out of all that is kept and told.

    Args:
        value: The key; empty when there is none.
        variable: Name of the environment variable it came from, or could be put into.
        place: Where it was found, for a human.
    """

    __slots__ = ("_value", "place", "variable")

    def __init__(self, value: str, variable: str, place: str = "") -> None:
        self._value = value
        self.variable = variable
        self.place = place or f"${variable}"
        KNOWN.add(value)

    def __repr__(self) -> str:
        return f"Key(${self.variable}, {'set' if self._value else 'not set'})"

    def __bool__(self) -> bool:
        return bool(self._value)

    def reveal(self) -> str:
        """The key itself, to be sent to the server and nowhere else."""
        return self._value

    def redact(self, text: str) -> str:
        """Some text without the key in it, unless it is too short for one: what is given where none is needed."""
        return text.replace(self._value, "[key]") if len(self._value) >= _SHORTEST else text


class Endpoint(msgspec.Struct, frozen=True):
    """A server that speaks OpenAI's API.

    Attributes:
        base_url: Its address, ``/v1`` included.
        model: The model asked for; empty to take the one the server has.
        key: What it is sent as bearer token.
        timeout: Seconds without a byte after which a request counts as stalled.
        window: How many tokens fit into the model's context; 0 where that is not known.
        headers: Sent with each request, as names and values.
        query: Likewise, behind the address.
        without: Fields of requests that it answers with an error, as far as that is known beforehand.
        key_header: The header that the key goes into, alone; empty for a bearer token.
        list_key_header: The same where models are listed; empty for as elsewhere.
    """

    base_url: str
    model: str
    key: Key
    timeout: float
    window: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    without: tuple[str, ...] = ()
    key_header: str = ""
    list_key_header: str = ""

    @property
    def host(self) -> str:
        """Host and port, for a human; never the credentials an address may hold."""
        parts = urlsplit(self.base_url)
        name = parts.hostname or self.base_url
        try:
            port = parts.port
        except ValueError:
            port = None
        return f"{name}:{port}" if port else name

    @property
    def url(self) -> str:
        """The address without credentials, for a human."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{self.host}{parts.path}" if parts.scheme else self.base_url

    @property
    def official(self) -> bool:
        """Whether this is OpenAI itself."""
        return is_openai(self.base_url)

    @property
    def loopback(self) -> bool:
        """Whether the server runs on this machine."""
        name = urlsplit(self.base_url).hostname or ""
        if name == "localhost":
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False
