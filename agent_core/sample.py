"""The bundled samples: small projects, each with a real bug."""

from __future__ import annotations

import shutil
import tempfile
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

from agent_core.errors import PairloopError
from agent_core.process import run_blocking


class Sample(NamedTuple):
    """A bundled project.

    Attributes:
        name: Its name, which is that of its folder.
        task: What to ask for.
    """

    name: str
    task: str


SHOP = Sample("shop", "tests/test_prices.py::test_free_from_fifty_on fails: find the cause and mend it.")
"""What ``pairloop try`` opens: the built-in partner finds its bug."""
TAB = Sample("tab", "tests/test_split.py::test_no_cent_is_lost fails: find the cause and mend it.")
"""What a script mends in two attempts, for pictures."""
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
    """The script of the partner that mends `TAB`."""
    return Path(str(files("agent_core") / "samples" / "tab.script.json"))


def unpack(sample: Sample) -> Path:
    """Copy a sample into a fresh temporary folder, as a git repository with one commit.

    Raises:
        PairloopError: It could not be written, or git is missing.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="pairloop-try-")) / sample.name
        with as_file(files("agent_core") / "samples" / sample.name) as source:
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
