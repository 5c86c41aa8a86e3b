"""Fetching one page: from the machine that was looked at, within a size and a time, without following elsewhere."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
import zlib

import msgspec

from agent_core import __version__
from agent_core.web.address import Address, AddressError

MOST_BYTES = 2_000_000
_SECONDS = 10.0
"""Seconds without a byte."""
ALL_SECONDS = 30.0
"""Seconds for all of it."""
_CHUNK = 65536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Page(msgspec.Struct, frozen=True):
    """What a server answered.

    Attributes:
        status: HTTP's.
        kind: The media type, without its parameters.
        charset: How its text is written down; empty where that is not said.
        body: At most `MOST_BYTES`.
        cut: There was more.
        location: Where it leads, for a redirection; empty otherwise.
    """

    status: int
    kind: str
    charset: str
    body: bytes
    cut: bool = False
    location: str = ""


class Fetching:
    """One request; it may be given up from another thread.

    Args:
        address: What is fetched.
        number: The machine's number, as `resolve` gave it.
    """

    def __init__(self, address: Address, number: str) -> None:
        self._address = address
        self._number = number
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._given_up = False

    def give_up(self) -> None:
        """End it, whatever it waits for."""
        with self._lock:
            self._given_up = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    # Of the connection itself: to end the encryption in order would wait for the server.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def get(self) -> Page:
        """Ask, and read the answer. Takes its time.

        Raises:
            AddressError: There is no answer, or it is none.
        """
        until = time.monotonic() + ALL_SECONDS
        address = self._address
        connection = http.client.HTTPConnection(address.host, address.port, timeout=_SECONDS)
        with contextlib.closing(connection):
            try:
                connection.sock = self._connected()
                headers = {
                    "Host": address.server.partition("://")[2],
                    "User-Agent": f"pairloop/{__version__}",
                    "Accept": "text/html, text/markdown, text/plain, application/json;q=0.9, */*;q=0.1",
                    "Accept-Encoding": "identity, gzip;q=0.5",
                    "Connection": "close",
                }
                connection.request("GET", address.target, headers=headers)
                answer = connection.getresponse()
                if answer.status in _REDIRECTS and (location := answer.getheader("Location", "")):
                    return Page(answer.status, "", "", b"", location=location)
                body, cut = _body(answer, until)
            except (OSError, http.client.HTTPException, zlib.error, ValueError) as error:
                raise AddressError(f"{address.server} cannot be read: {_reason(error)}.") from error
            return Page(
                answer.status,
                answer.headers.get_content_type(),
                answer.headers.get_content_charset() or "",
                body,
                cut,
            )

    def _connected(self) -> socket.socket:
        raw = socket.create_connection((self._number, self._address.port), timeout=_SECONDS)
        if self._address.scheme == "http":
            return self._kept(raw)
        # The name is what the certificate has to say, whatever number it was looked up as.
        context = ssl.create_default_context()
        name = self._address.host
        secure = context.wrap_socket(raw, server_hostname=name, do_handshake_on_connect=False)
        self._kept(secure)
        try:
            secure.do_handshake()
        except BaseException:
            secure.close()
            raise
        return secure

    def _kept(self, opened: socket.socket) -> socket.socket:
        """A connection, from now on ended when the request is given up."""
        with self._lock:
            self._socket = opened
            if self._given_up:
                opened.close()
                raise OSError("given up")
        return opened


def _body(answer: http.client.HTTPResponse, until: float) -> tuple[bytes, bool]:
    """The body, unpacked, and whether there is more of it."""
    packing = answer.getheader("Content-Encoding", "identity").strip().lower()
    if packing not in {"identity", "", "gzip", "x-gzip", "deflate"}:
        raise ValueError(f"it is packed in a way that was not asked for ({packing[:20]})")
    unpack = None if packing in {"identity", ""} else zlib.decompressobj(zlib.MAX_WBITS | 32)
    out = bytearray()
    while len(out) <= MOST_BYTES:
        if time.monotonic() > until:
            raise TimeoutError(f"it takes longer than {ALL_SECONDS:.0f} s")
        data = answer.read1(_CHUNK)
        if not data:
            break
        # A few bytes can become gigabytes.
        out += unpack.decompress(data, MOST_BYTES + 1 - len(out)) if unpack is not None else data
        if unpack is not None and unpack.unconsumed_tail:
            break
    return bytes(out[:MOST_BYTES]), len(out) > MOST_BYTES


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return str(error) if error.args and "longer" in str(error) else f"no answer for {_SECONDS:.0f} s"
    if isinstance(error, http.client.HTTPException):
        return f"its answer is no HTTP ({type(error).__name__})"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
