"""The bundled sample: a small project with a real bug, and a script that mends it in two attempts."""

from __future__ import annotations

import shutil
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from agent_core.errors import PairloopError
from agent_core.process import run_blocking

TASK = "tests/test_split.py::test_no_cent_is_lost fails: find the cause and mend it."
_SECONDS = 30.0
PLAIN_GIT = tuple(
    part
    for setting in (
        "user.name=pairloop",
        "user.email=pairloop@localhost",
        "commit.gpgSign=false",
        "core.hooksPath=/dev/null",
        "core.autocrlf=false",
    )
    for part in ("-c", setting)
)
"""Options of git for the sample: the human's own hooks, signing and name have no business in it."""


def script() -> Path:
    """The script of the sample's partner."""
    return Path(str(files("agent_core") / "samples" / "tab.script.json"))


def unpack() -> Path:
    """Copy the sample into a fresh temporary folder, as a git repository with one commit.

    Raises:
        PairloopError: It could not be written, or git is missing.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="pairloop-try-")) / "tab"
        with as_file(files("agent_core") / "samples" / "tab") as source:
            shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        (folder / "gitignore").rename(folder / ".gitignore")
        for arguments in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message", "The sample")):
            done = run_blocking(("git", *PLAIN_GIT, *arguments), cwd=folder, timeout=_SECONDS)
            if done.code:
                raise PairloopError(f"git {arguments[0]} failed in {folder}: {done.text.strip()}")
    except OSError as error:
        raise PairloopError(
            f"The sample could not be set up: {error}.", "pairloop needs git and a writable temporary folder."
        ) from error
    return folder
