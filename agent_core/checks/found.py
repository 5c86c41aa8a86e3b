"""What the finders of checks share: what they look at, and what they find."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from agent_core.checks.settings import CommandConfig

REPORT = ".pairloop-report"
"""Where found tools write their reports, in the candidate alone."""


class Found(msgspec.Struct, frozen=True):
    """A check that a project shows it has.

    Attributes:
        name: Short name.
        command: What is run when, and how it is read.
        why: Why it is there, and on or off, for a human.
        on: Whether it runs unless the human says otherwise.
        env: Variables it needs; ``{cache}`` in a value is a folder that outlives the run.
        hint: How to get the tool where it is missing.
    """

    name: str
    command: CommandConfig
    why: str
    on: bool = True
    env: tuple[tuple[str, str], ...] = ()
    hint: str = ""


class Look(msgspec.Struct, frozen=True):
    """What a finder sees of a project; nothing is run.

    Attributes:
        read: The bytes of a file of the project (a link's target), ignored files included; None when it is not there.
        environ: The environment that commands get.
    """

    read: Callable[[str], bytes | None]
    environ: Mapping[str, str]

    def text(self, path: str) -> str:
        """A file as text, empty when it is not there."""
        return (self.read(path) or b"").decode("utf-8", "replace")

    def there(self, path: str) -> bool:
        """Whether there is such a file."""
        return self.read(path) is not None

    def program(self, name: str) -> bool:
        """Whether a program is on the PATH."""
        return shutil.which(name, path=self.environ.get("PATH", os.defpath)) is not None

    @property
    def home(self) -> Path:
        """The human's home folder."""
        return Path(self.environ.get("HOME") or Path.home())
