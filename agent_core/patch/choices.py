"""What somebody takes of a patch; `agent_core.patch.select` makes the patch of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class BlockChoice(msgspec.Struct, frozen=True):
    """What is taken of a block.

    Attributes:
        accepted: Anything at all; the rest counts only then.
        lines: Which of its lines are taken, numbered from 0, the removed ones first, then the added ones; None for all.
            A removed line that is not taken stays, an added one that is not taken does not come.
        text: The new side as the human wrote it instead, whole lines; None where it stays as proposed. In a block
            whose lines all end in CRLF they get that ending.
    """

    accepted: bool
    lines: frozenset[int] | None = None
    text: str | None = None


class Choices(msgspec.Struct, frozen=True):
    """What is taken of a patch.

    Attributes:
        default: Whether what is not named here is taken.
        files: By the path after the patch.
        blocks: By the block's id.
    """

    default: bool
    files: Mapping[str, bool] = {}
    blocks: Mapping[str, BlockChoice] = {}
