"""An MCP server written down by hand, which starts at once and misbehaves as it is told.

Run as a program: ``python raw_mcp.py KIND``, a kind of misbehaviour, or of none.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

TOOLS: list[dict[str, Any]] = [
    {"name": "zeta", "description": "Z", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}},
    {"name": "alpha/beta gamma", "description": "A" * 5000, "inputSchema": {"type": "object"}},
    {"name": "n" * 100, "inputSchema": {"type": "object"}},
    {"name": "only as a task", "inputSchema": {"type": "object"}, "execution": {"taskSupport": "required"}},
]


KNOWN = {"initialize", "tools/list", "tools/call"}
MODERN = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}


def say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def answer(kind: str, method: str, request: dict[str, Any]) -> dict[str, Any]:
    match method:
        case "initialize":
            wanted = request["params"]["protocolVersion"]
            tools: dict[str, Any] = {"listChanged": True}
            version = "told of roots" if "roots" in request["params"]["capabilities"] else "0"
            info = {"name": "raw\x1b[31m", "version": version}
            return {"result": {"protocolVersion": wanted, "capabilities": {"tools": tools}, "serverInfo": info}}
        case "server/discover":
            tools = {"tools": {}}
            return {"result": {"supportedVersions": ["2026-07-28"], "capabilities": tools, **MODERN}}
        case "tools/list" if kind == "odd":
            # A schema in which anything goes, and one of answers that no answer is ever through with.
            arguments = {"type": "object", "properties": {"any": True}}
            answers = {"type": "object", "properties": {"text": {"type": "string", "pattern": "^(a+)+$"}}}
            return {"result": {"tools": [{"name": "odd", "inputSchema": arguments, "outputSchema": answers}]}}
        case "tools/list":
            more = {"nextCursor": "on"} if kind == "endless" else MODERN if kind == "modern" else {}
            return {"result": {"tools": TOOLS, **more}}
        case "tools/call" if kind == "large":
            return {"result": {"content": [{"type": "text", "text": "x" * 3_000_000}]}}
        case "tools/call" if kind == "parts":
            return {"result": {"content": [{"type": "text", "text": str(number)} for number in range(3000)]}}
        case "tools/call" if kind == "odd":
            return {"result": {"content": [], "structuredContent": {"text": "a" * 40 + "b"}}}
        case "tools/call" if kind == "nonsense":
            return {"result": {"content": 7}}
        case "tools/call":
            return {
                "result": {"content": [{"type": "text", "text": f"called \x1b]0;x\x07{request['params']['name']}"}]}
            }
        case _:
            return {"error": {"code": -32601, "message": "no such method"}}


def main(kind: str) -> None:
    if kind == "parent":
        # What it leaves behind holds its standard output open.
        subprocess.Popen(["sleep", "3"], start_new_session=True)
    if kind == "mute":
        time.sleep(60)
    sys.stdout.write("Welcome to raw!\n")
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue
        method = request["method"]
        if kind == "dies" and method == "tools/call" and request["params"]["arguments"].get("die"):
            sys.stderr.write("out of memory\n")
            sys.exit(7)
        if (kind == "silent" and method == "tools/call") or (method not in KNOWN and kind != "modern"):
            continue
        if kind == "modern" and method == "initialize":
            say({"id": request["id"], "error": {"code": -32601, "message": "no such method"}})
            continue
        say({"id": request["id"], **answer(kind, method, request)})
        if kind == "changes" and method == "tools/call":
            say({"method": "notifications/tools/list_changed"})
    if kind == "stays":
        time.sleep(60)


main(sys.argv[1])
