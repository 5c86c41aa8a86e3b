"""A command that begins in a warm process is what it would be if it were started: its world, its end, its output."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import time
from pathlib import Path
from textwrap import dedent

import pytest

from agent_core.process import Completed
from agent_core.sandbox.warm import PythonCommand, python_command
from agent_core.workspace.project import Project
from tests.workspace.opening import OVERLAYS, Kind, make_sample
from tests.workspace.warming import LIGHT, forks, needs_kernel, servers, warmed

pytestmark = needs_kernel
overlaid = pytest.mark.parametrize("kind", OVERLAYS)

# What a program can see of how it was made. The limits and descriptors are those of the sandbox.
WORLD = """
    import gc, json, locale, os, resource, signal, sys, threading
    streams = [(s.name, s.encoding, s.errors, s.line_buffering, s.mode, s.seekable(), s.isatty(), s.fileno())
               for s in (sys.stdin, sys.stdout, sys.stderr)]
    print(json.dumps({
        "argv": sys.argv, "orig": getattr(sys, "orig_argv", None), "path": sys.path, "flags": tuple(sys.flags),
        "main": sorted(__builtins__.__dict__ and globals()), "name": [__name__, __spec__, __doc__, __package__],
        "executable": sys.executable, "prefix": sys.prefix, "streams": streams, "env": dict(os.environ),
        "cwd": os.getcwd(), "ids": [os.getresuid(), os.getresgid(), os.getgroups()], "umask": os.umask(0o22),
        "signals": {n.name: str(signal.getsignal(n)) for n in signal.Signals}, "nice": os.nice(0),
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())), "threads": threading.active_count(),
        "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT")},
        "leader": [os.getsid(0) == os.getpid() or os.getppid() == 1, os.getpid() > 1],
        "files": sorted(os.listdir("/proc/self/fd"))[:3], "locale": locale.setlocale(locale.LC_ALL),
        "caps": [line for line in open("/proc/self/status") if line.startswith(("CapPrm", "CapEff"))],
        "oom": open("/proc/self/oom_score_adj").read(), "gc": [gc.isenabled(), gc.get_threshold()],
    }, default=str, indent=1, sort_keys=True))
"""

_ADDRESS = re.compile(rb"0x[0-9a-f]+")

ENDS = {
    "nothing": "pass",
    "a status": "import sys; sys.exit(3)",
    "no status": "import sys; sys.exit(None)",
    "words": "import sys; sys.exit('by')",
    "a large status": "import sys; sys.exit(256 + 7)",
    "a negative one": "import sys; sys.exit(-1)",
    "no cleaning up": "import os; print('lost', end=''); os._exit(5)",
    "an error": "def f():\n    1 / 0\nf()",
    "an error of errors": "try:\n    1 / 0\nexcept Exception as e:\n    raise KeyError('k') from e",
    "no syntax": "x = (",
    "an interrupt": "raise KeyboardInterrupt",
    "a kill": "import os; os.kill(os.getpid(), 9)",
    "a term": "import os; os.kill(os.getpid(), 15)",
    "a segfault": "import ctypes; ctypes.string_at(0)",
    "an abort": "import os; os.abort()",
    "handlers": "import atexit; atexit.register(print, 1); atexit.register(print, 2); print(0)",
    "a bad handler": "import atexit, sys; atexit.register(lambda: 1 / 0); sys.exit(4)",
    "a thread": "import threading, time; threading.Thread(target=lambda: (time.sleep(0.05), print('late'))).start()",
    "a daemon": "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "half a line": "import sys; sys.stdout.write('half'); sys.stderr.write('other')",
    "a hook": "import sys; sys.excepthook = lambda *a: print('hooked', a[0].__name__); 1 / 0",
    "a module": "import runpy; runpy.run_module('this', run_name='__main__', alter_sys=True)",
    "becoming another": "import os; os.execv('/bin/sh', ['sh', '-c', 'echo $0; exit 9'])",
    "a child": "import subprocess, sys; print(subprocess.run([sys.executable, '-c', 'print(2)']).returncode)",
    "a pool": "import multiprocessing as m\nprint(m.get_context('fork').Pool(2).map(abs, [-1, -2]))",
}


async def both(
    project: Project, code: str, *args: str, stdin: bytes = b"", options: tuple[str, ...] = ()
) -> tuple[Completed, Completed]:
    """Run Python code in a candidate of a project: once started, once begun in a fork."""
    candidate = await project.candidate(await project.snapshot(), {}, cache="both")
    argv = [str(project.interpreter.python), *options, "-c", dedent(code), *args]
    try:
        before = forks(project)
        started = await candidate.run(argv, timeout=20, stdin=stdin)
        assert forks(project) == before
        forked = await candidate.run(argv, timeout=20, stdin=stdin, warm=LIGHT)
        assert forks(project) == before + 1
    finally:
        await candidate.close()
    return started, forked


@overlaid
async def test_its_world_is_that_of_a_started_one(tmp_path: Path, kind: Kind) -> None:
    async with warmed(make_sample(tmp_path), kind) as project:
        for stdin in (b"", b"words\n"):
            started, forked = await both(project, WORLD, "ä ö", "", "-x", stdin=stdin)
            worlds = [json.loads(done.stdout) for done in (started, forked)]
            for world in worlds:
                # One leaves a trace of how it was mounted, and a shell knows no sizes below a kilobyte.
                world["env"].pop("OLDPWD", None)
                world["limits"]["RLIMIT_DATA"] = [size // 1024 for size in world["limits"]["RLIMIT_DATA"]]
            assert worlds[0] == worlds[1]
            assert (forked.code, forked.stderr) == (started.code, started.stderr) == (0, b"")


async def test_its_end_is_that_of_a_started_one(tmp_path: Path) -> None:
    async with warmed(make_sample(tmp_path)) as project:
        for name, code in ENDS.items():
            started, forked = await both(project, code)
            ends = [(done.code, done.stdout, _ADDRESS.sub(b"", done.stderr)) for done in (started, forked)]
            assert (name, ends[1]) == (name, ends[0])


async def test_what_it_reads_and_prints(tmp_path: Path) -> None:
    async with warmed(make_sample(tmp_path)) as project:
        words = "ä\n".encode() * 100_000
        code = "import sys; text = sys.stdin.read(); print(len(text)); sys.stderr.write(text[:2]); print(sys.argv)"
        started, forked = await both(project, code, "ü ", "\udcff", stdin=words)
        assert (forked.stdout, forked.stderr) == (started.stdout, started.stderr)
        assert forked.stdout.startswith(b"200000\n")
        candidate = await project.candidate(await project.snapshot(), {}, cache="c")
        lines: list[str] = []
        flood = "import sys\nfor _ in range(1600): sys.stdout.write('x' * 65535 + '\\n')\nprint('last')"
        argv = [str(project.interpreter.python), "-c", flood]
        done = await candidate.run(argv, timeout=60, warm=LIGHT, on_line=lambda line: lines.append(line[:4]))
        assert (done.code, len(done.stdout) < 5_000_000, done.stdout[-5:]) == (0, True, b"last\n")
        assert (len(lines), lines[0], lines[-1], forks(project)) == (1601, "xxxx", "last", 2)


async def test_options_make_another_server(tmp_path: Path) -> None:
    async with warmed(make_sample(tmp_path)) as project:
        python = str(project.interpreter.python)
        project.warm(LIGHT, python=(python, "-I", "-S"))
        assert await project.warmed() == ()
        started, forked = await both(project, "import sys; print(sys.flags, sys.path)", options=("-I", "-S"))
        assert forked.stdout == started.stdout
        assert len(servers(project)) == 2


@overlaid
async def test_two_at_once_share_nothing(tmp_path: Path, kind: Kind) -> None:
    serve = """
        import os, pathlib, socket, sys, time
        server = socket.create_server(("127.0.0.1", 4711))
        places = ["/tmp", "/dev/shm", os.environ["HOME"], "."]
        here, number = sys.argv[1:]
        for place in (*places, here):
            pathlib.Path(place, "mine-" + number).touch()
        while len(os.listdir(here)) < 3:
            time.sleep(0.001)
        socket.create_connection(server.getsockname())
        print([name for _, name in socket.if_nameindex()], end=" ")
        print([len([name for name in os.listdir(place) if name.startswith("mine-")]) for place in places], end=" ")
        print(sorted(name for name in os.listdir("/proc") if name.isdecimal()))
    """
    async with warmed(make_sample(tmp_path), kind) as project:
        candidate = await project.candidate(await project.snapshot(), {}, cache="c")
        meet = candidate.cache / "meet"
        meet.mkdir()
        argv = [str(project.interpreter.python), "-c", dedent(serve), str(meet)]
        runs = [candidate.run([*argv, str(number)], timeout=20, warm=LIGHT) for number in range(3)]
        for done in await asyncio.gather(*runs):
            assert done.text == "['lo'] [1, 1, 1, 1] ['1', '2']\n"
        assert forks(project) == 3
        left = await candidate.run(
            [*argv[:2], "import os; print([n for n in os.listdir() if 'mine' in n])"], timeout=20, warm=LIGHT
        )
        assert left.stdout == b"[]\n"


DAEMON = """
    import os, signal, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pipe = open(sys.argv[1], "w")
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        pipe.write("up")
        pipe.flush()
        time.sleep(600)
    while not os.path.exists("/tmp/never") and len(sys.argv) == 2:
        time.sleep(0.01)
    pipe.write("up")
"""


async def gone(reader: int) -> bytes:
    """Read a pipe to its end, which comes when every process that holds its other end is gone."""
    with os.fdopen(reader, "rb") as file:
        return await asyncio.wait_for(asyncio.to_thread(file.read), 30)


def pipe_in(folder: Path) -> tuple[str, int]:
    """A named pipe, and its reading end."""
    folder.mkdir(exist_ok=True)
    name = folder / f"pipe-{time.monotonic_ns()}"
    os.mkfifo(name)
    reader = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    return str(name), reader


async def until_up(reader: int) -> None:
    """Wait for the first two bytes that something writes into a pipe."""
    waited = asyncio.to_thread(os.read, reader, 2)
    os.set_blocking(reader, False)
    with contextlib.suppress(BlockingIOError):
        if await waited == b"up":
            os.set_blocking(reader, True)
            return
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(reader, readable.set)
    try:
        while True:
            readable.clear()
            with contextlib.suppress(BlockingIOError):
                if os.read(reader, 2) == b"up":
                    break
            await asyncio.wait_for(readable.wait(), 30)
    finally:
        loop.remove_reader(reader)
        os.set_blocking(reader, True)


async def test_nothing_outlives_its_run(tmp_path: Path) -> None:
    async with warmed(make_sample(tmp_path)) as project:
        candidate = await project.candidate(await project.snapshot(), {}, cache="c")
        argv = [str(project.interpreter.python), "-c", dedent(DAEMON)]
        # It ends by itself and leaves a daemon.
        name, reader = pipe_in(candidate.cache)
        assert (await candidate.run([*argv, name, "end"], timeout=20, warm=LIGHT)).code == 0
        await gone(reader)
        # Its time is up.
        name, reader = pipe_in(candidate.cache)
        done = await candidate.run([*argv, name], timeout=0.5, warm=LIGHT)
        assert (done.timed_out, done.seconds < 30) == (True, True)
        await gone(reader)
        # Nobody wants it any more.
        name, reader = pipe_in(candidate.cache)
        task = asyncio.create_task(candidate.run([*argv, name], timeout=60, warm=LIGHT))
        await until_up(reader)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone(reader)
        assert forks(project) == 3
        assert [server.alive for server in servers(project)] == [True]


async def server_pids(project: Project, python: str) -> list[int]:
    """The processes of this test that run a server."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            line = (entry / "cmdline").read_bytes() if entry.name.isdecimal() else b""
            children = os.fsencode(python) in line and b"pairloop_zygote" in line
            if children and _descends(int(entry.name)):
                found.append(int(entry.name))
    return found


def _descends(pid: int) -> bool:
    while pid > 1:
        if pid == os.getpid():
            return True
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return False


async def test_a_lost_server_is_no_end_of_a_run(tmp_path: Path) -> None:
    # The first time it waits to be killed with its server, the second time it goes on.
    code = """
        import os, sys, time
        print("one")
        again = os.path.exists(sys.argv[1])
        open(sys.argv[1], "w").close()
        print("two", flush=True)
        if not again:
            time.sleep(600)
        print("three")
    """
    async with warmed(make_sample(tmp_path)) as project:
        candidate = await project.candidate(await project.snapshot(), {}, cache="c")
        python = str(project.interpreter.python)
        lines: list[str] = []
        mark = candidate.cache / "mark"
        argv = [python, "-c", dedent(code), str(mark)]
        told = asyncio.Event()

        def hear(line: str) -> None:
            lines.append(line)
            if line == "two":
                told.set()

        task = asyncio.create_task(candidate.run(argv, timeout=60, warm=LIGHT, on_line=hear))
        await asyncio.wait_for(told.wait(), 30)
        assert mark.exists()
        for pid in await server_pids(project, python):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        done = await asyncio.wait_for(task, 30)
        assert (done.code, done.stdout) == (0, b"one\ntwo\nthree\n")
        assert lines == ["one", "two", "three"]
        # Another one takes its place.
        assert await project.warmed() == ()
        assert (await candidate.run([python, "-c", "print(1)"], timeout=20, warm=LIGHT)).stdout == b"1\n"
        assert forks(project) == 1


async def test_closing_ends_all(tmp_path: Path) -> None:
    async with warmed(make_sample(tmp_path)) as project:
        python = str(project.interpreter.python)
        assert await server_pids(project, python)
        folders = list((project.state / "warm").iterdir())
        assert len(folders) == 1
        await project.close()
        assert await server_pids(project, python) == []
        assert not any((project.state / "warm").iterdir())


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        (["py", "-c", "x"], PythonCommand(("py",), "x", ())),
        (["py", "-I", "-Su", "-c", "x", "-c", "y"], PythonCommand(("py", "-I", "-Su"), "x", ("-c", "y"))),
        (["py", "-X", "dev", "-W", "-c", "-c", "x"], PythonCommand(("py", "-X", "dev", "-W", "-c"), "x", ())),
        (["py", "-m", "pytest", "-c", "x"], None),
        (["py", "file.py", "-c", "x"], None),
        (["py", "-c"], None),
        (["py", "--version"], None),
        (["py", "-i", "-c", "x"], None),
        (["py"], None),
    ],
)
def test_what_can_begin_in_a_fork(argv: list[str], command: PythonCommand | None) -> None:
    assert python_command(argv) == command
