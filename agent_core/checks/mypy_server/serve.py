"""Holds a project's types in memory, and says what mypy's daemon would say after a change; by a fork for each question.

Run shut in by the project's own Python, any from 3.8 on, as ``python serve.py PIPE FLAGS...``. It reads lines from a
named pipe: ``ask N CHANGES``, with all files that are to be other than when it was started (see `Tree.with_changes`),
and ``drop N``. It prints JSON lines: ``{"ready": true}`` or ``{"refused": why}``, then for each question
``{"line": text, "of": N}`` for every line of mypy's and ``{"end": N}``, with a ``"none": why`` where it has no answer.

A fork may change what it likes in memory. Files are put back when it has ended: the tree is the sandbox's own.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import io
import json
import os
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

ABSENT = 97
_LONGEST = 60
_READ = 1 << 16


class Refused(Exception):  # noqa: N818 - nothing is wrong: it is how things are here
    """The daemon can't be had for this project."""


def say(**message: Any) -> None:
    """Tell the other end something."""
    os.write(1, (json.dumps(message) + "\n").encode())


# Files.


class Tree:
    """The project's files as they were when their types were read.

    They are kept here: below an overlay they may be changed by the human at any time.

    Args:
        paths: The files that were read.
    """

    def __init__(self, paths: list[str]) -> None:
        here = Path.cwd()
        own = {str((here / path).relative_to(here)) for path in paths if here in (here / path).parents}
        self._stamps = {path: _stamp(Path(path)) for path in own}
        self._kept = {path: _now(Path(path)) for path in own}

    def moved(self, asked: list[str]) -> str:
        """A file that is not as it was though nobody has asked for that; empty when there is none."""
        for path, then in self._stamps.items():
            if path not in asked and _stamp(Path(path)) != then:
                return path
        return ""

    @contextlib.contextmanager
    def with_changes(self, changes: dict[str, Any]) -> Iterator[None]:
        """Have files with other contents for a while.

        Args:
            changes: For each path its content (base64, null for none), and whether it was there at the beginning.
        """
        with contextlib.ExitStack() as undo:
            for name, (data, there) in sorted(changes.items()):
                path = Path(name)
                if name not in self._kept:
                    self._kept[name] = _now(path) if there else (None, None)
                undo.callback(_put, path, *self._kept[name])
                _put(path, None if data is None else base64.b64decode(data), None)
            yield


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def _now(path: Path) -> tuple[bytes | None, int | None]:
    """A file's content and modification time."""
    try:
        return path.read_bytes(), path.stat().st_mtime_ns
    except FileNotFoundError:
        return None, None


def _put(path: Path, data: bytes | None, mtime: int | None) -> None:
    """Give a file a content; without one it goes, and with it the folders that this leaves empty."""
    if data is None:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        with contextlib.suppress(OSError):
            for folder in path.parents:
                folder.rmdir()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if mtime is not None:
        os.utime(path, ns=(mtime, mtime))


# mypy.


class Daemon:
    """mypy's own daemon, without its socket.

    Args:
        flags: The command line of a plain run.

    Raises:
        Refused: It can't be had with these, or its version is one we do not know.
    """

    def __init__(self, flags: list[str]) -> None:
        from mypy import dmypy_server, version  # noqa: PLC0415 - it may not be there

        self._flags = flags
        settings = [flag for flag in flags if flag.startswith("-")]
        self._version = version.__version__
        told = io.StringIO()
        try:
            with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
                options = dmypy_server.process_start_options(settings, allow_sources=False)
        except SystemExit as error:
            said = (f"{told.getvalue()}\n{error.code}").strip().splitlines()
            raise Refused(said[-1]) from None
        self._server = dmypy_server.Server(options, os.devnull + ".pairloop")
        self._named = [*(options.files or []), *(flag for flag in flags if not flag.startswith("-"))]
        self.ask()
        plugin = _own_plugin(options.plugins)
        if plugin:
            raise Refused(f"{plugin}, a plugin of mypy's, is the project's own")

    @property
    def paths(self) -> list[str]:
        """The files that it has read."""
        return [source.path for source in self._server.previous_sources if source.path]

    def ask(self) -> list[str]:
        """What it says of the files as they are now.

        Raises:
            Refused: It judges nothing.
        """
        for name in self._named:
            # The daemon takes a file that it is to look at and that is gone for one that is all right.
            if not Path(name).exists():
                raise Refused(f"{name} is not there")
        wanted: dict[str, Any] = {"args": self._flags, "is_tty": False, "terminal_width": 80}
        try:
            said = self._server.cmd_run(version=self._version, export_types=False, **wanted)
        except TypeError:
            # Before 0.990 it could not export types.
            said = self._server.cmd_run(version=self._version, **wanted)
        out = str(said.get("out", ""))
        if said.get("status") not in {0, 1} or said.get("err"):
            reason = said.get("restart") or said.get("err") or out or said.get("error") or "it judges nothing"
            raise Refused(str(reason).strip().splitlines()[0])
        return out.splitlines()


def _own_plugin(plugins: list[str]) -> str:
    """A plugin from the project, which a change may change; empty when there is none."""
    here = Path.cwd()
    for plugin in plugins:
        name = plugin.partition(":")[0]
        if name.endswith(".py"):
            return name
        place = here / (getattr(sys.modules.get(name), "__file__", None) or "/")
        if here in place.parents and "site-packages" not in place.parts:
            return name
    return ""


# Questions.


class Questions:
    """What is asked, line by line.

    Args:
        pipe: The named pipe.
    """

    def __init__(self, pipe: str) -> None:
        self.number = os.open(pipe, os.O_RDONLY)
        self._rest = b""
        self._lines: list[bytes] = []

    def next(self) -> bytes:
        """The next line; ends the process when nobody can ask any more."""
        while not self._lines:
            self.read()
        return self._lines.pop(0)

    def read(self) -> None:
        """Read what has come."""
        data = os.read(self.number, _READ)
        if not data:
            os._exit(0)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines += lines

    def dropped(self, number: int) -> bool:
        """Whether nobody waits for an answer any more."""
        return b"drop %d" % number in self._lines


class Fork:
    """A copy of this process that waits to be told the number of a question; it is made before there is one."""

    def __init__(self, daemon: Daemon, tree: Tree) -> None:
        go, self._go = os.pipe()
        self.alive, held = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.close(self._go)
            os.close(self.alive)
            _answer(go, daemon, tree)
        os.close(go)
        os.close(held)

    def begin(self, number: int, changes: dict[str, Any]) -> None:
        """Have it answer."""
        os.write(self._go, json.dumps([number, sorted(changes)]).encode())
        os.close(self._go)

    def kill(self) -> None:
        """End it."""
        os.kill(self._pid, signal.SIGKILL)

    def end(self) -> bool:
        """Wait for its end; whether it came to it by itself."""
        os.close(self.alive)
        return os.waitpid(self._pid, 0)[1] == 0


def _answer(go: int, daemon: Daemon, tree: Tree) -> NoReturn:
    wanted = b""
    while data := os.read(go, _READ):
        wanted += data
    if not wanted:
        os._exit(0)
    gc.disable()
    signal.alarm(_LONGEST)
    number, asked = json.loads(wanted)
    none: dict[str, str] = {}
    try:
        moved = tree.moved(asked)
        if moved:
            raise Refused(f"{moved} was changed meanwhile")
        for line in daemon.ask():
            say(line=line, of=number)
    except BaseException as error:  # noqa: BLE001 - whatever it is, there is no early word, and the exact one follows
        none = {"none": str(error) or type(error).__name__}
    say(end=number, **none)
    os._exit(0)


def serve(daemon: Daemon, tree: Tree, questions: Questions) -> NoReturn:
    """Answer one question after the other."""
    while True:
        fork = Fork(daemon, tree)
        kind, number, rest = [*questions.next().split(b" ", 2), b"", b""][:3]
        while kind != b"ask" or questions.dropped(int(number)):
            kind, number, rest = [*questions.next().split(b" ", 2), b"", b""][:3]
        changes: dict[str, Any] = json.loads(rest)
        with tree.with_changes(changes):
            fork.begin(int(number), changes)
            while fork.alive not in select.select([fork.alive, questions.number], [], [])[0]:
                questions.read()
                if questions.dropped(int(number)):
                    fork.kill()
            if not fork.end():
                say(end=int(number), none="it was given up")


def main(arguments: list[str]) -> NoReturn:
    """Read the types of the project in the working directory, and serve."""
    # mypy takes what it prints for its own business: only what we say is to be heard.
    sys.stdout = sys.stderr
    try:
        daemon = Daemon(arguments[1:])
        tree = Tree(daemon.paths)
    except ImportError:
        sys.exit(ABSENT)
    except Exception as error:  # noqa: BLE001 - told to the other end, which does without
        say(refused=str(error) or type(error).__name__)
        sys.exit(1)
    gc.collect()
    gc.freeze()
    say(ready=True)
    serve(daemon, tree, Questions(arguments[0]))


if __name__ == "__main__":
    # Beside this file nothing is to be imported.
    del sys.path[0]
    main(sys.argv[1:])
