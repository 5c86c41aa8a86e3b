"""Base of what is wanted."""

from __future__ import annotations

import msgspec


class Command(msgspec.Struct, frozen=True):
    """Base of all commands."""
