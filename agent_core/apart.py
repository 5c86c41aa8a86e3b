"""Work on a thread that nobody waits for at the end: what may hang and cannot be ended, such as a look at a name."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


async def apart(do: Callable[[], Found]) -> Found:
    """Do something that blocks, and wait for what comes of it.

    Unlike with `asyncio.to_thread`, whoever is cancelled while it hangs can end the process all the same.

    Args:
        do: What is done.

    Raises:
        Exception: Whatever it raises.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Found] = loop.create_future()

    def tell(set_it: Callable[[], None]) -> None:
        # The loop may be gone by then.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if done.done() else set_it())

    def work() -> None:
        try:
            found = do()
        except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
            failed = error  # the name itself is gone with the handler
            tell(lambda: done.set_exception(failed))
        else:
            tell(lambda: done.set_result(found))

    threading.Thread(target=work, name="apart", daemon=True).start()
    return await done
