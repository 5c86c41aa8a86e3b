"""A session that goes on in a process of its own: ``python -m tests.support.gone_on``.

Arguments: the project, the settings as JSON, the session's id, and what is asked in it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from agent_core import commands
from agent_core import events as ev
from tests.support.running import running


async def go_on(project: Path, settings: str, session: str, words: str) -> None:
    """Resume a session, ask something, and wait for the end of it."""
    async with running(project, json.loads(settings), resume=session) as here:
        here.submit(commands.Ask(words))
        await here.seen(ev.TaskFinished)


if __name__ == "__main__":
    asyncio.run(go_on(Path(sys.argv[1]), *sys.argv[2:5]))
