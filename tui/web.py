"""``pairloop --web``: the same app in a browser on this machine, by textual-serve, for whoever has the address.

Whoever may use it may run commands here as the human, so it is shut in three ways. It listens on loopback only. The
address holds a token that works once: it is exchanged for a cookie, and without that everything is refused. And a page
from elsewhere is refused whatever it holds: the Host must be ours, which ends DNS rebinding, and so must the Origin.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import os
import secrets
import shlex
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web
from textual_serve import server as serving
from textual_serve.app_service import AppService

HOST = "127.0.0.1"
_END_WAIT = 5.0
_KILL_WAIT = 2.0
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self' {socket}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
log = logging.getLogger(__name__)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate:
    """Lets in who came by the address, and nobody else.

    Args:
        port: The port that is listened on.

    Attributes:
        token: What the address holds; empty once it has been used.
        origin: Scheme, host and port.
        root: The path below which everything is, another one each time.
    """

    def __init__(self, port: int) -> None:
        self.token = secrets.token_urlsafe(24)
        self.origin = f"http://{HOST}:{port}"
        self._host = f"{HOST}:{port}"
        # Cookies know no ports: two of these must not take each other's.
        self._name = f"pairloop_{port}"
        self.root = f"/{secrets.token_urlsafe(12)}"
        self._pass = secrets.token_urlsafe(32)

    @property
    def url(self) -> str:
        """The address; it works once."""
        return f"{self.origin}{self.root}/?token={self.token}"

    def check(self, request: web.Request) -> web.Response | None:
        """What a request is answered by the gate itself; None where it may pass."""
        headers, root = request.headers, f"{self.root}/"
        if headers.getall("Host", []) != [self._host]:
            return _refused("This address is not the one that pairloop printed.")
        origin = headers.get("Origin")
        # A browser always says where a socket is opened from; a request for a page it may leave without.
        if origin != self.origin and not (origin is None and request.path != f"{root}ws"):
            return _refused("This comes from another page.")
        if hmac.compare_digest(request.cookies.get(self._name, "").encode(), self._pass.encode()):
            return None
        given = request.query.get("token", "")
        if request.path == root and self.token and hmac.compare_digest(given.encode(), self.token.encode()):
            self.token = ""
            answer = web.Response(status=303, headers={"Location": root, "Cache-Control": "no-store"})
            # Other servers on this machine, which a browser takes for the same site, are at other paths.
            answer.set_cookie(self._name, self._pass, httponly=True, samesite="Strict", path=root)
            return answer
        return _refused("The address pairloop printed works once. Start `pairloop --web` again for another one.")

    def guard(self, response: web.StreamResponse) -> None:
        """Give an answer the headers that keep the page to itself."""
        response.headers["Content-Security-Policy"] = _POLICY.format(socket=self.origin.replace("http", "ws", 1))
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Frame-Options"] = "DENY"
        # Pages of other ports on this machine are of the same site, to which the cookie is sent.
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"


def _refused(text: str) -> web.Response:
    return web.Response(status=403, text=f"{text}\n")


class _Service(AppService):
    """One app process, in a group of its own, which is gone when its page is."""

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        process = await asyncio.create_subprocess_exec(
            *shlex.split(self.command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._build_environment(width=width, height=height),
            start_new_session=True,
        )
        self._process = process
        assert process.stdin is not None
        self._stdin = process.stdin
        return process

    async def stop(self) -> None:
        """Have the app end in an orderly way, within bounds, then make it."""
        process, task = self._process, self._task
        if process is None or task is None:
            return
        self._task = None
        try:
            with contextlib.suppress(TimeoutError, OSError, RuntimeError):
                async with asyncio.timeout(_END_WAIT):
                    await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
                    await self.send_meta({"type": "quit"})
                    await process.wait()
        finally:
            # What it has left behind goes with it.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            task.cancel()
            await asyncio.wait({task}, timeout=_KILL_WAIT)


class WebServer(serving.Server):
    """Serves the app behind a gate.

    Args:
        command: What runs the app.
        port: The port that is listened on.
    """

    def __init__(self, command: Sequence[str], port: int) -> None:
        self.gate = Gate(port)
        super().__init__(shlex.join(command), host=HOST, port=port, title="pairloop", public_url=self.gate.origin)
        self._services: set[_Service] = set()

    async def make_app(self) -> web.Application:
        """The application, with the gate before everything else."""
        app = web.Application(middlewares=[self._through_the_gate()])
        app.on_response_prepare.append(self._on_prepare)
        app.add_subapp(self.gate.root, await self._make_app())
        return app

    def _through_the_gate(self) -> Any:
        @web.middleware
        async def through(request: web.Request, handler: _Handler) -> web.StreamResponse:
            answer = self.gate.check(request)
            return answer if answer is not None else await handler(request)

        return through

    async def _on_prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        del request
        if not isinstance(response, web.WebSocketResponse):
            self.gate.guard(response)

    async def on_startup(self, app: web.Application) -> None:
        """Nothing is printed: whoever runs it says the address."""

    async def on_shutdown(self, app: web.Application) -> None:
        """End all apps."""
        del app
        await asyncio.gather(*(service.stop() for service in tuple(self._services)), return_exceptions=True)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run an app for as long as its page is open."""
        websocket = web.WebSocketResponse(heartbeat=15)
        width, height = (
            min(max(serving.to_int(request.query.get(name, ""), usual), 1), 1000)
            for name, usual in (("width", 80), ("height", 24))
        )
        await websocket.prepare(request)

        async def close() -> None:
            await websocket.close()

        service = _Service(
            self.command,
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=close,
            download_manager=self.download_manager,
        )
        self._services.add(service)
        try:
            await service.start(width, height)
            await self._process_messages(websocket, service)
        except (ConnectionError, ValueError, LookupError, AssertionError, TypeError, AttributeError):
            # What the page sends is its own affair; the app behind it ends, the others do not.
            log.warning("a page sent what is no message", exc_info=True)
        finally:
            try:
                await asyncio.shield(service.stop())
            finally:
                self._services.discard(service)
            await websocket.close()
        return websocket


def listening(port: int) -> socket.socket:
    """A socket that listens on loopback.

    Args:
        port: The port; 0 for a free one.

    Raises:
        OSError: It is taken, or may not be used.
    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
        bound.listen(16)
    except OSError:
        bound.close()
        raise
    return bound


async def serve(command: Sequence[str], port: int, say: Callable[[str], None]) -> int:
    """Serve the app until SIGINT or SIGTERM.

    Args:
        command: What runs the app.
        port: The port; 0 for a free one.
        say: Told the lines that the human reads.

    Returns:
        The exit code: 0 ended, 2 the port cannot be used.
    """
    try:
        bound = listening(port)
    except OSError as error:
        say(f"Port {port} cannot be used: {error.strerror or error}. Choose another one with --port.")
        return 2
    server = WebServer(command, bound.getsockname()[1])
    runner = web.AppRunner(await server.make_app(), access_log=None, handle_signals=False, shutdown_timeout=1.0)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    try:
        await runner.setup()
        await web.SockSite(runner, bound).start()
        say(f"pairloop is at {server.gate.url}")
        say("The address works once, on this machine. ctrl+c ends it and every page.")
        await ended.wait()
    finally:
        await runner.cleanup()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return 0


def own_command(arguments: Sequence[str]) -> list[str]:
    """What runs the app as this process was run.

    Args:
        arguments: This process's own; what is about serving is left out.
    """
    kept: list[str] = []
    rest = iter(arguments)
    for one in rest:
        name, sign, _ = one.partition("=")
        # Shortened, too, as argparse takes them: an app that would serve in its turn shows nothing.
        if len(name) > len("--") and "--port".startswith(name):
            if not sign:
                next(rest, None)
        elif len(name) <= len("--") or not "--web".startswith(name):
            kept.append(one)
    # Not from the current folder: a project may have a package of the same name.
    return [sys.executable, "-P", "-m", "tui", *kept]
