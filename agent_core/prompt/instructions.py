"""The system text every partner gets."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def instructions() -> str:
    """The text of ``instructions.md``; the same for a whole session, so that prompt caches hold."""
    return resources.files("agent_core.prompt").joinpath("instructions.md").read_text("utf-8")
