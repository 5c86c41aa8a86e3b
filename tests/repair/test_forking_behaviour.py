"""What variants do differently is found in the calls that tests make, and in calls near to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent_core.repair.model import Edit, Plan
from tests.repair.forked import Bench, bench

FILES = {
    "kit.py": """
        import functools
        import os

        FACTOR = 2

        def clamp(x, low, high):
            return min(max(x, high), high)

        def scaled(x):
            return x * FACTOR

        def count(n):
            for number in range(n):
                yield number

        def push(items, value):
            items.append(value)

        def forever(n):
            while n > 100:
                pass
            return n

        def dice():
            return os.urandom(9)

        @functools.lru_cache(maxsize=None)
        def kept(x):
            return x * 2

        def twice(x):
            return kept(x)

        class Cart:
            def __init__(self, price):
                self.price = price

            def pay(self, money):
                self.price -= money
                return self.price
        """,
    "test_kit.py": """
        from kit import *

        def test_all():
            clamp(5, 0, 10)
            scaled(3)
            list(count(2))
            push([1], 2)
            forever(100)
            dice()
            twice(3)
            Cart(5).pay(2)
        """,
}


async def compared(lab: Bench, *edits: Sequence[Edit]) -> list[dict[str, str]]:
    plans = [Plan(number, tuple(one), ("test_kit.py::test_all",)) for number, one in enumerate(edits)]
    told = await lab.lab.behaviour(plans, seconds=20)
    assert len({tuple(call for call, _ in one) for one in told}) == 1, "all answer the same calls"
    return [dict(one) for one in told]


async def test_variants_answer_the_calls_of_tests_and_those_near_to_them(tmp_path: Path) -> None:
    async with bench(tmp_path, FILES) as lab:
        right, other, same = await compared(
            lab,
            [lab.edit("kit.py", "max(x, high)", "max(x, low)")],
            [lab.edit("kit.py", "min(max(x, high), high)", "min(x, high)")],
            [lab.edit("kit.py", "min(max(x, high), high)", "max(low, min(x, high))")],
        )
        assert right["clamp(5, 0, 10)"] == other["clamp(5, 0, 10)"] == "5"
        assert right["clamp(None, 0, 10)"] == "raises TypeError"
        differing = {call: (right[call], other[call]) for call in right if right[call] != other[call]}
        assert differing["clamp(-5, 0, 10)"] == ("0", "-5")
        # Alike wherever the bounds are in order.
        apart = [call for call in right if right[call] != same[call]]
        assert all(eval(call, {"clamp": lambda _x, low, high: low > high}) for call in apart)

        more, less = await compared(
            lab, [lab.edit("kit.py", "FACTOR = 2", "FACTOR = 3")], [lab.edit("kit.py", "FACTOR = 2", "FACTOR = 1")]
        )
        assert (more["scaled(3)"], less["scaled(3)"]) == ("9", "3")

        # What a cache kept while the tests ran is of the program as it was.
        changed = [lab.edit("kit.py", "x * 2", "x * 3"), lab.edit("kit.py", "return kept(x)", "return kept(x) + 1")]
        kept, told = await compared(lab, [], changed)
        assert (kept["twice(3)"], told["twice(3)"]) == ("6", "10")

        (told,) = await compared(
            lab,
            [
                lab.edit("kit.py", "range(n)", "range(n + 1)"),
                lab.edit("kit.py", "items.append(value)", "items.insert(0, value)"),
                lab.edit("kit.py", "n > 100", "n >= 101"),
                lab.edit("kit.py", "urandom(9)", "urandom(8)"),
                lab.edit("kit.py", "-= money", "-= money + 1"),
            ],
        )
    # Nothing tells repairs apart that is another one each time.
    assert not any(call.startswith("dice(") for call in told)
    assert told["count(2)"] == "yields 0, 1, 2"
    assert told["push([1], 2)"] == "None, leaving items = [2, 1]"
    assert told["forever(100)"] == "100"
    assert told["forever(101)"] == "?"
    assert told["Cart(price=5).pay(2)"] == "2, leaving self = Cart(price=2)"
    assert told["Cart(price=5).pay(None)"] == "raises TypeError"
