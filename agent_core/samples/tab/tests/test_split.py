import pytest

from tab.split import split_bill, with_tip


def test_even() -> None:
    assert split_bill(900, 3) == [300, 300, 300]


def test_no_cent_is_lost() -> None:
    assert sum(split_bill(1000, 3)) == 1000


@pytest.mark.parametrize(("cents", "people"), [(1000, 3), (1001, 4), (5, 7)])
def test_shares_are_fair(cents: int, people: int) -> None:
    shares = split_bill(cents, people)
    assert max(shares) - min(shares) <= 1


def test_nobody() -> None:
    with pytest.raises(ValueError, match="at least one"):
        split_bill(100, 0)


def test_tip() -> None:
    assert with_tip(1000, 15) == 1150
