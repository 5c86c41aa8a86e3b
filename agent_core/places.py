"""Where pairloop keeps things on this machine."""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs


def user_file() -> Path:
    """Where the user's own configuration lives."""
    return Path(platformdirs.user_config_dir("pairloop")) / "config.toml"


def state_dir() -> Path:
    """Where journals, locks and caches live; ``PAIRLOOP_STATE_DIR`` overrides it."""
    chosen = os.environ.get("PAIRLOOP_STATE_DIR")
    return Path(chosen).absolute() if chosen else Path(platformdirs.user_state_dir("pairloop"))


def project_state(root: Path) -> Path:
    """Where pairloop keeps what belongs to one project: its journal, lock, caches, candidates.

    Args:
        root: Absolute path of the project.
    """
    # The first paint needs the places and no hash, which is not free to import.
    import hashlib  # noqa: PLC0415

    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    name = re.sub(r"[^A-Za-z0-9._-]", "_", root.name)[:40] or "root"
    return state_dir() / "projects" / f"{name}-{digest}"


def make_private(folder: Path) -> Path:
    """Make a folder that nobody but its owner may look into: journals hold code, prompts and what tests print.

    Raises:
        OSError: It cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder
