"""Which Python judges a project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from agent_core.workspace.interpreter import Interpreter, find_interpreter

PATH = {"PATH": "/usr/bin:/bin"}


def environment(prefix: Path) -> Path:
    """A virtual environment as far as finding it goes."""
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    (prefix / "pyvenv.cfg").write_text("home = /somewhere\n")
    return prefix


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_projects_own_environment_comes_first(tmp_path: Path) -> None:
    root = tmp_path / "p"
    other = environment(tmp_path / "other")
    environ = PATH | {"VIRTUAL_ENV": str(other), "CONDA_PREFIX": str(other)}
    assert find_interpreter(root, environ) == Interpreter(other / "bin/python", "VIRTUAL_ENV", other)
    venv = environment(root / "venv")
    assert find_interpreter(root, environ) == Interpreter(venv / "bin/python", "venv", venv)
    own = environment(root / ".venv")
    assert find_interpreter(root, environ) == Interpreter(own / "bin/python", ".venv", own)
    # One whose Python is gone is none.
    (own / "bin" / "python").unlink()
    assert find_interpreter(root, environ).found == "venv"


@pytest.mark.parametrize("name", ["UV_PROJECT_ENVIRONMENT", "CONDA_PREFIX", "VIRTUAL_ENV"])
def test_environments_named_by_variables(tmp_path: Path, name: str) -> None:
    prefix = environment(tmp_path / "p" / "env dir")
    assert find_interpreter(tmp_path / "p", PATH | {name: str(prefix)}).prefix == prefix
    assert find_interpreter(tmp_path / "p", PATH | {name: "env dir"}) == Interpreter(
        prefix / "bin/python", name, prefix
    )


def test_poetry_is_asked(tmp_path: Path) -> None:
    root = tmp_path / "p"
    root.mkdir()
    prefix = environment(tmp_path / "cache" / "poetry-env")
    script(tmp_path / "bin" / "poetry", f'test "$*" = "env info -p" && echo warning && echo "{prefix}"')
    environ = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    assert find_interpreter(root, environ).found != "poetry"
    (root / "poetry.lock").touch()
    assert find_interpreter(root, environ) == Interpreter(prefix / "bin/python", "poetry", prefix)


def test_pairloops_own_environment_is_not_the_projects(tmp_path: Path) -> None:
    own = {"VIRTUAL_ENV": sys.prefix, "PATH": f"{sys.prefix}/bin"}
    found = find_interpreter(tmp_path, own)
    assert found.found == "pairloop's own Python: the project has no environment"
    assert found.python == Path(sys.executable)


def test_a_system_python_must_have_pytest(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "python3"
    environ = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    # A shim, as pyenv has them: what it stands for is taken.
    script(program, f'exec "{sys.executable}" "$@"')
    found = find_interpreter(tmp_path, environ)
    assert (found.python, found.prefix) == (Path(sys.executable), None)
    assert found.found.startswith("python3 on PATH")
    script(program, f'exec "{sys.executable}" -S "$@"')
    assert find_interpreter(tmp_path, environ).found.startswith("pairloop's own")
    script(program, "exit 3")
    assert find_interpreter(tmp_path, environ).found.startswith("pairloop's own")


def test_a_module_of_the_project_is_not_pytest(tmp_path: Path) -> None:
    (tmp_path / "pytest.py").touch()
    script(tmp_path / "bin" / "python3", f'exec "{sys.executable}" -S "$@"')
    environ = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    assert find_interpreter(tmp_path, environ).found.startswith("pairloop's own")
