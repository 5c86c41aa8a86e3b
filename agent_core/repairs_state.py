"""Searches for repairs and what they found, as the state holds them."""

from __future__ import annotations

from typing import Literal

import msgspec

from agent_core.patch.model import Patch
from agent_core.repair.model import Stage


class SearchState(msgspec.Struct, frozen=True):
    """A search that is under way; see `agent_core.events.RepairProgressed`.

    Attributes:
        hurried: The human has had enough of it: it ends soon, with what it has found so far.
    """

    beside: bool
    what: str
    stage: Stage = "looking"
    tried: int = 0
    total: int = 0
    found: int = 0
    trying: str = ""
    seconds: float = 0.0
    limit: float = 0.0
    hurried: bool = False

    @property
    def doing(self) -> str:
        """What it is at, in a word or two."""
        return "ending the search" if self.hurried else _DOING[self.stage]

    @property
    def so_far(self) -> str:
        """How far it has come: ``214 tried, 1 found``."""
        what = "run" if self.stage == "looking" else "tried"
        of = f" of {self.total:,}" if self.total and self.stage == "looking" else ""
        tried = f"{self.tried:,}{of} {what}" if self.tried else ""
        return ", ".join(part for part in (tried, f"{self.found} found" if self.found else "") if part)

    @property
    def share(self) -> float:
        """How much of its time is over, from 0 to 1."""
        return min(self.seconds / self.limit, 1.0) if self.limit > 0 else 0.0


_DOING: dict[Stage, str] = {
    "looking": "running the tests",
    "trying": "trying repairs",
    "pairs": "trying two changes at once",
    "comparing": "comparing repairs",
    "mending": "mending what tools can",
}


class FindState(msgspec.Struct, frozen=True):
    """A repair that was found beside the model; see `agent_core.events.RepairFound`.

    Attributes:
        stands: It can be taken (``open``), was proposed (``taken``), or is of no use any more as files changed
            (``gone``).
    """

    number: int
    says: str
    patch: Patch
    diff: str
    tests: int
    base_tree: str
    tree: str
    whole: bool = False
    mends: tuple[str, ...] = ()
    stands: Literal["open", "taken", "gone"] = "open"


class RepairsState(msgspec.Struct, frozen=True):
    """What there is of repairs.

    Attributes:
        search: The search under way.
        finds: What was found beside the model, oldest first.
        switched: Whether the human wants them looked for beside the model; None where they said nothing of that.
        untold: What searches learnt, which the model has not been told yet.
        told: The human knows that one is looked for while tests fail.
    """

    search: SearchState | None = None
    finds: tuple[FindState, ...] = ()
    switched: bool | None = None
    untold: tuple[str, ...] = ()
    told: bool = False

    @property
    def find(self) -> FindState | None:
        """The newest find that can be taken."""
        return next((one for one in reversed(self.finds) if one.stands == "open"), None)
