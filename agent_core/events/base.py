"""What all events have in common, and the words they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Mode = Literal["step", "until-green", "auto"]
DecisionKind = Literal["accept", "reject", "steer"]
DECIDED: Mapping[str, str] = {"accept": "accepted", "reject": "rejected", "steer": "sent back"}
"""What became of a proposal by a decision, in words."""
TaskOutcome = Literal["answered", "landed", "green", "not_green", "interrupted", "failed", "conflict"]
Level = Literal["info", "warning", "error"]


class Event(msgspec.Struct, frozen=True, tag=True):
    """Base of all events."""
