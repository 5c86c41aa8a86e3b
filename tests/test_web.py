"""The app in a browser: let in by a token that works once, shut to every other page, gone with the server."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from tests.support.shop import make_shop
from tui.web import HOST, WebServer, listening, own_command, serve

# Says that it is an app, echoes, starts a child that outlives it, and does not end when it is asked to.
STUBBORN = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
out = sys.stdout.buffer
out.write(b"__GANGLION__\\n")
data = f"{os.getpid()} {child.pid}".encode()
out.write(b"D" + len(data).to_bytes(4, "big") + data)
out.flush()
time.sleep(600)
"""


@asynccontextmanager
async def served(command: list[str]) -> AsyncIterator[WebServer]:
    bound = listening(0)
    server = WebServer(command, bound.getsockname()[1])
    runner = web.AppRunner(await server.make_app(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.SockSite(runner, bound).start()
    try:
        async with asyncio.timeout(30):
            yield server
    finally:
        await runner.cleanup()


async def get(
    session: aiohttp.ClientSession, url: str, headers: Mapping[str, str] | None = None
) -> tuple[int, str, Mapping[str, str]]:
    async with session.get(url, headers=headers, allow_redirects=False) as answer:
        return answer.status, await answer.text(), answer.headers


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def test_the_address_works_once_and_for_one() -> None:
    async with served(["true"]) as server, browser() as mine, browser() as other:
        origin, url, home = server.gate.origin, server.gate.url, server.gate.origin + server.gate.root
        for path in ("/", "/ws", "/static/js/textual.js", "/?token=wrong", "/?token=", "/nowhere"):
            assert (await get(mine, origin + path))[0] == 403, path
            assert (await get(mine, home + path))[0] == 403, path
        status, _, headers = await get(mine, url)
        assert (status, headers["Location"]) == (303, f"{server.gate.root}/")
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        # Whoever serves at another port of this machine never sees it.
        assert f"Path={server.gate.root}/" in cookie
        assert (await get(mine, f"{origin}/"))[0] == 403
        status, page, headers = await get(mine, f"{home}/")
        assert status == 200
        assert f"{server.gate.root}/ws" in page
        assert "pairloop" in page
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        # A page of another port is of the same site: it gets hold of neither the page nor what is in it.
        assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert (await get(mine, f"{home}/static/js/textual.js"))[0] == 200
        # Burnt: not for another browser, and no empty token either.
        for again in (url, f"{home}/?token=", f"{home}/"):
            assert (await get(other, again))[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost:1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_other_pages_are_refused_whatever_they_hold(headers: dict[str, str]) -> None:
    async with served(["true"]) as server, browser() as mine:
        assert (await get(mine, server.gate.url, headers))[0] == 403
        # That did not burn the token.
        assert (await get(mine, server.gate.url))[0] == 303
        assert (await get(mine, f"{server.gate.origin}{server.gate.root}/", headers))[0] == 403
        socket_url = f"{server.gate.origin}{server.gate.root}/ws"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await mine.ws_connect(socket_url, headers=headers)
        assert refused.value.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await mine.ws_connect(socket_url)  # a browser always says where it comes from


async def test_only_this_machine_is_listened_to() -> None:
    bound = listening(0)
    try:
        assert bound.getsockname()[0] == HOST == "127.0.0.1"
        said: list[str] = []
        assert await serve(["true"], bound.getsockname()[1], said.append) == 2
        assert "--port" in said[0]
    finally:
        bound.close()


async def _gone(pid: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                os.kill(pid, 0)
                if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    return
            except (ProcessLookupError, FileNotFoundError):
                return
            await asyncio.sleep(0.02)


async def test_what_does_not_end_is_ended_with_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.web._END_WAIT", 0.2)
    script = tmp_path / "app.py"
    script.write_text(STUBBORN)
    async with served([sys.executable, str(script)]) as server, browser() as mine:
        await get(mine, server.gate.url)
        origin = {"Origin": server.gate.origin}
        async with mine.ws_connect(
            f"{server.gate.origin}{server.gate.root}/ws?width=x&height=-5", headers=origin
        ) as page:
            app, child = map(int, (await page.receive_bytes(timeout=25)).split())
            await page.send_str("no message")
        await _gone(app)
        await _gone(child)


async def test_the_app_is_drawn_and_ends_with_the_server(tmp_path: Path) -> None:
    project = make_shop(tmp_path / "shop")
    environ = {**os.environ, "PAIRLOOP_STATE_DIR": str(tmp_path / "state")}
    command = [sys.executable, "-P", "-m", "tui", "--web", "--project", str(project)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(100), browser() as mine:
            assert process.stdout is not None
            line = (await process.stdout.readline()).decode()
            url = line.split()[-1]
            home = url.partition("/?")[0]
            origin = home.rpartition("/")[0]
            assert (await get(mine, url))[0] == 303
            async with mine.ws_connect(f"{home}/ws?width=100&height=30", headers={"Origin": origin}) as page:
                drawn = b""
                while b"checks" not in drawn:
                    message = await page.receive()
                    assert message.type is WSMsgType.BINARY
                    drawn += message.data
                process.send_signal(signal.SIGINT)
                while (await page.receive()).type not in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING}:
                    pass
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_the_app_is_started_as_this_process_was() -> None:
    command = own_command(["--web", "--port", "80", "--model", "m", "--port=81", "--resume"])
    assert command[1:] == ["-P", "-m", "tui", "--model", "m", "--resume"]
    # As argparse takes them, too.
    assert own_command(["--we", "--po", "80", "--por=81", "--plain"])[4:] == ["--plain"]
