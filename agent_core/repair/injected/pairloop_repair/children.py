"""The lines that are executed in Pythons which tests start: each is told to gather them as it starts up.

Part of `pairloop_repair`, for Python 3.8 and later: standard library only. PYTEST_DONT_REWRITE

The way in is that of coverage.py and others: a ``sitecustomize`` on the path of the child, and of what that starts.
What is started without an environment of ours, such as by ``os.system``, or with ``-I``, is not seen.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .shared import Places

_HOOK = """import sys
sys.path.insert(0, {package!r})
from pairloop_repair.child import begin
sys.path.remove({package!r})
begin({root!r}, {folder!r}, {hook!r})
"""
_PATH = "PYTHONPATH"
_MOST = 64_000_000


class Children:
    """Gathers lines of children that this process starts from its making on.

    Args:
        folder: A private folder.
        places: Knows the project's own code.
    """

    def __init__(self, folder: str, places: Places) -> None:
        self._places = places
        self._folder = Path(folder, "lines-%d" % os.getpid())  # noqa: UP031 - old Pythons
        hook = self._folder / "hook"
        hook.mkdir(parents=True)
        self._hook = str(hook)
        package = str(Path(__file__).parents[1])
        text = _HOOK.format(package=package, root=places.root, folder=str(self._folder), hook=self._hook)
        (hook / "sitecustomize.py").write_text(text, encoding="utf-8")
        popen: Any = subprocess.Popen
        begin = popen.__init__

        def begun(self_: Any, args: Any, *rest: Any, **named: Any) -> None:
            if not rest:
                named["env"] = self._with_hook(named.get("env"))
            begin(self_, args, *rest, **named)

        popen.__init__ = begun

    def _with_hook(self, given: Mapping[Any, Any] | None) -> Mapping[Any, Any]:
        env = dict(os.environ if given is None else given)
        if any(isinstance(name, bytes) for name in env):
            return env
        env[_PATH] = os.pathsep.join([self._hook, *filter(None, [env.get(_PATH)])])
        return env

    def taken(self) -> dict[str, list[int]]:
        """The lines by file, relative to the project, of the children that have ended since it was asked last."""
        found: dict[str, set[int]] = {}
        for file in self._folder.glob("*.json"):
            with contextlib.suppress(OSError, ValueError):
                told = json.loads(file.read_text("utf-8")) if file.stat().st_size < _MOST else {}
                for name, lines in told.items():
                    path = self._places.inside(name)
                    if path is not None:
                        found.setdefault(path, set()).update(map(int, lines))
            with contextlib.suppress(OSError):
                file.unlink()
        return {path: sorted(lines) for path, lines in found.items()}


def together(one: dict[str, list[int]], other: dict[str, list[int]]) -> dict[str, list[int]]:
    """Lines of both, in order, by file."""
    if not other:
        return one
    return {path: sorted({*one.get(path, ()), *other.get(path, ())}) for path in {**one, **other}}
