"""Making a forked process look like a Python that was just started, and ending it like one."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import resource
import signal
import sys
import time
import types
from typing import Any, NoReturn

from .modules import below, installed
from .mounts import DUMPABLE, checked, prctl, write


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


def _let_go_first(nice: int) -> None:
    """Let other processes go first; the session's own group, too, where Linux weighs these."""
    if nice:
        os.nice(nice)
        with contextlib.suppress(OSError):
            write("/proc/self/autogroup", str(nice))


def _forget(project: str) -> None:
    """Drop what was remembered of the project's folders, and of chance."""
    folders = installed()
    for path in list(sys.path_importer_cache):
        if below(path, project) and not any(below(path, folder) for folder in folders):
            del sys.path_importer_cache[path]
    # Python's own generator is seeded anew after a fork; this one is not.
    seed = getattr(getattr(sys.modules.get("numpy"), "random", None), "seed", None)
    if seed is not None:
        seed()


def prepare(request: dict[str, Any], streams: list[int]) -> None:
    """Make this process look like one that was just started."""
    os.setsid()
    for wanted, number in enumerate(streams):
        os.dup2(number, wanted)
        os.close(number)
    checked(prctl(DUMPABLE, 1), "prctl")
    _limit(request["limits"])
    _let_go_first(request.get("nice", 0))
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


def _status(code: object) -> int:
    """The exit status that Python gives for the code of a ``SystemExit``."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -(1 << 63) <= code < 1 << 63 else 0xFF
    with contextlib.suppress(Exception):
        sys.stderr.write(f"{code}\n")
    return 1


def _show_in_tracebacks(code: types.CodeType, text: str) -> None:
    """Since Python 3.13 tracebacks show the lines of ``-c``; they are to be the command's, not those we began with."""
    cache = sys.modules.get("linecache")
    register = getattr(cache, "_register_code", None)
    if cache is None or register is None:
        return
    cache.cache.pop("<string>", None)
    by_code = getattr(cache, "_interactive_cache", None)
    if by_code is not None:
        by_code.clear()
    register("<string>" if by_code is None else code, text, "<string>")


def run(text: str, space: dict[str, Any]) -> int:
    """Run the code of a command; gives its exit status, negative for a signal it ends by."""
    try:
        code = compile(text, "<string>", "exec", dont_inherit=True)
        _show_in_tracebacks(code, text)
        exec(code, space)  # noqa: S102 - this is python -c
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


def end(status: int) -> NoReturn:
    """End as the interpreter does: threads, exit handlers, streams.

    Not taken apart are the modules: a fork would copy all its memory only to free it.
    """
    wait = getattr(sys.modules.get("threading"), "_shutdown", None)
    try:
        if wait is not None:
            wait()
    except BaseException as error:  # noqa: BLE001 - shown, and the end goes on
        sys.excepthook(type(error), error, error.__traceback__)
    # What a handler raises has been shown already when some versions raise the last one once more.
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()  # noqa: SLF001 - nothing public runs them
    if not _flush() and status == 0:
        status = 120
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)
