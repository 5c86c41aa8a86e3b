"""Opening projects with warm processes, in tests."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent_core.sandbox.zygote import Zygote
from agent_core.workspace.project import Project
from tests.workspace.opening import Kind, open_with

LIGHT = ("decimal",)
"""Quickly imported, and in no project of the tests."""


def _supported() -> bool:
    """Whether the kernel has mount_setattr(2), which came with Linux 5.12."""
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return os.uname().sysname == "Linux" and found is not None and (int(found[1]), int(found[2])) >= (5, 12)


needs_kernel = pytest.mark.skipif(not _supported(), reason="warm runs need Linux 5.12")


@asynccontextmanager
async def warmed(
    root: Path, kind: Kind = "bubblewrap", modules: Sequence[str] = LIGHT, *, network: bool = False
) -> AsyncIterator[Project]:
    """A project whose warm process is ready; skips the test where the mechanism does not work."""
    project = await open_with(root, kind, network=network)
    try:
        project.warm(modules)
        assert await project.warmed() == ()
        yield project
    finally:
        await project.close()


def servers(project: Project) -> list[Zygote]:
    """The warm processes of a project that can be asked."""
    warm = project._ground.warm
    assert warm is not None
    return [slot.zygote for slot in warm._slots.values() if slot.zygote is not None]


def forks(project: Project) -> int:
    """How many runs began in a warm process, the trial apart."""
    return sum(server.runs - 1 for server in servers(project))
