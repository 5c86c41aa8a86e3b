"""A home folder with secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projects import write_files
from tests.sandbox.shut_in import SECRET


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home folder with secrets, one of them behind a link."""
    home = tmp_path / "me and you"
    names = (".ssh/id_x", ".npmrc", ".netrc", ".config/gh/hosts.yml", ".bash_history", "dots/aws/credentials")
    write_files(home, dict.fromkeys(names, f"{SECRET}\n"))
    write_files(
        home, {".pyenv/version": "3\n", ".cache/pip/x": "c\n", ".profile": "mine\n", ".config/pip/pip.conf": "p"}
    )
    (home / ".aws").symlink_to("dots/aws")
    return home
