"""What went wrong with a server, told to a human: which kind of error, and what to do about it.

Kinds of `PartnerError` are chosen by status code first, then by the error's ``code`` and ``type``, and by
its words only where servers give nothing else (context length, quota).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from agent_core.errors import PartnerError
from agent_core.partners.endpoint import Endpoint
from agent_core.text import printable

_CONTEXT = re.compile(
    r"context[ _](length|size|window)|maximum context|exceed_context|too many tokens|(prompt|input) (is )?too long|"
    r"larger than the context|reduce the length|maximum (model|prompt|input) length|max_model_len|model token limit|"
    r"input token count|input length should be|`inputs` tokens|context the overflows|request_too_large",
    re.IGNORECASE,
)
# OpenAI says so of a single request that is larger than what may be sent in a minute: waiting does not help.
_TOO_LARGE = re.compile(r"request too large", re.IGNORECASE)
_QUOTA = re.compile(r"insufficient_quota|billing|credit balance|exceeded your current quota|payment", re.IGNORECASE)
_MODEL = re.compile(r"\bmodel\b", re.IGNORECASE)
_POLICY = re.compile(
    r"invalid_prompt|content_filter|content_policy|policy_violation|bio_policy|moderation|flagged", re.IGNORECASE
)
_WAIT = re.compile(r"try again in ([0-9.]+)\s*(ms|s|m)\b", re.IGNORECASE)
_NO_TOOLS = re.compile(r"does not support tools|requires --jinja|tool use is not supported", re.IGNORECASE)


class ToolRefusedError(PartnerError):
    """The server does not know a built-in tool that it was offered; the same request may go without it."""


def server_words(body: object) -> tuple[str, str]:
    """The message of an error body, and the codes it carries.

    Args:
        body: The decoded body, in any of the shapes servers use: ``{"error": {...}}``, ``{"error": "..."}``,
            ``{"message": ...}``, ``{"detail": ...}``, or plain text.

    Returns:
        The message, and code and type joined by a blank.
    """
    if isinstance(body, Mapping):
        inner = body.get("error", body)
        if isinstance(inner, Mapping):
            message = inner.get("message") or inner.get("detail") or inner.get("error") or ""
            codes = " ".join(str(inner[key]) for key in ("code", "type") if inner.get(key))
            return (message if isinstance(message, str) else json.dumps(message, default=str)), codes
        return str(inner or body.get("message") or ""), ""
    return (body if isinstance(body, str) else ""), ""


def clean(endpoint: Endpoint, text: str) -> str:
    """A server's words made fit for a message of ours: one line, bounded, printable, without the key."""
    line = " ".join(printable(endpoint.key.redact(text)).split())
    return line if len(line) <= 400 else line[:400] + " ..."


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """How long a server asks to wait, from ``retry-after-ms`` or ``Retry-After`` (seconds or a date)."""
    try:
        return max(float(headers["retry-after-ms"]) / 1000, 0.0)
    except (KeyError, ValueError):
        pass
    value = headers.get("retry-after", "")
    try:
        return max(float(value), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(value).timestamp() - (time.time() if now is None else now), 0.0)
    except (TypeError, ValueError):
        return None


def _said_wait(message: str) -> float | None:
    found = _WAIT.search(message)
    if found is None:
        return None
    try:
        return float(found.group(1)) * {"ms": 0.001, "s": 1.0, "m": 60.0}[found.group(2).lower()]
    except ValueError:
        return None


def from_status(endpoint: Endpoint, status: int, body: object, headers: Mapping[str, str]) -> PartnerError:
    """The error for an answer with a status of 400 or more."""
    message, codes = server_words(body)
    said = clean(endpoint, message)
    quoted = f': "{said}"' if said else ""
    if status in {401, 403}:
        return _auth(endpoint, status, quoted)
    if status == 404:
        return _not_found(endpoint, said, codes)
    if status in {402, 429}:
        return _limited(endpoint, status, f"{codes} {message}", quoted, headers)
    passing = status in {408, 409, 425} or status >= 500
    if passing and not (_NO_TOOLS.search(message) or _CONTEXT.search(f"{codes} {message}")):
        return PartnerError("server", f"{endpoint.host} failed with status {status}{quoted}.", "", retry_after(headers))
    return from_codes(endpoint, codes, message, status=status)


def _limited(endpoint: Endpoint, status: int, words: str, quoted: str, headers: Mapping[str, str]) -> PartnerError:
    """The error for too much of something: money, requests, tokens in a minute, or in this one request."""
    if status == 402 or _QUOTA.search(words):
        return _no_quota(endpoint, quoted)
    if _TOO_LARGE.search(words):
        return _too_long(endpoint, quoted)
    wait = retry_after(headers)
    return PartnerError(
        "rate_limit",
        f"{endpoint.host} says that too many requests or tokens were sent{quoted}.",
        "Wait a little.",
        wait if wait is not None else _said_wait(words),
    )


def from_codes(endpoint: Endpoint, codes: str, message: str, *, status: int | None = None) -> PartnerError:
    """The error for an ``error`` event, a failed response, or a bad request.

    Args:
        endpoint: Who said it.
        codes: Code and type of the error.
        message: Its words.
        status: The status code where there is one; without it an unknown error counts as the server's.
    """
    said = clean(endpoint, message)
    quoted = f': "{said}"' if said else ""
    if status == 413 or _CONTEXT.search(f"{codes} {message}"):
        return _too_long(endpoint, quoted)
    if "model_not_found" in codes:
        return _not_found(endpoint, said, codes)
    if _NO_TOOLS.search(message):
        return _no_tools(endpoint, quoted)
    if status is None and _QUOTA.search(codes):
        return _no_quota(endpoint, quoted)
    kind, what, hint, wait = "bad_request", "did not accept the request", "", None
    if _POLICY.search(codes):
        kind, what, hint = "refused", "refused the request", "Put the task in other words."
    elif "rate_limit" in codes:
        kind, what, wait = "rate_limit", "says to slow down", _said_wait(message)
    elif status is None and "invalid_request" not in codes:
        kind, what, wait = "server", "failed while answering", _said_wait(message)
    shown = f" (status {status})" if status else ""
    return PartnerError(kind, f"{endpoint.host} {what}{shown}{quoted}.", hint, wait)


def _no_quota(endpoint: Endpoint, quoted: str) -> PartnerError:
    return PartnerError(
        "refused",
        f"{endpoint.host} says that the account has no credit or quota left{quoted}.",
        "Add credit with the provider, or choose another with [partner] base_url.",
    )


def _auth(endpoint: Endpoint, status: int, quoted: str) -> PartnerError:
    # What the server says to a wrong key is left out: OpenAI quotes parts of the key in it.
    host, variable = endpoint.host, endpoint.key.variable
    if status == 403:
        return PartnerError(
            "auth", f"{host} does not allow this (status 403){quoted}.", f"The key came from ${variable}."
        )
    if not endpoint.key:
        return PartnerError(
            "auth", f"{host} wants a key (status 401), and ${variable} is not set.", f"Set it: export {variable}=..."
        )
    return PartnerError(
        "auth",
        f"{host} did not accept the key (status 401).",
        f"The key came from the environment variable {variable}: check that it belongs to this server.",
    )


def _not_found(endpoint: Endpoint, said: str, codes: str) -> PartnerError:
    quoted = f': "{said}"' if said else ""
    if endpoint.model and ("model_not_found" in codes or _MODEL.search(said)):
        return PartnerError(
            "unknown_model",
            f'{endpoint.host} has no model "{endpoint.model}"{quoted}.',
            "Choose one with --model or [partner] model.",
        )
    return PartnerError(
        "bad_request",
        f"{endpoint.url} has no such address (status 404){quoted}.",
        'Check base_url (it usually ends in /v1), or set [partner] api = "chat".',
    )


def _too_long(endpoint: Endpoint, quoted: str) -> PartnerError:
    hint = "Start a new session, ask for less at once, or take a model with a longer context."
    if not endpoint.official:
        hint += " A local server often has a setting for it (llama.cpp: -c)."
    return PartnerError("context_too_long", f"The conversation is longer than the model can read{quoted}.", hint)


def _no_tools(endpoint: Endpoint, quoted: str) -> PartnerError:
    return PartnerError(
        "bad_request",
        f"The model at {endpoint.host} cannot call tools{quoted}.",
        "Choose a model that can (llama.cpp needs --jinja).",
    )


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
    names = {type(one).__name__ for one in chain}
    words = " ".join(str(one) for one in chain)
    if "ConnectTimeout" in names:
        return PartnerError(
            "unreachable", f"No connection to {endpoint.url} came about in time.", "Check the network and the address."
        )
    if any("Timeout" in name for name in names):
        return PartnerError(
            "stream" if streaming else "unreachable",
            f"{endpoint.host} sent nothing for {endpoint.timeout:g} seconds.",
            "A slow local model may need a longer [partner] timeout.",
        )
    if streaming:
        return PartnerError("stream", f"The connection to {endpoint.host} broke in the middle of the answer.")
    if "CERTIFICATE_VERIFY_FAILED" in words:
        return PartnerError(
            "unreachable",
            f"The certificate of {endpoint.host} cannot be verified.",
            "If a proxy stands between, set SSL_CERT_FILE to its certificates.",
        )
    if hung_up(error):
        hint = "Its own output may say why." if endpoint.loopback else ""
        return PartnerError("unreachable", f"{endpoint.host} closed the connection before it answered.", hint)
    reason = clean(endpoint, str(chain[-1])) if str(chain[-1]) else type(chain[-1]).__name__
    hint = "Is the server running?" if endpoint.loopback else "Check the network, the proxy and the address."
    return PartnerError("unreachable", f"No server could be reached at {endpoint.url} ({reason}).", hint)


def web_page(endpoint: Endpoint, content_type: str) -> PartnerError:
    """The error for an answer that is no stream of events although its status says that all is well."""
    what = "a web page" if "html" in content_type else f"'{clean(endpoint, content_type)}'"
    return PartnerError(
        "bad_request",
        f"{endpoint.url} answered with {what} instead of a stream of events.",
        "Check base_url: it usually ends in /v1, and a proxy or a login page may stand between.",
    )


def error_in(endpoint: Endpoint, event: Mapping[str, Any]) -> PartnerError | None:
    """The error that an event of a stream carries, None when it carries none."""
    if event.get("type") != "error" and not event.get("error"):
        return None
    message, codes = server_words(event)
    # In a Responses event "type" is the event's own, and says no more than that it is an error.
    return from_codes(endpoint, codes.removesuffix(" error").removesuffix("error"), message)
