"""The packages that repairs are measured on, on disk: downloaded, unpacked, with an environment, their tests run.

All of it lies in one folder: ``$PAIRLOOP_BENCH``, else ``pairloop-bench`` in the user's cache. Tests run in a
candidate, so that no wrong program reaches anything.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tarfile
import venv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from agent_core.config_tables import Config
from agent_core.errors import ConfigError
from agent_core.process import run_blocking
from agent_core.workspace.project import Project, open_project
from agent_core.workspace.tree import Changes, FileChange, Snapshot
from tests.bench.repair_cases import Packages

_BAD = re.compile(r"^(?:FAILED|ERROR|SUBFAILED\S*) (.+?)(?: - .*)?$")
_KEPT = frozenset({".git", ".venv"})
_PASSED = 0


def home() -> Path:
    """The folder in which everything lies."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("PAIRLOOP_BENCH") or f"{cache}/pairloop-bench")


def shut_in() -> None:
    """Have pairloop keep what it keeps below that folder, and read no configuration of the user's."""
    for name in ("state", "cache", "config", "data"):
        os.environ[f"XDG_{name.upper()}_HOME"] = str(home() / "pairloop" / name)


def _done(argv: list[str], cwd: Path, *, seconds: float = 600.0) -> str:
    ended = run_blocking(argv, cwd=cwd, timeout=seconds, env={**os.environ})
    if ended.code:
        raise ConfigError(f"{' '.join(argv[:6])} ...: {ended.stderr.decode('utf-8', 'replace')[-800:]}")
    return ended.stdout.decode("utf-8", "replace")


def sdist(name: str, version: str, sha256: str) -> Path:
    """The sdist of a release, downloaded where it is not there yet.

    Raises:
        ConfigError: It cannot be had, or is another file than it was.
    """
    folder = home() / "sdists" / name / version
    if not list(folder.glob("*.tar.gz")):
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name, "-d", str(folder)]
        _done([*pip, f"{name}=={version}"], folder)
    (file,) = folder.glob("*.tar.gz")
    if sha256 and hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
        raise ConfigError(f"{file.name} is not the file that the table of packages names.")
    return file


def environment(folder: Path, requirements: tuple[str, ...]) -> Path:
    """The Python of a virtual environment with some requirements, made where it is not there yet."""
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists() or ready.read_text() != "\n".join(requirements):
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        _done([str(python), "-m", "pip", "install", "-q", *requirements], folder)
        ready.write_text("\n".join(requirements))
    return python


def lay(name: str, version: str, packages: Packages) -> Path:
    """A package's tree as a release has it, in git, with an environment in ``.venv``.

    Returns:
        The tree: the same folder for every release of a package.
    """
    root = home() / "trees" / name
    python = environment(root / ".venv", packages.tools)
    archive = sdist(name, version, packages.by_name[name].releases[version])
    for old in root.iterdir():
        if old.name not in _KEPT:
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    fresh = root / ".unpacked"
    with tarfile.open(archive) as opened:
        opened.extractall(fresh, filter="data")
    (top,) = fresh.iterdir()
    for file in top.iterdir():
        if file.name not in _KEPT:
            shutil.move(file, root / file.name)
    shutil.rmtree(fresh)
    _installed(root, python, name, version)
    if not (root / ".git").exists():
        _done(["git", "init", "-q"], root)
        (root / ".git" / "info").mkdir(exist_ok=True)
        (root / ".git" / "info" / "exclude").write_text(".venv\n__pycache__\n.pytest_cache\n.hypothesis\n.coverage\n")
    commit(root, version)
    return root


def _installed(root: Path, python: Path, name: str, version: str) -> None:
    """Have a tree importable as if it were installed to be edited, without building it."""
    site = next((python.parents[1] / "lib").glob("python3*/site-packages"))
    (site / "measured.pth").write_text("".join(f"{place}\n" for place in (root / "src", root) if place.is_dir()))
    for old in site.glob(f"{name}-*.dist-info"):
        shutil.rmtree(old)
    if (root / "PKG-INFO").is_file():
        (site / f"{name}-{version}.dist-info").mkdir()
        shutil.copy(root / "PKG-INFO", site / f"{name}-{version}.dist-info" / "METADATA")


def commit(root: Path, message: str) -> None:
    """Commit a tree as it is."""
    _done(["git", "add", "-A"], root)
    who = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false"]
    _done(["git", *who, "commit", "-q", "--allow-empty", "-m", message], root)


def python_files(root: Path, sources: tuple[str, ...]) -> list[str]:
    """The files of the program, tests apart, sorted."""
    place = next((root / source for source in sources if (root / source).exists()), root)
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    paths = [file.relative_to(root) for file in files]
    return [path.as_posix() for path in paths if not ({"tests", "test"} & {*path.parts}) and "test_" not in path.name]


class Suite(msgspec.Struct, frozen=True):
    """What a package's tests said.

    Attributes:
        failed: Ids of the tests that failed, and of the files that could not be collected.
        seconds: How long it took.
        hung: They did not come to their end in time.
        said: The end of what was printed, for a human.
    """

    failed: tuple[str, ...]
    seconds: float
    hung: bool
    said: str


class Opened(msgspec.Struct, frozen=True):
    """A tree in which tests can be run, as it is or with changes."""

    project: Project
    base: Snapshot

    async def run(
        self, argv: list[str], changes: Changes, *, seconds: float, env: dict[str, str] | None = None
    ) -> tuple[int, str, float, bool]:
        """Run the environment's Python: the exit status, what it printed, how long it took, whether its time was up."""
        candidate = await self.project.candidate(self.base, changes, cache="bench")
        try:
            python = str(self.project.interpreter.python)
            done = await candidate.run([python, *argv], timeout=seconds, env=env)
        finally:
            await candidate.close()
        said = done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")
        return done.code, said, done.seconds, done.timed_out or bool(done.killed)

    async def suite(self, changes: Changes, *, seconds: float) -> Suite:
        """Run all tests."""
        argv = ["-m", "pytest", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", "--color=no"]
        code, said, took, hung = await self.run(argv, changes, seconds=seconds, env={"COLUMNS": "1000"})
        failed = [found[1] for line in said.splitlines() if (found := _BAD.match(line))]
        if code != _PASSED and not failed and not hung:
            failed = ["all of them"]
        return Suite(tuple(dict.fromkeys(failed)), took, hung, said[-600:])


def changed(path: str, text: str) -> Changes:
    """A file with another text."""
    return {path: FileChange(text.encode())}


@asynccontextmanager
async def opened(root: Path) -> AsyncIterator[Opened]:
    """Open a tree."""
    project = await open_project(root, Config(), os.environ)
    try:
        yield Opened(project, await project.snapshot())
    finally:
        await project.close()
