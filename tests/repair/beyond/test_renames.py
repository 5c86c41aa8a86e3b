"""Names that were renamed in some places and not in others."""

from __future__ import annotations

import pytest

from agent_core.checks.model import Finding
from agent_core.repair.beyond.renames import rename_variants
from agent_core.repair.model import Variant, with_edits
from tests.repair.beyond.finding import project_of

FILES = {
    "shop/__init__.py": "",
    "shop/cart.py": (
        "class Cart:\n"
        "    def __init__(self):\n"
        "        self.items = []\n"
        "\n"
        "    def amount_due(self, with_tax=True):\n"
        '        """The grand_total, once named grand_total."""\n'
        "        return sum(self.items)\n"
    ),
    "shop/till.py": (
        "from shop.cart import Cart\n"
        "\n"
        "\n"
        "def pay(cart: Cart):\n"
        "    # grand_total is asked for\n"
        "    return cart.grand_total() + cart.grand_total(with_tax=False)\n"
    ),
    "shop/receipt.py": (
        'def line(cart):\n    return f"{cart.grand_total()}"\n\n\ndef text(cart):\n    return cart.grand_total()\n'
    ),
}
BEFORE = {**FILES, "shop/cart.py": FILES["shop/cart.py"].replace("amount_due", "grand_total")}
MISSING = Finding("pytest", "AttributeError: 'Cart' object has no attribute 'grand_total'", "shop/till.py", 6)


def applied(variant: Variant) -> dict[str, str]:
    paths = {edit.path for edit in variant.edits}
    return {path: with_edits(FILES[path], [edit for edit in variant.edits if edit.path == path]) for path in paths}


def test_the_uses_follow_what_was_renamed_since_the_last_commit() -> None:
    found = [applied(one) for one in rename_variants(project_of(FILES), MISSING, BEFORE.get)]

    assert found[0]["shop/till.py"].endswith("    return cart.amount_due() + cart.amount_due(with_tax=False)\n")
    assert "# grand_total is asked for" in found[0]["shop/till.py"]
    assert "return cart.amount_due()\n" in found[0]["shop/receipt.py"]
    assert 'return f"{cart.amount_due()}"' in found[0]["shop/receipt.py"]
    assert "shop/cart.py" not in found[0]


def test_or_the_definition_goes_back_and_texts_stay() -> None:
    found = [applied(one) for one in rename_variants(project_of(FILES), MISSING, BEFORE.get)]

    assert list(found[1]) == ["shop/cart.py"]
    assert "def grand_total(self, with_tax=True):" in found[1]["shop/cart.py"]


def test_without_the_old_texts_only_a_name_like_it_is_taken() -> None:
    assert not list(rename_variants(project_of(FILES), MISSING))
    files = {**FILES, "shop/cart.py": FILES["shop/cart.py"].replace("amount_due", "grandTotal")}
    found = list(rename_variants(project_of(files), MISSING))
    assert found[0].says == "grandTotal for grand_total in 4 places"


def test_what_is_defined_somewhere_was_not_renamed() -> None:
    files = {**FILES, "shop/other.py": "class Other:\n    def grand_total(self): ...\n"}
    assert not list(rename_variants(project_of(files), MISSING, BEFORE.get))


@pytest.mark.parametrize(
    ("message", "old", "new", "uses"),
    [
        (
            "ImportError: cannot import name 'Basket' from 'shop.cart' (x)",
            "class Basket",
            "class Cart",
            "from shop.cart import Basket\nBasket()\n",
        ),
        (
            "TypeError: pay() got an unexpected keyword argument 'bill'",
            "def pay(bill",
            "def pay(total",
            "from shop.cart import pay\npay(bill=1)\n",
        ),
        (
            "NameError: name 'LIMIT' is not defined",
            "LIMIT = 1",
            "MOST = 1",
            "from shop.cart import MOST\nprint(LIMIT)\n",
        ),
    ],
)
def test_classes_parameters_and_constants_are_followed(message: str, old: str, new: str, uses: str) -> None:
    rest = {"class": ":\n    pass\n", "def": "):\n    return 1\n"}.get(new.split(maxsplit=1)[0], "\n")
    files = {"shop/cart.py": new + rest, "shop/use.py": uses}
    before = {**files, "shop/cart.py": old + rest}
    finding = Finding("pytest", message, "shop/use.py", 2)
    first = next(rename_variants(project_of(files), finding, before.get))
    text = with_edits(uses, [edit for edit in first.edits if edit.path == "shop/use.py"])

    name = next(word for word in ("Cart", "total", "MOST") if word in new)
    assert name in text.splitlines()[1]
    assert message.split("'")[1] not in text


def test_special_names_and_other_findings_are_left_alone() -> None:
    files, before = (
        {path: text.replace("grand_total", "__enter__") for path, text in one.items()} for one in (FILES, BEFORE)
    )
    for message in ("has no attribute '__enter__'", "line too long", "AssertionError: assert 1 == 2"):
        finding = Finding("pytest", message, "shop/till.py", 6)
        assert not list(rename_variants(project_of(files), finding, before.get))


def test_variables_of_the_same_name_elsewhere_are_left_alone() -> None:
    files = {
        "shop/tax.py": "def tax_rates(land):\n    return {'de': 19}[land]\n",
        "shop/till.py": "from shop.tax import *\n\n\ndef pay(land):\n    return tax_rate(land)\n",
        "shop/other.py": "def f(a):\n    for tax_rate in a:\n        print([tax_rate for _ in a], f'{tax_rate}')\n",
    }
    finding = Finding("pytest", "NameError: name 'tax_rate' is not defined", "shop/till.py", 5)
    variants = list(rename_variants(project_of(files), finding))
    assert variants
    assert {edit.path for variant in variants for edit in variant.edits} == {"shop/tax.py", "shop/till.py"}
