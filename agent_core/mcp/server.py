"""One MCP server: started, asked for its tools, called, started once more when it has died, ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agent_core import __version__
from agent_core.config_tables import McpConfig
from agent_core.errors import PairloopError, first_cause
from agent_core.keys.known import KNOWN
from agent_core.mcp.http import http_line
from agent_core.mcp.stdio import Program, stdio_line
from agent_core.mcp.taming import tamed
from agent_core.sandbox.environment import is_secret, passes
from agent_core.text import one_line

if TYPE_CHECKING:
    import mcp_types
    from mcp.client.client import Client
    from mcp.client.session import ClientRequestContext, IncomingMessage

log = logging.getLogger(__name__)

Stands = Literal["off", "starting", "ready", "failed", "ended"]
_START = 15.0
"""Seconds in which a server has to be there."""
_CLOSE = 1.5
_LAST_WORDS = 0.5
_MOST_PAGES = 20
_MOST_TOOLS = 100
_MOST_RESTARTS = 3
_MOST_WORDS = 300
_VARIABLE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


class ServerError(PairloopError):
    """A server cannot be started, or does not answer."""


class RemoteTool(msgspec.Struct, frozen=True):
    """A tool as its server describes it.

    Attributes:
        name: What the server calls it.
        description: What it says of it.
        schema: The schema of its arguments.
        reads_only: It says that it changes nothing; nobody has made sure of that.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    reads_only: bool = False


class Server:
    """One server.

    Args:
        name: Its name in the configuration.
        settings: How it is reached.
        root: The project, in which its program stands.
        environ: This process's environment.
        news: Called with what the human should know.
    """

    def __init__(
        self, name: str, settings: McpConfig, root: Path, environ: Mapping[str, str], news: Callable[[str], None]
    ) -> None:
        self.name = name
        self.settings = settings
        self.stands: Stands = "off" if settings.off else "ended"
        self.trouble = ""
        self.version = ""
        """What it calls itself."""
        self.tools: Sequence[RemoteTool] = ()
        self._root = root
        self._environ = environ
        self._news = news
        self._client: Client | None = None
        self._life: asyncio.Task[None] | None = None
        self._leaving = asyncio.Event()
        self._restarting = asyncio.Lock()
        self._restarts = 0
        self._changed = False

    async def start(self) -> None:
        """Start it and ask for its tools. Never raises: where it fails, `trouble` says why."""
        if self.stands == "off":
            return
        self.stands, self.trouble, self._leaving = "starting", "", asyncio.Event()
        # It takes a second to import, which is neither the server's nor to be one without an answer to a key.
        await asyncio.to_thread(_import_library)
        there: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(there, self._leaving))
        try:
            async with asyncio.timeout(_START):
                await asyncio.shield(there)
            self.stands = "ready"
        except TimeoutError:
            await self._fail(f"it was not ready within {_START:g} s")
        except ServerError as error:
            await self._fail(error.message)

    async def call(
        self, tool: str, arguments: dict[str, Any], heard: Callable[[str], None]
    ) -> mcp_types.CallToolResult:
        """Call a tool. A cancellation is told to the server.

        Args:
            tool: What the server calls it.
            arguments: As its schema wants them.
            heard: Told how far it is.

        Raises:
            ServerError: There is no answer; says why.
        """
        client = await self._ready()
        from mcp.shared.exceptions import MCPError  # noqa: PLC0415 - there by now
        from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT  # noqa: PLC0415
        from pydantic import ValidationError  # noqa: PLC0415

        async def told(progress: float, total: float | None, message: str | None) -> None:
            share = f"{progress:g} of {total:g}" if total else f"{progress:g}"
            heard(one_line(f"{share} {message or ''}", _MOST_WORDS))

        seconds = self.settings.timeout
        try:
            async with asyncio.timeout(seconds + 1):
                return await client.call_tool(tool, arguments, read_timeout_seconds=seconds, progress_callback=told)
        except TimeoutError as error:
            raise self._late(seconds) from error
        except MCPError as error:
            if error.code == REQUEST_TIMEOUT:
                raise self._late(seconds) from error
            # A server at an address that was started anew knows nothing of this session.
            if error.code == CONNECTION_CLOSED or error.message == "Session terminated":
                raise await self._lost("the connection was closed") from error
            raise ServerError(f"{self.name} refused: {one_line(error.message, _MOST_WORDS)}.") from error
        except ValidationError as error:
            raise ServerError(f"{self.name} gave an answer that is none.") from error
        except Exception as error:  # a library below: of the line, or of JSON
            log.exception("a call of %s failed", self.name)
            raise await self._lost(_why(error)) from error

    async def close(self) -> None:
        """End it."""
        if self._life is None:
            return
        self._leaving.set()
        # A server at an address is said goodbye to, and may not answer.
        await asyncio.wait([self._life], timeout=_CLOSE)
        self._life.cancel()
        await asyncio.wait([self._life])
        if self.stands in {"ready", "starting"}:
            self.stands = "ended"
        self._client = None

    # -- its life

    async def _live(self, there: asyncio.Future[None], leaving: asyncio.Event) -> None:
        """Its connection, from beginning to end in one task, as the library wants it."""
        try:
            async with AsyncExitStack() as stack:
                client = await self._connected(stack)
                self.tools = await _listed(client)
                self._client = client
                there.set_result(None)
                await leaving.wait()
        except Exception as error:
            if there.done():
                log.warning("%s ended badly", self.name, exc_info=True)
            else:
                there.set_exception(ServerError(_why(error)))
        finally:
            self._client = None
            if not there.done():
                there.set_exception(ServerError("it was ended before it was ready"))
            if not there.cancelled():
                there.exception()  # nobody may wait for it any more

    async def _connected(self, stack: AsyncExitStack) -> Client:
        """Shake hands as servers have always done; those that know no handshake any more are found out by that.

        The other way round a server that leaves unsaid what it does not know would take ten seconds to be found out.
        """
        from mcp.shared.exceptions import MCPError  # noqa: PLC0415 - there by now
        from mcp_types import CONNECTION_CLOSED  # noqa: PLC0415

        try:
            return await self._greeted(stack, "legacy")
        except Exception as error:
            cause = first_cause(error)
            if not isinstance(cause, MCPError) or cause.code == CONNECTION_CLOSED:
                raise
        return await self._greeted(stack, "auto")

    async def _greeted(self, stack: AsyncExitStack, mode: Literal["legacy", "auto"]) -> Client:
        from mcp.client.client import Client  # noqa: PLC0415
        from mcp_types import Implementation, ListRootsResult, Root  # noqa: PLC0415
        from pydantic import FileUrl  # noqa: PLC0415

        async def roots(context: ClientRequestContext) -> mcp_types.ListRootsResult:  # noqa: ARG001 - its name is given
            return ListRootsResult(roots=[Root(uri=FileUrl(self._root.as_uri()), name=self._root.name)])

        client = Client(
            tamed(self._line(stack) if self.settings.command else await self._address(stack)),
            client_info=Implementation(name="pairloop", version=__version__),
            list_roots_callback=roots if self.settings.roots else None,
            message_handler=self._heard,
            cache=None,
            mode=mode,
        )
        client = await stack.enter_async_context(client)
        info = client.server_info
        self.version = one_line(f"{info.name} {info.version}", 80) if info is not None else ""
        return client

    def _line(self, _stack: AsyncExitStack) -> Any:
        env = {name: value for name, value in self._environ.items() if passes(name, value, network=True)}
        env |= {name: self._given(name, value) for name, value in self.settings.env.items()}
        argv = [_at_home(part) for part in self.settings.command]
        return stdio_line(Program(argv, cwd=self._root, env=env), self._died)

    async def _address(self, stack: AsyncExitStack) -> Any:
        headers = {name: self._given(name, value) for name, value in self.settings.headers.items()}
        return await http_line(self.settings.url, headers, stack)

    def _given(self, name: str, value: str) -> str:
        """What a server is given under a name. If it is a secret it is known from now on: a server may say it.

        Raises:
            ServerError: A variable in it is not set.
        """
        filled = self._filled(value)
        if is_secret(name.replace("-", "_")) or "authorization" in name.lower():
            KNOWN.add(filled.rpartition(" ")[2])
        return filled

    def _filled(self, value: str) -> str:
        """A value with variables of the environment filled in.

        Raises:
            ServerError: One is not set.
        """

        def one(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            if not name:
                return "$"
            if name not in self._environ:
                raise ServerError(f"the variable {name} is not set")
            if is_secret(name):
                KNOWN.add(self._environ[name])
            return self._environ[name]

        return _VARIABLE.sub(one, value)

    def _died(self, why: str) -> None:
        """Its program says no more."""
        if self.stands == "starting":
            self.trouble = why
        elif self.stands == "ready" and not self._leaving.is_set():
            self.stands, self.trouble = "failed", one_line(why, _MOST_WORDS)
            self._leaving.set()
            self._news(self._gone())

    async def _heard(self, message: IncomingMessage) -> None:
        if not isinstance(message, Exception) and message.method == "notifications/tools/list_changed":
            self._other_tools()

    def _other_tools(self) -> None:
        if self.stands == "ready" and not self._changed:
            self._changed = True
            self._news(f"The MCP server {self.name} has other tools now: they come with the next session.")

    async def _fail(self, why: str) -> None:
        ended, self.trouble = self.trouble, ""
        words = one_line(ended if ended and "closed" in why.lower() else why, _MOST_WORDS)
        await self.close()
        self.stands, self.trouble = "failed", words

    async def _lost(self, why: str) -> ServerError:
        """It is not there any more: said to the human, once, and as the error that says so to the partner."""
        if self.settings.command:
            # How its program ended is known in a moment.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORDS):
                    await self._leaving.wait()
        if self.stands == "ready":
            await self._fail(why)
            self._news(self._gone())
        again = self._restarts < _MOST_RESTARTS
        return ServerError(self._gone(), "The next call starts it once more." if again else "Go on without it.")

    def _gone(self) -> str:
        return f"The MCP server {self.name} has ended: {self.trouble}."

    def _late(self, seconds: float) -> ServerError:
        return ServerError(
            f"{self.name} did not answer within {seconds:g} s.", f"mcp.{self.name}.timeout gives it longer."
        )

    async def _ready(self) -> Client:
        """The connection, made once more where the server has died."""
        async with self._restarting:
            if self.stands == "failed" and self.tools and self._restarts < _MOST_RESTARTS:
                self._restarts += 1
                offered = self.tools
                await self.close()
                await self.start()
                # What the partner is offered stays as it was.
                self.tools = offered
            if self._client is None or self.stands != "ready":
                raise ServerError(self._gone() if self.trouble else f"The MCP server {self.name} is not there.")
            return self._client


def _at_home(part: str) -> str:
    return str(Path(part).expanduser()) if part.startswith("~") else part


def _import_library() -> None:
    import mcp.client.client  # noqa: PLC0415
    import mcp.client.streamable_http  # noqa: F401, PLC0415


async def _listed(client: Client) -> tuple[RemoteTool, ...]:
    """Its tools, by name; those of a server that never comes to an end are cut off."""
    if client.server_capabilities.tools is None:
        return ()
    found: dict[str, RemoteTool] = {}
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            if tool.execution is not None and tool.execution.task_support == "required":
                continue  # it answers only those who come back for the answer
            hint = tool.annotations is not None and bool(tool.annotations.read_only_hint)
            found[tool.name] = RemoteTool(tool.name, tool.description or tool.title or "", tool.input_schema, hint)
        cursor = page.next_cursor
        if not cursor or len(found) >= _MOST_TOOLS:
            break
    return tuple(found[name] for name in sorted(found)[:_MOST_TOOLS])


def _why(error: BaseException) -> str:
    """Why a server cannot be had, for a human."""
    cause = first_cause(error)
    match cause:
        case PairloopError():
            return cause.message
        case FileNotFoundError():
            return f"there is no program {cause.filename!r}"
        case OSError():
            return (cause.strerror or str(cause)).lower()
    words = one_line(str(cause), _MOST_WORDS)
    return words.rstrip(".") or type(cause).__name__
