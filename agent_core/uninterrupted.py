"""Work that must not be cut in two."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


async def to_the_end(work: Awaitable[_Result]) -> _Result:
    """Carry out work that must not be cut in two; a cancellation takes effect after it."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            # Once is not the last time: who interrupts may quit next.
            cancelled = True
    if cancelled:
        # Its error is looked at and left: who is to stop must not go on because of it.
        if not task.cancelled() and (error := task.exception()):
            log.warning("cut off: %s", error)
        raise asyncio.CancelledError
    return task.result()
