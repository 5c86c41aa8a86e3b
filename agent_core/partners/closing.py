"""Closing a stream of chunks at once when its reader stops."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def closing(chunks: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The same chunks; closing this closes them too.

    An async generator that is merely dropped keeps its connection until it is collected. Read it as
    ``async with contextlib.aclosing(closing(model.stream(request))) as chunks``.
    """
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
