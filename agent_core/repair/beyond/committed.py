"""The texts that files had when they were last committed, of those that are others now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from agent_core.errors import ConfigError
from agent_core.repair.project import Project
from agent_core.workspace.revision import head_of, open_revision

_MOST_FILES = 40


async def committed_texts(root: Path, project: Project) -> Callable[[str], str | None]:
    """Gives a file's text as it was last committed; None for one that is as it was then, or where nobody knows.

    Args:
        root: The project's folder.
        project: Its files as they are.
    """
    texts: dict[str, str] = {}
    try:
        if await head_of(root) is not None:
            revision = await open_revision(root, "HEAD")
            paths = sorted(set(revision.paths) & project.paths)
            for path in await asyncio.to_thread(_differing, project, paths, revision.holds):
                file = await revision.file(path)
                if file is not None and file.data is not None:
                    texts[path] = file.data.decode("utf-8-sig")
    except (ConfigError, UnicodeDecodeError):
        # What was is no more than a hint.
        return texts.get
    return texts.get


def _differing(project: Project, paths: list[str], holds: Callable[[str, bytes], bool]) -> list[str]:
    found = []
    for path in paths:
        text = project.text(path)
        if text is not None and path.endswith(".py") and not holds(path, text.encode("utf-8", "surrogatepass")):
            found.append(path)
            if len(found) == _MOST_FILES:
                break
    return found
