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
