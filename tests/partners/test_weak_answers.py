"""Answers that a small coder model (1.5 billion parameters, 4 bits) has really given, each with the right reading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_core.conversation import AssistantItem, ToolCallItem
from agent_core.errors import PatchRefusedError
from agent_core.partners.text_calls import read_calls
from agent_core.patch.stream import patch_text
from tests.patch.envelopes import apply

ANSWERS = Path(__file__).parent.parent / "data" / "weak_answers"
PROJECT = Path("/nonexistent/project")

CART = {
    "cart/items.py": b'"""Things in the cart."""\n\nfrom dataclasses import dataclass\n\n\n@dataclass\nclass Item:\n'
    b"    name: str\n    price: float\n    quantity: int = 1\n\n    def total(self) -> float:\n"
    b"        return self.price * self.quantity\n",
    "cart/pricing.py": b'"""What a cart costs."""\n\nfrom cart.items import Item\n\n\n'
    b"def subtotal(items: list[Item]) -> float:\n"
    b'    """The sum of all items before discount."""\n    return sum(item.total() for item in items)\n\n\n'
    b"def discounted(amount: float, percent: float) -> float:\n"
    b'    """The amount after a discount of so many percent."""\n    return amount + amount * percent / 100\n\n\n'
    b"def total(items: list[Item], percent: float = 0) -> float:\n"
    b'    """What the customer pays."""\n    return round(discounted(subtotal(items), percent), 2)\n',
}
PAGES = {
    "pages/paginate.py": b'def page_count(total, size):\n    """How many pages are needed for `total` entries."""\n'
    b'    if size <= 0:\n        raise ValueError("size must be positive")\n    return total // size + 1\n',
    "pages/view.py": b"def render(entries, number, size):\n"
    b'    lines = [f"- {entry}" for entry in page(entries, number, size)]\n'
    b'    return "\\n".join([*lines, footer(entries, number, size)])\n',
}
NOTIFY = {
    "notify/format.py": b'def greeting(name):\n    return f"Hello {name}"\n',
    "notify/send.py": b"class Outbox:\n    def __init__(self):\n        self.sent = []\n\n"
    b"    def send(self, name, text):\n        self.sent.append((name, body(name, text)))\n\n"
    b"    def send_all(self, names, text):\n        for name in names:\n            self.send(name, text)\n",
}


def read(name: str) -> tuple[str, list[str]]:
    """The words of an answer, and its patches."""
    words, patches = "", []
    for item in read_calls((AssistantItem((ANSWERS / name).read_text("utf-8")),), {"apply_patch", "read_file"}, 1):
        if isinstance(item, ToolCallItem):
            assert item.name == "apply_patch"
            patches.append(patch_text(json.loads(item.arguments)) or "")
        elif isinstance(item, AssistantItem):
            words += item.text
    return words, patches


def test_a_second_file_behind_the_end_of_a_patch_is_not_left_out() -> None:
    words, (patch,) = read("two_ends.txt")
    assert words == ""
    # Context without signs, and one blank line where the files have two: the places are certain all the same.
    result = apply(PROJECT, CART, patch)
    assert {path: change.data for path, change in result.changes.items()} == {
        "cart/items.py": CART["cart/items.py"].replace(b"import dataclass\n", b"import dataclass, field\n"),
        "cart/pricing.py": CART["cart/pricing.py"].replace(b"import Item\n", b"import Item, field\n"),
    }
    assert [note.partition(" (")[0] for note in result.notes] == [
        f"cart/{name}.py, hunk 1: was placed by similarity" for name in ("items", "pricing")
    ]


def test_a_hunk_that_makes_what_was_there_is_told_beside_one_that_does_something() -> None:
    words, (patch,) = read("idle_hunk.txt")
    assert words == ""
    result = apply(PROJECT, PAGES, patch)
    changed = PAGES["pages/view.py"].replace(b"entries, number, size)]", b"entries, number, size - 1)]", 1)
    assert {path: change.data for path, change in result.changes.items()} == {"pages/view.py": changed}
    assert "pages/paginate.py, hunk 1: its '-' and '+' lines are the same, so it changes nothing." in result.notes


def test_a_verdict_that_the_model_has_invented_is_none() -> None:
    assert "[Proposal 2 was checked" in (ANSWERS / "invented_verdict.txt").read_text("utf-8")
    assert read("invented_verdict.txt") == ("", [])


def test_a_patch_that_begins_with_its_file_is_read_like_the_whole_one_behind_it() -> None:
    words, (half, whole) = read("half_twice.txt")
    assert words == ""
    assert half.strip() == whole.strip()
    with pytest.raises(PatchRefusedError, match=r"cart/items\.py, hunk 1"):
        apply(PROJECT, CART, half)


def test_the_class_above_a_change_is_its_scope_where_lines_between_are_left_out() -> None:
    words, (patch,) = read("class_as_context.txt")
    assert words == ""
    result = apply(PROJECT, NOTIFY, patch)
    changed = NOTIFY["notify/send.py"].replace(b"send(self, name, text)", b'send(self, name, text, word="Hello")')
    assert {path: change.data for path, change in result.changes.items()} == {"notify/send.py": changed}
    assert result.notes == ("notify/format.py, hunk 1: its '-' and '+' lines are the same, so it changes nothing.",)


def test_a_patch_as_a_list_of_its_lines_is_a_patch() -> None:
    words, (patch,) = read("list_of_lines.txt")
    assert words == ""
    with pytest.raises(PatchRefusedError, match=r"'<<<<<<< SEARCH', begins a block that has no end"):
        apply(PROJECT, CART, patch)
    result = apply(PROJECT, CART, f"{patch}\n>>>>>>> REPLACE\n")
    changed = CART["cart/items.py"].replace(b"self.quantity\n", b"self.quantity * 0.9\n")
    assert {path: change.data for path, change in result.changes.items()} == {"cart/items.py": changed}
