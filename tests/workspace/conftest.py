"""Projects that take a while to make, shared by tests that don't change them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.projects import make_project


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A src-layout package in a virtual environment of its own, installed there with ``pip install -e``."""
    root = make_project(
        tmp_path_factory.mktemp("editable") / "dist",
        {
            "pyproject.toml": """
                [build-system]
                requires = ["hatchling"]
                build-backend = "hatchling.build"
                [project]
                name = "sample-dist"
                version = "1"
                [tool.hatch.build.targets.wheel]
                packages = ["src/sample"]
            """,
            "src/sample/__init__.py": "VALUE = 'base'\n",
            ".gitignore": ".venv/\n",
        },
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=root, check=True)
    # pip and the build backend are borrowed from the environment the tests run in: there may be no network.
    environ = {**os.environ, "PYTHONPATH": sysconfig.get_path("purelib"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    install = ["-m", "pip", "install", "-q", "--no-build-isolation", "--no-deps", "--no-index", "-e", "."]
    subprocess.run([root / ".venv/bin/python", *install], cwd=root, env=environ, check=True)
    return root
