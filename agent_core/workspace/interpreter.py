"""Which Python runs the project's checks, and why that one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from agent_core.process import run_blocking
from agent_core.workspace.linked import main_checkout

_SECONDS = 20.0


class Interpreter(msgspec.Struct, frozen=True):
    """The Python that runs the project's checks.

    Attributes:
        python: Absolute path of the executable (not resolved: a venv's symlink makes it a venv).
        found: How it was found, such as ``.venv`` or ``VIRTUAL_ENV``.
        prefix: The environment's folder, None for a plain system Python.
    """

    python: Path
    found: str
    prefix: Path | None = None


def _python_in(prefix: Path) -> Path | None:
    """The interpreter of an environment, None when it has none that could run."""
    for name in ("python", "python3"):
        python = prefix / "bin" / name
        if os.access(python, os.X_OK):
            return python
    return None


def _is_ours(prefix: Path) -> bool:
    """Whether an environment is the one pairloop itself runs in."""
    return os.path.realpath(prefix) == os.path.realpath(sys.prefix)


def _environments(root: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Where the project's environment may be, best guess first, each with its name for a human."""
    for name in (".venv", "venv"):
        if (root / name / "pyvenv.cfg").is_file():
            yield name, root / name
    # A worktree has nothing of what git ignores.
    main = main_checkout(root)
    for name in (".venv", "venv") if main is not None else ():
        if main is not None and (main / name / "pyvenv.cfg").is_file():
            yield f"{name} of the main checkout", main / name
    for variable in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "CONDA_PREFIX"):
        if value := environ.get(variable):
            prefix = root / value
            # Whoever starts pairloop from its own environment has not said that the project belongs to it.
            if prefix.is_relative_to(root) or not _is_ours(prefix):
                yield variable, prefix
    if (root / "poetry.lock").is_file() and (poetry := _poetry(root, environ)):
        yield "poetry", poetry


def _poetry(root: Path, environ: Mapping[str, str]) -> Path | None:
    """The environment Poetry made for a project, by asking it."""
    poetry = shutil.which("poetry", path=environ.get("PATH"))
    if poetry is None:
        return None
    try:
        done = run_blocking((poetry, "env", "info", "-p"), cwd=root, timeout=_SECONDS, env=environ)
    except OSError:
        return None
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines()
    return Path(lines[-1]) if done.code == 0 and lines else None


def _system_python(root: Path, environ: Mapping[str, str]) -> Path | None:
    """The ``python3`` of the PATH (what a shim stands for, not the shim) if it can import pytest."""
    own = os.path.realpath(Path(sys.prefix) / "bin")
    path = environ.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which("python3", path=os.pathsep.join(part for part in path if os.path.realpath(part) != own))
    if found is None:
        return None
    look = "import sys, importlib.util as u; print(sys.executable); sys.exit(u.find_spec('pytest') is None)"
    try:
        # In the project's folder, as a shim chooses by it; but a pytest.py there is not pytest.
        done = run_blocking(
            (found, "-c", f"import sys; sys.path[:1] = []; {look}"), cwd=root, timeout=_SECONDS, env=environ
        )
    except OSError:
        return None
    said = done.stdout.decode("utf-8", "replace").strip()
    return Path(said) if done.code == 0 and said else None


def find_interpreter(root: Path, environ: Mapping[str, str]) -> Interpreter:
    """Find the Python that should run a project's checks.

    The project's own environment comes first: ``.venv``, ``venv``, in a linked worktree those of the main checkout,
    then the environments that variables name, then Poetry's. Where there is none, ``python3`` on the PATH if it has
    pytest, else pairloop's own Python, which has it.

    Args:
        root: The project's folder.
        environ: The environment variables to look at.
    """
    for name, prefix in _environments(root, environ):
        if python := _python_in(prefix):
            return Interpreter(python, name, prefix)
    if python := _system_python(root, environ):
        return Interpreter(python, "python3 on PATH: the project has no environment")
    ours = Path(sys.prefix) if sys.prefix != sys.base_prefix else None
    return Interpreter(Path(sys.executable), "pairloop's own Python: the project has no environment", ours)
