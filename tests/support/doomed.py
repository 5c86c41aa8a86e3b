"""A session that dies in the midst of what it does, as by kill -9: ``python -m tests.support.doomed``.

Arguments: the project, the partner's script, the kind of event to die at, and the how-manyth of it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from agent_core import commands
from agent_core import events as ev
from agent_core.state import State
from tests.support.running import flags, running

OFF = ("mypy", "pytest", "ruff")


async def work(project: Path, script: str, kind: str, count: int) -> None:
    """Take the first block, write the last one anew, land, and go on; unless death comes first."""
    left = count

    def listen(entry: ev.Entry, _: State) -> None:
        nonlocal left
        left -= type(entry.event).__name__ == kind
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    async with running(project, flags(off=OFF, partner={"script": script})) as here:
        here.session.subscribe(listen)
        here.submit(commands.Ask("mend total"))
        state = await here.until(lambda state: state.waiting == 1)
        files = state.proposals[0].patch.files
        last, first = files[0].blocks[0], files[-1].blocks[0]
        here.submit(commands.Take(1, blocks=(first.id,)))
        here.submit(commands.Rewrite(1, files[0].path, last.id, "# Mine\n"))
        await here.until(lambda state: len(state.proposals[0].reviews) == 2 and state.waiting == 1)
        here.submit(commands.Land(1))
        await here.seen(ev.TaskFinished)


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
