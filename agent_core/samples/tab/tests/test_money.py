import pytest

from tab.money import parse_amount, show_amount


@pytest.mark.parametrize(("text", "cents"), [("12.50", 1250), ("7", 700), ("0.5", 50), (" 3.05 ", 305)])
def test_parse(text: str, cents: int) -> None:
    assert parse_amount(text) == cents


def test_show() -> None:
    assert show_amount(1205) == "12.05"
