"""What stands unsaved in the editor: the human's own edits, which nothing may be written over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from pathlib import Path

from acp import Client, RequestError
from pydantic import ValidationError

_PATIENCE = 2.0
_MOST = 200
"""Seconds an editor has to answer, and files it is asked about; beyond, what is on disk counts."""
log = logging.getLogger(__name__)


class Buffers:
    """Asks the editor for its texts of files.

    Args:
        client: The editor.
        session: The session's id.
        root: The project's folder.
    """

    def __init__(self, client: Client, session: str, root: Path) -> None:
        self._client = client
        self._session = session
        self._root = root

    async def unsaved(self, paths: Collection[str]) -> tuple[str, ...]:
        """Which of these files have another text in the editor than on disk; see `agent_core.outfit.Unsaved`."""
        asked = sorted(paths)[:_MOST]
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await asyncio.gather(*(self._differs(path) for path in asked))
        except TimeoutError:
            log.warning("the editor did not say in time what is not saved")
            return ()
        return tuple(path for path, differs in zip(asked, found, strict=True) if differs)

    async def _differs(self, path: str) -> bool:
        file = self._root / path
        before = await asyncio.to_thread(_on_disk, file)
        if before is None:
            return False
        try:
            answer = await self._client.read_text_file(session_id=self._session, path=str(file))
        except (RequestError, ConnectionError, ValidationError) as error:
            # Whoever has not opened it, or cannot read it, has nothing unsaved in it.
            log.info("%s could not be read through the editor: %s", path, error)
            return False
        # It may have been saved while the editor was asked.
        after = await asyncio.to_thread(_on_disk, file)
        return _same(answer.content) not in {_same(before), _same(after or "")}


def _on_disk(file: Path) -> str | None:
    try:
        return file.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return None


def _same(text: str) -> str:
    """A text without what editors keep apart from it."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").removesuffix("\n")
