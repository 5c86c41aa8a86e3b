"""The openai package, and everything that touches it.

Importing this costs a second, so only `agent_core.partners.client` imports it, late and in a thread.
Requests go through the package (addresses, keys, proxies, statuses); the events of the answer are read here
as plain JSON. That keeps reasoning items exactly as they came, and an unknown or broken event from one of the
many compatible servers is ours to judge rather than an exception deep inside a client.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any, Literal

import openai

# The package imports these when they are first used, which would be on the screen's thread.
import openai.resources.chat
import openai.resources.responses

from agent_core.errors import PartnerError
from agent_core.partners import sse
from agent_core.partners.endpoint import Endpoint
from agent_core.partners.errors import ToolRefusedError, error_in, from_status
from agent_core.partners.transport import from_transport, hung_up, is_transport, web_page

Api = Literal["responses", "chat"]

# What a server that wants no key is sent: the package insists on some.
_PLACEHOLDER = "none"
_CONNECT_SECONDS = 15.0
_BESIDE_SECONDS = 5.0


def _status_error(endpoint: Endpoint, error: openai.APIStatusError) -> PartnerError:
    return from_status(endpoint, error.status_code, error.body, error.response.headers)


def _words(error: openai.APIStatusError) -> str:
    return f"{json.dumps(error.body, default=str)} {error.message}"


def _refused_fields(error: openai.APIStatusError, sent: Mapping[str, Any], optional: Iterable[str]) -> set[str]:
    """Which optional fields of a request its refusal names."""
    words = _words(error)
    return {name for name in optional if name in sent and re.search(rf"\b{name}\b", words)}


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
            body = json.loads(await response.read())
            if isinstance(body, dict) and (error := error_in(endpoint, body)) is not None:
                return error
    return web_page(endpoint, content_type)


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
                default_headers={**dict(endpoint.headers), **_key_in(endpoint, endpoint.key_header)},
                default_query=dict(endpoint.query) or None,
                # A server on this machine is never behind a proxy.
                http_client=openai.DefaultAsyncHttpxClient(
                    base_url=endpoint.base_url, timeout=timeout, trust_env=not endpoint.loopback
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
                extra_headers=_key_in(self._endpoint, self._endpoint.list_key_header)
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
        limits: Any = {"timeout": _BESIDE_SECONDS}
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
            sent = {name: value for name, value in body.items() if name not in self.refused}
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
                    raise told from error
                self.refused |= refused
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
            async with create(stream=True, **named, extra_body=dict(body)) as response:
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

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
