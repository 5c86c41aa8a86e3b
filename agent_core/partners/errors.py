"""What went wrong with a server, told to a human: which kind of error, and what to do about it.

Kinds of `PartnerError` are chosen by status code first, then by the error's ``code`` and ``type``, and by
its words only where servers give nothing else (context length, quota).
"""

from __future__ import annotations

import contextlib
import json
import math
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
    r"input token count|input length should be|`inputs` tokens|context the overflows|request_too_large|"
    r"exceeds? the (model's )?(maximum )?(context|token limit)|token count .{0,40}exceeds|"
    r"prompt contains .{0,40}tokens",
    re.IGNORECASE,
)
# OpenAI says so of a single request that is larger than what may be sent in a minute: waiting does not help.
_TOO_LARGE = re.compile(r"request too large", re.IGNORECASE)
_QUOTA = re.compile(
    r"insufficient_quota|quota_exceeded|billing|credit balance|insufficient (balance|credits|funds)|"
    r"exceeded your current quota|requires more credits|payment",
    re.IGNORECASE,
)
# These pass by themselves, and their words may advertise paying all the same.
_RATE = re.compile(r"rate[ _]limit|per min|per day|too many requests", re.IGNORECASE)
_MODEL = re.compile(r"\bmodel\b|DeploymentNotFound", re.IGNORECASE)
# Servers that say so with status 400, and what they say.
_NO_MODEL = re.compile(
    r"model_not_found|DeploymentNotFound|not a valid model|invalid model|model[ _]not[ _](exist|found)|"
    r"(unknown|unsupported) model|model\b.{0,80}\b(does not exist|not found|is not available)|"
    r"no models? (is |are )?loaded|failed to load model",
    re.IGNORECASE,
)
_RETIRED = re.compile(
    r"model_(decommissioned|deprecated|retired)|"
    r"model\b.{0,80}\b(has|have|was|is|been) (been )?(deprecated|decommissioned|retired|discontinued|shut down|sunset)|"
    r"end[- ]of[- ]life",
    re.IGNORECASE,
)
_REGION = re.compile(
    r"unsupported_country|country, region|(location|country|region) is not supported|"
    r"not available in your (country|reg)",
    re.IGNORECASE,
)
_UNVERIFIED = re.compile(r"organi[sz]ation must be verified|verify organi[sz]ation", re.IGNORECASE)
_SUSPENDED = re.compile(
    r"account_(deactivated|suspended)|access_terminated|account (has been|is) (deactivated|suspended|disabled)",
    re.IGNORECASE,
)
_NO_ENDPOINT = re.compile(r"no (allowed providers|endpoints?)\b", re.IGNORECASE)
_POLICY = re.compile(
    r"invalid_prompt|content_filter|content_policy|policy_violation|bio_policy|moderation|flagged", re.IGNORECASE
)
_WAIT = re.compile(
    r"(?:try again|retry)(?: in| after)\s*"
    r"((?:[0-9.]+\s*(?:ms|milliseconds?|s|sec|seconds?|m|min|minutes?|h|hours?)\b\s*|[0-9.]+[hm])+)",
    re.IGNORECASE,
)
_SPAN = re.compile(r"([0-9.]+)\s*(ms|mil|s|m|h)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "mil": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_NO_TOOLS = re.compile(
    r"does not support (tools|function calling)|requires --jinja|tool use is not supported|that support tool use|"
    r"enable-auto-tool-choice",
    re.IGNORECASE,
)
_TITLE = re.compile(r"<title>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_LONG_WAIT = 60.0
_LONGEST_ASKED = 86_400.0
"""Seconds of the longest wait that is taken from a server: the word of one that asks for more is a mistake."""


class ToolRefusedError(PartnerError):
    """The server does not know a built-in tool that it was offered; the same request may go without it."""


class NoToolsError(PartnerError):
    """The model takes no tools; the same request may go with the tools told in words."""


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
            if not isinstance(message, str):
                message = json.dumps(message, default=str)
            codes = " ".join(str(inner[key]) for key in ("code", "type", "status") if inner.get(key))
            return f"{message} {_upstream(inner)}".strip(), codes
        return str(inner or body.get("message") or ""), ""
    if isinstance(body, list | tuple) and body:
        return server_words(body[0])  # as Google has it
    if not isinstance(body, str):
        return "", ""
    title = _TITLE.search(body)
    return (title.group(1) if title is not None else body), ""


def _upstream(error: Mapping[str, Any]) -> str:
    """What the provider behind a router such as OpenRouter has said; empty where there is none."""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    return raw if isinstance(raw, str) else ""


def clean(endpoint: Endpoint, text: str) -> str:
    """A server's words made fit for a message of ours: one line, bounded, printable, without the key."""
    line = " ".join(printable(endpoint.key.redact(text)).split())
    return line if len(line) <= 400 else line[:400] + " ..."


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """How long a server asks to wait, from ``retry-after-ms`` or ``Retry-After`` (seconds or a date)."""
    value = headers.get("retry-after", "")
    for text, unit in ((headers.get("retry-after-ms", ""), 0.001), (value, 1.0)):
        with contextlib.suppress(ValueError):
            return _sane(float(text) * unit)
    try:
        return _sane(parsedate_to_datetime(value).timestamp() - (time.time() if now is None else now))
    except (TypeError, ValueError, OverflowError):
        return None


def _sane(seconds: float) -> float | None:
    return min(max(seconds, 0.0), _LONGEST_ASKED) if math.isfinite(seconds) else None


def _said_wait(message: str) -> float | None:
    """How long a server asks to wait in its words: ``86ms``, ``1.2s``, ``6m0s``, ``30 seconds``."""
    found = _WAIT.search(message)
    if found is None:
        return None
    try:
        return _sane(sum(float(number) * _SECONDS[unit.lower()] for number, unit in _SPAN.findall(found.group(1))))
    except ValueError:
        return None


def from_status(endpoint: Endpoint, status: int, body: object, headers: Mapping[str, str]) -> PartnerError:
    """The error for an answer with a status of 400 or more."""
    message, codes = server_words(body)
    said = clean(endpoint, message)
    quoted = _quoted(said)
    if (told := _told_apart(endpoint, f"{codes} {message}", quoted)) is not None:
        return told
    if status in {401, 403}:
        return _auth(endpoint, status, quoted, message)
    if status in {404, 405, 410}:
        return _not_found(endpoint, said, codes)
    if status in {402, 429}:
        return _limited(endpoint, status, codes, message, headers)
    passing = status in {408, 409, 425} or status >= 500
    if passing and not (_NO_TOOLS.search(message) or _CONTEXT.search(f"{codes} {message}")):
        return PartnerError("server", f"{endpoint.host} failed with status {status}{quoted}.", "", retry_after(headers))
    return from_codes(endpoint, codes, message, status=status)


def _told_apart(endpoint: Endpoint, words: str, quoted: str) -> PartnerError | None:
    """The error for what servers say with one status or another, and a human has to act on; None for the rest."""
    host = endpoint.host
    if _REGION.search(words):
        return PartnerError(
            "auth", f"{host} does not serve the region you are in{quoted}.", "Choose another provider or network."
        )
    if _UNVERIFIED.search(words):
        hint = (
            "Verify it in the settings of your account there (it may take a quarter of an hour), or take another model."
        )
        return PartnerError("auth", f"{host} wants the organization to be verified for this{quoted}.", hint)
    if _SUSPENDED.search(words):
        return PartnerError("auth", f"{host} has closed the account{quoted}.", "Ask the provider, or choose another.")
    if _RETIRED.search(words):
        return PartnerError(
            "unknown_model",
            f'{host} has retired the model "{endpoint.model}"{quoted}.',
            "Choose another with --model or [partner] model.",
        )
    return None


def _limited(endpoint: Endpoint, status: int, codes: str, message: str, headers: Mapping[str, str]) -> PartnerError:
    """The error for too much of something: money, requests, tokens in a minute, or in this one request."""
    said, asked = clean(endpoint, message), _said_wait(message)
    quoted = _quoted(said)
    passing = asked is not None or _RATE.search(f"{codes} {message}")
    if status == 402 or _QUOTA.search(codes) or (_QUOTA.search(message) and not passing):
        return _no_quota(endpoint, quoted)
    if _TOO_LARGE.search(message):
        return _too_long(endpoint, quoted)
    wait = retry_after(headers)
    wait = wait if wait is not None else asked
    what, hint = "says that too many requests or tokens were sent", ""
    if wait is not None and wait > _LONG_WAIT:
        # It is waited for by itself; what is worth saying is that it takes long.
        what += f", and to wait for {_time(wait)}"
        hint = "You need not wait: ask again now, or take a partner of another provider."
    return PartnerError("rate_limit", f"{endpoint.host} {what}{quoted}.", hint, wait)


def _quoted(said: str) -> str:
    """A server's words as the end of a sentence of ours, which has its own full stop."""
    return f': "{said.rstrip(".")}"' if said else ""


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{round(seconds)} seconds"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{round(seconds / 3600)} hours"


def from_codes(endpoint: Endpoint, codes: str, message: str, *, status: int | None = None) -> PartnerError:
    """The error for an ``error`` event, a failed response, or a bad request.

    Args:
        endpoint: Who said it.
        codes: Code and type of the error.
        message: Its words.
        status: The status code where there is one; without it an unknown error counts as the server's.
    """
    said = clean(endpoint, message)
    quoted = _quoted(said)
    if status == 413 or _CONTEXT.search(f"{codes} {message}"):
        return _too_long(endpoint, quoted)
    if (told := _told_apart(endpoint, f"{codes} {message}", quoted)) is not None:
        return told
    if _NO_TOOLS.search(message):
        return _no_tools(endpoint, quoted)
    if _NO_MODEL.search(f"{codes} {message}"):
        return _not_found(endpoint, said, f"{codes} model_not_found")
    if _QUOTA.search(codes):
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


def _auth(endpoint: Endpoint, status: int, quoted: str, message: str) -> PartnerError:
    # What the server says to a wrong key is left out: OpenAI quotes parts of the key in it.
    host, variable, place = endpoint.host, endpoint.key.variable, endpoint.key.place
    if status == 403:
        return PartnerError("auth", f"{host} does not allow this (status 403){quoted}.", f"The key came from {place}.")
    if not endpoint.key:
        return PartnerError(
            "auth",
            f"{host} wants a key (status 401), and ${variable} is not set.",
            f"Set it (export {variable}=..., or pairloop key set {host}).",
        )
    if "expired" in message.lower():
        return PartnerError("auth", f"{host} says that the key has expired (status 401).", f"It came from {place}.")
    return PartnerError(
        "auth",
        f"{host} did not accept the key (status 401).",
        f"The key came from {place}: check that it belongs to this server.",
    )


def _not_found(endpoint: Endpoint, said: str, codes: str) -> PartnerError:
    quoted = _quoted(said)
    if _NO_TOOLS.search(said):
        return _no_tools(endpoint, quoted)
    if _NO_ENDPOINT.search(said):
        hint = "Look at the privacy and routing settings of your account there, or choose another model."
        return PartnerError("bad_request", f"{endpoint.host} has nobody to pass the request on to{quoted}.", hint)
    if endpoint.model and ("model_not_found" in codes or _MODEL.search(f"{codes} {said}")):
        return PartnerError(
            "unknown_model",
            f'{endpoint.host} has no model "{endpoint.model}"{quoted}.',
            "Choose one with --model or [partner] model.",
        )
    versioned = re.search(r"/v\d", endpoint.url)
    there = "it usually ends in /v1" if versioned else f"try {endpoint.url.rstrip('/')}/v1"
    return PartnerError(
        "bad_request",
        f"{endpoint.url} has no such address (status 404){quoted}.",
        f'Check base_url ({there}), or set [partner] api = "chat".',
    )


def _too_long(endpoint: Endpoint, quoted: str) -> PartnerError:
    hint = "Start a new session, ask for less at once, or take a model with a longer context."
    if not endpoint.official:
        hint += " A local server often has a setting for it (llama.cpp: -c)."
    return PartnerError("context_too_long", f"The conversation is longer than the model can read{quoted}.", hint)


def _no_tools(endpoint: Endpoint, quoted: str) -> NoToolsError:
    return NoToolsError(
        "bad_request",
        f"The model at {endpoint.host} cannot call tools{quoted}.",
        "Choose a model that can (llama.cpp needs --jinja, vLLM --enable-auto-tool-choice).",
    )


def error_in(endpoint: Endpoint, event: Mapping[str, Any]) -> PartnerError | None:
    """The error that an event of a stream carries, None when it carries none."""
    if event.get("type") != "error" and not event.get("error"):
        return None
    message, codes = server_words(event)
    inner = event.get("error")
    status = inner.get("code") if isinstance(inner, Mapping) else None
    if isinstance(status, int) and 400 <= status < 600:
        return from_status(endpoint, status, event, {})
    # In a Responses event "type" is the event's own, and says no more than that it is an error.
    return from_codes(endpoint, codes.removesuffix(" error").removesuffix("error"), message)
