"""Which addresses may be fetched: of the web, not of this machine or of the network it stands in."""

from __future__ import annotations

import fnmatch
import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

import msgspec

from agent_core.errors import PairloopError

_LONGEST = 2000
# How networks of IPv6 alone reach the rest.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}
# What stands for any character in an address as it is; everything else is written as %XX.
_SAFE = "/%:@!$&'()*+,;=-._~?[]"


class AddressError(PairloopError):
    """An address cannot, or must not, be fetched."""


class Address(msgspec.Struct, frozen=True):
    """An address in one form, whatever way it was written.

    Attributes:
        scheme: ``http`` or ``https``.
        host: The server's name, in ASCII and small letters, or its number.
        port: Its port.
        target: Path and query.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def server(self) -> str:
        """Scheme, host and port: who is asked."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    def __str__(self) -> str:
        return self.server + self.target


def read_address(text: str) -> Address:
    """An address as somebody wrote it.

    Raises:
        AddressError: It is none that can be fetched.
    """
    text = text.strip()
    if len(text) > _LONGEST or any(ord(letter) < 0x21 or ord(letter) == 0x7F for letter in text) or "\\" in text:
        raise AddressError("This is no web address.", "Give one such as https://docs.python.org/3/.")
    try:
        parts = urlsplit(text)
        port = parts.port
        host = _host(parts)
    except ValueError as error:
        raise AddressError("This is no web address.", "Give one such as https://docs.python.org/3/.") from error
    if parts.scheme not in _PORTS or not host:
        raise AddressError("Only http and https addresses can be fetched.", "Give one such as https://example.org/.")
    if "@" in parts.netloc:
        raise AddressError("The address holds a name or a password.", "Give it without.")
    target = urlunsplit(("", "", quote(parts.path or "/", safe=_SAFE), quote(parts.query, safe=_SAFE), ""))
    return Address(parts.scheme, host, port or _PORTS[parts.scheme], target)


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    return host if ":" in host else host.encode("idna").decode().lower()


def named_by(address: Address, rules: Iterable[str]) -> bool:
    """Whether a rule (``fetch https://HOST/*``) allows an address and names its server in full.

    Only such a rule opens what is private: whoever allows ``https://*`` means the web.
    """
    for rule in rules:
        action, _, pattern = rule.strip().partition(" ")
        scheme, _, rest = pattern.strip().partition("://")
        server = rest.partition("/")[0]
        if action != "fetch" or not rest or any(letter in scheme + server for letter in "*?["):
            continue
        if f"{scheme}://{server}".lower() == address.server and (
            fnmatch.fnmatchcase(str(address), pattern.strip()) or rest.rstrip("/") == server
        ):
            return True
    return False


def is_public(number: str) -> bool:
    """Whether the number of a machine is one of the whole internet."""
    found = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if found.sixtofour is not None or found.teredo is not None or found.is_site_local:
            # Tunnels of old, which lead wherever their inner number says, and private networks of old.
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def resolve(address: Address, *, private: bool) -> str:
    """The number to connect to: asked for once, so that no second answer can lead elsewhere. May take seconds.

    Args:
        address: The address.
        private: It may be one of this machine or its network.

    Raises:
        AddressError: There is no such server, or it may not be asked.
    """
    try:
        answers = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise AddressError(f"There is no server {address.host!r}: {error.strerror or error}.") from error
    numbers = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if not numbers:
        raise AddressError(f"There is no server {address.host!r}.")
    # One that is not public is enough: a name that has both is up to something.
    if not private and not all(is_public(number) for number in numbers):
        raise AddressError(
            f"{address.host} is on this machine or its network: it is not fetched.",
            f'The human can allow it by a rule: "fetch {address.server}/*".',
        )
    return numbers[0]
