"""What an order costs, in cents."""

from __future__ import annotations

FREE_FROM = 5000
LIGHT = 490
HEAVY = 990


def shipping(total: int, kilos: int) -> int:
    """Shipping is free from 50.00 on; parcels of more than 5 kg cost more."""
    if total > FREE_FROM:
        return 0
    return HEAVY if kilos > 5 else LIGHT


def order_total(prices: list[int], kilos: int) -> int:
    """The price of an order with its shipping."""
    goods = sum(prices)
    return goods + shipping(goods, kilos)
