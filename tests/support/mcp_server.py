"""A real MCP server, made with the `mcp` package, for tests: over standard input and output, or HTTP.

Run as a program: ``python mcp_server.py`` or ``python mcp_server.py PORT TOKEN``, which wants that token.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ImageContent, TextContent

server = MCPServer("shop", version="1.0")


@server.tool(description="Add two \x1b[31mnumbers")
def add(a: int, b: int) -> int:
    return a + b


@server.tool()
def picture() -> list[TextContent | ImageContent]:
    """A picture, with words."""
    return [TextContent(text="Look:"), ImageContent(data="QUJDRA==", mime_type="image/png")]


@server.tool()
def environment() -> str:
    """The names of the variables it sees."""
    return " ".join(sorted(os.environ))


@server.tool()
def fail() -> str:
    """Always fails."""
    raise ValueError("that cannot be done")


@server.tool()
async def slow(ctx: Context[Any]) -> str:
    """Takes long, and notes when it is stopped."""
    note = Path(os.environ["NOTE"])
    await ctx.report_progress(1, 4, "begun")
    try:
        await anyio.sleep(60)
    except anyio.get_cancelled_exc_class():
        note.write_text("cancelled")
        raise
    return "done"


if __name__ == "__main__":
    if len(sys.argv) == 1:
        server.run("stdio")
    else:
        import uvicorn
        from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse, Response

        async def check(request: Request, handle: RequestResponseEndpoint) -> Response:
            if request.headers.get("authorization") != f"Bearer {sys.argv[2]}":
                return PlainTextResponse("who are you?", 401)
            return await handle(request)

        app = server.streamable_http_app()
        app.add_middleware(BaseHTTPMiddleware, dispatch=check)
        uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
