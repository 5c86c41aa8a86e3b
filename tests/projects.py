"""Small real projects, built on the spot."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent


def git(root: Path, *arguments: str) -> str:
    """Run git in a folder and give what it prints."""
    # Also before a test has its own home: a bare machine knows no name to commit under.
    name = ("-c", "user.name=Test", "-c", "user.email=test@example.invalid")
    done = subprocess.run(["git", *name, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout


def write_files(root: Path, files: Mapping[str, str]) -> None:
    """Write dedented text files below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))


def make_project(root: Path, files: Mapping[str, str], *, commit: bool = True) -> Path:
    """A git repository with these files, committed."""
    root.mkdir(parents=True, exist_ok=True)
    write_files(root, files)
    git(root, "init", "-q")
    if commit:
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "start")
    return root
