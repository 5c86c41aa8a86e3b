"""Importing ahead, waiting for requests, and becoming what they ask for; see the package."""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import io
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any, NoReturn

from .mounts import DUMPABLE, checked, enter_namespaces, make_ground, new_process_space, prctl, shut_in, write

# Modules name their files by strings, and there are hundreds to look at before each run.
# ruff: noqa: PTH100, PTH112, PTH116, PTH118, PTH119, PTH123, PTH208


def _say(channel: socket.socket, **message: Any) -> None:
    with contextlib.suppress(OSError):
        channel.send(json.dumps(message).encode())


def _stamp(path: str) -> list[int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_size, found.st_ino]


def _site_folders() -> list[str]:
    return [path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")]


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _installed() -> list[str]:
    """The folders of the environment's own packages, wherever the environment is."""
    return [folder for folder in _site_folders() if _below(folder, sys.prefix)]


def _module_files() -> Iterator[tuple[str, str]]:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and name != "__main__":
            yield name, os.path.abspath(file)


def _objection(project: str) -> str:
    """Why no run may begin with what is imported now; empty when it may."""
    if len(os.listdir("/proc/self/task")) > 1:
        return "it starts threads"
    monitoring = getattr(sys, "monitoring", None)
    if sys.gettrace() or sys.getprofile() or (monitoring and any(map(monitoring.get_tool, range(6)))):
        return "it traces"
    installed = [os.path.realpath(folder) for folder in _installed()]
    for name, file in _module_files():
        real = os.path.realpath(file)
        if _below(real, project) and not any(_below(real, folder) for folder in installed):
            return f"{name} is the project's own ({file})"
    return ""


def _warm(modules: list[str], project: str) -> tuple[str, str]:
    """Import modules; gives the first one that can't be imported ahead, and why."""
    reason = _objection(project)
    if reason:
        return "", reason
    for name in modules:
        try:
            __import__(name)
        except Exception:  # noqa: BLE001, S112 - a command that needs it meets the same and says so
            continue
        except BaseException as error:  # noqa: BLE001 - a module that ends the process while it is imported
            return name, f"it ends with {type(error).__name__}"
        reason = _objection(project)
        if reason:
            return name, reason
    return "", ""


def _import_folders(project: str) -> list[tuple[str, bool]]:
    """Folders in the project that were, or would have been, put on the path when Python started."""
    found = {path for path in sys.path if path}
    for folder in _site_folders():
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            if name.endswith(".pth"):
                with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as file:
                    lines = [line.strip() for line in file]
                # What isn't a line of code is a folder.
                lines = [line for line in lines if line and not line.startswith(("#", "import ", "import\t"))]
                found.update(os.path.abspath(os.path.join(folder, line)) for line in lines if "\0" not in line)
    found = {path for path in found if _below(os.path.realpath(path), project) or _below(path, project)}
    inside = [path for path in found if not any(_below(path, folder) for folder in _installed())]
    return [(path, os.path.isdir(path)) for path in sorted(inside)]


def _stamps() -> dict[str, list[int] | None]:
    """What every run relies on: the files that were loaded, and the folders of what is installed."""
    paths: set[str] = {file for _, file in _module_files()}
    for folder in _site_folders():
        paths.add(folder)
        if os.path.isdir(folder):
            paths.update(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".pth"))
    paths.update((sys.executable, os.path.join(sys.prefix, "pyvenv.cfg")))
    return {path: _stamp(path) for path in paths}


class _Server:
    """Forks a process for each request."""

    def __init__(self, control: socket.socket, setup: dict[str, Any]) -> None:
        self.control = control
        self.setup = setup
        self.stamps = _stamps()
        self.paths = _import_folders(setup["project"])
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self.runs: dict[int, tuple[int, socket.socket]] = {}

    def changed(self) -> str:
        """What is no longer as it was when it was loaded; empty when everything is."""
        for path, stamp in self.stamps.items():
            if _stamp(path) != stamp:
                return path
        return ""

    def serve(self) -> dict[str, Any]:
        """Answer requests; returns in the process that is to run a command, with what is wanted of it."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        while True:
            for number, _ in poll.poll():
                if number == self.control.fileno():
                    request = self.begin(poll)
                    if request is not None:
                        return request
                elif number in self.runs:
                    self.end(poll, number)
                else:
                    # Its other end was closed: nobody waits for this run any more.
                    with contextlib.suppress(KeyError):
                        poll.unregister(number)
                    for pid, channel in self.runs.values():
                        if channel.fileno() == number:
                            os.kill(pid, signal.SIGKILL)

    def begin(self, poll: select.poll) -> dict[str, Any] | None:
        numbers = array.array("i")
        data, more, _, _ = self.control.recvmsg(16, socket.CMSG_SPACE(5 * numbers.itemsize), socket.MSG_CMSG_CLOEXEC)
        if not data:
            os._exit(0)
        for _, _, sent in more:
            numbers.frombytes(sent[: len(sent) - len(sent) % numbers.itemsize])
        if len(numbers) != 5:
            os._exit(1)
        channel = socket.socket(fileno=numbers[0])
        alive, held = os.pipe()
        changed = self.changed()
        pid = -1
        if changed:
            _say(channel, stale=changed)
        else:
            try:
                pid = self.fork()
            except OSError as error:
                _say(channel, failed=str(error))
        if pid == 0:
            self.leave(alive)
            return _become(channel, list(numbers[1:]), held, self)
        for number in (*numbers[1:], held):
            os.close(number)
        if pid > 0:
            self.runs[alive] = (pid, channel)
            poll.register(alive, select.POLLIN)
            poll.register(channel, select.POLLIN)
        else:
            os.close(alive)
            channel.close()
        return None

    def fork(self) -> int:
        """Fork the first process of a new process namespace."""
        with new_process_space(self.own_pids):
            return os.fork()

    def leave(self, alive: int) -> None:
        """In the child: give back what belongs to the server and to other runs."""
        self.control.close()
        os.close(self.own_pids)
        os.close(alive)
        for number, (_, other) in self.runs.items():
            os.close(number)
            other.close()

    def end(self, poll: select.poll, number: int) -> None:
        """Reap a run whose first process has gone, and all others with it; closing the channel says so."""
        pid, channel = self.runs.pop(number)
        os.waitpid(pid, 0)
        poll.unregister(number)
        with contextlib.suppress(KeyError):
            poll.unregister(channel)
        os.close(number)
        channel.close()


# One run: its first process, and the command.


def _become(channel: socket.socket, numbers: list[int], held: int, server: _Server) -> dict[str, Any]:
    """Be the first process of a run to its end; returns in the command's own process."""
    pid = -1
    try:
        with open(numbers[0], encoding="ascii") as file:
            request: dict[str, Any] = json.load(file)
        shut_in({**request, "paths": server.paths})
        _say(channel, begun=True)
        pid = os.fork()
        if pid == 0:
            _prepare(request, numbers[1:])
    except BaseException as error:  # noqa: BLE001 - whatever it is, the other end starts the command as ever
        _say(channel, failed=f"{type(error).__name__}: {error}")
        os._exit(1)
    if pid:
        _wait_for(pid, channel)
    channel.close()
    os.close(held)
    return request


def _wait_for(pid: int, channel: socket.socket) -> NoReturn:
    # The first process of a namespace gets no signal it does not handle.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    while True:
        found, status = os.wait()
        if found == pid:
            break
    _say(channel, ended=os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status))
    os._exit(0)


def _limit(limits: dict[str, int]) -> None:
    with contextlib.suppress(OSError):
        write("/proc/self/oom_score_adj", "1000")
    for name, value in limits.items():
        number = getattr(resource, name)
        soft, hard = resource.getrlimit(number)
        if hard == resource.RLIM_INFINITY or value < hard:
            hard = value
        if soft == resource.RLIM_INFINITY or hard < soft:
            soft = hard
        resource.setrlimit(number, (soft, hard))


def _forget(project: str) -> None:
    """Drop what was remembered of the project's folders, and of chance."""
    installed = _installed()
    for path in list(sys.path_importer_cache):
        if _below(path, project) and not any(_below(path, folder) for folder in installed):
            del sys.path_importer_cache[path]
    # Python's own generator is seeded anew after a fork; this one is not.
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


def _prepare(request: dict[str, Any], streams: list[int]) -> None:
    """Make this process look like one that was just started."""
    os.setsid()
    for wanted, number in enumerate(streams):
        os.dup2(number, wanted)
        os.close(number)
    checked(prctl(DUMPABLE, 1), "prctl")
    _limit(request["limits"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    if request["piped"]:
        # A pipe is read otherwise than what the server has there.
        raw = io.FileIO(0, closefd=False)
        raw.name = "<stdin>"
        old, buffer = sys.stdin, io.BufferedReader(raw)
        sys.stdin = sys.__stdin__ = io.TextIOWrapper(buffer, old.encoding, old.errors)  # type: ignore[misc]
        sys.stdin.mode = "r"  # type: ignore[misc]
    sys.argv = ["-c", *request["args"]]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv = [*request["argv"], "-c", request["code"], *request["args"]]
    _forget(request["cwd"])


def _receive(control: socket.socket) -> dict[str, Any]:
    setup: dict[str, Any] = json.loads(control.recv(1 << 20))
    return setup


def _start(before: frozenset[str]) -> dict[str, Any]:
    """Set the server up and serve; returns only in the process of a command, with what is wanted of it."""
    control = socket.socket(fileno=int(sys.argv[2]))
    control.set_inheritable(False)
    setup = _receive(control)
    try:
        enter_namespaces(user=setup["user"], network=setup["network"])
        ground = make_ground(setup["folder"])
        culprit, reason = _warm(setup["modules"], setup["project"])
        if reason:
            _say(control, refused=reason, module=culprit)
            os._exit(1)
        server = _Server(control, setup)
        os.fchdir(ground)
        os.close(ground)
    except Exception as error:  # noqa: BLE001 - told to the other end, which does without
        _say(control, refused=f"{type(error).__name__}: {error}", module="")
        os._exit(1)
    gc.collect()
    gc.freeze()
    sys.stdout.flush()
    sys.stderr.flush()
    names = {name.partition(".")[0] for name in sys.modules} - {name.partition(".")[0] for name in before}
    _say(control, ready=sorted(names), folders=[path for path, _ in server.paths])
    return server.serve()


def _status(code: object) -> int:
    """The exit status that Python gives for the code of a ``SystemExit``."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -(1 << 63) <= code < 1 << 63 else 0xFF
    with contextlib.suppress(Exception):
        sys.stderr.write(f"{code}\n")
    return 1


def _run(code: str, space: dict[str, Any]) -> int:
    """Run the code of a command; gives its exit status, negative for a signal it ends by."""
    try:
        exec(compile(code, "<string>", "exec", dont_inherit=True), space)  # noqa: S102 - this is python -c
    except SystemExit as error:
        return _status(error.code)
    except BaseException as error:  # noqa: BLE001 - shown as the interpreter shows it
        trace = error.__traceback__.tb_next if error.__traceback__ else None
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _flush() -> bool:
    """Write out what was printed; whether that was possible."""
    done = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except Exception:  # noqa: BLE001 - the interpreter ends with a status for this, and so do we
            done = stream is not sys.stdout
    return done


def _end(status: int) -> NoReturn:
    """End as the interpreter does: threads, exit handlers, streams.

    Not taken apart are the modules: a fork would copy all its memory only to free it.
    """
    for finish in (getattr(sys.modules.get("threading"), "_shutdown", None), atexit._run_exitfuncs):  # noqa: SLF001
        try:
            if finish is not None:
                finish()
        except BaseException as error:  # noqa: BLE001 - shown, and the end goes on
            sys.excepthook(type(error), error, error.__traceback__)
    if not _flush() and status == 0:
        status = 120
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def main(before: frozenset[str], *, own_folder: bool) -> NoReturn:
    """Serve; and in the process of a command run it as ``python -c`` does.

    Args:
        before: The modules that were there when Python had started.
        own_folder: The working directory belongs on the path of commands.
    """
    request = _start(before)
    if own_folder:
        sys.path.insert(0, "")
    space = sys.modules["__main__"].__dict__
    for name in [name for name in space if not (name.startswith("__") and name.endswith("__"))]:
        del space[name]
    _end(_run(request["code"], space))
