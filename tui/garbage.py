"""Collecting garbage without anybody noticing.

A session of 1,000 messages is some 200,000 objects that stay. To look at all of them takes 100 ms and more, in which no
key is heard; while an answer streams that would be about once a second.
"""

from __future__ import annotations

import gc
import time
from typing import Any

_YOUNG = 1000
"""New objects after which the young ones are looked at."""
_TOO_LONG = 0.01


class Collector:
    """Sets what has outlived a long full collection aside, so that the next one looks only at what is newer."""

    def __init__(self) -> None:
        self._begun = 0.0

    def begin(self) -> None:
        """From now on, collect; what is alive now is set aside."""
        gc.freeze()
        gc.set_threshold(_YOUNG, 10, 10)
        gc.callbacks.append(self._heard)
        gc.enable()

    def end(self) -> None:
        """Leave it all to Python again."""
        if self._heard in gc.callbacks:
            gc.callbacks.remove(self._heard)

    def look_at_all(self) -> None:
        """Have the next full collection look at everything: much of what was set aside may be garbage by now."""
        gc.unfreeze()

    def _heard(self, phase: str, info: dict[str, Any]) -> None:
        """Python calls it before and after each collection."""
        if info["generation"] < 2:
            return
        if phase == "start":
            self._begun = time.perf_counter()
        elif time.perf_counter() - self._begun > _TOO_LONG:
            gc.freeze()
