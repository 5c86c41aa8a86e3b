"""What the tests really touch: the project's files that are opened for reading, and by which file of the project.

Part of the plug-in `pairloop_pytest`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

An audit hook (PEP 578) hears of every file that is opened, a module's compiled form too. What is opened is put down to
the innermost of the project's own code on the stack, as that code may keep what it read for the next test; together
with the imports this leads from a test to everything it may depend on. What nobody's code opens, such as a test file,
is put down to the test file that is being collected or run.
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Iterator
from typing import Any

from .evidence import Places

_MAX_EDGES = 20_000
_MAX_EDGES_EACH = 500
_MAX_STACK = 200
_MAX_WARM = 2000
# These run nothing of the project's.
_HARMLESS = frozenset({"git", "uname", "ldconfig", "ld", "gcc", "cc", "lscpu", "lsb_release", "file", "which", "id"})
# Importing these does more than defining things, or they want to be first or last.
_NEVER_WARM = frozenset(
    {"pytest", "_pytest", "pluggy", "coverage", "pytest_cov", "xdist", "sitecustomize", "usercustomize", "gevent"}
)


class Touched:
    """Listens from its making on; see the module.

    Args:
        places: Knows the project's own code.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._pid = os.getpid()
        self._listening = True
        self._edges: dict[str, dict[str, None]] = {}
        self._count = 0
        self._opaque: dict[str, None] = {}
        self.complete = True
        self.current = ""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: Any) -> None:
        if not self._listening or event not in _EVENTS:
            return
        try:
            if event == "open":
                self._opened(args)
            elif event == "subprocess.Popen":
                self._started(args)
            else:
                self._listed(args)
        except Exception:  # noqa: BLE001 - an error here would be one of the code that opens the file
            self.complete = False

    def _opened(self, args: Any) -> None:
        path, mode, flags = args
        if isinstance(path, int):
            return
        reading = ("r" in mode or "+" in mode) if isinstance(mode, str) else (flags & os.O_ACCMODE) != os.O_WRONLY
        name = self._inside(path) if reading else None
        if name is None:
            return
        if name.endswith(".pyc"):
            folder, _, compiled = name.rpartition("__pycache__/")
            name = folder + compiled.partition(".")[0] + ".py"
        self._add(self._innermost() or self.current, name)

    def _listed(self, args: Any) -> None:
        caller = sys._getframe(2)  # noqa: SLF001 - the way to one's caller
        path = args[0]
        if isinstance(path, int) or caller.f_code.co_filename.startswith("<frozen importlib"):
            return
        name = self._inside(path if path is not None else ".")
        who = self._innermost() if name is not None else ""
        if who and name is not None:
            self._add(who, name + "/")

    def _started(self, args: Any) -> None:
        """A program may do anything: whoever starts one may depend on everything."""
        program = os.path.basename(os.fsdecode(args[0] or (args[1] or [""])[0]))  # noqa: PTH119 - any text
        if program in _HARMLESS:
            return
        found = self.current
        for name in self._stack():
            found = name
        if found:
            self._opaque[found] = None

    def _inside(self, path: Any) -> str | None:
        name = os.fsdecode(path)
        if not name.startswith(os.sep):
            name = os.path.join(os.getcwd(), name)  # noqa: PTH109, PTH118 - called for every file that is opened
        if ".." in name or "/." in name or "//" in name:
            name = os.path.normpath(name)
        return "." if name == self._places.root else self._places.inside(name)

    def _stack(self) -> Iterator[str]:
        """The project's own code on the stack, innermost first."""
        frame: types.FrameType | None = sys._getframe(2)  # noqa: SLF001 - the way to one's caller
        for _ in range(_MAX_STACK):
            if frame is None:
                return
            name = self._places.inside(frame.f_code.co_filename)
            if name is not None:
                yield name
            frame = frame.f_back

    def _innermost(self) -> str:
        return next(self._stack(), "")

    def _add(self, who: str, what: str) -> None:
        if who == what:
            return
        edges = self._edges.setdefault(who, {})
        if what in edges:
            return
        if self._count >= _MAX_EDGES or len(edges) >= _MAX_EDGES_EACH:
            self.complete = False
            return
        edges[what] = None
        self._count += 1

    def stop(self) -> Iterator[dict[str, Any]]:
        """Listen no more; gives what was heard as records."""
        self._listening = False
        for who, edges in list(self._edges.items()):
            yield {"e": "reads", "of": who, "paths": list(edges)}
        yield {"e": "touched", "opaque": list(self._opaque)[:_MAX_EDGES_EACH], "complete": self.complete}
        yield {"e": "warm", "modules": list(self._warm())}

    def _warm(self) -> Iterator[str]:
        """The third-party modules that were imported, but for those that pytest itself treats in some way."""
        found = 0
        for name, module in list(sys.modules.items()):
            top = name.partition(".")[0]
            filename = getattr(module, "__file__", None)
            if (
                not isinstance(filename, str)
                or top in _NEVER_WARM
                or top.startswith(("pairloop_pytest", "pytest_", "__"))
            ):
                continue
            outside = self._places.inside(filename) is None
            installed = "site-packages" in filename or "dist-packages" in filename
            if not (outside and installed) or "._" in name or not all(part.isidentifier() for part in name.split(".")):
                continue
            # What pytest rewrites has to be imported under its eyes.
            if type(getattr(module, "__loader__", None)).__name__ == "AssertionRewritingHook":
                continue
            yield name
            found += 1
            if found == _MAX_WARM:
                return


_EVENTS = frozenset({"open", "os.listdir", "os.scandir", "subprocess.Popen"})
