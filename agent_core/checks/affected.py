"""Which tests a change can affect: by what they import, and by what the last run of them really touched.

The answer decides the order in which tests run, never which ones run.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from posixpath import basename, dirname

import msgspec

from agent_core.checks.imports import ImportGraph, Imports, recall, remember
from agent_core.protocols import Candidate
from agent_core.small_files import open_regular, put_in_place

TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$|(^|/)tests?/.*\.py$")
"""What a test file looks like where the project does not say otherwise."""

FOLDER = "pytest"
"""The folder in a candidate's cache that is the test check's."""

_TOUCHES = "touches.json"
_IMPORTS = "imports.json"
_MAX_KEPT = 60_000_000
_MAX_FILES = 20_000
_MAX_TOLD = 20
# Their names go to a warm process in one message, which has to fit into a socket's buffer.
_MAX_WARM_TEXT = 60_000
# pytest's own configuration, and what every test may depend on without naming it.
_EVERYTHING = frozenset({"conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml"})


class Touches(msgspec.Struct, frozen=True):
    """What a whole run of the tests touched.

    Attributes:
        files: Content hashes of the files of the tree it ran in; empty when there were too many.
        reads: Files of the project that a file's own code opened while the tests ran; under the empty name those
            that nobody's code opened. A folder's name with a slash at the end: its entries were listed.
        opaque: Files that may depend on anything: they started programs, or their tests failed halfway.
        complete: Nothing was left out.
        modules: Third-party modules that were imported.
        bound: The tests have to run together: in an order of their own, or dealt out to workers.
    """

    files: Mapping[str, str] = {}
    reads: Mapping[str, tuple[str, ...]] = {}
    opaque: tuple[str, ...] = ()
    complete: bool = False
    modules: tuple[str, ...] = ()
    bound: bool = False


class Affected(msgspec.Struct, frozen=True):
    """What a change can affect.

    Attributes:
        files: The files, test files among them, that reach what changed; None when anything may be affected.
        unreached: Changed Python files that no test is known to reach.
    """

    files: frozenset[str] | None
    unreached: tuple[str, ...] = ()


def find_affected(candidate: Candidate, changed: Iterable[str], touches: Touches) -> Affected:
    """Find what a change can affect.

    Args:
        candidate: The changed tree.
        changed: The paths that differ, deleted ones included.
        touches: What the last run touched.
    """
    paths = frozenset(changed)
    if not paths:
        return Affected(frozenset())
    if any(basename(path) in _EVERYTHING for path in paths) or paths & set(touches.reads.get("", ())):
        return Affected(None)
    listed = {name for names in touches.reads.values() for name in names if name.endswith("/")}
    seeds = set(paths)
    for path in paths:
        # Who lists a folder sees that a file has come or gone.
        came_or_gone = path not in candidate.snapshot.files or path not in touches.files
        folder = f"{dirname(path) or '.'}/"
        if came_or_gone and folder in listed:
            seeds.add(folder)
        if not path.endswith((".py", ".pyi")) and not _known(path, candidate, paths, touches):
            return Affected(None)
    graph = graph_of(candidate, paths, touches)
    unreached = tuple(
        path
        for path in sorted(paths)[:_MAX_TOLD]
        # What may depend on anything may well reach it.
        if path.endswith(".py")
        and not touches.opaque
        and not any(TEST_FILE.search(one) for one in graph.reaching((path,)))
    )
    # Who only reads the text of a file that may depend on anything does not depend on all that it does.
    return Affected(graph.reaching(seeds) | graph.reaching(touches.opaque, by_imports=True), unreached)


def _known(path: str, candidate: Candidate, changed: frozenset[str], touches: Touches) -> bool:
    """Whether it is known who reads a file that is no Python.

    Somebody is known to have opened it; or it was there when all of the code that is not changed now was run, and
    nobody opened it.
    """
    if any(path in names for names in touches.reads.values()):
        return True
    if not touches.complete or path not in touches.files:
        return False
    return all(
        touches.files.get(name) == state.hash
        for name, state in candidate.snapshot.files.items()
        if name.endswith(".py") and name not in changed
    )


def graph_of(candidate: Candidate, also: Iterable[str] = (), touches: Touches | None = None) -> ImportGraph:
    """The imports of a candidate.

    Args:
        candidate: The tree.
        also: Paths that are not in it any more, so that who imports them is found.
        touches: What the last run touched.
    """
    files = candidate.snapshot.files
    hashes = {path: state.hash for path, state in files.items() if path.endswith((".py", ".pyi"))}
    reads = {path: names for path, names in touches.reads.items() if path} if touches is not None else {}
    return ImportGraph({*files, *also}, candidate.read, hashes=hashes, also=reads)


def warm_modules(cache: Path) -> tuple[str, ...]:
    """The third-party modules that the last test run imported: worth being imported before the next one begins.

    Args:
        cache: A candidate's folder for tools' caches.
    """
    return load_touches(cache).modules


def load_touches(cache: Path) -> Touches:
    """What the last whole run touched, in this or another tree of the project; empty when nothing usable is there.

    Args:
        cache: A candidate's folder for tools' caches; those of the project's other candidates stand beside it.
    """
    for path in _newest(cache, _TOUCHES):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            return msgspec.json.decode(_read(path), type=Touches)
    return Touches()


def keep_touches(folder: Path, candidate: Candidate, touches: Touches) -> None:
    """Keep what a run touched, for the tree that it ran in; only names of that tree are taken.

    Args:
        folder: Where to.
        candidate: The tree.
        touches: What was heard, its files not yet filled in.
    """
    files = candidate.snapshot.files
    folders = {"./", *(f"{dirname(path)}/" for path in files)}
    reads = {
        who: tuple(name for name in names if name in files or name in folders)
        for who, names in touches.reads.items()
        if not who or who in files
    }
    few = len(files) <= _MAX_FILES
    graph = ImportGraph(files, candidate.read)
    kept = Touches(
        files={path: state.hash for path, state in files.items()} if few else {},
        reads={who: names for who, names in reads.items() if names},
        opaque=tuple(name for name in touches.opaque if name in files),
        complete=touches.complete and few and all(name in files for name in touches.opaque),
        bound=touches.bound,
        modules=_worth_warming(
            [name for name in touches.modules if not graph.provides(name)], warm_modules(candidate.cache)
        ),
    )
    _write(folder / _TOUCHES, msgspec.json.encode(kept))


def _worth_warming(modules: Sequence[str], before: Iterable[str]) -> tuple[str, ...]:
    """What to import ahead: of equal modules in equal order, whatever a run came upon first.

    Another list is another warm process, which costs more than it gains when the list is the same but for chance.

    Args:
        modules: Those of the last run.
        before: What was imported ahead so far.
    """
    there = set(modules)
    ordered = dict.fromkeys([*(name for name in before if name in there), *modules])
    room, kept = _MAX_WARM_TEXT, []
    for name in ordered:
        room -= len(name) + 4
        if room < 0:
            break
        kept.append(name)
    return tuple(kept)


def load_imports(cache: Path) -> None:
    """Take in the imports that `keep_imports` kept, for this or another tree of the project."""
    for path in _newest(cache, _IMPORTS):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            remember(msgspec.json.decode(_read(path), type=dict[str, Imports]))
            return


def keep_imports(folder: Path, candidate: Candidate) -> None:
    """Read the imports of all files, and keep them for the next session if that was any work."""
    graph = graph_of(candidate)
    hashes = {state.hash for path, state in candidate.snapshot.files.items() if path.endswith((".py", ".pyi"))}
    before = len(recall(hashes))
    graph.learn()
    known = recall(hashes)
    if len(known) > before or not (folder / _IMPORTS).exists():
        _write(folder / _IMPORTS, msgspec.json.encode(known))


def _newest(cache: Path, name: str) -> list[Path]:
    """The files of a name that the candidates of a project have kept, newest first."""
    found: list[tuple[float, Path]] = []
    with contextlib.suppress(OSError):
        for one in cache.parent.iterdir():
            with contextlib.suppress(OSError):
                path = one / FOLDER / name
                found.append((path.lstat().st_mtime, path))
    return [path for _, path in sorted(found, reverse=True)]


def _read(path: Path) -> bytes:
    """The bytes of a file that foreign code may have put there: a plain file of bounded size, or an error."""
    with open_regular(path) as file:
        return file.read(_MAX_KEPT)


def _write(path: Path, data: bytes) -> None:
    """Put a file in place at once; one that cannot be written is done without."""
    with contextlib.suppress(OSError):
        put_in_place(path, data)
