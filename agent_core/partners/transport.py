"""What went wrong on the way to a server: a connection that could not be made, broke, or fell silent."""

from __future__ import annotations

import re

from agent_core.errors import PartnerError
from agent_core.partners.endpoint import Endpoint
from agent_core.partners.errors import clean


class OfflineError(PartnerError):
    """The server cannot even be connected to: there is no network, no such name, or nobody listens there."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__("unreachable", message, hint)


def _causes(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in chain and len(chain) < 10:
        chain.append(at)
        at = at.__cause__ or at.__context__
    return chain


def is_transport(error: BaseException) -> bool:
    """Whether an exception comes from the HTTP library: a connection that failed, broke or stalled."""
    # Which HTTP library it is depends on the version of the openai package.
    return type(error).__module__.partition(".")[0] in {"httpx", "httpx2", "httpcore", "httpcore2"}


def hung_up(error: BaseException) -> bool:
    """Whether the server closed the connection without a word of an answer.

    Args:
        error: What the client library raised, before an answer had begun.
    """
    names = {type(one).__name__ for one in _causes(error)}
    return bool(names & {"RemoteProtocolError", "ReadError", "WriteError"})


def from_transport(endpoint: Endpoint, error: BaseException, *, streaming: bool) -> PartnerError:
    """The error for a connection that could not be made, broke, or fell silent.

    Args:
        endpoint: The server.
        error: What the client library raised.
        streaming: Whether the answer had begun.
    """
    chain = _causes(error)
    # The client library wraps whatever is raised below it.
    own = next((one for one in chain if isinstance(one, PartnerError)), None)
    names = {type(one).__name__ for one in chain}
    if not streaming and (told := own or _between(endpoint, names, " ".join(map(str, chain)))) is not None:
        return told
    if "ConnectTimeout" in names:
        return OfflineError(
            f"No connection to {endpoint.url} came about in time.", "Check the network and the address."
        )
    if any("Timeout" in name for name in names):
        return PartnerError(
            "stream" if streaming else "unreachable",
            f"{endpoint.host} sent nothing for {endpoint.timeout:g} seconds.",
            "A slow local model may need a longer [partner] timeout.",
        )
    if streaming:
        return PartnerError("stream", f"The connection to {endpoint.host} broke in the middle of the answer.")
    if hung_up(error):
        hint = "Its own output may say why." if endpoint.loopback else ""
        return PartnerError("unreachable", f"{endpoint.host} closed the connection before it answered.", hint)
    reason = clean(endpoint, str(chain[-1])) if str(chain[-1]) else type(chain[-1]).__name__
    reason = re.sub(r"^\[Errno -?\d+\] ", "", reason)
    what, hint = f"Offline: {endpoint.host} cannot be reached", "Check the network, the proxy and the address."
    if endpoint.loopback:
        what, hint = f"No server could be reached at {endpoint.url}", "Is the server running?"
    return OfflineError(f"{what} ({reason}).", hint)


def _between(endpoint: Endpoint, names: set[str], words: str) -> PartnerError | None:
    """The error for what stands between here and the server, which no repetition removes; None where nothing does."""
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return PartnerError(
            "bad_request",
            f"The certificate of {endpoint.host} cannot be verified.",
            "If a proxy stands between, set SSL_CERT_FILE to its certificates.",
        )
    if re.search(r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|wrong version number", words):
        hint = "If it speaks plain http, base_url begins with http://."
        return PartnerError("bad_request", f"{endpoint.host} does not speak TLS at this address.", hint)
    if "ProxyError" in names:
        said = clean(endpoint, words)
        hint = "Look at HTTPS_PROXY and its like; NO_PROXY names hosts that need none."
        return PartnerError(
            "bad_request", f"The proxy did not let the request through to {endpoint.host}: {said}.", hint
        )
    return None


def web_page(endpoint: Endpoint, content_type: str) -> PartnerError:
    """The error for an answer that is no stream of events although its status says that all is well."""
    what = "a web page" if "html" in content_type else f"'{clean(endpoint, content_type)}'"
    return PartnerError(
        "bad_request",
        f"{endpoint.url} answered with {what} instead of a stream of events.",
        "Check base_url: it usually ends in /v1, and a proxy or a login page may stand between.",
    )
