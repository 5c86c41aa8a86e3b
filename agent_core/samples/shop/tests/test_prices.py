from shop.prices import order_total, shipping


def test_small_parcel() -> None:
    assert shipping(1000, 2) == 490


def test_large_parcel() -> None:
    assert shipping(1000, 9) == 990


def test_large_order_ships_free() -> None:
    assert order_total([4000, 5000], 9) == 9000


def test_free_from_fifty_on() -> None:
    assert shipping(5000, 9) == 0
