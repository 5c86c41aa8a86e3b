"""The formats in which models write patches, and what each of them is called."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from agent_core.patch.operations import Operation

Format = Literal["envelope", "blocks", "unified", "whole"]


class Reading(msgspec.Struct, frozen=True):
    """A patch text that has been read.

    Attributes:
        format: The format it is in.
        operations: What it asks for, in its order.
        notes: What was read leniently and a human should know; one sentence each.
    """

    format: Format
    operations: tuple[Operation, ...]
    notes: tuple[str, ...] = ()


class Span(NamedTuple):
    """Where a patch stands in a text.

    Attributes:
        start: Offset of its first character, fences around it included.
        end: Offset after its last.
        format: The format it is in.
        patch: The patch itself, without what is wrapped around it.
    """

    start: int
    end: int
    format: Format
    patch: str
