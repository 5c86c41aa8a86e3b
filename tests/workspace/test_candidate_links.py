"""Candidates of projects whose environment, dependencies or Python lie elsewhere, behind links."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.projects import make_project
from tests.workspace.opening import OVERLAYS, Kind, open_with
from tests.workspace.warming import LIGHT, forks, needs_kernel

overlaid = pytest.mark.parametrize("kind", OVERLAYS)

_SHOW = """
import json, os, pathlib, sys
def read(name):
    try:
        return pathlib.Path(name).read_text()
    except OSError as error:
        return type(error).__name__
print(json.dumps([sys.prefix, *map(read, sys.argv[1:])]))
"""


async def _seen(root: Path, kind: Kind, *names: str, warm: bool = False) -> str:
    """What a command of the project's own Python says of its prefix, and finds in files."""
    project = await open_with(root, kind)
    try:
        if warm:
            project.warm(LIGHT)
            assert await project.warmed() == ()
        candidate = await project.candidate(await project.snapshot(), {}, cache="c")
        argv = (str(project.interpreter.python), "-c", _SHOW, *names)
        done = await candidate.run(argv, timeout=60, warm=LIGHT if warm else ())
        await candidate.close()
        assert not warm or forks(project) == 1
        return done.text.strip()
    finally:
        await project.close()


def _linked(tmp_path: Path, ignore: str = ".venv\nnode_modules\n") -> Path:
    """A project with its environment and its node_modules behind two links each, in other folders below /tmp."""
    real, stop = tmp_path / "real", tmp_path / "stop"
    stop.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", real / "environment"], check=True)
    (real / "node_modules/dep").mkdir(parents=True)
    (real / "node_modules/dep/index.js").write_text("dep")
    (real / "private").write_text("not to be seen")
    root = make_project(tmp_path / "project", {"a.py": "A = 1\n", ".gitignore": ignore})
    for name, target in ((".venv", "environment"), ("node_modules", "node_modules")):
        (stop / name).symlink_to(f"../real/{target}")
        (root / name).symlink_to(stop / name)
    return root


@overlaid
@pytest.mark.parametrize("ignore", [".venv\nnode_modules\n", ".venv/\nnode_modules/\n"])
async def test_an_environment_and_dependencies_behind_links(tmp_path: Path, kind: Kind, ignore: str) -> None:
    root = _linked(tmp_path, ignore)
    said = await _seen(root, kind, "node_modules/dep/index.js", str(tmp_path / "real/private"))
    assert said == f'["{root}/.venv", "dep", "FileNotFoundError"]'


@needs_kernel
@overlaid
async def test_a_warm_run_sees_them_too(tmp_path: Path, kind: Kind) -> None:
    root = _linked(tmp_path)
    said = await _seen(root, kind, "node_modules/dep/index.js", str(tmp_path / "real/private"), warm=True)
    assert said == f'["{root}/.venv", "dep", "FileNotFoundError"]'


@overlaid
async def test_a_link_does_not_uncover_what_is_hidden(tmp_path: Path, kind: Kind) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/id").write_text("secret")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").write_text("other")
    root = make_project(tmp_path / "project", {".gitignore": "node_modules\n"})
    names = [f"node_modules/{tail}" for tail in (".ssh/id", "id", "home/.ssh/id", "file")]
    project = await open_with(root, kind, home=home)
    tree = await project.snapshot()
    targets = (home, home / ".ssh", tmp_path, Path("/tmp"), tmp_path / "other")
    for target in targets:
        (root / "node_modules").unlink(missing_ok=True)
        (root / "node_modules").symlink_to(target)
        if target.name == "other":
            # A link that is part of the tree may be anybody's.
            (root / ".gitignore").write_text("")
            tree = await project.snapshot()
        candidate = await project.candidate(tree, {}, cache="c")
        show = 'for name; do cat "$name" || echo none; done 2>/dev/null'
        done = await candidate.run(("sh", "-c", show, "sh", *names, str(home / ".ssh/id")), timeout=60)
        await candidate.close()
        assert done.stdout.decode().split() == ["none"] * 5, target


@overlaid
async def test_a_python_behind_links_below_tmp(tmp_path: Path, kind: Kind) -> None:
    root = make_project(tmp_path / "project", {"a.py": "A = 1\n", ".gitignore": ".venv\n"})
    # As uv has it: the environment's python is a link by way of a link to the installation.
    base = tmp_path / "pythons/cpython-full"
    (base / "bin").mkdir(parents=True)
    shutil.copy(os.path.realpath(sys.executable), base / "bin/python3")
    for name in ("lib", "lib64"):
        if (Path(sys.base_prefix) / name).exists():
            (base / name).symlink_to(Path(sys.base_prefix) / name)
    (tmp_path / "pythons/cpython").symlink_to("cpython-full")
    (root / ".venv/bin").mkdir(parents=True)
    (root / ".venv/bin/python").symlink_to(tmp_path / "pythons/cpython/bin/python3")
    (root / ".venv/pyvenv.cfg").write_text(f"home = {tmp_path}/pythons/cpython/bin\n")
    assert await _seen(root, kind, "a.py") == f'["{root}/.venv", "A = 1\\n"]'
