"""Money as whole cents."""

from __future__ import annotations


def parse_amount(text: str) -> int:
    """Read an amount such as ``12.50`` or ``7``; gives cents."""
    whole, _, cents = text.strip().partition(".")
    return int(whole) * 100 + int(cents.ljust(2, "0") or 0)


def show_amount(cents: int) -> str:
    """Write cents as an amount, such as ``12.50``."""
    return f"{cents // 100}.{cents % 100:02d}"
