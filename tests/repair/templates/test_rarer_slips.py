"""Slips that are rarer: operators that texts do not have, identity, parts of a property, one of several handlers."""

from __future__ import annotations

import pytest

from agent_core.repair.templates.arithmetic import ARITHMETIC
from agent_core.repair.templates.comparisons import COMPARISONS
from agent_core.repair.templates.definitions import DEFINITIONS
from agent_core.repair.templates.raising import other_handler
from tests.repair.trying import made, rank

SHELF = """
class Shelf:
    @property
    def books(self):
        return self._books

    {setter}
    def books(self, books):  # here
        self._books = books
"""
HALVES = """
class Shelf:
    {getter}
    def books(self):  # here
        return self._books

    @books.setter
    def books(self, books):
        self._books = books
"""


@pytest.mark.parametrize("wrong", ["<<", "-", "@", "|"])
def test_of_operators_that_texts_do_not_have_a_sum_is_meant_first(wrong: str) -> None:
    assert rank(ARITHMETIC, f'name = "dear " {wrong} title  # here', 'name = "dear " + title') <= 1


@pytest.mark.parametrize("wrong", ["<", "<=", ">", ">="])
def test_identity_is_among_what_an_order_may_have_meant(wrong: str) -> None:
    assert rank(COMPARISONS, f"if given {wrong} NOTHING:  # here\n    pass", "if given is NOTHING:") <= 8


def test_an_operator_that_nothing_else_uses_is_odd_among_others() -> None:
    wrong, right = "whole = width << height  # here", "whole = width * height"
    others = "\n".join(f"part{number} = count * {number}" for number in range(4))
    assert rank(ARITHMETIC, f"{wrong}\n{others}", right) < rank(ARITHMETIC, f"{wrong}\nother = 1 << 2\n{others}", right)


@pytest.mark.parametrize("right", ["0 <= hours < 24", "0 < hours < 24"])
def test_a_number_as_it_is_written_is_compared_and_not_identified(right: str) -> None:
    assert rank(COMPARISONS, "found = 0 is not hours < 24  # here", f"found = {right}") <= 14


def test_a_method_of_a_propertys_name_sets_it() -> None:
    wrong = SHELF.replace("    {setter}\n", "")
    assert SHELF.format(setter="@books.setter") == made(DEFINITIONS, wrong)[0]


def test_what_has_a_setter_is_a_property() -> None:
    wrong = HALVES.replace("    {getter}\n", "")
    assert HALVES.format(getter="@property") == made(DEFINITIONS, wrong)[0]


def test_a_class_that_is_not_there_is_exchanged_first_among_several() -> None:
    wrong = """
    try:
        count = int(text)
    except (KeyError, ValeuError):  # here
        count = 0
    """
    assert any("(KeyError, ValueError)" in text for text in made(other_handler, wrong)[:8])
