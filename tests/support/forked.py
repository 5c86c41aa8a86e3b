"""Programs of ours as processes of their own, forked from one that has imported what all of them do.

``python -m tui`` spends most of its time importing, the same modules each time. This process does so once and then
forks for each call: what is run is a process with its own folder, variables, streams and end, as when it is started.

``python -m tests.support.forked FD`` serves a Unix socket until its other end is closed. A request is JSON with the
file descriptors of standard output, standard error, and of a pipe to which first the process's id is written and then
its exit code, as lines.
"""

from __future__ import annotations

import gc
import importlib
import os
import runpy
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from agent_core.workspace import interpreter

_LARGEST = 1 << 20
# Among it what is imported late, or in the background.
_ALL = ("tui.subcommands", "agent_core.build", "agent_core.headless", "tests.support.running", "watchfiles")
_WITH_A_SERVER = ("agent_core.partners.wire",)


class Request(msgspec.Struct, frozen=True):
    """A program to run.

    Attributes:
        module: As after ``python -m``.
        arguments: What follows.
        cwd: The folder to run it in.
        environ: All of its environment variables.
    """

    module: str
    arguments: Sequence[str]
    cwd: str
    environ: Mapping[str, str]


def _import(names: Sequence[str]) -> None:
    for name in names:
        importlib.import_module(name)
    # What is collected here need not be looked at, and so copied, by each child.
    gc.freeze()


def _ask_for_python() -> None:
    """Ask for the Python of the PATH once: a shim takes as long as opening a small project."""
    look, asked = interpreter._system_python, os.environ.get("PATH")
    found = look(Path.cwd(), os.environ)

    def known(root: Path, environ: Mapping[str, str]) -> Path | None:
        return found if environ.get("PATH") == asked else look(root, environ)

    interpreter._system_python = known


def _run(request: Request, out: int, err: int) -> None:
    """Be the program; the end of this process is the caller's."""
    null = os.open(os.devnull, os.O_RDONLY)
    for fd, wanted in ((null, 0), (out, 1), (err, 2)):
        os.dup2(fd, wanted)
        os.close(fd)
    os.chdir(request.cwd)
    os.environ.clear()
    os.environ.update(request.environ)
    sys.argv = [request.module, *request.arguments]
    sys.path[0] = request.cwd
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


def _watch(request: Request, out: int, err: int, told: int) -> bool:
    """Fork once more, and tell how that ends; whether this is the one to run the program."""
    if (child := os.fork()) == 0:
        os.close(told)
        return True
    os.close(out)
    os.close(err)
    # What is sent to the whole group is the program's affair.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.write(told, b"%d\n" % child)
    _, status = os.waitpid(child, 0)
    os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def serve(fd: int) -> None:
    """Fork for each request until nobody can send any; in the children, run what is wanted."""
    _ask_for_python()
    _import(_ALL)
    helpers: list[int] = []
    with socket.socket(fileno=fd) as server:
        while True:
            data, fds, _, _ = socket.recv_fds(server, _LARGEST, 3)
            if not data:
                return
            request = msgspec.json.decode(data, type=Request)
            if "OPENAI_BASE_URL" in request.environ:
                _import(_WITH_A_SERVER)
            if (helper := os.fork()) == 0:
                break
            for one in fds:
                os.close(one)
            helpers = [pid for pid in (*helpers, helper) if os.waitpid(pid, os.WNOHANG)[0] == 0]
    out, err, told = fds
    if _watch(request, out, err, told):
        _run(request, out, err)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
