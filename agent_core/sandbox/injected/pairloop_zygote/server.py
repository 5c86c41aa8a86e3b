"""Importing ahead, waiting for requests, and becoming what they ask for; see the package."""

from __future__ import annotations

import array
import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any, NoReturn

from .command import end, prepare, run
from .modules import import_folders, stamp, stamps, touched, warm
from .mounts import enter_namespaces, make_ground, new_process_space, shut_in


def _say(channel: socket.socket, **message: Any) -> None:
    with contextlib.suppress(OSError):
        channel.send(json.dumps(message).encode())


class _Server:
    """Forks a process for each request."""

    def __init__(self, control: socket.socket, setup: dict[str, Any]) -> None:
        self.control = control
        self.setup = setup
        self.stamps = stamps()
        self.paths = import_folders(setup["project"])
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self.runs: dict[int, tuple[int, socket.socket]] = {}

    def changed(self) -> str:
        """What is no longer as it was when it was loaded; empty when everything is."""
        for path, then in self.stamps.items():
            if stamp(path) != then:
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
        with open(numbers[0], encoding="ascii") as file:  # noqa: PTH123 - it has no path
            request: dict[str, Any] = json.load(file)
        shut_in({**request, "paths": server.paths})
        _say(channel, begun=True)
        pid = os.fork()
        if pid == 0:
            prepare(request, numbers[1:])
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
        began = time.time_ns()
        culprit, reason = warm(setup["modules"], setup["project"])
        if reason:
            _say(control, refused=reason, module=culprit)
            os._exit(1)
        server = _Server(control, setup)
        changing = touched(server.stamps, began)
        if changing:
            _say(control, refused=f"{changing} changed while it was imported", module="", again=True)
            os._exit(1)
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
    end(run(request["code"], space))
