"""The openai package, and everything that touches it.

Importing this costs a second, so only `agent_core.partners.client` imports it, late and in a thread.
Requests go through the package (addresses, keys, proxies, statuses); the events of the answer are read here
as plain JSON. That keeps reasoning items exactly as they came, and an unknown or broken event from one of the
many compatible servers is ours to judge rather than an exception deep inside a client.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import importlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from functools import partial
from typing import Any, Literal

import openai

# The package imports these when they are first used, which would be on the screen's thread.
import openai.resources.chat
import openai.resources.responses

from agent_core.errors import PartnerError
from agent_core.partners import sse
from agent_core.partners.endpoint import Endpoint
from agent_core.partners.errors import ToolRefusedError, clean, error_in, from_status
from agent_core.partners.transport import from_transport, hung_up, is_transport, web_page

Api = Literal["responses", "chat"]

# Which HTTP library it is depends on the version of the openai package.
_HTTPX: Any = importlib.import_module(openai.DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0])

# What a server that wants no key is sent: the package insists on some.
_PLACEHOLDER = "none"
_CONNECT_SECONDS = 15.0
_BESIDE_SECONDS = 5.0
_MOST_READ = 1_000_000
"""Most bytes of an answer that is no stream: an error, a web page."""
_MOST_LISTED = 8_000_000
"""Likewise of one that is none and says that all is well: a list of models."""
_CLOSEST = 3
_VALUE = re.compile(r"unsupported[ _]value|invalid[ _]value|Input should be", re.IGNORECASE)
_CHOSEN = frozenset({"reasoning", "reasoning_effort", "text", "verbosity", "service_tier"})


def _status_error(endpoint: Endpoint, error: openai.APIStatusError) -> PartnerError:
    return from_status(endpoint, error.status_code, error.body, error.response.headers)


def _words(error: openai.APIStatusError) -> str:
    return f"{json.dumps(error.body, default=str)} {error.message}"


def _refused_fields(error: openai.APIStatusError, sent: Mapping[str, Any], optional: Iterable[str]) -> set[str]:
    """Which optional fields of a request its refusal names.

    Of a field with fields in it (``reasoning.summary``) the one that is named is left out alone. A value that somebody
    chose is not: that it cannot be had is for them to know.
    """
    words = _words(error)
    # "Your organization must be verified to generate reasoning summaries."
    named = {
        name
        for name in optional
        if _has(sent, name) and re.search(rf"\b{name.replace('.', '[. ]').removesuffix('y')}(y|ies)?\b", words)
    }
    named -= {name.partition(".")[0] for name in named if "." in name}
    return named - _CHOSEN if _VALUE.search(words) else named


def _has(sent: Mapping[str, Any], name: str) -> bool:
    field, _, inner = name.partition(".")
    return field in sent and (not inner or inner in sent[field])


def _without(body: Mapping[str, Any], refused: Iterable[str]) -> dict[str, Any]:
    """A request without some of its fields."""
    left = dict(body)
    for name in sorted(refused):
        field, _, inner = name.partition(".")
        if not inner:
            left.pop(field, None)
        elif field in left:
            left[field] = {key: value for key, value in left[field].items() if key != inner}
            if not left[field]:
                del left[field]
    return left


def _refused_tool(error: openai.APIStatusError, sent: Mapping[str, Any]) -> bool:
    """Whether a refusal is about a built-in tool: it names that, or speaks of the tools and one of them is built in.

    OpenAI says "Tool 'apply_patch' is not supported with gpt-5", llama.cpp "'type' of tool must be 'function'".
    """
    builtin = [tool["type"] for tool in sent.get("tools") or () if tool["type"] != "function"]
    words = _words(error)
    return bool(builtin) and any(re.search(rf"\b{name}\b", words) for name in (*builtin, "tools?"))


async def _no_stream(endpoint: Endpoint, response: Any, content_type: str) -> PartnerError:
    """The error for a body that is no stream of events."""
    if "json" in content_type:
        with contextlib.suppress(ValueError):
            body = json.loads(await _start(response.iter_bytes()))
            if isinstance(body, dict) and (error := error_in(endpoint, body)) is not None:
                return error
    return web_page(endpoint, content_type)


async def _start(chunks: AsyncIterable[bytes]) -> bytes:
    """The beginning of a body, which may have no end."""
    read = bytearray()
    async for chunk in chunks:
        read += chunk
        if len(read) > _MOST_READ:
            break
    return bytes(read[:_MOST_READ])


async def _shorten(response: Any) -> None:
    """Have no more than the beginning read of a body that is no stream: the package reads all of it."""
    failed = response.status_code >= 400
    if response.is_closed or not (failed or "json" in response.headers.get("content-type", "")):
        return
    most = _MOST_READ if failed else _MOST_LISTED
    source, read = response.stream, bytearray()
    try:
        async with asyncio.timeout(_BESIDE_SECONDS if failed else None):
            async for chunk in source:
                read += chunk
                if len(read) > most:
                    break
    except Exception as error:
        # The status says what there is to be said, whatever becomes of its words.
        if not failed or not (is_transport(error) or isinstance(error, TimeoutError)):
            raise
    await source.aclose()
    response.stream = _HTTPX.ByteStream(bytes(read[:most]))


async def _stay(endpoint: Endpoint, request: Any) -> None:
    """Follow the server nowhere else: a request holds the key and the human's code.

    Raises:
        PartnerError: It leads elsewhere.
    """
    wanted, url = _HTTPX.URL(endpoint.base_url), request.url
    upgraded = (wanted.scheme, url.scheme) == ("http", "https")
    if url.host != wanted.host or not (upgraded or (url.scheme, url.port) == (wanted.scheme, wanted.port)):
        there = clean(endpoint, f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}")
        raise PartnerError(
            "bad_request",
            f"{endpoint.host} sends requests on to {there}, where nothing is sent.",
            "If that is right, set base_url to it.",
        )


def _listed(body: bytes) -> list[dict[str, Any]]:
    """The models in an answer of ``/v1/models``; none when it is something else."""
    try:
        listed = json.loads(body)["data"]
        return [entry for entry in listed if isinstance(entry["id"], str)]
    except (ValueError, LookupError, TypeError):
        return []


def _key_in(endpoint: Endpoint, header: str) -> dict[str, Any]:
    """What has the key go into a header of its own, and no bearer token be sent; nothing where it is no such header."""
    return {"Authorization": openai.Omit(), header: endpoint.key.reveal()} if header and endpoint.key else {}


class _KeptTooLongError(Exception):
    """The server has closed a connection that was kept from the answer before."""


class Wire:
    """A client of one server.

    Args:
        endpoint: Where it is.

    Raises:
        PartnerError: The address cannot be used.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.refused: set[str] = set(endpoint.without)
        """Optional fields that the server does not know."""
        self._answered = False
        timeout = openai.Timeout(endpoint.timeout, connect=min(_CONNECT_SECONDS, endpoint.timeout))
        try:
            self._client = openai.AsyncOpenAI(
                api_key=endpoint.key.reveal() or _PLACEHOLDER,
                base_url=endpoint.base_url,
                timeout=timeout,
                max_retries=0,
                default_headers=dict(endpoint.headers),
                default_query=dict(endpoint.query) or None,
                # A server on this machine is never behind a proxy.
                http_client=openai.DefaultAsyncHttpxClient(
                    base_url=endpoint.base_url,
                    timeout=timeout,
                    trust_env=not endpoint.loopback,
                    event_hooks={"request": [partial(_stay, endpoint)], "response": [_shorten]},
                ),
            )
        except (ValueError, TypeError, OSError) as error:
            raise PartnerError("bad_request", f"{endpoint.url} cannot be used: {error}.") from error

    async def models(self) -> list[dict[str, Any]]:
        """The models the server lists, in its order; each has an ``id``, and what else it tells of it.

        Raises:
            PartnerError: It could not be reached, or refused.
        """
        try:
            answer = await self._client.models.with_raw_response.list(
                extra_headers=_key_in(self._endpoint, self._endpoint.list_key_header or self._endpoint.key_header)
            )
        except openai.APIStatusError as error:
            raise _status_error(self._endpoint, error) from error
        except openai.APIConnectionError as error:
            raise from_transport(self._endpoint, error, streaming=False) from error
        return _listed(answer.content)

    async def beside(self, path: str, body: Mapping[str, Any] | None = None) -> object:
        """What a server tells beside the API, at an address of its own.

        Args:
            path: Under the address without ``/v1``.
            body: What is posted; None to get it.

        Returns:
            Its JSON; None where there is none, whatever the reason.
        """
        url = self._endpoint.base_url.removesuffix("/v1") + path
        limits: Any = {"timeout": _BESIDE_SECONDS, "headers": _key_in(self._endpoint, self._endpoint.key_header)}
        try:
            if body is None:
                return await self._client.get(url, cast_to=object, options=limits)
            return await self._client.post(url, cast_to=object, body=dict(body), options=limits)
        except (openai.OpenAIError, ValueError):
            return None

    async def events(
        self, api: Api, body: Mapping[str, Any], optional: tuple[str, ...]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Send a request and give the events of its answer.

        Args:
            api: Which API.
            body: The request, ``stream`` apart.
            optional: Fields that may be left out for a server that does not know them; once it has refused
                one by name, it is not sent again on this connection.

        Yields:
            Each event's JSON object.

        Raises:
            ToolRefusedError: The server does not know a built-in tool among ``tools``.
            PartnerError: The server could not be reached, refused, broke off, or sent something else.
        """
        # The overloads of create() want literal arguments; what is sent is checked by tests on the wire.
        create: Any = (
            self._client.responses.with_streaming_response.create
            if api == "responses"
            else self._client.chat.completions.with_streaming_response.create
        )
        while True:
            sent = _without(body, self.refused)
            try:
                async with contextlib.aclosing(self._answer(create, sent)) as answer:
                    async for event in answer:
                        yield event
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                refused = _refused_fields(error, sent, optional)
                if not refused:
                    told = _status_error(self._endpoint, error)
                    if _refused_tool(error, sent):
                        raise ToolRefusedError(told.kind, told.message, told.hint) from error
                    raise await self._with_names(told, sent) from error
                self.refused |= refused
            except PartnerError as error:
                if error.kind != "unknown_model":
                    raise
                raise await self._with_names(error, sent) from error
            except _KeptTooLongError:
                # It never got the request. Only once: what fails on a connection of its own is told.
                self._answered = False
            else:
                self._answered = True
                return

    async def _answer(self, create: Any, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """One request and the events of its answer; a status of 400 or 422 goes to the caller as it is.

        So does a connection that the server no longer wanted: some close theirs just as the next request comes.
        """
        streaming = False
        try:
            # As it is, under a name that the package does not look into: it goes over every field of every item by its
            # type hints, which for a long conversation takes a hundred times what sending it does.
            named = {"model": body["model"]} | ({"messages": ()} if "messages" in body else {})
            headers = _key_in(self._endpoint, self._endpoint.key_header)
            async with create(stream=True, **named, extra_body=dict(body), extra_headers=headers) as response:
                streaming = True
                content_type = response.headers.get("content-type", "")
                if "html" in content_type or "application/json" in content_type:
                    raise await _no_stream(self._endpoint, response, content_type)
                async for event in sse.events(response.iter_bytes()):
                    if (error := error_in(self._endpoint, event)) is not None:
                        raise error
                    yield event
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            raise
        except openai.APIStatusError as error:
            raise _status_error(self._endpoint, error) from error
        except openai.APIConnectionError as error:
            if self._answered and not streaming and hung_up(error):
                raise _KeptTooLongError from error
            raise from_transport(self._endpoint, error, streaming=streaming) from error
        except Exception as error:
            if not is_transport(error):
                raise
            raise from_transport(self._endpoint, error, streaming=streaming) from error

    async def _with_names(self, error: PartnerError, sent: Mapping[str, Any]) -> PartnerError:
        """An error about a model that is not there, with the names of those that are and look like it."""
        if error.kind != "unknown_model":
            return error
        names: list[str] = []
        with contextlib.suppress(PartnerError, TimeoutError):
            async with asyncio.timeout(_BESIDE_SECONDS):
                names = [entry["id"] for entry in await self.models()]
        close = difflib.get_close_matches(str(sent.get("model", "")), names, _CLOSEST, 0.4) or names[:_CLOSEST]
        if not close:
            return error
        listed = clean(self._endpoint, ", ".join(close))
        return PartnerError(error.kind, error.message, f"{error.hint} It has {listed}.")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
